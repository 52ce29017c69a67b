//! Self-BLEU: how well each sample of a cell is predicted by the others.

use std::collections::HashMap;

use super::{Absent, words::Corpus};

/// The maximum n-gram length.
const ORDERS: usize = 4;
/// The match count used for a precision without matches: `SmoothingFunction().method1` of nltk.
const EPSILON: f64 = 0.1;

/// The mean over texts of BLEU-4 with all other texts as references (Zhu et al. 2018, Texygen,
/// arXiv 1802.01886), as nltk's `sentence_bleu` with smoothing `method1` computes it.
pub fn self_bleu(texts: &[&str]) -> Result<f64, Absent> {
    if texts.len() < 2 {
        return Err(Absent::NeedsSamples { samples: 2 });
    }
    let corpus = Corpus::new(texts);
    let tables: Vec<Most<'_>> = (1..=ORDERS).map(|n| Most::new(&corpus, n)).collect();
    let sum: f64 = (0..texts.len()).map(|i| bleu(&corpus, &tables, i)).sum();
    Ok(sum / texts.len() as f64)
}

/// For each n-gram the text with its highest count, and the highest count among the others. With
/// these, scoring a text against all others takes time linear in its length.
struct Most<'a> {
    counts: Vec<HashMap<&'a [u32], usize>>,
    most: HashMap<&'a [u32], (usize, usize, usize)>,
}

impl<'a> Most<'a> {
    fn new(corpus: &'a Corpus, n: usize) -> Most<'a> {
        let counts: Vec<_> = (0..corpus.texts.len()).map(|i| corpus.counts(i, n)).collect();
        let mut most: HashMap<&[u32], (usize, usize, usize)> = HashMap::new();
        for (i, counts) in counts.iter().enumerate() {
            for (&ngram, &count) in counts {
                let (best, holder, second) = most.entry(ngram).or_insert((0, i, 0));
                if count > *best {
                    (*second, *best, *holder) = (*best, count, i);
                } else {
                    *second = count.max(*second);
                }
            }
        }
        Most { counts, most }
    }

    /// The clipped n-gram matches of text `i` with the other texts, and its number of n-grams.
    fn matches(&self, i: usize) -> (usize, usize) {
        let mut matched = 0;
        for (ngram, &count) in &self.counts[i] {
            let (best, holder, second) = self.most[ngram];
            matched += count.min(if holder == i { second } else { best });
        }
        (matched, self.counts[i].values().sum())
    }
}

fn bleu(corpus: &Corpus, tables: &[Most<'_>], i: usize) -> f64 {
    let mut logs = 0.0;
    for (n, table) in tables.iter().enumerate() {
        let (matched, all) = table.matches(i);
        if n == 0 && matched == 0 {
            return 0.0;
        }
        let matched = if matched == 0 { EPSILON } else { matched as f64 };
        logs += libm::log(matched / all.max(1) as f64) / ORDERS as f64;
    }
    let len = corpus.texts[i].len();
    let others =
        corpus.texts.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, text)| text.len());
    let closest = others.min_by_key(|&other| (other.abs_diff(len), other)).unwrap_or(len);
    let brevity = if len > closest { 1.0 } else { libm::exp(1.0 - closest as f64 / len as f64) };
    brevity * libm::exp(logs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_foretell_each_other_and_strangers_nothing() {
        let text = "the cat sat on the mat";
        assert!((self_bleu(&[text, text, text]).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(self_bleu(&["a b c d", "e f g h"]), Ok(0.0));
        assert_eq!(self_bleu(&["", "a"]), Ok(0.0));
        assert_eq!(self_bleu(&[text]), Err(Absent::NeedsSamples { samples: 2 }));
    }
}
