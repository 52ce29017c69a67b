//! Rewrites a schema's object keywords so that no key can be written twice.
//!
//! Names are either listed or free. Free names are kept distinct during generation (`keys`). That
//! never leads to a dead end if every prefix of a name can be extended to unboundedly many names.
//! Patterns that match a few names are listed instead, and others are refused.

use serde_json::{Map, Value, json};

use super::{
    Reader, count, is_any,
    names::{Names, TooMuch, Work},
    patterns,
    place::Place,
};
use crate::error::FormError;

pub(super) fn read(
    reader: &mut Reader<'_>,
    map: &Map<String, Value>,
    place: &Place,
    out: &mut Map<String, Value>,
) -> Result<(), FormError> {
    check_dependent(map, place)?;
    let mut object = Object {
        listed: schemas(reader, map, "properties", place)?,
        patterns: Map::new(),
        others: others(reader, map, place)?,
        required: required(map, place)?,
    };
    for (pattern, schema) in schemas(reader, map, "patternProperties", place)? {
        let pattern = patterns::plain(&pattern, "patternProperties", place)?;
        object.add_pattern(pattern, schema);
    }
    if let Some(schema) = map.get("propertyNames") {
        let allowed = allowed_names(reader, schema, place)?;
        object.narrow(allowed, reader, place)?;
    }
    object.list_patterns(reader, place)?;
    let least = count(map, "minProperties", place)?;
    let most = count(map, "maxProperties", place)?;
    object.count(reader, [least, most], place, out)?;
    object.write(out);
    Ok(())
}

struct Object {
    listed: Map<String, Value>,
    patterns: Map<String, Value>,
    /// The schema of all other names; none if anything is allowed.
    others: Option<Value>,
    required: Vec<String>,
}

/// The meaning of `propertyNames`.
enum Allowed {
    All,
    Listed(Vec<String>),
    Pattern(String),
}

impl Object {
    /// An equal pattern may exist in another notation.
    fn add_pattern(&mut self, pattern: String, schema: Value) {
        let both = match self.patterns.remove(&pattern) {
            Some(earlier) => json!({ "allOf": [earlier, schema] }),
            None => schema,
        };
        self.patterns.insert(pattern, both);
    }

    /// Keeps to the names that are allowed.
    fn narrow(
        &mut self,
        allowed: Allowed,
        reader: &mut Reader<'_>,
        place: &Place,
    ) -> Result<(), FormError> {
        let refuse = |other| {
            Err(place.refuse("propertyNames", &format!("isn't supported beside \"{other}\"")))
        };
        match allowed {
            Allowed::All => {}
            _ if !self.patterns.is_empty() => return refuse("patternProperties"),
            Allowed::Listed(names) => {
                let others = self.others.take().unwrap_or(Value::Bool(true));
                reader.copies(&others, names.len())?;
                let schema = |name: &String| self.listed.get(name).unwrap_or(&others).clone();
                self.listed = names.iter().map(|name| (name.clone(), schema(name))).collect();
                self.others = Some(Value::Bool(false));
            }
            Allowed::Pattern(pattern) => {
                let others = self.others.replace(Value::Bool(false)).unwrap_or(Value::Bool(true));
                // The parser holds what is listed to the pattern's schema as well.
                if !self.listed.is_empty() && others != true {
                    return refuse("properties");
                }
                let too_much = |TooMuch| place.refuse("propertyNames", TooMuch::WHY);
                let mut compiled = reader.patterns.compile(&pattern).map_err(too_much)?;
                let mut listed = Map::new();
                for (name, schema) in std::mem::take(&mut self.listed) {
                    if reader.patterns.fits(&mut compiled, &name).map_err(too_much)? {
                        listed.insert(name, schema);
                    }
                }
                self.listed = listed;
                self.patterns.insert(pattern, others);
            }
        }
        Ok(())
    }

    /// Lists the names of patterns that have only a few, and refuses those whose names could run
    /// out.
    fn list_patterns(&mut self, reader: &mut Reader<'_>, place: &Place) -> Result<(), FormError> {
        let mut left = Map::new();
        for (pattern, schema) in std::mem::take(&mut self.patterns) {
            if schema == false {
                left.insert(pattern, schema);
                continue;
            }
            let too_much =
                |TooMuch| place.refuse("patternProperties or propertyNames", TooMuch::WHY);
            match reader.patterns.of_pattern(&pattern).map_err(too_much)? {
                Names::Endless => {
                    left.insert(pattern, schema);
                }
                Names::Few(few) => {
                    reader.copies(&schema, few.len())?;
                    for name in few {
                        let both = match self.listed.get(&name) {
                            Some(own) if *own != schema => json!({ "allOf": [own, schema] }),
                            _ => schema.clone(),
                        };
                        self.listed.insert(name, both);
                    }
                }
                Names::Other => {
                    let pattern = kelvin_views::shorten::shortened(&pattern);
                    let words = format!(
                        "has /{pattern}/: too many names to list them, and not endless from every \
                         beginning on, so that one could come twice"
                    );
                    return Err(place.refuse("patternProperties or propertyNames", &words));
                }
            }
        }
        self.patterns = left;
        let refused = |words| Err(place.refuse("additionalProperties", words));
        if self.others_are_free() {
            let too_much = |TooMuch| place.refuse("patternProperties", TooMuch::WHY);
            if !self.patterns.is_empty()
                && !reader.patterns.are_endless_beside(self.patterns.keys()).map_err(too_much)?
            {
                return refused(
                    "can't be held beside these \"patternProperties\": the names that are left \
                     could come twice",
                );
            }
            let is_control = |c: char| c.is_ascii_control();
            if self.listed.keys().any(|name| name.contains(is_control)) {
                return refused(
                    "can't be held beside names with control characters; set it to false",
                );
            }
        }
        Ok(())
    }

