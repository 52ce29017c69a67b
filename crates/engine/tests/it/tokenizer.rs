//! Tokenizers of small hand-made vocabularies: what each rule does, seen from outside.

use kelvin_engine::{
    TokenId,
    gguf::{Metadata, Value},
    tokenizer::{TextStream, Tokenizer},
};
use proptest::prelude::*;

fn strings(list: &[&str]) -> Value {
    Value::StrArray(list.iter().map(|text| (*text).to_owned()).collect())
}

/// An SPM vocabulary: <unk>, <s>, </s>, the 256 byte tokens, then these with a score each.
fn spm(pieces: &[(&str, f32, i64)], more: &[(&str, Value)]) -> Tokenizer {
    let mut tokens: Vec<String> = ["<unk>", "<s>", "</s>"].map(str::to_owned).into();
    tokens.extend((0..256).map(|byte| format!("<0x{byte:02X}>")));
    let mut types = vec![2, 3, 3];
    types.extend([6; 256]);
    let mut scores = vec![0.0; 259];
    for &(text, score, kind) in pieces {
        tokens.push(text.to_owned());
        scores.push(score);
        types.push(kind);
    }
    let entries = [
        ("tokenizer.ggml.model", Value::Str("llama".to_owned())),
        ("tokenizer.ggml.tokens", Value::StrArray(tokens)),
        ("tokenizer.ggml.scores", Value::FloatArray(scores)),
        ("tokenizer.ggml.token_type", Value::IntArray(types)),
    ];
    let all: Metadata =
        entries.iter().chain(more).map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Tokenizer::from_metadata(&all).unwrap()
}

/// The printable ASCII characters and Ġ, Ċ, then these tokens; these merges.
fn bpe(pre: &str, tokens: &[(&str, i64)], merges: &[&str], more: &[(&str, Value)]) -> Tokenizer {
    let mut texts: Vec<String> = ('!'..='~').map(String::from).collect();
    texts.extend(["Ġ", "Ċ"].map(str::to_owned));
    let mut types = vec![1; texts.len()];
    for &(text, kind) in tokens {
        texts.push(text.to_owned());
        types.push(kind);
    }
    let entries = [
        ("tokenizer.ggml.model", Value::Str("gpt2".to_owned())),
        ("tokenizer.ggml.pre", Value::Str(pre.to_owned())),
        ("tokenizer.ggml.tokens", Value::StrArray(texts)),
        ("tokenizer.ggml.token_type", Value::IntArray(types)),
        ("tokenizer.ggml.merges", strings(merges)),
    ];
    let all: Metadata =
        entries.iter().chain(more).map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Tokenizer::from_metadata(&all).unwrap()
}

/// The pieces of a text.
fn pieces<'a>(
    tokenizer: &'a Tokenizer,
    text: &str,
    add_special: bool,
    parse_special: bool,
) -> Vec<&'a str> {
    tokenizer
        .encode(text, add_special, parse_special)
        .iter()
        .map(|&token| tokenizer.piece(token))
        .collect()
}

const LETTERS: &[(&str, f32, i64)] = &[
    ("▁", -9.0, 1),
    ("a", -9.0, 1),
    ("b", -9.0, 1),
    ("aa", -2.0, 1),
    ("ab", -1.0, 1),
    ("▁a", -3.0, 1),
    ("aaaa", -4.0, 1),
    ("▁▁", -5.0, 1),
    ("[X]", 0.0, 4),
    ("<", -9.0, 1),
    ("/s>", -9.0, 1),
];

#[test]
fn spm_merges_the_best_score_first_and_the_leftmost_among_equals() {
    let tokenizer = spm(LETTERS, &[]);
    assert_eq!(pieces(&tokenizer, "aab", false, false), ["▁a", "ab"]);
    assert_eq!(pieces(&tokenizer, "bbaaa", false, false), ["▁", "b", "b", "aa", "a"]);
    assert_eq!(pieces(&tokenizer, "baaaa", false, false), ["▁", "b", "aaaa"]);
    assert_eq!(pieces(&tokenizer, "", true, true), ["<s>"]);
}

