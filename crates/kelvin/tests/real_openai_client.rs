//! The official Python client against `kelvin serve`: `./check` installs it into `.venv`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

#[allow(dead_code, reason = "the other test of the server uses the rest")]
mod serving;

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serving::Server;

#[test]
fn the_official_client_finds_what_it_expects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../../.venv/bin/python");
    assert!(python.exists(), "{} isn't there: ./check makes it", python.display());
    let server = Server::start(&["--ctx-size", "512"], Some("secret"));
    let output = Command::new(python)
        .arg(root.join("tests/python/openai_client.py"))
        .args([&format!("http://{}/v1", server.address), "secret"])
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    // The client that went away in the middle of a stream left nothing running.
    let headers = "Authorization: Bearer secret\r\n";
    let metrics = || server.exchange("GET", "/metrics", headers, "").body;
    let begun = Instant::now();
    while !metrics().contains("kelvin_requests_running 0") {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", metrics());
        std::thread::sleep(Duration::from_millis(20));
    }
}
