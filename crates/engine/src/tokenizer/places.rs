//! Encodes a text and finds the byte offset of each token in it.
//!
//! The tokens' bytes alone don't determine the offsets: SentencePiece adds a space before a text,
//! BOS and EOS aren't part of it, and a character without a token becomes `<unk>` or nothing.

use super::{
    Tokenizer,
    partition::{Encoded, Fragment},
    plain_ranges,
};
use crate::TokenId;

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
        let all = 0..text.len();
        let plain = plain_ranges(parse_special, &all);
        let tokens = self.encode_stretches(text, plain, Some(add_special), &mut |_| {}, |part| {
            match part.fragment {
                Fragment::Token(_) => places.push(part.at),
                Fragment::Text(stretch) => self.place_stretch(stretch, &part, &mut places),
            }
        });
        // What is left is an EOS.
        places.resize(tokens.len(), text.len());
        tokens.into_iter().zip(places).collect()
    }

    /// Appends the places of the tokens of `stretch`.
    fn place_stretch(&self, stretch: &str, part: &Encoded<'_>, places: &mut Vec<usize>) {
        // The bytes that were merged, and the place in the stretch that each comes from.
        let (mut merged, mut from) = (Vec::new(), Vec::new());
        self.scheme.spell(stretch, part.prefix, |bytes, at, n| {
            merged.extend_from_slice(bytes);
            from.extend((0..bytes.len()).map(|i| at + i.min(n.saturating_sub(1))));
        });
        let mut at = 0;
        for &token in part.tokens {
            let covered =
                |spelled| self.scheme.covered(&self.vocabulary, &self.decoded, token, spelled);
            // Bytes that have no token were left out.
            let found = (at..merged.len()).find_map(|at| Some((at, covered(&merged[at..])?)));
            let (begin, len) = found.unwrap_or((merged.len(), 0));
            places.push(part.at + from.get(begin).copied().unwrap_or(stretch.len()));
            at = begin + len;
        }
    }
}
