//! Searches for the best setting by successive halving (Jamieson & Talwalkar 2016, arXiv
//! 1502.07943).
//!
//! Every round spends the same number of texts, divides it evenly among the remaining settings, and
//! keeps the better half. Every round uses new random numbers, so no setting survives twice by the
//! same luck. The last round, with new random numbers too, only reports: the winner's interval
//! isn't biased by the selection, and settings that can't be distinguished from the winner are
//! named.

mod beside;
mod objective;
mod search;

pub use beside::{Beside, beside};
pub use objective::{Bound, Objective};
pub use search::{
    BoundRow, CANDIDATES, FINALISTS, Found, OBJECTIVE, Played, SAMPLES, Search, SearchError,
    SettingRow, Watcher, with_defaults,
};

use crate::{
    Run,
    metrics::{Values, measure},
    report::Value,
    statistics::{Difference, Estimate, compare},
};

/// A round of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// The number of settings.
    pub settings: usize,
    /// Samples per prompt and setting.
    pub samples: usize,
    /// Whether the round only reports.
    pub is_last: bool,
}

/// The rounds for a number of settings: `samples` per cell in the first round, until at most
/// `finalists` settings remain. The last round only reports, with dice of its own, so a round
/// before it chooses even where all settings stay.
pub fn rounds(settings: usize, samples: usize, finalists: usize) -> Vec<Round> {
    let budget = settings * samples;
    let finalists = finalists.max(1);
    let mut left = settings;
    let mut rounds = Vec::new();
    while left > finalists || left > 1 && rounds.is_empty() {
        rounds.push(Round { settings: left, samples: budget / left, is_last: false });
        left = left.div_ceil(2).max(finalists).min(left);
    }
    rounds.push(Round {
        settings: left,
        samples: (budget / left.max(1)).max(samples),
        is_last: true,
    });
    rounds
}

/// The result of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The index of the chain in the run.
    pub chain: usize,
    /// The mean of the target metric.
    pub value: Option<f64>,
    /// The sum of the violations of all bounds, each relative to its bound; 0 if all hold.
    pub misses: f64,
}

/// Ranks the settings of a run: first those that hold all bounds by their value, then the others by
/// their violation.
pub fn standings(run: &Run, objective: &Objective) -> Vec<Standing> {
    let best = measure(run, objective.metric);
    let bounds: Vec<(Bound, Values)> =
        objective.bounds.iter().map(|bound| (*bound, measure(run, bound.metric))).collect();
    let sign = if objective.most { 1.0 } else { -1.0 };
    let mut found: Vec<Standing> = (0..run.chains.len())
        .map(|chain| Standing {
            chain,
            value: best.chains[chain].mean(),
            misses: bounds
                .iter()
                .map(|(bound, values)| bound.missed_by(values.chains[chain].mean()))
                .sum(),
        })
        .collect();
    let rank = |standing: &Standing| standing.value.map_or(f64::NEG_INFINITY, |value| sign * value);
    found.sort_by(|a, b| {
        a.misses.total_cmp(&b.misses).then(rank(b).total_cmp(&rank(a))).then(a.chain.cmp(&b.chain))
    });
    found
}

/// The last round's result of a finalist.
#[derive(Debug, Clone, PartialEq)]
pub struct Finalist {
    /// The index of the chain in the run.
    pub chain: usize,
    /// The target metric.
    pub value: Option<Value>,
    /// The metric of each bound, in the objective's order.
    pub bounded: Vec<Option<Value>>,
    /// The paired difference from the winner; `None` for the winner.
    pub behind: Option<Difference>,
}

/// The finalists of the last round. The winner is the run's first chain, the runners-up follow.
pub fn finalists(run: &Run, objective: &Objective, seed: u64) -> Vec<Finalist> {
    let best = measure(run, objective.metric);
    let bounds: Vec<Values> =
        objective.bounds.iter().map(|bound| measure(run, bound.metric)).collect();
    let differences = compare(&best.chains, 0, seed);
    let value = |values: &Values, chain: usize| {
        Estimate::of(&values.chains[chain], seed).as_ref().map(Value::of)
    };
    let one = |chain: usize| Finalist {
        chain,
        value: value(&best, chain),
        bounded: bounds.iter().map(|values| value(values, chain)).collect(),
        behind: differences.iter().find(|difference| difference.setting == chain).copied(),
    };
    (0..run.chains.len()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::evidence;

    #[test]
    fn rounds_halve_the_settings_and_spend_the_same() {
        let of = |settings, samples, finalists| {
            let rounds = rounds(settings, samples, finalists);
            rounds.iter().map(|round| (round.settings, round.samples)).collect::<Vec<_>>()
        };
        assert_eq!(of(30, 4, 3), [(30, 4), (15, 8), (8, 15), (4, 30), (3, 40)]);
        assert_eq!(of(2, 4, 3), [(2, 4), (2, 4)]);
        assert_eq!(of(1, 2, 0), [(1, 2)]);
        assert!(rounds(30, 4, 3).iter().all(|round| round.settings * round.samples <= 120));
    }

    #[test]
    fn who_keeps_the_bounds_comes_first() {
        let run = evidence().run;
        // Surprisal is about T: of those up to 1.1, the hottest is the most diverse.
        let order = standings(&run, &"distinct_1, surprisal<=1.25".parse().unwrap());
        assert_eq!(run.chains[order[0].chain].temperature(), Some(1.0));
        assert!(order[0].misses == 0.0 && order.last().unwrap().misses > 0.5);
        let least = standings(&run, &"least surprisal, distinct_1>=0.05".parse().unwrap());
        assert_eq!(run.chains[least[0].chain].temperature(), Some(0.0));
    }

    #[test]
    fn finalists_are_told_apart_or_not() {
        let run = evidence().run;
        let found = finalists(&run, &"least surprisal, length<=100".parse().unwrap(), 1);
        assert!(found[0].behind.is_none() && found[0].bounded[0].unwrap().mean == 12.0);
        assert_eq!(found[3].behind.unwrap().verdict, crate::statistics::Verdict::More);
    }
}