#[test]
fn spm_falls_back_to_bytes() {
    let tokenizer = spm(LETTERS, &[]);
    assert_eq!(pieces(&tokenizer, "é\n", false, false), ["▁", "<0xC3>", "<0xA9>", "<0x0A>"]);
    assert_eq!(tokenizer.bytes(TokenId(3 + 0xC3), false), [0xC3]);
    assert_eq!(tokenizer.decode(&tokenizer.encode("é\n", false, false), false), "é\n");
}

#[test]
fn spm_puts_a_space_at_the_start_and_after_special_tokens() {
    let tokenizer = spm(LETTERS, &[]);
    assert_eq!(
        pieces(&tokenizer, "a</s>a[X]b", true, true),
        ["<s>", "▁a", "</s>", "▁a", "[X]", "▁", "b"]
    );
    assert_eq!(pieces(&tokenizer, " a", false, false), ["▁", "▁a"]);
    let bare = spm(LETTERS, &[("tokenizer.ggml.add_space_prefix", Value::Bool(false))]);
    assert_eq!(pieces(&bare, "a</s>a", true, true), ["<s>", "a", "</s>", "a"]);

    // Decoding takes the first of them off again, and only that one.
    for text in ["", "a", " a", "  ab", "é", "\n"] {
        for add_special in [false, true] {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text, add_special, false), false), text);
            assert_eq!(bare.decode(&bare.encode(text, add_special, false), false), text);
        }
    }
}

#[test]
fn control_tokens_are_text_unless_parsed_and_silent_unless_asked_for() {
    let tokenizer = spm(LETTERS, &[]);
    // Merging "<" with "/s>" would give the control token.
    assert!(!pieces(&tokenizer, "</s>", false, false).contains(&"</s>"));
    assert_eq!(pieces(&tokenizer, "<unk>", false, true), ["<unk>"]);
    let tokens = tokenizer.encode("a</s>", true, true);
    assert_eq!(tokenizer.decode(&tokens, false), "a");
    assert_eq!(tokenizer.decode(&tokens, true), "<s>a</s>");
    // User-defined tokens always are themselves.
    assert_eq!(pieces(&tokenizer, "[X]", false, false), ["[X]"]);
    assert_eq!(tokenizer.bytes(TokenId(267), false), b"[X]");
}

#[test]
fn the_file_says_whether_special_tokens_are_added() {
    let tokenizer = spm(LETTERS, &[]);
    assert_eq!((tokenizer.bos(), tokenizer.eos()), (Some(TokenId(1)), Some(TokenId(2))));
    assert_eq!(tokenizer.end_tokens(), [TokenId(2)]);
    let keys = [
        ("tokenizer.ggml.add_bos_token", Value::Bool(false)),
        ("tokenizer.ggml.add_eos_token", Value::Bool(true)),
        ("tokenizer.ggml.eos_token_id", Value::U64(260)),
    ];
    assert_eq!(pieces(&spm(LETTERS, &keys), "", true, false), ["a"]);

    let bos = ("tokenizer.ggml.bos_token_id", Value::U32(0));
    for (pre, adds) in [
        ("llama-bpe", true),
        ("tekken", true),
        ("smollm", false),
        ("qwen2", false),
        ("default", false),
    ] {
        let tokenizer = bpe(pre, &[], &[], std::slice::from_ref(&bos));
        assert_eq!(pieces(&tokenizer, "", true, false).len(), usize::from(adds), "{pre}");
        // Nothing can be added where the file names nothing.
        assert!(bpe(pre, &[], &[], &[]).encode("", true, false).is_empty(), "{pre}");
    }
}

