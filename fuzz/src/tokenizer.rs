//! A text in: its tokens lie in the vocabulary and decode to the text again, in time proportional
//! to it.
//!
//! The first byte picks a vocabulary, the second says how the text is encoded; the rest is the
//! text.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
    sync::OnceLock,
    time::Duration,
};

use kelvin_engine::{
    TokenId,
    gguf::{Metadata, Value},
    tokenizer::{TextStream, Tokenizer},
};

use crate::clock::timed;

/// Words that the vocabularies have as tokens, with all their beginnings.
const WORDS: [&str; 15] = [
    " the", " and", "hello", " Hello", "ing", "123", "    ", "\n\n", "ation", "'ll", "éé", "你好",
    "--", "🌀", "a b",
];
/// Tokens that are no text, or always themselves: overlapping ones among them.
const CONTROLS: [&str; 4] = ["<|im_start|>", "<|im_end|>", "<|", "<|im"];
const DEFINED: [&str; 3] = ["<a", "<aa", "<tool>"];
/// The first tokens of a SentencePiece vocabulary.
const FIRST: [&str; 3] = ["<unk>", "<s>", "</s>"];

/// Bytes of the long text that is made of a short one, and the time that encoding it may take: 64
/// KiB take some 20 ms, and minutes if work grew with the square.
const LONG: usize = 64 << 10;
const MAX_TIME: Duration = Duration::from_secs(4);

/// What a text decodes to.
type Expected = fn(&str) -> Cow<'_, str>;

struct Case {
    tokenizer: Tokenizer,
    expected: Expected,
    /// `expected` is for texts without special tokens.
    is_for_plain: bool,
    /// A space goes before the text, and after each special token in it.
    has_prefix: bool,
}

fn itself(text: &str) -> Cow<'_, str> {
    text.into()
}

/// SentencePiece has one character for its own space and for a space.
fn without_marks(text: &str) -> Cow<'_, str> {
    if text.contains('▁') { text.replace('▁', " ").into() } else { text.into() }
}

/// Each line that begins with no space gets one; the first one of the text is taken off again.
fn with_spaces(text: &str) -> Cow<'_, str> {
    let mut spaced = String::with_capacity(2 * text.len() + 1);
    let mut is_start = true;
    for c in text.chars() {
        if is_start && !matches!(c, '\n' | ' ' | '▁') {
            spaced.push(' ');
        }
        is_start = c == '\n';
        spaced.push(if c == '▁' { ' ' } else { c });
    }
    match spaced.strip_prefix(' ') {
        Some(rest) => rest.to_string().into(),
        None => spaced.into(),
    }
}

/// PLaMo leaves out U+FEFF at the beginning and behind special tokens.
fn without_byte_order_mark(text: &str) -> Cow<'_, str> {
    text.strip_prefix('\u{feff}').unwrap_or(text).into()
}

/// Panics if the text breaks a promise.
pub(crate) fn check(bytes: &[u8]) {
    let &[pick, how, ref text @ ..] = bytes else { return };
    check_text(case(pick), &String::from_utf8_lossy(text), how);
}

/// Panics if the text, repeated until it is long, breaks a promise or takes too long.
pub(crate) fn check_long(bytes: &[u8]) {
    let &[pick, how, ref text @ ..] = bytes else { return };
    let text = String::from_utf8_lossy(text);
    if text.is_empty() {
        return;
    }
    let long = text.repeat(LONG.div_ceil(text.len()));
    let ((), took) = timed(|| check_text(case(pick), &long, how));
    assert!(took <= MAX_TIME, "{} bytes took {took:?}", long.len());
}

fn case(pick: u8) -> &'static Case {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    let cases = CASES.get_or_init(cases);
    &cases[usize::from(pick) % cases.len()]
}

