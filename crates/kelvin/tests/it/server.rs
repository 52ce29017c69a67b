//! `kelvin serve` with a very small model of random weights: what reliability asks of a server,
//! each promise provoked. No download.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use kelvin_testkit::{
    load::{at_rest, load},
    server::{Server, streamed_text},
    tiny::{MISTRAL_LIKE, Meta, POISON, TinyModel},
};
use serde_json::{Value, json};

/// One that can write for a long time.
fn model() -> TinyModel {
    let mut model = TinyModel::new(&MISTRAL_LIKE).speaking();
    model.set("context_length", Meta::U32(200_000));
    model
}

fn server(args: &[&str]) -> Server {
    Server::tiny(&model(), args)
}

fn text_of(answer: &Value, choice: usize) -> &str {
    answer["choices"][choice]["text"].as_str().unwrap()
}

fn cached(answer: &Value) -> u64 {
    answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap()
}

/// A stream that goes on until somebody ends it.
fn endless(prompt: &str) -> String {
    json!({ "prompt": prompt, "max_tokens": 100_000, "ignore_eos": true, "stream": true })
        .to_string()
}

/// A stream that has begun.
fn begun(server: &Server, body: &str) -> TcpStream {
    let mut stream = server.send("POST", "/v1/completions", "", body);
    stream.read_exact(&mut [0; 1000]).unwrap();
    stream
}

#[test]
fn overload_is_503_with_retry_after() {
    let server = server(&["--parallel", "1", "--queue", "1"]);
    let runs = begun(&server, &endless("Once"));
    let waits = server.send("POST", "/v1/completions", "", &endless("Once"));
    server.wait_for("kelvin_requests_waiting", 1.0);
    let refused = server.exchange("POST", "/v1/completions", "", &endless("Once"));
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(
        refused.head.contains("retry-after: ") && refused.body.contains("queue_full"),
        "{refused:?}"
    );
    assert_eq!(server.metric("kelvin_errors_total{code=\"queue_full\"}"), 1.0);
    // Whoever goes away makes room, waiting or running.
    drop(waits);
    server.wait_for("kelvin_requests_waiting", 0.0);
    drop(runs);
    server.wait_for("kelvin_requests_running", 0.0);
    server.good("/v1/completions", &json!({ "prompt": "Tea", "max_tokens": 2 }));
}

#[test]
fn disconnecting_frees_everything_whether_queued_reading_or_writing() {
    let server = server(&["--parallel", "2", "--cache-tokens", "400000"]);
    let other = json!({ "prompt": "Tea is", "seed": 3, "max_tokens": 300, "ignore_eos": true });
    let alone = server.good("/v1/completions", &other);
    let long = json!({ "prompt": "y".repeat(150_000), "max_tokens": 5 }).to_string();
    for streams in [true, false] {
        // While writing, once; the other slot reads.
        let mut body: Value = serde_json::from_str(&endless("Once")).unwrap();
        body["stream"] = streams.into();
        let writes = server.send("POST", "/v1/completions", "", &body.to_string());
        server.wait_for("kelvin_requests_running", 1.0);
        let reads = server.send("POST", "/v1/completions", "", &long);
        server.wait_for("kelvin_requests_running", 2.0);
        let waits = server.send("POST", "/v1/completions", "", &endless("Wait"));
        server.wait_for("kelvin_requests_waiting", 1.0);
        thread::sleep(Duration::from_millis(100));
        assert!(server.metric("kelvin_cache_pages_promised") > 1000.0);
        drop(waits);
        server.wait_for("kelvin_requests_waiting", 0.0);
        // What is left isn't disturbed: a third text says what it says alone.
        drop(reads);
        server.wait_for("kelvin_requests_running", 1.0);
        let beside = server.good("/v1/completions", &other);
        assert_eq!(text_of(&beside, 0), text_of(&alone, 0));
        drop(writes);
        at_rest(&server);
    }
    assert_eq!(server.metric("kelvin_cancelled_total"), 4.0, "two read and two wrote");
}

