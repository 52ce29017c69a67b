//! `--draft` and `--cache-type` from outside, on tiny models: texts are those without drafts, and
//! what came of drafts is told.

use std::{path::PathBuf, process::Output};

use kelvin_testkit::{
    server::Server,
    tiny::{LLAMA3_LIKE, MISTRAL_LIKE, Shape, TinyModel},
};
use serde_json::{Value, json};

/// A model's file that goes away with it.
struct File(PathBuf);

impl File {
    fn new(shape: &Shape) -> File {
        File(TinyModel::new(shape).speaking().write())
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn run(model: &File, args: &[&str]) -> Output {
    let mut command = kelvin_testkit::kelvin();
    command.args(args).args(["-m", model.name()]);
    command.env_remove("KELVIN_MODEL").env_remove("KELVIN_DB").output().unwrap()
}

fn answer(model: &File, args: &[&str]) -> Value {
    let output = run(model, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

const VERBS: [&[&str]; 2] = [
    &["generate", "ab ab ab", "--raw", "-n", "60", "--ignore-end", "--json"],
    &["compare", "ab ab ab", "--raw", "-n", "40", "-t", "0.1,1", "--ignore-end", "--json"],
];

#[test]
fn a_draft_model_changes_no_text_and_its_tokens_are_counted() {
    let (model, other) = (File::new(&MISTRAL_LIKE), File::new(&LLAMA3_LIKE));
    for verb in VERBS {
        for cache in ["f16", "q8_0"] {
            let args = [verb, &["--seed", "5", "--cache-type", cache]].concat();
            let plain = answer(&model, &args);
            for draft in ["lookup", "auto", model.name(), other.name()] {
                let args = [&args[..], &["--draft", draft]].concat();
                assert_eq!(plain, answer(&model, &args), "{args:?}");
                let timed = answer(&model, &[&args[..], &["--timings"]].concat());
                let drafts = &timed["drafts"];
                assert!(drafts["tokens_per_step"].as_f64().unwrap() >= 1.0, "{timed}");
                let n_steps = drafts["draft_model_steps"].as_u64().unwrap_or(0);
                assert_eq!(n_steps > 0, draft.ends_with(".gguf"), "{args:?}: {drafts}");
                if draft == model.name() {
                    // A model guesses itself rightly, but as large a draft never pays for long.
                    let of_model = &drafts["kinds"]["model"];
                    assert!(of_model["drafted"].as_u64().unwrap() > 0, "{drafts}");
                    assert_eq!(of_model["accepted"], of_model["drafted"], "{drafts}");
                }
            }
        }
        let formats = ["f16", "f32", "q8_0"].map(|cache| {
            answer(&model, &[verb, &["--seed", "5", "--cache-type", cache]].concat()).to_string()
        });
        assert!(formats.iter().all(|text| text.len() > 100));
    }
}

#[test]
fn what_cannot_draft_is_refused_in_a_sentence() {
    let model = File::new(&MISTRAL_LIKE);
    let refused = |draft: &str| {
        let output = run(&model, &["generate", "a", "--draft", draft]);
        assert!(!output.status.success(), "{draft}");
        String::from_utf8(output.stderr).unwrap()
    };
    let unknown = refused("lookpu");
    assert!(unknown.contains("--draft takes off, lookup, auto or a model"), "{unknown}");
    // One character of the vocabulary is another one.
    let other = File::new(&MISTRAL_LIKE);
    let mut bytes = std::fs::read(&other.0).unwrap();
    let at = bytes.windows(2).position(|two| two == "é".as_bytes()).unwrap();
    bytes[at..at + 2].copy_from_slice("è".as_bytes());
    std::fs::write(&other.0, bytes).unwrap();
    let differs = refused(other.name());
    assert!(differs.contains("is \"è\" in the draft model and \"é\" in the model"), "{differs}");
}

#[test]
fn a_server_drafts_and_counts_by_kind() {
    let (model, draft) = (TinyModel::new(&MISTRAL_LIKE).speaking(), File::new(&MISTRAL_LIKE));
    let body = json!({ "prompt": "ab ab ab", "max_tokens": 50, "seed": 3, "ignore_eos": true });
    let text = |server: &Server| {
        server.good("/v1/completions", &body)["choices"][0]["text"].as_str().unwrap().to_string()
    };
    let plain = text(&Server::tiny(&model, &[]));
    let server = Server::tiny(&model, &["--draft", draft.name()]);
    assert_eq!(text(&server), plain);
    server.wait_for("kelvin_requests_running", 0.0);
    let of = |name: &str| server.metric(&format!("kelvin_{name}"));
    let drafted = of("drafted_tokens_total{kind=\"model\"}");
    let accepted = of("accepted_tokens_total{kind=\"model\"}");
    assert!(drafted > 0.0 && accepted == drafted, "{accepted} of {drafted}");
    assert!(of("draft_model_steps_total") >= drafted, "one token a step");
    assert!(of("decode_steps_total") < of("generated_tokens_total"));
}
