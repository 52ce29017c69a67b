//! `translate` against an engine that runs here: llama.cpp's own server, which `./check` installs
//! into `.venv`. Every setting at the ends of its range is sent, and the server says back what it
//! took.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

const MODEL: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// What llama.cpp can run as it stands.
const WHOLE: &[&str] = &[
    "temp=0",
    "temp=0.01",
    "temp=3.4028235e38",
    "top_k=0 | temp=1",
    "top_k=1 | temp=1",
    "top_k=4294967295 | temp=1",
    "top_p=0.000001 | temp=1",
    "top_p=1 | temp=1",
    "min_p=0 | temp=1",
    "min_p=1 | temp=1",
    "typical=0.000001 | temp=1",
    "typical=1 | temp=1",
    "top_n_sigma=0 | temp=1",
    "top_n_sigma=1e30 | temp=1",
    "xtc=0,threshold:0 | temp=1",
    "xtc=1,threshold:1 | temp=1",
    "repetition=1.1 | temp=1",
    "repetition=1e-38 | temp=1",
    "repetition=3.4e38 | temp=1",
    "repetition=1.1,window:0 | temp=1",
    "repetition=1.1,window:4294967295 | temp=1",
    "frequency=-3.4e38,window:64,scope:prompt+output | temp=1",
    "frequency=3.4e38,scope:prompt+output | temp=1",
    "presence=-3.4e38,window:64,scope:prompt+output | temp=1",
    "presence=3.4e38,scope:prompt+output | temp=1",
    "repetition=1.1,window:9 | frequency=1,window:9,scope:prompt+output | \
     presence=1,window:9,scope:prompt+output | temp=1",
    "dry=0 | temp=1",
    "dry=3.4e38,base:1,length:1 | temp=1",
    "dry=0.8,base:3.4e38,length:2147483647,window:0 | temp=1",
    "dry=0.8,window:64,breakers:\"\\n\"/\"\\x3a\"/\"\\x22\"/\"*\" | temp=1",
    "dynatemp=0..3.4e38,exponent:0",
    "dynatemp=0.5..1.5,exponent:30",
    "bias=5:-inf | temp=1",
    "bias=0:3.4e38,1:-3.4e38,2:0 | temp=1",
    "mask=not,1-3 | temp=1",
    "temp=1 | adaptive_p=0",
    "temp=1 | adaptive_p=1,decay:0.99",
    "adaptive_p=0.5,decay:0",
    "temp=0.5 | mirostat=0,eta:0",
    "bias=5:1 | temp=0.5 | mirostat=5,eta:2,version:1",
    "temp=2 | min_p=0.1 | top_p=0.9 | top_k=7 | typical=0.9 | top_n_sigma=2 | xtc=0.5 | dry=0.5",
];

/// What it can't, with the words that say so.
const PARTLY: &[(&str, &str)] = &[
    ("repetition=1e-39 | temp=1", "takes `repeat_penalty` above"),
    ("dry=1,length:2147483648 | temp=1", "takes `dry_allowed_length` from 1"),
    ("dry=1,breakers:13 | temp=1", "breakers as texts"),
    ("temp=1 | top_k=5 | mirostat=5", "mirostat takes the place"),
    ("temp=1 | top_a=0.1", "no such control"),
    ("frequency=1 | temp=1", "counts the prompt as well"),
    ("temp=2 | bias=5:1", "the order"),
];

fn translate(chain: &str) -> Value {
    let mut command = kelvin_testkit::kelvin();
    let output =
        command.args(["translate", chain, "--to", "llama.cpp", "--json"]).output().unwrap();
    assert!(output.status.success(), "{chain}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether the server took `sent` for what it is: it keeps numbers in f32 and has null for one that
/// is infinite.
fn same(key: &str, sent: &Value, taken: &Value) -> bool {
    let number = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a as f32) == (b as f32),
        _ => a == &json!(false) && b.is_null(),
    };
    match (key, sent, taken) {
        ("logit_bias", Value::Array(sent), Value::Array(taken)) => {
            let pair = |(a, b): (&Value, &Value)| a[0] == b["token"] && number(&a[1], &b["bias"]);
            sent.len() == taken.len() && sent.iter().zip(taken).all(pair)
        }
        _ => sent == taken || number(sent, taken),
    }
}

#[test]
fn what_is_written_for_llama_cpp_is_what_it_takes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../../.venv/bin/python");
    assert!(python.exists(), "{} isn't there: ./check makes it", python.display());
    let mut command = Command::new(python);
    command
        .arg(root.join("tests/python/llama_settings.py"))
        .arg(kelvin_testkit::models::folder().join(MODEL));
    let mut llama =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = llama.stdin.take().unwrap();
    let mut answers = BufReader::new(llama.stdout.take().unwrap()).lines();
    let mut wrong = Vec::new();
    for (chain, words) in
        WHOLE.iter().map(|chain| (*chain, None)).chain(PARTLY.iter().map(|(c, w)| (*c, Some(*w))))
    {
        let said = translate(chain);
        let missing: Vec<&str> =
            said["missing"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        match words {
            None if !missing.is_empty() => wrong.push(format!("{chain}: {missing:?}")),
            Some(words) if !missing.iter().any(|missing| missing.contains(words)) => {
                wrong.push(format!("{chain}: {missing:?} has no \"{words}\""));
            }
            _ => {}
        }
        writeln!(input, "{}", said["settings"]).unwrap();
        let answer: Value =
            serde_json::from_str(&answers.next().expect("an answer").unwrap()).unwrap();
        if answer["status"] != json!(200) {
            wrong.push(format!("{chain}: {} for {}", answer, said["settings"]));
            continue;
        }
        for (key, sent) in said["settings"].as_object().unwrap() {
            let taken = &answer["settings"][key];
            if !same(key, sent, taken) {
                wrong.push(format!("{chain}: {key} {sent} became {taken}"));
            }
        }
    }
    drop(input);
    assert!(llama.wait().unwrap().success());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