fn check_text(case: &Case, text: &str, how: u8) {
    let tokenizer = &case.tokenizer;
    let (add_special, parse_special) = (how & 1 != 0, how & 2 != 0);
    let tokens = tokenizer.encode(text, add_special, parse_special);
    assert!(
        tokens.iter().all(|token| token.index() < tokenizer.vocab_size()),
        "an id beyond the vocabulary"
    );
    assert!(tokens.len() <= 2 * text.len() + 3);
    let decoded = tokenizer.decode(&tokens, true);
    if add_special {
        return;
    }
    let special = |text: &str| {
        CONTROLS.iter().chain(&DEFINED).chain(&FIRST).any(|special| text.contains(special))
    };
    if !case.is_for_plain || !special(text) {
        assert_eq!(decoded, (case.expected)(text));
    }
    if !case.has_prefix {
        let mut stream = TextStream::default();
        let pieces: String =
            tokens.iter().map(|&token| stream.push(tokenizer.bytes(token, true))).collect();
        assert_eq!(pieces + &stream.finish(), decoded, "a stream tells another text");
    }
    // Tokens decode to nothing but their own bytes, special ones left out.
    let plain: Vec<u8> =
        tokens.iter().flat_map(|&token| tokenizer.bytes(token, false)).copied().collect();
    assert!(plain.len() <= text.len() + tokens.len());
}

fn cases() -> Vec<Case> {
    let whole = |tokenizer, expected: Expected| Case {
        tokenizer,
        expected,
        is_for_plain: false,
        has_prefix: false,
    };
    let mut cases = vec![
        Case { is_for_plain: true, has_prefix: true, ..whole(sentence_piece(true), without_marks) },
        whole(sentence_piece(false), without_marks),
        whole(escaped(), itself),
        Case { is_for_plain: true, ..whole(plamo(), without_byte_order_mark) },
    ];
    for pre in Tokenizer::pre_tokenizers() {
        let spelled = |space| spelled(pre, space);
        cases.push(match pre {
            "gemma4" | "sarvam-moe" => whole(spelled("▁"), without_marks),
            "mmbert" => {
                Case { is_for_plain: true, has_prefix: true, ..whole(spelled("▁"), with_spaces) }
            }
            "whitespace" => whole(spelled(" "), itself),
            _ => whole(byte_level(pre), itself),
        });
    }
    cases
}

/// The character that spells each byte in byte-level vocabularies.
fn spelling(byte: u8) -> char {
    let is_printable = |byte: u8| matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
    if is_printable(byte) {
        return char::from(byte);
    }
    let n_before = (0..byte).filter(|&other| !is_printable(other)).count() as u32;
    char::from_u32(256 + n_before).expect("below U+0144")
}

fn byte_level(pre: &str) -> Tokenizer {
    let mut tokens: Vec<String> = (0..=255).map(|byte| spelling(byte).to_string()).collect();
    let words = WORDS.map(|word| word.bytes().map(spelling).collect());
    let merges = add_merged(&mut tokens, &words);
    build("gpt2", tokens, vec![("merges", strings(merges)), ("pre", Value::Str(pre.into()))])
}

/// BPE of characters, with bytes for those that are no token.
fn spelled(pre: &str, space: &str) -> Tokenizer {
    let mut tokens: Vec<String> = (0..=255).map(|byte| format!("<0x{byte:02X}>")).collect();
    // In the notation of merges a space stands between two tokens.
    let words: Vec<Vec<char>> = WORDS
        .iter()
        .map(|word| word.replace(' ', space).chars().collect())
        .filter(|word: &Vec<char>| !word.contains(&' '))
        .collect();
    let characters: BTreeSet<char> =
        words.iter().flatten().copied().chain(' '..='~').chain(space.chars()).collect();
    tokens.extend(characters.iter().map(char::to_string));
    let merges = add_merged(&mut tokens, &words);
    build("gpt2", tokens, vec![("merges", strings(merges)), ("pre", Value::Str(pre.into()))])
}

