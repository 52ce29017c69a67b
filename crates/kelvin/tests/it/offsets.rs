//! `text_offset` of `/v1/completions`: the character of `text` that each token begins in, with very
//! small models of random weights and tokenizers of both kinds. No download.

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, Meta, Shape, TinyModel},
};
use serde_json::{Value, json};

const NORMAL: i32 = 1;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const BYTE: i32 = 6;

fn model(kind: &str, tokens: Vec<(String, i32)>, more: Vec<(&str, Meta)>) -> TinyModel {
    let mut model = TinyModel::new(&Shape { vocab_size: tokens.len(), ..MISTRAL_LIKE });
    let (texts, kinds): (Vec<String>, Vec<i32>) = tokens.into_iter().unzip();
    model.metadata.push(("tokenizer.ggml.model".into(), Meta::Str(kind.into())));
    model.metadata.push(("tokenizer.ggml.tokens".into(), Meta::Strs(texts)));
    model.metadata.push(("tokenizer.ggml.token_type".into(), Meta::I32s(kinds)));
    model.metadata.extend(more.into_iter().map(|(key, value)| (key.to_string(), value)));
    model
}

/// A BOS, a token for each byte, and a few words.
fn sentence_piece() -> TinyModel {
    let mut tokens: Vec<(String, i32)> = [("<unk>", 2), ("<s>", CONTROL), ("</s>", CONTROL)]
        .map(|(text, kind)| (text.to_string(), kind))
        .into();
    tokens.extend((0..256).map(|byte| (format!("<0x{byte:02X}>"), BYTE)));
    tokens.extend(["▁", "a", "b", "é", "▁a"].map(|text| (text.to_string(), NORMAL)));
    tokens.push(("<user>".to_string(), USER_DEFINED));
    let scores = Meta::F32s((0..tokens.len()).map(|id| -(id as f32)).collect());
    model("llama", tokens, vec![("tokenizer.ggml.scores", scores)])
}

/// Without a BOS: bytes, one word and an end.
fn byte_level() -> TinyModel {
    let mut others = 256..;
    let spelled = |byte: u32| match byte {
        33..=126 | 161..=172 | 174..=255 => char::from_u32(byte).unwrap(),
        _ => char::from_u32(others.next().unwrap()).unwrap(),
    };
    let mut tokens: Vec<(String, i32)> =
        (0..256).map(spelled).map(|c| (c.to_string(), NORMAL)).collect();
    tokens.extend(
        [("ab", NORMAL), ("<|end|>", CONTROL)].map(|(text, kind)| (text.to_string(), kind)),
    );
    let end = Meta::U32(tokens.len() as u32 - 1);
    let more = vec![
        ("tokenizer.ggml.pre", Meta::Str("default".into())),
        ("tokenizer.ggml.merges", Meta::Strs(vec!["a b".into()])),
        ("tokenizer.ggml.eos_token_id", end),
    ];
    model("gpt2", tokens, more)
}

