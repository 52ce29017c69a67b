//! Tokenizers of folders: the same ids as those of a GGUF vocabulary of the same tokens, special
//! tokens, templates, and what is refused.

use kelvin_engine::{gguf::Gguf, gguf::Value as Meta, source, tokenizer::Tokenizer};
use serde_json::{Value, json};

use super::{
    build::Folder,
    families::{ROWS, both},
};

/// A Llama whose embedding has as many rows as the tokenizer is given.
fn folder() -> Folder {
    both(ROWS.iter().find(|row| row.case == "llama.plain").unwrap()).1
}

fn opened(tokenizer: Value, files: &[(&str, Value)]) -> Result<Gguf, String> {
    let mut folder = folder();
    folder.tokenizer = tokenizer;
    folder.files = files.iter().map(|(name, file)| (name.to_string(), file.to_string())).collect();
    let written = folder.write();
    source::open(&written.0, None).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(tokenizer: Value, words: &[&str]) {
    let error = opened(tokenizer, &[]).expect_err("it is refused");
    for word in words {
        assert!(error.contains(word), "{word:?} isn't in {error:?}");
    }
}

/// SentencePiece's kind: "ab" merges before "bc".
fn spm() -> Value {
    let mut vocab = json!({ "<unk>": 0, "<0x0A>": 3, "▁": 4, "a": 5, "b": 6, "c": 7, "ab": 8, "bc": 9,
        "▁ab": 10 });
    for id in 11..250 {
        vocab[format!("t{id}")] = json!(id);
    }
    json!({
        "added_tokens": [
            { "id": 0, "content": "<unk>", "special": true },
            { "id": 1, "content": "<s>", "special": true },
            { "id": 2, "content": "</s>", "special": true },
            { "id": 250, "content": "<image>", "special": false },
        ],
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "Prepend", "prepend": "▁" },
            { "type": "Replace", "pattern": { "String": " " }, "content": "▁" },
        ] },
        "pre_tokenizer": null,
        "post_processor": { "type": "TemplateProcessing", "single": [
            { "SpecialToken": { "id": "<s>" } }, { "Sequence": { "id": "A" } }] },
        "model": { "type": "BPE", "vocab": vocab, "byte_fallback": true, "unk_token": "<unk>",
            "merges": ["a b", ["b", "c"], "▁ ab"] },
    })
}

fn bytes() -> Value {
    let mut tokenizer = super::build::tokenizer(250);
    let vocab = tokenizer["model"]["vocab"].as_object_mut().unwrap();
    for (id, text) in ["a", "b", "Ġ", "ab", "Ġa", "1"].into_iter().enumerate() {
        vocab.remove(&format!("t{id}"));
        vocab.insert(text.to_string(), json!(id));
    }
    tokenizer["model"]["merges"] = json!(["a b", "Ġ a"]);
    tokenizer
}

#[test]
fn sentencepiece_merges_in_the_order_of_the_merges() {
    let settings = json!({ "bos_token": { "content": "<s>" }, "eos_token": "</s>",
        "chat_template": [{ "name": "tool_use", "template": "no" },
            { "name": "default", "template": "yes" }] });
    let generation = json!({ "eos_token_id": [2, 7], "temperature": 0.5, "top_k": 20 });
    let files = [("tokenizer_config.json", settings), ("generation_config.json", generation)];
    let gguf = opened(spm(), &files).unwrap();
    let tokenizer = Tokenizer::from_metadata(&gguf.metadata).unwrap();
    let ids = |text: &str| -> Vec<u32> {
        tokenizer.encode(text, true, false).iter().map(|token| token.0).collect()
    };
    assert_eq!(ids("abc"), [1, 10, 7]);
    assert_eq!(ids("bc\n"), [1, 4, 9, 3]);
    assert_eq!(tokenizer.decode(&tokenizer.encode("ab abc", true, false), false), "ab abc");
    assert_eq!(tokenizer.eos().map(|token| token.0), Some(2));
    assert_eq!(tokenizer.end_tokens().iter().map(|token| token.0).collect::<Vec<_>>(), [2, 7]);
    let text = |key: &str| gguf.metadata.str(key).unwrap();
    assert_eq!(text("tokenizer.chat_template"), Some("yes"));
    assert_eq!(gguf.metadata.f32("general.sampling.temp").unwrap(), Some(0.5));
    assert_eq!(gguf.metadata.get("general.sampling.top_k"), Some(&Meta::I32(20)));
    // 250 rows: the image's token has none.
    assert_eq!(tokenizer.vocab_size(), 250);
}