/// Adds the beginnings of words to tokens, and returns the merges that make them.
fn add_merged(tokens: &mut Vec<String>, words: &[Vec<char>]) -> Vec<String> {
    let mut seen: HashSet<String> = tokens.iter().cloned().collect();
    let mut merges = Vec::new();
    for word in words {
        for n in 2..=word.len() {
            let whole: String = word[..n].iter().collect();
            if seen.insert(whole.clone()) {
                let left: String = word[..n - 1].iter().collect();
                merges.push(format!("{left} {}", word[n - 1]));
                tokens.push(whole);
            }
        }
    }
    merges
}

/// Tokens that are texts, without merges: bytes, characters and the beginnings of words, with
/// `space` for a space.
fn texts(space: &str) -> Vec<String> {
    let mut tokens: Vec<String> = FIRST.map(String::from).into();
    tokens.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
    let mut seen: HashSet<String> = tokens.iter().cloned().collect();
    let mut add = |text: String| {
        if seen.insert(text.clone()) {
            tokens.push(text);
        }
    };
    (' '..='~').chain(['▁', 'é', '你']).filter(|&c| c != ' ').for_each(|c| add(c.into()));
    for word in WORDS {
        let spelled: Vec<char> = word.replace(' ', space).chars().collect();
        (2..=spelled.len()).for_each(|n| add(spelled[..n].iter().collect()));
    }
    tokens
}

fn sentence_piece(has_prefix: bool) -> Tokenizer {
    build("llama", texts("▁"), vec![("add_space_prefix", Value::Bool(has_prefix))])
}

fn plamo() -> Tokenizer {
    build("plamo2", texts(" "), vec![])
}

/// RWKV's tokens: any bytes.
fn escaped() -> Tokenizer {
    let mut tokens: Vec<String> = (0..=255).map(|byte| format!("\\x{byte:02x}")).collect();
    let words = WORDS.iter().flat_map(|word| word.char_indices().skip(1).map(|(n, _)| &word[..n]));
    let words: BTreeSet<&str> = words.chain(WORDS).filter(|word| word.len() > 1).collect();
    tokens.extend(words.into_iter().map(String::from));
    build("rwkv", tokens, vec![])
}

fn strings(texts: Vec<String>) -> Value {
    Value::StrArray(texts)
}

/// The tokenizer of these tokens and the special ones.
fn build(model: &str, mut tokens: Vec<String>, more: Vec<(&str, Value)>) -> Tokenizer {
    let kind = |text: &String| match text.as_str() {
        "<unk>" => 2,
        "<s>" | "</s>" => 3,
        text if text.starts_with("<0x") && text.len() == 6 => 6,
        _ => 1,
    };
    let mut kinds: Vec<i64> = tokens.iter().map(kind).collect();
    tokens.extend(CONTROLS.iter().chain(&DEFINED).map(ToString::to_string));
    kinds.extend([3; CONTROLS.len()].iter().chain(&[4; DEFINED.len()]));
    let end = tokens.iter().position(|text| text == CONTROLS[1]).expect("it was put in") as u32;
    let mut entries = vec![
        ("model", Value::Str(model.into())),
        ("scores", Value::FloatArray((0..tokens.len()).map(|id| -(id as f32)).collect())),
        ("token_type", Value::IntArray(kinds)),
        ("tokens", strings(tokens)),
        ("bos_token_id", Value::U32(end - 1)),
        ("eos_token_id", Value::U32(end)),
        ("add_bos_token", Value::Bool(true)),
        ("add_eos_token", Value::Bool(true)),
    ];
    entries.extend(more);
    let metadata: Metadata =
        entries.into_iter().map(|(key, value)| (format!("tokenizer.ggml.{key}"), value)).collect();
    Tokenizer::from_metadata(&metadata).expect("the vocabulary is sound")
}

/// The vocabulary with which forms are compiled.
pub(crate) fn for_forms() -> Tokenizer {
    sentence_piece(false)
}

/// Whether a token ends a text.
pub(crate) fn ends(tokenizer: &Tokenizer, token: TokenId) -> bool {
    tokenizer.end_tokens().contains(&token)
}
