//! n-gram metrics: repetition within a text, among texts, and against the greedy text.

use std::collections::{HashMap, HashSet};

use super::{Absent, words::Corpus};

/// distinct-n: distinct n-grams over all n-grams of the texts together, n-grams counted within each
/// text (Li et al. 2016, arXiv 1510.03055).
pub fn distinct(texts: &[&str], n: usize) -> Result<f64, Absent> {
    let corpus = Corpus::new(texts);
    let all = || corpus.texts.iter().flat_map(|text| text.windows(n));
    share(all().collect::<HashSet<_>>().len(), all().count(), n)
}

/// The sum over n = 1 … 4 of distinct n-grams over all n-grams of the concatenated texts
/// (Padmakumar & He 2024, arXiv 2309.05196; Meister et al. 2023, arXiv 2202.00666). Like the
/// package `diversity`, it counts n-grams that cross from one text into the next.
pub fn ngram_diversity(texts: &[&str]) -> Result<f64, Absent> {
    let all: Vec<u32> = Corpus::new(texts).texts.concat();
    let of =
        |n: usize| share(all.windows(n).collect::<HashSet<_>>().len(), all.windows(n).count(), n);
    Ok(of(1)? + of(2)? + of(3)? + of(4)?)
}

/// The mean over texts of ln(1 + Σ over the text's distinct 4-grams of the number of other texts
/// that contain it) (Salkar et al. 2022, as in the package `diversity`).
pub fn self_repetition(texts: &[&str]) -> Result<f64, Absent> {
    const N: usize = 4;
    if texts.len() < 2 {
        return Err(Absent::NeedsSamples { samples: 2 });
    }
    let corpus = Corpus::new(texts);
    let each: Vec<HashSet<&[u32]>> =
        corpus.texts.iter().map(|text| text.windows(N).collect()).collect();
    let mut texts_with: HashMap<&[u32], usize> = HashMap::new();
    each.iter().flatten().for_each(|ngram| *texts_with.entry(ngram).or_insert(0) += 1);
    let of = |ngrams: &HashSet<&[u32]>| {
        let others: usize = ngrams.iter().map(|ngram| texts_with[ngram] - 1).sum();
        libm::log(others as f64 + 1.0)
    };
    Ok(each.iter().map(of).sum::<f64>() / texts.len() as f64)
}

/// The share of a text's distinct 3-grams that the greedy text of the prompt doesn't contain
/// (n-gram novelty as in McCoy et al. 2023, arXiv 2111.09509, with the greedy text in place of the
/// training text).
pub fn novelty(text: &str, greedy: &str) -> Result<f64, Absent> {
    const N: usize = 3;
    let corpus = Corpus::new(&[text, greedy]);
    let known: HashSet<&[u32]> = corpus.texts[1].windows(N).collect();
    let own: HashSet<&[u32]> = corpus.texts[0].windows(N).collect();
    share(own.iter().filter(|ngram| !known.contains(*ngram)).count(), own.len(), N)
}

fn share(part: usize, all: usize, n: usize) -> Result<f64, Absent> {
    if all == 0 { Err(Absent::TooShort { words: n }) } else { Ok(part as f64 / all as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_distinct_ngrams() {
        assert_eq!(distinct(&["a b a b a"], 2), Ok(0.5));
        assert_eq!(distinct(&["a b", "a b", ""], 1), Ok(0.5));
        // No pair crosses from one text into the next.
        assert_eq!(distinct(&["a b", "b a"], 2), Ok(1.0));
        assert_eq!(distinct(&["a", ""], 2), Err(Absent::TooShort { words: 2 }));
        assert_eq!(ngram_diversity(&["a b", "c a"]), Ok(0.75 + 1.0 + 1.0 + 1.0));
        assert_eq!(ngram_diversity(&["a b c"]), Err(Absent::TooShort { words: 4 }));
    }

    #[test]
    fn repetition_and_novelty() {
        assert_eq!(self_repetition(&["a b c d", "a b c d", "x"]), Ok(2.0 * 2f64.ln() / 3.0));
        assert_eq!(self_repetition(&["a b c d e a b c d", ""]), Ok(0.0));
        assert!(self_repetition(&["a b c d e a b c d"]).is_err());
        assert_eq!(novelty("a b c d", "x a b c"), Ok(0.5));
        assert_eq!(novelty("a b c", ""), Ok(1.0));
        assert!(novelty("a b", "a b").is_err());
    }
}
