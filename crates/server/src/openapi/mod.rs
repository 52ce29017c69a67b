//! The OpenAPI document of the server.
//!
//! Its schemas are derived from the types of requests, answers and events. Tests compare the
//! document with the routes, with the parameters that each route takes, and with real responses.
//! The studio's routes are internal and left out.

mod answers;

use serde_json::{Map, Value, json};

use crate::requests;

/// The document.
pub fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Kelvin",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A language model behind OpenAI's API, with every control of decoding. \
                Parameters that aren't described here are refused by name.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "paths": paths(),
        "components": {
            "schemas": schemas(),
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer", "description": "Where the server was started with a key." } },
        },
        "security": [{}, { "key": [] }],
    })
}

fn paths() -> Value {
    let models = named("Models");
    json!({
        "/health": { "get": operation("Whether the server runs.", None, json_answer(named("Health"))) },
        "/metrics": { "get": operation("Metrics in Prometheus' text format.", None, json!({ "text/plain": { "schema": { "type": "string" } } })) },
        "/openapi.json": { "get": operation("This document.", None, json_answer(json!({ "type": "object" }))) },
        "/v1/models": { "get": operation("The model that is served, as a list.", None, json_answer(models)) },
        "/v1/models/{id}": {
            "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
            "get": operation("A model by its name.", None, json_answer(named("Model"))),
        },
        "/v1/completions": { "post": operation("Continues prompts.", Some("CompletionRequest"), streamed_answer("Completion", &["TextChoiceChunk", "Problem"])) },
        "/v1/chat/completions": { "post": operation("Answers a chat.", Some("ChatRequest"), streamed_answer("ChatCompletion", &["ChatPieceChunk", "Problem"])) },
        "/v1/responses": { "post": operation("Answers in the format of the Responses API; nothing is stored.", Some("ResponseRequest"), streamed_answer("Response", &["ResponseEvent"])) },
        "/v1/decisions": { "post": operation("Answers questions about a text with \
            probabilities.", Some("DecisionRequest"), json_answer(named("Decisions"))) },
        "/v1/search": { "post": operation("Searches for likely texts after a prompt, or ranks \
            texts that it draws.", Some("SearchRequest"), streamed_answer("Searched", &["SearchEvent"])) },
        "/tokenize": { "post": operation("The tokens of a text or of messages; one of `prompt`, \
            `content` and `messages` is to be \
            given.", Some("TokenizeRequest"), json_answer(named("Tokens"))) },
        "/detokenize": { "post": operation("The text of \
            tokens.", Some("DetokenizeRequest"), json_answer(named("Text"))) },
        "/apply-template": { "post": operation("Messages in the model's chat \
            template.", Some("TemplateRequest"), json_answer(named("Rendered"))) },
        "/tokenizer_info": { "get": operation("Facts about the tokenizer.", None, json_answer(named("TokenizerInfo"))) },
    })
}

/// A route: what it does, the schema of its body if it has one, and the content of a good answer.
fn operation(summary: &str, body: Option<&str>, content: Value) -> Value {
    let problem = json!({ "description": "An error", "content": json_answer(named("Problem")) });
    let mut operation = json!({
        "summary": summary,
        "responses": { "200": { "description": "Success", "content": content }, "4XX": problem, "5XX": problem },
    });
    if let Some(body) = body {
        operation["requestBody"] = json!({ "required": true, "content": json_answer(named(body)) });
    }
    operation
}

fn json_answer(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// The content of an answer, and of its stream where "stream" is true.
fn streamed_answer(name: &str, events: &[&str]) -> Value {
    let mut content = json_answer(named(name));
    // The data of an event is JSON, or [DONE].
    let events: Vec<Value> = events.iter().map(|event| named(event)).collect();
    let data = json!({
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": { "anyOf": events },
    });
    content["text/event-stream"] = json!({ "schema": {
        "type": "object",
        "properties": { "event": { "type": "string" }, "data": data },
        "required": ["data"],
    } });
    content
}

fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn schemas() -> Map<String, Value> {
    let mut schemas = answers::schemas();
    schemas.extend(requests::schemas());
    schemas
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::routes;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let document = document();
        let described: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
                methods.map(move |method| (method.clone(), path.clone()))
            })
            .collect();
        let there: BTreeSet<(String, String)> = routes::api()
            .into_iter()
            .map(|(method, path, _)| (method.to_string(), path.replace("{*", "{")))
            .collect();
        assert_eq!(described, there);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut waiting = vec![&document];
        while let Some(value) = waiting.pop() {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(reference)) = map.get("$ref") {
                        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
                    }
                    waiting.extend(map.values());
                }
                Value::Array(items) => waiting.extend(items),
                _ => {}
            }
        }
    }
}
