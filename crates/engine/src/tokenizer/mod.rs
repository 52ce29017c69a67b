//! Tokenizers: encode text to token ids and decode it, exactly as the model file's vocabulary
//! defines.
//!
//! `scheme` has the kinds of tokenizer (`tokenizer.ggml.model`): SentencePiece's BPE (`spm`),
//! byte-level BPE and BPE of characters (`bpe`), unigram, RWKV's longest match (`greedy`), PLaMo
//! 2's (`plamo`) and that of llama.cpp's tests (`hashed`). They share the vocabulary and the search
//! for special tokens. The reference is llama.cpp (`src/llama-vocab.cpp`): ids and the tokens that
//! end a turn are equal to its, except that
//! - text with the pre-tokenizers `tekken` and `gpt-4o` is split as `mistral-common` and Hugging
//!   Face's `tokenizers` do it (llama.cpp's expressions take only ASCII letters to have a case, and
//!   combining marks for punctuation);
//! - a typed `</s>` never becomes the control token by merging (SentencePiece's rule);
//! - where a file names no end-of-text token, none of the vocabulary's is taken for it by its
//!   number alone (llama.cpp takes token 11 of byte-level vocabularies, GPT-2's comma);
//! - gpt-oss's channel marks typed in a message stay plain text (in llama.cpp they become tokens).
//!
//! Decoding joins the bytes of the tokens. llama.cpp's `detokenize` also removes spaces before
//! punctuation for some vocabularies, which loses text, and leaves the space that was put after a
//! BOS; Kelvin does neither.

mod apart;
mod bpe;
mod charsmap;
mod classes;
mod decode;
mod error;
mod greedy;
mod hashed;
pub(crate) mod keys;
mod merge;
mod partition;
mod places;
mod plamo;
mod pre;
mod prefixes;
mod scheme;
mod special;
mod split;
mod spm;
mod stream;
#[cfg(test)]
mod tests;
mod unigram;
mod vocabulary;
mod words;
mod written;

pub use error::TokenizerError;
pub use stream::TextStream;

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use kelvin_sampling::TokenTexts;

use crate::{TokenId, gguf::Metadata};
use decode::Decoded;
use partition::{Encoded, Fragment, Specials};
use pre::Pre;
use scheme::Scheme;
use special::Special;
use vocabulary::{Kind, Vocabulary};

/// Characters that `unspelled` tells of: each search for one among them takes time.
const MAX_UNSPELLED: usize = 16;

/// A tokenizer built from a model file's metadata.
#[derive(Debug)]
pub struct Tokenizer {
    vocabulary: Vocabulary,
    special: Special,
    specials: Specials,
    decoded: Decoded,
    scheme: Scheme,
    warnings: Vec<String>,
    /// A copy of the tokens' bytes for samplers, made when it is asked for first.
    texts: OnceLock<Arc<TokenTexts>>,
}

/// How two vocabularies differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VocabularyDifference {
    /// They have different numbers of tokens.
    Size,
    /// This token isn't the same in both: the first such one.
    Token(TokenId),
}

impl Tokenizer {
    /// Builds the tokenizer that `tokenizer.ggml.model` and `tokenizer.ggml.pre` name; refuses
    /// unknown ones.
    ///
    /// # Errors
    /// An unsupported kind of tokenizer, a key of the wrong type, an array of the wrong length, an
    /// id outside of the vocabulary, a byte token that names no byte, two tokens of the same text,
    /// a merge of no tokens, a broken table of replacements.
    pub fn from_metadata(metadata: &Metadata) -> Result<Tokenizer, TokenizerError> {
        let model = scheme::model(metadata)?;
        let mut vocabulary = Vocabulary::from_metadata(metadata)?;
        let (scheme, spelling, defaults) = Scheme::from_metadata(model, metadata, &vocabulary)?;
        let special = Special::from_metadata(metadata, &mut vocabulary, defaults)?;
        let specials = Specials::new(&vocabulary, special.strips.iter().copied());
        let decoded = Decoded::new(&vocabulary, spelling);
        let warnings = keys::warnings(metadata);
        let texts = OnceLock::new();
        Ok(Tokenizer { vocabulary, special, specials, decoded, scheme, warnings, texts })
    }

