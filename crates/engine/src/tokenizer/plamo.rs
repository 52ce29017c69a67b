//! PLaMo 2's tokenizer: the cheapest way to write a text with tokens that have a cost each.
//!
//! A character that no token fits costs more than any token, and becomes its bytes. Source:
//! `llm_tokenizer_plamo2` of llama.cpp, whose table of suffixes finds the same tokens.

use super::{
    merge::{NONE, parts},
    prefixes::Prefixes,
    vocabulary::{self, Kind, Vocabulary},
};
use crate::TokenId;

/// What a character costs that is written in bytes, in ten-thousandths of a score.
const UNKNOWN: i64 = 10_000_000;
/// Tokens that cost as much are never used.
const NEVER: i64 = 20_000_000;
/// U+FEFF at the beginning of a text is left out.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What the search needs besides the vocabulary.
#[derive(Debug)]
pub(super) struct Plamo {
    prefixes: Prefixes,
    /// What each token costs.
    costs: Vec<i64>,
    /// The token of each byte, `NONE` where the vocabulary has none.
    bytes: Box<[u32; 256]>,
}

impl Plamo {
    pub(super) fn new(vocabulary: &Vocabulary) -> Plamo {
        let ids = 0..vocabulary.len() as u32;
        let costs: Vec<i64> = ids
            .clone()
            .map(|id| {
                let score = f64::from(vocabulary.score(id));
                if score.is_finite() { -((score * 1e4).round() as i64) } else { NEVER }
            })
            .collect();
        let is_text = |id: &u32| {
            let kind = vocabulary.kinds[*id as usize];
            costs[*id as usize] < NEVER
                && !matches!(kind, Kind::Byte | Kind::Control | Kind::Unknown)
        };
        let tokens = ids.clone().filter(is_text).map(|id| (id, vocabulary.text(id).as_bytes()));
        let mut bytes = Box::new([NONE; 256]);
        for id in ids.filter(|&id| vocabulary.kinds[id as usize] == Kind::Byte) {
            if let Some(byte) = vocabulary::byte_of(vocabulary.text(id)) {
                bytes[usize::from(byte)] = id;
            }
        }
        Plamo { prefixes: Prefixes::new(tokens), costs, bytes }
    }

    /// Whether some characters may be left out, for want of bytes.
    pub(super) fn may_lack(&self) -> bool {
        self.bytes.contains(&NONE)
    }

    /// The part of a text that becomes tokens.
    pub(super) fn read(text: &str) -> &str {
        text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
    }

    /// Appends the tokens of a text that holds no special tokens.
    pub(super) fn encode(
        &self,
        text: &str,
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        parts(Plamo::read(text)).for_each(|part| self.encode_part(part, out, unspelled));
    }

    fn encode_part(&self, text: &str, out: &mut Vec<TokenId>, unspelled: &mut dyn FnMut(char)) {
        // For each place: what the rest costs from there on, and the first step of that.
        let mut costs = vec![0_i64; text.len() + 1];
        let mut steps = vec![(0_u32, NONE); text.len()];
        for (at, c) in text.char_indices().rev() {
            let (mut best, mut step) = (i64::MAX, (0, NONE));
            // Of equally cheap ones the longest.
            self.prefixes.each(&text.as_bytes()[at..], |n, token| {
                let cost = costs[at + n] + self.costs[token as usize];
                if cost <= best {
                    (best, step) = (cost, (n as u32, token));
                }
            });
            let in_bytes = costs[at + c.len_utf8()] + UNKNOWN;
            if in_bytes < best {
                (best, step) = (in_bytes, (c.len_utf8() as u32, NONE));
            }
            (costs[at], steps[at]) = (best, step);
        }
        let mut at = 0;
        while at < text.len() {
            let (n, token) = steps[at];
            let piece = &text[at..at + n as usize];
            at += n as usize;
            if token != NONE {
                out.push(TokenId(token));
                continue;
            }
            let tokens = piece.bytes().map(|byte| self.bytes[usize::from(byte)]);
            if tokens.clone().any(|token| token == NONE) {
                piece.chars().for_each(&mut *unspelled);
            }
            out.extend(tokens.filter(|&token| token != NONE).map(TokenId));
        }
    }
}
