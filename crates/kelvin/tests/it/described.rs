//! `/openapi.json` beside what the routes read, objects inside of objects included, with a very
//! small model of random weights: what it describes is taken, what it doesn't is refused by name.
//! No download.

use std::collections::HashSet;

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::{Map, Value, json};

/// Nobody has a parameter of this name.
const STRANGE: &str = "nobody_knows";

/// The ways of a schema that has several.
fn ways(schema: &Value) -> Option<&Vec<Value>> {
    ["anyOf", "oneOf"].iter().find_map(|key| schema[*key].as_array())
}

/// Values that a schema allows: each way of it, and each property of an object beside those it
/// needs.
fn examples(schema: &Value) -> Vec<Value> {
    if let Some(ways) = ways(schema) {
        return ways.iter().flat_map(examples).collect();
    }
    if let Some(given) = schema["examples"].as_array() {
        return given.clone();
    }
    if let Some(only) = schema.get("const") {
        return vec![only.clone()];
    }
    if let Some(all) = schema["enum"].as_array() {
        return all.clone();
    }
    let kind = schema["type"].as_array().map_or(&schema["type"], |kinds| &kinds[0]);
    match kind.as_str() {
        Some("null") => vec![Value::Null],
        Some("boolean") => vec![json!(true), json!(false)],
        Some("string") => vec![json!("x")],
        Some("integer" | "number") => vec![json!(1)],
        Some("array") if schema["maxItems"] == 0 => vec![json!([])],
        Some("array") => examples(&schema["items"]).into_iter().map(|item| json!([item])).collect(),
        Some("object") => {
            let Some(properties) = schema["properties"].as_object() else { return vec![json!({})] };
            let needed = schema["required"].as_array();
            let least: Map<String, Value> = needed
                .into_iter()
                .flatten()
                .map(|name| name.as_str().unwrap())
                .map(|name| (name.to_string(), examples(&properties[name])[0].clone()))
                .collect();
            let each = properties.iter().flat_map(|(name, schema)| {
                examples(schema).into_iter().map(move |value| (name.clone(), value))
            });
            let more = each.map(|(name, value)| {
                let mut object = least.clone();
                object.insert(name, value);
                Value::Object(object)
            });
            std::iter::once(Value::Object(least.clone())).chain(more).collect()
        }
        _ => vec![json!("anything")],
    }
}

/// The places of the objects in `value` that are described and closed, with the names that each may
/// have.
fn objects(schema: &Value, value: &Value, place: &str, found: &mut Vec<(String, Vec<String>)>) {
    if let Some(ways) = ways(schema) {
        ways.iter().for_each(|way| objects(way, value, place, found));
    }
    if let Some(items) = value.as_array() {
        for (i, item) in items.iter().enumerate() {
            objects(&schema["items"], item, &format!("{place}/{i}"), found);
        }
    }
    let (Some(map), Some(properties)) = (value.as_object(), schema["properties"].as_object())
    else {
        return;
    };
    assert_eq!(schema["additionalProperties"], false, "{place} is open: {schema}");
    // A way of an object that has another type in it isn't this one.
    let is_other = |(name, value): (&String, &Value)| {
        properties
            .get(name)
            .is_none_or(|schema| schema.get("const").is_some_and(|only| only != value))
    };
    if map.iter().any(is_other) {
        return;
    }
    found.push((place.to_string(), properties.keys().cloned().collect()));
    for (name, value) in map {
        objects(&properties[name], value, &format!("{place}/{name}"), found);
    }
}

/// A JSON pointer as problems write it.
fn written(pointer: &str, name: &str) -> String {
    let mut place = String::new();
    for part in pointer.split('/').skip(1) {
        match part.parse::<usize>() {
            Ok(i) => place.push_str(&format!("[{i}]")),
            Err(_) if place.is_empty() => place.push_str(part),
            Err(_) => place.push_str(&format!(".{part}")),
        }
    }
    if place.is_empty() { name.to_string() } else { format!("{place}.{name}") }
}

