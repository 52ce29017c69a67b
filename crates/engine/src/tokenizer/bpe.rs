//! Byte-level BPE: splits text into words of bytes and merges them by rank (GPT-2's scheme and its
//! successors).
//!
//! The vocabulary spells each byte as a printable character (`Ġ` is a space); that alphabet is here
//! too.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{
    error::{TokenizerError, shorten},
    merge::{Merger, NONE, Piece, parts},
    split::Pre,
    vocabulary::Vocabulary,
};
use crate::{TokenId, gguf::Metadata};

const MERGES: &str = "tokenizer.ggml.merges";
const PRE: &str = "tokenizer.ggml.pre";

/// The character that spells each byte: printable ones of Latin-1 spell themselves, the others
/// follow from U+0100.
const CHARS: [char; 256] = {
    let mut chars = ['\0'; 256];
    let (mut byte, mut n_others) = (0, 0);
    while byte < 256 {
        let printable = matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
        let code = if printable { byte } else { 256 + n_others };
        n_others += !printable as u32;
        chars[byte as usize] = char::from_u32(code).expect("below U+0144");
        byte += 1;
    }
    chars
};

/// The byte that a character of the vocabulary spells.
pub(super) fn byte_of(c: char) -> Option<u8> {
    const BYTES: [Option<u8>; 0x144] = {
        let mut bytes = [None; 0x144];
        let mut byte = 0;
        while byte < 256 {
            bytes[CHARS[byte] as usize] = Some(byte as u8);
            byte += 1;
        }
        bytes
    };
    BYTES.get(c as usize).copied().flatten()
}

/// What byte-level BPE needs besides the vocabulary.
#[derive(Debug)]
pub(super) struct Bpe {
    pre: Pre,
    /// The token of each byte, `NONE` where the vocabulary has none.
    bytes: Box<[u32; 256]>,
    /// For a pair of tokens: its rank, complemented (the lowest rank is merged first), and the
    /// token it becomes.
    merges: HashMap<(u32, u32), (u32, u32), RandomState>,
}

impl Bpe {
    pub(super) fn from_metadata(
        metadata: &Metadata,
        vocabulary: &Vocabulary,
    ) -> Result<Bpe, TokenizerError> {
        // Files from before the key existed get llama.cpp's fallback.
        let name = metadata.str(PRE)?.unwrap_or("default");
        let pre = Pre::named(name).ok_or_else(|| TokenizerError::Unsupported {
            key: PRE,
            found: shorten(name),
            supported: Pre::names(),
        })?;
        let mut bytes = Box::new([NONE; 256]);
        for (token, c) in bytes.iter_mut().zip(CHARS) {
            *token = vocabulary.find_plain(c.encode_utf8(&mut [0; 4])).unwrap_or(NONE);
        }
        Ok(Bpe { pre, bytes, merges: read_merges(metadata, vocabulary)? })
    }

    /// Whether a beginning-of-text token is added unless the file says otherwise.
    pub(super) fn add_bos(&self) -> bool {
        self.pre.add_bos
    }

    /// Whether the vocabulary has no token for a byte.
    pub(super) fn lacks(&self, byte: u8) -> bool {
        self.bytes[usize::from(byte)] == NONE
    }

    /// Appends the tokens of a text that holds no special tokens.
    ///
    /// A byte that the vocabulary has no token for is left out, as in llama.cpp; `unspelled` gets
    /// its character.
    pub(super) fn encode(
        &self,
        vocabulary: &Vocabulary,
        text: &str,
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        let mut merger = Merger::default();
        let mut spelled = String::new();
        self.pre.split.words(text, |word| {
            if self.pre.ignore_merges {
                spelled.clear();
                spelled.extend(word.bytes().map(|byte| CHARS[usize::from(byte)]));
                if let Some(token) = vocabulary.find_plain(&spelled) {
                    out.push(TokenId(token));
                    return;
                }
            }
            for part in parts(word) {
                self.encode_word(&mut merger, part, out, unspelled);
            }
        });
    }

    fn encode_word(
        &self,
        merger: &mut Merger,
        word: &str,
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        merger.clear();
        let mut is_whole = true;
        for byte in word.bytes() {
            is_whole &= !self.lacks(byte);
            merger.push(1, self.bytes[usize::from(byte)]);
        }
        if !is_whole {
            let is_lost =
                |c: &char| c.encode_utf8(&mut [0; 4]).bytes().any(|byte| self.lacks(byte));
            word.chars().filter(is_lost).for_each(unspelled);
        }
        merger.merge(|left: &Piece, right: &Piece| {
            self.merges.get(&(left.token, right.token)).copied()
        });
        out.extend(
            merger.pieces().map(|piece| piece.token).filter(|&token| token != NONE).map(TokenId),
        );
    }
}

type Merges = HashMap<(u32, u32), (u32, u32), RandomState>;

fn read_merges(metadata: &Metadata, vocabulary: &Vocabulary) -> Result<Merges, TokenizerError> {
    let list = metadata.str_array(MERGES)?.ok_or(TokenizerError::Missing { key: MERGES })?;
    if list.len() >= u32::MAX as usize {
        return Err(TokenizerError::TooLarge(format!("{} merges", list.len())));
    }
    let mut merges = Merges::with_capacity_and_hasher(list.len(), RandomState::default());
    let mut whole = String::new();
    let mut last = 0;
    for (index, merge) in list.iter().enumerate() {
        let wrong =
            |problem: String| TokenizerError::Merge { index, text: shorten(merge), problem };
        // The left token may itself begin with a space.
        let space = merge.bytes().skip(1).position(|byte| byte == b' ').map(|at| at + 1);
        let (left, right) = space.map(|at| (&merge[..at], &merge[at + 1..])).ok_or_else(|| {
            wrong("two tokens with a space between them were expected".to_owned())
        })?;
        whole.clear();
        whole.push_str(left);
        whole.push_str(right);
        let find = |text: &str| {
            let problem = || wrong(format!("`{}` isn't a token of the vocabulary", shorten(text)));
            vocabulary.find(text).ok_or_else(problem)
        };
        let pair = (find(left)?, find(right)?);
        // Files list merges in the order of the tokens they make, so the next one is likely at
        // hand.
        let likely = [last, last + 1]
            .into_iter()
            .find(|&id| (id as usize) < vocabulary.len() && vocabulary.text(id) == whole);
        let token = likely.map_or_else(|| find(&whole), Ok)?;
        last = token;
        merges.entry(pair).or_insert((!(index as u32), token));
    }
    Ok(merges)
}
