//! The studio's menu of models, on tiny models: another one is served at the same address, a file
//! that is none gives way to the one before, and others can't change a server's model.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::{Value, json};

/// A folder of models: one to begin with, one from the hub, and a file that is none.
fn models() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let made = TinyModel::new(&MISTRAL_LIKE).speaking().write_in(root.path());
    let hub = root.path().join("hub/someone/some-model");
    fs::create_dir_all(&hub).unwrap();
    fs::copy(&made, hub.join("weights.gguf")).unwrap();
    fs::write(hub.join("broken.gguf"), "nothing").unwrap();
    fs::rename(made, root.path().join("first.gguf")).unwrap();
    root
}

fn start(models: &Path, args: &[&str]) -> Server {
    let variable = ("KELVIN_MODELS", models.to_str().unwrap());
    Server::of_file_with(&models.join("first.gguf"), args, variable)
}

fn model(server: &Server) -> Value {
    serde_json::from_str(&server.exchange("GET", "/studio/model", "", "").body).unwrap()
}

/// The model, if the server isn't just beginning anew.
fn model_if_up(server: &Server) -> Option<Value> {
    let mut stream = TcpStream::connect(&server.address).ok()?;
    let head = "GET /studio/model HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}

/// The model after the server has begun anew.
fn anew(server: &Server, run: &Value) -> Value {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if let Some(now) = model_if_up(server)
            && now["run"] != *run
        {
            return now;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it never began anew: {}", server.log());
}

const OTHER: &str = "someone/some-model:weights.gguf";
const BROKEN: &str = "someone/some-model:broken.gguf";

#[test]
fn another_model_is_served_in_the_place_of_this_one() {
    let root = models();
    let mut server = start(root.path(), &[]);
    let first = model(&server);
    assert_eq!(first["name"], "first.gguf");
    assert_eq!(first["models"], json!(["first.gguf", BROKEN, OTHER]));
    let answer = server.post("/studio/open", &json!({ "model": "/etc/passwd" }));
    assert_eq!(answer.status, 400, "{}", answer.body);

    server.good("/studio/open", &json!({ "model": OTHER }));
    let second = anew(&server, &first["run"]);
    assert_eq!((&second["name"], &second["problem"]), (&json!(OTHER), &Value::Null));
    let body = json!({ "prompt": "abc", "max_tokens": 3, "model": OTHER });
    server.good("/v1/completions", &body);

    // A file that is no model: the one before is served, and says why.
    server.good("/studio/open", &json!({ "model": BROKEN }));
    let third = anew(&server, &second["run"]);
    assert_eq!(third["name"], OTHER);
    let why = third["problem"].as_str().unwrap();
    assert!(why.starts_with(&format!("{BROKEN} can't be opened: ")), "{why}");

    // The first again, by its name.
    server.good("/studio/open", &json!({ "model": "first.gguf" }));
    assert_eq!(anew(&server, &third["run"])["name"], "first.gguf");
    server.terminate();
    assert!(server.end().success());
}

#[test]
fn a_signal_ends_the_server_also_while_another_model_is_chosen() {
    let root = models();
    let mut server = start(root.path(), &["--drain", "60", "--patience", "60"]);
    // A request that isn't complete keeps the server from beginning anew.
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: \
                application/json\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    // Its head is read by then.
    std::thread::sleep(Duration::from_millis(500));
    server.good("/studio/open", &json!({ "model": OTHER }));
    let begun = Instant::now();
    while TcpStream::connect(&server.address).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it still takes connections");
        std::thread::sleep(Duration::from_millis(20));
    }
    server.terminate();
    while server.is_running() {
        assert!(begun.elapsed() < Duration::from_secs(120), "the signal was lost");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(server.end().success());
    assert!(!server.log().contains("opening "), "{}", server.log());
}

#[test]
fn a_server_that_others_use_keeps_its_model() {
    let root = models();
    for args in [&["--host", "0.0.0.0"][..], &["--draft", "model"]] {
        let draft = root.path().join("first.gguf");
        let args: Vec<&str> = args
            .iter()
            .map(|arg| if *arg == "model" { draft.to_str().unwrap() } else { arg })
            .collect();
        let server = start(root.path(), &args);
        assert_eq!(model(&server)["models"], json!([]), "{args:?}");
        let answer = server.post("/studio/open", &json!({ "model": OTHER }));
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
}