#[test]
fn bpe_merges_by_rank_within_words() {
    let tokens = [("ab", 1), ("bc", 1), ("abc", 1), ("Ġa", 1), ("aĠ", 1)];
    let tokenizer = bpe("gpt-2", &tokens, &["b c", "a b", "Ġ a", "a Ġ", "a bc"], &[]);
    assert_eq!(pieces(&tokenizer, "abc", false, false), ["abc"]);
    assert_eq!(pieces(&tokenizer, "abab", false, false), ["ab", "ab"]);
    // "a " would merge if it were one word.
    assert_eq!(pieces(&tokenizer, "a a\n", false, false), ["a", "Ġa", "Ċ"]);
    assert_eq!(tokenizer.decode(&tokenizer.encode("a a\nabc", false, false), false), "a a\nabc");
    // A byte without a token is left out, as in the reference.
    assert_eq!(pieces(&tokenizer, "aéa", false, false), ["a", "a"]);
}

#[test]
fn characters_that_are_left_out_can_be_asked_for() {
    // Of é (C3 A9) one byte has a token, and one control character is part of a token that text
    // always turns into.
    let tokenizer = bpe("gpt-2", &[("Ã", 1), ("\u{4}\u{4}", 4)], &[], &[]);
    assert!(tokenizer.unspelled("plain text\n", false).is_empty());
    assert_eq!(tokenizer.unspelled("é\u{4}\u{4}é ü\u{13}", false), ['é', 'ü', '\u{13}']);
    let lost: String = ('\u{100}'..'\u{180}').collect();
    assert_eq!(tokenizer.unspelled(&lost.repeat(100), false).len(), 16);
    // Byte tokens spell everything, and an unknown token stands for what they don't.
    assert!(spm(LETTERS, &[]).unspelled("é\u{4}", false).is_empty());
}

#[test]
fn the_texts_of_tokens_are_the_text() {
    let bare = spm(LETTERS, &[("tokenizer.ggml.add_space_prefix", Value::Bool(false))]);
    for tokenizer in [&spm(LETTERS, &[]), &bare] {
        for text in ["a a", "  ab  aaaa a", "aéa😀", ""] {
            let tokens = tokenizer.encode(text, false, false);
            assert_eq!(tokenizer.texts(&tokens).concat(), text);
        }
        // A space is also put behind a special token, and stays there.
        let tokens = tokenizer.encode("a[X]b</s>a", true, true);
        assert_eq!(tokenizer.texts(&tokens).concat(), tokenizer.decode(&tokens, true));
    }
    let tokenizer = spm(LETTERS, &[]);
    let tokens = tokenizer.encode("a aé", true, false);
    assert_eq!(tokenizer.texts(&tokens), ["<s>", "a", " a", "", "é"]);
    // On its own a token keeps its space, and bytes that are no character are marked.
    assert_eq!([1, 2, 3].map(|i| tokenizer.text(tokens[i])), [" a", " a", "\u{FFFD}"]);
    assert_eq!(tokenizer.texts(&tokens[..4]), ["<s>", "a", " a", "\u{FFFD}"]);
}

#[test]
fn some_vocabularies_take_whole_words_without_merging() {
    let tokens = [("ab", 1), ("abc", 1)];
    for (pre, expected) in
        [("llama-bpe", vec!["abc"]), ("tekken", vec!["abc"]), ("qwen2", vec!["ab", "c"])]
    {
        let tokenizer = bpe(pre, &tokens, &["a b"], &[]);
        assert_eq!(pieces(&tokenizer, "abc", false, false), expected, "{pre}");
    }
}

