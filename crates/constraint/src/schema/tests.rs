//! Schemas as libraries write them, and random schemas. Texts generated under them are validated by
//! another library.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{super::tests as drawing, *};
use crate::Form;

fn refused(schema: &Value) -> String {
    plain(schema).expect_err(&schema.to_string()).to_string()
}

#[test]
fn what_constrains_nothing_is_dropped() {
    for (given, held) in [
        (
            json!({ "type": "string", "format": "password", "writeOnly": true, "title": "x" }),
            json!({ "type": "string" }),
        ),
        (
            json!({ "type": "integer", "format": "int32", "minLength": 3, "uniqueItems": true }),
            json!({ "type": "integer" }),
        ),
        (
            json!({ "type": "object", "propertyNames": { "type": "string" }, "dependentRequired": {}, "minProperties": 0 }),
            json!({ "type": "object" }),
        ),
        (
            json!({ "type": "array", "uniqueItems": false, "contains": {}, "minContains": 0, "unevaluatedItems": true }),
            json!({ "type": "array" }),
        ),
        (
            json!({ "type": "array", "uniqueItems": true, "maxItems": 1 }),
            json!({ "type": "array", "maxItems": 1 }),
        ),
        (json!({ "type": "array", "minItems": 2.0 }), json!({ "type": "array", "minItems": 2 })),
        (
            json!({ "if": { "const": 1 }, "x-mine": 1, "not": false, "$defs": { "a": { "type": 5 } } }),
            json!({}),
        ),
        (
            json!({ "type": "null", "$schema": "https://example.org/of-our-own", "$id": "x", "discriminator": {} }),
            json!({ "type": "null" }),
        ),
    ] {
        assert_eq!(plain(&given), Ok(held), "{given}");
    }
}

#[test]
fn what_has_equal_words_is_held() {
    let one = json!({ "type": "integer", "minimum": 0, "maximum": 9 });
    for (given, held) in [
        (
            json!({ "type": "object", "patternProperties": { "^k[01]$": one }, "additionalProperties": false, "minProperties": 2, "maxProperties": 2 }),
            json!({ "type": "object", "properties": { "k0": one, "k1": one }, "additionalProperties": false, "required": ["k0", "k1"] }),
        ),
        (
            json!({ "type": "object", "propertyNames": { "$ref": "#/$defs/K" }, "additionalProperties": { "type": "null" }, "$defs": { "K": { "enum": ["a", "b"] } } }),
            json!({ "type": "object", "properties": { "a": { "type": "null" }, "b": { "type": "null" } }, "additionalProperties": false }),
        ),
        (
            json!({ "type": "object", "propertyNames": { "minLength": 2 }, "additionalProperties": { "type": "null" } }),
            json!({ "type": "object", "patternProperties": { "^(?s:.{2,})$": { "type": "null" } }, "additionalProperties": false }),
        ),
        (
            json!({ "type": "object", "properties": { "a": { "not": {} }, "b": true }, "unevaluatedProperties": false, "maxProperties": 4 }),
            json!({ "type": "object", "properties": { "a": false, "b": true }, "additionalProperties": false }),
        ),
        (
            json!({ "type": "object", "properties": { "a": true }, "required": ["z"], "additionalProperties": false, "minProperties": 2 }),
            json!({ "type": "object", "properties": { "a": true }, "additionalProperties": false, "required": ["z", "a"] }),
        ),
        (
            json!({ "type": "object", "properties": { "k0": { "minimum": 1 }, "x": true }, "patternProperties": { "^k": one }, "required": ["k0", "y"], "maxProperties": 2 }),
            json!({ "type": "object", "properties": { "k0": { "allOf": [{ "minimum": 1 }, one] }, "y": true }, "additionalProperties": false, "required": ["k0", "y"] }),
        ),
        (
            json!({ "minimum": 3, "exclusiveMinimum": true, "type": "integer" }),
            json!({ "type": "integer", "exclusiveMinimum": 3 }),
        ),
        (
            json!({ "type": "integer", "minimum": -9_007_199_254_740_991_i64, "maximum": 9_007_199_254_740_991_i64 }),
            json!({ "type": "integer", "minimum": -9_007_199_254_740_991_i64, "maximum": 9_007_199_254_740_991_i64 }),
        ),
        (
            json!({ "items": [{ "type": "null" }], "additionalItems": false, "type": "array" }),
            json!({ "type": "array", "prefixItems": [{ "type": "null" }], "items": false }),
        ),
        (
            json!({ "oneOf": [{ "$ref": "#/$defs/a~1b%20c" }, { "type": "object", "properties": { "k": { "const": "y" } } }],
                "$defs": { "a/b c": { "type": "object", "properties": { "k": { "const": "x" } }, "required": ["k"] } } }),
            json!({ "$defs": { "d0": { "type": "object", "properties": { "k": { "const": "x" } }, "required": ["k"] } },
                "anyOf": [{ "$ref": "#/$defs/d0" }, { "type": "object", "properties": { "k": { "const": "y" } } }] }),
        ),
        (
            json!({ "$ref": "#n", "$defs": { "x": { "$anchor": "n", "type": "null" } } }),
            json!({ "$defs": { "d0": { "type": "null" } }, "$ref": "#/$defs/d0" }),
        ),
        // What can be in a run of keywords comes before what has to stand alone.
        (
            json!({ "properties": { "a": true }, "anyOf": [true], "additionalProperties": false }),
            json!({ "properties": { "a": true }, "additionalProperties": false, "anyOf": [true] }),
        ),
    ] {
        assert_eq!(plain(&given).map(|held| held.to_string()), Ok(held.to_string()), "{given}");
    }
}

