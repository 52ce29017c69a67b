//! `report` with the model of meanings: where texts lie and how far apart is what
//! sentence-transformers says, with the same weights (`embeddings.json`, which
//! `python/embeddings.py` wrote).

use std::{
    path::Path,
    process::{Output, Stdio},
};

use kelvin_lab::{
    Run, Store,
    recipe::Draft,
    run::{Finish, Sample, Source},
    store::RunId,
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Reference {
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    texts: Vec<String>,
    embeddings: Vec<Vec<f32>>,
    spread: f64,
}

fn kelvin(folder: &Path, args: &[&str]) -> Output {
    let mut command = kelvin_testkit::kelvin();
    command.args(args).current_dir(folder).env_remove("KELVIN_MODEL").env_remove("KELVIN_DB");
    command.stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn said(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A run whose texts are the reference's: a prompt for each cell, one chain.
fn keep(reference: &Reference, path: &Path, n_samples: usize) -> RunId {
    let draft = Draft {
        prompts: (0..reference.cells.len()).map(|i| format!("cell {i}")).collect(),
        temp: Some("1".into()),
        samples: Some(3),
        metrics: vec!["semantic_spread".into()],
        ..Draft::default()
    };
    let mut store = Store::open(path).unwrap();
    let source = Source::Local { model: "people".into(), sha256: "ab".into() };
    let run = store.begin(&draft.resolve().unwrap(), &source, "0.1.0").unwrap();
    for (prompt, cell) in reference.cells.iter().enumerate() {
        for (sample, text) in cell.texts.iter().enumerate().take(n_samples) {
            let finish = Finish::MaxTokens;
            let (text, tokens) = (text.clone(), Vec::new());
            let sample = Sample {
                prompt,
                chain: 0,
                sample,
                text,
                finish,
                tokens,
                judged: None,
                embedding: None,
                whole: None,
            };
            store.put(run, &sample).unwrap();
        }
    }
    run
}

#[test]
fn meanings_are_those_of_sentence_transformers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let reference: Reference = serde_json::from_str(include_str!("embeddings.json")).unwrap();
    let report = ["report", "--db", "runs.db", "--json", "--offline"];
    // Texts that come later are placed beside those that are there.
    keep(&reference, &path, 1);
    said(kelvin(folder.path(), &report));
    let run = keep(&reference, &path, 3);
    let json: Value = serde_json::from_str(&said(kelvin(folder.path(), &report))).unwrap();

    let loaded = Store::open_to_read(&path).unwrap().load(run).unwrap();
    let mut furthest = 0f32;
    for sample in &loaded.samples {
        let found = sample.embedding.as_ref().unwrap();
        let expected = &reference.cells[sample.prompt].embeddings[sample.sample];
        assert_eq!(found.len(), expected.len());
        let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
        assert!(apart < 1e-4, "{apart} at {:?}", sample.text);
        furthest = furthest.max(apart);
    }
    println!("no number of {} embeddings is further off than {furthest:e}", loaded.samples.len());
    assert!(loaded.samples.len() >= 17);
    // However many threads compute, no bit is another.
    for n_threads in ["1", "3"] {
        let (name, more) = (format!("{n_threads}.db"), ["--threads", n_threads]);
        let again = keep(&reference, &folder.path().join(&name), 3);
        said(kelvin(
            folder.path(),
            &[&["report", "--db", &name, "--json", "--offline"][..], &more].concat(),
        ));
        let again = Store::open_to_read(&folder.path().join(&name)).unwrap().load(again).unwrap();
        let places = |run: &Run| {
            run.samples.iter().map(|sample| sample.embedding.clone()).collect::<Vec<_>>()
        };
        assert_eq!(places(&again), places(&loaded), "{n_threads} threads");
    }
    // The mean over prompts is the mean of their spreads.
    let spread = &json["metrics"][0];
    assert_eq!(spread["name"], "semantic_spread");
    let expected =
        reference.cells.iter().map(|cell| cell.spread).sum::<f64>() / reference.cells.len() as f64;
    let found = spread["values"][0]["mean"].as_f64().unwrap();
    assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    assert_eq!(spread["absent"].as_array().unwrap().len(), 0);

    // What has been placed is measured where the model can't be had.
    let mut elsewhere = kelvin_testkit::kelvin();
    let elsewhere =
        elsewhere.args(report).current_dir(folder.path()).env("KELVIN_MODELS", folder.path());
    let again: Value = serde_json::from_str(&said(elsewhere.output().unwrap())).unwrap();
    assert_eq!(again["metrics"], json["metrics"]);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let reference: Reference = serde_json::from_str(include_str!("embeddings.json")).unwrap();
    keep(&reference, &folder.path().join("runs.db"), 2);
    let run = |args: &[&str]| {
        let mut command = kelvin_testkit::kelvin();
        command.args(args).args(["--offline", "--db", "runs.db"]).current_dir(folder.path());
        command.env("KELVIN_MODELS", folder.path()).stdin(Stdio::null()).output().unwrap()
    };
    let refused = |output: Output, words: &str| {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(words), "{said}");
    };
    // Who names the metric wants it; among all of them it's absent with the reason, and nothing is
    // fetched for it.
    refused(run(&["report"]), "run `kelvin models pull minilm` with a network first");
    let all = said(run(&["report", "--metrics", "all", "--format", "md"]));
    assert!(all.contains("the text has no embedding yet"), "{all}");
    std::fs::write(folder.path().join("all-MiniLM-L6-v2.whl"), "not a wheel").unwrap();
    refused(run(&["report"]), "isn't the model minilm");
    assert!(
        said(run(&["report", "--metrics", "all", "--format", "md"]))
            .contains("the text has no embedding yet")
    );
    refused(
        run(&["sweep", "-m", "minilm", "-p", "x"]),
        "minilm is an embedding model, which can't generate text: give one of smollm2",
    );
    refused(run(&["tune", "-p", "x", "--judge", "minilm"]), "judge: minilm is an embedding model");
}
