//! The parameters of `kelvin serve` beyond OpenAI's, with SmolLM2: each is seen to do what it says.

use kelvin_testkit::server::Server;
use serde_json::{Value, json};

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn text_of(answer: &Value) -> &str {
    answer["choices"][0]["text"]
        .as_str()
        .or(answer["choices"][0]["message"]["content"].as_str())
        .unwrap()
}

#[test]
fn a_text_has_at_least_so_many_tokens_and_none_of_the_words() {
    let server = Server::start(&[], None);
    let greeting = json!({ "messages": [{ "role": "user", "content": "Say hi." }], "temperature": 0, "max_tokens": 100 });
    let short = server.good("/v1/chat/completions", &greeting);
    let n = short["usage"]["completion_tokens"].as_u64().unwrap();
    assert!(n < 60 && short["choices"][0]["finish_reason"] == "stop", "{short}");
    // Neither the end of the turn nor a stop string comes before the least number.
    let more = json!({ "min_tokens": 60, "stop": text_of(&short)[..5], "return_token_ids": true });
    let long = server.good("/v1/chat/completions", &with(greeting, more));
    assert!(long["choices"][0]["token_ids"].as_array().unwrap().len() >= 60, "{long}");
    assert!(text_of(&long).starts_with(text_of(&short)));

    let story = json!({ "prompt": "Once upon a time", "temperature": 0, "max_tokens": 24 });
    let free = server.good("/v1/completions", &story);
    let words: Vec<&str> =
        text_of(&free).split_whitespace().filter(|word| word.len() > 3).take(3).collect();
    // Single words, and a phrase of several tokens of which only the last is banned, and only
    // there.
    let banned =
        server.good("/v1/completions", &with(story.clone(), json!({ "bad_words": words })));
    for word in &words {
        assert!(!text_of(&banned).contains(&format!(" {word} ")), "{word} in {banned}");
    }
    let phrase = text_of(&free)
        .split_inclusive(' ')
        .skip(1)
        .take(4)
        .collect::<String>()
        .trim_end()
        .to_string();
    let (head, last) = phrase.rsplit_once(' ').unwrap();
    let banned = server.good("/v1/completions", &with(story, json!({ "bad_words": [phrase] })));
    assert!(
        text_of(&banned).contains(head) && !text_of(&banned).contains(&phrase),
        "{phrase:?}: {banned}"
    );
    assert!(!last.is_empty());
}

#[test]
fn ids_and_scores_are_those_of_the_text() {
    let server = Server::start(&[], None);
    let body = json!({ "prompt": ["Tea is good", "Coffee"], "max_tokens": 6, "seed": 4, "n": 2, "return_token_ids": true,
        "prompt_logprobs": 2, "logprobs": 1 });
    let answer = server.good("/v1/completions", &body);
    let scored = json!({ "prompt": "Tea is good", "max_tokens": 0, "echo": true, "logprobs": 3 });
    let scored = server.good("/v1/completions", &scored);
    for (i, choice) in answer["choices"].as_array().unwrap().iter().enumerate() {
        let prompt = server.good("/detokenize", &json!({ "tokens": choice["prompt_token_ids"] }));
        assert_eq!(prompt["prompt"], ["Tea is good", "Coffee"][i / 2]);
        let text = server.good("/detokenize", &json!({ "tokens": choice["token_ids"] }));
        assert_eq!(text["prompt"], choice["text"]);
        let logprobs = choice["prompt_logprobs"].as_array().unwrap();
        let ids = choice["prompt_token_ids"].as_array().unwrap();
        assert!(logprobs[0].is_null() && logprobs.len() == ids.len());
        for (at, (entry, id)) in logprobs.iter().zip(ids).enumerate().skip(1) {
            let own = &entry[id.to_string()];
            let rank = own["rank"].as_u64().unwrap();
            assert_eq!(entry.as_object().unwrap().len(), if rank <= 2 { 2 } else { 3 }, "{entry}");
            if i < 2 {
                assert_eq!(own["logprob"], scored["choices"][0]["logprobs"]["token_logprobs"][at]);
            }
        }
    }
    let mut streamed = with(body, json!({ "stream": true }));
    streamed.as_object_mut().unwrap().remove("prompt_logprobs");
    let stream = server.post("/v1/completions", &streamed).body;
    let mut ids = vec![Vec::new(); 4];
    for event in stream.split("\n\n").filter_map(|event| event.strip_prefix("data: {")) {
        let event: Value = serde_json::from_str(&format!("{{{event}")).unwrap();
        let choice = &event["choices"][0];
        let at = choice["index"].as_u64().unwrap() as usize;
        ids[at].extend(choice["token_ids"].as_array().unwrap().clone());
    }
    for (choice, ids) in answer["choices"].as_array().unwrap().iter().zip(ids) {
        assert_eq!(choice["token_ids"], Value::from(ids));
    }
    let refused = server
        .post("/v1/completions", &json!({ "prompt": "x", "prompt_logprobs": 1, "stream": true }));
    assert!(
        refused.status == 400 && refused.body.contains("\"param\":\"prompt_logprobs\""),
        "{refused:?}"
    );
}

