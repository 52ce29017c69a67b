//! The binary with odd model files, each very small and of random weights: what of a file isn't
//! used is said, and nothing of a text is lost in silence. No download.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, Meta, TinyModel},
};
use serde_json::{Value, json};

/// A model file that goes away with this value.
struct File(PathBuf);

impl File {
    fn of(model: &TinyModel) -> File {
        File(model.write())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Exit code, standard output, standard error.
fn kelvin(path: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("kelvin").unwrap();
    command.env_remove("KELVIN_MODEL").args(args).arg("-m").arg(path).write_stdin("");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn answer(path: &Path, args: &[&str]) -> Value {
    let (code, out, errors) = kelvin(path, args);
    assert_eq!(code, 0, "{args:?}: {errors}");
    serde_json::from_str(&out).unwrap()
}

fn set(model: &mut TinyModel, key: &str, value: Meta) {
    model.metadata.retain(|(other, _)| other != key);
    model.metadata.push((key.to_string(), value));
}

fn spm() -> TinyModel {
    TinyModel::new(&MISTRAL_LIKE).speaking()
}

/// The same with some tokens that begin with a space.
fn with_words() -> TinyModel {
    let mut model = spm();
    for (_, value) in &mut model.metadata {
        if let Meta::Strs(tokens) = value {
            for (from, to) in [("{", "▁h"), ("|", "▁w"), ("}", "ll")] {
                *tokens.iter_mut().find(|token| *token == from).unwrap() = to.to_string();
            }
        }
    }
    model
}

/// Byte-level BPE with tokens for printable ASCII, the space, the newline and little else.
fn bpe() -> TinyModel {
    let mut model = spm();
    let mut tokens: Vec<String> = ["<s>", "</s>", "aa", "bb", "cc"].map(String::from).into();
    tokens.extend(('!'..='~').chain(['Ġ', 'Ċ']).map(String::from));
    assert_eq!(tokens.len(), MISTRAL_LIKE.vocab_size);
    let kinds = (0..tokens.len()).map(|id| if id < 2 { 3 } else { 1 }).collect();
    set(&mut model, "tokenizer.ggml.model", Meta::Str("gpt2".into()));
    set(&mut model, "tokenizer.ggml.pre", Meta::Str("smollm".into()));
    set(&mut model, "tokenizer.ggml.merges", Meta::Strs(vec![]));
    set(&mut model, "tokenizer.ggml.token_type", Meta::I32s(kinds));
    set(&mut model, "tokenizer.ggml.tokens", Meta::Strs(tokens));
    model
}

#[test]
fn the_texts_of_tokens_are_the_text() {
    let file = File::of(&with_words());
    for text in ["hello hello", "hello  world", " hello", "é h"] {
        let answer = answer(&file.0, &["tokenize", "--json", text]);
        let tokens = answer["tokens"].as_array().unwrap();
        let texts: Vec<&str> = tokens.iter().map(|token| token["text"].as_str().unwrap()).collect();
        assert_eq!(texts[1..].concat(), text, "{texts:?}");
        assert_eq!(answer["round_trip"], true);
    }
    // On its own a token keeps its space, or it couldn't be told from another.
    let answer = answer(&file.0, &["next", "a", "--json", "--top", "101"]);
    let rows = answer.to_string();
    assert!(rows.contains("\" h\"") && rows.contains("\"h\""), "{rows}");
    let shown = kelvin(&file.0, &["tokenize", "hello world"]).1;
    assert!(shown.contains("␣h") && shown.contains("␣w"), "{shown}");
}

#[test]
fn characters_that_the_model_cannot_read_are_said_and_refused() {
    let file = File::of(&bpe());
    let text = "a\u{4}b\u{13}";
    for args in
        [["generate", text, "--raw", "-n", "1"], ["tokenize", text, "--json", "--raw", "--no-bos"]]
    {
        let (code, _, errors) = kelvin(&file.0, &args);
        assert_eq!(code, 0, "{errors}");
        assert!(
            errors.contains("warning: ") && errors.contains("U+0004, U+0013"),
            "{args:?}: {errors}"
        );
    }
    let clean = kelvin(&file.0, &["generate", "a b", "--raw", "-n", "1"]).2;
    assert!(!clean.contains("warning"), "{clean}");

    let server = Server::of_file(&file.0, &[]);
    let message = json!([{ "role": "user", "content": text }]);
    for (path, body, param) in [
        ("/v1/completions", json!({ "prompt": text }), "prompt"),
        ("/v1/completions", json!({ "prompt": ["a", text] }), "prompt"),
        ("/v1/chat/completions", json!({ "messages": message }), "messages"),
        ("/v1/responses", json!({ "input": text }), "input"),
        ("/tokenize", json!({ "prompt": text }), "prompt"),
        ("/tokenize", json!({ "content": text }), "content"),
    ] {
        let answer = server.post(path, &body);
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        let error = &serde_json::from_str::<Value>(&answer.body).unwrap()["error"];
        assert_eq!(error["param"], param, "{path}: {error}");
        assert!(error["message"].as_str().unwrap().contains("U+0004, U+0013"), "{path}: {error}");
    }
    server.good(
        "/v1/completions",
        &json!({ "prompt": "a b", "max_tokens": 1, "bad_words": ["a\u{4}"] }),
    );
}

#[test]
fn a_file_that_does_not_say_how_words_are_cut_is_warned_of() {
    let mut model = bpe();
    model.metadata.retain(|(key, _)| key != "tokenizer.ggml.pre");
    let file = File::of(&model);
    for args in [&["generate", "a", "-n", "1"][..], &["tokenize", "a"]] {
        let errors = kelvin(&file.0, args).2;
        assert!(
            errors.starts_with("warning: the model file has no tokenizer.ggml.pre"),
            "{errors}"
        );
    }
    let server = Server::of_file(&file.0, &[]);
    assert!(
        server.log().contains("warning: the model file has no tokenizer.ggml.pre"),
        "{}",
        server.log()
    );
    let errors = kelvin(&File::of(&bpe()).0, &["tokenize", "a"]).2;
    assert_eq!(errors, "");
}

#[test]
fn a_part_of_a_split_model_says_which_parts_are_missing() {
    let mut model = spm();
    set(&mut model, "split.no", Meta::U32(0));
    set(&mut model, "split.count", Meta::U32(2));
    let file = File::of(&model);
    let (code, _, errors) = kelvin(&file.0, &["generate", "a", "-n", "1"]);
    assert!(code == 1 && errors.contains("part 1 of 2 of a split model"), "{errors}");
    let folder = tempfile::tempdir().unwrap();
    let named = folder.path().join("m-00001-of-00002.gguf");
    std::fs::copy(&file.0, &named).unwrap();
    for verb in [&["generate", "a", "-n", "1"][..], &["inspect"], &["tokenize", "a"]] {
        let (code, _, errors) = kelvin(&named, verb);
        assert!(code == 1 && errors.contains("missing beside"), "{errors}");
        assert!(errors.contains("m-00002-of-00002.gguf"), "{errors}");
    }
}

#[test]
fn parts_become_one_file() {
    let (whole, folder) = (spm(), tempfile::tempdir().unwrap());
    let half = whole.tensors.len() / 2;
    let named = |i: usize| folder.path().join(format!("m-{i:05}-of-00002.gguf"));
    for (i, tensors) in [&whole.tensors[..half], &whole.tensors[half..]].into_iter().enumerate() {
        let metadata = if i == 0 { whole.metadata.clone() } else { Vec::new() };
        let mut part = TinyModel { metadata, tensors: tensors.to_vec() };
        set(&mut part, "split.no", Meta::U32(i as u32));
        set(&mut part, "split.count", Meta::U32(2));
        std::fs::rename(part.write_in(folder.path()), named(i + 1)).unwrap();
    }
    let out = folder.path().join("whole.gguf");
    let convert = |model: &Path, more: &[&str]| {
        let mut command = Command::cargo_bin("kelvin").unwrap();
        command.arg("convert").arg(model).arg("-o").arg(&out).args(more);
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(convert(&named(2), &[]), (0, String::new()));
    let text = |path: &Path| kelvin(path, &["generate", "ab", "-n", "8", "-t", "0"]).1;
    assert_eq!(text(&out), text(&named(1)));
    assert_eq!(answer(&out, &["inspect", "--json"])["uses"]["tensors"]["refused"], json!([]));

    let (code, errors) = convert(&named(1), &["--quantize", "q4_k"]);
    assert!(code == 1 && errors.contains("only a folder of F32"), "{errors}");
    let (code, errors) = convert(&out, &[]);
    assert!(code == 2 && errors.contains("which is read"), "{errors}");
    let (code, errors) = convert(folder.path(), &[]);
    assert!(code == 1 && errors.contains("config.json: is missing"), "{errors}");
    let (code, _, errors) = kelvin(folder.path(), &["generate", "ab"]);
    assert!(code == 1 && errors.contains("is a directory without config.json"), "{errors}");
}

#[test]
fn inspect_says_what_is_used_and_what_is_not() {
    let mut model = spm();
    set(&mut model, "general.file_type", Meta::U32(0));
    model.set("logit_scale", Meta::F32(8.0));
    set(&mut model, "tokenizer.ggml.remove_extra_whitespaces", Meta::Bool(true));
    model.tensors.push(("output.bias".into(), vec![8], vec![0.0; 8]));
    let file = File::of(&model);
    let found = answer(&file.0, &["inspect", "--json"]);
    let names = |part: &str, of: &str| {
        let list = found["uses"][part][of].as_array().unwrap();
        list.iter().map(|one| one["name"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names("tensors", "refused"), ["output.bias"]);
    assert_eq!(names("keys", "refused"), ["llama.logit_scale"]);
    assert_eq!(names("keys", "warned"), ["tokenizer.ggml.remove_extra_whitespaces"]);
    assert_eq!(names("keys", "ignored"), ["general.file_type"]);
    let read = found["uses"]["keys"]["read"].as_array().unwrap();
    assert!(
        read.contains(&json!("llama.block_count"))
            && read.contains(&json!("tokenizer.ggml.tokens"))
    );
    assert!(found["unsupported"].as_str().unwrap().contains("llama.logit_scale"));

    let (_, shown, _) = kelvin(&file.0, &["inspect"]);
    for words in
        ["refused: 8.0 (f32) asks for scaled logits", "no effect: ", "output.bias", "not used: "]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let (code, _, errors) = kelvin(&file.0, &["generate", "a", "-n", "1"]);
    assert!(code == 1 && errors.contains("llama.logit_scale"), "{errors}");
}