#[test]
fn slow_clients_are_not_waited_for() {
    let server = server(&["--patience", "1", "--parallel", "1"]);
    let ends = |stream: &mut TcpStream| {
        let begun = Instant::now();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        String::from_utf8_lossy(&said).into_owned()
    };
    // A header that never ends.
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n").unwrap();
    assert!(!ends(&mut stream).contains("200"));
    // A body that never ends.
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: \
        application/json\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    let said = ends(&mut stream);
    assert!(said.contains("408") && said.contains("request_timeout"), "{said}");
    // A client that asks for much and reads nothing: its place is free again long before its answer
    // would have been taken.
    let mut body: Value = serde_json::from_str(&endless("Once")).unwrap();
    (body["max_tokens"], body["logprobs"]) = (json!(150_000), json!(20));
    let stuck = begun(&server, &body.to_string());
    server.wait_for("kelvin_requests_running", 0.0);
    assert_eq!(server.metric("kelvin_cancelled_total"), 1.0);
    at_rest(&server);
    drop(stuck);
    // A body that is too long, whether it says so or not.
    let large = format!("{{\"prompt\": \"{}\"}}", "x".repeat(5 << 20));
    assert_eq!(server.exchange("POST", "/v1/completions", "", &large).status, 413);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: \
        application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{large}\r\n", large.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(chunk.as_bytes()));
    assert!(ends(&mut stream).contains("413"));
}

#[test]
fn idle_connections_hold_nobody_up() {
    let server = server(&["--connections", "8", "--patience", "60"]);
    // One that is being answered, one whose body doesn't come, and many that say nothing.
    let mut runs = begun(&server, &endless("Once"));
    let mut stalls = TcpStream::connect(&server.address).unwrap();
    let head = "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: \
        application/json\r\nContent-Length: 9\r\n\r\n{";
    stalls.write_all(head.as_bytes()).unwrap();
    let idle: Vec<TcpStream> =
        (0..40).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    let begun = Instant::now();
    for _ in 0..3 {
        server.good("/v1/completions", &json!({ "prompt": "Tea", "max_tokens": 2 }));
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    // The oldest went, whoever waits for an answer stays.
    stalls.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let end = stalls.read(&mut [0; 100]).map_err(|error| error.kind());
    assert!(matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset)), "{end:?}");
    runs.read_exact(&mut [0; 20_000]).unwrap();
    server.wait_for("kelvin_requests_running", 1.0);
    drop((idle, runs));
}

#[test]
fn a_context_that_overflows_is_refused_with_both_numbers() {
    let server = server(&["--ctx-size", "64"]);
    for body in [
        json!({ "prompt": "x".repeat(100), "max_tokens": 1 }),
        json!({ "prompt": "x".repeat(30), "max_tokens": 60 }),
    ] {
        let answer = server.post("/v1/completions", &body);
        assert_eq!(answer.status, 400, "{}", answer.body);
        let n = body["prompt"].as_str().unwrap().len() + 2;
        assert!(answer.body.contains("context_length_exceeded"), "{}", answer.body);
        assert!(
            answer.body.contains("64") && answer.body.contains(&n.to_string()),
            "{}",
            answer.body
        );
    }
    assert_eq!(server.metric("kelvin_steps_total"), 0.0, "before any work");
}

