//! The places of tokens in texts, beside the bytes of the tokens.

use super::metadata;
use crate::{
    gguf::{Metadata, Value},
    tokenizer::Tokenizer,
};

const PIECES: [&str; 6] = ["▁", "a", "b", "▁a", "a▁b", "é"];

fn tokenizer(with_bytes: bool, with_unknown: bool) -> Tokenizer {
    let bytes: Vec<String> = (0..256).map(|byte| format!("<0x{byte:02X}>")).collect();
    let mut tokens =
        vec![("<unk>", if with_unknown { 2 } else { 5 }), ("<s>", 3), ("</s>", 3), ("<user>", 4)];
    tokens.extend(PIECES.map(|piece| (piece, 1)));
    if with_bytes {
        tokens.extend(bytes.iter().map(|byte| (byte.as_str(), 6)));
    }
    let mut metadata = metadata("llama", &tokens);
    let scores = (0..tokens.len()).map(|id| -(id as f32)).collect();
    metadata.push(("tokenizer.ggml.scores".to_owned(), Value::FloatArray(scores)));
    metadata.push(("tokenizer.ggml.add_eos_token".to_owned(), Value::Bool(true)));
    Tokenizer::from_metadata(&metadata.into_iter().collect::<Metadata>()).unwrap()
}

/// Texts of `len` characters out of a few, all of them.
fn texts(len: u32) -> impl Iterator<Item = String> {
    const PARTS: [&str; 7] = ["a", "b", " ", "é", "猫", "▁", "<user>"];
    let n = PARTS.len();
    (0..n.pow(len)).map(move |i| (0..len).map(|k| PARTS[i / n.pow(k) % n]).collect())
}

#[test]
fn places_rise_and_tokens_stand_there() {
    for tokenizer in [tokenizer(true, true), tokenizer(false, true), tokenizer(false, false)] {
        for text in (0..5).flat_map(texts) {
            let placed = tokenizer.encode_with_places(&text, true, false);
            let tokens: Vec<_> = placed.iter().map(|&(token, _)| token).collect();
            assert_eq!(tokens, tokenizer.encode(&text, true, false));
            assert!(placed.is_sorted_by_key(|&(_, place)| place), "{text:?} {placed:?}");
            assert_eq!((placed[0].1, placed[placed.len() - 1].1), (0, text.len()));
            for &(token, place) in &placed[1..placed.len() - 1] {
                // As the text has it, a space for each ▁, but for a space in front.
                let rest = text[text.floor_char_boundary(place)..].replace('▁', " ");
                let bytes = tokenizer.bytes(token, true);
                let own = String::from_utf8_lossy(bytes).replace('▁', " ");
                let stands = |own: &str| rest.starts_with(own);
                let is_byte = bytes.len() == 1 && text.as_bytes().get(place) == Some(&bytes[0]);
                let is_unknown = own == "<unk>" && rest.starts_with('猫');
                let is_part_of_space = bytes.len() == 1 && "▁".as_bytes().contains(&bytes[0]);
                assert!(
                    stands(&own)
                        || stands(own.trim_start_matches(' '))
                        || is_byte
                        || is_unknown
                        || is_part_of_space,
                    "{text:?}: {own:?} at {place}, {placed:?}"
                );
            }
        }
    }
}

#[test]
fn no_text_has_fewer_tokens_than_its_characters_allow() {
    let tokenizer = tokenizer(true, true);
    assert_eq!(tokenizer.longest(), "<user>".len());
    for text in texts(5).chain(["▁".repeat(1000), "<user>".repeat(100), "a b".repeat(300)]) {
        let n_tokens = tokenizer.encode(&text, false, true).len();
        assert!(text.chars().count() <= n_tokens * tokenizer.longest(), "{text:?}");
    }
}