#[test]
fn days_are_those_of_the_calendar() {
    for (format, good, bad) in [
        ("date", "2024-02-29", "2023-02-29"),
        ("date", "2000-02-29", "1900-02-29"),
        ("date-time", "2024-02-29T23:59:59Z", "2100-02-29T00:00:00Z"),
        ("time", "23:59:59Z", "23:59:60Z"),
    ] {
        let held = plain(&json!({ "type": "string", "format": format })).unwrap();
        let pattern = held["pattern"].as_str().unwrap();
        assert!(names::fits(pattern, good) && !names::fits(pattern, bad), "{held}");
    }
}

#[test]
fn what_can_not_be_held_is_refused_by_name_and_place() {
    for (schema, said) in [
        (
            json!({ "enum": [1_152_921_504_606_846_977_u64] }),
            "\"enum\" at /enum/0 has 1152921504606846977",
        ),
        (json!({ "const": 9_007_199_254_740_993_u64 }), "\"const\""),
        (json!({ "enum": [{ "a": [-9_007_199_254_740_993_i64] }] }), "\"enum\" at /enum/0/a/0"),
        (
            json!({ "properties": { "a": { "minimum": 9_007_199_254_740_993_u64 } } }),
            "\"minimum\" at /properties/a is 9007199254740993",
        ),
        (json!({ "type": "integer", "maximum": 1e300 }), "\"maximum\" at the top is 1e+300"),
        (json!({ "exclusiveMaximum": i64::MAX }), "\"exclusiveMaximum\""),
        (json!({ "multipleOf": u64::MAX }), "\"multipleOf\""),
        (json!({ "minimum": 1e-20 }), "\"minimum\""),
        (json!({ "exclusiveMinimum": 0, "maximum": 0.5 }), "\"exclusiveMinimum\""),
        (json!({ "items": { "uniqueItems": true } }), "\"uniqueItems\" at /items"),
        (json!({ "contains": { "type": "null" } }), "\"contains\""),
        (json!({ "not": { "type": "null" } }), "\"not\""),
        (json!({ "if": {}, "then": false }), "\"if\""),
        (json!({ "dependentRequired": { "a": ["b"] } }), "\"dependentRequired\""),
        (
            json!({ "anyOf": [true], "unevaluatedProperties": false }),
            "\"unevaluatedProperties\" at the top isn't supported beside \"anyOf\"",
        ),
        (
            json!({ "patternProperties": { "^.{1,3}$": true } }),
            "\"patternProperties or propertyNames\"",
        ),
        (json!({ "patternProperties": { "^(?s:.{2,})$": true } }), "\"additionalProperties\""),
        (json!({ "properties": { "a": true }, "minProperties": 1 }), "\"minProperties\""),
        (json!({ "oneOf": [{ "type": "integer" }, { "type": "number" }] }), "\"oneOf\""),
        (json!({ "pattern": "^(?!a)" }), "\"pattern\""),
        (
            json!({ "properties": { "a": { "$ref": "https://example.org/x" } } }),
            "\"$ref\" at /properties/a",
        ),
        (json!({ "$ref": "#/nowhere" }), "\"$ref\""),
        (json!({ "$defs": { "a": { "$ref": "#/$defs/a" } }, "$ref": "#/$defs/a" }), "\"$ref\""),
        (json!({ "$dynamicRef": "#x" }), "\"$dynamicRef\""),
        (json!({ "type": "thing" }), "\"type\""),
        (json!({ "required": [1] }), "\"required\""),
    ] {
        let words = refused(&schema);
        assert!(words.contains(said) && words.len() < 400, "{schema}: {words}");
    }
}

