//! Rewrites `oneOf` as `anyOf` where its schemas exclude each other, and refuses it elsewhere.
//!
//! Two schemas exclude each other by type, by listed values, or by a property that one of them
//! requires. Libraries distinguish the variants of a type this way.

use serde_json::{Map, Value, json};

use super::{place::Place, references::name_of};
use crate::error::FormError;

/// Maximum number of pairs of schemas that are compared.
const MAX_COMPARISONS: usize = 50_000;
const MAX_DEPTH: usize = 12;
/// Maximum number of combined schemas that are examined, and of pairs of values.
const MAX_PARTS: usize = 32;
const MAX_VALUES: usize = 10_000;

/// Replaces each `oneOf` (`of` its schemas, `at` its pointer).
pub(super) fn settle(
    whole: &mut Value,
    definitions: &mut Map<String, Value>,
) -> Result<(), FormError> {
    let known = definitions.clone();
    let mut comparing = Comparing { definitions: &known, n_left: MAX_COMPARISONS };
    settle_in(whole, &mut comparing)?;
    definitions.values_mut().try_for_each(|schema| settle_in(schema, &mut comparing))
}

fn settle_in(schema: &mut Value, comparing: &mut Comparing<'_>) -> Result<(), FormError> {
    let Value::Object(map) = schema else { return Ok(()) };
    if let Some(one) = map.get("oneOf") {
        let list = one["of"].as_array().expect("it was written so");
        for (i, a) in list.iter().enumerate() {
            for (j, b) in list.iter().enumerate().skip(i + 1) {
                if !comparing.exclude(a, b, 0) {
                    let place = Place::at(one["at"].as_str().unwrap_or_default());
                    let words = format!(
                        "isn't supported, since its schemas {i} and {j} may hold together; where \
                         that can't matter, \"anyOf\" says the same"
                    );
                    return Err(place.refuse("oneOf", &words));
                }
            }
        }
        let any = json!({ "anyOf": list });
        map.remove("oneOf");
        if !map.contains_key("anyOf") {
            map.insert("anyOf".to_string(), any["anyOf"].clone());
        } else if let Some(Value::Array(all)) = map.get_mut("allOf") {
            all.push(any);
        } else {
            map.insert("allOf".to_string(), json!([any]));
        }
    }
    for (name, value) in map {
        match (name.as_str(), value) {
            ("properties" | "patternProperties", Value::Object(schemas)) => {
                schemas.values_mut().try_for_each(|schema| settle_in(schema, comparing))?;
            }
            ("prefixItems" | "allOf" | "anyOf", Value::Array(schemas)) => {
                schemas.iter_mut().try_for_each(|schema| settle_in(schema, comparing))?;
            }
            ("items" | "additionalProperties", schema) => settle_in(schema, comparing)?,
            _ => {}
        }
    }
    Ok(())
}

struct Comparing<'a> {
    definitions: &'a Map<String, Value>,
    n_left: usize,
}

impl<'a> Comparing<'a> {
    /// Whether no value can fit both, as far as can be seen.
    fn exclude(&mut self, a: &Value, b: &Value, depth: usize) -> bool {
        if depth > MAX_DEPTH || self.n_left == 0 {
            return false;
        }
        self.n_left -= 1;
        if a == false || b == false {
            return true;
        }
        let (all_a, all_b) = (self.parts(a), self.parts(b));
        all_a.iter().any(|a| all_b.iter().any(|b| self.parts_exclude(a, b, depth)))
    }

    /// All schemas that a value has to fit: the schema itself and those it refers to.
    fn parts<'s>(&self, schema: &'s Value) -> Vec<&'s Value>
    where
        'a: 's,
    {
        let mut found: Vec<&'s Value> = Vec::new();
        let mut left = vec![schema];
        while let Some(schema) = left.pop() {
            if found.len() >= MAX_PARTS
                || found.iter().any(|earlier| std::ptr::eq(*earlier, schema))
            {
                continue;
            }
            found.push(schema);
            left.extend(name_of(schema).and_then(|name| self.definitions.get(name)));
            left.extend(list(schema.get("allOf")));
        }
        found
    }

    fn parts_exclude(&mut self, a: &Value, b: &Value, depth: usize) -> bool {
        if self.n_left == 0 {
            return false;
        }
        self.n_left -= 1;
        for (options, other) in [(options(a), b), (options(b), a)] {
            for options in options {
                if options.iter().all(|option| self.exclude(option, other, depth + 1)) {
                    return true;
                }
            }
        }
        if let (Some(of_a), Some(of_b)) = (values(a), values(b))
            && of_a.len() * of_b.len() <= MAX_VALUES
            && !of_a.iter().any(|a| of_b.iter().any(|b| equal(a, b)))
        {
            return true;
        }
        let kinds_b = kinds(b);
        let both: Vec<&str> = kinds(a).into_iter().filter(|kind| kinds_b.contains(kind)).collect();
        both.is_empty() || (both == ["object"] && self.properties_exclude(a, b, depth))
    }

    /// A property that has to be there has no value that fits both.
    fn properties_exclude(&mut self, a: &Value, b: &Value, depth: usize) -> bool {
        let names = list(a.get("required")).iter().chain(list(b.get("required")));
        names.filter_map(Value::as_str).any(|name| match (property(a, name), property(b, name)) {
            (Some(a), Some(b)) => self.exclude(a, b, depth + 1),
            _ => false,
        })
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The lists of schemas of which one has to hold.
fn options(schema: &Value) -> impl Iterator<Item = &[Value]> {
    let lists = [schema.get("anyOf"), schema.pointer("/oneOf/of")];
    lists.into_iter().map(list).filter(|list| !list.is_empty())
}

/// The allowed values, if they are listed.
fn values(schema: &Value) -> Option<&[Value]> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(value), _) => Some(std::slice::from_ref(value)),
        (None, Some(Value::Array(values))) => Some(values),
        _ => None,
    }
}

/// 1 and 1.0 are the same number.
fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        // Numbers inside of them could be equal in other words.
        _ => a == b || (a.is_array() && b.is_array()) || (a.is_object() && b.is_object()),
    }
}

/// The types of value that fit.
fn kinds(schema: &Value) -> Vec<&'static str> {
    const ALL: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];
    let of_value = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_named =
        |name: &Value, kind: &str| name == kind || (kind == "number" && name == "integer");
    let is_typed = |kind: &str| match schema.get("type") {
        None => true,
        Some(Value::Array(types)) => types.iter().any(|name| is_named(name, kind)),
        Some(name) => is_named(name, kind),
    };
    let values = values(schema);
    let is_valued =
        |kind: &str| values.is_none_or(|values| values.iter().any(|value| of_value(value) == kind));
    ALL.into_iter().filter(|kind| is_typed(kind) && is_valued(kind)).collect()
}

/// The schemas of a property.
fn property<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    let listed = schema.get("properties").and_then(|properties| properties.get(name));
    let other =
        || schema.get("additionalProperties").filter(|_| schema.get("patternProperties").is_none());
    listed.or_else(other)
}
