//! Rewrites a JSON schema into an equivalent one that `llguidance` enforces exactly, or refuses it,
//! naming the keyword and its place.
//!
//! Keywords that constrain nothing are dropped: titles, unknown formats, a `propertyNames` that
//! every name satisfies. Supported keywords are passed on in the order that the library needs,
//! which reads keywords in runs between `allOf`, `anyOf`, `oneOf` and `$ref`. Keywords that it
//! ignores, rounds or misreads are rewritten if an equivalent exists, and refused otherwise.
//! `format` is an annotation as in JSON Schema 2020-12; the formats that the library knows are
//! enforced.

mod disjoint;
mod names;
mod numbers;
mod objects;
mod patterns;
mod place;
mod references;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::error::FormError;
pub(super) use names::Work;
use place::{MAX_DEPTH, Place};
use references::References;

/// A pattern of existing dates, beside the parser's.
macro_rules! leap_days {
    () => {
        "^(?:[0-9]{4}-(?:0[13-9]|1[0-2])-[0-9]{2}|[0-9]{4}-02-(?:[01][0-9]|2[0-8])|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
    };
}

/// Maximum number of schemas within one, referenced ones included.
const MAX_SCHEMAS: usize = 20_000;
/// Maximum number of bytes of schemas that are written several times.
const MAX_COPIED: usize = 256 << 10;
/// What the parser has a pattern for.
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"];
/// 29 February comes in leap years alone, and no minute has a second of number 60 that programs
/// take.
const CALENDAR: [(&str, &str); 3] = [
    ("date", concat!(leap_days!(), "$")),
    ("date-time", concat!(leap_days!(), "[tT][0-9]{2}:[0-9]{2}:[0-5]")),
    ("time", "^[0-9]{2}:[0-9]{2}:[0-5]"),
];
/// Keywords that change what a schema means in ways that nothing here follows.
const UNSUPPORTED: [&str; 5] =
    ["$dynamicRef", "$recursiveRef", "extends", "disallow", "divisibleBy"];

/// An equal schema of what the parser holds.
pub(super) fn plain(schema: &Value) -> Result<Value, FormError> {
    plain_among(schema, &mut Work::new())
}

/// As `plain`, of one of several schemas that share the work for their patterns.
pub(super) fn plain_among(schema: &Value, patterns: &mut Work) -> Result<Value, FormError> {
    let Value::Object(map) = schema else {
        return Err(FormError::Refused("a JSON schema is an object".to_string()));
    };
    let mut reader =
        Reader { references: References::new(schema), n_schemas: 0, n_copied: 0, patterns };
    let mut whole = reader.read(schema, &Place::top())?;
    let mut definitions = Map::new();
    while let Some((name, pointer)) = reader.references.next() {
        let target =
            schema.pointer(&pointer).expect("a reference is queued with a target that is there");
        definitions.insert(name, reader.read(target, &Place::at(&pointer))?);
    }
    references::check(&definitions)?;
    disjoint::settle(&mut whole, &mut definitions)?;
    if !definitions.is_empty() {
        // A reference on top has to have something beside it for its definitions.
        let mut top = Map::from_iter([("$defs".to_string(), Value::Object(definitions))]);
        match whole {
            Value::Object(map) => top.extend(map),
            whole => top.extend([("allOf".to_string(), json!([whole]))]),
        }
        whole = Value::Object(top);
    }
    if let Value::Bool(is_any) = whole {
        whole = if is_any { json!({}) } else { json!({ "enum": [] }) };
    }
    if let (Some(options), Value::Object(top)) = (map.get("x-guidance"), &mut whole) {
        top.insert("x-guidance".to_string(), options.clone());
    }
    Ok(whole)
}

/// Reads nested schemas.
struct Reader<'a> {
    references: References<'a>,
    n_schemas: usize,
    /// Bytes of schemas that were written several times.
    n_copied: usize,
    /// What the patterns of names may still cost.
    patterns: &'a mut Work,
}

/// What values a schema's keywords are about.
#[derive(Debug, Clone, Copy)]
struct Kinds {
    number: bool,
    string: bool,
    array: bool,
    object: bool,
}

