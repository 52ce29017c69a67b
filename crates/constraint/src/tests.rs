//! Tests with a small vocabulary: allowed texts, refused forms, and forms of excessive cost.

use kelvin_engine::gguf::{Metadata, Value as Entry};
use serde_json::{Value, json};

use super::*;

const END: u32 = 2;

/// Three control tokens, all bytes, and a few words, one of which is a byte as well.
fn tokenizer() -> Tokenizer {
    let mut tokens: Vec<(String, i64)> = [("<unk>", 2), ("<s>", 3), ("</s>", 3)]
        .map(|(text, kind)| (text.to_string(), kind))
        .to_vec();
    tokens.extend((0..=255).map(|byte| (format!("<0x{byte:02X}>"), 6)));
    for word in ["a", "ab", "abc", "true", "{\"", "\":", "▁", "yes", "no", "é", "12"] {
        tokens.push((word.to_string(), 1));
    }
    let metadata: Metadata = [
        ("tokenizer.ggml.model", Entry::Str("llama".to_string())),
        ("tokenizer.ggml.scores", Entry::FloatArray(vec![0.0; tokens.len()])),
        (
            "tokenizer.ggml.token_type",
            Entry::IntArray(tokens.iter().map(|(_, kind)| *kind).collect()),
        ),
        (
            "tokenizer.ggml.tokens",
            Entry::StrArray(tokens.into_iter().map(|(text, _)| text).collect()),
        ),
    ]
    .map(|(key, value)| (key.to_string(), value))
    .into_iter()
    .collect();
    Tokenizer::from_metadata(&metadata).unwrap()
}

pub(super) fn forms() -> (Tokenizer, Forms) {
    let tokenizer = tokenizer();
    let forms = Forms::in_process(&tokenizer).unwrap();
    (tokenizer, forms)
}

/// A text made under a form by taking any token that may come, as a bad die has it; whether it's
/// complete.
fn any_text(
    tokenizer: &Tokenizer,
    compiled: &dyn Constraint,
    mut die: u64,
    most: usize,
) -> (Vec<u8>, bool) {
    let mut constraint = compiled.fork();
    let mut text = Vec::new();
    for _ in 0..most {
        let bits = constraint.allowed().unwrap();
        let all: Vec<u32> = (0..bits.len() as u32 * 32)
            .filter(|id| bits[*id as usize / 32] >> (id % 32) & 1 == 1)
            .collect();
        assert!(!all.is_empty());
        die = die.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let token = TokenId(all[(die >> 33) as usize % all.len()]);
        constraint.take(token).unwrap();
        if token.0 == END {
            return (text, true);
        }
        text.extend_from_slice(tokenizer.bytes(token, false));
        if constraint.is_complete() {
            return (text, true);
        }
    }
    (text, false)
}

/// A text that comes to an end soon, or what was written when nothing could follow.
pub(super) fn short_text(
    tokenizer: &Tokenizer,
    compiled: &dyn Constraint,
    mut die: u64,
    most: usize,
) -> Result<(Vec<u8>, bool), String> {
    let mut constraint = compiled.fork();
    let mut text = Vec::new();
    let mut throw = |n: usize| {
        die = die.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (die >> 33) as usize % n
    };
    for n in 0..most {
        let said = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let bits = constraint.allowed().map_err(|error| format!("{} ({error})", said(&text)))?;
        let mut all: Vec<u32> = (0..bits.len() as u32 * 32)
            .filter(|id| bits[*id as usize / 32] >> (id % 32) & 1 == 1)
            .collect();
        if all.is_empty() {
            return Err(said(&text));
        }
        // What ends something, more often than not, and in the end whenever it can.
        let ends = |id: &u32| {
            *id == END
                || matches!(
                    tokenizer.bytes(TokenId(*id), false),
                    b"\"" | b"}" | b"]" | b"\":" | b":"
                )
        };
        if n > most / 4 || throw(3) > 0 {
            let ending: Vec<u32> = all.iter().copied().filter(ends).collect();
            all = if ending.is_empty() { all } else { ending };
        }
        let token = TokenId(all[throw(all.len())]);
        constraint.take(token).unwrap();
        if token.0 == END {
            return Ok((text, true));
        }
        text.extend_from_slice(tokenizer.bytes(token, false));
        if constraint.is_complete() {
            return Ok((text, true));
        }
    }
    Ok((text, false))
}

type Fits = Box<dyn Fn(&str) -> bool>;

#[test]
fn whatever_is_drawn_has_the_form() {
    let (tokenizer, forms) = forms();
    let object = json!({ "type": "object", "properties": { "a": { "type": "integer" }, "b": { "enum": ["x", "y\u{e9}"] } },
        "required": ["a", "b"], "additionalProperties": false });
    let choices =
        ["yes", "no", "ab", "abc", "a*b.c|d", "two\nlines \"é\" \\"].map(str::to_string).to_vec();
    // A number may be JSON and yet too large for f64.
    let is_json = |text: &str| {
        serde_json::from_str::<Value>(text)
            .map_or_else(|error| error.to_string().contains("out of range"), |_| true)
    };
    let cases: Vec<(Form, Fits)> = vec![
        (
            Form::Regex("(ab|c){1,3}é?".to_string()),
            Box::new(|text| {
                text.trim_end_matches('é').replace("ab", "").replace('c', "").is_empty()
            }),
        ),
        (
            Form::Choice(choices.clone()),
            Box::new(move |text| choices.iter().any(|choice| choice == text)),
        ),
        (
            Form::Lark("start: \"<\" start \">\" | \"a\"".to_string()),
            Box::new(|text| text.matches('<').count() == text.matches('>').count()),
        ),
        (
            Form::JsonSchema(object),
            Box::new(move |text| {
                let value: Value = serde_json::from_str(text).unwrap();
                value["a"].is_number() && (value["b"] == "x" || value["b"] == "yé")
            }),
        ),
        (Form::JsonObject, Box::new(is_json)),
    ];
    for (form, fits) in cases {
        let compiled = forms.compile(&form).unwrap();
        let mut n_complete = 0;
        for die in 0..200 {
            let (text, is_complete) = any_text(&tokenizer, &*compiled, die, 60);
            if is_complete {
                n_complete += 1;
                let text = String::from_utf8(text).unwrap();
                assert!(fits(&text), "{form:?}: {text:?}");
            }
        }
        assert!(n_complete >= 20, "{form:?}: {n_complete}");
    }
}

