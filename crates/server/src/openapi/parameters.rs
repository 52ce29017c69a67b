//! OpenAPI schemas of the request parameters, and which route takes which.

use kelvin_sampling::{Field, FieldKind, Profile};
use serde_json::{Map, Value, json};

use crate::{
    controls::fields_of_stages,
    limits::{
        MAX_BAD_WORDS, MAX_CHAIN_BYTES, MAX_IDS, MAX_LOGPROBS, MAX_MESSAGES, MAX_STOP_BYTES,
        MAX_STOPS, MAX_TEMPERATURES,
    },
    scores::LogprobsStage,
};

/// The bodies of the requests.
pub(super) fn schemas() -> Map<String, Value> {
    let all = [
        ("CompletionRequest", object(with_controls(completion()), &["prompt"])),
        ("ChatRequest", object(with_controls(chat()), &["messages"])),
        (
            "ResponseRequest",
            object(without(with_controls(response()), NOT_OF_RESPONSES), &["input"]),
        ),
        ("TokenizeRequest", object(texts(), &[])),
        (
            "DetokenizeRequest",
            object(
                json!({ "tokens": { "type": "array", "items": id() }, "model": model() }),
                &["tokens"],
            ),
        ),
        (
            "TemplateRequest",
            object(
                json!({ "messages": messages(), "date": date(), "model": model() }),
                &["messages"],
            ),
        ),
    ];
    all.map(|(name, schema)| (name.to_string(), schema)).into_iter().collect()
}

/// Parameters of a completion alone.
fn completion() -> Value {
    json!({
        "prompt": { "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            { "type": "array", "items": id(), "minItems": 1 },
            { "type": "array", "items": { "type": "array", "items": id() }, "minItems": 1 },
        ] },
        "add_special_tokens": or_null(json!({ "type": "boolean", "default": true })),
        "echo": or_null(json!({ "type": "boolean" })),
        "logprobs": or_null(json!({ "type": "integer", "minimum": 0, "maximum": MAX_LOGPROBS })),
        "max_tokens": count("Maximum number of new tokens; 16 by default."),
        "response_format": or_null(response_format()),
        "structured_outputs": or_null(structured_outputs()),
    })
}

/// Parameters of a chat alone.
fn chat() -> Value {
    json!({
        "messages": messages(),
        "date": date(),
        "logprobs": or_null(json!({ "type": "boolean" })),
        "top_logprobs": or_null(json!({ "type": "integer", "minimum": 0, "maximum": MAX_LOGPROBS })),
        "max_tokens": count("Maximum number of new tokens; by default as many as fit, up to 4096."),
        "max_completion_tokens": count("The newer name of `max_tokens`, which it overrides."),
        "response_format": or_null(response_format()),
        "structured_outputs": or_null(structured_outputs()),
        "tools": or_null(json!({ "type": "array", "maxItems": 0, "description": "Not supported \
            yet." })),
        "tool_choice": or_null(json!({ "enum": ["none", "auto"] })),
        "parallel_tool_calls": or_null(json!({ "type": "boolean" })),
        "functions": or_null(json!({ "type": "array", "maxItems": 0 })),
        "function_call": or_null(json!({ "enum": ["none", "auto"] })),
        "reasoning_effort": or_null(json!({ "const": "none" })),
        "verbosity": or_null(json!({ "const": "medium" })),
        "chat_template_kwargs": or_null(json!({ "const": {} })),
    })
}