    fn others_are_free(&self) -> bool {
        self.others != Some(Value::Bool(false))
    }

    /// How many names there may be, as far as that says anything.
    fn count(
        &mut self,
        reader: &mut Reader<'_>,
        [least, most]: [Option<u64>; 2],
        place: &Place,
        out: &mut Map<String, Value>,
    ) -> Result<(), FormError> {
        let is_free =
            self.others_are_free() || self.patterns.values().any(|schema| *schema != false);
        let is_required = |name: &String, required: &[String]| required.contains(name);
        let n_required = self.required.len() as u64;
        let may_come: Vec<String> = self
            .listed
            .iter()
            .filter(|(_, schema)| **schema != false)
            .map(|(name, _)| name.clone())
            .collect();
        let n_listed = may_come.len() as u64
            + self.required.iter().filter(|name| !may_come.contains(name)).count() as u64;
        let mut least = least.filter(|least| *least > n_required);
        let mut most = most.filter(|most| is_free || *most < n_listed);
        if most.is_some_and(|most| most < n_required.max(least.unwrap_or(0))) {
            return Err(place.refuse("maxProperties", "is less than the object has to have"));
        }
        if !is_free && let Some(at_least) = least {
            if at_least > n_listed {
                return Err(place.refuse(
                    "minProperties",
                    &format!("is {at_least}, but only {n_listed} names can come"),
                ));
            }
            if at_least == n_listed {
                let more =
                    may_come.iter().filter(|name| !is_required(name, &self.required)).cloned();
                let more: Vec<String> = more.collect();
                self.required.extend(more);
                least = None;
            }
        }
        if most == Some(self.required.len() as u64) {
            let too_much = |TooMuch| place.refuse("patternProperties", TooMuch::WHY);
            self.only_required(reader.patterns).map_err(too_much)?;
            (least, most) = (None, None);
        }
        let n_optional = self
            .listed
            .iter()
            .filter(|(name, schema)| **schema != false && !is_required(name, &self.required))
            .count();
        if n_optional > 0 && (least.is_some() || most.is_some()) {
            // One more than has to be there is what the parser can count.
            let is_one = |n: Option<u64>| n.is_none_or(|n| n == n_required + 1);
            if is_free || !is_one(least) || !is_one(most) {
                let name = if least.is_some() { "minProperties" } else { "maxProperties" };
                return Err(place.refuse(
                    name,
                    "isn't supported where listed properties are optional; list them \
                     in \"required\"",
                ));
            }
        }
        out.extend(least.map(|least| ("minProperties".to_string(), least.into())));
        out.extend(most.map(|most| ("maxProperties".to_string(), most.into())));
        Ok(())
    }

    /// Lists what is required, with what patterns say of it, and allows nothing else.
    fn only_required(&mut self, work: &mut Work) -> Result<(), TooMuch> {
        let compiled = self.patterns.iter().map(|(text, schema)| Ok((work.compile(text)?, schema)));
        let mut patterns = compiled.collect::<Result<Vec<_>, TooMuch>>()?;
        let mut listed = Map::new();
        for name in &self.required {
            let mut all: Vec<Value> = Vec::new();
            for (pattern, schema) in &mut patterns {
                if work.fits(pattern, name)? {
                    all.push(schema.clone());
                }
            }
            match self.listed.get(name) {
                Some(own) => all.insert(0, own.clone()),
                None if all.is_empty() => all.extend(self.others.clone()),
                None => {}
            }
            let schema = match all.len() {
                0 => Value::Bool(true),
                1 => all.remove(0),
                _ => json!({ "allOf": all }),
            };
            listed.insert(name.clone(), schema);
        }
        (self.listed, self.patterns, self.others) = (listed, Map::new(), Some(Value::Bool(false)));
        Ok(())
    }