/// JSON whose objects have no name twice.
struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Strict, D::Error> {
        from.deserialize_any(Strict)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Strict;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_str<E>(self, _: &str) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Strict, A::Error> {
        while list.next_element::<Strict>()?.is_some() {}
        Ok(Strict)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strict, A::Error> {
        let mut names = Vec::new();
        while let Some((name, _)) = map.next_entry::<String, Strict>()? {
            if names.contains(&name) {
                return Err(serde::de::Error::custom(format!("{name:?} is there twice")));
            }
            names.push(name);
        }
        Ok(Strict)
    }
}

/// Dice.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn is(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    fn name(&mut self) -> String {
        self.one(&["a", "b", "k0", "k1", "x-é", "a\"b", ""]).to_string()
    }

    fn number(&mut self) -> Value {
        match self.below(8) {
            0 => json!(self.below(4) as f64 / 4.0 - 0.5),
            1 => json!(self.below(2000) as i64 - 1000),
            2 => json!(self.below(1000) as f64 / 100.0),
            3 => json!(-9_007_199_254_740_991_i64),
            _ => json!(self.below(20) as i64 - 10),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth > 1 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => Value::Bool(self.is(2)),
            2 => self.number(),
            3 | 4 => json!(self.one(&["a", "b", "é\n", "\"", "k0", "\u{7f}", "😀"])),
            5 => (0..self.below(3)).map(|_| self.value(depth + 1)).collect(),
            _ => (0..self.below(3))
                .map(|_| (self.name(), self.value(depth + 1)))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// A schema, now and then with what isn't supported.
    fn schema(&mut self, depth: usize) -> Value {
        if depth > 3 || self.is(12) {
            return self
                .one(
                    &[
                        json!(true),
                        json!({}),
                        json!({ "type": "null" }),
                        json!({ "$ref": "#/$defs/D" }),
                    ]
                    .each_ref(),
                )
                .clone();
        }
        let mut map = Map::new();
        let mut set = |name: &str, value: Value| drop(map.insert(name.to_string(), value));
        match self.below(12) {
            0 => {
                let list: Vec<Value> = (0..1 + self.below(3)).map(|_| self.value(0)).collect();
                set("enum", list.into());
            }
            1 => set("const", self.value(0)),
            2 => {
                let name = self.one(&["anyOf", "anyOf", "oneOf", "allOf"]);
                let list: Vec<Value> =
                    (0..1 + self.below(3)).map(|_| self.schema(depth + 1)).collect();
                set(name, list.into());
                if self.is(3) {
                    set("type", json!(self.one(&["object", "string", "integer"])));
                }
            }
            3 | 4 => {
                set("type", json!(self.one(&["integer", "number"])));
                for name in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
                    if self.is(3) {
                        set(name, self.number());
                    }
                }
                if self.is(5) {
                    set(
                        "multipleOf",
                        self.one(&[json!(0.5), json!(3), json!(0.01), json!(7.5)].each_ref())
                            .clone(),
                    );
                }
            }
            5 | 6 => {
                set("type", json!("string"));
                if self.is(2) {
                    set("maxLength", json!(self.below(5)));
                    set("minLength", json!(self.below(3)));
                }
                if self.is(3) {
                    let patterns = [
                        "^a",
                        "b$",
                        "^[a-c]+$",
                        "^(a|é)?$|b",
                        "x.y",
                        r"^\d{2}-\w$",
                        "[&&a]",
                        r"^\S*$",
                        r"^a\/b",
                    ];
                    set("pattern", json!(self.one(&patterns)));
                } else if self.is(3) {
                    set(
                        "format",
                        json!(self.one(&[
                            "date", "uuid", "ipv4", "ipv6", "email", "hostname", "time", "password"
                        ])),
                    );
                }
            }
            7 | 8 => {
                set("type", json!("array"));
                if self.is(2) {
                    set("items", self.schema(depth + 1));
                }
                if self.is(3) {
                    let list: Vec<Value> =
                        (0..1 + self.below(2)).map(|_| self.schema(depth + 1)).collect();
                    set("prefixItems", list.into());
                }
                if self.is(2) {
                    set("minItems", json!(self.below(3)));
                }
                if self.is(2) {
                    set("maxItems", json!(self.below(4)));
                }
                if self.is(10) {
                    set("uniqueItems", json!(true));
                }
                if self.is(10) {
                    set("contains", json!({ "type": "null" }));
                }
            }
            _ => self.object(depth, &mut map),
        }
        map.into()
    }

    fn object(&mut self, depth: usize, map: &mut Map<String, Value>) {
        let mut set = |name: &str, value: Value| drop(map.insert(name.to_string(), value));
        set("type", json!("object"));
        let mut listed = Map::new();
        for _ in 0..self.below(4) {
            listed.insert(self.name(), self.schema(depth + 1));
        }
        if self.is(2) {
            let required: Vec<String> = listed.keys().filter(|_| self.is(2)).cloned().collect();
            set("required", required.into());
        }
        set("properties", listed.into());
        if self.is(3) {
            let pattern = self.one(&["^k[01]$", "^x-", "a", "^[a-b]{1,2}$", "^k\\d+$"]);
            set("patternProperties", json!({ pattern: self.schema(depth + 1) }));
        }
        match self.below(4) {
            0 => set("additionalProperties", json!(false)),
            1 => set("additionalProperties", self.schema(depth + 1)),
            _ => {}
        }
        if self.is(8) {
            set("minProperties", json!(self.below(3)));
        }
        if self.is(8) {
            set("maxProperties", json!(self.below(4)));
        }
        if self.is(10) {
            let names = [
                json!({ "enum": ["a", "c"] }),
                json!({ "pattern": "^[ab]" }),
                json!({ "minLength": 1 }),
                json!({ "maxLength": 2 }),
            ];
            set("propertyNames", self.one(&names.each_ref()).clone());
        }
        if self.is(20) {
            set(self.one(&["dependentRequired", "dependentSchemas"]), json!({ "a": [] }));
        }
        if self.is(20) {
            set(self.one(&["not", "unevaluatedProperties"]), json!({ "required": ["zz"] }));
        }
    }
}