impl Reader<'_> {
    /// A schema rewritten for the parser.
    fn read(&mut self, schema: &Value, place: &Place) -> Result<Value, FormError> {
        let map = match schema {
            Value::Bool(_) => return Ok(schema.clone()),
            Value::Object(map) => map,
            _ => return Err(place.refuse("schema", "has to be an object, true or false")),
        };
        self.n_schemas += 1;
        if place.depth > MAX_DEPTH {
            return Err(FormError::Refused(format!("it is nested deeper than {MAX_DEPTH}")));
        }
        if self.n_schemas > MAX_SCHEMAS {
            return Err(FormError::Refused(format!(
                "it has more than {MAX_SCHEMAS} schemas in it"
            )));
        }
        let mut place = place.clone();
        place.is_rebased |= !place.pointer.is_empty()
            && map.get("$id").is_some_and(|id| id.as_str().is_none_or(|id| !id.starts_with('#')));
        let place = &place;
        if let Some(keyword) = UNSUPPORTED.iter().find(|keyword| map.contains_key(**keyword)) {
            return Err(place.refuse(keyword, "isn't supported"));
        }
        let mut out = Map::new();
        let kinds = self.kinds(map, place, &mut out)?;
        // A schema that allows nothing is that, whatever else it says.
        if self.excludes(map, place)? {
            return Ok(Value::Bool(false));
        }
        if kinds.number {
            numbers::read(map, place, &mut out)?;
        }
        if kinds.string {
            strings(map, place, &mut out)?;
        }
        if kinds.array {
            self.array(map, place, &mut out)?;
        }
        if kinds.object {
            objects::read(self, map, place, &mut out)?;
        }
        self.applicators(map, place, &mut out)?;
        Ok(if out.is_empty() { Value::Bool(true) } else { Value::Object(out) })
    }

    /// Notes that a schema is going to be written so many times. One inside of another, that could
    /// grow without end.
    fn copies(&mut self, schema: &Value, times: usize) -> Result<(), FormError> {
        self.n_copied += schema.to_string().len() * times;
        if self.n_copied > MAX_COPIED {
            let words = "it is too large where its names are listed one by one; write their \
                schemas as references (\"$ref\")";
            return Err(FormError::Refused(words.to_string()));
        }
        Ok(())
    }

    /// The types, checked.
    fn kinds(
        &self,
        map: &Map<String, Value>,
        place: &Place,
        out: &mut Map<String, Value>,
    ) -> Result<Kinds, FormError> {
        const NAMES: [&str; 7] =
            ["null", "boolean", "integer", "number", "string", "array", "object"];
        let Some(types) = map.get("type") else {
            return Ok(Kinds { number: true, string: true, array: true, object: true });
        };
        let list = match types {
            Value::Array(list) if !list.is_empty() => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        let has = |name: &str| list.iter().any(|item| item == name);
        if let Some(other) =
            list.iter().find(|item| item.as_str().is_none_or(|item| !NAMES.contains(&item)))
        {
            let found = kelvin_views::shorten::shortened(&other.to_string());
            return Err(
                place.refuse("type", &format!("is {found}, which is no type of JSON Schema"))
            );
        }
        out.insert("type".to_string(), types.clone());
        let number = has("number") || has("integer");
        Ok(Kinds { number, string: has("string"), array: has("array"), object: has("object") })
    }

    /// Whether `not` excludes everything. What excludes something else can't be held.
    fn excludes(&mut self, map: &Map<String, Value>, place: &Place) -> Result<bool, FormError> {
        if let Some(schema) = map.get("not") {
            return match self.read(schema, &place.inside("not"))? {
                Value::Bool(excludes) => Ok(excludes),
                _ => Err(place.refuse("not", "isn't supported; say what is allowed instead")),
            };
        }
        if map.contains_key("if") && (map.contains_key("then") || map.contains_key("else")) {
            let branches = ["then", "else"].into_iter().filter_map(|name| map.get(name));
            if branches.into_iter().any(|branch| !is_any(branch)) {
                return Err(place.refuse("if", "isn't supported; \"anyOf\" can say the same"));
            }
        }
        Ok(false)
    }

    fn array(
        &mut self,
        map: &Map<String, Value>,
        place: &Place,
        out: &mut Map<String, Value>,
    ) -> Result<(), FormError> {
        let mut most = None;
        for name in ["minItems", "maxItems"] {
            if let Some(n) = count(map, name, place)? {
                out.insert(name.to_string(), n.into());
                most = (name == "maxItems").then_some(n);
            }
        }
        if map.get("uniqueItems").is_some_and(|value| value != false)
            && most.is_none_or(|most| most > 1)
        {
            return Err(
                place.refuse("uniqueItems", "isn't supported: the items can't be kept apart")
            );
        }
        for name in ["contains", "minContains", "maxContains"] {
            let (Some(_), true) = (map.get(name), map.contains_key("contains")) else { continue };
            if name != "contains"
                || map.get("minContains") != Some(&json!(0))
                || map.contains_key("maxContains")
            {
                return Err(place.refuse("contains", "isn't supported"));
            }
            break;
        }
        let (first, rest) = match (map.get("prefixItems"), map.get("items")) {
            // As it was before 2020-12.
            (None, first @ Some(Value::Array(_))) => (
                first.map(|first| ("items", first)),
                map.get("additionalItems").map(|rest| ("additionalItems", rest)),
            ),
            (first, rest) => {
                (first.map(|first| ("prefixItems", first)), rest.map(|rest| ("items", rest)))
            }
        };
        if let Some((name, first)) = first {
            let list = self.list(first, name, place)?;
            out.insert("prefixItems".to_string(), list.into());
        }
        let rest = match (rest, map.get("unevaluatedItems")) {
            (None, Some(schema)) if !is_any(schema) => {
                self.nothing_in_place(map, "unevaluatedItems", place)?;
                Some(("unevaluatedItems", schema))
            }
            (rest, _) => rest,
        };
        if let Some((name, rest)) = rest {
            out.insert("items".to_string(), self.read(rest, &place.inside(name))?);
        }
        Ok(())
    }

    /// `unevaluated…` is the same as its older cousin only if nothing else here may evaluate
    /// something.
    fn nothing_in_place(
        &self,
        map: &Map<String, Value>,
        keyword: &str,
        place: &Place,
    ) -> Result<(), FormError> {
        let others = ["allOf", "anyOf", "oneOf", "$ref", "if", "contains", "dependentSchemas"];
        match others.into_iter().find(|other| map.contains_key(*other)) {
            Some(other) => {
                Err(place.refuse(keyword, &format!("isn't supported beside \"{other}\"")))
            }
            None => Ok(()),
        }
    }

    /// A list of schemas.
    fn list(&mut self, value: &Value, name: &str, place: &Place) -> Result<Vec<Value>, FormError> {
        let Value::Array(list) = value else {
            return Err(place.refuse(name, "has to be a list of schemas"));
        };
        let place = place.inside(name);
        list.iter()
            .enumerate()
            .map(|(i, item)| self.read(item, &place.inside(&i.to_string())))
            .collect()
    }

    /// What says of the whole value what it has to be, after everything else.
    fn applicators(
        &mut self,
        map: &Map<String, Value>,
        place: &Place,
        out: &mut Map<String, Value>,
    ) -> Result<(), FormError> {
        if let Some(value) = map.get("const") {
            numbers::check_inside(value, &place.inside("const"))?;
            out.insert("const".to_string(), value.clone());
        }
        if let Some(value) = map.get("enum") {
            if !value.is_array() {
                return Err(place.refuse("enum", "has to be a list of values"));
            }
            numbers::check_inside(value, &place.inside("enum"))?;
            out.insert("enum".to_string(), value.clone());
        }
        for name in ["allOf", "anyOf", "oneOf"] {
            let Some(value) = map.get(name) else { continue };
            let list = self.list(value, name, place)?;
            match (list.len(), name) {
                (0, _) => return Err(place.refuse(name, "has to have at least one schema")),
                // Where exactly one of them holds is found out when all that is referred to is
                // known.
                (_, "oneOf") => {
                    out.insert(name.to_string(), json!({ "of": list, "at": place.pointer }))
                }
                _ => out.insert(name.to_string(), list.into()),
            };
        }
        if let Some(value) = map.get("$ref") {
            let name = self.references.name(value, place)?;
            out.insert("$ref".to_string(), format!("#/$defs/{name}").into());
        }
        Ok(())
    }
}