/// Parameters of the Responses API alone.
fn response() -> Value {
    json!({
        "input": { "anyOf": [{ "type": "string" }, { "type": "array", "minItems": 1, "items": item() }] },
        "instructions": or_null(json!({ "type": "string" })),
        "date": date(),
        "max_output_tokens": or_null(json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX })),
        "include": or_null(json!({ "type": "array", "items": { "const": "message.output_text.logprobs" } })),
        "top_logprobs": or_null(json!({ "type": "integer", "minimum": 0, "maximum": MAX_LOGPROBS })),
        "text": or_null(object(json!({ "format": or_null(text_format()), "verbosity": or_null(json!({ "const": "medium" })) }), &[])),
        "response_format": or_null(response_format()),
        "structured_outputs": or_null(structured_outputs()),
        "background": or_null(json!({ "const": false })),
        "parallel_tool_calls": or_null(json!({ "type": "boolean" })),
        "tool_choice": or_null(json!({ "enum": ["auto", "none"] })),
        "tools": or_null(json!({ "type": "array", "maxItems": 0, "description": "Not supported \
            yet." })),
        "reasoning": or_null(object(json!({ "effort": or_null(json!({ "const": "none" })), "summary": { "type": "null" }, "generate_summary": { "type": "null" } }), &[])),
        "truncation": or_null(json!({ "const": "disabled" })),
    })
}

/// Parameters of `/tokenize`.
fn texts() -> Value {
    json!({
        "prompt": or_null(json!({ "type": "string", "description": "vLLM's name for the text." })),
        "add_special_tokens": or_null(json!({ "type": "boolean", "default": true })),
        "parse_special": or_null(json!({ "type": "boolean", "default": true, "description": "Whether control tokens written in the text become themselves." })),
        "content": or_null(json!({ "type": "string", "description": "llama.cpp's name for `prompt`." })),
        "add_special": or_null(json!({ "type": "boolean" })),
        "messages": or_null(messages()),
        "date": date(),
        "model": model(),
    })
}

/// What a response has no place for: it is one text, and has nothing but its tokens'
/// log-probabilities beside it.
const NOT_OF_RESPONSES: &[&str] = &[
    "n",
    "best_of",
    "suffix",
    "modalities",
    "use_beam_search",
    "prompt_logprobs",
    "return_token_ids",
];

fn without(mut properties: Value, names: &[&str]) -> Value {
    if let Value::Object(map) = &mut properties {
        map.retain(|name, _| !names.contains(&name.as_str()));
    }
    properties
}