#[test]
fn a_template_of_its_own_comes_first() {
    let mut folder = folder();
    folder.files = vec![
        ("chat_template.jinja".to_string(), "{{ own }}".to_string()),
        ("tokenizer_config.json".to_string(), r#"{"chat_template": "other"}"#.to_string()),
    ];
    let gguf = source::open(&folder.write().0, None).unwrap();
    assert_eq!(gguf.metadata.str("tokenizer.chat_template").unwrap(), Some("{{ own }}"));
}

#[test]
fn byte_level_bpe() {
    let gguf = opened(bytes(), &[]).unwrap();
    assert_eq!(gguf.metadata.str("tokenizer.ggml.pre").unwrap(), Some("gpt-2"));
    let tokenizer = Tokenizer::from_metadata(&gguf.metadata).unwrap();
    let ids: Vec<u32> =
        tokenizer.encode("ab a1", true, false).iter().map(|token| token.0).collect();
    assert_eq!(ids, [3, 4, 5]);
}

/// The expressions of real files, which name the pre-tokenizer.
#[test]
fn pre_tokenizers_are_known_by_their_steps() {
    let qwen2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    let llama3 = qwen2.replace(r"\p{N}| ?", r"\p{N}{1,3}| ?");
    let split = |regex: &str| {
        json!({ "type": "Sequence", "pretokenizers": [
            { "type": "Split", "pattern": { "Regex": regex }, "behavior": "Isolated", "invert": false },
            { "type": "ByteLevel", "add_prefix_space": false, "use_regex": false }] })
    };
    let digits = json!({ "type": "Sequence", "pretokenizers": [
        { "type": "Digits", "individual_digits": true },
        { "type": "ByteLevel", "add_prefix_space": false }] });
    for (pre, ignore, name) in [
        (split(qwen2), false, "qwen2"),
        (split(&llama3), true, "llama-bpe"),
        (split(&llama3), false, "smaug-bpe"),
        (split(r" ?[^(\s|[.,!?…。，、।۔،])]+"), false, "bloom"),
        (
            split(
                &qwen2
                    .replace(r"\p{N}| ?", r"\p{N}{1}| ?")
                    .replace(r"\p{N}]+[\r\n]*", r"\p{N}\r\n]+"),
            ),
            false,
            "seed-coder",
        ),
        (digits, false, "smollm"),
    ] {
        let mut tokenizer = bytes();
        tokenizer["pre_tokenizer"] = pre;
        tokenizer["model"]["ignore_merges"] = json!(ignore);
        let gguf = opened(tokenizer, &[]).unwrap();
        assert_eq!(gguf.metadata.str("tokenizer.ggml.pre").unwrap(), Some(name));
    }
    let mut other = bytes();
    other["pre_tokenizer"] = split("[a-z]+");
    refused(other, &["tokenizer.json: the pre-tokenizer isn't known", "[a-z]+", "use a GGUF file"]);
    let mut spaced = bytes();
    spaced["pre_tokenizer"]["add_prefix_space"] = json!(true);
    refused(spaced, &["a space in front of texts"]);
}

#[test]
fn tokenizers_that_are_not_supported() {
    let with = |mut tokenizer: Value, place: &str, value: Value| {
        *tokenizer.pointer_mut(place).unwrap() = value;
        tokenizer
    };
    refused(with(bytes(), "/model/type", json!("WordPiece")), &["\"WordPiece\" isn't supported"]);
    let unigram = json!([["<unk>", 0.0]]);
    let unigram = with(with(bytes(), "/model/vocab", unigram), "/model/type", json!("Unigram"));
    refused(unigram, &["\"Unigram\" isn't supported"]);
    refused(with(bytes(), "/normalizer", json!({ "type": "Lowercase" })), &["Lowercase"]);
    refused(with(spm(), "/normalizer", json!({ "type": "NFKC" })), &["NFKC"]);
    refused(with(spm(), "/normalizer", Value::Null), &["spaces don't become"]);
    refused(with(bytes(), "/model/merges", json!(["ab"])), &["merge 0 isn't two texts"]);
    refused(with(bytes(), "/model/vocab/ab", json!(250)), &["\"ab\" has id 250", "250 rows"]);
    refused(with(bytes(), "/model/vocab/ab", json!(0)), &["both have id 0"]);
    refused(with(spm(), "/post_processor/single", json!([])), &["post-processor"]);
    refused(with(bytes(), "/model/vocab", json!(7)), &["tokenizer.json"]);
}
