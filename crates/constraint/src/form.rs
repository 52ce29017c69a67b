//! Converts a requested form (JSON schema, regular expression, Lark grammar, choices) to a grammar
//! of `llguidance`, or refuses it.

use llguidance::api::TopLevelGrammar;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{costs, error::FormError, schema};

/// Maximum length of a regular expression in bytes.
const MAX_REGEX_BYTES: usize = 16 << 10;
/// Maximum length of a grammar or a schema in bytes.
const MAX_GRAMMAR_BYTES: usize = 64 << 10;
const MAX_GRAMMAR_LINES: usize = 1000;
/// Maximum number of choices, and of their bytes together.
const MAX_CHOICES: usize = 1024;
const MAX_CHOICE_BYTES: usize = 64 << 10;
/// Whitespace between the parts of JSON, bounded: a model that may write any amount may never end
/// it.
const SPACE: &str = r" |\n[ \t]{0,20}";

/// What a text has to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Any JSON object.
    JsonObject,
    /// JSON that a schema describes.
    JsonSchema(Value),
    /// What a regular expression (of Rust's `regex`) matches from beginning to end.
    Regex(String),
    /// What a grammar in Lark's notation derives.
    #[serde(rename = "grammar")]
    Lark(String),
    /// One of these texts.
    Choice(Vec<String>),
}

impl Form {
    /// A JSON schema from its text.
    pub fn schema(text: &str) -> Result<Form, FormError> {
        check(text.len(), "bytes", MAX_GRAMMAR_BYTES)?;
        serde_json::from_str(text)
            .map(Form::JsonSchema)
            .map_err(|error| FormError::NotJson(error.to_string()))
    }

    /// Whether a text of this form is JSON.
    pub(super) fn is_json(&self) -> bool {
        let separators = ["item_separator", "key_separator"];
        match self {
            Form::JsonObject => true,
            Form::JsonSchema(schema) => {
                let options = schema.get("x-guidance");
                !options.is_some_and(|options| {
                    separators.iter().any(|name| options.get(*name).is_some())
                })
            }
            _ => false,
        }
    }

    /// The grammar for the parser, within limits of size.
    pub fn grammar(&self) -> Result<TopLevelGrammar, FormError> {
        match self {
            Form::JsonObject => Ok(of_schema(json!({ "type": "object" }))),
            Form::JsonSchema(schema) => {
                check(schema.to_string().len(), "bytes", MAX_GRAMMAR_BYTES)?;
                costs::of_schema(schema)?;
                Ok(of_schema(schema::plain(schema)?))
            }
            Form::Regex(regex) => {
                check(regex.len(), "bytes", MAX_REGEX_BYTES)?;
                Ok(TopLevelGrammar::from_regex(regex))
            }
            Form::Lark(grammar) => {
                check(grammar.len(), "bytes", MAX_GRAMMAR_BYTES)?;
                check(grammar.lines().count(), "lines", MAX_GRAMMAR_LINES)?;
                Ok(TopLevelGrammar::from_lark(costs::of_grammar(grammar)?))
            }
            Form::Choice(texts) => {
                check(texts.len(), "texts", MAX_CHOICES)?;
                check(texts.iter().map(String::len).sum(), "bytes", MAX_CHOICE_BYTES)?;
                if texts.is_empty() || texts.iter().any(String::is_empty) {
                    let words =
                        "there has to be at least one text to choose, and none can be empty";
                    return Err(FormError::Refused(words.to_string()));
                }
                let texts: Vec<String> = texts.iter().map(|text| literal(text)).collect();
                Ok(TopLevelGrammar::from_regex(&texts.join("|")))
            }
        }
    }
}

fn check(found: usize, unit: &'static str, most: usize) -> Result<(), FormError> {
    if found <= most { Ok(()) } else { Err(FormError::TooLarge { found, unit, most }) }
}

/// The schema with bounded whitespace, unless the schema itself sets it.
fn of_schema(mut schema: Value) -> TopLevelGrammar {
    if let Value::Object(map) = &mut schema {
        map.entry("x-guidance").or_insert_with(|| json!({ "whitespace_pattern": SPACE }));
    }
    TopLevelGrammar::from_json_schema(schema)
}

/// The regular expression that matches a text alone.
fn literal(text: &str) -> String {
    let mut regex = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '<' | '>' | '_' | '/') {
            regex.push('\\');
        }
        regex.push(c);
    }
    regex
}