#[test]
fn nested_objects_have_what_is_described_and_nothing_else() {
    let server = Server::tiny(&TinyModel::new(&MISTRAL_LIKE).speaking(), &[]);
    let document: Value =
        serde_json::from_str(&server.exchange("GET", "/openapi.json", "", "").body).unwrap();
    let mut n_objects = 0;
    for (path, name, least) in [
        ("/v1/completions", "CompletionRequest", json!({ "prompt": "x", "max_tokens": 1 })),
        (
            "/v1/chat/completions",
            "ChatRequest",
            json!({ "messages": [{ "role": "user", "content": "x" }], "max_tokens": 1 }),
        ),
        ("/v1/responses", "ResponseRequest", json!({ "input": "x", "max_output_tokens": 1 })),
        (
            "/v1/decisions",
            "DecisionRequest",
            json!({ "input": "x", "questions": [{ "type": "predicate", "instructions": "x" }] }),
        ),
        ("/v1/search", "SearchRequest", json!({ "prompt": "x", "beams": 2, "max_tokens": 1 })),
        ("/tokenize", "TokenizeRequest", json!({ "prompt": "x" })),
        ("/detokenize", "DetokenizeRequest", json!({ "tokens": [3] })),
        (
            "/apply-template",
            "TemplateRequest",
            json!({ "messages": [{ "role": "user", "content": "x" }] }),
        ),
    ] {
        let schema = &document["components"]["schemas"][name];
        let own = schema["properties"].as_object().unwrap();
        let status = |body: &Value| {
            let answer = server.post(path, body);
            let problem: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            (answer.status, problem["error"].clone())
        };
        let mut seen = HashSet::new();
        for (parameter, described) in own {
            for example in examples(described).into_iter().filter(|e| e.is_object() || e.is_array())
            {
                let mut body = least.clone();
                body[parameter] = example;
                // What it goes with, or in the place of.
                if parameter == "stream_options" {
                    body["stream"] = json!(true);
                } else if path == "/tokenize" || (path, &**parameter) == ("/v1/search", "messages")
                {
                    body.as_object_mut().unwrap().remove("prompt");
                } else if let ("input", Some(items)) =
                    (parameter.as_str(), body[parameter].as_array_mut())
                {
                    // Thoughts alone say nothing.
                    items.push(json!({ "role": "user", "content": "x" }));
                }
                let mut places = Vec::new();
                objects(schema, &body, "", &mut places);
                let (code, error) = status(&body);
                assert_eq!(code, 200, "{path} takes what it describes: {body}: {error}");
                // Each once: what stands beside it doesn't matter.
                for (place, names) in places {
                    if place.is_empty() || !seen.insert((place.clone(), names.clone())) {
                        continue;
                    }
                    let place = &place;
                    n_objects += 1;
                    let mut stranger = body.clone();
                    stranger.pointer_mut(place).unwrap()[STRANGE] = json!(1);
                    let (code, error) = status(&stranger);
                    assert_eq!(
                        (code, &error["code"]),
                        (400, &json!("unsupported_parameter")),
                        "{path} {stranger}: {error}"
                    );
                    assert_eq!(
                        error["param"],
                        written(place, STRANGE),
                        "{path} {stranger}: {error}"
                    );
                    for name in names {
                        // Of a type that hardly anything has: a reader that knows the name doesn't
                        // say that there's none.
                        let mut wrong = body.clone();
                        wrong.pointer_mut(place).unwrap()[&name] = json!({ "neither": ["this"] });
                        let (_, error) = status(&wrong);
                        let message = error["message"].as_str().unwrap_or_default();
                        let is_unknown =
                            message.contains(&format!("parameter \"{name}\" isn't supported"));
                        assert!(!is_unknown, "{path} {wrong}: {error}");
                    }
                }
            }
        }
    }
    assert!(n_objects > 30, "{n_objects} objects");
}
