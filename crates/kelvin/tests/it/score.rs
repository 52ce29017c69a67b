//! `score`, and `compare` with several models, from outside on tiny models.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use kelvin_testkit::tiny::{GEMMA3_LIKE, LLAMA3_LIKE, MISTRAL_LIKE, Meta, TinyModel};
use serde_json::Value;

const TEXT: &str = "the quick brown fox jumps over the lazy dog";

/// A folder with three models: two of one vocabulary, and one of another.
struct Room {
    folder: tempfile::TempDir,
    a: PathBuf,
    b: PathBuf,
    other: PathBuf,
}

impl Room {
    fn new() -> Room {
        let folder = tempfile::tempdir().unwrap();
        let write = |model: TinyModel| model.write_in(folder.path());
        let (a, b) = (TinyModel::new(&MISTRAL_LIKE).speaking(), TinyModel::new(&LLAMA3_LIKE));
        let mut other = TinyModel::new(&GEMMA3_LIKE).speaking();
        // 131 tokens: the 101 of the others, and pairs of letters.
        for (key, value) in &mut other.metadata {
            match (key.as_str(), value) {
                ("tokenizer.ggml.tokens", Meta::Strs(tokens)) => {
                    let pairs = ["th", "he", "qu", "ck", "ow", "fo", "ox", "um", "ps", "ov", "er"];
                    tokens.extend(pairs.map(String::from));
                    while tokens.len() < 131 {
                        tokens.push(format!("zz{}", tokens.len()));
                    }
                }
                ("tokenizer.ggml.scores", Meta::F32s(scores)) => scores.resize(131, -1.0),
                ("tokenizer.ggml.token_type", Meta::I32s(kinds)) => kinds.resize(131, 1),
                _ => {}
            }
        }
        let (a, b, other) = (write(a), write(b.speaking()), write(other));
        Room { folder, a, b, other }
    }

    fn run(&self, args: &[&str], models: &[&PathBuf]) -> Output {
        let mut command: Command = kelvin_testkit::kelvin();
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        for model in models {
            command.arg("-m").arg(model);
        }
        command.env_remove("KELVIN_MODEL").output().unwrap()
    }

