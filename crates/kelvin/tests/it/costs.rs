//! What a request can cost, at each bound and beyond it (`server/limits.rs` has the table), with a
//! very small model of random weights. No download.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::{Value, json};

fn server(args: &[&str]) -> Server {
    Server::tiny(&TinyModel::new(&MISTRAL_LIKE).speaking(), args)
}

/// What came of a request: its status, the parameter and the message.
fn outcome(server: &Server, path: &str, body: &Value) -> (u16, String, String) {
    let answer = server.post(path, body);
    let error = serde_json::from_str::<Value>(&answer.body)
        .map_or(Value::Null, |body| body["error"].clone());
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_string();
    (answer.status, text("param"), text("message"))
}

#[test]
fn each_bound_of_a_request_holds() {
    let server = server(&[]);
    let words = |n: usize, len: usize| vec!["x".repeat(len); n];
    let biases = |n: u32| Value::Object((0..n).map(|id| (id.to_string(), json!(1))).collect());
    let chain = |len: usize| format!("{:len$}", "temp=1");
    let choice = |n: usize| json!({ "choice": words(n, 1) });
    // A parameter, at its bound and just beyond.
    for (name, at, beyond) in [
        ("n", json!(16), json!(17)),
        ("temperatures", json!(vec![1; 16]), json!(vec![1; 17])),
        ("best_of", json!(1), json!(2)),
        ("logprobs", json!(20), json!(21)),
        ("prompt_logprobs", json!(20), json!(21)),
        ("stop", json!(words(16, 1024)), json!(words(17, 1))),
        ("stop", json!(words(1, 1024)), json!(words(1, 1025))),
        ("bad_words", json!(words(256, 3)), json!(words(257, 3))),
        ("bad_words", json!(words(1, 1024)), json!(words(1, 1025))),
        ("ban_strings", json!(words(64, 3)), json!(words(65, 3))),
        ("ban_strings", json!(words(1, 256)), json!(words(1, 257))),
        ("stop_token_ids", json!(vec![5; 4096]), json!(vec![5; 4097])),
        ("allowed_token_ids", json!(vec![5; 4096]), json!(vec![5; 4097])),
        ("logit_bias", biases(100), biases(4097)),
        ("sampler", json!(chain(4096)), json!(chain(4097))),
        ("structured_outputs", choice(1024), choice(1025)),
        (
            "structured_outputs",
            json!({ "regex": "x".repeat(100) }),
            json!({ "regex": "x".repeat((16 << 10) + 1) }),
        ),
        (
            "structured_outputs",
            json!({ "json": {} }),
            json!({ "json": { "const": "x".repeat(64 << 10) } }),
        ),
        ("prompt", json!(words(128, 1)), json!(words(129, 1))),
    ] {
        let ask = |value: &Value| {
            let mut body = json!({ "prompt": "x", "max_tokens": 1 });
            body[name] = value.clone();
            outcome(&server, "/v1/completions", &body)
        };
        assert_eq!(ask(&at), (200, String::new(), String::new()), "{name}");
        let (status, param, message) = ask(&beyond);
        assert!(
            status == 400 && param == name && message.len() < 1000,
            "{name}: {status} {param} {message}"
        );
    }
    let chat = |n: usize| json!({ "messages": vec![json!({ "role": "user", "content": "" }); n] });
    let (_, _, few) = outcome(&server, "/v1/chat/completions", &chat(4096));
    let (_, _, many) = outcome(&server, "/v1/chat/completions", &chat(4097));
    assert!(
        !few.contains("1 to 4096 messages") && many.contains("1 to 4096 messages"),
        "{few}; {many}"
    );
}

#[test]
fn each_bound_of_the_studio_holds() {
    let server = server(&[]);
    let logits = |n: usize| json!({ "logits": vec![json!({ "logit": 1 }); n] });
    let live = |name: &str, value: Value| json!({ "prompt": "x", name: value });
    let columns =
        |n: usize| json!({ "prompt": "x", "max_tokens": 1, "columns": vec![json!({}); n] });
    for (path, param, at, beyond) in [
        ("/studio/softmax", "logits", logits(64), logits(65)),
        ("/studio/curves", "logits", logits(64), logits(65)),
        ("/studio/write", "columns", columns(16), columns(17)),
        ("/studio/next", "top", live("top", json!(200)), live("top", json!(201))),
        (
            "/studio/next",
            "watch",
            live("watch", json!(vec![5; 8])),
            live("watch", json!(vec![5; 9])),
        ),
        ("/studio/fan", "top", live("top", json!(16)), live("top", json!(17))),
        ("/studio/draws", "n", live("n", json!(10_000)), live("n", json!(10_001))),
        (
            "/studio/next",
            "sampler",
            live("sampler", json!("temp=1")),
            live("sampler", json!("x".repeat(4097))),
        ),
    ] {
        assert_eq!(outcome(&server, path, &at).0, 200, "{path} {param}");
        let (status, found, message) = outcome(&server, path, &beyond);
        assert!(
            status == 400 && found == param && message.len() < 1000,
            "{path}: {status} {found} {message}"
        );
    }
}

