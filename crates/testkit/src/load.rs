//! A load test: many clients, some of which disconnect. Every text that was received in full equals
//! the text that it has alone, and nothing is leaked.

use std::{
    io::Read,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    server::{Server, streamed_text},
    tiny::Random,
};

/// Clients at once.
const CLIENTS: u64 = 64;
/// How much more memory a server may take after a while than after it has done everything once, in
/// bytes.
const MAX_GROWTH: u64 = 48 << 20;

/// A request, and what it's answered with.
struct Case {
    path: &'static str,
    body: Value,
    texts: Vec<String>,
}

/// What came of it.
#[derive(Debug, Default)]
struct Counts {
    answered: AtomicUsize,
    hung_up: AtomicUsize,
}

/// Lets the crowd in for so long, and says what came of it.
pub fn load(server: &Server, duration: Duration) {
    let cases = cases(server);
    crowd(server, &cases, duration / 6, &Counts::default());
    at_rest(server);
    let (before, begun, counts) = (resident(server), Instant::now(), Counts::default());
    let tokens = |name: &str| server.metric(&format!("kelvin_{name}_tokens_total"));
    let at_start = ["prompt", "cached", "generated"].map(tokens);
    crowd(server, &cases, duration, &counts);
    at_rest(server);
    let (after, secs) = (resident(server), begun.elapsed().as_secs_f64());
    let n: Vec<f64> = ["prompt", "cached", "generated"]
        .iter()
        .zip(at_start)
        .map(|(name, old)| tokens(name) - old)
        .collect();
    let (answered, hung_up) = (counts.answered.load(Relaxed), counts.hung_up.load(Relaxed));
    println!(
        "{secs:.0} s: {answered} answers, all as they are alone; {hung_up} clients hung up; {:.0} \
         tokens of prompts, {:.0} of them found, {:.0} \
         drawn ({:.0}/s); {} MB resident, {} MB before",
        n[0],
        n[1],
        n[2],
        n[2] / secs,
        after >> 20,
        before >> 20
    );
    assert!(answered > 32 && hung_up > 8, "{answered} answers, {hung_up} clients hung up");
    assert!(after < before + MAX_GROWTH, "{before} bytes have become {after}");
    let log = server.log();
    let bad = log.lines().find(|line| line.contains("ERROR") || line.contains("panicked"));
    assert_eq!(bad, None);
    for status in [500, 503] {
        assert_eq!(
            server.metric(&format!("kelvin_http_responses_total{{status=\"{status}\"}}")),
            0.0
        );
    }
}

/// Requests of all kinds, with what they are answered with alone.
fn cases(server: &Server) -> Vec<Case> {
    let story = "The road to the mountains is long, and the tea is hot. ".repeat(12);
    let mut cases = Vec::new();
    for i in 0..24u64 {
        let mut body = json!({ "seed": i, "temperature": 0.5 + i as f64 / 16.0, "max_tokens": 4 + i, "ignore_eos": true });
        let path = match i % 4 {
            0 => {
                body["messages"] =
                    json!([{ "role": "user", "content": format!("Tell me {i} things") }]);
                "/v1/chat/completions"
            }
            1 => {
                body["prompt"] = format!("{}{i}", &story[..40 * i as usize % story.len()]).into();
                body["n"] = (1 + i % 3).into();
                "/v1/completions"
            }
            2 => {
                body["prompt"] = format!("{story}And then, {i},").into();
                body["logprobs"] = 2.into();
                body["echo"] = (i % 8 == 2).into();
                "/v1/completions"
            }
            _ => {
                body["prompt"] = json!([format!("Once {i}"), "Once upon", format!("{i} tales")]);
                body["sampler"] = "top_k=20 | temp=1.1".into();
                body.as_object_mut().unwrap().remove("temperature");
                "/v1/completions"
            }
        };
        let answer = server.good(path, &body);
        let choices = answer["choices"].as_array().unwrap();
        let text = |choice: &Value| {
            choice["text"].as_str().or(choice["message"]["content"].as_str()).map(str::to_string)
        };
        let texts = choices.iter().map(|choice| text(choice).unwrap()).collect();
        cases.push(Case { path, body, texts });
    }
    cases
}

fn crowd(server: &Server, cases: &[Case], duration: Duration, counts: &Counts) {
    let end = Instant::now() + duration;
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                let mut random = Random(0x9E37_79B9 + client * 0x1234_5677);
                while Instant::now() < end {
                    one_request(server, cases, &mut random, counts);
                }
            });
        }
    });
}

fn one_request(server: &Server, cases: &[Case], random: &mut Random, counts: &Counts) {
    let mut chance = |n: usize| random.token(n + 1) as usize % n;
    let case = &cases[chance(cases.len())];
    let mut body = case.body.clone();
    let streams = chance(3) > 0;
    body["stream"] = streams.into();
    let mut stream = server.send("POST", case.path, "", &body.to_string());
    if chance(3) == 0 {
        // At once, or somewhere in the answer.
        let most = if chance(2) == 0 { 0 } else { chance(20_000) };
        stream.set_read_timeout(Some(Duration::from_millis(1 + chance(2000) as u64))).unwrap();
        let mut left = vec![0; most];
        let _ = stream.read_exact(&mut left);
        counts.hung_up.fetch_add(1, Relaxed);
        return;
    }
    // A slow machine has 64 of them to serve.
    stream.set_read_timeout(Some(Duration::from_secs(600))).unwrap();
    let answer = server.answer(stream);
    assert_eq!(answer.status, 200, "{}", answer.body);
    if streams {
        assert!(answer.body.trim_end().ends_with("[DONE]"), "{}", answer.body);
        for (i, text) in case.texts.iter().enumerate() {
            assert_eq!(streamed_text(&answer.body, i as u64), *text, "{body}");
        }
    } else {
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        for (choice, text) in answer["choices"].as_array().unwrap().iter().zip(&case.texts) {
            let own = choice["text"].as_str().or(choice["message"]["content"].as_str());
            assert_eq!(own, Some(text.as_str()), "{body}");
        }
    }
    counts.answered.fetch_add(1, Relaxed);
}

/// Nothing runs, waits or is promised, and what is held is held by the cache alone.
pub fn at_rest(server: &Server) {
    for name in
        ["kelvin_requests_running", "kelvin_requests_waiting", "kelvin_cache_pages_promised"]
    {
        server.wait_for(name, 0.0);
    }
    assert_eq!(server.metric("kelvin_cache_pages_used"), server.metric("kelvin_cache_pages_kept"));
}

/// Bytes of memory that the server has, where the system tells.
fn resident(server: &Server) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10)
}
