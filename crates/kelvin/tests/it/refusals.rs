//! `kelvin serve` with a very small model of random weights: what can't be is refused by name
//! before anything is computed. No download.

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::{Value, json};

fn server() -> Server {
    Server::tiny(&TinyModel::new(&MISTRAL_LIKE).speaking(), &[])
}

#[test]
fn absurd_parameters_are_refused_and_cost_nothing() {
    let server = server();
    let before = server.cpu_secs();
    let message = json!([{ "role": "user", "content": "x" }]);
    for (path, body, param) in [
        ("/v1/completions", json!({ "prompt": "x", "n": 1_000_000 }), "n"),
        ("/v1/completions", json!({ "prompt": "x", "max_tokens": 1e18 }), "max_tokens"),
        ("/v1/completions", json!({ "prompt": "x", "stop": vec!["x".repeat(1000); 3000] }), "stop"),
        ("/v1/completions", json!({ "prompt": "x", "stop": "x".repeat(3_000_000) }), "stop"),
        ("/v1/completions", json!({ "prompt": vec![7; 300_000] }), "prompt"),
        ("/v1/completions", json!({ "prompt": vec!["x"; 100_000] }), "prompt"),
        (
            "/v1/completions",
            json!({ "prompt": "x", "temperatures": vec![1; 1000] }),
            "temperatures",
        ),
        ("/v1/completions", json!({ "prompt": "x", "logprobs": 1_000_000 }), "logprobs"),
        // Neither is greedy: f32 has no such temperature.
        ("/v1/completions", json!({ "prompt": "x", "temperature": 1e-50 }), "temperature"),
        ("/v1/completions", json!({ "prompt": "x", "temperatures": [0, 1e-50] }), "temperatures"),
        (
            "/v1/completions",
            json!({ "prompt": "x", "temperature": 1e-50, "profile": "vllm" }),
            "temperature",
        ),
        ("/tokenize", json!({ "prompt": "x", "messages": message }), "messages"),
        ("/tokenize", json!({ "prompt": "x", "content": "x" }), "content"),
        ("/tokenize", json!({}), "prompt"),
        (
            "/v1/chat/completions",
            json!({ "messages": message, "logprobs": true, "top_logprobs": -1 }),
            "top_logprobs",
        ),
    ] {
        let answer = server.post(path, &body);
        assert_eq!(answer.status, 400, "{param}: {}", answer.body);
        let error: Value = serde_json::from_str::<Value>(&answer.body).unwrap()["error"].clone();
        assert_eq!(
            (&error["param"], &error["type"]),
            (&json!(param), &json!("invalid_request_error"))
        );
        assert!(answer.body.len() < 1000, "{param}: an error of {} bytes", answer.body.len());
    }
    let stops = json!({ "prompt": "x", "stop": vec!["x".repeat(1000); 10_000] });
    assert_eq!(server.post("/v1/completions", &stops).status, 413);
    let cost = server.cpu_secs() - before;
    assert!(cost < 20.0, "{cost} s of computing");
    assert_eq!(server.metric("kelvin_steps_total"), 0.0);
}

/// A name is for the template; one that doesn't look at it gives the same prompt.
#[test]
fn a_message_may_have_a_name() {
    let server = server();
    let prompt = |message: Value| {
        server.good("/apply-template", &json!({ "messages": [message] }))["prompt"].clone()
    };
    let named = |name: Value| json!({ "role": "user", "content": "Hi", "name": name });
    let plain = prompt(json!({ "role": "user", "content": "Hi" }));
    assert_eq!([prompt(named(json!("Ann"))), prompt(named(Value::Null))], [plain.clone(), plain]);
    let body = json!({ "messages": [named(json!("Ann"))], "max_tokens": 1 });
    server.good("/v1/chat/completions", &body);
    let answer = server.post("/v1/chat/completions", &json!({ "messages": [named(json!(3))] }));
    assert!(answer.status == 400 && answer.body.contains("messages[0].name"), "{}", answer.body);
    // Those of a response have none.
    let answer = server.post("/v1/responses", &json!({ "input": [named(json!("Ann"))] }));
    assert!(answer.status == 400 && answer.body.contains("isn't supported"), "{}", answer.body);
}