/// The offsets of a prompt's tokens; those of what follows begin at its end, and a stream has the
/// same ones.
fn offsets(server: &Server, prompt: &Value) -> (String, Vec<u64>) {
    let ask = |stream: bool| {
        let body = json!({ "prompt": prompt, "echo": true, "logprobs": 0, "max_tokens": 12, "seed": 3, "ignore_eos": true,
            "return_token_ids": true, "stream": stream });
        server.post("/v1/completions", &body)
    };
    let numbers = |choice: &Value| -> Vec<u64> {
        let all = choice["logprobs"]["text_offset"].as_array().into_iter().flatten();
        all.map(|number| number.as_u64().unwrap()).collect()
    };
    let whole: Value = serde_json::from_str(&ask(false).body).unwrap();
    let choice = &whole["choices"][0];
    let n_prompt = choice["prompt_token_ids"].as_array().unwrap().len();
    let text = choice["text"].as_str().unwrap();
    let all = numbers(choice);
    assert_eq!(all.len(), n_prompt + 12);
    let (mut streamed, mut told) = (Vec::new(), String::new());
    for event in ask(true).body.split("\n\n").filter_map(|event| event.strip_prefix("data: {")) {
        let event: Value = serde_json::from_str(&format!("{{{event}")).unwrap();
        streamed.extend(numbers(&event["choices"][0]));
        told += event["choices"][0]["text"].as_str().unwrap();
    }
    assert_eq!((&streamed, told.as_str()), (&all, text));
    // Without the prompt they count from the answer's own beginning.
    let body =
        json!({ "prompt": prompt, "logprobs": 0, "max_tokens": 12, "seed": 3, "ignore_eos": true });
    let alone = server.good("/v1/completions", &body);
    let own = alone["choices"][0]["text"].as_str().unwrap();
    let n_chars = text.strip_suffix(own).unwrap().chars().count() as u64;
    let shifted: Vec<u64> =
        numbers(&alone["choices"][0]).iter().map(|offset| offset + n_chars).collect();
    assert_eq!(shifted, all[n_prompt..]);
    assert_eq!(all[n_prompt], n_chars);
    assert!(
        all.is_sorted() && *all.last().unwrap() <= text.chars().count() as u64,
        "{all:?} {text:?}"
    );
    (text.chars().take(n_chars as usize).collect(), all[..n_prompt].to_vec())
}

#[test]
fn sentence_piece_has_a_bos_a_space_in_front_and_bytes() {
    let server = Server::tiny(&sentence_piece(), &[]);
    for (prompt, expected) in [
        ("a", vec![0, 0]),
        ("a aé", vec![0, 0, 1, 3]),
        // Neither in the vocabulary: a token for each byte.
        ("a 猫b", vec![0, 0, 1, 2, 2, 2, 3]),
        ("猫", vec![0, 0, 0, 0, 0]),
        // The first of the two spaces isn't part of the text.
        (" a", vec![0, 0, 0]),
        // After a token that is written in a text there is a space again that isn't part of it.
        ("a<user>b", vec![0, 0, 1, 7, 7]),
        ("<user>a🦊", vec![0, 0, 6, 7, 7, 7, 7]),
        // What looks like a control token is text here.
        ("<s>a", vec![0, 0, 0, 1, 2, 3]),
    ] {
        assert_eq!(offsets(&server, &json!(prompt)), (prompt.to_string(), expected), "{prompt}");
    }
    // The text of token ids has the control tokens in it.
    let ids = |bytes: &[u32]| bytes.iter().map(|byte| 3 + byte).collect::<Vec<u32>>();
    let fox = ids(&[0xF0, 0x9F, 0xA6, 0x8A]);
    let word_a = 3 + 256 + 4;
    for (prompt, text, expected) in [
        (vec![1, word_a, word_a], "<s>a a", vec![0, 3, 4]),
        (
            [vec![word_a], fox.clone(), vec![2, word_a]].concat(),
            "a🦊</s> a",
            vec![0, 1, 1, 1, 1, 2, 6],
        ),
        // Half a character is one of its own.
        ([vec![1], fox[..2].to_vec()].concat(), "<s>\u{fffd}", vec![0, 3, 3]),
    ] {
        assert_eq!(offsets(&server, &json!(prompt)), (text.to_string(), expected), "{prompt:?}");
    }
}

#[test]
fn byte_level_tokens_begin_within_characters() {
    let server = Server::tiny(&byte_level(), &[]);
    for (prompt, expected) in [
        ("ab ab", vec![0, 2, 3]),
        ("ab é🦊a", vec![0, 2, 3, 3, 4, 4, 4, 4, 5]),
        ("naïve", vec![0, 1, 2, 2, 3, 4]),
    ] {
        assert_eq!(offsets(&server, &json!(prompt)), (prompt.to_string(), expected), "{prompt}");
    }
    // A list of prompts: each its own.
    let body = json!({ "prompt": ["é", "aé"], "echo": true, "logprobs": 0, "max_tokens": 0 });
    let answer = server.good("/v1/completions", &body);
    let of = |i: usize| answer["choices"][i]["logprobs"]["text_offset"].clone();
    assert_eq!((of(0), of(1)), (json!([0, 0]), json!([0, 1, 1])));
}
