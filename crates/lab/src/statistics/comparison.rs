//! Compares settings with a base setting: paired differences, intervals, p-values corrected by
//! Holm.

use serde::Serialize;

use super::{Estimate, Series, holm};
use crate::Run;

/// The significance level.
const ALPHA: f64 = 0.05;

/// The difference between a setting and the base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The setting.
    pub setting: usize,
    /// The mean of the paired differences, setting minus base, with its 95 % interval.
    pub estimate: Estimate,
    /// The p-value after Holm's correction over all comparisons; `None` without an interval.
    pub p_holm: Option<f64>,
    /// The conclusion.
    pub verdict: Verdict,
}

/// The conclusion about a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Larger than the base.
    More,
    /// Smaller than the base.
    Less,
    /// The difference may be chance.
    NotShown,
    /// The spread can't be estimated.
    Unknown,
}

impl Verdict {
    /// The conclusion in words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::More => "more",
            Verdict::Less => "less",
            Verdict::NotShown => "not shown",
            Verdict::Unknown => "no interval",
        }
    }
}

/// Compares each setting with `base`, pair by pair. Settings without a pair of values are left out.
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

/// Corrects the p-values in `p_holm` together and draws the conclusions.
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

/// The budget of a setting, and what it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// The number of prompts.
    pub prompts: usize,
    /// The number of texts.
    pub samples: usize,
    /// The maximum number of tokens of a text.
    pub max_tokens: usize,
    /// The number of tokens drawn.
    pub tokens: usize,
}

impl Budget {
    /// The budget of one chain of a run.
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

    /// Whether both settings had equal budgets.
    pub fn equals(&self, other: &Budget) -> bool {
        (self.prompts, self.samples, self.max_tokens)
            == (other.prompts, other.samples, other.max_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(offset: f64) -> Series {
        // Equal random numbers: the differences between prompts and samples are shared.
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
