//! The tokens of a model file in one arena, with an index by text.
//!
//! A vocabulary has up to a few hundred thousand short texts, and building it is part of the time
//! to the first token. So all texts are in one `String`, and the hash table holds ids only.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::error::{TokenizerError, shorten};
use crate::{TokenId, gguf::Metadata};

const TOKENS: &str = "tokenizer.ggml.tokens";
const SCORES: &str = "tokenizer.ggml.scores";
const TYPES: &str = "tokenizer.ggml.token_type";

/// What a token is for: llama.cpp's token types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Unknown,
    Control,
    /// A control token that belongs to what people read. Files don't say so.
    Shown,
    UserDefined,
    Unused,
    Byte,
    Undefined,
}

impl Kind {
    fn from_type(token_type: i64) -> Kind {
        match token_type {
            1 => Kind::Normal,
            2 => Kind::Unknown,
            3 => Kind::Control,
            4 => Kind::UserDefined,
            5 => Kind::Unused,
            6 => Kind::Byte,
            _ => Kind::Undefined,
        }
    }

    /// Whether plain text may become this token; the others stand for themselves only.
    fn is_text(self) -> bool {
        !matches!(self, Kind::Unknown | Kind::Control | Kind::Shown | Kind::Byte)
    }
}

/// Which alphabet normal tokens are spelled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// U+2581 is a space.
    Spm,
    /// A character for each byte.
    Bytes,
    /// Escapes for bytes that can't be printed.
    Escaped,
    /// The text itself.
    Plain,
    /// A token's number, whatever its text is.
    Numbers,
}

/// Every token's text, kind and score.
#[derive(Debug)]
pub(super) struct Vocabulary {
    arena: String,
    /// `n_tokens + 1` places in the arena: token i is `arena[starts[i]..starts[i + 1]]`.
    starts: Vec<u32>,
    /// One for each token.
    pub(super) kinds: Vec<Kind>,
    /// One for each token, or none at all.
    scores: Vec<f32>,
    /// Whether plain text may become the token, as the file's types say (`kinds` may be overridden
    /// later).
    from_text: Vec<bool>,
    by_text: HashTable<u32>,
    // Seeded anew in each process, so that no file can be made to collide.
    hasher: RandomState,
    /// In bytes: longer texts needn't be looked up.
    longest: usize,
}

impl Vocabulary {
    /// Reads tokens, scores and types; every array must be as long as the vocabulary.
    pub(super) fn from_metadata(metadata: &Metadata) -> Result<Vocabulary, TokenizerError> {
        let tokens = metadata.str_array(TOKENS)?.ok_or(TokenizerError::Missing { key: TOKENS })?;
        if tokens.is_empty() {
            return Err(TokenizerError::Missing { key: TOKENS });
        }
        let n_bytes: usize = tokens.iter().map(String::len).sum();
        if n_bytes >= u32::MAX as usize || tokens.len() >= u32::MAX as usize {
            return Err(TokenizerError::TooLarge(format!(
                "{} tokens of {n_bytes} bytes",
                tokens.len()
            )));
        }
        let kinds = read_kinds(metadata, tokens.len())?;
        let mut vocabulary = Vocabulary {
            arena: String::with_capacity(n_bytes),
            starts: Vec::with_capacity(tokens.len() + 1),
            from_text: kinds.iter().map(|kind| kind.is_text()).collect(),
            kinds,
            scores: read_scores(metadata, tokens.len())?,
            by_text: HashTable::with_capacity(tokens.len()),
            hasher: RandomState::default(),
            longest: tokens.iter().map(String::len).max().unwrap_or(0),
        };
        vocabulary.starts.push(0);
        for (id, text) in tokens.iter().enumerate() {
            vocabulary.push(id, text)?;
        }
        Ok(vocabulary)
    }

