//! Parses `response_format` and `structured_outputs`, and compiles them to constraints.

use kelvin_constraint::{Form, FormError, Forms};
use kelvin_engine::generate::Constraint;
use serde_json::Value;

use super::{
    Shared,
    fields::{Fields, wrong},
    problem::Problem,
};

/// Reads the constraint of a request: `response_format` as OpenAI's clients write it, or
/// `structured_outputs` as vLLM's do.
pub(crate) fn read(fields: &mut Fields) -> Result<Option<Wanted>, Problem> {
    let by_format = response_format(fields)?;
    let by_outputs = structured_outputs(fields)?;
    match (by_format, by_outputs) {
        (Some(_), Some(_)) => {
            let message = "\"structured_outputs\" and \"response_format\" can't be given together";
            Err(Problem::parameter("structured_outputs", message))
        }
        (Some(form), None) => Ok(Some(Wanted { name: "response_format", form })),
        (None, Some(form)) => Ok(Some(Wanted { name: "structured_outputs", form })),
        (None, None) => Ok(None),
    }
}

/// A form of structured output, and the parameter that asks for it.
pub(crate) struct Wanted {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
}

/// Compiles a form.
pub(crate) fn compile(shared: &Shared, wanted: &Wanted) -> Result<Box<dyn Constraint>, Problem> {
    let Wanted { name, form } = wanted;
    // The first one who asks waits until the vocabulary is ready.
    let forms = shared.forms.get_or_init(|| Forms::new(&shared.engine.tokenizer));
    let compiled = forms.as_ref().map_err(Clone::clone).and_then(|forms| forms.compile(form));
    compiled.map_err(|error| match error {
        FormError::Busy => {
            Problem::busy("constraints_busy", format!("\"{name}\" can't be compiled now: {error}"))
        }
        FormError::Failed(_) => Problem::failed(error.to_string()),
        _ => unusable(name, &error),
    })
}

fn unusable(name: &str, error: &FormError) -> Problem {
    Problem::parameter(name, format!("\"{name}\" can't be used: {error}"))
}

fn response_format(fields: &mut Fields) -> Result<Option<Form>, Problem> {
    const NAME: &str = "response_format";
    let Some(value) = fields.take(NAME) else { return Ok(None) };
    let Value::Object(map) = value else {
        return Err(wrong(NAME, &value, "an object with a \"type\""));
    };
    let mut format = Fields::of(map);
    let form = typed(&mut format, |format| {
        let Some(Value::Object(map)) = format.take("json_schema") else {
            return Err(Problem::parameter(
                "json_schema",
                "\"json_schema\" is missing; it is an object with a \"schema\"",
            ));
        };
        let mut described = Fields::of(map);
        let schema = schema(&mut described).map_err(|problem| problem.inside("json_schema"))?;
        described.end().map_err(|problem| problem.inside("json_schema"))?;
        Ok(schema)
    });
    let form = form.map_err(|problem| problem.inside(NAME))?;
    format.end().map_err(|problem| problem.inside(NAME))?;
    Ok(form)
}

/// Reads a format by its type. The two APIs of OpenAI have the schema at different places.
pub(crate) fn typed(
    format: &mut Fields,
    schema: impl FnOnce(&mut Fields) -> Result<Value, Problem>,
) -> Result<Option<Form>, Problem> {
    match format.text("type")?.as_deref() {
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(Form::JsonObject)),
        Some("json_schema") => schema(format).map(|schema| Some(Form::JsonSchema(schema))),
        other => Err(wrong("type", &other.into(), "\"text\", \"json_object\" or \"json_schema\"")),
    }
}

/// Reads a schema and its descriptive fields. Every schema is held strictly.
pub(crate) fn schema(fields: &mut Fields) -> Result<Value, Problem> {
    fields.text("name")?;
    fields.text("description")?;
    fields.flag("strict")?;
    fields
        .take("schema")
        .ok_or_else(|| Problem::parameter("schema", "\"schema\" is missing; it is a JSON schema"))
}

fn structured_outputs(fields: &mut Fields) -> Result<Option<Form>, Problem> {
    const NAME: &str = "structured_outputs";
    let Some(value) = fields.take(NAME) else { return Ok(None) };
    let Value::Object(map) = value else { return Err(wrong(NAME, &value, "an object")) };
    let mut outputs = Fields::of(map);
    let mut read = || {
        let mut forms = Vec::new();
        if let Some(schema) = outputs.take("json") {
            // vLLM's clients send the schema as it is, or as the text of it.
            forms.push(match &schema {
                Value::String(text) => {
                    Form::schema(text).map_err(|error| unusable("json", &error))?
                }
                _ => Form::JsonSchema(schema),
            });
        }
        if outputs.flag("json_object")? {
            forms.push(Form::JsonObject);
        }
        forms.extend(outputs.text("regex")?.map(Form::Regex));
        forms.extend(outputs.text("grammar")?.map(Form::Lark));
        if let Some(value) = outputs.take("choice") {
            let texts = value
                .as_array()
                .and_then(|items| items.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
            let texts = texts.ok_or_else(|| wrong("choice", &value, "a list of texts"))?;
            forms.push(Form::Choice(texts.into_iter().map(str::to_string).collect()));
        }
        Ok(forms)
    };
    let mut forms = read().map_err(|problem: Problem| problem.inside(NAME))?;
    outputs.end().map_err(|problem| problem.inside(NAME))?;
    match (forms.pop(), forms.is_empty()) {
        (Some(form), true) => Ok(Some(form)),
        _ => {
            let message = "\"structured_outputs\" has to have exactly one \
                of \"json\", \"json_object\", \"regex\", \"grammar\" (Lark's notation) \
                and \"choice\"";
            Err(Problem::parameter(NAME, message))
        }
    }
}
