//! The values of many settings in, which of them differ from one of them out.

use serde::Serialize;

use super::{Estimate, Series, holm};
use crate::Run;

/// Chances of a false alarm that a reader is asked to live with.
const ALPHA: f64 = 0.05;

/// How one setting differs from the one it's compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// This setting.
    pub setting: usize,
    /// The mean of the pairs' differences, this one minus the other, with its own 95 % interval.
    pub estimate: Estimate,
    /// p after Holm's correction over all differences of the comparison; none without an interval.
    pub p_holm: Option<f64>,
    /// What may be said.
    pub verdict: Verdict,
}

/// What may be said of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Larger than the setting it's compared with.
    More,
    /// Smaller.
    Less,
    /// It may be chance.
    NotShown,
    /// There is nothing to tell its spread from.
    Unknown,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::More => "more",
            Verdict::Less => "less",
            Verdict::NotShown => "not shown",
            Verdict::Unknown => "no interval",
        }
    }
}

/// Each setting but `base` against it, pair by pair. Settings without a pair of values are left
/// out.
pub fn compare(settings: &[Series], base: usize, seed: u64) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    for (setting, series) in settings.iter().enumerate().filter(|&(setting, _)| setting != base) {
        if let Some(estimate) = Estimate::of(&series.minus(&settings[base]), seed) {
            found.push(Difference {
                setting,
                estimate,
                p_holm: estimate.p,
                verdict: Verdict::Unknown,
            });
        }
    }
    settle(found.iter_mut().collect());
    found
}

/// Corrects the p-values that stand in `p_holm`, all of them together, and says what may be said.
pub(super) fn settle(mut found: Vec<&mut Difference>) {
    found.retain(|difference| difference.p_holm.is_some());
    let p: Vec<f64> = found.iter().filter_map(|difference| difference.p_holm).collect();
    for (difference, p) in found.into_iter().zip(holm(&p)) {
        difference.p_holm = Some(p);
        difference.verdict = match difference.estimate.mean {
            _ if p > ALPHA => Verdict::NotShown,
            mean if mean > 0.0 => Verdict::More,
            _ => Verdict::Less,
        };
    }
}

/// What a setting was allowed and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Prompts it continued.
    pub prompts: usize,
    /// Texts of all of them.
    pub samples: usize,
    /// Tokens that a text could have.
    pub max_tokens: usize,
    /// Tokens that were drawn.
    pub tokens: usize,
}

impl Budget {
    /// Of one chain of a run.
    pub fn of(run: &Run, chain: usize) -> Budget {
        let cells = (0..run.prompts.len()).map(|prompt| run.cell(prompt, chain));
        let mut budget = Budget { prompts: 0, samples: 0, max_tokens: run.max_tokens, tokens: 0 };
        for cell in cells {
            budget.prompts += usize::from(!cell.is_empty());
            budget.samples += cell.len();
            budget.tokens += cell.iter().map(|sample| sample.tokens.len()).sum::<usize>();
        }
        budget
    }

    /// Whether both were allowed the same.
    pub fn equals(&self, other: &Budget) -> bool {
        (self.prompts, self.samples, self.max_tokens)
            == (other.prompts, other.samples, other.max_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(offset: f64) -> Series {
        // The same dice: what differs from prompt to prompt and sample to sample is shared.
        let value = |p: u32, s: u32| {
            Some(f64::from(p * 7 % 5 + s * 3 % 4) + offset * f64::from(4 + p % 3 + s % 2))
        };
        Series::new((0..6).map(|p| (0..4).map(|s| value(p, s)).collect()).collect())
    }

    #[test]
    fn pairs_show_what_spread_would_hide() {
        let settings = [series(0.0), series(0.01), series(-0.5), series(0.0)];
        let found = compare(&settings, 0, 5);
        let verdicts: Vec<Verdict> = found.iter().map(|difference| difference.verdict).collect();
        assert_eq!(verdicts, [Verdict::More, Verdict::Less, Verdict::NotShown]);
        assert_eq!(found[2].estimate.p, Some(1.0));
        assert!(found.iter().all(|difference| difference.p_holm >= difference.estimate.p));
        assert_eq!(compare(&settings, 2, 5).len(), 3);
    }

    #[test]
    fn without_pairs_nothing_is_said() {
        let none = Series::new(vec![vec![None, None]]);
        let one = Series::new(vec![vec![Some(1.0), None]]);
        assert!(compare(&[none.clone(), one.clone()], 0, 1).is_empty());
        assert_eq!(compare(&[one.clone(), one], 0, 1)[0].verdict, Verdict::Unknown);
    }
}
