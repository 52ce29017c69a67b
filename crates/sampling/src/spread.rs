//! Arithmetic sampling: n samples at evenly spaced points of one interval, which each draw narrows.
//!
//! A text is a point in [0, 1): its first token is the one whose part of the cumulative weights has
//! the point, and where the point lies in that part is the point of the next token. Samples differ
//! in the point they start from. Source: arXiv 2210.15458.
//!
//! A point is a word of 64 bits, u = word/2^64, of which each draw uses -log2 p. What was used is
//! replaced by fresh random bits below the rest, so a text may be as long as any.

use crate::dice::{Dice, Stream};

/// The bits that replace used ones.
const FRESH: [u8; 8] = *b"spread\0\0";

/// The point of one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spread {
    dice: Dice,
    n: u64,
    /// The number of draws so far, and the point that they left.
    n_drawn: u64,
    left: u64,
}

/// A token's part of the cumulative weights of a step, in descending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    /// The weight of all tokens before it.
    pub(crate) before: u64,
    /// Its own, above 0.
    pub(crate) weight: u64,
    /// That of all tokens.
    pub(crate) total: u64,
}

impl Spread {
    pub(crate) fn new(dice: Dice, n: u64) -> Spread {
        Spread { dice, n: n.max(1), n_drawn: 0, left: 0 }
    }

    /// The word of the next draw.
    pub(crate) fn word(&self, pos: u64) -> u64 {
        if self.n_drawn > 0 {
            return self.left;
        }
        let shared = Dice { sample: 0, ..self.dice }.word(pos);
        let own = (u128::from(self.dice.sample % self.n) << 64) / u128::from(self.n);
        shared.wrapping_add(own as u64)
    }

    /// Goes on within the interval that `word` drew.
    pub(crate) fn enter(&mut self, word: u64, interval: Interval) {
        let Interval { before, weight, total } = interval;
        let fresh = self.dice.words_in(Stream::new(FRESH, 0), self.n_drawn).draw;
        // The word stands for an interval of 2^-64, in which the fresh bits are a point. All in
        // units of total·2^-64.
        let point = u128::from(word) * u128::from(total);
        let inside = point.saturating_sub(u128::from(before) << 64);
        let point = inside + ((u128::from(fresh) * u128::from(total)) >> 64);
        self.left = u64::try_from(point / u128::from(weight)).unwrap_or(u64::MAX);
        self.n_drawn += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{Chain, Dice, Distribution, Sampler, TokenId};

    /// Logits of 6 tokens that depend on the text.
    fn logits(text: &[TokenId]) -> Vec<f32> {
        let next =
            |hash: u32, token: &TokenId| hash.wrapping_mul(31).wrapping_add(token.0 * 17 + 3);
        let hash = text.iter().fold(7u32, next);
        (0..6u32).map(|i| ((hash.wrapping_mul(2 * i + 3) >> 3) % 64) as f32 / 16.0).collect()
    }

    fn text(seed: u64, sample: u64, n: Option<u64>, len: u64) -> Vec<TokenId> {
        let mut sampler = Sampler::new(Chain::default(), Dice { seed, sample });
        if let Some(n) = n {
            sampler = sampler.spreading(n);
        }
        let mut text = Vec::new();
        for pos in 0..len {
            let token = sampler.draw(&logits(&text), pos + 5).unwrap().token;
            text.push(token);
        }
        text
    }

    fn probability(text: &[TokenId]) -> f64 {
        let p = |i: usize| {
            let all = Distribution::new(&logits(&text[..i]), &Chain::default()).unwrap();
            all.probability(text[i])
        };
        (0..text.len()).map(p).product()
    }

    /// Of every beginning there are n·p samples, rounded up or down.
    #[test]
    fn beginnings_are_as_frequent_as_they_are_likely() {
        for n in [1, 2, 7, 64, 1000] {
            let texts: Vec<_> = (0..n).map(|sample| text(3, sample, Some(n), 4)).collect();
            for len in 1..=4 {
                let mut counts: BTreeMap<&[TokenId], f64> = BTreeMap::new();
                texts.iter().for_each(|text| *counts.entry(&text[..len]).or_default() += 1.0);
                for (beginning, count) in counts {
                    let expected = n as f64 * probability(beginning);
                    assert!((count - expected).abs() < 1.0, "{beginning:?}: {count}, {expected}");
                }
            }
        }
    }

    /// Each sample alone has the model's distribution, long after 64 bits are used.
    #[test]
    fn each_sample_draws_as_it_does_otherwise() {
        let n = 40_000;
        for (sample, of) in [(0, 4), (3, 4)] {
            let mut counts: BTreeMap<TokenId, f64> = BTreeMap::new();
            let mut expected: BTreeMap<TokenId, f64> = BTreeMap::new();
            for seed in 0..n / 40 {
                let text = text(seed, sample, Some(of), 80);
                for i in 40..80 {
                    *counts.entry(text[i]).or_default() += 1.0;
                    let all = Distribution::new(&logits(&text[..i]), &Chain::default()).unwrap();
                    for token in (0..6).map(TokenId) {
                        *expected.entry(token).or_default() += all.probability(token);
                    }
                }
            }
            for (token, expected) in expected {
                let far = (counts[&token] - expected) / expected.sqrt();
                assert!(far.abs() < 4.5, "sample {sample}, {token:?}: {far}");
            }
        }
    }

    /// Texts that part stay apart, and equal seeds give equal texts.
    #[test]
    fn samples_repeat_each_other_less() {
        let mean = |n: Option<u64>| {
            let all = (0..200).map(|seed| {
                let mut texts: Vec<_> = (0..16).map(|sample| text(seed, sample, n, 3)).collect();
                texts.sort();
                texts.dedup();
                texts.len()
            });
            all.sum::<usize>() as f64 / 200.0
        };
        assert!(mean(Some(16)) > mean(None) + 0.5, "{} {}", mean(Some(16)), mean(None));
        assert_eq!(text(9, 3, Some(16), 90), text(9, 3, Some(16), 90));
        assert_eq!(text(1, 0, Some(1), 1), text(1, 0, None, 1));
    }
}