/// Whatever is made under a schema is valid, by the crate `jsonschema`, and has no name twice, or
/// the schema was refused. `KELVIN_SCHEMAS` gives another number of schemas.
#[test]
fn a_thousand_objects_of_random_schemas_are_valid() {
    let (tokenizer, forms) = drawing::forms();
    let n_schemas = std::env::var("KELVIN_SCHEMAS").map_or(600, |n| n.parse().unwrap());
    let first: u64 = std::env::var("KELVIN_SCHEMAS_FIRST").map_or(0, |n| n.parse().unwrap());
    let (mut n_texts, mut n_objects, mut n_cut, mut n_refused) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for seed in first..first + n_schemas {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut map = Map::new();
        dice.object(0, &mut map);
        map.insert("$defs".to_string(), json!({ "D": dice.schema(2) }));
        let schema = Value::Object(map);
        let options = jsonschema::options().should_validate_formats(true);
        let Ok(validator) = options.build(&schema) else { continue };
        let compiled = match forms.compile(&Form::JsonSchema(schema.clone())) {
            Ok(compiled) => compiled,
            Err(error) => {
                n_refused += 1;
                println!("{error}");
                continue;
            }
        };
        for die in 0..4 {
            let (text, is_complete) =
                match drawing::short_text(&tokenizer, &*compiled, seed * 4 + die, 400) {
                    Ok(drawn) => drawn,
                    Err(text) => {
                        wrong.push(format!("{seed}: nothing may come after {text}: {schema}"));
                        break;
                    }
                };
            if !is_complete {
                n_cut += 1;
                continue;
            }
            let text = String::from_utf8(text).unwrap();
            let value: Value = match serde_json::from_str(&text) {
                Ok(value) => value,
                // JSON, but more than f64 has.
                Err(error) if error.to_string().contains("out of range") => continue,
                Err(error) => panic!("{error}: {text}: {schema}"),
            };
            (n_texts, n_objects) = (n_texts + 1, n_objects + usize::from(value.is_object()));
            let twice = serde_json::from_str::<Strict>(&text).err().map(|error| error.to_string());
            // The validator divides in f64, which has no more digits.
            let is_long = text
                .split(|c: char| !c.is_ascii_digit() && c != '.')
                .any(|digits| digits.len() > 15);
            let invalid = validator.validate(&value).err().map(|error| error.to_string());
            let invalid =
                invalid.filter(|_| !(is_long && schema.to_string().contains("multipleOf")));
            // Addresses may have at most 64 letters before the @, which the parser doesn't count.
            let invalid =
                invalid.filter(|error| !(text.len() > 64 && error.contains("is not a \"email\"")));
            if let Some(error) = twice.or(invalid) {
                wrong.push(format!("{seed}: {error}: {text}: {schema}"));
                break;
            }
        }
    }
    println!(
        "{n_texts} texts, {n_objects} objects, {n_cut} cut, {n_refused} of {n_schemas} schemas \
         refused"
    );
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    assert!(
        n_objects >= n_schemas as usize && n_refused < n_schemas as usize * 2 / 3,
        "{n_objects} {n_refused}"
    );
}
