//! Mistral's own tokenizers (SentencePiece v1 and v3, Tekken) against the PyPI package
//! `mistral-common`.
//!
//! Vocabularies and expected ids are written by `tests/python/mistral_cases.py`; `./check` runs it.

use kelvin_engine::{
    TokenId,
    tokenizer::{TextStream, Tokenizer},
};
use kelvin_testkit::models;
use serde_json::Value;

const ADVICE: &str = "write the cases with\n  \
    python3 -m venv .venv && .venv/bin/pip install -r \
    crates/engine/tests/python/requirements.txt\n  \
    .venv/bin/python crates/engine/tests/python/mistral_cases.py DIRECTORY\n\
    where DIRECTORY is `mistral` in the folder of models (KELVIN_MODELS, else kelvin in the cache \
    folder), or run ./check";

fn check(name: &str, vocab_size: usize) -> Tokenizer {
    let gguf = models::open(&format!("mistral/{name}-vocab.gguf"), ADVICE);
    let tokenizer = Tokenizer::from_metadata(&gguf.metadata).unwrap();
    assert_eq!(tokenizer.vocab_size(), vocab_size);
    assert_eq!((tokenizer.bos(), tokenizer.eos()), (Some(TokenId(1)), Some(TokenId(2))));
    assert!(tokenizer.end_tokens().contains(&TokenId(2)));

    let path = models::folder().join(format!("mistral/{name}-cases.json"));
    let cases = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}\n{ADVICE}", path.display()));
    let cases: Value = serde_json::from_str(&cases).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() >= 400, "only {} cases in {}", cases.len(), path.display());
    let mut wrong = Vec::new();
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let expected: Vec<TokenId> = case["ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| TokenId(id.as_u64().unwrap() as u32))
            .collect();
        let found = tokenizer.encode(text, false, false);
        if found != expected {
            let at = found.iter().zip(&expected).take_while(|(a, b)| a == b).count();
            wrong.push(format!(
                "{text:?}: token {at}: {:?} instead of {:?}",
                found.get(at),
                expected.get(at)
            ));
            continue;
        }
        assert_eq!(
            tokenizer.decode(&expected, false),
            case["decoded"].as_str().unwrap(),
            "decoded: {text:?}"
        );
        let with_bos = tokenizer.encode(text, true, false);
        assert_eq!(
            (with_bos[0], &with_bos[1..]),
            (TokenId(1), expected.as_slice()),
            "with BOS: {text:?}"
        );
        assert_eq!(
            tokenizer.decode(&with_bos, false),
            case["decoded"].as_str().unwrap(),
            "with BOS: {text:?}"
        );

        let mut stream = TextStream::default();
        let streamed: Vec<String> =
            expected.iter().map(|&token| stream.push(tokenizer.bytes(token, false))).collect();
        let bytes: Vec<u8> =
            expected.iter().flat_map(|&token| tokenizer.bytes(token, false)).copied().collect();
        assert_eq!(
            streamed.concat() + &stream.finish(),
            String::from_utf8_lossy(&bytes),
            "streamed: {text:?}"
        );
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    tokenizer
}

#[test]
fn spm_v1_equals_mistral_common() {
    check("spm-v1", 32_000);
}

#[test]
fn spm_v3_equals_mistral_common() {
    let tokenizer = check("spm-v3", 32_768);
    // A prompt of Mistral 7B Instruct: the control tokens are themselves, the text after them gets
    // its space.
    let prompt = tokenizer.encode("[INST] Hi[/INST]", true, true);
    let pieces: Vec<&str> = prompt.iter().map(|&token| tokenizer.piece(token)).collect();
    assert_eq!(pieces, ["<s>", "[INST]", "▁", "▁Hi", "[/INST]"]);
}

#[test]
fn tekken_equals_mistral_common() {
    check("tekken", 131_072);
}
