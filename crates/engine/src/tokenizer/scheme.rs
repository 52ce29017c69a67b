//! The ways of writing a text in tokens, by the names that GGUF gives them
//! (`tokenizer.ggml.model`): what each reads from a file, and how each treats text.

use super::{
    bpe::Bpe,
    decode::Decoded,
    error::{TokenizerError, shorten},
    greedy::Greedy,
    hashed,
    keys::MODEL,
    merge::NONE,
    plamo::Plamo,
    special::{Added, Defaults},
    spm::{SPACE, Spm},
    unigram::Unigram,
    vocabulary::{self, Kind, Spelling, Vocabulary},
};
use crate::{TokenId, gguf::Metadata};

const SUPPORTED: &str = "llama, gpt2, gemma4, plamo2, rwkv, t5, test";
const UNKNOWN: &str = "tokenizer.ggml.unknown_token_id";

/// How a text becomes tokens.
#[derive(Debug)]
pub(super) enum Scheme {
    /// `llama`
    Spm(Spm),
    /// `gpt2` and `gemma4`
    Bpe(Bpe),
    /// `t5`
    Unigram(Unigram),
    /// `rwkv`
    Greedy(Greedy),
    /// `plamo2`
    Plamo(Plamo),
    /// `test`
    Hashed,
}

/// The `tokenizer.ggml.model` of a file, if it is one of text.
///
/// # Errors
/// A missing one, one that stands for no text, and one that isn't implemented.
pub(super) fn model(metadata: &Metadata) -> Result<&str, TokenizerError> {
    match metadata.str(MODEL)?.ok_or(TokenizerError::Missing { key: MODEL })? {
        "none" | "no_vocab" => Err(TokenizerError::NoVocabulary),
        "bert" => Err(TokenizerError::Embedding),
        model if SUPPORTED.split(", ").any(|known| known == model) => Ok(model),
        other => Err(TokenizerError::Unsupported {
            key: MODEL,
            found: shorten(other),
            supported: SUPPORTED.to_owned(),
        }),
    }
}

impl Scheme {
    /// The scheme of a `model`, what its tokens are spelled in, and the tokens with a meaning of
    /// their own that it has unless the file says otherwise.
    pub(super) fn from_metadata(
        model: &str,
        metadata: &Metadata,
        vocabulary: &Vocabulary,
    ) -> Result<(Scheme, Spelling, Defaults), TokenizerError> {
        let (yes, no) = (Added::Unless(true), Added::Unless(false));
        let nothing = Defaults { bos: None, eos: None, add_bos: no, add_eos: no };
        Ok(match model {
            "llama" => {
                let unknown = unknown(metadata, vocabulary, 0)?;
                let scheme = Scheme::Spm(Spm::from_metadata(metadata, vocabulary, unknown)?);
                let defaults = Defaults { bos: Some(1), eos: Some(2), add_bos: yes, add_eos: no };
                (scheme, Spelling::Spm, defaults)
            }
            "t5" => {
                let unknown = unknown(metadata, vocabulary, 2)?;
                let unigram = Unigram::from_metadata(metadata, vocabulary, unknown)?;
                let defaults = Defaults { eos: Some(1), add_eos: yes, ..nothing };
                (Scheme::Unigram(unigram), Spelling::Spm, defaults)
            }
            "rwkv" => {
                // llama.cpp adds nothing to its texts, whatever the file says.
                let never = Added::Always(false);
                let defaults = Defaults { add_bos: never, add_eos: never, ..nothing };
                let greedy = Greedy::new(vocabulary, unknown(metadata, vocabulary, NONE)?);
                (Scheme::Greedy(greedy), Spelling::Escaped, defaults)
            }
            "plamo2" => {
                let defaults = Defaults { bos: Some(1), eos: Some(2), ..nothing };
                (Scheme::Plamo(Plamo::new(vocabulary)), Spelling::Plain, defaults)
            }
            "test" => (Scheme::Hashed, Spelling::Numbers, nothing),
            _ => {
                let bpe = Bpe::from_metadata(model, metadata, vocabulary)?;
                let (spelling, add_bos) = (bpe.spelling(), bpe.add_bos());
                (Scheme::Bpe(bpe), spelling, Defaults { add_bos, ..nothing })
            }
        })
    }

