//! `kelvin serve` with SmolLM2: the same text however it is asked for, and every refusal by its
//! status.

use std::thread;

use kelvin_testkit::server::{Server, streamed_text};
use serde_json::{Value, json};

fn text_of(answer: &Value, choice: usize) -> String {
    answer["choices"][choice]["text"].as_str().unwrap().to_string()
}

#[test]
fn a_text_is_the_same_alone_in_a_crowd_streamed_and_cached() {
    let server = Server::start(&["--parallel", "8"], None);
    let long = "The road to Kathmandu is long. ".repeat(60);
    let request = |prompt: &str, seed: u64| json!({ "prompt": prompt, "seed": seed, "max_tokens": 24, "temperature": 1.2 });
    let prompts = [
        "Once upon a time",
        "The capital of Nepal is",
        &long,
        "Tea is",
        "Once upon a hill",
        "A: Hey\nB:",
    ];
    // Alone, the first time: nothing to be found in the cache but the beginnings.
    let alone: Vec<String> = prompts
        .iter()
        .zip(0..)
        .map(|(p, i)| text_of(&server.good("/v1/completions", &request(p, i)), 0))
        .collect();
    assert!(alone.iter().all(|text| !text.is_empty()));
    // Cached: a prompt that was read before is found but for its last token.
    let again = server.good("/v1/completions", &request(&long, 2));
    let usage = &again["usage"];
    let (n, cached) = (&usage["prompt_tokens"], &usage["prompt_tokens_details"]["cached_tokens"]);
    assert_eq!(n.as_u64().unwrap() - 1, cached.as_u64().unwrap(), "{usage}");
    assert_eq!(text_of(&again, 0), alone[2]);
    // In a crowd, on a server that has read nothing yet, half of them streamed.
    let fresh = Server::start(&["--parallel", "8", "--threads", "1"], None);
    thread::scope(|scope| {
        for round in 0..2 {
            for (i, (prompt, alone)) in prompts.iter().zip(&alone).enumerate() {
                let (fresh, mut body) = (&fresh, request(prompt, i as u64));
                scope.spawn(move || {
                    if round == 0 {
                        assert_eq!(
                            text_of(&fresh.good("/v1/completions", &body), 0),
                            *alone,
                            "{prompt}"
                        );
                    } else {
                        body["stream"] = true.into();
                        let answer = fresh.post("/v1/completions", &body);
                        assert_eq!(streamed_text(&answer.body, 0), *alone, "{prompt}");
                    }
                });
            }
        }
    });
}

#[test]
fn choices_share_their_dice_across_temperatures_and_each_stands_alone() {
    let server = Server::start(&[], None);
    let mut body = json!({ "messages": [{ "role": "user", "content": "Write about Nepal" }],
        "seed": 7, "max_tokens": 16, "temperatures": [0, 0.5, 2], "n": 2, "logprobs": true, "top_logprobs": 3 });
    let all = server.good("/v1/chat/completions", &body);
    assert_eq!(all["choices"].as_array().unwrap().len(), 6);
    assert_eq!(all["kelvin"]["chains"], json!(["temp=0", "temp=0.5", "temp=2"]));
    assert_eq!(all["choices"][0]["message"], all["choices"][1]["message"], "greedy twice");
    let content = &all["choices"][2]["logprobs"]["content"];
    assert_eq!(content[0]["top_logprobs"].as_array().unwrap().len(), 3);
    assert!(content[0]["logprob"].as_f64().unwrap() <= 0.0 && content[0]["bytes"].is_array());
    // One temperature of them, whole and as a stream.
    body.as_object_mut().unwrap().remove("temperatures");
    body["temperature"] = json!(2);
    let one = server.good("/v1/chat/completions", &body);
    assert_eq!(one["choices"][0]["message"], all["choices"][4]["message"]);
    assert_eq!(one["choices"][1]["message"], all["choices"][5]["message"]);
    body["stream"] = json!(true);
    body["stream_options"] = json!({ "include_usage": true });
    let stream = server.post("/v1/chat/completions", &body).body;
    for i in 0..2 {
        let text = one["choices"][i]["message"]["content"].as_str().unwrap();
        assert_eq!(streamed_text(&stream, i as u64), text);
    }
    assert!(
        stream.trim_end().ends_with("data: [DONE]") && stream.contains("\"completion_tokens\":"),
        "{stream}"
    );
}