#[test]
fn bpe_knows_special_tokens_and_ends() {
    let tokens =
        [("<|im_start|>", 3), ("<|im_end|>", 4), ("<end_of_turn>", 1), ("<tool>", 4), ("x y", 4)];
    let keys = [
        ("tokenizer.ggml.eot_token_id", Value::U32(3)),
        ("tokenizer.ggml.eos_token_id", Value::I32(5)),
    ];
    let tokenizer = bpe("qwen2", &tokens, &[], &keys);
    let ends: Vec<&str> =
        tokenizer.end_tokens().iter().map(|&token| tokenizer.piece(token)).collect();
    assert_eq!(ends, ["$", "&", "<|im_end|>", "<end_of_turn>"]);
    assert_eq!(pieces(&tokenizer, "<tool>x y", false, false), ["<tool>", "x y"]);
    // A token that is known to end turns is a control token, whatever the file says.
    assert_eq!(pieces(&tokenizer, "<|im_end|>", false, true), ["<|im_end|>"]);
    assert_eq!(pieces(&tokenizer, "<|im_end|>", false, false).len(), 10);
    assert_eq!(tokenizer.bytes(TokenId(97), false), b"");
    assert_eq!(tokenizer.bytes(TokenId(97), true), b"<|im_end|>");
}

#[test]
fn ids_outside_of_the_vocabulary_are_nothing() {
    for tokenizer in [spm(LETTERS, &[]), bpe("default", &[], &[], &[])] {
        let outside = [TokenId(tokenizer.vocab_size() as u32), TokenId(u32::MAX)];
        assert_eq!(tokenizer.decode(&outside, true), "");
        assert_eq!(
            (tokenizer.piece(outside[1]), tokenizer.bytes(outside[0], true)),
            ("", &b""[..])
        );
    }
}

#[test]
fn a_megabyte_of_one_character_takes_time_in_proportion() {
    let tokenizer = spm(LETTERS, &[]);
    let n = 1_000_000;
    assert_eq!(tokenizer.encode(&"a".repeat(n), false, false).len(), n / 4 + 1);
    assert_eq!(tokenizer.encode(&" ".repeat(n), false, false).len(), n / 2 + 1);
    assert_eq!(tokenizer.encode(&"\n".repeat(n), false, false).len(), n + 1);
    for pre in ["default", "gpt-2", "smollm", "llama-bpe", "qwen2", "tekken"] {
        let tokenizer =
            bpe(pre, &[("aa", 1), ("aaaa", 1), ("ĠĠ", 1)], &["a a", "aa aa", "Ġ Ġ"], &[]);
        assert_eq!(tokenizer.encode(&"a".repeat(n), false, false).len(), n / 4, "{pre}");
        assert_eq!(tokenizer.encode(&" ".repeat(n), false, false).len(), n / 2, "{pre}");
    }
}

proptest! {
    #[test]
    fn a_stream_is_the_whole_in_parts(parts in prop::collection::vec(prop::collection::vec(prop_oneof![
        any::<u8>(), prop::sample::select("é中😀\u{301}a".as_bytes().to_vec()),
    ], 0..6), 0..20)) {
        let mut stream = TextStream::default();
        let mut text: String = parts.iter().map(|part| stream.push(part)).collect();
        text.push_str(&stream.finish());
        prop_assert_eq!(text, String::from_utf8_lossy(&parts.concat()).into_owned());
        prop_assert_eq!(stream.finish(), "");
    }

    #[test]
    fn a_character_comes_out_with_its_last_byte(text in ".*") {
        let mut stream = TextStream::default();
        for c in text.chars() {
            let mut buffer = [0; 4];
            let (last, first) = c.encode_utf8(&mut buffer).as_bytes().split_last().unwrap();
            for byte in first {
                prop_assert_eq!(stream.push(&[*byte]), "");
            }
            prop_assert_eq!(stream.push(&[*last]), c.to_string());
        }
    }

    #[test]
    fn what_is_encoded_decodes_to_itself(text in ".*", add_special: bool) {
        let tokenizer = spm(LETTERS, &[]);
        // U+2581 stands for a space in such a vocabulary, so that one comes back as a space.
        let expected = text.replace('▁', " ");
        prop_assert_eq!(tokenizer.decode(&tokenizer.encode(&text, add_special, false), false), expected);
    }
}