/// The parameters of one kind of text with those that all have.
fn with_controls(mut own: Value) -> Value {
    let stages = LogprobsStage::ALL.map(|(name, _)| name);
    let profiles: Vec<&str> = Profile::all().map(Profile::name).collect();
    let before = json!({
        "model": model(),
        "n": or_null(json!({ "type": "integer", "minimum": 1, "description": "Choices, at each \
            temperature." })),
        "seed": or_null(json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX })),
        "first_sample": count("The sample index of the first choice; further choices count on from \
            it."),
        "stream": or_null(json!({ "type": "boolean" })),
        "stream_options": or_null(object(json!({ "include_usage": or_null(json!({ "type": "boolean" })), "include_obfuscation": or_null(json!({ "const": false })) }), &[])),
        "stop": or_null(json!({ "anyOf": [stop(), { "type": "array", "items": stop(), "maxItems": MAX_STOPS }] })),
        "stop_token_ids": or_null(json!({ "type": "array", "items": id(), "maxItems": MAX_IDS })),
        "ignore_eos": or_null(json!({ "type": "boolean" })),
        "min_tokens": count("Minimum number of new tokens."),
        "bad_words": or_null(json!({ "type": "array", "items": { "type": "string", "pattern": "\\S", "maxLength": MAX_STOP_BYTES }, "maxItems": MAX_BAD_WORDS })),
        "temperature": or_null(json!({ "type": "number", "minimum": 0 })),
        "temperatures": or_null(json!({ "type": "array", "items": { "type": "number", "minimum": 0 }, "minItems": 1, "maxItems": MAX_TEMPERATURES,
            "description": "One choice (or `n`) at each temperature, with equal random numbers." })),
    });
    let stages_by_field: Map<String, Value> = fields_of_stages()
        .into_iter()
        .map(|(_, field)| (field.name.to_string(), or_null(of_field(&field))))
        .collect();
    let after = json!({
        "logit_bias": or_null(json!({ "type": "object", "propertyNames": { "pattern": "^[0-9]+$" },
            "additionalProperties": { "type": "number", "minimum": -100, "maximum": 100 } })),
        "allowed_token_ids": or_null(json!({ "type": "array", "items": id(), "minItems": 1, "maxItems": MAX_IDS })),
        "sampler": or_null(json!({ "type": "string", "maxLength": MAX_CHAIN_BYTES, "description": "A whole chain: \"temp=0.8 | top_k=40\"." })),
        "profile": or_null(json!({ "enum": profiles, "description": "The engine whose stage order and defaults are used." })),
        "logprobs_stage": or_null(json!({ "enum": stages, "default": "raw", "description": "The stage of the chain whose probabilities are reported." })),
        "prompt_logprobs": or_null(json!({ "type": "integer", "minimum": 0, "maximum": MAX_LOGPROBS })),
        "return_token_ids": or_null(json!({ "type": "boolean" })),
    });
    // What changes nothing, or may only say what is so anyway.
    let unheard = json!({
        "best_of": or_null(json!({ "type": "integer", "minimum": 1, "description": "1, or as `n`." })),
        "prompt_cache_retention": or_null(json!({ "enum": ["in-memory", "in_memory"] })),
        "store": or_null(json!({ "const": false })),
        "service_tier": or_null(json!({ "enum": ["auto", "default"] })),
        "modalities": or_null(json!({ "const": ["text"] })),
        "suffix": or_null(json!({ "const": "" })),
        "skip_special_tokens": or_null(json!({ "const": true })),
        "use_beam_search": or_null(json!({ "const": false })),
        "user": { "description": "No effect, like the three below." },
        "safety_identifier": {},
        "prompt_cache_key": {},
        "metadata": or_null(json!({ "type": "object", "additionalProperties": { "type": "string" } })),
    });
    for more in [before, Value::Object(stages_by_field), after, unheard] {
        if let (Value::Object(own), Value::Object(more)) = (&mut own, more) {
            own.extend(more);
        }
    }
    own
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// The numbers that the field of a stage takes.
fn of_field(field: &Field) -> Value {
    let kind = if field.kind == FieldKind::Whole { "integer" } else { "number" };
    let mut schema = Map::from_iter([("type".to_string(), json!(kind))]);
    let (low, high) = field.range.open;
    let ends = [
        (if low { "exclusiveMinimum" } else { "minimum" }, field.range.low),
        (if high { "exclusiveMaximum" } else { "maximum" }, field.range.high),
    ];
    for (name, end) in ends.into_iter().filter(|(_, end)| end.is_finite()) {
        let end = if end.fract() == 0.0 { json!(end as i64) } else { json!(end) };
        schema.insert(name.to_string(), end);
    }
    if !field.remark.is_empty() {
        schema.insert("description".to_string(), json!(field.remark));
    }
    Value::Object(schema)
}

/// Null is as good as nothing.
fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn model() -> Value {
    or_null(json!({ "type": "string", "description": "The model's name; there is one." }))
}

fn id() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn count(what: &str) -> Value {
    or_null(json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX, "description": what }))
}

fn stop() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": MAX_STOP_BYTES })
}

fn date() -> Value {
    or_null(
        json!({ "type": "string", "description": "YYYY-MM-DD or today, for templates that ask for \
            it; the server's --date if it is left out." }),
    )
}

