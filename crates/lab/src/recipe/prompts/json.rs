//! Reads prompts from JSON: consecutive records, on one line each or pretty-printed, or one array
//! of records.

use std::{collections::HashSet, fmt};

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::{Deserializer, Value, value::RawValue};

use super::record;
use crate::run::Prompt;

/// The file is one array.
pub(super) const ARRAY: &str = "a JSON array";
/// The file has one object per line.
const OBJECTS: &str = "JSON objects";

/// The prompts of all records. `at` builds an error from a line and a problem.
pub(super) fn read(
    text: &str,
    column: Option<&str>,
    at: &dyn Fn(&str, &str) -> String,
) -> Result<Vec<Prompt>, String> {
    let invalid =
        |error: serde_json::Error| at(&place(error.line(), error.column()), &not_json(&error));
    let records: Vec<&RawValue> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(invalid)?
    } else {
        Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().map_err(invalid)?
    };
    records
        .into_iter()
        .map(|raw| {
            of_record(raw.get(), column).map_err(|problem| at(&place_of(text, raw), &problem))
        })
        .collect()
}

fn of_record(raw: &str, column: Option<&str>) -> Result<Prompt, String> {
    match serde_json::from_str(raw).map_err(|error| not_json(&error))? {
        Value::String(text) if column.is_none() => Ok(Prompt::from(text.as_str())),
        Value::Object(fields) => match twice(raw) {
            Some(name) => Err(format!("the field \"{}\" is there twice", record::shortened(&name))),
            None => record::prompt(fields, column),
        },
        other => {
            let or_text = if column.is_none() { ", or a text" } else { "" };
            let name = column.unwrap_or(record::PROMPT);
            let found = record::shortened(&other.to_string());
            Err(format!("expected an object with a \"{name}\"{or_text}, not {found}"))
        }
    }
}

/// A field that an object has twice. serde_json takes the last of them.
fn twice(object: &str) -> Option<String> {
    struct Twice;

    impl<'de> Visitor<'de> for Twice {
        type Value = Option<String>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<String>, A::Error> {
            let (mut seen, mut twice) = (HashSet::new(), None);
            while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                if let Some(name) = seen.replace(name) {
                    twice.get_or_insert(name);
                }
            }
            Ok(twice)
        }
    }

    Deserializer::from_str(object).deserialize_map(Twice).ok().flatten()
}

fn not_json(error: &serde_json::Error) -> String {
    let said = error.to_string();
    // The message contains the position already.
    let problem = said.rfind(" at line ").map_or(said.as_str(), |end| &said[..end]);
    format!("not JSON ({problem})")
}

fn place(line: usize, column: usize) -> String {
    format!("line {line}, column {column}")
}

/// The byte offset of `part` within `text`.
fn place_of(text: &str, part: &RawValue) -> String {
    let at = part.get().as_ptr().addr() - text.as_ptr().addr();
    let before = &text[..at];
    let line_begin = before.rfind('\n').map_or(0, |newline| newline + 1);
    place(1 + before.matches('\n').count(), 1 + before[line_begin..].chars().count())
}

/// The JSON form of a file read as lines, if the whole file is JSON records. A single line of JSON
/// among other lines is a prompt.
pub(super) fn disguised(text: &str) -> Option<&'static str> {
    let is_array = text.trim_start().starts_with('[');
    let is_list = |value: &Value| value.as_array().is_some_and(|all| all.iter().all(is_record));
    if is_array {
        return serde_json::from_str(text).is_ok_and(|value| is_list(&value)).then_some(ARRAY);
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
    lines.peek()?;
    lines
        .all(|line| serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object()))
        .then_some(OBJECTS)
}

fn is_record(value: &Value) -> bool {
    value.is_object() || value.is_string()
}
