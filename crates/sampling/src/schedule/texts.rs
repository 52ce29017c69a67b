//! The bytes of a vocabulary's tokens, and the search for a text in a stream of them.

use std::{fmt, sync::Arc};

use crate::{TokenId, error::ChainError};

/// The bytes that each token of a vocabulary stands for.
///
/// [`crate::Chain::within`] takes them: places of a schedule depend on what the text says.
pub struct TokenTexts {
    arena: Vec<u8>,
    /// One more than there are tokens.
    starts: Vec<u32>,
    /// Ids of control tokens, which aren't part of what people read; in rising order.
    control: Vec<u32>,
}

impl TokenTexts {
    /// From the bytes of each token in the order of ids, and whether it is a control token.
    pub fn new<'a>(tokens: impl Iterator<Item = (&'a [u8], bool)>) -> TokenTexts {
        let mut texts = TokenTexts { arena: Vec::new(), starts: vec![0], control: Vec::new() };
        for (id, (bytes, is_control)) in tokens.enumerate() {
            texts.arena.extend_from_slice(bytes);
            texts.starts.push(texts.arena.len() as u32);
            if is_control {
                texts.control.push(id as u32);
            }
        }
        texts
    }

    /// The bytes of a token; none for a token that the vocabulary doesn't have.
    pub fn bytes(&self, token: TokenId) -> &[u8] {
        match self.starts.get(token.index()..token.index() + 2) {
            Some(of) => &self.arena[of[0] as usize..of[1] as usize],
            None => &[],
        }
    }

    /// The bytes that people read: none for a control token.
    pub fn shown(&self, token: TokenId) -> &[u8] {
        match self.control.binary_search(&token.0) {
            Ok(_) => &[],
            Err(_) => self.bytes(token),
        }
    }
}

impl fmt::Debug for TokenTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenTexts({} tokens)", self.starts.len() - 1)
    }
}

/// Two vocabularies are equal if they are one.
impl PartialEq for TokenTexts {
    fn eq(&self, other: &TokenTexts) -> bool {
        std::ptr::eq(self, other)
    }
}

/// A text that is looked for byte by byte.
///
/// Source: Knuth, Morris and Pratt 1977. Each byte is looked at once, so a stream of tokens is
/// searched while it grows.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    text: Arc<str>,
    /// For each beginning of the text, the length of the longest shorter one that ends it.
    shorter: Arc<[u16]>,
}

impl Search {
    /// The most bytes.
    pub const MAX_BYTES: usize = 256;

    /// A text of 1 to [`Search::MAX_BYTES`] bytes.
    ///
    /// # Errors
    /// If it has none, or more.
    pub fn new(text: &str) -> Result<Search, ChainError> {
        if text.is_empty() || text.len() > Search::MAX_BYTES {
            return Err(ChainError::PlaceText { bytes: text.len() });
        }
        let bytes = text.as_bytes();
        let mut shorter = vec![0u16; bytes.len()];
        let mut n = 0;
        for i in 1..bytes.len() {
            while n > 0 && bytes[i] != bytes[n] {
                n = shorter[n - 1] as usize;
            }
            n += usize::from(bytes[i] == bytes[n]);
            shorter[i] = n as u16;
        }
        Ok(Search { text: text.into(), shorter: shorter.into() })
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many bytes of the text the stream ends with after one more byte, if it ended with `n`
    /// before: the whole length is a find.
    pub fn next(&self, n: u16, byte: u8) -> u16 {
        let bytes = self.text.as_bytes();
        let mut n = n as usize;
        while n > 0 && (n == bytes.len() || bytes[n] != byte) {
            n = self.shorter[n - 1] as usize;
        }
        (n + usize::from(bytes[n] == byte)) as u16
    }

    /// Whether so many bytes are the whole text.
    pub fn is_found(&self, n: u16) -> bool {
        n as usize == self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every find of the search is one of the standard library's, at each place of a stream.
    #[test]
    fn a_stream_is_searched_as_a_whole_text_is() {
        for pattern in ["a", "ab", "aab", "abab", "aaaa", "abcabd", "é!"] {
            let search = Search::new(pattern).unwrap();
            for stream in ["", "aaab", "ababab", "abcabcabd", "aaaaaa", "né!é!", "abaabaab"] {
                let (mut n, mut finds) = (0, Vec::new());
                for (at, &byte) in stream.as_bytes().iter().enumerate() {
                    n = search.next(n, byte);
                    if search.is_found(n) {
                        finds.push(at + 1);
                    }
                }
                let ends = (1..=stream.len())
                    .filter(|&end| stream.as_bytes()[..end].ends_with(pattern.as_bytes()));
                assert_eq!(finds, ends.collect::<Vec<_>>(), "{pattern} in {stream}");
            }
        }
        assert!(Search::new("").is_err() && Search::new(&"x".repeat(257)).is_err());
    }

    #[test]
    fn tokens_have_bytes_and_control_tokens_are_not_shown() {
        let texts =
            TokenTexts::new([(&b"ab"[..], false), (b"<s>", true), (b"", false)].into_iter());
        assert_eq!((texts.bytes(TokenId(0)), texts.shown(TokenId(0))), (&b"ab"[..], &b"ab"[..]));
        assert_eq!((texts.bytes(TokenId(1)), texts.shown(TokenId(1))), (&b"<s>"[..], &b""[..]));
        assert_eq!(texts.bytes(TokenId(9)), b"");
    }
}
