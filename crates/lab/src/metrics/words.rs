//! Splits texts into words and n-grams.

use std::collections::HashMap;

/// The words of a text: split at white space like Python's `str.split`. Punctuation stays attached.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Unicode white space, and the four ASCII separators that Python counts as white space.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Texts as word ids, so that n-grams are slices of integers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Corpus {
    /// For each text its word ids, numbered by first appearance.
    pub(crate) texts: Vec<Vec<u32>>,
}

impl Corpus {
    /// Splits by [`words`].
    pub(crate) fn new(texts: &[&str]) -> Corpus {
        let mut numbers = HashMap::new();
        let mut number = |word| {
            let next = numbers.len() as u32;
            *numbers.entry(word).or_insert(next)
        };
        Corpus { texts: texts.iter().map(|text| words(text).map(&mut number).collect()).collect() }
    }

    /// The count of each n-gram in a text.
    pub(crate) fn counts(&self, text: usize, n: usize) -> HashMap<&[u32], usize> {
        let mut counts = HashMap::new();
        for ngram in self.texts[text].windows(n) {
            *counts.entry(ngram).or_insert(0) += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_python() {
        let found: Vec<&str> = words(" Tea,\u{a0}tea\u{1f}\n\u{3000}तातो चिया\t").collect();
        assert_eq!(found, ["Tea,", "tea", "तातो", "चिया"]);
        assert_eq!(words("").count() + words(" \n").count(), 0);
    }

    #[test]
    fn a_word_has_one_number_in_all_texts() {
        let corpus = Corpus::new(&["a b a", "", "c a"]);
        assert_eq!(corpus.texts, [vec![0, 1, 0], vec![], vec![2, 0]]);
        assert_eq!(corpus.counts(0, 1)[&[0][..]], 2);
        assert_eq!(corpus.counts(1, 1).len() + corpus.counts(2, 3).len(), 0);
    }
}
