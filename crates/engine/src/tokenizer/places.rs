//! Encodes a text and finds the byte offset of each token in it.
//!
//! The tokens' bytes alone don't determine the offsets: SentencePiece adds a space before a text,
//! BOS and EOS aren't part of it, and a character without a token becomes `<unk>` or nothing.

use super::{Scheme, Tokenizer, partition::Fragment, plain_ranges, spm::SPACE, vocabulary};
use crate::TokenId;

/// A stretch of a text with its tokens.
pub(super) struct Encoded<'a> {
    pub(super) fragment: Fragment<'a>,
    /// Whether a space was put in front of it.
    pub(super) prefix: bool,
    pub(super) tokens: &'a [TokenId],
}

impl Tokenizer {
    /// The tokens of [`encode`](Tokenizer::encode), each with the place in `text`, in bytes, of the
    /// first byte that it stands for.
    ///
    /// A token that stands for nothing in `text` (BOS, EOS, the space that SentencePiece puts in
    /// front) has the place of what comes next. Places never fall.
    pub fn encode_with_places(
        &self,
        text: &str,
        add_special: bool,
        parse_special: bool,
    ) -> Vec<(TokenId, usize)> {
        let has_bos = add_special && self.special.add_bos && self.special.bos.is_some();
        let mut places = vec![0; usize::from(has_bos)];
        let mut start = 0;
        let all = 0..text.len();
        let plain = plain_ranges(parse_special, &all);
        let tokens =
            self.encode_stretches(text, plain, add_special, &mut |_| {}, |part| {
                match part.fragment {
                    Fragment::Token(id) => {
                        places.push(start);
                        start += self.vocabulary.text(id).len();
                    }
                    Fragment::Text(stretch) => {
                        self.place_stretch(stretch, &part, start, &mut places);
                        start += stretch.len();
                    }
                }
            });
        // What is left is an EOS.
        places.resize(tokens.len(), text.len());
        tokens.into_iter().zip(places).collect()
    }

    /// Appends the places of the tokens of `stretch`, which begins at `start`.
    fn place_stretch(
        &self,
        stretch: &str,
        part: &Encoded<'_>,
        start: usize,
        places: &mut Vec<usize>,
    ) {
        // The bytes that were merged, and the place in the stretch that each comes from.
        let (mut merged, mut from) = (Vec::new(), Vec::new());
        let mut take = |bytes: &[u8], at: usize, n: usize| {
            merged.extend_from_slice(bytes);
            from.extend((0..bytes.len()).map(|i| at + i.min(n.saturating_sub(1))));
        };
        let mut buffer = [0; 4];
        match &self.scheme {
            Scheme::Bpe(_) => take(stretch.as_bytes(), 0, stretch.len()),
            Scheme::Spm(_) => {
                if part.prefix {
                    take(SPACE.encode_utf8(&mut buffer).as_bytes(), 0, 0);
                }
                for (at, c) in stretch.char_indices() {
                    let spelled = if c == ' ' { SPACE } else { c };
                    take(spelled.encode_utf8(&mut buffer).as_bytes(), at, c.len_utf8());
                }
            }
        }
        let mut at = 0;
        for &token in part.tokens {
            // Bytes that have no token were left out.
            let covered =
                (at..merged.len()).find_map(|at| Some((at, self.covered(token, &merged[at..])?)));
            let (begin, len) = covered.unwrap_or((merged.len(), 0));
            places.push(start + from.get(begin).copied().unwrap_or(stretch.len()));
            at = begin + len;
        }
    }

    /// How many bytes at the beginning of `merged` a token stands for; none if it can't stand
    /// there.
    fn covered(&self, token: TokenId, merged: &[u8]) -> Option<usize> {
        match &self.scheme {
            Scheme::Bpe(_) => {
                let bytes = self.decoded.bytes(token.0);
                merged.starts_with(bytes).then_some(bytes.len())
            }
            Scheme::Spm(spm) => {
                let spelled = self.vocabulary.text(token.0);
                let byte = vocabulary::byte_of(spelled);
                if byte.is_some() && byte == merged.first().copied() {
                    Some(1)
                } else if merged.starts_with(spelled.as_bytes()) {
                    Some(spelled.len())
                } else if token.0 == spm.unknown {
                    // It stands for one character.
                    let is_inside = |byte: &&u8| **byte & 0xC0 == 0x80;
                    Some(1 + merged[1..].iter().take_while(is_inside).count())
                } else {
                    None
                }
            }
        }
    }
}