    fn json(&self, args: &[&str], models: &[&PathBuf]) -> Value {
        let output = self.run(&[args, &["--json"]].concat(), models);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn near(a: &Value, b: f64) -> bool {
    (a.as_f64().unwrap() - b).abs() < 1e-6 * b.abs().max(1.0)
}

#[test]
fn one_model_scores_as_perplexity_does() {
    let room = Room::new();
    let scored = room.json(&["score", TEXT, "--all"], &[&room.a]);
    let perplexity = room.json(&["perplexity", TEXT, "--skip", "0", "--per-token"], &[&room.a]);
    let places = scored["places"].as_array().unwrap();
    let per_token = perplexity["per_token"].as_array().unwrap();
    assert_eq!((places.len(), per_token.len()), (TEXT.len() + 1, TEXT.len() + 1));
    for (place, token) in places.iter().zip(per_token) {
        assert!(near(&place["models"][0]["logprob"], 0.0 - token["nats"].as_f64().unwrap()));
        assert_eq!(place["models"][0]["ids"], token["ids"]);
    }
    assert!(near(&scored["models"][0]["perplexity"], perplexity["perplexity"].as_f64().unwrap()));
    assert!(scored["divergence"].is_null() && places[0]["difference"].is_null());
    // The least likely come first.
    let top = room.json(&["score", TEXT, "--top", "3"], &[&room.a]);
    let least = places.iter().map(|p| p["models"][0]["logprob"].as_f64().unwrap());
    let least = least.fold(0.0, f64::min);
    assert_eq!(top["places"].as_array().unwrap().len(), 3);
    assert!(near(&top["places"][0]["models"][0]["logprob"], least));
}

#[test]
fn two_models_of_one_vocabulary_have_a_divergence_at_each_token() {
    let room = Room::new();
    let both = room.json(&["score", TEXT, "--all"], &[&room.a, &room.b]);
    let alone = [&room.a, &room.b].map(|model| room.json(&["score", TEXT, "--all"], &[model]));
    let places = both["places"].as_array().unwrap();
    let mut sum = 0.0;
    for (i, place) in places.iter().enumerate() {
        for (m, alone) in alone.iter().enumerate() {
            assert_eq!(place["models"][m], alone["places"][i]["models"][0], "{i}");
        }
        let ln = |m: usize| place["models"][m]["logprob"].as_f64().unwrap();
        assert!(near(&place["difference"], ln(1) - ln(0)));
        sum += place["kl"].as_f64().unwrap();
    }
    assert!(sum > 0.1 && near(&both["divergence"]["mean"], sum / places.len() as f64));
    let itself = room.json(&["score", TEXT], &[&room.a, &room.a]);
    assert_eq!(itself["divergence"]["largest"], 0.0);
    assert_eq!(itself["divergence"]["same_top"], 1.0);
    let words = room.run(&["score", TEXT], &[&room.a, &room.b]);
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(
        words.contains("KL(A ‖ B) in nats: mean ") && words.contains("10 of 44 places"),
        "{words}"
    );
}

#[test]
fn models_of_different_vocabularies_are_compared_by_stretches_of_the_text() {
    let room = Room::new();
    let both = room.json(&["score", TEXT, "--all"], &[&room.a, &room.other]);
    assert!(both["apart"].as_str().unwrap().contains("vocabularies differ (101 and 131 tokens)"));
    assert!(both["divergence"].is_null());
    let places = both["places"].as_array().unwrap();
    let text: String = places.iter().map(|place| place["text"].as_str().unwrap()).collect();
    assert_eq!(text, TEXT);
    assert!(places.len() < TEXT.len(), "no token of the other has two letters");
    for (m, model) in [&room.a, &room.other].into_iter().enumerate() {
        let alone = room.json(&["score", TEXT, "--all"], &[model]);
        for key in ["logprob", "tokens", "bits_per_byte", "perplexity"] {
            assert!(near(&both["models"][m][key], alone["models"][0][key].as_f64().unwrap()));
        }
    }
    let words = room.run(&["score", TEXT], &[&room.a, &room.other]);
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(words.contains("vocabularies differ"), "{words}");
}

#[test]
fn what_cant_be_scored_is_refused_in_a_sentence() {
    let room = Room::new();
    let (a, b) = (&room.a, &room.b);
    let long = "x".repeat(400);
    let cases: [(&[&str], &[&PathBuf], &str); 4] = [
        (&["score", TEXT], &[a, b, a], "takes one model or two"),
        (&["score", ""], &[a], "give a longer one"),
        (&["score", &long], &[a], "kelvin perplexity"),
        (&["score", TEXT, "--top", "0"], &[a], "--top is 0"),
    ];
    for (args, models, words) in cases {
        let output = room.run(args, models);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{args:?}: {said}");
    }
}

/// Each model's columns are what it writes alone.
#[test]
fn models_beside_each_other_write_what_they_write_alone() {
    let room = Room::new();
    let args = ["compare", "abc", "-t", "0.5,1", "--samples", "2", "-n", "12", "--seed", "3"];
    let both = room.json(&args, &[&room.a, &room.b, &room.other]);
    for (m, model) in [&room.a, &room.b, &room.other].into_iter().enumerate() {
        let alone = room.json(&args, &[model]);
        let mut found = both["models"][m].clone();
        let columns = found["columns"].as_array_mut().unwrap();
        for (i, column) in columns.iter_mut().enumerate() {
            let parts = column.as_object_mut().unwrap().remove("diverges_from_first_model_at");
            // Tokens of the third model mean something else.
            assert_eq!(parts.is_some(), m == 1, "model {m}");
            let Some(parts) = parts else { continue };
            let ids = |model: &Value| model["columns"][i]["ids"].as_array().unwrap().clone();
            let (first, own) = (ids(&both["models"][0]), ids(&alone));
            let at = (0..first.len().max(own.len())).find(|&i| first.get(i) != own.get(i));
            assert_eq!(parts, at.map_or(Value::Null, Value::from));
        }
        assert_eq!(found, alone, "model {m}");
    }
    let words = room.run(&args, &[&room.a, &room.b]);
    let words = String::from_utf8(words.stdout).unwrap();
    assert_eq!(words.matches("· T = 0.5 ──").count(), 4, "{words}");
    let refused = room.run(&[&args[..], &["--proof", "a"]].concat(), &[&room.a, &room.b]);
    assert_eq!(refused.status.code(), Some(2));
    let refused = room.run(&[&args[..], &["--samples", "200"]].concat(), &[&room.a, &room.b]);
    assert_eq!(refused.status.code(), Some(2));
}
