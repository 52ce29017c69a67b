//! A schema, regular expression, grammar or choice in: it is refused in time, or every text that it
//! lets through has the form.
//!
//! The first byte picks the notation. `check` stops before the compiler, which is other people's;
//! `check_compiled` goes on, with what stops the compiler's known failures in front of it.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use kelvin_constraint::{Form, FormError, Forms};
use kelvin_engine::{TokenId, tokenizer::Tokenizer};
use serde_json::Value;

use crate::{clock::timed, memory, tokenizer};

/// Kelvin's own checks look at a text once.
const MAX_TIME: Duration = Duration::from_secs(1);
/// The compiler has 5 s; the rest is for a machine that is busy.
const MAX_COMPILE_TIME: Duration = Duration::from_secs(12);
const MAX_MEMORY: usize = 64 << 20;
const MAX_ERROR: usize = 2000;
/// Tokens of a text that is made under a form.
const MAX_TOKENS: usize = 48;

/// The ways in which a form is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    /// A JSON schema.
    Schema,
    /// A regular expression.
    Regex,
    /// A grammar in Lark's notation.
    Lark,
    /// Texts to choose from, one a line.
    Choice,
}

impl Notation {
    fn form(self, text: &str) -> Result<Form, FormError> {
        Ok(match self {
            Notation::Schema => Form::schema(text)?,
            Notation::Regex => Form::Regex(text.to_string()),
            Notation::Lark => Form::Lark(text.to_string()),
            Notation::Choice => Form::Choice(text.lines().map(str::to_string).collect()),
        })
    }
}

/// Panics if Kelvin's own checks break a promise.
pub(crate) fn check(bytes: &[u8]) {
    let Some((notation, text)) = read(bytes) else { return };
    let check = || notation.form(text).and_then(|form| form.grammar().map(drop));
    let ((result, peak), took) = timed(|| memory::peak_of(check));
    assert!(took <= MAX_TIME, "the check took {took:?}");
    assert!(peak <= MAX_MEMORY, "the check took {peak} bytes of memory");
    check_refusal(&result);
}

/// Panics if a form that is compiled breaks a promise.
pub(crate) fn check_compiled(bytes: &[u8]) {
    static VOCABULARY: OnceLock<(Tokenizer, Forms)> = OnceLock::new();
    let Some((notation, text)) = read(bytes) else { return };
    if notation == Notation::Schema
        && serde_json::from_str::<Value>(text).is_ok_and(|schema| has_large_number(&schema))
    {
        return;
    }
    let (tokenizer, forms) = VOCABULARY.get_or_init(|| {
        let tokenizer = tokenizer::for_forms();
        let forms = Forms::in_process(&tokenizer).expect("a token ends a text");
        (tokenizer, forms)
    });
    let begun = Instant::now();
    let compiled = notation.form(text).and_then(|form| forms.compile(&form));
    assert!(begun.elapsed() <= MAX_COMPILE_TIME, "compiling took {:?}", begun.elapsed());
    check_refusal(&compiled);
    let Ok(mut constraint) = compiled else { return };
    let mut written = Vec::new();
    let mut die = bytes.len() as u64;
    for _ in 0..MAX_TOKENS {
        let Ok(bits) = constraint.allowed() else { return };
        let all: Vec<u32> = (0..bits.len() as u32 * 32)
            .filter(|id| bits[*id as usize / 32] >> (id % 32) & 1 == 1)
            .collect();
        assert!(!all.is_empty() || constraint.is_complete(), "nothing may come next");
        if all.is_empty() {
            break;
        }
        die = die.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let token = TokenId(all[(die >> 33) as usize % all.len()]);
        constraint.take(token).expect("a token that is allowed can be taken");
        if tokenizer::ends(tokenizer, token) {
            check_text(notation, text, &written);
            return;
        }
        written.extend_from_slice(tokenizer.bytes(token, false));
    }
    if constraint.is_complete() {
        check_text(notation, text, &written);
    }
}

/// The compiler's stack overflows on some numbers beyond those that every f64 tells apart, and that
/// ends the process.
fn has_large_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_none_or(|number| number.abs() > 9e15),
        Value::Array(items) => items.iter().any(has_large_number),
        Value::Object(map) => map.values().any(has_large_number),
        _ => false,
    }
}

fn read(bytes: &[u8]) -> Option<(Notation, &str)> {
    let (&pick, text) = bytes.split_first()?;
    let notation = match pick % 4 {
        0 => Notation::Schema,
        1 => Notation::Regex,
        2 => Notation::Lark,
        _ => Notation::Choice,
    };
    Some((notation, std::str::from_utf8(text).ok()?))
}

fn check_refusal<T>(result: &Result<T, FormError>) {
    if let Err(error) = result {
        let words = error.to_string();
        assert!(
            !words.is_empty() && words.len() <= MAX_ERROR,
            "a refusal of {} bytes",
            words.len()
        );
    }
}

/// A complete text has the form, as far as that can be seen without a second parser.
fn check_text(notation: Notation, form: &str, written: &[u8]) {
    match notation {
        Notation::Schema => {
            // JSON has numbers that are too large for an f64.
            let is_large =
                |error: &serde_json::Error| error.to_string().contains("number out of range");
            if let Err(error) = serde_json::from_slice::<Value>(written) {
                assert!(is_large(&error), "a complete text of a schema is JSON: {error}");
            }
        }
        Notation::Choice => {
            let written = std::str::from_utf8(written).expect("a choice is UTF-8");
            assert!(
                form.lines().any(|line| line == written),
                "{written:?} isn't among the choices"
            );
        }
        Notation::Regex | Notation::Lark => {}
    }
}
