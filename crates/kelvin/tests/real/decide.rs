//! Decisions of real models: what they choose, that they answer in labels, and that an answer has
//! equal bits alone and among others, from the verb and from the server.

use std::{fs, process::Output};

use kelvin_testkit::{models, server::Server};
use serde_json::{Value, json};

const MODELS: [&str; 3] = ["smollm2", "gemma3", "qwen2.5-coder-0.5b"];

fn run(args: &[&str]) -> Output {
    let mut command = kelvin_testkit::kelvin();
    command.env("KELVIN_MODELS", models::folder()).env_remove("KELVIN_MODEL");
    command.args(args).arg("--offline").output().unwrap()
}

#[track_caller]
fn lines(args: &[&str]) -> Vec<Value> {
    let output = run(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// 64 reviews, every other one good.
fn reviews() -> Vec<Value> {
    let good = ["wonderful", "superb", "charming", "perfect"];
    let bad = ["terrible", "dreadful", "boring", "awful"];
    let text = |i: usize| match i % 2 {
        0 => format!("What a {} {i}-minute film! I enjoyed it.", good[i / 2 % 4]),
        _ => format!("What a {} {i}-minute film! I want my money back.", bad[i / 2 % 4]),
    };
    (0..64).map(|i| json!({ "id": i, "input": text(i) })).collect()
}

#[test]
fn models_answer_alike_in_any_batch_and_gemma_tells_good_reviews_from_bad() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, items: &[Value]| {
        let path = folder.path().join(name);
        let text: String = items.iter().map(|item| format!("{item}\n")).collect();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    };
    let reviews = reviews();
    let all = write("all.jsonl", &reviews);
    for model in MODELS {
        let asked = ["-q", "The writer liked the film.", "--rotations", "2", "-m", model, "--json"];
        let together = lines(&[&["decide", "--items", &all][..], &asked].concat());
        let p = |line: &Value| line["probability"].as_f64().unwrap();
        let mean = |odd: usize| {
            let of = together.iter().skip(odd).step_by(2);
            of.map(p).sum::<f64>() / 32.0
        };
        if model == "gemma3" {
            assert!(mean(0) > mean(1) + 0.05, "good {} and bad {}", mean(0), mean(1));
        }
        assert_eq!(together[0]["kelvin"]["labels"], json!(["Yes", "No"]), "{model}");
        for i in [0, 5, 63] {
            let one = write("one.jsonl", &reviews[i..=i]);
            let alone = lines(&[&["decide", "--items", &one][..], &asked].concat());
            assert_eq!(alone, together[i..=i], "{model}");
        }
    }
}

#[test]
fn the_server_answers_what_the_verb_answers() {
    let question = json!({
        "type": "choice",
        "instructions": "Which team answers this?",
        "choices": [{ "value": "delivery" }, { "value": "billing", "description": "money" }],
    });
    let server = Server::start(&["--ctx-size", "512"], None);
    let body = json!({ "input": "My parcel is late.", "questions": [question], "rotations": 2 });
    let answer = server.good("/v1/decisions", &body);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.jsonl");
    let item = json!({ "input": "My parcel is late.", "question": question });
    fs::write(&path, item.to_string()).unwrap();
    let items = path.to_str().unwrap();
    let line = lines(&["decide", "--items", items, "--rotations", "2", "--json"]);
    assert_eq!(answer["answers"], json!(line));
    assert_eq!(line[0]["kelvin"]["labels"], json!(["A", "B"]));
}