#[test]
fn room_is_promised_before_a_text_begins_and_taken_back_from_what_is_kept() {
    // Room for three of these at once, at most.
    let server = server(&["--ctx-size", "1000", "--cache-tokens", "1000", "--parallel", "16"]);
    let room = server.metric("kelvin_cache_pages");
    let body = |i: u64| json!({ "prompt": format!("{i} begins"), "seed": i, "max_tokens": 300, "ignore_eos": true, "logit_bias": {"100": -100} });
    let alone: Vec<Value> = (0..4).map(|i| server.good("/v1/completions", &body(i))).collect();
    thread::scope(|scope| {
        for i in 0..12 {
            let (server, alone, body) = (&server, &alone, &body);
            scope.spawn(move || {
                let answer = server.good("/v1/completions", &body(i % 4));
                assert_eq!(answer["usage"]["completion_tokens"], 300, "{answer}");
                assert_eq!(text_of(&answer, 0), text_of(&alone[(i % 4) as usize], 0));
            });
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(1) {
            let (used, promised) = (
                server.metric("kelvin_cache_pages_used"),
                server.metric("kelvin_cache_pages_promised"),
            );
            assert!(used <= room, "{used} of {room} used");
            // The two are looked at one after the other; apart from that they fit.
            assert!(promised <= room, "{promised} of {room} promised");
        }
    });
    at_rest(&server);
    // As much as there is, alone; and more than there is.
    let whole = json!({ "prompt": "x", "max_tokens": 990, "ignore_eos": true });
    assert_eq!(server.good("/v1/completions", &whole)["usage"]["completion_tokens"], 990);
    let answer =
        server.post("/v1/completions", &json!({ "prompt": "x", "max_tokens": 500, "n": 4 }));
    assert!(answer.status == 400 && answer.body.contains("there is room for"), "{}", answer.body);
}

#[cfg(unix)]
#[test]
fn shutdown_drains_then_says_so_and_a_second_signal_cuts_it_short() {
    let rest = |stream: &mut TcpStream| {
        let mut rest = String::new();
        let _ = stream.read_to_string(&mut rest);
        rest
    };
    // What runs is finished; nobody new is let in.
    let mut finishing = server(&[]);
    let body = json!({ "prompt": "Once", "max_tokens": 8000, "ignore_eos": true, "stream": true })
        .to_string();
    let mut runs = begun(&finishing, &body);
    finishing.terminate();
    thread::sleep(Duration::from_millis(200));
    assert!(TcpStream::connect(&finishing.address).is_err(), "still accepting");
    let said = rest(&mut runs);
    assert!(said.contains("[DONE]") && said.contains("\"finish_reason\":\"length\""), "{said}");
    assert!(finishing.end().success());
    // What takes longer than the drain is told so, and so is what takes longer than somebody's
    // patience.
    for (args, signals) in [(["--drain", "1"], 1), (["--drain", "600"], 2)] {
        let mut server = server(&args);
        let mut runs = begun(&server, &endless("Once"));
        let begun = Instant::now();
        for _ in 0..signals {
            server.terminate();
            thread::sleep(Duration::from_millis(300));
        }
        let said = rest(&mut runs);
        assert!(said.contains("shutting_down") && !said.contains("[DONE]"), "{said}");
        assert!(server.end().success() && begun.elapsed() < Duration::from_secs(10), "{args:?}");
    }
    // Ctrl-C drains as well, and the second one ends the process at once.
    let mut server = server(&["--drain", "600"]);
    let _runs = begun(&server, &endless("Once"));
    server.signal("-INT");
    thread::sleep(Duration::from_millis(300));
    assert!(server.is_running());
    let begun = Instant::now();
    server.signal("-INT");
    assert_eq!(server.end().code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[test]
fn only_this_machine_and_only_with_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    std::fs::write(&file, "secret\n").unwrap();
    let server = server(&["--api-key-file", file.to_str().unwrap()]);
    let status = |headers: &str, path: &str| server.exchange("GET", path, headers, "").status;
    for (headers, expected) in [
        ("", 401),
        ("Authorization: Bearer wrong\r\n", 401),
        ("Authorization: Basic secret\r\n", 401),
        ("Authorization: Bearer secret\r\n", 200),
    ] {
        assert_eq!(status(headers, "/v1/models"), expected, "{headers}");
    }
    assert_eq!(status("", "/health"), 200);
    // A name that somebody gave this address (DNS rebinding), and a page that somebody else's
    // server sent.
    assert_eq!(status("Host: evil.example\r\nAuthorization: Bearer secret\r\n", "/v1/models"), 403);
    let answer = server.exchange(
        "OPTIONS",
        "/v1/completions",
        "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\nAuthorization: \
         Bearer secret\r\n",
        "",
    );
    assert!(answer.status >= 400 && !answer.head.contains("access-control-allow"), "{answer:?}");
}

#[test]
fn nan_logits_end_one_request_by_name_and_no_other() {
    let server = Server::tiny(&model().poisoned(), &[]);
    let good = json!({ "prompt": "Once", "seed": 1, "max_tokens": 2000, "ignore_eos": true, "logit_bias": {"100": -100} });
    let alone = server.good("/v1/completions", &good);
    thread::scope(|scope| {
        let beside = scope.spawn(|| server.good("/v1/completions", &good));
        let mut bad = json!({ "prompt": format!("Once{POISON} upon"), "max_tokens": 5 });
        let answer = server.post("/v1/completions", &bad);
        assert_eq!(answer.status, 500, "{}", answer.body);
        assert!(
            answer.body.contains("bad_logits") && answer.body.contains("logits"),
            "{}",
            answer.body
        );
        bad["stream"] = true.into();
        let answer = server.post("/v1/completions", &bad);
        assert!(answer.status == 200 && answer.body.contains("bad_logits"), "{}", answer.body);
        assert!(!answer.body.contains("[DONE]"));
        // In a list of prompts as well.
        bad = json!({ "prompt": ["Tea", format!("{POISON}")], "max_tokens": 5 });
        assert_eq!(server.post("/v1/completions", &bad).status, 500);
        assert_eq!(text_of(&beside.join().unwrap(), 0), text_of(&alone, 0));
    });
    assert_eq!(server.metric("kelvin_errors_total{code=\"bad_logits\"}"), 3.0);
    at_rest(&server);
}

#[test]
fn beginnings_are_read_once() {
    let server = server(&["--ctx-size", "20000"]);
    let prompt = "The road is long. ".repeat(100);
    let n_tokens = prompt.len() as u64 + 2;
    // All of them together: one reads, the others take it over but for what doesn't fill a page.
    let body = |i: u64| json!({ "prompt": format!("{prompt}{i}"), "seed": i, "max_tokens": 8 });
    let answers: Vec<Value> = thread::scope(|scope| {
        let running: Vec<_> = (0..4)
            .map(|i| {
                let (server, body) = (&server, body(i));
                scope.spawn(move || server.good("/v1/completions", &body))
            })
            .collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let read: u64 = answers.iter().map(|answer| n_tokens + 1 - cached(answer)).sum();
    assert!(read < n_tokens + 4 * 64, "{read} tokens were read of 4 times {n_tokens}");
    // The choices of a prompt, and the prompts of a list.
    let fresh = "But the night is short. ".repeat(100);
    let answer =
        server.good("/v1/completions", &json!({ "prompt": fresh, "n": 3, "max_tokens": 4 }));
    assert!(cached(&answer) < 40, "a prompt with three choices is read once");
    let list: Vec<String> = (0..5).map(|i| format!("Other words to begin. {fresh}{i}")).collect();
    let answer = server.good("/v1/completions", &json!({ "prompt": list, "max_tokens": 4 }));
    let (n, found) = (answer["usage"]["prompt_tokens"].as_u64().unwrap(), cached(&answer));
    assert!(n - found < n / 5 + 5 * 64, "{found} of {n} found");
    // A text that is still being written.
    let mut runs = begun(&server, &endless("A tale").replace("100000", "15000"));
    let mut said = vec![0; 40_000];
    runs.read_exact(&mut said).unwrap();
    drop(runs);
    // Whether found or read anew, the same text: another server has read nothing.
    let other = self::server(&["--ctx-size", "20000", "--threads", "1"]);
    for (i, answer) in answers.iter().enumerate() {
        let mut again = body(i as u64);
        assert_eq!(text_of(&other.good("/v1/completions", &again), 0), text_of(answer, 0));
        again["stream"] = true.into();
        assert_eq!(
            streamed_text(&server.post("/v1/completions", &again).body, 0),
            text_of(answer, 0)
        );
    }
    // What is scored is read anew, and what it read is found.
    let scored = json!({ "prompt": "Score this text of more than thirty-two \
        tokens.", "echo": true, "logprobs": 1, "max_tokens": 1, "seed": 1 });
    let (first, second) =
        (server.good("/v1/completions", &scored), server.good("/v1/completions", &scored));
    assert_eq!((cached(&first), cached(&second)), (0, 0));
    assert_eq!(first["choices"], second["choices"]);
    let plain = json!({ "prompt": scored["prompt"], "max_tokens": 1 });
    assert_eq!(cached(&server.good("/v1/completions", &plain)), 48);
    at_rest(&server);
}

#[test]
fn a_large_job_and_a_long_prompt_hold_nobody_up() {
    let server = server(&["--parallel", "4", "--ctx-size", "60000", "--cache-tokens", "60000"]);
    let small = json!({ "prompt": "Tea", "seed": 1, "max_tokens": 20, "ignore_eos": true });
    let runs = begun(&server, &endless("Once").replace("100000", "40000"));
    // It needs more room than is left, so it waits, and small ones go past it.
    let mut large =
        server.send("POST", "/v1/completions", "", &endless("Long").replace("100000", "50000"));
    server.wait_for("kelvin_requests_waiting", 1.0);
    for _ in 0..3 {
        server.good("/v1/completions", &small);
    }
    assert_eq!(server.metric("kelvin_requests_waiting"), 1.0);
    drop(runs);
    large.read_exact(&mut [0; 1000]).unwrap();
    drop(large);
    server.wait_for("kelvin_requests_running", 0.0);
    // While a long prompt is read, a short one that came later is read and answered.
    let long = json!({ "prompt": "z".repeat(50_000), "max_tokens": 1 });
    thread::scope(|scope| {
        let reads = scope.spawn(|| server.good("/v1/completions", &long));
        server.wait_for("kelvin_requests_running", 1.0);
        server.good("/v1/completions", &small);
        assert!(!reads.is_finished(), "the long one should have taken longer");
        reads.join().unwrap();
    });
    at_rest(&server);
}

#[test]
fn figures_and_logs_tell_what_happened() {
    let server = server(&[]);
    let body = json!({ "prompt": "Once upon a time, a long time \
        ago", "seed": 1, "max_tokens": 10, "ignore_eos": true });
    let answer = server.post("/v1/completions", &body);
    server.good("/v1/completions", &body);
    let id = answer.head.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    let log = server.log();
    let of_request: Vec<&str> = log.lines().filter(|line| line.contains(id)).collect();
    assert!(of_request.iter().any(|line| line.contains("done")), "{log}");
    assert!(
        of_request.iter().any(|line| line.contains("answered") && line.contains("status=200")),
        "{log}"
    );
    assert!(answer.body.contains(id), "the answer's own id has it as well");
    server.post("/v1/completions", &json!({ "prompt": "x", "n": -1 }));
    for (name, value) in [
        ("kelvin_prompt_tokens_total", 70.0),
        ("kelvin_cached_tokens_total", 34.0),
        ("kelvin_generated_tokens_total", 20.0),
        ("kelvin_time_to_first_token_seconds_count", 2.0),
        ("kelvin_time_between_tokens_seconds_count", 18.0),
        ("kelvin_errors_total{code=\"invalid_value\"}", 1.0),
        ("kelvin_requests_running", 0.0),
    ] {
        server.wait_for(name, value);
    }
    assert!(server.metric("kelvin_http_responses_total{status=\"200\"}") >= 2.0);
    let used = server.metric("kelvin_cache_pages_used");
    assert!(used > 0.0 && used == server.metric("kelvin_cache_pages_kept"));
}

#[test]
fn a_crowd_gets_what_each_gets_alone_and_leaves_nothing() {
    load(
        &server(&["--parallel", "16", "--ctx-size", "2048", "--cache-tokens", "8192"]),
        Duration::from_secs(6),
    );
}
