//! BPE: splits text into words and merges their bytes or characters by rank (GPT-2's scheme and its
//! successors).
//!
//! Most vocabularies spell each byte as a printable character (`Ġ` is a space); that alphabet is
//! here too. Gemma 4's and a few others spell characters as they are, with `▁` for a space, and
//! fall back to bytes.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{
    error::{TokenizerError, shorten},
    merge::{Merger, NONE, Piece, parts},
    pre::{Alphabet, GEMMA4, Pre},
    special::Added,
    spm::SPACE,
    vocabulary::{Spelling, Vocabulary},
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

/// What BPE needs besides the vocabulary.
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
        model: &str,
        metadata: &Metadata,
        vocabulary: &Vocabulary,
    ) -> Result<Bpe, TokenizerError> {
        // Files from before the key existed get llama.cpp's fallback.
        let name = metadata.str(PRE)?.unwrap_or("default");
        let pre = match model {
            "gemma4" => GEMMA4,
            _ => Pre::named(name).ok_or_else(|| TokenizerError::Unsupported {
                key: PRE,
                found: shorten(name),
                supported: {
                    let kinds: Vec<&str> = Pre::kinds().collect();
                    format!("{}, and other names of these", kinds.join(", "))
                },
            })?,
        };
        let mut bytes = Box::new([NONE; 256]);
        for (byte, token) in bytes.iter_mut().enumerate() {
            let found = match pre.alphabet {
                Alphabet::Bytes => vocabulary.find_plain(CHARS[byte].encode_utf8(&mut [0; 4])),
                _ => vocabulary.find(&format!("<0x{byte:02X}>")),
            };
            *token = found.unwrap_or(NONE);
        }
        let merges = match metadata.str_array(MERGES)? {
            None if pre.without_merges => Merges::default(),
            None => return Err(TokenizerError::Missing { key: MERGES }),
            Some(list) => read_merges(list, vocabulary)?,
        };
        Ok(Bpe { pre, bytes, merges })
    }

    /// Whether a beginning-of-text token is added.
    pub(super) fn add_bos(&self) -> Added {
        match self.pre.always_bos {
            true => Added::Always(true),
            false => Added::Unless(self.pre.add_bos),
        }
    }

    /// What the tokens are spelled in.
    pub(super) fn spelling(&self) -> Spelling {
        match self.pre.alphabet {
            Alphabet::Bytes => Spelling::Bytes,
            Alphabet::Characters => Spelling::Plain,
            _ => Spelling::Spm,
        }
    }

    /// Whether tokens aren't spelled in bytes.
    pub(super) fn is_escaped(&self) -> bool {
        self.pre.alphabet != Alphabet::Bytes
    }

    /// Whether each line gets a space in front.
    pub(super) fn has_prefix(&self) -> bool {
        self.pre.alphabet == Alphabet::MetaspaceWords
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
        if self.is_escaped() {
            self.spell(text, |bytes, _, _| {
                spelled.push_str(std::str::from_utf8(bytes).expect("whole characters"));
            });
            self.pre.split.words(&spelled, |word| {
                self.encode_escaped(vocabulary, &mut merger, word, out, unspelled);
            });
            return;
        }
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

    /// Calls `put` with the text of a stretch as the vocabulary spells it, in whole characters, and
    /// the place and the length of what they come from.
    pub(super) fn spell(&self, text: &str, mut put: impl FnMut(&[u8], usize, usize)) {
        if matches!(self.pre.alphabet, Alphabet::Bytes | Alphabet::Characters) {
            return put(text.as_bytes(), 0, text.len());
        }
        let mut buffer = [0; 4];
        let mut is_start = self.has_prefix();
        for (at, c) in text.char_indices() {
            let spelled = if c == ' ' { SPACE } else { c };
            if is_start && c != '\n' && spelled != SPACE {
                put(SPACE.encode_utf8(&mut buffer).as_bytes(), at, 0);
            }
            is_start = self.has_prefix() && c == '\n';
            put(spelled.encode_utf8(&mut buffer).as_bytes(), at, c.len_utf8());
        }
    }

    /// Appends the tokens of a line, or of the newlines between two.
    fn encode_escaped(
        &self,
        vocabulary: &Vocabulary,
        merger: &mut Merger,
        line: &str,
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        let has_newlines =
            matches!(self.pre.alphabet, Alphabet::MetaspaceNewlines | Alphabet::MetaspaceWords);
        if has_newlines && line.starts_with('\n') {
            if let Some(token) = vocabulary.find_plain(line) {
                return out.push(TokenId(token));
            }
        } else if self.pre.alphabet == Alphabet::MetaspaceWords {
            let mut rest = line;
            while let Some(space) = rest.chars().next() {
                let n = space.len_utf8();
                let end = rest[n..].find(SPACE).map_or(rest.len(), |at| n + at);
                self.encode_characters(vocabulary, merger, &rest[..end], out, unspelled);
                rest = &rest[end..];
            }
            return;
        }
        for part in parts(line) {
            self.encode_characters(vocabulary, merger, part, out, unspelled);
        }
    }

    fn encode_characters(
        &self,
        vocabulary: &Vocabulary,
        merger: &mut Merger,
        word: &str,
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        merger.clear();
        for c in word.chars() {
            let token = vocabulary.find_plain(c.encode_utf8(&mut [0; 4])).unwrap_or(NONE);
            merger.push(c.len_utf8() as u32, token);
        }
        merger.merge(|left: &Piece, right: &Piece| {
            self.merges.get(&(left.token, right.token)).copied()
        });
        for piece in merger.pieces() {
            if piece.token != NONE {
                out.push(TokenId(piece.token));
                continue;
            }
            // Whatever is no token is still a single character.
            let text = &word[piece.start as usize..(piece.start + piece.len) as usize];
            let tokens = text.bytes().map(|byte| self.bytes[usize::from(byte)]);
            if tokens.clone().any(|token| token == NONE) {
                text.chars().for_each(|c| unspelled(if c == SPACE { ' ' } else { c }));
            }
            out.extend(tokens.filter(|&token| token != NONE).map(TokenId));
        }
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

fn read_merges(list: &[String], vocabulary: &Vocabulary) -> Result<Merges, TokenizerError> {
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
