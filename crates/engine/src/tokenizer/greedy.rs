//! RWKV's tokenizer: the longest token that the rest of a text begins with, again and again.
//!
//! Tokens are any bytes. The vocabulary spells them with escapes (`\\n`, `\\xe4`).

use super::{
    merge::NONE,
    prefixes::Prefixes,
    vocabulary::{Kind, Vocabulary},
};
use crate::TokenId;

/// What the longest match needs besides the vocabulary.
#[derive(Debug)]
pub(super) struct Greedy {
    prefixes: Prefixes,
    /// What stands for a byte that no token begins with; `NONE`: nothing.
    unknown: u32,
}

/// The bytes that an escaped token stands for.
pub(super) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, n) = match (first, after) {
            (b'\\', [b'x', high, low, ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => (b'x', 2),
            },
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b'r', ..]) => (b'\r', 2),
            (b'\\', [other, ..]) => (*other, 2),
            (other, _) => (*other, 1),
        };
        bytes.push(byte);
        rest = &rest[n..];
    }
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

impl Greedy {
    pub(super) fn new(vocabulary: &Vocabulary, unknown: u32) -> Greedy {
        let is_text =
            |id: &u32| !matches!(vocabulary.kinds[*id as usize], Kind::Control | Kind::Unknown);
        let tokens: Vec<(u32, Vec<u8>)> = (0..vocabulary.len() as u32)
            .filter(is_text)
            .map(|id| (id, unescape(vocabulary.text(id))))
            .collect();
        let tokens = tokens.iter().map(|(id, bytes)| (*id, bytes.as_slice()));
        Greedy { prefixes: Prefixes::new(tokens), unknown }
    }

    /// Whether some bytes of a text may be left out.
    pub(super) fn may_lack(&self) -> bool {
        self.unknown == NONE
    }

    /// Appends the tokens of a text that holds no special tokens.
    pub(super) fn encode(
        &self,
        text: &str,
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if let Some((n, token)) = self.prefixes.longest(&bytes[at..]) {
                out.push(TokenId(token));
                at += n;
                continue;
            }
            if self.unknown != NONE {
                out.push(TokenId(self.unknown));
            } else {
                let start = text.floor_char_boundary(at);
                text[start..].chars().next().into_iter().for_each(&mut *unspelled);
            }
            at += 1;
        }
    }
}
