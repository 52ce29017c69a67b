//! Every name of a tokenizer that llama.cpp knows, on made vocabularies: the engine's ids against
//! llama.cpp's (`tests/python/tokenizer_cases.py`), and the tokens that end a turn.

use std::collections::HashSet;

use kelvin_engine::{
    gguf::{Metadata, Value},
    tokenizer::Tokenizer,
};
use serde_json::Value as Json;

const GOLDENS: &str = include_str!("../goldens/tokenizers.json");
/// Names whose texts the engine cuts as the models' own tokenizers do, which know upper and lower
/// case of every script and take marks for letters; llama.cpp's expressions don't.
const CASED: [&str; 7] =
    ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2", "granite-embed-multi-97m", "tekken"];
/// Names whose vocabularies spell characters.
const OF_CHARACTERS: [&str; 4] = ["gemma4", "granite-embed-multi-311m", "mmbert", "sarvam-moe"];

fn goldens() -> Json {
    serde_json::from_str(GOLDENS).unwrap()
}

fn strings(json: &Json) -> Vec<String> {
    json.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The tokenizer of these tokens with their types.
fn tokenizer(
    model: &str,
    tokens: Vec<String>,
    types: Vec<i64>,
    more: &[(&str, Value)],
) -> Tokenizer {
    let entries = [
        ("model", Value::Str(model.to_owned())),
        ("tokens", Value::StrArray(tokens)),
        ("token_type", Value::IntArray(types)),
    ];
    let entries = entries.into_iter().chain(more.iter().map(|(key, value)| (*key, value.clone())));
    let metadata: Metadata =
        entries.map(|(key, value)| (format!("tokenizer.ggml.{key}"), value)).collect();
    Tokenizer::from_metadata(&metadata).unwrap()
}

/// GPT-2's characters for bytes.
fn alphabet() -> Vec<String> {
    let is_printable = |byte: u32| matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
    let printable = (0..256).filter(|&byte| is_printable(byte));
    let others = 256..256 + (0..256).filter(|&byte| !is_printable(byte)).count() as u32;
    printable.chain(others).map(|code| char::from_u32(code).unwrap().to_string()).collect()
}

/// Byte-level BPE under a name.
fn of_bytes(goldens: &Json, pre: &str) -> Tokenizer {
    let merges = strings(&goldens["merges"]);
    let mut seen = HashSet::new();
    let made = merges.iter().map(|merge| merge.replacen(' ', "", 1));
    let mut tokens: Vec<String> =
        alphabet().into_iter().chain(made).filter(|token| seen.insert(token.clone())).collect();
    let n = tokens.len();
    tokens.extend(["<s>", "</s>", "<unk>"].map(str::to_owned));
    let mut types = vec![1; n];
    types.extend([3, 3, 2]);
    let more = [
        ("pre", Value::Str(pre.to_owned())),
        ("merges", Value::StrArray(merges)),
        ("bos_token_id", Value::U32(n as u32)),
        ("eos_token_id", Value::U32(n as u32 + 1)),
    ];
    tokenizer("gpt2", tokens, types, &more)
}

/// A vocabulary of characters under a model, and a name for those of BPE.
fn of_characters(goldens: &Json, model: &str, more: &[(&str, Value)]) -> Tokenizer {
    let mut tokens = ["<pad>", "<s>", "</s>", "<unk>"].map(str::to_owned).to_vec();
    let mut types = vec![3, 3, 3, 2];
    // The unigram model has no bytes.
    let is_unigram = model == "t5";
    for byte in 0..256 {
        let index = tokens.len();
        tokens.push(if is_unigram { format!("t{index}") } else { format!("<0x{byte:02X}>") });
        types.push(if is_unigram { 1 } else { 6 });
    }
    tokens.extend(strings(&goldens["characters"]));
    types.resize(tokens.len(), 1);
    let scores = (0..tokens.len()).map(|id| match id.checked_sub(260) {
        Some(i) => -(5.0 + (i * 7919 % 1000) as f64 / 70.0) as f32,
        None => 0.0,
    });
    let mut all = vec![
        ("merges", Value::StrArray(strings(&goldens["character_merges"]))),
        ("scores", Value::FloatArray(scores.collect())),
        ("bos_token_id", Value::U32(1)),
        ("eos_token_id", Value::U32(2)),
        ("unknown_token_id", Value::U32(3)),
    ];
    all.extend(more.iter().cloned());
    tokenizer(model, tokens, types, &all)
}

/// Compares the ids of every text with a line of hashes.
fn check(goldens: &Json, name: &str, tokenizer: &Tokenizer, hashes: &str) {
    // What has a case or belongs to a letter, outside of ASCII.
    let cased = fancy_regex::Regex::new(r"[\p{Lu}\p{Ll}\p{Lt}\p{M}&&[^A-Za-z]]").unwrap();
    let texts = strings(&goldens["texts"]);
    assert!(texts.len() >= 200 && hashes.len() == 8 * texts.len(), "{name}");
    for (text, expected) in texts.iter().zip(hashes.as_bytes().chunks(8)) {
        if CASED.contains(&name) && cased.is_match(text).unwrap() {
            continue;
        }
        let ids: Vec<u32> = tokenizer.encode(text, true, true).iter().map(|id| id.0).collect();
        // FNV-1a.
        let hash = ids
            .iter()
            .flat_map(|id| id.to_le_bytes())
            .fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        assert_eq!(format!("{hash:08x}").as_bytes(), expected, "{name}: {text:?} gives {ids:?}");
    }
}

#[test]
fn ids_under_every_name_are_llama_cpp_s() {
    let goldens = goldens();
    let mut n_names = 0;
    for (names, hashes) in goldens["names"].as_object().unwrap() {
        for name in names.split(' ') {
            let pre = ("pre", Value::Str(name.to_owned()));
            let tokenizer = match OF_CHARACTERS.contains(&name) {
                true => of_characters(&goldens, "gpt2", &[pre]),
                false => of_bytes(&goldens, name),
            };
            check(&goldens, name, &tokenizer, hashes.as_str().unwrap());
            n_names += 1;
        }
    }
    // llama.cpp 0.6.0 has one more, whose own model isn't of text.
    assert_eq!(n_names, 91);
}

#[test]
fn ids_of_every_model_are_llama_cpp_s() {
    let goldens = goldens();
    for (name, hashes) in goldens["models"].as_object().unwrap() {
        let (model, flag) = name.split_once(' ').unwrap_or((name, ""));
        let tokenizer = match model {
            "rwkv" => {
                let tokens = strings(&goldens["rwkv"]);
                let mut types = vec![1; tokens.len()];
                types[0] = 3;
                tokenizer("rwkv", tokens, types, &[])
            }
            "plamo2" => of_characters(&goldens, model, &[("add_bos_token", Value::Bool(true))]),
            _ if flag.is_empty() => of_characters(&goldens, model, &[]),
            _ => of_characters(&goldens, model, &[(flag, Value::Bool(true))]),
        };
        check(&goldens, name, &tokenizer, hashes.as_str().unwrap());
        for text in strings(&goldens["texts"]) {
            let placed = tokenizer.encode_with_places(&text, true, false);
            assert!(placed.is_sorted_by_key(|&(_, place)| place), "{name}: {text:?} {placed:?}");
            assert!(placed.iter().all(|&(_, place)| place <= text.len()), "{name}: {text:?}");
            let ids: Vec<_> = placed.iter().map(|&(id, _)| id).collect();
            assert_eq!(ids, tokenizer.encode(&text, true, false), "{name}: {text:?}");
            if matches!(model, "gemma4" | "plamo2" | "rwkv") {
                let plain = tokenizer.encode(&text, false, false);
                let expected = match model {
                    "gemma4" => text.replace('▁', " "),
                    "plamo2" => text.trim_start_matches('\u{feff}').to_owned(),
                    _ => text.clone(),
                };
                assert_eq!(tokenizer.decode(&plain, false), expected, "{name}");
            }
        }
    }
}

#[test]
fn tokens_that_end_a_turn_are_llama_cpp_s() {
    for case in goldens()["ends"].as_array().unwrap() {
        let control = strings(&case[0]);
        let mut tokens = alphabet();
        tokens.push("ab".to_owned());
        tokens.extend(control.clone());
        let types = vec![1; tokens.len()];
        let more = [
            ("pre", Value::Str("gpt-2".to_owned())),
            ("merges", Value::StrArray(vec!["a b".to_owned()])),
            ("bos_token_id", Value::U32(257)),
            ("eos_token_id", Value::U32(258)),
        ];
        let tokenizer = tokenizer("gpt2", tokens, types, &more);
        let ends: Vec<u32> = tokenizer.end_tokens().iter().map(|id| id.0 - 257).collect();
        let expected: Vec<u32> =
            case[1].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
        assert_eq!(ends, expected, "{control:?}");
    }
}

/// gpt-oss's marks are read by people, and no message may write them.
#[test]
fn channel_marks_are_shown_and_stay_plain_in_messages() {
    let mut tokens = alphabet();
    let marks = ["<s>", "<|return|>", "<|call|>", "<|end|>", "<|channel|>", "<|message|>"];
    tokens.extend(marks.map(str::to_owned));
    let types = vec![1; tokens.len()];
    let more = [
        ("pre", Value::Str("gpt-4o".to_owned())),
        ("merges", Value::StrArray(vec![])),
        ("bos_token_id", Value::U32(256)),
        ("eos_token_id", Value::U32(257)),
    ];
    let tokenizer = tokenizer("gpt2", tokens, types, &more);
    let text = "<|channel|>a<|message|>b<|end|>";
    let ids = tokenizer.encode(text, false, true);
    assert_eq!(ids.len(), 5);
    assert_eq!(tokenizer.decode(&ids, false), text);
    assert!(!tokenizer.end_tokens().contains(&ids[4]));
    let plain = tokenizer.encode(text, false, false);
    assert!(plain.iter().all(|id| id.0 < 256), "{plain:?}");
    let call = tokenizer.encode("<|call|>", false, true);
    assert_eq!(tokenizer.decode(&call, false), "");
}

/// Phi-3's special tokens take the white space after them along; its name alone tells.
#[test]
fn phi_3_s_tokens_strip_what_follows() {
    let named = |name: &str| {
        let mut tokens = alphabet();
        tokens.extend(["<s>", "<|endoftext|>", "<|user|>"].map(str::to_owned));
        let mut types = vec![1; 256];
        types.extend([3; 3]);
        let entries = [
            ("general.name", Value::Str(name.to_owned())),
            ("tokenizer.ggml.model", Value::Str("gpt2".to_owned())),
            ("tokenizer.ggml.tokens", Value::StrArray(tokens)),
            ("tokenizer.ggml.token_type", Value::IntArray(types)),
            ("tokenizer.ggml.merges", Value::StrArray(vec![])),
            ("tokenizer.ggml.eos_token_id", Value::U32(257)),
        ];
        let metadata: Metadata =
            entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Tokenizer::from_metadata(&metadata).unwrap()
    };
    let text = "<|user|>\n x<|endoftext|> y";
    let n_tokens = |name| named(name).encode(text, false, true).len();
    assert_eq!(n_tokens("Phi-3 mini 4k instruct"), 5);
    assert_eq!(n_tokens("Llama"), 7);
    let placed = named("phi3").encode_with_places(text, false, true);
    let places: Vec<usize> = placed.iter().map(|&(_, place)| place).collect();
    assert_eq!(places, [0, 10, 11, 24, 25]);
}