fn message(more: Value, parts: &[&str]) -> Value {
    // What an answer's parts have beside their text says nothing new.
    let part = json!({ "type": { "enum": parts }, "text": { "type": "string" }, "annotations": {}, "logprobs": {} });
    let part = object(part, &["type", "text"]);
    let empty = || or_null(json!({ "type": "array", "maxItems": 0 }));
    let content = json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": part }] });
    let of_role = |role: Value, content: Value, required: &[&str]| {
        let mut properties = json!({
            "role": role,
            "content": content,
            // What clients send back of an answer.
            "tool_calls": empty(),
            "function_call": { "type": "null" },
            "audio": { "type": "null" },
            "images": empty(),
            "refusal": or_null(json!({ "const": "" })),
            "thinking_blocks": empty(),
            "reasoning_details": empty(),
            "reasoning_content": or_null(json!({ "type": "string", "description": "For templates \
                that show it." })),
            "reasoning": or_null(json!({ "type": "string", "description": "Another name for `reasoning_content`." })),
            "annotations": {},
            "parsed": {},
            "provider_specific_fields": {},
        });
        if let (Value::Object(properties), Value::Object(more)) = (&mut properties, more.clone()) {
            properties.extend(more);
        }
        object(properties, required)
    };
    let others = json!({ "enum": ["system", "developer", "user"] });
    let own = of_role(json!({ "const": "assistant" }), or_null(content.clone()), &["role"]);
    json!({ "anyOf": [of_role(others, content, &["role", "content"]), own] })
}

fn messages() -> Value {
    let named = "The name of the speaker; most chat templates ignore it.";
    let more = json!({ "name": or_null(json!({ "type": "string", "description": named })) });
    json!({ "type": "array", "minItems": 1, "maxItems": MAX_MESSAGES, "items": message(more, &["text", "input_text", "output_text"]) })
}

fn item() -> Value {
    let more = json!({ "type": or_null(json!({ "const": "message" })), "id": {}, "status": {}, "phase": {} });
    message(more, &["text", "input_text", "output_text"])
}

/// What is said of a schema beside its type.
fn described() -> Value {
    json!({
        "name": or_null(json!({ "type": "string" })),
        "description": or_null(json!({ "type": "string" })),
        "strict": or_null(json!({ "type": "boolean" })),
        "schema": { "type": "object" },
    })
}

fn plain_formats() -> [Value; 2] {
    ["text", "json_object"].map(|kind| object(json!({ "type": { "const": kind } }), &["type"]))
}

fn response_format() -> Value {
    let [text, any] = plain_formats();
    let held = json!({ "type": { "const": "json_schema" }, "json_schema": object(described(), &["schema"]) });
    json!({ "anyOf": [text, any, object(held, &["type", "json_schema"])] })
}

fn text_format() -> Value {
    let [text, any] = plain_formats();
    let mut held = described();
    held["type"] = json!({ "const": "json_schema" });
    json!({ "anyOf": [text, any, object(held, &["type", "schema"])] })
}

fn structured_outputs() -> Value {
    let one = |name: &str, schema: Value| object(json!({ name: schema }), &[name]);
    json!({ "anyOf": [
        one("json", json!({ "type": ["object", "string"] })),
        one("json_object", json!({ "const": true })),
        one("regex", json!({ "type": "string" })),
        one("grammar", json!({ "type": "string", "description": "In Lark's \
            notation.", "examples": ["start: \"yes\" | \"no\""] })),
        one("choice", json!({ "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 })),
    ] })
}

#[cfg(test)]
mod tests {
    use kelvin_sampling::{Range, STAGES};

    use super::*;

    #[test]
    fn every_field_of_the_table_is_described() {
        let schemas = schemas();
        for field in STAGES.iter().filter_map(|info| info.field) {
            for request in ["CompletionRequest", "ChatRequest", "ResponseRequest"] {
                let schema = &schemas[request]["properties"][field.name];
                assert!(schema.is_object(), "{request} lacks {}", field.name);
                if field.kind != FieldKind::Own {
                    assert_eq!(schema["anyOf"][0], of_field(&field), "{request}: {}", field.name);
                }
            }
        }
        // A field that no stage has so far.
        let made_up = Field { remark: "A test.", ..Field::number("x", Range::below(0.5, 9.0)) };
        let expected = json!({ "type": "number", "minimum": 0.5, "exclusiveMaximum": 9, "description": "A test." });
        assert_eq!(of_field(&made_up), expected);
    }
}