#[test]
fn every_token_that_spells_an_allowed_text_may_come() {
    let (tokenizer, forms) = forms();
    let compiled = forms.compile(&Form::Regex("abc".to_string())).unwrap();
    let mut constraint = compiled.fork();
    let bits = constraint.allowed().unwrap();
    let may = |id: u32| bits.get(id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1);
    for id in 0..tokenizer.vocab_size() as u32 {
        let bytes = tokenizer.bytes(TokenId(id), false);
        assert_eq!(may(id), !bytes.is_empty() && b"abc".starts_with(bytes), "{id} {bytes:?}");
    }
}

#[test]
fn what_is_wrong_or_explodes_is_refused() {
    let (tokenizer, forms) = forms();
    let mut many = serde_json::Map::new();
    for i in 0..3000 {
        many.insert(format!("p{i}"), json!({ "type": "string" }));
    }
    let doubling: String = (0..200).map(|i| format!("T{i}: T{} T{}\n", i + 1, i + 1)).collect();
    let long = |n: usize| "(".repeat(n) + "a" + &")".repeat(n);
    let refused = [
        Form::Regex("(a".to_string()),
        Form::Regex("(?=a)b".to_string()),
        Form::Regex("[^\\s\\S]".to_string()),
        Form::Regex(long(5000)),
        Form::Regex("a".repeat(100_000)),
        Form::Lark("foo: \"a\"".to_string()),
        Form::Lark(format!("start: {}", long(20_000))),
        Form::Lark("start: T\nT: T \"a\"".to_string()),
        Form::Lark("start: <|im_end|>".to_string()),
        Form::Lark(format!("start: T0\n{doubling}T200: \"a\"")),
        Form::Lark("start: T\nT: /.*a.{12}/ & /.*b.{13}/ & /.*c.{14}/ & ~/.*d.{15}/".to_string()),
        Form::Lark("\n".repeat(2000)),
        Form::JsonSchema(json!({ "type": "objectt" })),
        Form::JsonSchema(json!([1])),
        Form::JsonSchema(json!({ "$ref": "#" })),
        Form::JsonSchema(json!({ "$ref": "https://example.org/schema.json" })),
        Form::JsonSchema(json!({ "type": "object", "properties": many })),
        Form::Choice(Vec::new()),
        Form::Choice(vec![String::new()]),
        Form::Choice(vec!["x".to_string(); 2000]),
    ];
    for form in refused {
        let compiled = forms.compile(&form).map(|_| ());
        let words = format!("{form:?}").chars().take(80).collect::<String>();
        let error = compiled.expect_err(&words).to_string();
        assert!(
            !error.is_empty() && error.len() < 600 && !error.contains("backtrace"),
            "{words}: {error}"
        );
    }
    // What is large but can be decided step by step is.
    for regex in [
        "((a{1,1000}){1,1000}){1,1000}",
        "(?:a?){1000}a{1000}",
        "(a|b)*a(a|b){100}",
        ".{0,100000}",
        "(a|b|ab)*(a|ab)*c.{1000}",
    ] {
        let compiled = forms.compile(&Form::Regex(regex.to_string())).unwrap();
        any_text(&tokenizer, &*compiled, 7, 20);
    }
}

/// Forms that kept the parser busy far beyond its fuel: a refusal has to leave no thread behind it.
#[test]
fn what_explodes_keeps_no_place() {
    let (_, forms) = forms();
    let hard = "( /.*a.{12}/ & /.*b.{13}/ & /.*c.{14}/ & ~/.*d.{15}/ )";
    let exploding = [
        Form::JsonSchema(json!({ "type": "integer", "multipleOf": 1_000_003 })),
        Form::JsonSchema(
            json!({ "allOf": [{ "type": "integer", "multipleOf": 9973 }, { "multipleOf": 9967 }] }),
        ),
        Form::Lark("start: %json { \"type\": \"integer\", \"multipleOf\": 1000003 }".to_string()),
        Form::Lark(format!("start: T\nT: \"a\" | \"b\" {hard}")),
        Form::JsonSchema(json!({ "anyOf": [{ "const": "a" }, { "allOf": [
            { "type": "string", "pattern": "^b.*a.{22}$" }, { "pattern": "^b.*b.{22}$" }, { "pattern": "^b.*c.{21}d$" }] }] })),
    ];
    for form in exploding {
        let begun = std::time::Instant::now();
        let error = forms.compile(&form).map(|_| ()).expect_err(&format!("{form:?}"));
        assert!(matches!(error, FormError::Refused(_)), "{form:?}: {error}");
        assert!(begun.elapsed() < PATIENCE, "{form:?}: {:?}", begun.elapsed());
        assert_eq!(*forms.places.n_taken.lock().unwrap(), 0, "{form:?}");
    }
    // The largest remainders that are taken.
    let largest = Form::JsonSchema(
        json!({ "type": "integer", "multipleOf": 9973, "minimum": 1, "maximum": 99_999_999 }),
    );
    forms.compile(&largest).unwrap();
}
