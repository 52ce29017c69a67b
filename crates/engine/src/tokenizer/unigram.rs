//! SentencePiece's unigram model (`t5`): the tokens of a text whose scores have the greatest sum.
//!
//! Source: Kudo 2018, arXiv 1804.10959. The ids equal those of llama.cpp's `llm_tokenizer_ugm`.

use super::{
    charsmap::Charsmap,
    merge::{NONE, parts},
    prefixes::Prefixes,
    spm::SPACE,
    vocabulary::{Kind, Vocabulary},
};
use crate::{TokenId, gguf::Metadata, tokenizer::TokenizerError};

/// How much worse than the worst token a character is that has none.
const UNKNOWN_PENALTY: f32 = 10.0;

/// What the search needs besides the vocabulary.
#[derive(Debug)]
pub(super) struct Unigram {
    prefixes: Prefixes,
    /// What stands for characters without a token; `NONE`: nothing.
    pub(super) unknown: u32,
    unknown_score: f64,
    charsmap: Charsmap,
    /// Whether a text gets a space in front.
    add_space_prefix: bool,
    /// Whether one space stands for several, and none at the end.
    merge_spaces: bool,
}

/// The best way to write a text up to a place: its last token, where that begins, and the sum.
#[derive(Debug, Clone, Copy)]
struct Best {
    token: u32,
    start: usize,
    score: f64,
}

impl Unigram {
    pub(super) fn from_metadata(
        metadata: &Metadata,
        vocabulary: &Vocabulary,
        unknown: u32,
    ) -> Result<Unigram, TokenizerError> {
        let ids = 0..vocabulary.len() as u32;
        let kind = |id: u32| vocabulary.kinds[id as usize];
        let lowest = ids
            .clone()
            .filter(|&id| kind(id) == Kind::Normal)
            .map(|id| vocabulary.score(id))
            .fold(f32::MAX, f32::min);
        let is_text =
            |id: &u32| matches!(kind(*id), Kind::Normal | Kind::UserDefined | Kind::Unused);
        let tokens = ids.filter(is_text).map(|id| (id, vocabulary.text(id).as_bytes()));
        let is = |key| Ok::<_, TokenizerError>(metadata.bool(key)?.unwrap_or(false));
        Ok(Unigram {
            prefixes: Prefixes::new(tokens),
            unknown,
            unknown_score: f64::from(lowest - UNKNOWN_PENALTY),
            charsmap: Charsmap::from_metadata(metadata)?,
            add_space_prefix: is("tokenizer.ggml.add_space_prefix")?,
            merge_spaces: is("tokenizer.ggml.remove_extra_whitespaces")?,
        })
    }

    /// Whether a text gets a space in front.
    pub(super) fn has_prefix(&self) -> bool {
        self.add_space_prefix || self.merge_spaces
    }

    /// Calls `put` with the bytes that are searched for tokens, and the place and the length of
    /// what they come from.
    pub(super) fn normalize(&self, text: &str, mut put: impl FnMut(&[u8], usize, usize)) {
        let mut buffer = [0; 4];
        let space = SPACE.encode_utf8(&mut buffer).as_bytes();
        let (mut is_prefixed, mut in_word) = (false, false);
        let mut at = 0;
        while at < text.len() {
            let rest = &text.as_bytes()[at..];
            let (n, replacement) = self.charsmap.longest(rest).unwrap_or_else(|| {
                // A table may end a match inside of a character.
                match text.get(at..).and_then(|rest| rest.chars().next()) {
                    Some(c) => (c.len_utf8(), &rest[..c.len_utf8()]),
                    None => (1, "\u{fffd}".as_bytes()),
                }
            });
            for byte in replacement {
                if *byte == b' ' {
                    in_word = false;
                    if !self.merge_spaces {
                        put(space, at, n);
                    }
                    continue;
                }
                if !in_word && (self.merge_spaces || self.add_space_prefix && !is_prefixed) {
                    put(space, at, 0);
                    is_prefixed = true;
                }
                in_word = true;
                put(std::slice::from_ref(byte), at, n);
            }
            at += n;
        }
    }

    /// Appends the tokens of a text that holds no special tokens.
    pub(super) fn encode(
        &self,
        vocabulary: &Vocabulary,
        text: &str,
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        for part in parts(text) {
            let mut normalized = Vec::with_capacity(part.len() + 3);
            self.normalize(part, |bytes, _, _| normalized.extend_from_slice(bytes));
            self.encode_normalized(vocabulary, &normalized, out, unspelled);
        }
    }

    fn encode_normalized(
        &self,
        vocabulary: &Vocabulary,
        text: &[u8],
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        let nothing = Best { token: self.unknown, start: 0, score: -f64::MAX };
        let mut best = vec![nothing; text.len() + 1];
        best[0].score = 0.0;
        let mut start = 0;
        while start < text.len() {
            let n_char = char_len(text[start]).min(text.len() - start);
            let before = best[start].score;
            let mut is_known = false;
            let mut consider = |n: usize, token: u32, score: f64| {
                let champion = &mut best[start + n];
                if before + score > champion.score {
                    *champion = Best { token, start, score: before + score };
                }
            };
            self.prefixes.each(&text[start..], |n, token| {
                is_known |= n == n_char;
                let score = match vocabulary.kinds[token as usize] {
                    Kind::UserDefined => 0.0,
                    _ => f64::from(vocabulary.score(token)),
                };
                consider(n, token, score);
            });
            if !is_known {
                consider(n_char, self.unknown, self.unknown_score);
            }
            start += n_char;
        }
        let n_before = out.len();
        let (mut end, mut is_unknown) = (text.len(), false);
        while end > 0 {
            let Best { token, start, .. } = best[end];
            if token == NONE {
                String::from_utf8_lossy(&text[start..end]).chars().for_each(&mut *unspelled);
            } else if !(is_unknown && token == self.unknown) {
                // Characters without a token that stand together have one unknown token.
                out.push(TokenId(token));
            }
            is_unknown = token == self.unknown;
            end = start;
        }
        out[n_before..].reverse();
    }
}

/// How many bytes a character takes by its first one.
fn char_len(first: u8) -> usize {
    match first {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    }
}
