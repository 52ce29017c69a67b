//! Vocabularies that broke other programs: each is a clear error or harmless, never a panic.

use kelvin_engine::{
    TokenId,
    gguf::{Metadata, Value},
    tokenizer::Tokenizer,
};
use kelvin_testkit::gguf_bytes;
use proptest::prelude::*;

type Entries = Vec<(&'static str, Value)>;

fn strings(list: &[&str]) -> Value {
    Value::StrArray(list.iter().map(|text| (*text).to_owned()).collect())
}

fn spm() -> Entries {
    vec![
        ("tokenizer.ggml.model", Value::Str("llama".to_owned())),
        ("tokenizer.ggml.tokens", strings(&["<unk>", "<s>", "</s>", "<0x0A>", "a", "▁"])),
        ("tokenizer.ggml.scores", Value::FloatArray(vec![0.0; 6])),
        ("tokenizer.ggml.token_type", Value::IntArray(vec![2, 3, 3, 6, 1, 1])),
        ("tokenizer.ggml.bos_token_id", Value::U32(1)),
    ]
}

fn bpe() -> Entries {
    vec![
        ("tokenizer.ggml.model", Value::Str("gpt2".to_owned())),
        ("tokenizer.ggml.pre", Value::Str("llama-bpe".to_owned())),
        ("tokenizer.ggml.tokens", strings(&["a", "b", "ab", "<|eot_id|>"])),
        ("tokenizer.ggml.merges", strings(&["a b"])),
        ("tokenizer.ggml.token_type", Value::IntArray(vec![1, 1, 1, 3])),
    ]
}

/// The entries with one of them replaced, added, or (`None`) taken away.
fn build(
    mut entries: Entries,
    key: &'static str,
    value: Option<Value>,
) -> Result<Tokenizer, String> {
    entries.retain(|(other, _)| *other != key);
    entries.extend(value.map(|value| (key, value)));
    let metadata: Metadata =
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Tokenizer::from_metadata(&metadata).map_err(|error| error.to_string())
}

/// That the change is refused with an error that says all of `says`.
fn check(entries: Entries, key: &'static str, value: Option<Value>, says: &[&str]) {
    let error = build(entries, key, value).expect_err(key);
    assert!(
        says.iter().all(|words| error.contains(words)),
        "{key}: {error:?} doesn't say {says:?}"
    );
    assert!(error.len() < 1000, "{key}: an error of {} bytes", error.len());
}

#[test]
fn byte_tokens_name_a_byte() {
    for text in ["<0x-1>", "<0xZZ>", "<0x+1>", "<0x>", "<0x100>", "0x0A", "", "<0xé>", "<0x0A", "a"]
    {
        let tokens = strings(&["<unk>", "<s>", "</s>", text, "x", "▁"]);
        check(spm(), "tokenizer.ggml.tokens", Some(tokens), &["token 3", text, "<0x00>"]);
    }
    // The same text as a normal token is a normal token.
    let tokens = strings(&["<unk>", "<s>", "</s>", "<0x0A>", "<0x-1>", "▁"]);
    assert!(build(spm(), "tokenizer.ggml.tokens", Some(tokens)).is_ok());
}

#[test]
fn scores_and_types_are_as_many_as_tokens_and_of_their_type() {
    let scores = "tokenizer.ggml.scores";
    for n in [0, 5, 7] {
        let n_found = n.to_string();
        check(spm(), scores, Some(Value::FloatArray(vec![0.0; n])), &[scores, &n_found, "6"]);
        check(
            spm(),
            "tokenizer.ggml.token_type",
            Some(Value::IntArray(vec![1; n])),
            &["token_type", &n_found, "6"],
        );
    }
    check(spm(), scores, Some(strings(&["a"; 6])), &[scores]);
    check(spm(), scores, Some(Value::F32(0.0)), &[scores]);
    check(spm(), scores, Some(Value::FloatArray(vec![f32::NAN; 6])), &["token 0", "number"]);
    check(
        spm(),
        "tokenizer.ggml.token_type",
        Some(Value::FloatArray(vec![1.0; 6])),
        &["token_type"],
    );
    check(spm(), scores, Some(Value::IntArray(vec![0; 6])), &[scores]);
    // Infinities have their place in the order.
    assert!(build(spm(), scores, Some(Value::FloatArray(vec![f32::NEG_INFINITY; 6]))).is_ok());
    // A type from the future is a token of no known kind.
    let types = Value::IntArray(vec![2, 3, 3, 6, 77, -1]);
    let tokenizer = build(spm(), "tokenizer.ggml.token_type", Some(types)).unwrap();
    assert_eq!(tokenizer.bytes(TokenId(4), true), b"");
}

/// Arrays of integers and of floats are widened when they are read, so only a file tells what it
/// has.
#[test]
fn types_and_scores_have_the_width_that_the_format_says() {
    fn opened(scores: (u32, Vec<u8>), types: (u32, Vec<u8>)) -> Result<Tokenizer, String> {
        let tokens = ["<unk>", "a", "b"].map(gguf_bytes::string).concat();
        let file = gguf_bytes::Bytes::new()
            .entry("tokenizer.ggml.model", gguf_bytes::STR, gguf_bytes::string("llama"))
            .entry("tokenizer.ggml.tokens", ARRAY, array(gguf_bytes::STR, 3, tokens))
            .entry("tokenizer.ggml.scores", ARRAY, array(scores.0, 3, scores.1))
            .entry("tokenizer.ggml.token_type", ARRAY, array(types.0, 3, types.1));
        let file = gguf_bytes::OnDisk::new(&file.file());
        let gguf = kelvin_engine::gguf::Gguf::open(&file.0).unwrap();
        Tokenizer::from_metadata(&gguf.metadata).map_err(|error| error.to_string())
    }
    use kelvin_testkit::gguf_bytes::{
        ARRAY, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, array,
    };
    let floats =
        || (F32, [0.0_f32, -1.0, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>());
    let whole = |kind: u32, width: usize| {
        let one = |x: u64| x.to_le_bytes()[..width].to_vec();
        (kind, [2, 1, 1].into_iter().flat_map(one).collect::<Vec<u8>>())
    };
    let tokenizer = opened(floats(), whole(I32, 4)).unwrap();
    assert_eq!(tokenizer.encode("b", false, false).last(), Some(&TokenId(2)));
    for (kind, width, name) in [
        (U32, 4, "u32"),
        (U8, 1, "u8"),
        (I8, 1, "i8"),
        (U16, 2, "u16"),
        (I16, 2, "i16"),
        (U64, 8, "u64"),
        (I64, 8, "i64"),
    ] {
        let error = opened(floats(), whole(kind, width)).unwrap_err();
        let says = ["token_type", name, "i32"];
        assert!(says.iter().all(|words| error.contains(words)), "{error:?} doesn't say {says:?}");
        let error = opened(whole(kind, width), whole(I32, 4)).unwrap_err();
        let says = ["scores", name, "f32"];
        assert!(says.iter().all(|words| error.contains(words)), "{error:?} doesn't say {says:?}");
    }
    let error = opened((F64, vec![0; 24]), whole(I32, 4)).unwrap_err();
    assert!(error.contains("scores") && error.contains("f64"), "{error}");
}

#[test]
fn merges_name_tokens() {
    let merges = "tokenizer.ggml.merges";
    check(bpe(), merges, Some(strings(&["a b", "a c"])), &["entry 1", "a c", "`c` isn't a token"]);
    check(bpe(), merges, Some(strings(&["c a"])), &["entry 0", "`c` isn't a token"]);
    check(bpe(), merges, Some(strings(&["b a"])), &["`ba` isn't a token"]);
    for text in ["ab", "", " ", "a ", " b"] {
        check(bpe(), merges, Some(strings(&[text])), &["entry 0"]);
    }
    check(bpe(), merges, Some(strings(&[&"x".repeat(1 << 16)])), &["entry 0", "…"]);
    check(bpe(), merges, Some(Value::IntArray(vec![1])), &[merges]);
    check(bpe(), merges, None, &[merges]);
    // The same merge twice is the first of the two.
    assert!(build(bpe(), merges, Some(strings(&["a b", "a b"]))).is_ok());
}

#[test]
fn ids_lie_in_the_vocabulary() {
    let keys = [
        "tokenizer.ggml.bos_token_id",
        "tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.eot_token_id",
        "tokenizer.ggml.eom_token_id",
        "tokenizer.ggml.unknown_token_id",
        "tokenizer.ggml.fim_pad_token_id",
    ];
    for key in keys {
        check(spm(), key, Some(Value::U32(6)), &[key, "6 tokens"]);
        check(spm(), key, Some(Value::U32(u32::MAX)), &[key, "4294967295"]);
        check(spm(), key, Some(Value::I32(-1)), &[key]);
        check(spm(), key, Some(Value::Str("1".to_owned())), &[key]);
        assert!(build(spm(), key, Some(Value::U64(5))).is_ok());
    }
    check(
        bpe(),
        "tokenizer.ggml.add_bos_token",
        Some(Value::Bool(true)),
        &["add_bos_token", "bos_token_id"],
    );
    check(spm(), "tokenizer.ggml.add_bos_token", Some(Value::U8(1)), &["add_bos_token"]);
}

#[test]
fn what_is_not_supported_is_named_with_what_is() {
    check(
        spm(),
        "tokenizer.ggml.model",
        Some(Value::Str("wordpiece".to_owned())),
        &["wordpiece", "llama, gpt2, gemma4, plamo2, rwkv, t5"],
    );
    check(spm(), "tokenizer.ggml.model", None, &["tokenizer.ggml.model"]);
    // Kinds of models that make no text.
    for (model, says) in [("bert", "embedding model"), ("none", "no vocabulary")] {
        let model = Some(Value::Str(model.to_owned()));
        check(spm(), "tokenizer.ggml.model", model, &["tokenizer.ggml.model", says]);
    }
    let says = ["no-such-pre", "default", "gpt-2", "llama-bpe", "smollm", "qwen2", "tekken"];
    check(bpe(), "tokenizer.ggml.pre", Some(Value::Str("no-such-pre".to_owned())), &says);
    check(bpe(), "tokenizer.ggml.pre", Some(Value::U32(1)), &["tokenizer.ggml.pre"]);
    // Files from before the key existed are taken with a warning.
    let tokenizer = build(bpe(), "tokenizer.ggml.pre", None).unwrap();
    assert!(tokenizer.warnings()[0].contains("tokenizer.ggml.pre"), "{:?}", tokenizer.warnings());
    assert!(build(bpe(), "tokenizer.ggml.foo", None).unwrap().warnings().is_empty());
    assert!(build(spm(), "tokenizer.ggml.pre", None).unwrap().warnings().is_empty());
}

/// What a vocabulary asks for and doesn't get is said; what asks for nothing isn't.
#[test]
fn keys_that_are_not_used_are_warned_of() {
    let yes = || Value::Bool(true);
    for (entries, key, value) in [
        (spm(), "tokenizer.ggml.remove_extra_whitespaces", yes()),
        (spm(), "tokenizer.ggml.precompiled_charsmap", Value::IntArray(vec![1; 100])),
        (spm(), "tokenizer.ggml.add_sep_token", yes()),
        (bpe(), "tokenizer.ggml.add_space_prefix", yes()),
        (bpe(), "tokenizer.ggml.normalizer.lowercase", yes()),
        (bpe(), "tokenizer.ggml.something_new", Value::U32(0)),
    ] {
        let tokenizer = build(entries, key, Some(value)).unwrap();
        assert_eq!(tokenizer.warnings().len(), 1, "{key}: {:?}", tokenizer.warnings());
        assert!(tokenizer.warnings()[0].contains(key), "{key}: {:?}", tokenizer.warnings());
    }
    for (entries, key, value) in [
        (spm(), "tokenizer.ggml.remove_extra_whitespaces", Value::Bool(false)),
        (spm(), "tokenizer.ggml.add_space_prefix", yes()),
        (bpe(), "tokenizer.ggml.add_space_prefix", Value::Bool(false)),
        (bpe(), "tokenizer.ggml.padding_token_id", Value::U32(0)),
        (bpe(), "tokenizer.chat_template.tool_use", Value::Str(String::new())),
    ] {
        assert_eq!(build(entries, key, Some(value)).unwrap().warnings(), [""; 0], "{key}");
    }
    let many =
        (0..1000).map(|i| (format!("tokenizer.ggml.{}{i}", "x".repeat(5000)), Value::U32(0)));
    let all: Metadata =
        bpe().into_iter().map(|(key, value)| (key.to_owned(), value)).chain(many).collect();
    let warnings = Tokenizer::from_metadata(&all).unwrap().warnings().concat();
    assert!(warnings.len() < 4000, "warnings of {} bytes", warnings.len());
}

#[test]
fn every_end_of_a_list_is_one() {
    let key = "tokenizer.ggml.eos_token_ids";
    let tokenizer = build(bpe(), key, Some(Value::IntArray(vec![1, 2]))).unwrap();
    assert_eq!(tokenizer.end_tokens(), [TokenId(1), TokenId(2), TokenId(3)]);
    for id in [4, -1, i64::MAX] {
        check(bpe(), key, Some(Value::IntArray(vec![id])), &[key, "4 tokens"]);
    }
}

#[test]
fn tokens_are_there_and_distinct() {
    let tokens = "tokenizer.ggml.tokens";
    check(spm(), tokens, None, &[tokens]);
    check(spm(), tokens, Some(Value::IntArray(vec![1; 6])), &[tokens]);
    check(spm(), tokens, Some(strings(&[])), &[tokens]);
    let twice = strings(&["<unk>", "<s>", "</s>", "<0x0A>", "a", "a"]);
    check(spm(), tokens, Some(twice), &["token 5", "`a`", "token 4"]);
    // Empty rows are padding.
    let padded = strings(&["<unk>", "<s>", "</s>", "<0x0A>", "", ""]);
    let tokenizer = build(spm(), tokens, Some(padded)).unwrap();
    assert_eq!(tokenizer.encode("\n", false, true), [TokenId(0), TokenId(3)]);
}

#[test]
fn a_token_of_64_kib_is_a_token() {
    let long = "a".repeat(1 << 16);
    for kind in [1, 2, 3, 4, 5, 9] {
        let tokens = strings(&["<unk>", "<s>", "</s>", "<0x0A>", &long, "▁"]);
        let mut entries = spm();
        entries[3].1 = Value::IntArray(vec![2, 3, 3, 6, kind, 1]);
        let tokenizer = build(entries, "tokenizer.ggml.tokens", Some(tokens)).unwrap();
        assert_eq!(tokenizer.piece(TokenId(4)).len(), 1 << 16);
        let text = "a".repeat(200_000);
        let found =
            tokenizer.encode(&text, false, true).iter().filter(|token| token.0 == 4).count();
        assert_eq!(found, if matches!(kind, 2..=4) { 3 } else { 0 }, "type {kind}");
    }
    // As a byte token it's refused, without being printed whole.
    let tokens = strings(&["<unk>", "<s>", "</s>", &long, "a", "▁"]);
    check(spm(), "tokenizer.ggml.tokens", Some(tokens), &["token 3", "…"]);
}

#[test]
fn a_vocabulary_without_what_a_text_needs_leaves_it_out() {
    // No byte tokens, no unknown token.
    let entries = vec![
        ("tokenizer.ggml.model", Value::Str("llama".to_owned())),
        ("tokenizer.ggml.tokens", strings(&["a"])),
    ];
    let tokenizer = build(entries, "tokenizer.ggml.add_bos_token", None).unwrap();
    assert_eq!(tokenizer.encode("abé", true, true), [TokenId(0)]);
    assert_eq!(tokenizer.unspelled("a bébé", true), [' ', 'b', 'é']);
    assert!(tokenizer.unspelled("aa", true).is_empty());
    assert_eq!((tokenizer.bos(), tokenizer.eos(), tokenizer.end_tokens()), (None, None, &[][..]));
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "llama|gpt2|tekken|default",
        "<0x[0-9A-G+-]{2}>",
        "[ab]{1,3} ?[ab]{0,2}",
        "</?s>|▁+|Ġ",
        ".{0,5}"
    ];
    prop_oneof![
        any::<u32>().prop_map(Value::U32),
        (0_u32..9).prop_map(Value::U32),
        any::<i64>().prop_map(Value::I64),
        any::<bool>().prop_map(Value::Bool),
        any::<f32>().prop_map(Value::F32),
        text.clone().prop_map(Value::Str),
        prop::collection::vec(text, 0..8).prop_map(Value::StrArray),
        prop::collection::vec(-1_i64..8, 0..8).prop_map(Value::IntArray),
        prop::collection::vec(any::<f32>(), 0..8).prop_map(Value::FloatArray),
        Just(Value::BoolArray(vec![true])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    #[test]
    fn no_metadata_makes_it_panic(
        base in prop::sample::select(vec![spm(), bpe()]),
        changes in prop::collection::vec((prop::sample::select(vec![
            "tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens", "tokenizer.ggml.scores",
            "tokenizer.ggml.token_type", "tokenizer.ggml.merges", "tokenizer.ggml.bos_token_id",
            "tokenizer.ggml.add_space_prefix", "tokenizer.ggml.add_eos_token",
        ]), any_value()), 0..3),
        text in "[ab ▁\n]{0,9}(</s>|<0x0A>|.*)",
    ) {
        let mut entries = base;
        for (key, value) in changes {
            entries.retain(|(other, _)| *other != key);
            entries.push((key, value));
        }
        if let Ok(tokenizer) = build(entries, "", None) {
            for (add_special, parse_special) in [(false, false), (true, true)] {
                let tokens = tokenizer.encode(&text, add_special, parse_special);
                prop_assert!(tokens.iter().all(|token| token.index() < tokenizer.vocab_size()));
                tokenizer.decode(&tokens, add_special);
            }
        }
    }
}
