//! A request's body in: it is answered with JSON or refused with a 4xx in OpenAI's shape, and
//! nothing panics.
//!
//! The first byte picks the route. A request that would step the model ends with the 503 of a
//! server that shuts down.

use std::{
    cell::OnceCell,
    fs,
    time::{Duration, Instant},
};

use kelvin_engine::{Engine, transformer::ModelOptions};
use kelvin_server::DryRun;
use kelvin_testkit::tiny;
use serde_json::Value;

/// Every route that takes a body.
pub(crate) const ROUTES: [&str; 18] = [
    "/v1/completions",
    "/v1/chat/completions",
    "/v1/responses",
    "/tokenize",
    "/detokenize",
    "/apply-template",
    "/studio/chain",
    "/studio/tokens",
    "/studio/softmax",
    "/studio/curves",
    "/studio/next",
    "/studio/fan",
    "/studio/flips",
    "/studio/nearest",
    "/studio/draws",
    "/studio/write",
    "/studio/encode",
    "/v1/decisions",
];
/// Those that answer with a list.
const LISTS: [&str; 2] = ["/studio/tokens", "/studio/encode"];
const MAX_TIME: Duration = Duration::from_secs(6);
const MAX_MESSAGE: usize = 4000;

/// Panics if the request breaks a promise.
pub(crate) fn check(bytes: &[u8]) {
    thread_local! {
        static REQUESTS: OnceCell<DryRun> = const { OnceCell::new() };
    }
    let Some((&pick, body)) = bytes.split_first() else { return };
    let path = ROUTES[usize::from(pick) % ROUTES.len()];
    REQUESTS.with(|requests| {
        let requests = requests.get_or_init(start);
        let begun = Instant::now();
        let (status, answer) = requests.post(path, body);
        assert!(begun.elapsed() <= MAX_TIME, "{path}: {:?}", begun.elapsed());
        let answer: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
        match status {
            200 if LISTS.contains(&path) => assert!(answer.is_array(), "{path}: {answer}"),
            200 => assert!(answer.is_object(), "{path}: {answer}"),
            400 | 404 | 413 | 503 => check_problem(path, status, &answer["error"], bytes.len()),
            other => panic!("{path}: status {other}: {answer}"),
        }
    });
}

fn check_problem(path: &str, status: u16, error: &Value, n_bytes: usize) {
    let message = error["message"].as_str().expect("an error has a message");
    assert!(
        !message.is_empty() && message.len() <= MAX_MESSAGE + 6 * n_bytes,
        "{path}: {} bytes",
        message.len()
    );
    assert!(error["type"].is_string() && error["code"].is_string(), "{path}: {error}");
    assert!(error["param"].is_null() || error["param"].is_string(), "{path}: {error}");
    assert!(status != 503 || error["code"] == "shutting_down", "{path}: {error}");
}

fn start() -> DryRun {
    let path = tiny::TinyModel::new(&tiny::MISTRAL_LIKE).speaking().write();
    let options = ModelOptions { threads: 1, isa: None };
    let engine = Engine::open(&path, &options, &mut |_, _| {}).expect("the tiny model is sound");
    // The model is in memory.
    let _ = fs::remove_file(path);
    DryRun::new(engine).expect("a thread can be started")
}
