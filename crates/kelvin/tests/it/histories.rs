//! What clients send beside what they want: what says nothing is taken, and what can't be done is
//! refused by what it is. With a very small model of random weights. No download.

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, Meta, TinyModel},
};
use serde_json::{Value, json};

fn server() -> Server {
    Server::tiny(&TinyModel::new(&MISTRAL_LIKE).speaking(), &[])
}

fn with(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// The parameter and the message of a problem.
fn refused(server: &Server, path: &str, body: &Value) -> (String, String) {
    let answer = server.post(path, body);
    assert_eq!(answer.status, 400, "{body}: {}", answer.body);
    let error = serde_json::from_str::<Value>(&answer.body).unwrap()["error"].clone();
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_string();
    (text("param"), text("message"))
}

#[test]
fn an_answer_that_is_sent_back_is_as_good_as_its_text() {
    let server = server();
    let turns = |message: &Value| json!([{ "role": "user", "content": "hi" }, message, { "role": "user", "content": "again" }]);
    let prompt = |message: &Value| {
        server
            .good("/v1/chat/completions", &json!({ "messages": turns(message), "max_tokens": 1 }));
        server.good("/apply-template", &json!({ "messages": turns(message) }))["prompt"].clone()
    };
    let plain = json!({ "role": "assistant", "content": "hello" });
    let expected = prompt(&plain);
    for more in [
        json!({ "tool_calls": [] }),
        json!({ "tool_calls": null, "function_call": null }),
        json!({ "refusal": null, "annotations": [] }),
        json!({ "refusal": "", "audio": null, "name": null }),
        // openai-python's message of `chat.completions.parse`, LiteLLM's, and those of servers that
        // tell thoughts.
        json!({ "parsed": { "a": 1 }, "tool_calls": null }),
        json!({ "provider_specific_fields": { "refusal": null }, "function_call": null, "tool_calls": null }),
        json!({ "annotations": [{ "type": "url_citation", "url_citation": { "url": "x" } }] }),
        json!({ "reasoning_content": "they greet" }),
        json!({ "reasoning": "they greet", "reasoning_details": [], "thinking_blocks": [], "images": [] }),
    ] {
        assert_eq!(prompt(&with(plain.clone(), &more)), expected, "{more}");
    }
    let empty = prompt(&json!({ "role": "assistant", "content": "" }));
    for message in [json!({ "role": "assistant", "content": null }), json!({ "role": "assistant" })]
    {
        assert_eq!(prompt(&message), empty, "{message}");
    }
    // So is one of a response.
    let input = json!([{ "role": "user", "content": "hi" },
        { "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": null,
          "content": [{ "type": "output_text", "text": "hello", "annotations": [], "logprobs": [] }] },
        { "role": "assistant", "content": null }]);
    server.good("/v1/responses", &json!({ "input": input, "max_output_tokens": 1 }));
    for (message, param, words) in [
        (
            json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": "1", "type": "function", "function": { "name": "f", "arguments": "{}" } }] }),
            "tool_calls",
            "tool calls aren't supported",
        ),
        (
            json!({ "role": "assistant", "content": null, "function_call": { "name": "f", "arguments": "{}" } }),
            "function_call",
            "tool calls aren't supported",
        ),
        (
            json!({ "role": "tool", "tool_call_id": "1", "content": "7315" }),
            "role",
            "tools aren't supported",
        ),
        (
            json!({ "role": "function", "name": "f", "content": "7315" }),
            "role",
            "tools aren't supported",
        ),
        (
            json!({ "role": "assistant", "content": "x", "refusal": "I won't" }),
            "refusal",
            "refusal",
        ),
        (json!({ "role": "assistant", "content": "x", "audio": { "id": "1" } }), "audio", "audio"),
        (json!({ "role": "user", "content": null }), "content", "a text"),
        (json!({ "role": "user" }), "content", "a text"),
        (
            json!({ "role": "assistant", "content": "x", "reasoning_content": 3 }),
            "reasoning_content",
            "a text",
        ),
    ] {
        for path in ["/v1/chat/completions", "/apply-template", "/tokenize"] {
            let (found, said) = refused(&server, path, &json!({ "messages": turns(&message) }));
            assert!(
                found == format!("messages[1].{param}") && said.contains(words),
                "{message}: {found}: {said}"
            );
        }
    }
}

#[test]
fn thoughts_are_for_templates_that_show_them() {
    let mut model = TinyModel::new(&MISTRAL_LIKE).speaking();
    let template = "{% for m in messages %}{% if m.reasoning_content is defined %}({{ \
        m.reasoning_content }}){% endif %}{{ m.content }}|{% endfor %}";
    model.metadata.retain(|(key, _)| key != "tokenizer.chat_template");
    model.metadata.push(("tokenizer.chat_template".into(), Meta::Str(template.into())));
    let server = Server::tiny(&model, &[]);
    for (name, thought, expected) in [
        ("reasoning_content", json!("why"), "hi|(why)yo|"),
        ("reasoning", json!("why"), "hi|(why)yo|"),
        ("reasoning_content", json!(""), "hi|yo|"),
        ("reasoning_content", Value::Null, "hi|yo|"),
    ] {
        let messages = json!([{ "role": "user", "content": "hi" }, { "role": "assistant", "content": "yo", name: thought }]);
        assert_eq!(
            server.good("/apply-template", &json!({ "messages": messages }))["prompt"],
            expected,
            "{name}"
        );
    }
}

#[test]
fn what_says_nothing_is_taken_and_the_rest_refused_by_name() {
    let server = server();
    let chat = json!({ "messages": [{ "role": "user", "content": "x" }], "max_tokens": 1 });
    let text = json!({ "prompt": "x", "max_tokens": 1 });
    let response = json!({ "input": "x", "max_output_tokens": 1 });
    let shared = [
        json!({ "logit_bias": {}, "metadata": {}, "store": false, "service_tier": "auto", "user": "me" }),
        json!({ "stop": [], "stop_token_ids": [], "bad_words": [], "seed": null, "stream_options": null }),
        json!({ "stream_options": {} }),
        json!({ "stream_options": { "include_usage": false } }),
        json!({ "prompt_cache_key": "x", "prompt_cache_retention": "in_memory", "safety_identifier": "x" }),
        json!({ "response_format": { "type": "text" }, "structured_outputs": null }),
        json!({ "allowed_token_ids": null, "temperature": null, "top_p": 1, "presence_penalty": 0 }),
    ];
    let of_chat = [
        json!({ "tools": [], "tool_choice": "none", "parallel_tool_calls": false }),
        json!({ "tools": null, "tool_choice": null, "parallel_tool_calls": true, "functions": [], "function_call": "none" }),
        json!({ "tool_choice": "auto", "function_call": "auto", "reasoning_effort": null, "verbosity": "medium" }),
        json!({ "modalities": ["text"], "audio": null, "prediction": null, "web_search_options": null }),
        json!({ "logprobs": false, "top_logprobs": 0, "n": 1, "chat_template_kwargs": {}, "reasoning_effort": "none" }),
    ];
    let of_text = [
        json!({ "best_of": 1, "suffix": null, "logprobs": null, "echo": false }),
        json!({ "best_of": 2, "n": 2, "suffix": "" }),
        json!({ "best_of": null, "use_beam_search": false }),
    ];
    let of_response = [
        json!({ "tools": [], "tool_choice": "none", "parallel_tool_calls": true, "previous_response_id": null }),
        json!({ "reasoning": {}, "text": { "format": { "type": "text" } }, "include": [], "conversation": null }),
        json!({ "reasoning": { "effort": null, "summary": null }, "text": {}, "background": false, "prompt": null }),
        json!({ "reasoning": { "effort": "none" }, "truncation": "disabled", "max_tool_calls": null, "top_logprobs": 0 }),
    ];
    for (path, body, own) in [
        ("/v1/chat/completions", &chat, &of_chat[..]),
        ("/v1/completions", &text, &of_text[..]),
        ("/v1/responses", &response, &of_response[..]),
    ] {
        for more in shared.iter().chain(own) {
            server.good(path, &with(body.clone(), more));
        }
    }
    let tool = json!([{ "type": "function", "function": { "name": "f" } }]);
    for (path, body, more, param, words) in [
        (
            "/v1/chat/completions",
            &chat,
            json!({ "tools": tool }),
            "tools",
            "tools aren't supported",
        ),
        (
            "/v1/chat/completions",
            &chat,
            json!({ "tools": tool, "tool_choice": "required" }),
            "tools",
            "tools aren't supported",
        ),
        (
            "/v1/chat/completions",
            &chat,
            json!({ "functions": [{ "name": "f" }] }),
            "functions",
            "tools aren't supported",
        ),
        (
            "/v1/chat/completions",
            &chat,
            json!({ "tool_choice": "required" }),
            "tool_choice",
            "only",
        ),
        (
            "/v1/chat/completions",
            &chat,
            json!({ "reasoning_effort": "high" }),
            "reasoning_effort",
            "only",
        ),
        ("/v1/chat/completions", &chat, json!({ "top_logprobs": 2 }), "top_logprobs", "needs"),
        (
            "/v1/chat/completions",
            &chat,
            json!({ "stream_options": { "include_usage": true } }),
            "stream_options",
            "needs",
        ),
        ("/v1/responses", &response, json!({ "tools": tool }), "tools", "tools aren't supported"),
        (
            "/v1/responses",
            &response,
            json!({ "input": [{ "type": "item_reference", "id": "msg_1" }] }),
            "input[0].type",
            "kinds of items that are supported are \"message\" and \"reasoning\"",
        ),
        (
            "/v1/responses",
            &response,
            json!({ "reasoning": { "effort": "high" } }),
            "reasoning",
            "only",
        ),
        (
            "/v1/responses",
            &response,
            json!({ "reasoning": { "summary": "auto" } }),
            "reasoning",
            "only",
        ),
        ("/v1/completions", &text, json!({ "best_of": 2 }), "best_of", "candidates"),
        ("/v1/completions", &text, json!({ "best_of": 2, "n": 3 }), "best_of", "candidates"),
        // Lists that leave nothing, and texts that end or ban everything.
        (
            "/v1/completions",
            &text,
            json!({ "allowed_token_ids": [] }),
            "allowed_token_ids",
            "empty",
        ),
        ("/v1/completions", &text, json!({ "stop": "" }), "stop", "1 to"),
        ("/v1/completions", &text, json!({ "stop": [""] }), "stop", "1 to"),
        ("/v1/completions", &text, json!({ "bad_words": [""] }), "bad_words", "1 to"),
        ("/v1/completions", &text, json!({ "temperatures": [] }), "temperatures", "1 to"),
        (
            "/v1/completions",
            &text,
            json!({ "structured_outputs": {} }),
            "structured_outputs",
            "exactly one",
        ),
        (
            "/v1/completions",
            &text,
            json!({ "structured_outputs": { "choice": [] } }),
            "structured_outputs",
            "",
        ),
    ] {
        let (found, said) = refused(&server, path, &with(body.clone(), &more));
        assert!(found == param && said.contains(words), "{more}: {found}: {said}");
    }
}
