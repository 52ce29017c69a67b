//! Names of tokens for people and programs, and parsing them.

use kelvin_engine::{Engine, tokenizer::Tokenizer};
use kelvin_sampling::TokenId;

use crate::escape::visible;

/// A token's text for people: control tokens by their names, parts of a character as bytes.
pub fn shown(engine: &Engine, token: TokenId) -> String {
    shown_by(&engine.tokenizer, token)
}

/// As [`shown`], without an engine.
pub fn shown_by(tokenizer: &Tokenizer, token: TokenId) -> String {
    let bytes = tokenizer.bytes(token, true);
    match std::str::from_utf8(bytes) {
        Ok("") => visible(tokenizer.piece(token)),
        Ok(text) => visible(text),
        Err(_) => bytes.iter().map(|byte| format!("<{byte:02X}>")).collect(),
    }
}

/// A token's text for JSON.
pub fn text(engine: &Engine, token: TokenId) -> String {
    engine.tokenizer.text(token)
}

/// The error for a text with characters that the vocabulary lacks; `None` if it has them all.
pub fn unreadable(tokenizer: &Tokenizer, text: &str, parse_special: bool) -> Option<String> {
    let lost = tokenizer.unspelled(text, parse_special);
    let names: Vec<String> = lost.iter().map(|&c| format!("U+{:04X}", u32::from(c))).collect();
    (!names.is_empty()).then(|| {
        format!(
            "the model's vocabulary has no token for {}, so the model can't read that",
            names.join(", ")
        )
    })
}

/// Parses a token: a text that is exactly one token, or `#ID`. The error lists the tokens of the
/// text.
pub fn find(engine: &Engine, typed: &str) -> Result<TokenId, String> {
    let tokenizer = &engine.tokenizer;
    if typed.is_empty() {
        return Err("an empty text is no token: give its text, or #ID".to_string());
    }
    if let Some(id) = typed.strip_prefix('#').and_then(|id| id.parse::<u32>().ok()) {
        return if (id as usize) < tokenizer.vocab_size() {
            Ok(TokenId(id))
        } else {
            let last = tokenizer.vocab_size() - 1;
            Err(format!("there is no token {id}; the model's ids go from 0 to {last}"))
        };
    }
    let named = |id: &u32| tokenizer.bytes(TokenId(*id), true) == typed.as_bytes();
    if let Some(id) = (0..tokenizer.vocab_size() as u32).find(named) {
        return Ok(TokenId(id));
    }
    let parts = tokenizer.encode(typed, false, false);
    let shown = parts.iter().map(|&token| shown(engine, token)).collect::<Vec<_>>().join(" ");
    Err(format!(
        "\"{typed}\" isn't one token of this model but {} ({shown}): name one of them, or give #ID",
        parts.len()
    ))
}
