//! Example texts of runs, token by token, with surprisals for colouring.

use super::{Evidence, Setting, Text};
use crate::run::Token;

/// The first `n` samples of each cell.
pub(super) fn texts(evidence: &[Evidence], settings: &[Setting], n: usize) -> Vec<Text> {
    let mut texts = Vec::new();
    for (i, setting) in settings.iter().enumerate() {
        let run = &evidence[setting.run].run;
        for prompt in 0..run.prompts.len() {
            texts.extend(run.cell(prompt, setting.index).iter().take(n).map(|sample| Text {
                setting: i,
                prompt,
                sample: sample.sample,
                tokens: sample.reported().map_or_else(|| vec![(sample.text.clone(), None)], pieces),
                finish: sample.finish,
            }));
        }
    }
    texts
}

/// Tokens joined into whole characters: tokens that are parts of one character are shown together
/// with the sum of their surprisals.
fn pieces(tokens: &[Token]) -> Vec<(String, Option<f64>)> {
    let mut pieces = Vec::new();
    let (mut bytes, mut nats) = (Vec::new(), Some(0.0));
    for (i, token) in tokens.iter().enumerate() {
        bytes.extend_from_slice(&token.bytes);
        nats = nats.zip(token.surprisal).map(|(a, b): (f64, f64)| a + b);
        let is_last = i + 1 == tokens.len();
        let whole = match std::str::from_utf8(&bytes) {
            Ok(_) => true,
            // An incomplete character, which the next token may complete.
            Err(error) => error.error_len().is_some() || is_last,
        };
        if whole {
            // Two decimals are enough for colours.
            let nats = nats.map(|nats| (nats * 100.0).round() / 100.0);
            pieces.push((String::from_utf8_lossy(&bytes).into_owned(), nats));
            bytes.clear();
        }
        nats = if whole { Some(0.0) } else { nats };
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_character_are_shown_together() {
        let token = |bytes: &[u8], nats| Token {
            bytes: bytes.to_vec(),
            surprisal: nats,
            ..Token::default()
        };
        let found = pieces(&[
            token(b" a", Some(1.0)),
            token(&[0xE0, 0xA4], Some(2.0)),
            token(&[0xA8], Some(0.5)),
            token(&[0xFF], None),
            token(&[0xE0], Some(1.0)),
        ]);
        let expected =
            [(" a", Some(1.0)), ("न", Some(2.5)), ("\u{fffd}", None), ("\u{fffd}", Some(1.0))];
        assert_eq!(found.iter().map(|(t, n)| (t.as_str(), *n)).collect::<Vec<_>>(), expected);
    }
}