    fn push(&mut self, id: usize, text: &str) -> Result<(), TokenizerError> {
        let Vocabulary { arena, starts, by_text, hasher, .. } = self;
        if self.kinds[id] == Kind::Byte && byte_of(text).is_none() {
            let problem = "a byte token is written `<0x00>` to `<0xFF>`".to_owned();
            return Err(TokenizerError::Token { id, text: shorten(text), problem });
        }
        arena.push_str(text);
        starts.push(u32::try_from(arena.len()).expect("the sum of the lengths was checked"));
        // Padding rows are sometimes empty: they can't be written, so they needn't be found.
        if text.is_empty() {
            return Ok(());
        }
        let text_of =
            |id: u32| &arena[starts[id as usize] as usize..starts[id as usize + 1] as usize];
        let entry = by_text.entry(
            hasher.hash_one(text),
            |&other| text_of(other) == text,
            |&other| hasher.hash_one(text_of(other)),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(first) => {
                let problem =
                    format!("the same text as token {}; texts must be distinct", first.get());
                Err(TokenizerError::Token { id, text: shorten(text), problem })
            }
            hashbrown::hash_table::Entry::Vacant(place) => {
                place.insert(u32::try_from(id).expect("the number of tokens was checked"));
                Ok(())
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The token's text as the file spells it.
    pub(super) fn text(&self, id: u32) -> &str {
        let id = id as usize;
        &self.arena[self.starts[id] as usize..self.starts[id + 1] as usize]
    }

    /// Makes a token one of another kind than the file says.
    pub(super) fn set_kind(&mut self, id: u32, kind: Kind) {
        self.kinds[id as usize] = kind;
        self.from_text[id as usize] = kind.is_text();
    }

    pub(super) fn score(&self, id: u32) -> f32 {
        self.scores.get(id as usize).copied().unwrap_or(0.0)
    }

    /// The token of this text, of whatever kind.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        if text.len() > self.longest {
            return None;
        }
        self.by_text.find(self.hasher.hash_one(text), |&id| self.text(id) == text).copied()
    }

    /// The token that plain text of this spelling may become: never a control, unknown or byte
    /// token.
    ///
    /// SentencePiece keeps those out of its merging too, so that `</s>` typed by a user stays text.
    pub(super) fn find_plain(&self, text: &str) -> Option<u32> {
        self.find(text).filter(|&id| self.from_text[id as usize])
    }

    /// `id` as a token if it lies in the vocabulary.
    pub(super) fn token(&self, key: &'static str, id: u32) -> Result<TokenId, TokenizerError> {
        match (id as usize) < self.len() {
            true => Ok(TokenId(id)),
            false => Err(TokenizerError::OutOfRange { key, found: id, size: self.len() }),
        }
    }
}

/// The byte that `<0xNN>` stands for.
pub(super) fn byte_of(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    // from_str_radix alone would take a sign.
    if digits.len() != 2 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u8::from_str_radix(digits, 16).ok()
}

fn read_kinds(metadata: &Metadata, n_tokens: usize) -> Result<Vec<Kind>, TokenizerError> {
    // What GGUF's specification has, converters write and llama.cpp reads.
    metadata.check_elements(TYPES, &["i32"], "an array of 32-bit integers (i32)")?;
    let Some(types) = metadata.int_array(TYPES)? else {
        return Ok(vec![Kind::Normal; n_tokens]);
    };
    check_count(TYPES, types.len(), n_tokens)?;
    Ok(types.iter().map(|&token_type| Kind::from_type(token_type)).collect())
}

fn read_scores(metadata: &Metadata, n_tokens: usize) -> Result<Vec<f32>, TokenizerError> {
    metadata.check_elements(SCORES, &["f32"], "an array of 32-bit floats (f32)")?;
    let Some(scores) = metadata.f32_array(SCORES)? else {
        return Ok(Vec::new());
    };
    check_count(SCORES, scores.len(), n_tokens)?;
    if let Some(id) = scores.iter().position(|score| score.is_nan()) {
        let problem = "its score isn't a number".to_owned();
        return Err(TokenizerError::Token { id, text: String::new(), problem });
    }
    Ok(scores.to_vec())
}

fn check_count(key: &'static str, found: usize, expected: usize) -> Result<(), TokenizerError> {
    match found == expected {
        true => Ok(()),
        false => Err(TokenizerError::Count { key, found, expected }),
    }
}
