//! SentencePiece's BPE: merges pairs by score, unknown characters as bytes.
//!
//! The tokens equal those of llama.cpp's `llm_tokenizer_spm`, with one exception that follows
//! SentencePiece: plain text never becomes a control or byte token by merging.

use std::collections::HashSet;

use super::{
    merge::{Merger, NONE, Piece, parts},
    vocabulary::Vocabulary,
};
use crate::{TokenId, gguf::Metadata, tokenizer::TokenizerError};

/// U+2581, which stands for a space inside of the vocabulary.
pub(super) const SPACE: char = '\u{2581}';

/// What SentencePiece needs besides the vocabulary.
#[derive(Debug)]
pub(super) struct Spm {
    /// Whether text gets a space in front at the start and after a special token.
    pub(super) add_space_prefix: bool,
    /// The token for each byte, `NONE` where the vocabulary has none.
    bytes: Box<[u32; 256]>,
    /// The characters that some token has right before a space inside of it. Nothing merges across
    /// a space that follows any other character, so a text is merged word by word there, in memory
    /// that is near.
    before_space: HashSet<char>,
    /// What stands for a character that has no byte tokens either; `NONE`: nothing.
    pub(super) unknown: u32,
}

impl Spm {
    pub(super) fn from_metadata(
        metadata: &Metadata,
        vocabulary: &Vocabulary,
        unknown: u32,
    ) -> Result<Spm, TokenizerError> {
        let mut bytes = Box::new([NONE; 256]);
        for (byte, token) in bytes.iter_mut().enumerate() {
            // llama.cpp takes the character itself where a vocabulary has no byte tokens.
            let plain =
                u8::try_from(byte).ok().filter(u8::is_ascii).map(|b| char::from(b).to_string());
            *token = vocabulary
                .find(&format!("<0x{byte:02X}>"))
                .or_else(|| vocabulary.find(&plain?))
                .unwrap_or(NONE);
        }
        let add_space_prefix = metadata.bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
        Ok(Spm { add_space_prefix, bytes, before_space: before_space(vocabulary), unknown })
    }

    /// Whether some characters may be left out, for want of bytes and of an unknown token.
    pub(super) fn lacks_bytes(&self) -> bool {
        self.unknown == NONE && self.bytes.contains(&NONE)
    }

    /// Appends the tokens of a text that holds no special tokens; `prefix`: with a space in front.
    /// `unspelled` gets each character that is left out.
    pub(super) fn encode(
        &self,
        vocabulary: &Vocabulary,
        text: &str,
        prefix: bool,
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        let mut prefix = prefix;
        for part in parts(text) {
            self.encode_part(vocabulary, part, prefix, out, unspelled);
            prefix = false;
        }
    }

    fn encode_part(
        &self,
        vocabulary: &Vocabulary,
        text: &str,
        prefix: bool,
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        let mut escaped = String::with_capacity(text.len() + text.len() / 2 + 3);
        if prefix {
            escaped.push(SPACE);
        }
        escaped.extend(text.chars().map(|c| if c == ' ' { SPACE } else { c }));

        let mut merger = Merger::default();
        let mut word = 0;
        let mut last = None;
        for (at, c) in escaped.char_indices() {
            if c == SPACE
                && last.is_some_and(|last| last != SPACE && !self.before_space.contains(&last))
            {
                self.encode_word(vocabulary, &mut merger, &escaped[word..at], out, unspelled);
                word = at;
            }
            last = Some(c);
        }
        self.encode_word(vocabulary, &mut merger, &escaped[word..], out, unspelled);
    }

    fn encode_word(
        &self,
        vocabulary: &Vocabulary,
        merger: &mut Merger,
        word: &str,
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        merger.clear();
        let mut buffer = [0; 4];
        for c in word.chars() {
            let token = vocabulary.find_plain(c.encode_utf8(&mut buffer)).unwrap_or(NONE);
            merger.push(c.len_utf8() as u32, token);
        }
        merger.merge(|left: &Piece, right: &Piece| {
            let text = &word[left.start as usize..(right.start + right.len) as usize];
            let token = vocabulary.find_plain(text)?;
            Some((order(vocabulary.score(token)), token))
        });
        for piece in merger.pieces() {
            if piece.token != NONE {
                out.push(TokenId(piece.token));
                continue;
            }
            // Whatever is no token is still a single character.
            let text = &word[piece.start as usize..(piece.start + piece.len) as usize];
            let tokens = text.bytes().map(|byte| self.bytes[usize::from(byte)]);
            if tokens.clone().all(|token| token != NONE) {
                out.extend(tokens.map(TokenId));
            } else if self.unknown != NONE {
                out.push(TokenId(self.unknown));
            } else {
                text.chars().for_each(|c| unspelled(if c == SPACE { ' ' } else { c }));
            }
        }
    }
}

/// Which characters stand right before a space inside of some token; in real vocabularies hardly
/// any.
fn before_space(vocabulary: &Vocabulary) -> HashSet<char> {
    let mut characters = HashSet::new();
    for id in 0..vocabulary.len() as u32 {
        let mut last = SPACE;
        for c in vocabulary.text(id).chars() {
            if c == SPACE && last != SPACE {
                characters.insert(last);
            }
            last = c;
        }
    }
    characters
}

/// The score as a whole number of the same order.
fn order(score: f32) -> u32 {
    // -0.0 is equal to 0.0, so it must be so here.
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}