/// The longest token, `<unk>`, has five bytes: no text of more than five times as many characters
/// fits.
#[test]
fn a_prompt_that_cannot_fit_is_refused_before_it_is_tokenized() {
    let server = server(&["--ctx-size", "100"]);
    let chat = |text: &str| json!([{ "role": "user", "content": text }]);
    for (path, name, body) in [
        (
            "/v1/completions",
            "prompt",
            (|text: &str| json!({ "prompt": text })) as fn(&str) -> Value,
        ),
        ("/v1/completions", "prompt", |text| json!({ "prompt": ["x", text] })),
        (
            "/v1/chat/completions",
            "messages",
            |text| json!({ "messages": [{ "role": "user", "content": text }] }),
        ),
        ("/v1/responses", "input", |text| json!({ "input": text })),
        ("/studio/next", "prompt", |text| json!({ "prompt": text })),
    ] {
        let (status, param, said) = outcome(&server, path, &body(&"é".repeat(600)));
        assert!(status == 400 && param == name, "{path}: {status} {param}");
        assert!(
            said.contains(" characters") && said.contains("100 tokens") && said.contains("500 "),
            "{said}"
        );
        // What could fit is tokenized, and its tokens counted.
        let (status, _, said) = outcome(&server, path, &body(&"é".repeat(490)));
        assert!(
            status == 400 && !said.contains("characters") && said.contains("tokens"),
            "{path}: {said}"
        );
    }
    // A route whose answer is the tokens has no context.
    let answer = server.good("/tokenize", &json!({ "messages": chat(&"é".repeat(600)) }));
    assert_eq!(answer["count"], 603);
}

/// A request whose body of `len` bytes doesn't come but for its first `sent`.
fn begun(server: &Server, len: usize, sent: usize) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!(
        "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: \
         application/json\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body(len).as_bytes()[..sent]).unwrap();
    stream
}

fn body(len: usize) -> String {
    let (open, close) = ("{\"prompt\": \"", "\"}");
    format!("{open}{}{close}", "x".repeat(len - open.len() - close.len()))
}

#[test]
fn large_bodies_take_turns() {
    let server = server(&["--patience", "60"]);
    let stalled: Vec<TcpStream> = (0..32).map(|_| begun(&server, 200_000, 100_000)).collect();
    std::thread::sleep(Duration::from_millis(500));
    let mut waits = begun(&server, 100_000, 100_000);
    // Small ones don't wait for a place.
    let begun = Instant::now();
    server.good("/v1/completions", &json!({ "prompt": "x".repeat(60), "max_tokens": 1 }));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    waits.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(waits.read(&mut [0; 10]).is_err(), "there was a place");
    drop(stalled);
    waits.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let answer = server.answer(waits);
    assert!(answer.status == 200 && answer.body.contains("\"count\":99988"), "{}", answer.status);
}

#[test]
fn long_headers_are_refused() {
    let server = server(&[]);
    let status = |len: usize| {
        server.exchange("GET", "/health", &format!("X-Long: {}\r\n", "x".repeat(len)), "").status
    };
    assert_eq!([status(30_000), status(200_000)], [200, 431]);
}

/// Particles, tries and moves count like the tokens of ordinary texts, of which there are at most as
/// many as `--parallel` allows, each as long as the context.
#[test]
fn a_temperature_of_texts_costs_no_more_than_as_many_texts() {
    let server = server(&["--parallel", "4", "--ctx-size", "100"]);
    let ask = |more: Value| {
        let mut body = json!({ "prompt": "x", "max_tokens": 10, "text_temperature": 0.5 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        outcome(&server, "/v1/completions", &body)
    };
    // 4 texts of 100 tokens are 400: 40 tries of 10, or 39 moves of 10 after the first 10.
    let bound = "at most 400 are computed for a request";
    for (at, beyond, param, words) in [
        (
            json!({ "text_particles": 4 }),
            json!({ "text_particles": 5 }),
            "text_particles",
            "5 particles are more than the 4",
        ),
        (
            json!({ "text_method": "exact", "text_tries": 40, "text_temperature": 1 }),
            json!({ "text_method": "exact", "text_tries": 41, "text_temperature": 1 }),
            "text_temperature",
            bound,
        ),
        (
            json!({ "text_method": "mcmc", "text_moves": 39 }),
            json!({ "text_method": "mcmc", "text_moves": 40 }),
            "text_temperature",
            bound,
        ),
        (
            json!({ "text_particles": 4, "n": 4 }),
            json!({ "text_particles": 4, "n": 4, "max_tokens": 26 }),
            "text_temperature",
            bound,
        ),
    ] {
        assert_eq!(ask(at), (200, String::new(), String::new()));
        let (status, name, message) = ask(beyond);
        assert!(status == 400 && name == param && message.contains(words), "{name}: {message}");
    }
}
