//! Kelvin's metrics of texts against the Python packages that people know, on shared cases.
//! `./check` installs them into `.venv`.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use kelvin_lab::metrics::{self, Absent};

/// Sets of samples: empty, single, repeated and many words, more than one script, white space of
/// every kind, other lengths.
fn cases() -> Vec<Vec<String>> {
    let written: &[&[&str]] = &[
        &[""],
        &["", ""],
        &["word"],
        &["word", "word"],
        &["word word word word word word word word"],
        &["again and again and again", "again and again", "and again and again and again and"],
        &["one"; 3],
        &[
            "The cat sat on the mat.",
            "The cat sat on the mat.",
            "A dog lay under the table, and slept.",
        ],
        &["", "something", "something else entirely, with more words than the others have"],
        &["नेपाल हिमालयको काखमा छ ।", "नेपाल सुन्दर देश हो, नेपाल", "हिमालयको काखमा हिउँ छ"],
        &["Ünïcödé — ÉCOLE, straße STRASSE ΣΊΣΥΦΟΣ", "😀 😀 tea-time", "山 と 川 と 山"],
        &["tabs\tand\nnew\r\nlines\u{a0}and\u{3000}wide\u{1f}ones", "tabs and new lines"],
        &["12 monkeys, 3.5 cats - and don't-you-dare!", "100 % of 12 monkeys", "e.g. monkeys"],
    ];
    let mut cases: Vec<Vec<String>> =
        written.iter().map(|case| case.iter().map(|text| text.to_string()).collect()).collect();
    // Texts like a model's: words by a long-tailed law, each sample going its own way after a
    // shared beginning.
    let words = [
        "the", "of", "mountain", "tea", "Nepal", "is", "and", "a", "river", "snow,", "light.",
        "high", "people", "with", "old",
    ];
    let mut state = 7u64;
    let mut next = |n: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    for samples in [1, 2, 3, 8, 16] {
        for length in [5, 41, 42, 43, 120, 300] {
            let rare = 1 + next(200);
            let text = |next: &mut dyn FnMut(usize) -> usize| {
                let word = |i: usize, next: &mut dyn FnMut(usize) -> usize| match next(10) {
                    _ if i < 6 => words[i].to_string(),
                    0..6 => words[next(words.len()).min(next(words.len()))].to_string(),
                    _ => format!(
                        "{}{}",
                        words[next(words.len())],
                        ["a", "ly", "er", "-", "'s"][next(rare) % 5]
                    ),
                };
                (0..length + next(3)).map(|i| word(i, next)).collect::<Vec<_>>().join(" ")
            };
            cases.push((0..samples).map(|_| text(&mut next)).collect());
        }
    }
    cases
}

#[test]
fn metrics_are_those_of_the_packages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../../.venv/bin/python");
    assert!(python.exists(), "{} isn't there: ./check makes it", python.display());
    let cases = cases();
    let mut child = Command::new(python)
        .arg(root.join("tests/python/reference_metrics.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&serde_json::to_vec(&serde_json::json!({ "cases": cases })).unwrap())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let expected: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_slice(&output.stdout).unwrap();
    let mut compared = 0;
    for (case, expected) in cases.iter().zip(expected) {
        let texts: Vec<&str> = case.iter().map(String::as_str).collect();
        for (name, expected) in expected {
            let found = metric(&name, &texts);
            // zlib and zlib-rs choose other matches here and there: two bytes in a short text, half
            // a percent of a long one.
            let zipped = |ratio: Option<f64>| {
                ratio.map_or(f64::INFINITY, |ratio| texts.join(" ").len() as f64 / ratio)
            };
            let two_bytes = 2.5 / zipped(expected.as_f64());
            let near = |found: f64, expected: f64| match name.as_str() {
                "compression" => (found / expected - 1.0).abs() <= two_bytes.max(0.005),
                _ => (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            };
            match (found, expected.as_f64()) {
                (Ok(found), Some(expected)) => {
                    assert!(near(found, expected), "{name}: {found}, not {expected}, of {texts:?}");
                    compared += 1;
                }
                // A text without words is like another such one for us, and like nothing for the
                // package.
                (Ok(_), None)
                    if name == "vendi"
                        && texts.len() > 1
                        && texts.iter().any(|text| text.trim().is_empty()) => {}
                (Err(_), None) => {}
                // One sample has no other to share phrases with; the package says 0.
                (Err(Absent::NeedsSamples { .. }), Some(0.0))
                    if name == "self_repetition" && texts.len() == 1 => {}
                (found, expected) => panic!("{name}: {found:?}, not {expected:?}, of {texts:?}"),
            }
        }
    }
    assert!(compared > 300, "{compared}");
}

fn metric(name: &str, texts: &[&str]) -> Result<f64, Absent> {
    match name {
        "distinct_1" => metrics::distinct(texts, 1),
        "distinct_2" => metrics::distinct(texts, 2),
        "distinct_3" => metrics::distinct(texts, 3),
        "ngram_diversity" => metrics::ngram_diversity(texts),
        "self_bleu" => metrics::self_bleu(texts),
        "self_repetition" => metrics::self_repetition(texts),
        "compression" => metrics::compression(texts),
        "vendi" => metrics::ngram_vendi(texts),
        "mtld" => metrics::mtld(texts[0]),
        "hdd" => metrics::hdd(texts[0]),
        _ => panic!("{name} isn't compared"),
    }
}
