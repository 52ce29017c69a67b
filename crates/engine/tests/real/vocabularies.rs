//! The vocabularies that llama.cpp keeps for its own tests, each with 46 texts and their ids, in;
//! the same ids out.
//!
//! Needs them in the models' folder: `tests/python/vocabularies.py` puts them there.

use std::fs;

use kelvin_engine::{TokenId, tokenizer::Tokenizer};
use kelvin_testkit::models;

const ADVICE: &str = "get it with: .venv/bin/python crates/engine/tests/python/vocabularies.py \
    FOLDER, \
    where FOLDER is vocabularies/ in the folder of models";

/// Every one with a tokenizer that the engine has.
const NAMES: [&str; 12] = [
    "command-r",
    "deepseek-coder",
    "falcon",
    "gpt-2",
    "llama-bpe",
    "llama-spm",
    "mpt",
    "phi-3",
    "qwen2",
    "qwen35",
    "refact",
    "starcoder",
];

#[test]
fn ids_are_llama_cpp_s() {
    for name in NAMES {
        let file = format!("vocabularies/ggml-vocab-{name}.gguf");
        let tokenizer = Tokenizer::from_metadata(&models::open(&file, ADVICE).metadata).unwrap();
        let read = |end: &str| fs::read_to_string(models::folder().join(format!("{file}.{end}")));
        let texts = read("inp").unwrap();
        let texts: Vec<&str> = texts.split("\n__ggml_vocab_test__\n").collect();
        let ids = read("out").unwrap();
        let ids: Vec<&str> = ids.lines().collect();
        // A separator follows the last text, too.
        assert!(ids.len() >= 46 && texts.len() == ids.len() + 1, "{name}: {} texts", texts.len());
        for (text, ids) in texts.iter().zip(ids) {
            let expected: Vec<TokenId> =
                ids.split_whitespace().map(|id| TokenId(id.parse().unwrap())).collect();
            assert_eq!(tokenizer.encode(text, false, false), expected, "{name}: {text:?}");
        }
    }
}
