//! Takes typed fields out of a TOML table. Errors name the field.

use kelvin_sampling::STAGES;
use toml::{Table, Value};

use super::RecipeError;

/// Flags whose fields have other names, and those fields.
const FLAGS: [(&str, &str); 4] = [
    ("prompt", "prompts"),
    ("ctx_size", "context"),
    ("cache_type", "cache"),
    ("score", "a table, scores"),
];

/// The fields of a TOML table that haven't been taken yet, and the names of those that have been
/// asked for.
pub(super) struct Fields {
    left: Table,
    known: Vec<&'static str>,
}

impl Fields {
    pub(super) fn of(table: Table) -> Fields {
        Fields { left: table, known: Vec::new() }
    }

    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name)
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, RecipeError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, &other, "a text")),
        }
    }

    pub(super) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, RecipeError> {
        let expected = "a text, or a list of texts";
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(items)) => {
                let text = |item: &Value| {
                    item.as_str().map(str::to_string).ok_or_else(|| wrong(name, item, expected))
                };
                items.iter().map(text).collect()
            }
            Some(other) => Err(wrong(name, &other, expected)),
        }
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, RecipeError> {
        self.take(name)
            .map(|value| value.as_bool().ok_or_else(|| wrong(name, &value, "true or false")))
            .transpose()
    }

    pub(super) fn whole<T: TryFrom<i64>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, RecipeError> {
        let one = |value: Value| {
            let whole = value.as_integer().and_then(|n| T::try_from(n).ok());
            whole.ok_or_else(|| wrong(name, &value, "a whole number from 0 up"))
        };
        self.take(name).map(one).transpose()
    }

    /// The table `stages`: names of stages, each with a value or a list of values.
    pub(super) fn stages(&mut self) -> Result<Vec<String>, RecipeError> {
        let table = match self.take("stages") {
            None => return Ok(Vec::new()),
            Some(Value::Table(table)) => table,
            Some(other) => {
                return Err(wrong(
                    "stages",
                    &other,
                    "a table such as `[stages]` with `min_p = [0, 0.1]` below it",
                ));
            }
        };
        let one = |(name, value): (&String, &Value)| {
            let is_list = matches!(value, Value::Array(_));
            let value = list(&format!("stages.{name}"), value)?;
            Ok(if is_list { format!("{name}={{{value}}}") } else { format!("{name}={value}") })
        };
        table.iter().map(one).collect()
    }

    /// The table `scores`: names with what is computed, as `NAME=NOTATION`.
    pub(super) fn scores(&mut self) -> Result<Vec<String>, RecipeError> {
        let expected = "a table such as `[scores]` with `valid = \"json\"` below it";
        match self.take("scores") {
            None => Ok(Vec::new()),
            Some(Value::Table(table)) => {
                let one = |(name, value): (&String, &Value)| match value {
                    Value::String(notation) => Ok(format!("{name}={notation}")),
                    other => Err(wrong(&format!("scores.{name}"), other, "a text")),
                };
                table.iter().map(one).collect()
            }
            Some(other) => Err(wrong("scores", &other, expected)),
        }
    }

    pub(super) fn end(self) -> Result<(), RecipeError> {
        let Some(name) = self.left.keys().next() else { return Ok(()) };
        let known = self.known.join(", ");
        let flag = name.replace('-', "_");
        let other = FLAGS.iter().find(|(other, _)| *other == flag);
        let message = match other.map(|(_, field)| *field) {
            Some(field) => format!("a recipe has no such field, but {field}"),
            None if STAGES.iter().any(|stage| stage.name == flag) => {
                format!("a recipe has no such field, but a table [stages] with {flag} in it")
            }
            None if flag != *name && self.known.contains(&&*flag) => {
                format!("a recipe has no such field, but {flag}")
            }
            None => format!("a recipe has no such field; it has {known}"),
        };
        Err(RecipeError::new(name, message))
    }
}

/// A number, a string or a list of both, in the syntax of [`values`].
pub(super) fn list(field: &str, value: &Value) -> Result<String, RecipeError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(n) => Ok(n.to_string()),
        Value::Float(x) => Ok(x.to_string()),
        Value::Array(items) if !items.is_empty() => {
            let items = items.iter().map(|item| match item {
                Value::Array(_) => Err(wrong(field, item, "numbers or texts in the list")),
                item => list(field, item),
            });
            Ok(items.collect::<Result<Vec<_>, _>>()?.join(","))
        }
        other => Err(wrong(
            field,
            other,
            "a number, a text such as \"0.2..2 step 0.2\", or a list of them",
        )),
    }
}

fn wrong(field: &str, found: &Value, expected: &str) -> RecipeError {
    let mut found = found.to_string().replace('\n', " ");
    if let Some((at, _)) = found.char_indices().nth(60) {
        found.truncate(at);
        found.push('…');
    }
    RecipeError::new(field, format!("it is {found}, but expected is {expected}"))
}