    /// A name of each pre-tokenizer: values of `tokenizer.ggml.pre` that cut texts differently or
    /// spell them differently.
    pub fn pre_tokenizers() -> impl Iterator<Item = &'static str> {
        Pre::kinds()
    }

    /// What people should know about the file's vocabulary, in whole sentences: what it leaves open
    /// or asks for in vain.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// How many tokens there are.
    pub fn vocab_size(&self) -> usize {
        self.vocabulary.len()
    }

    /// Text to ids. `add_special`: the BOS/EOS that the file says are added. `parse_special`:
    /// control tokens written in the text become themselves rather than plain characters.
    ///
    /// Takes time in proportion to the text (n log n at worst), whatever it holds.
    ///
    /// A character that the vocabulary can't spell is left out, as in llama.cpp;
    /// [`Tokenizer::unspelled`] tells of it.
    pub fn encode(&self, text: &str, add_special: bool, parse_special: bool) -> Vec<TokenId> {
        let all = 0..text.len();
        self.encode_marked(text, plain_ranges(parse_special, &all), add_special)
    }

    /// Text to ids, where control tokens written in the byte ranges `plain` stay plain characters
    /// and those written elsewhere become themselves. The ranges are sorted and disjoint.
    ///
    /// Where no control token is written in `plain`, the ids are those of
    /// `encode(text, add_special, true)`: words reach across the ends of a range.
    pub fn encode_marked(
        &self,
        text: &str,
        plain: &[Range<usize>],
        add_special: bool,
    ) -> Vec<TokenId> {
        self.encode_stretches(text, plain, Some(add_special), &mut |_| {}, |_| {})
    }

    /// Ids of a text that other text stands before: without the space that the vocabulary may put
    /// in front of a whole text, and without control tokens.
    pub(crate) fn encode_inside(&self, text: &str) -> Vec<TokenId> {
        let all = 0..text.len();
        self.encode_stretches(text, plain_ranges(false, &all), None, &mut |_| {}, |_| {})
    }

    /// The distinct characters of a text, in order, that `encode` leaves out: at most 16 of them.
    ///
    /// Vocabularies that lack any lack those that texts hardly have: SmolLM2's has no token for the
    /// bytes 04, 06, 13, 14, 16 and 1D, and none for characters from U+40000 to U+BFFFF. Texts
    /// without them cost one look at their bytes.
    pub fn unspelled(&self, text: &str, parse_special: bool) -> Vec<char> {
        let mut found = Vec::new();
        if self.scheme.may_lack(text) {
            let all = 0..text.len();
            let mut unspelled = |c| {
                // The space in front isn't the text's.
                if !found.contains(&c) && found.len() < MAX_UNSPELLED && text.contains(c) {
                    found.push(c);
                }
            };
            let plain = plain_ranges(parse_special, &all);
            self.encode_stretches(text, plain, Some(false), &mut unspelled, |_| {});
        }
        found
    }

    /// `encode_marked`, which calls `unspelled` with each character that it leaves out, and `each`
    /// with each stretch of the text and its tokens, from the left. `whole` is its `add_special` of
    /// a whole text, and `None` of one that other text stands before.
    fn encode_stretches(
        &self,
        text: &str,
        plain: &[Range<usize>],
        whole: Option<bool>,
        unspelled: &mut dyn FnMut(char),
        mut each: impl FnMut(Encoded<'_>),
    ) -> Vec<TokenId> {
        let (mut tokens, add_special) = (Vec::new(), whole == Some(true));
        tokens.extend(self.special.bos.filter(|_| add_special && self.special.add_bos));
        let mut after_special = whole.is_some();
        for (at, fragment) in self.specials.partition(&self.vocabulary, text, plain) {
            let n_before = tokens.len();
            let prefix = after_special && self.scheme.has_prefix();
            match fragment {
                Fragment::Token(id) => tokens.push(TokenId(id)),
                Fragment::Text(text) => {
                    self.scheme.encode(&self.vocabulary, text, prefix, &mut tokens, unspelled);
                }
            }
            each(Encoded { at, fragment, prefix, tokens: &tokens[n_before..] });
            after_special = matches!(fragment, Fragment::Token(_));
        }
        tokens.extend(self.special.eos.filter(|_| add_special && self.special.add_eos));
        tokens
    }

    /// The bytes that a token stands for when text is decoded; control tokens are empty unless
    /// `special`.
    ///
    /// An id outside of the vocabulary has none (models may have more rows than tokens).
    pub fn bytes(&self, token: TokenId, special: bool) -> &[u8] {
        match self.vocabulary.kinds.get(token.0 as usize) {
            None => &[],
            Some(Kind::Control | Kind::Unknown) if !special => &[],
            Some(_) => self.decoded.bytes(token.0),
        }
    }

    /// Ids to text, invalid UTF-8 replaced. The space that `encode` puts in front of a text is
    /// taken off again.
    pub fn decode(&self, tokens: &[TokenId], special: bool) -> String {
        let mut bytes: Vec<u8> = Vec::with_capacity(tokens.len() * 4);
        bytes.extend(self.pieces(tokens, special).flatten());
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The bytes of each token of a whole text, without the space that `encode` puts in front of
    /// it.
    pub fn pieces(&self, tokens: &[TokenId], special: bool) -> impl Iterator<Item = &[u8]> {
        let mut prefixed = self.scheme.has_prefix();
        tokens.iter().map(move |&token| {
            let piece = self.bytes(token, special);
            let is_prefixed = prefixed && piece.first() == Some(&b' ');
            prefixed &= self.kind(token) == Some(Kind::Control);
            &piece[usize::from(is_prefixed)..]
        })
    }

    /// What a token says on its own: its bytes as text, invalid UTF-8 replaced. Spaces stay, also
    /// that of `▁the`.
    pub fn text(&self, token: TokenId) -> String {
        String::from_utf8_lossy(self.bytes(token, true)).into_owned()
    }

    /// The text of each token of a whole text. Joined they are what `decode` gives, control tokens
    /// included: the space that `encode` put in front is taken off, and a character that takes
    /// several tokens stands at its last one.
    pub fn texts(&self, tokens: &[TokenId]) -> Vec<String> {
        let mut stream = TextStream::default();
        let mut texts: Vec<String> =
            self.pieces(tokens, true).map(|piece| stream.push(piece)).collect();
        if let Some(last) = texts.last_mut() {
            last.push_str(&stream.finish());
        }
        texts
    }

    /// No token stands for more characters of a text than this: the bytes of the longest one. So a
    /// text of more than `n` times as many characters has more than `n` tokens.
    pub fn longest(&self) -> usize {
        self.decoded.longest().max(self.scheme.longest())
    }

    /// The vocabulary's own spelling of a token (e.g. `Ġthe`, `<0x0A>`); empty for an id outside of
    /// it.
    pub fn piece(&self, token: TokenId) -> &str {
        self.kind(token).map_or("", |_| self.vocabulary.text(token.0))
    }

    /// How another vocabulary differs from this one; `None` if each id has one meaning in both.
    pub fn difference(&self, other: &Tokenizer) -> Option<VocabularyDifference> {
        if self.vocab_size() != other.vocab_size() {
            return Some(VocabularyDifference::Size);
        }
        let differs = |&id: &TokenId| {
            self.piece(id) != other.piece(id) || self.bytes(id, true) != other.bytes(id, true)
        };
        let mut ids = (0..self.vocab_size() as u32).map(TokenId);
        ids.find(differs).map(VocabularyDifference::Token)
    }

    /// The beginning-of-text token, if the file has one.
    pub fn bos(&self) -> Option<TokenId> {
        self.special.bos
    }

    /// The end-of-text token, if the file has one.
    pub fn eos(&self) -> Option<TokenId> {
        self.special.eos
    }

    /// Every token that ends a turn: EOS, EOT, EOM and the known end-of-turn control tokens of the
    /// vocabulary, in ascending order.
    pub fn end_tokens(&self) -> &[TokenId] {
        &self.special.ends
    }

    fn kind(&self, token: TokenId) -> Option<Kind> {
        self.vocabulary.kinds.get(token.0 as usize).copied()
    }
}

/// The ranges in which control tokens stay plain: none, or the whole text.
fn plain_ranges(parse_special: bool, all: &Range<usize>) -> &[Range<usize>] {
    if parse_special { &[] } else { std::slice::from_ref(all) }
}
