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
const NAMES: [&str; 14] = [
    "command-r",
    "deepseek-coder",
    "deepseek-llm",
    "falcon",
    "gemma-4",
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

/// Texts of everything that this kind of tokenizer does: replacements, spaces, characters without a
/// token.
const UNIGRAM: [(&str, &[u32]); 5] = [
    ("Hello wörld  12345", &[0, 35378, 148, 7118, 7344, 427, 96060, 2]),
    ("ﬁ \u{2167} ｆｕｌｌ\t x", &[0, 809, 32896, 4393, 1022, 2]),
    ("  नमस\u{94d}त\u{947}\n\n你好\u{3000}世界", &[0, 68700, 97883, 6, 124084, 6, 3221, 2]),
    ("\u{e000}\u{10ffff} e\u{301} </s>x", &[0, 6, 244343, 3, 393, 2, 1022, 2]),
    ("", &[0, 2]),
];

/// The unigram model, whose file has no texts beside it: the ids are llama.cpp's.
#[test]
fn ids_of_a_unigram_model_are_llama_cpp_s() {
    let file = "vocabularies/ggml-vocab-nomic-bert-moe.gguf";
    let tokenizer = Tokenizer::from_metadata(&models::open(file, ADVICE).metadata).unwrap();
    for (text, expected) in UNIGRAM {
        let ids: Vec<u32> = tokenizer.encode(text, true, true).iter().map(|id| id.0).collect();
        assert_eq!(ids, *expected, "{text:?}");
    }
}
