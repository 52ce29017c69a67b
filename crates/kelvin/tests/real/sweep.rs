//! `sweep` on a real model: a sample is what `compare` and the API give for the same prompt, chain,
//! seed and number; and over a server that isn't ours, llama.cpp's, which `./check` installs into
//! `.venv`.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use kelvin_testkit::server::Server;
use serde_json::{Value, json};

const MODEL: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// Runs the binary and reads the JSON lines that it prints.
fn lines(args: &[&str]) -> Vec<Value> {
    let mut command = kelvin_testkit::kelvin();
    command
        .args(args)
        .env("KELVIN_MODELS", kelvin_testkit::models::folder())
        .env_remove("KELVIN_MODEL")
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::Deserializer::from_str(&text).into_iter().map(Result::unwrap).collect()
}

#[test]
fn a_sample_is_what_compare_and_the_api_give() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("runs.db");
    let db = db.to_str().unwrap();
    let chains = ["temp=0.7 | top_p=0.9", "temp=1.5 | top_p=0.9"];
    let common = ["--samples", "3", "--seed", "11", "-n", "16", "--offline", "--json"];
    let sweep = [
        "sweep",
        "--db",
        db,
        "-p",
        "Write about Nepal",
        "-p",
        "Why?",
        "--top-p",
        "0.9",
        "-t",
        "0.7,1.5",
    ];
    let swept = lines(&[&sweep[..], &common].concat());
    let row = |prompt: usize, chain: usize, sample: usize| {
        let same = |line: &&Value| {
            line["prompt"] == prompt && line["chain"] == chain && line["sample"] == sample
        };
        swept.iter().find(same).unwrap()["text"].clone()
    };
    let server = Server::start(&["--ctx-size", "512"], None);
    for (p, prompt) in ["Write about Nepal", "Why?"].into_iter().enumerate() {
        let compare = ["compare", prompt, "--top-p", "0.9", "-t", "0.7,1.5"];
        let compared = lines(&[&compare[..], &common].concat());
        for (c, chain) in chains.iter().enumerate() {
            let body = json!({"messages": [{"role": "user", "content": prompt}], "sampler": chain, "seed": 11, "n": 3, "max_tokens": 16});
            let answered = server.post("/v1/chat/completions", &body);
            let answered: Value = serde_json::from_str(&answered.body).unwrap();
            for s in 0..3 {
                let text = row(p, c, s);
                assert_eq!(compared[0]["columns"][c * 3 + s]["text"], text);
                assert_eq!(answered["choices"][s]["message"]["content"], text);
            }
        }
    }
}

/// From whole logits each step's draw is the run's, at every temperature; from the 1,024 likeliest
/// it is too, whenever it is one of them.
#[test]
fn a_replay_draws_what_the_model_drew() {
    let folder = tempfile::tempdir().unwrap();
    let replayed = |record: &str| -> Vec<Value> {
        let db = folder.path().join(record);
        let db = db.to_str().unwrap();
        let sweep =
            ["sweep", "--db", db, "-p", "Write about Nepal", "-p", "Why?", "-t", "0.7,1,1.5"];
        lines(
            &[
                &sweep[..],
                &["--samples", "5", "-n", "24", "--record", record, "--offline", "--json"],
            ]
            .concat(),
        );
        lines(&["runs", "--db", db, "replay", "last", "-t", "0.7,1,1.5", "--json"])[0]
            .as_array()
            .unwrap()
            .clone()
    };
    let (whole, likeliest) = (replayed("logits"), replayed("logits=1024"));
    let n = |row: &Value, name: &str| row[name].as_u64().unwrap();
    for (all, few) in whole.iter().zip(&likeliest) {
        assert!(
            n(all, "own") > 150 && n(all, "own") == n(all, "own_same") && n(all, "unnamed") == 0,
            "{all}"
        );
        assert!(n(few, "own_same") + n(few, "own_unnamed") + 1 >= n(few, "own"), "{few}");
    }
    assert!(
        n(&likeliest[0], "own_unnamed") < 10 && n(&likeliest[2], "own_unnamed") > 10,
        "{likeliest:?}"
    );
}

/// llama.cpp's server; it ends when its standard input does.
struct Llama(Child);

impl Drop for Llama {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_that_is_not_ours() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../../.venv/bin/python");
    assert!(python.exists(), "{} isn't there: ./check makes it", python.display());
    let mut command = Command::new(python);
    command
        .arg(root.join("tests/python/llama_server.py"))
        .arg(kelvin_testkit::models::folder().join(MODEL));
    let mut llama = Llama(
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap(),
    );
    let mut address = String::new();
    BufReader::new(llama.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let url = format!("{}/v1", address.trim());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (there, here) = (path("there.db"), path("here.db"));
    let table = [
        "-p",
        "The capital of Nepal is",
        "-p",
        "Once upon a time",
        "-t",
        "0,1",
        "--samples",
        "2",
        "-n",
        "12",
        "--raw",
        "--json",
    ];
    let at_server =
        ["sweep", "--db", &there, "--server", &url, "--speaks", "llama.cpp", "-m", "smollm2"];
    let swept = lines(&[&at_server[..], &table].concat());
    assert_eq!((swept.len(), &swept[9]["missing"]), (10, &0.into()));
    lines(&[&["sweep", "--db", &here, "--offline"][..], &table].concat());
    let tokens = |db: &str| {
        lines(&["runs", "--db", db, "export", "last", "--what", "tokens", "--format", "jsonl"])
    };
    let (theirs, ours) = (tokens(&there), tokens(&here));
    for token in &theirs {
        assert!(token["logprob_raw"].as_f64().unwrap() <= 0.0 && token["id"].is_u64(), "{token}");
        assert!(
            ["rank", "entropy_raw", "logprob_final", "survivors"]
                .iter()
                .all(|name| token[name].is_null()),
            "{token}"
        );
        assert!(token["top"].as_str().is_some_and(|top| top.starts_with("[[\"")), "{token}");
    }
    // The first token at T = 0 is the likeliest, and how likely it is both engines agree on.
    let first = |tokens: &[Value], prompt: usize| {
        let same = |t: &&Value| {
            t["prompt"] == prompt && t["chain"] == 0 && t["sample"] == 0 && t["pos"] == 0
        };
        tokens.iter().find(same).unwrap().clone()
    };
    for prompt in 0..2 {
        let (a, b) = (first(&theirs, prompt), first(&ours, prompt));
        assert_eq!(a["id"], b["id"]);
        let apart = a["logprob_raw"].as_f64().unwrap() - b["logprob_raw"].as_f64().unwrap();
        assert!(apart.abs() < 0.3, "{a} {b}");
    }
}