    fn write(self, out: &mut Map<String, Value>) {
        if !self.listed.is_empty() {
            out.insert("properties".to_string(), self.listed.into());
        }
        if !self.patterns.is_empty() {
            out.insert("patternProperties".to_string(), self.patterns.into());
        }
        if let Some(others) = self.others.filter(|others| *others != true) {
            out.insert("additionalProperties".to_string(), others);
        }
        if !self.required.is_empty() {
            out.insert("required".to_string(), self.required.into());
        }
    }
}

/// A map of schemas.
fn schemas(
    reader: &mut Reader<'_>,
    map: &Map<String, Value>,
    name: &str,
    place: &Place,
) -> Result<Map<String, Value>, FormError> {
    match map.get(name) {
        None => Ok(Map::new()),
        Some(Value::Object(schemas)) => {
            let place = place.inside(name);
            let read = |(name, schema): (&String, &Value)| {
                Ok((name.clone(), reader.read(schema, &place.inside(name))?))
            };
            schemas.iter().map(read).collect()
        }
        Some(_) => Err(place.refuse(name, "has to be an object of schemas")),
    }
}

/// The schema of names that no other keyword describes.
fn others(
    reader: &mut Reader<'_>,
    map: &Map<String, Value>,
    place: &Place,
) -> Result<Option<Value>, FormError> {
    if let Some(schema) = map.get("additionalProperties") {
        return reader.read(schema, &place.inside("additionalProperties")).map(Some);
    }
    match map.get("unevaluatedProperties") {
        Some(schema) if !is_any(schema) => {
            reader.nothing_in_place(map, "unevaluatedProperties", place)?;
            reader.read(schema, &place.inside("unevaluatedProperties")).map(Some)
        }
        _ => Ok(None),
    }
}

fn required(map: &Map<String, Value>, place: &Place) -> Result<Vec<String>, FormError> {
    let mut names: Vec<String> = Vec::new();
    let Some(value) = map.get("required") else { return Ok(names) };
    let list =
        value.as_array().map(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    for name in
        list.flatten().ok_or_else(|| place.refuse("required", "has to be a list of names"))?
    {
        if !names.iter().any(|earlier| earlier == name) {
            names.push(name.to_string());
        }
    }
    Ok(names)
}

/// What depends on other properties isn't held, unless it says nothing.
fn check_dependent(map: &Map<String, Value>, place: &Place) -> Result<(), FormError> {
    for keyword in ["dependentRequired", "dependentSchemas", "dependencies"] {
        let Some(value) = map.get(keyword) else { continue };
        let says_nothing =
            |value: &Value| is_any(value) || value.as_array().is_some_and(Vec::is_empty);
        if !value.as_object().is_some_and(|map| map.values().all(says_nothing)) {
            return Err(place.refuse(keyword, "isn't supported; \"anyOf\" can say the same"));
        }
    }
    Ok(())
}

/// What names `propertyNames` allows.
fn allowed_names(
    reader: &mut Reader<'_>,
    schema: &Value,
    place: &Place,
) -> Result<Allowed, FormError> {
    let place = place.inside("propertyNames");
    let schema = reader.references.resolve(schema, &place)?.clone();
    let map = match reader.read(&schema, &place)? {
        Value::Bool(true) => return Ok(Allowed::All),
        Value::Object(map) => map,
        _ => return Ok(Allowed::Listed(Vec::new())),
    };
    // As a string alone, which names are.
    let about_strings = [
        "type",
        "const",
        "enum",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "allOf",
        "anyOf",
        "oneOf",
        "$ref",
    ];
    let mut said: Vec<&str> =
        about_strings.into_iter().filter(|name| map.contains_key(*name)).collect();
    if said.first() == Some(&"type") {
        let types = &map["type"];
        if types != "string"
            && !types.as_array().is_some_and(|types| types.iter().any(|name| name == "string"))
        {
            return Ok(Allowed::Listed(Vec::new()));
        }
        said.remove(0);
    }
    let length = |name: &str| map.get(name).and_then(Value::as_u64);
    match said.as_slice() {
        [] => Ok(Allowed::All),
        ["const"] => {
            Ok(Allowed::Listed(map["const"].as_str().map(str::to_string).into_iter().collect()))
        }
        ["enum"] => {
            let names = map["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
            Ok(Allowed::Listed(names.map(str::to_string).collect()))
        }
        ["pattern"] => {
            Ok(Allowed::Pattern(map["pattern"].as_str().unwrap_or_default().to_string()))
        }
        ["minLength"] | ["maxLength"] | ["minLength", "maxLength"] => {
            let most = length("maxLength").map_or(String::new(), |most| most.to_string());
            Ok(Allowed::Pattern(format!("^(?s:.{{{},{most}}})$", length("minLength").unwrap_or(0))))
        }
        _ => {
            let words =
                format!("isn't supported beside what else is said of names ({})", said.join(", "));
            Err(place.refuse(said[0], &words))
        }
    }
}