/// All that OpenAI's document has for this route and Kelvin has not, and what isn't what it should
/// be: never silence.
#[test]
fn a_response_refuses_by_name_what_it_cannot_do() {
    let server = server();
    for (more, param) in [
        (json!({ "background": true }), "background"),
        (json!({ "conversation": "conv_1" }), "conversation"),
        (json!({ "conversation": { "id": "conv_1" } }), "conversation"),
        (json!({ "include": ["reasoning.encrypted_content"] }), "include"),
        (json!({ "input": [{ "type": "item_reference", "id": "msg_1" }] }), "input[0].type"),
        (
            json!({ "input": [{ "type": "function_call_output", "call_id": "1", "output": "x" }] }),
            "input[0].type",
        ),
        (
            json!({ "input": [{ "role": "user", "content": [{ "type": "input_image", "image_url": "x" }] }] }),
            "input[0].content",
        ),
        (json!({ "input": [] }), "input"),
        (json!({ "instructions": ["x"] }), "instructions"),
        (json!({ "max_output_tokens": 0 }), "max_output_tokens"),
        (json!({ "max_tool_calls": 3 }), "max_tool_calls"),
        (json!({ "metadata": "x" }), "metadata"),
        (json!({ "metadata": { "a": 1 } }), "metadata"),
        (json!({ "model": "gpt-5" }), "model"),
        (json!({ "previous_response_id": "resp_1" }), "previous_response_id"),
        (json!({ "prompt": { "id": "pmpt_1" } }), "prompt"),
        (json!({ "prompt_cache_retention": "24h" }), "prompt_cache_retention"),
        (json!({ "reasoning": { "effort": "high" } }), "reasoning"),
        (json!({ "service_tier": "priority" }), "service_tier"),
        (json!({ "store": true }), "store"),
        (
            json!({ "stream": true, "stream_options": { "include_obfuscation": true } }),
            "stream_options.include_obfuscation",
        ),
        (json!({ "stream": true, "stream_options": { "more": 1 } }), "stream_options.more"),
        (json!({ "stream_options": { "include_usage": true } }), "stream_options"),
        (json!({ "temperature": -1 }), "temperature"),
        (json!({ "text": { "format": { "type": "grammar" } } }), "text.format.type"),
        (json!({ "text": { "verbosity": "low" } }), "text.verbosity"),
        (json!({ "tool_choice": "required" }), "tool_choice"),
        (json!({ "tools": [{ "type": "web_search" }] }), "tools"),
        (json!({ "top_logprobs": 3 }), "top_logprobs"),
        (
            json!({ "top_logprobs": 21, "include": ["message.output_text.logprobs"] }),
            "top_logprobs",
        ),
        (json!({ "top_p": 2 }), "top_p"),
        (json!({ "truncation": "auto" }), "truncation"),
        // What the other routes have.
        (json!({ "n": 2 }), "n"),
        (json!({ "max_tokens": 2 }), "max_tokens"),
        (json!({ "logprobs": true }), "logprobs"),
        (json!({ "echo": true }), "echo"),
        (json!({ "prompt_logprobs": 1 }), "prompt_logprobs"),
        (json!({ "return_token_ids": true }), "return_token_ids"),
        (json!({ "temperatures": [0.5, 1] }), "temperatures"),
        (json!({ "logprobs_stage": "final" }), "logprobs_stage"),
    ] {
        let mut body = json!({ "input": "x", "max_output_tokens": 2 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = server.post("/v1/responses", &body);
        let error: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        assert_eq!(
            answer.status,
            if param == "model" { 404 } else { 400 },
            "{more}: {}",
            answer.body
        );
        assert_eq!(error["error"]["param"], param, "{more}: {error}");
    }
    assert_eq!(server.metric("kelvin_steps_total"), 0.0);
    // What says what is so anyway may be said.
    let body = json!({ "input": "x", "max_output_tokens": 2, "background": false, "store": false, "tools": [], "tool_choice": "auto",
        "truncation": "disabled", "service_tier": "auto", "metadata": { "a": "b" }, "previous_response_id": null, "reasoning": null,
        "text": { "format": { "type": "text" }, "verbosity": "medium" }, "include": ["message.output_text.logprobs"], "logprobs_stage": "final" });
    let answer = server.good("/v1/responses", &body);
    assert_eq!(
        (&answer["metadata"]["a"], &answer["logprobs_stage"]),
        (&json!("b"), &json!("final"))
    );
}