#[test]
fn a_prompt_is_scored_as_perplexity_scores_it() {
    let server = Server::start(&[], None);
    let prompt = "The capital of Nepal is Kathmandu, and the mountains are not far away.";
    let body = json!({ "prompt": prompt, "max_tokens": 0, "echo": true, "logprobs": 2 });
    let answer = server.good("/v1/completions", &body);
    assert_eq!(text_of(&answer, 0), prompt);
    let scores = answer["choices"][0]["logprobs"]["token_logprobs"].as_array().unwrap();
    assert!(scores[0].is_null() && scores.len() > 10);
    let mean =
        -scores[1..].iter().map(|x| x.as_f64().unwrap()).sum::<f64>() / (scores.len() - 1) as f64;
    let output = assert_cmd::Command::cargo_bin("kelvin")
        .unwrap()
        .env("KELVIN_MODELS", kelvin_testkit::models::folder())
        .args(["perplexity", "--json", "--skip", "0", "-w", "512", "--offline"])
        .write_stdin(prompt)
        .output()
        .unwrap();
    let truth: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!((truth["mean_nats"].as_f64().unwrap() - mean).abs() < 1e-9, "{truth} {mean}");
    let ids = server.good("/tokenize", &json!({ "prompt": prompt }))["tokens"].clone();
    assert_eq!(server.good("/detokenize", &json!({ "tokens": ids }))["prompt"], prompt);
    let by_ids = json!({ "prompt": ids, "seed": 1, "max_tokens": 8 });
    let by_text = json!({ "prompt": prompt, "seed": 1, "max_tokens": 8 });
    let (a, b) =
        (server.good("/v1/completions", &by_ids), server.good("/v1/completions", &by_text));
    assert_eq!(text_of(&a, 0), text_of(&b, 0));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let server = Server::start(&["--ctx-size", "64", "--parallel", "4"], None);
    let refused = |path: &str, body: Value, status: u16, param: &str, words: &str| {
        let answer = server.post(path, &body);
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        let error: Value = serde_json::from_str::<Value>(&answer.body).unwrap()["error"].clone();
        assert_eq!(error["param"].as_str().unwrap_or(""), param, "{body}: {error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{body}: {error}");
        assert!(answer.head.contains("x-request-id: "), "{}", answer.head);
    };
    let text = |field: &str, value: Value| {
        let mut body = json!({ "prompt": "x", "max_tokens": 1 });
        body[field] = value;
        body
    };
    for (field, value) in [
        ("n", json!(1_000_000)),
        ("n", json!(0)),
        ("logprobs", json!(-1)),
        ("temperature", json!(-1)),
        ("temperature", json!("hot")),
        ("temperatures", json!([])),
        ("top_p", json!(0)),
        ("top_k", json!(-7)),
        ("stop", json!("")),
        ("stop", json!(vec!["x"; 99])),
        ("logit_bias", json!({ "99999999": 1 })),
        ("logit_bias", json!({ "5": 1000 })),
        ("seed", json!(-1)),
        ("sampler", json!("warp=3")),
        ("profile", json!("lamma")),
        ("min_tokens", json!(3)),
        ("stop_token_ids", json!([-5])),
        ("logprobs_stage", json!("final")),
        ("functions", json!([])),
        ("best_of", json!(2)),
        ("tools", json!([])),
        ("stream_options", json!({ "include_usage": true })),
        ("prompt", json!([])),
        ("prompt", json!([1, "x"])),
        ("prompt", json!([1.5])),
        ("prompt", json!("")),
        ("echo", json!(1)),
    ] {
        refused("/v1/completions", text(field, value), 400, field, "");
    }
    refused(
        "/v1/completions",
        json!({ "prompt": "x ".repeat(100), "max_tokens": 1 }),
        400,
        "prompt",
        "room for 64",
    );
    refused(
        "/v1/completions",
        json!({ "prompt": "x", "max_tokens": 64 }),
        400,
        "prompt",
        "room for 64",
    );
    refused("/v1/completions", json!({ "prompt": "x", "model": "gpt-4" }), 404, "model", "smollm2");
    refused("/v1/chat/completions", json!({ "messages": [] }), 400, "messages", "a list");
    let message =
        |role: &str| json!({ "messages": [{ "role": role, "content": "x" }], "max_tokens": 1 });
    refused(
        "/v1/chat/completions",
        message("tool"),
        400,
        "messages[0].role",
        "tools aren't supported",
    );
    refused("/v1/nothing", json!({}), 404, "", "no such route");
    let mut tools = message("user");
    tools["tools"] = json!([{ "type": "function" }]);
    refused("/v1/chat/completions", tools, 400, "tools", "supported");
    for bad in ["", "{", "[]", "{\"prompt\": \"x\", \"temperature\": 1e999}", &"[".repeat(100_000)]
    {
        assert_eq!(server.exchange("POST", "/v1/completions", "", bad).status, 400, "{bad:.40}");
    }
    let large = format!("{{\"prompt\": \"{}\"}}", "x".repeat(5 << 20));
    assert_eq!(server.exchange("POST", "/v1/completions", "", &large).status, 413);
    assert_eq!(server.exchange("DELETE", "/v1/models", "", "").status, 405);
    assert_eq!(server.exchange("GET", "/health", "Host: evil.example\r\n", "").status, 403);
    assert_eq!(server.exchange("GET", "/v1/models/smollm2", "", "").status, 200);
    assert_eq!(server.exchange("GET", "/v1/models/gpt-4", "", "").status, 404);
    assert_eq!(server.exchange("GET", "/", "", "").status, 200);
}
