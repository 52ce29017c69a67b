//! The form of an answer's text: `response_format` and `text.format` as OpenAI's clients write it,
//! `structured_outputs` as vLLM's do.

use kelvin_constraint::{Form, FormError};
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Value, json};

use super::values::{True, not_null, schemas, texts};
use crate::{
    fields::{Object, Param, Place, object},
    problem::Problem,
};

/// The form of the text, as OpenAI's clients write it.
#[derive(Debug, JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case")]
pub(crate) enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema { json_schema: NamedSchema },
}

impl ResponseFormat {
    /// The form, if the text isn't free.
    pub(crate) fn form(self) -> Option<Form> {
        match self {
            ResponseFormat::Text => None,
            ResponseFormat::JsonObject => Some(Form::JsonObject),
            ResponseFormat::JsonSchema { json_schema } => Some(json_schema.form()),
        }
    }
}

impl Param for ResponseFormat {
    fn read(value: Value, place: &Place) -> Result<ResponseFormat, Problem> {
        let mut fields = place.object(value, "an object with a \"type\"")?;
        let format = match fields.take::<FormatType>("type")? {
            FormatType::Text => ResponseFormat::Text,
            FormatType::JsonObject => ResponseFormat::JsonObject,
            FormatType::JsonSchema => {
                ResponseFormat::JsonSchema { json_schema: fields.take("json_schema")? }
            }
        };
        fields.end()?;
        Ok(format)
    }
}

/// The form of the text. The Responses API has the schema's fields beside the type.
#[derive(Debug, JsonSchema)]
#[schemars(tag = "type", rename_all = "snake_case")]
pub(crate) enum TextFormat {
    Text,
    JsonObject,
    JsonSchema(NamedSchema),
}

impl TextFormat {
    /// The form, if the text isn't free.
    pub(crate) fn form(self) -> Option<Form> {
        match self {
            TextFormat::Text => None,
            TextFormat::JsonObject => Some(Form::JsonObject),
            TextFormat::JsonSchema(schema) => Some(schema.form()),
        }
    }
}

impl Param for TextFormat {
    fn read(value: Value, place: &Place) -> Result<TextFormat, Problem> {
        let mut fields = place.object(value, "an object with a \"type\"")?;
        let format = match fields.take::<FormatType>("type")? {
            FormatType::Text => TextFormat::Text,
            FormatType::JsonObject => TextFormat::JsonObject,
            FormatType::JsonSchema => TextFormat::JsonSchema(NamedSchema::take(&mut fields)?),
        };
        fields.end()?;
        Ok(format)
    }
}

/// The types of formats.
enum FormatType {
    Text,
    JsonObject,
    JsonSchema,
}

impl Param for FormatType {
    fn read(value: Value, place: &Place) -> Result<FormatType, Problem> {
        match value.as_str() {
            Some("text") => Ok(FormatType::Text),
            Some("json_object") => Ok(FormatType::JsonObject),
            Some("json_schema") => Ok(FormatType::JsonSchema),
            _ => Err(place.wrong(&value, "\"text\", \"json_object\" or \"json_schema\"")),
        }
    }
}

object! {
    /// A schema and what is said of it. Every schema is held strictly.
    pub(crate) struct NamedSchema {
        name: Option<String>,
        description: Option<String>,
        strict: Option<bool>,
        schema: GivenSchema,
    }

    /// Forms of structured output, of which a request has exactly one.
    #[schemars(transform = one_at_a_time)]
    pub(crate) struct OutputFields {
        json: Option<SchemaOrText>,
        #[schemars(with = "Option<True>")]
        json_object: Option<bool>,
        regex: Option<String>,
        /// In Lark's notation.
        #[schemars(extend("examples" = ["start: \"yes\" | \"no\""]))]
        grammar: Option<String>,
        choice: Option<ChoiceTexts>,
    }
}

impl NamedSchema {
    fn form(self) -> Form {
        Form::JsonSchema(self.schema.0)
    }
}