/// The document says what may be asked: each parameter in it is known; that each that isn't in it
/// is refused, is by construction.
#[test]
fn the_document_knows_the_parameters() {
    let server = Server::start(&["--ctx-size", "64"], None);
    let document: Value =
        serde_json::from_str(&server.exchange("GET", "/openapi.json", "", "").body).unwrap();
    for (path, name, body) in [
        ("/v1/completions", "CompletionRequest", json!({ "prompt": "x" })),
        (
            "/v1/chat/completions",
            "ChatRequest",
            json!({ "messages": [{ "role": "user", "content": "x" }] }),
        ),
        ("/v1/responses", "ResponseRequest", json!({ "input": "x" })),
    ] {
        let properties = document["components"]["schemas"][name]["properties"].as_object().unwrap();
        assert!(properties.len() > 30, "{name}");
        let known = properties.keys().map(|name| (true, name.as_str()));
        for (is_known, more) in known.chain([(false, "tool_choices"), (false, "guided_json")]) {
            let answer =
                server.post(path, &with(body.clone(), json!({ more: { "neither": ["this"] } })));
            // What is without effect may be anything.
            let is_free = ["user", "safety_identifier", "prompt_cache_key"].contains(&more);
            assert_eq!(
                answer.status,
                if is_free { 200 } else { 400 },
                "{path} {more}: {}",
                answer.body
            );
            let error: Value = serde_json::from_str(&answer.body).unwrap();
            let is_unknown = error["error"]["code"] == "unsupported_parameter"
                && error["error"]["param"] == more
                && error["error"]["message"].as_str().unwrap().contains("isn't supported here");
            assert_eq!(is_unknown, !is_known, "{path} {more}: {error}");
        }
    }
}

#[test]
fn log_probabilities_are_those_of_the_stated_stage() {
    let server = Server::start(&[], None);
    let body = json!({ "prompt": "The best tea is", "max_tokens": 5, "seed": 2, "temperature": 1.5, "top_k": 3, "logprobs": 5 });
    let at = |stage: &str| {
        server.good("/v1/completions", &with(body.clone(), json!({ "logprobs_stage": stage })))
    };
    let raw = server.good("/v1/completions", &body);
    assert_eq!(raw["choices"], at("raw")["choices"]);
    for stage in ["raw", "temperature", "truncation", "final"] {
        let answer = at(stage);
        assert_eq!(answer["choices"][0]["text"], raw["choices"][0]["text"], "{stage}");
        let logprobs = &answer["choices"][0]["logprobs"];
        assert_eq!(logprobs["stage"], stage);
        for (token, top) in logprobs["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .zip(logprobs["top_logprobs"].as_array().unwrap())
        {
            let top = top.as_object().unwrap();
            let sum: f64 = top.values().map(|logprob| logprob.as_f64().unwrap().exp()).sum();
            assert!(top.contains_key(token.as_str().unwrap()));
            if matches!(stage, "truncation" | "final") {
                assert!(top.len() == 3 && (sum - 1.0).abs() < 1e-9, "{stage} {sum}");
            } else {
                assert!(top.len() >= 5 && sum < 1.0, "{stage} {sum}");
            }
        }
    }
    // ln p at T is (ln p raw)/T and a constant: differences between tokens shrink by T.
    let top = |answer: &Value| -> Vec<f64> {
        let map = answer["choices"][0]["logprobs"]["top_logprobs"][0].as_object().unwrap();
        let mut all: Vec<f64> = map.values().map(|x| x.as_f64().unwrap()).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        all
    };
    let (cold, hot) = (top(&raw), top(&at("temperature")));
    for (cold, hot) in cold.windows(2).zip(hot.windows(2)) {
        assert!(((cold[0] - cold[1]) / 1.5 - (hot[0] - hot[1])).abs() < 1e-6, "{cold:?} {hot:?}");
    }
    for (more, param) in [
        (json!({ "logprobs_stage": "final", "echo": true }), "logprobs_stage"),
        (json!({ "logprobs_stage": "final", "logprobs": null }), "logprobs_stage"),
        (json!({ "logprobs_stage": "hot" }), "logprobs_stage"),
        (json!({ "bad_words": [""] }), "bad_words"),
        (json!({ "bad_words": "tea" }), "bad_words"),
        (json!({ "min_tokens": 6 }), "min_tokens"),
        (json!({ "store": true }), "store"),
        (json!({ "allowed_token_ids": [260], "bad_words": ["the"] }), ""),
    ] {
        let answer = server.post("/v1/completions", &with(body.clone(), more.clone()));
        assert_eq!(answer.status, 400, "{more}: {}", answer.body);
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(error["error"]["param"].as_str().unwrap_or(""), param, "{more}: {error}");
    }
}
