//! The tokenizers of the real model files against the reference's ids and texts in `goldens/`.
//!
//! Needs the model files: `cargo run --release -- models pull smollm2 gemma3 qwen2.5-coder-0.5b`.

use kelvin_engine::{
    TokenId,
    tokenizer::{TextStream, Tokenizer},
};
use kelvin_testkit::models;
use serde_json::Value;

/// Opens a model's tokenizer and its goldens.
fn open(golden: &str) -> (Tokenizer, Value) {
    let goldens: Value = serde_json::from_str(golden).unwrap();
    let advice = "fetch the models with `cargo run --release -- models pull smollm2 gemma3 \
        qwen2.5-coder-0.5b`, or set KELVIN_MODELS to the folder that has them";
    let gguf = models::open(goldens["model_file"].as_str().unwrap(), advice);
    (Tokenizer::from_metadata(&gguf.metadata).unwrap(), goldens)
}

fn ids(list: &Value) -> Vec<TokenId> {
    let id = |id: &Value| TokenId(u32::try_from(id.as_u64().unwrap()).unwrap());
    list.as_array().unwrap().iter().map(id).collect()
}

fn hex(text: &Value) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Streams the tokens one by one.
fn stream(tokenizer: &Tokenizer, tokens: &[TokenId], special: bool) -> String {
    let mut stream = TextStream::default();
    let mut text: String =
        tokens.iter().map(|&token| stream.push(tokenizer.bytes(token, special))).collect();
    text.push_str(&stream.finish());
    text
}

fn check(golden: &str) -> Tokenizer {
    let (tokenizer, goldens) = open(golden);
    let cases = goldens["tokenization"].as_array().unwrap();
    assert!(cases.len() >= 26, "only {} cases", cases.len());
    for case in cases {
        let text = String::from_utf8(hex(&case["utf8_hex"])).unwrap();
        assert_eq!(
            tokenizer.encode(&text, true, true),
            ids(&case["tokens"]),
            "with special tokens: {text:?}"
        );
        let plain = tokenizer.encode(&text, false, false);
        assert_eq!(plain, ids(&case["tokens_nospecial"]), "without special tokens: {text:?}");
        let decoded = String::from_utf8_lossy(&hex(&case["detok_nospecial_hex"])).into_owned();
        assert_eq!(tokenizer.decode(&plain, false), decoded, "decoded: {text:?}");
        // Neither model puts a space in front, so streaming gives the same text as decoding at
        // once.
        assert_eq!(stream(&tokenizer, &plain, false), decoded, "streamed: {text:?}");
    }
    for case in goldens["generation"].as_array().unwrap() {
        let prompt = case["prompt"].as_str().unwrap();
        assert_eq!(
            tokenizer.encode(prompt, true, true),
            ids(&case["prompt_tokens"]),
            "prompt {prompt:?}"
        );
        for run in ["reference", "default"] {
            let text = case[run]["greedy64_text"].as_str().unwrap();
            assert_eq!(
                tokenizer.decode(&ids(&case[run]["greedy64_tokens"]), true),
                text,
                "{run} of {prompt:?}"
            );
        }
    }
    tokenizer
}

#[test]
fn smollm2_equals_the_reference() {
    let tokenizer = check(include_str!("../goldens/smollm2.json"));
    assert_eq!(tokenizer.vocab_size(), 49_152);
    assert_eq!((tokenizer.bos(), tokenizer.eos()), (Some(TokenId(1)), Some(TokenId(2))));
    // <|endoftext|>, <|im_end|>, and <reponame>, which the reference takes for a fill-in-the-middle token.
    assert_eq!(tokenizer.end_tokens(), [TokenId(0), TokenId(2), TokenId(4)]);
    assert_eq!(tokenizer.piece(TokenId(1)), "<|im_start|>");
}

#[test]
fn gemma3_equals_the_reference() {
    let tokenizer = check(include_str!("../goldens/gemma3.json"));
    assert_eq!(tokenizer.vocab_size(), 262_144);
    assert_eq!((tokenizer.bos(), tokenizer.eos()), (Some(TokenId(2)), Some(TokenId(1))));
    let ends: Vec<&str> =
        tokenizer.end_tokens().iter().map(|&token| tokenizer.piece(token)).collect();
    assert_eq!(ends, ["<eos>", "<end_of_turn>", "</s>"]);
}

#[test]
fn qwen2_equals_the_reference() {
    let tokenizer = check(include_str!("../goldens/qwen2.json"));
    assert_eq!(tokenizer.vocab_size(), 151_936);
    let ends: Vec<&str> =
        tokenizer.end_tokens().iter().map(|&token| tokenizer.piece(token)).collect();
    // An ordinary token is called </s>; llama.cpp takes it for an end as well.
    let expected = ["</s>", "<|endoftext|>", "<|im_end|>"];
    assert_eq!(ends[..3], expected);
    assert_eq!(ends[3..], ["<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"]);
}

/// What a prompt loses is known: the characters whose bytes have no token, and no other.
#[test]
fn smollm2_lacks_six_control_characters_and_gemma3_none() {
    let (smollm2, _) = open(include_str!("../goldens/smollm2.json"));
    let (gemma3, _) = open(include_str!("../goldens/gemma3.json"));
    // One character of each beginning that a character's bytes can have, and all of ASCII.
    let some = (0..0x80).chain((0x80..0x11_0000).step_by(0x40)).filter_map(char::from_u32);
    for (tokenizer, lacks) in [(&smollm2, true), (&gemma3, false)] {
        for c in some.clone() {
            let control = matches!(c, '\x04' | '\x06' | '\x13' | '\x14' | '\x16' | '\x1D');
            let is_lost = lacks && (control || ('\u{40000}'..'\u{C0000}').contains(&c));
            for text in [c.to_string(), format!("a{c}b {c}")] {
                let tokens = tokenizer.encode(&text, false, false);
                let unspelled = tokenizer.unspelled(&text, false);
                assert_eq!(unspelled.contains(&c), is_lost, "{text:?}");
                assert_eq!(tokenizer.decode(&tokens, true) != text, is_lost, "{text:?}");
                assert!(is_lost || tokenizer.texts(&tokens).concat() == text, "{text:?}");
            }
        }
    }
}