/// Whether a schema allows everything by its looks.
fn is_any(schema: &Value) -> bool {
    match schema {
        Value::Bool(is_any) => *is_any,
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// A whole number from 0 on. To JSON 3.0 is one too.
fn count(map: &Map<String, Value>, name: &str, place: &Place) -> Result<Option<u64>, FormError> {
    let Some(value) = map.get(name) else { return Ok(None) };
    let is_whole = |number: &f64| number.fract() == 0.0 && (0.0..1e15).contains(number);
    let number =
        value.as_u64().or_else(|| value.as_f64().filter(is_whole).map(|number| number as u64));
    number.map(Some).ok_or_else(|| place.refuse(name, "has to be a whole number, 0 or more"))
}

fn strings(
    map: &Map<String, Value>,
    place: &Place,
    out: &mut Map<String, Value>,
) -> Result<(), FormError> {
    for name in ["minLength", "maxLength"] {
        if let Some(n) = count(map, name, place)? {
            out.insert(name.to_string(), n.into());
        }
    }
    if let Some(value) = map.get("pattern") {
        let Value::String(pattern) = value else {
            return Err(place.refuse("pattern", "has to be a text"));
        };
        out.insert("pattern".to_string(), patterns::plain(pattern, "pattern", place)?.into());
    }
    if let Some(Value::String(format)) = map.get("format")
        && FORMATS.contains(&format.as_str())
    {
        out.insert("format".to_string(), format.as_str().into());
        // What the parser's own patterns leave open. Libraries that write another pattern beside it
        // have seen to that.
        if let (Some((_, pattern)), false) =
            (CALENDAR.iter().find(|(name, _)| name == format), out.contains_key("pattern"))
        {
            out.insert("pattern".to_string(), (*pattern).into());
        }
    }
    Ok(())
}
