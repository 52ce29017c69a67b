//! The token sequences that write a text.

use super::metadata;
use crate::{
    gguf::{Metadata, Value},
    tokenizer::Tokenizer,
};

#[test]
fn tokens_that_have_a_text_or_begin_it() {
    let letters = ["a", "b", ":", "\u{10a}", "ab", "a\u{10a}", "\u{10a}\u{10a}", "b:"];
    let tokens: Vec<(&str, i64)> = letters.iter().map(|&text| (text, 1)).collect();
    let mut all = metadata("gpt2", &tokens);
    all.push(("tokenizer.ggml.pre".into(), Value::Str("default".into())));
    all.push(("tokenizer.ggml.merges".into(), Value::StrArray(vec!["a b".into()])));
    let all: Metadata = all.into_iter().collect();
    let tokenizer = Tokenizer::from_metadata(&all).unwrap();
    assert_eq!(tokenizer.sequences_with("\n"), [[3], [5], [6]]);
    assert_eq!(tokenizer.sequences_with(":"), [[2], [7]]);
    // "b" or "ab" before ":", and the token that has both.
    assert_eq!(tokenizer.sequences_with("b:"), [vec![1, 2], vec![4, 2], vec![7]]);
    assert!(tokenizer.sequences_with("").is_empty() && tokenizer.sequences_with("x").is_empty());
}
