//! Computes `text_offset`: the character of the text in which each token begins.
//!
//! A character may consist of several tokens. All of them have the offset of that character, as in
//! OpenAI's API.

use kelvin_engine::tokenizer::TextStream;

/// Counts the complete characters of a growing text.
#[derive(Debug, Default, Clone)]
pub(crate) struct Places {
    stream: TextStream,
    /// Complete characters.
    n_chars: usize,
}

impl Places {
    /// At the end of a text.
    pub(crate) fn after(text: &str) -> Places {
        Places { stream: TextStream::default(), n_chars: text.chars().count() }
    }

    /// Takes a token's bytes: the number of characters before the one that its first byte belongs
    /// to. A token without bytes is where the next one is.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> usize {
        let Some((first, rest)) = bytes.split_first() else { return self.n_chars };
        self.n_chars += self.stream.push(&[*first]).chars().count();
        // Either it waits for more bytes of its character, or that is the one just completed.
        let at = if self.stream.is_within_character() { self.n_chars } else { self.n_chars - 1 };
        self.n_chars += self.stream.push(rest).chars().count();
        at
    }
}

/// The number of characters of `text` before the one that each byte belongs to; `places` rise, and
/// may be the text's end.
pub(crate) fn in_characters(text: &str, places: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut ends = text.char_indices().map(|(at, c)| at + c.len_utf8()).peekable();
    let mut n = 0;
    let count = |place| {
        while ends.next_if(|&end| end <= place).is_some() {
            n += 1;
        }
        n
    };
    places.map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where each piece begins, by the text of all bytes up to the end of the character of its
    /// first one.
    fn slowly(pieces: &[&[u8]]) -> Vec<usize> {
        let all = pieces.concat();
        let mut starts = Vec::new();
        let mut at = 0;
        for chunk in all.utf8_chunks() {
            for c in chunk.valid().chars() {
                starts.push(at);
                at += c.len_utf8();
            }
            if !chunk.invalid().is_empty() {
                starts.push(at);
                at += chunk.invalid().len();
            }
        }
        let mut begin = 0;
        let place = |piece: &&[u8]| {
            let n = starts.iter().filter(|&&start| start <= begin).count();
            begin += piece.len();
            n - usize::from(begin - piece.len() < at)
        };
        pieces.iter().map(place).collect()
    }

    #[test]
    fn tokens_begin_in_the_character_of_their_first_byte() {
        let fox = "🦊".as_bytes();
        for (pieces, places) in [
            (vec!["a".as_bytes(), "é".as_bytes(), b"b"], vec![0, 1, 2]),
            (vec![b"a", &fox[..1], &fox[1..3], &fox[3..], b" cat"], vec![0, 1, 1, 1, 2]),
            (vec![&fox[..2], b"x", b"y"], vec![0, 1, 2]),
            (vec![b"", b"ab", b"", b"c", b""], vec![0, 0, 2, 2, 3]),
            (vec![b"\xff\xfe", b"a"], vec![0, 2]),
            (vec!["ab猫".as_bytes(), "猫c".as_bytes()], vec![0, 3]),
        ] {
            let mut so_far = Places::default();
            let found: Vec<usize> = pieces.iter().map(|piece| so_far.push(piece)).collect();
            assert_eq!(found, places, "{pieces:?}");
            assert_eq!(slowly(&pieces), places, "{pieces:?}");
        }
    }

    #[test]
    fn any_cut_of_any_text() {
        let bytes =
            "naïve 猫 said: 🦊🦊 \u{fffd}é".as_bytes().iter().chain(b"\xf0\x9f\x80 \xe7\x8ca\xff");
        let bytes: Vec<u8> = bytes.copied().collect();
        for cut in 1..6 {
            for skip in 0..bytes.len() {
                let mut pieces = vec![&bytes[..skip]];
                pieces.extend(bytes[skip..].chunks(cut));
                let mut so_far = Places::default();
                let found: Vec<usize> = pieces.iter().map(|piece| so_far.push(piece)).collect();
                assert_eq!(found, slowly(&pieces), "{pieces:?}");
            }
        }
    }

    #[test]
    fn places_of_bytes_in_characters() {
        let places = [0, 0, 1, 2, 3, 4, 5, 6, 6];
        assert_eq!(in_characters("aé猫", places.into_iter()), [0, 0, 1, 1, 2, 2, 2, 3, 3]);
        assert_eq!(in_characters("", [0, 0].into_iter()), [0, 0]);
        let (mut so_far, text) = (Places::after("é"), "猫");
        assert_eq!(
            text.as_bytes().chunks(1).map(|byte| so_far.push(byte)).collect::<Vec<_>>(),
            [1, 1, 1]
        );
    }
}
