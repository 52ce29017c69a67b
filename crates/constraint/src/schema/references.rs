//! Resolves `$ref` within a schema to names of definitions.
//!
//! The library looks up pointers without decoding their escapes, and supports neither anchors nor
//! the schema's own `$id`.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value};

use super::place::{MAX_DEPTH, Place};
use crate::error::FormError;

pub(super) struct References<'a> {
    top: &'a Value,
    /// The schema's own address, without the part after `#`.
    id: &'a str,
    names: HashMap<String, String>,
    queue: VecDeque<(String, String)>,
}

impl<'a> References<'a> {
    pub(super) fn new(top: &'a Value) -> References<'a> {
        let id = top.get("$id").and_then(Value::as_str).unwrap_or_default();
        References {
            top,
            id: id.trim_end_matches('#'),
            names: HashMap::new(),
            queue: VecDeque::new(),
        }
    }

    /// The name of the definition that `$ref` means, which is queued to be read if it's new.
    pub(super) fn name(&mut self, reference: &Value, place: &Place) -> Result<String, FormError> {
        let pointer = self.pointer(reference, place)?;
        let n = self.names.len();
        let queue = &mut self.queue;
        let name = self.names.entry(pointer).or_insert_with_key(|pointer| {
            let name = format!("d{n}");
            queue.push_back((name.clone(), pointer.clone()));
            name
        });
        Ok(name.clone())
    }

    /// A definition that hasn't been read: its name and its pointer.
    pub(super) fn next(&mut self) -> Option<(String, String)> {
        self.queue.pop_front()
    }

    /// The pointer to what `$ref` means.
    pub(super) fn pointer(&self, reference: &Value, place: &Place) -> Result<String, FormError> {
        let refuse = |why: &str| {
            let found = kelvin_views::shorten::shortened(&reference.to_string());
            place.refuse("$ref", &format!("is {found}, {why}"))
        };
        let text = reference.as_str().ok_or_else(|| refuse("which is no text"))?;
        let text =
            if self.id.is_empty() { text } else { text.strip_prefix(self.id).unwrap_or(text) };
        if place.is_rebased {
            return Err(refuse(
                "which stands in a schema with an \"$id\" of its own: that isn't supported",
            ));
        }
        let inner = match text {
            "" => "",
            _ => text.strip_prefix('#').ok_or_else(|| {
                refuse("but only references into the schema itself (#/…) are supported")
            })?,
        };
        let inner = unescape(inner).ok_or_else(|| refuse("whose escapes (%…) can't be read"))?;
        let pointer = if inner.is_empty() || inner.starts_with('/') {
            // Some libraries write the top as #/.
            if inner == "/" { String::new() } else { inner }
        } else {
            anchored(self.top, &inner, String::new(), 0)
                .ok_or_else(|| refuse("an anchor that there isn't"))?
        };
        if self.top.pointer(&pointer).is_none() {
            return Err(refuse("which isn't there"));
        }
        Ok(pointer)
    }

    /// What a chain of plain references ends at.
    pub(super) fn resolve<'b>(
        &'b self,
        mut schema: &'b Value,
        place: &Place,
    ) -> Result<&'b Value, FormError> {
        for _ in 0..16 {
            let Some(reference) = schema.get("$ref") else { return Ok(schema) };
            let pointer = self.pointer(reference, place)?;
            schema = self.top.pointer(&pointer).expect("the pointer was just looked up");
        }
        Err(place.refuse("$ref", "refers to one that refers to another, too often"))
    }
}

/// Undoes %XX.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.bytes();
    while let Some(byte) = left.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || left.next().and_then(|byte| char::from(byte).to_digit(16));
        bytes.push((digit()? * 16 + digit()?) as u8);
    }
    String::from_utf8(bytes).ok()
}

/// Where the schema with that `$anchor` is.
fn anchored(schema: &Value, anchor: &str, pointer: String, depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return None;
    }
    match schema {
        Value::Object(map) => {
            let is_it =
                |name: &str, text: &str| map.get(name).and_then(Value::as_str) == Some(text);
            if is_it("$anchor", anchor)
                || is_it("$dynamicAnchor", anchor)
                || is_it("$id", &format!("#{anchor}"))
            {
                return Some(pointer);
            }
            let inside =
                |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            map.iter().find_map(|(name, value)| anchored(value, anchor, inside(name), depth + 1))
        }
        Value::Array(list) => {
            let inside = |i: usize| format!("{pointer}/{i}");
            list.iter()
                .enumerate()
                .find_map(|(i, value)| anchored(value, anchor, inside(i), depth + 1))
        }
        _ => None,
    }
}

/// Refuses definitions that are themselves, with nothing in between.
pub(super) fn check(definitions: &Map<String, Value>) -> Result<(), FormError> {
    let mut done = HashSet::new();
    for start in definitions.keys() {
        // Depth first: what is on the way from `start`, and what of it is left to be looked at.
        let mut way: Vec<(&str, Vec<&str>)> = vec![(start, in_place(&definitions[start]))];
        while let Some((name, left)) = way.last_mut() {
            let name = *name;
            let Some(next) = left.pop() else {
                done.insert(name);
                way.pop();
                continue;
            };
            if way.iter().any(|(name, _)| *name == next) {
                let words = "it has a \"$ref\" that leads back to itself with nothing in between";
                return Err(FormError::Refused(words.to_string()));
            }
            if !done.contains(next)
                && let Some(definition) = definitions.get_key_value(next)
            {
                way.push((definition.0, in_place(definition.1)));
            }
        }
    }
    Ok(())
}

/// The definitions that a schema refers to for its own value.
fn in_place(schema: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let mut left = vec![schema];
    while let Some(schema) = left.pop() {
        found.extend(name_of(schema));
        for name in ["allOf", "anyOf"] {
            left.extend(schema.get(name).and_then(Value::as_array).into_iter().flatten());
        }
        left.extend(schema.pointer("/oneOf/of").and_then(Value::as_array).into_iter().flatten());
    }
    found
}

/// The name of the definition that a schema refers to.
pub(super) fn name_of(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix("#/$defs/"))
}