impl Param for NamedSchema {
    fn read(value: Value, place: &Place) -> Result<NamedSchema, Problem> {
        // Whatever isn't an object has no schema.
        if !value.is_object() {
            return NamedSchema::absent(place);
        }
        place.whole_object(value, "an object")
    }

    fn absent(place: &Place) -> Result<NamedSchema, Problem> {
        Err(place.missing("an object with a \"schema\""))
    }
}

/// A JSON schema. The crate `constraint` says what may be in it.
#[derive(Debug)]
pub(crate) struct GivenSchema(Value);

impl Param for GivenSchema {
    fn read(value: Value, _: &Place) -> Result<GivenSchema, Problem> {
        Ok(GivenSchema(value))
    }

    fn absent(place: &Place) -> Result<GivenSchema, Problem> {
        Err(place.missing("a JSON schema"))
    }
}

/// A JSON schema as it is, or as a text. vLLM's clients send either.
#[derive(Debug)]
pub(crate) struct SchemaOrText(Form);

impl Param for SchemaOrText {
    fn read(value: Value, place: &Place) -> Result<SchemaOrText, Problem> {
        let form = match value {
            Value::String(text) => {
                Form::schema(&text).map_err(|error| unusable(&place.name, &error))?
            }
            schema => Form::JsonSchema(schema),
        };
        Ok(SchemaOrText(form))
    }
}

/// Texts, one of which is the answer.
#[derive(Debug)]
pub(crate) struct ChoiceTexts(Vec<String>);

impl Param for ChoiceTexts {
    fn read(value: Value, place: &Place) -> Result<ChoiceTexts, Problem> {
        texts(&value).map(ChoiceTexts).ok_or_else(|| place.wrong(&value, "a list of texts"))
    }
}

/// The form of the text, as vLLM's clients write it.
#[derive(Debug, JsonSchema)]
pub(crate) struct StructuredOutputs(#[schemars(with = "OutputFields")] pub(crate) Form);

impl Param for StructuredOutputs {
    fn read(value: Value, place: &Place) -> Result<StructuredOutputs, Problem> {
        let read: OutputFields = place.whole_object(value, "an object")?;
        let mut forms = [
            read.json.map(|json| json.0),
            read.json_object.filter(|&is_on| is_on).map(|_| Form::JsonObject),
            read.regex.map(Form::Regex),
            read.grammar.map(Form::Lark),
            read.choice.map(|choice| Form::Choice(choice.0)),
        ]
        .into_iter()
        .flatten();
        match (forms.next(), forms.next()) {
            (Some(form), None) => Ok(StructuredOutputs(form)),
            _ => {
                let message = format!(
                    "\"{}\" has to have exactly one of \"json\", \"json_object\", \"regex\", \
                     \"grammar\" (Lark's notation) and \"choice\"",
                    place.name
                );
                Err(Problem::parameter(&place.name, message))
            }
        }
    }
}

/// Makes an object with any of some properties into an object with exactly one.
fn one_at_a_time(schema: &mut Schema) {
    let properties = schema.get("properties").and_then(Value::as_object).cloned();
    let one = |(name, mut property): (String, Value)| {
        not_null(&mut property);
        json!({ "type": "object", "properties": { &name: property }, "required": [name] })
    };
    let ways: Vec<Value> = properties.unwrap_or_default().into_iter().map(one).collect();
    *schema = json_schema!({ "anyOf": ways });
}

/// The problem of a form that can't be held.
pub(crate) fn unusable(name: &str, error: &FormError) -> Problem {
    Problem::parameter(name, format!("\"{name}\" can't be used: {error}"))
}

schemas! {
    GivenSchema => { "type": "object" };
    SchemaOrText => { "type": ["object", "string"] };
    ChoiceTexts => {
        "type": "array",
        "items": { "type": "string", "minLength": 1 },
        "minItems": 1,
    };
}