    /// Appends the tokens of a text that holds no special tokens. `prefix`: the text is one that
    /// gets a space in front where the scheme puts one there.
    pub(super) fn encode(
        &self,
        vocabulary: &Vocabulary,
        text: &str,
        prefix: bool,
        out: &mut Vec<TokenId>,
        unspelled: &mut dyn FnMut(char),
    ) {
        match self {
            Scheme::Spm(spm) => spm.encode(vocabulary, text, prefix, out, unspelled),
            Scheme::Bpe(bpe) => bpe.encode(vocabulary, text, out, unspelled),
            Scheme::Unigram(unigram) => unigram.encode(vocabulary, text, out, unspelled),
            Scheme::Greedy(greedy) => greedy.encode(text, out, unspelled),
            Scheme::Plamo(plamo) => plamo.encode(text, out, unspelled),
            Scheme::Hashed => hashed::encode(vocabulary, text, out),
        }
    }

    /// Whether characters of this text may be left out for want of a token: quick to tell, and
    /// sometimes a false yes.
    pub(super) fn may_lack(&self, text: &str) -> bool {
        match self {
            Scheme::Bpe(bpe) => text.bytes().any(|byte| bpe.lacks(byte)),
            Scheme::Spm(spm) => spm.lacks_bytes(),
            Scheme::Unigram(unigram) => unigram.unknown == NONE,
            Scheme::Greedy(greedy) => greedy.may_lack(),
            Scheme::Plamo(plamo) => plamo.may_lack(),
            Scheme::Hashed => false,
        }
    }

    /// Whether a text after a special token, or at the beginning, gets a space in front.
    pub(super) fn has_prefix(&self) -> bool {
        match self {
            Scheme::Spm(spm) => spm.add_space_prefix,
            Scheme::Bpe(bpe) => bpe.has_prefix(),
            Scheme::Unigram(unigram) => unigram.has_prefix(),
            Scheme::Greedy(_) | Scheme::Plamo(_) | Scheme::Hashed => false,
        }
    }

    /// Calls `put` with the bytes of a text as the vocabulary spells them, and the place and the
    /// length of what they come from.
    pub(super) fn spell(&self, text: &str, prefix: bool, mut put: impl FnMut(&[u8], usize, usize)) {
        let mut buffer = [0; 4];
        match self {
            Scheme::Bpe(bpe) => bpe.spell(text, put),
            Scheme::Unigram(unigram) => unigram.normalize(text, put),
            Scheme::Greedy(_) | Scheme::Hashed => put(text.as_bytes(), 0, text.len()),
            Scheme::Plamo(_) => {
                let read = Plamo::read(text);
                put(read.as_bytes(), text.len() - read.len(), read.len());
            }
            Scheme::Spm(_) => {
                if prefix {
                    put(SPACE.encode_utf8(&mut buffer).as_bytes(), 0, 0);
                }
                for (at, c) in text.char_indices() {
                    let spelled = if c == ' ' { SPACE } else { c };
                    put(spelled.encode_utf8(&mut buffer).as_bytes(), at, c.len_utf8());
                }
            }
        }
    }

    /// The most bytes of a text that a token may stand for, where its own text doesn't say it.
    pub(super) fn longest(&self) -> usize {
        if matches!(self, Scheme::Hashed) { hashed::CHUNK } else { 0 }
    }

    /// How many bytes at the beginning of a spelled text a token stands for; none if it can't stand
    /// there.
    pub(super) fn covered(
        &self,
        vocabulary: &Vocabulary,
        decoded: &Decoded,
        token: TokenId,
        spelled: &[u8],
    ) -> Option<usize> {
        let unknown = match self {
            Scheme::Spm(spm) => spm.unknown,
            Scheme::Unigram(unigram) => unigram.unknown,
            Scheme::Bpe(bpe) if bpe.is_escaped() => NONE,
            Scheme::Hashed => return Some(spelled.len().min(hashed::CHUNK)),
            Scheme::Bpe(_) | Scheme::Greedy(_) | Scheme::Plamo(_) => {
                let bytes = decoded.bytes(token.0);
                return spelled.starts_with(bytes).then_some(bytes.len());
            }
        };
        let text = vocabulary.text(token.0);
        let byte = vocabulary::byte_of(text);
        if byte.is_some() && byte == spelled.first().copied() {
            Some(1)
        } else if spelled.starts_with(text.as_bytes()) {
            Some(text.len())
        } else if token.0 == unknown {
            // It stands for one character.
            let is_inside = |byte: &&u8| **byte & 0xC0 == 0x80;
            Some(1 + spelled[1..].iter().take_while(is_inside).count())
        } else {
            None
        }
    }
}

/// The token that stands for what has none: the file's, or `default` if that is one.
fn unknown(
    metadata: &Metadata,
    vocabulary: &Vocabulary,
    default: u32,
) -> Result<u32, TokenizerError> {
    Ok(match metadata.u32(UNKNOWN)? {
        Some(id) => vocabulary.token(UNKNOWN, id)?.0,
        None if vocabulary.kinds.get(default as usize) == Some(&Kind::Unknown) => default,
        None => NONE,
    })
}
