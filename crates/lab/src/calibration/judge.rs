//! What a temperature is worth: figures before and after, of examples that it wasn't fitted on.

use serde::{Deserialize, Serialize};

use super::{
    example::Example,
    fit::{ENDS, Fit, FitError, fit, least},
};
use crate::statistics::{Dice, Estimate, RESAMPLES, Series, basic_intervals};

/// The parts of the examples: each is judged at the temperature that all others gave.
pub const N_FOLDS: usize = 10;
/// The bins of a reliability diagram, of equally many examples.
pub const N_BINS: usize = 15;
/// An interval whose ends are further apart than this ratio says nothing of T.
const MOST_SPREAD: f64 = 1000.0;

/// A figure with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The figure.
    pub value: f64,
    /// The ends of its interval.
    pub interval: Option<(f64, f64)>,
}

impl Found {
    /// Whether the whole interval lies on one side of the figure, which is its end then.
    fn is_at_end(&self) -> bool {
        self.interval.is_some_and(|(low, high)| low >= self.value || high <= self.value)
    }
}

/// Some of the examples, by how sure the model was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bin {
    /// The number of examples.
    pub n: usize,
    /// The mean probability of what was chosen.
    pub confidence: f64,
    /// How often that was right, 0 to 1.
    pub accuracy: f64,
}

/// How good probabilities are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// The mean -ln p of the right answers, in nats.
    pub nll: Found,
    /// The mean of Σ (p - y)² over the options, 0 to 2 (Brier 1950).
    pub brier: Found,
    /// The expected calibration error: the mean over the bins of |accuracy - confidence|, weighted
    /// by their examples, 0 to 1. It is never negative, so chance alone makes it larger than 0.
    pub ece: Found,
    /// The reliability diagram.
    pub bins: Vec<Bin>,
}

/// A temperature and what it is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The temperature of all examples, which decisions take.
    pub fit: Fit,
    /// The number of examples.
    pub n: usize,
    /// How often the likeliest option was right, 0 to 1. No temperature changes it.
    pub accuracy: Found,
    /// At T = 1.
    pub before: Figures,
    /// At the temperatures that the other folds gave.
    pub after: Figures,
    /// After minus before, of the same examples.
    pub nll_change: Found,
    /// After minus before.
    pub ece_change: Found,
    /// What speaks against using the temperature, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Judged {
    /// Why a calibration error is an end of its own interval, if one is.
    pub fn note(&self) -> Option<&'static str> {
        let errors = [&self.before.ece, &self.after.ece, &self.ece_change];
        errors.into_iter().any(Found::is_at_end).then_some(
            "chance alone raises a calibration error, which its interval takes off: so the figure \
             may be the upper end of its interval",
        )
    }
}

/// Fits a temperature and judges it by cross-fitting. Equal examples and seeds give equal figures.
///
/// Intervals of means are the lab's ([`Estimate`]). The calibration error's are basic bootstrap
/// intervals over examples: its resamples exceed it by about as much as it exceeds the truth, and
/// the basic interval mirrors them (Davison & Hinkley 1997, 5.2).
///
/// # Errors
/// As [`fit`](fit()).
pub fn judge(examples: &[Example], seed: u64) -> Result<Judged, FitError> {
    judge_with(examples, RESAMPLES, seed)
}

/// [`judge`](judge()) with a given number of resamples.
///
/// # Errors
/// As [`fit`](fit()).
pub fn judge_with(examples: &[Example], resamples: usize, seed: u64) -> Result<Judged, FitError> {
    let fit = fit(examples)?;
    let temperatures = cross_fitted(examples, seed);
    let before: Vec<Outcome> = examples.iter().map(|one| Outcome::of(one, 1.0)).collect();
    let after: Vec<Outcome> =
        examples.iter().zip(temperatures).map(|(one, t)| Outcome::of(one, t)).collect();
    let mean = |series: &Series| {
        let found = Estimate::with(series, resamples, seed).expect("there are examples");
        Found { value: found.mean, interval: found.interval }
    };
    let eces = |picks: &[usize]| {
        let (before, after) = (ece(&before, picks), ece(&after, picks));
        [before, after, after - before]
    };
    let all: Vec<usize> = (0..examples.len()).collect();
    let values = eces(&all);
    let ends = [(0.0, 1.0), (0.0, 1.0), (-1.0, 1.0)];
    let intervals = basic_intervals(examples.len(), values, ends, resamples, seed, eces);
    let ece = |at: usize| Found { value: values[at], interval: Some(intervals[at]) };
    let nll = |outcomes: &[Outcome]| series(outcomes, |one| one.nll, f64::INFINITY);
    let figures = |outcomes: &[Outcome], ece: Found| Figures {
        nll: mean(&nll(outcomes)),
        brier: mean(&series(outcomes, |one| one.brier, 2.0)),
        ece,
        bins: bins(outcomes, &all),
    };
    let nll_change = mean(&nll(&after).minus(&nll(&before)));
    Ok(Judged {
        fit,
        warnings: unbounded(&fit).into_iter().chain(no_help(&nll_change, examples.len())).collect(),
        n: examples.len(),
        accuracy: mean(&series(&before, |one| f64::from(u8::from(one.is_right)), 1.0)),
        before: figures(&before, ece(0)),
        after: figures(&after, ece(1)),
        nll_change,
        ece_change: ece(2),
    })
}

/// What is wrong with a temperature that the examples don't bound.
fn unbounded(fit: &Fit) -> Option<String> {
    let t = fit.temperature;
    let (least, most) = ENDS;
    match fit.interval {
        None => Some(format!(
            "T = {t:.3} is at an end of what is searched, {least} to {most}: the examples don't \
             bound it, so another set of them may give any other"
        )),
        Some((low, high)) if high > MOST_SPREAD * low => Some(format!(
            "the 95 % interval of T is {low:.2e} to {high:.2e}: the examples don't determine it"
        )),
        Some((low, high)) if low < least || high > most => Some(format!(
            "the 95 % interval of T, {low:.3} to {high:.3}, reaches beyond what is searched, \
             {least} to {most}: the examples don't bound it"
        )),
        Some(_) => None,
    }
}

/// What is wrong with a temperature that doesn't make the right answers likelier. `change` is that
/// of their mean -ln p, over `n` examples.
fn no_help(change: &Found, n: usize) -> Option<String> {
    let value = change.value;
    match change.interval {
        Some((_, high)) if high < 0.0 => None,
        Some((low, high)) if low > 0.0 => Some(format!(
            "the temperature makes it worse: NLL changes by {value:+.3} nats (95 % interval \
             {low:+.3} to {high:+.3}), so T = 1 is better"
        )),
        Some((low, high)) => Some(format!(
            "it isn't shown that the temperature helps: the 95 % interval of the change of NLL, \
             {low:+.3} to {high:+.3} nats, covers 0, so these {n} examples don't tell it from T = 1"
        )),
        None => Some(format!(
            "it isn't shown that the temperature helps: the change of NLL, {value:+.3} nats, has no \
             interval"
        )),
    }
}

/// For each example the temperature that the examples of the other folds give.
fn cross_fitted(examples: &[Example], seed: u64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut dice = Dice::new(seed);
    for i in (1..order.len()).rev() {
        order.swap(i, dice.pick(i + 1));
    }
    let mut temperatures = vec![1.0; examples.len()];
    for fold in 0..N_FOLDS {
        let of_fold = |place: usize| place % N_FOLDS == fold;
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            (0..order.len()).partition(|&place| of_fold(place));
        let others: Vec<&Example> =
            outside.into_iter().map(|place| &examples[order[place]]).collect();
        let t = least(&others);
        inside.into_iter().for_each(|place| temperatures[order[place]] = t);
    }
    temperatures
}

/// An example at a temperature.
struct Outcome {
    nll: f64,
    brier: f64,
    confidence: f64,
    is_right: bool,
}

impl Outcome {
    fn of(example: &Example, temperature: f64) -> Outcome {
        let p = example.at(temperature);
        // The first of equals.
        let chosen = (0..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best });
        let square = |(k, p): (usize, &f64)| {
            let miss = p - f64::from(u8::from(k == example.answer));
            miss * miss
        };
        Outcome {
            nll: example.nll(temperature),
            brier: p.iter().enumerate().map(square).sum(),
            confidence: p[chosen],
            is_right: chosen == example.answer,
        }
    }
}

/// A value of each example; each example stands for itself.
fn series(outcomes: &[Outcome], value: impl Fn(&Outcome) -> f64, most: f64) -> Series {
    Series::new(outcomes.iter().map(|one| vec![Some(value(one))]).collect()).within(0.0, most)
}

/// The bins of some outcomes, the least sure first.
fn bins(outcomes: &[Outcome], picks: &[usize]) -> Vec<Bin> {
    let mut sorted: Vec<&Outcome> = picks.iter().map(|&at| &outcomes[at]).collect();
    sorted.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let n = sorted.len();
    let bin = |i: usize| {
        let of = &sorted[i * n / N_BINS..(i + 1) * n / N_BINS];
        let size = of.len() as f64;
        Bin {
            n: of.len(),
            confidence: of.iter().map(|one| one.confidence).sum::<f64>() / size,
            accuracy: of.iter().filter(|one| one.is_right).count() as f64 / size,
        }
    };
    (0..N_BINS).map(bin).filter(|bin| bin.n > 0).collect()
}

/// The expected calibration error of some outcomes.
fn ece(outcomes: &[Outcome], picks: &[usize]) -> f64 {
    let miss = |bin: &Bin| bin.n as f64 * (bin.accuracy - bin.confidence).abs();
    bins(outcomes, picks).iter().map(miss).sum::<f64>() / picks.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated;

    #[test]
    fn overconfident_probabilities_become_calibrated() {
        let examples = simulated::examples(600, 4, 3.0, 5);
        let judged = judge_with(&examples, 999, 1).unwrap();
        // How often the interval holds the truth is tested where it is fitted.
        assert!((2.0..4.5).contains(&judged.fit.temperature), "{:?}", judged.fit);
        assert!(judged.nll_change.interval.unwrap().1 < 0.0);
        assert!(judged.ece_change.interval.unwrap().1 < 0.0);
        assert!(judged.after.ece.interval.unwrap().0 < 0.02, "{:?}", judged.after.ece);
        assert!(judged.before.ece.interval.unwrap().0 > 0.05, "{:?}", judged.before.ece);
        assert!(judged.after.brier.value < judged.before.brier.value);
        assert_eq!(judged.before.bins.iter().map(|bin| bin.n).sum::<usize>(), 600);
        assert_eq!(judged.before.bins.len(), N_BINS);
        // No temperature changes what is chosen.
        let right = |bins: &[Bin]| bins.iter().map(|bin| bin.n as f64 * bin.accuracy).sum::<f64>();
        let (before, after) = (right(&judged.before.bins), right(&judged.after.bins));
        assert!((before - after).abs() < 1e-9);
        assert!((judged.accuracy.value - before / 600.0).abs() < 1e-12);
        assert_eq!(judged, judge_with(&examples, 999, 1).unwrap());
        assert_eq!(judged.warnings, [""; 0]);
    }

    /// A temperature that doesn't help, makes it worse or has no bounds is said to.
    #[test]
    fn what_speaks_against_a_temperature_is_said() {
        let change = |value: f64, ends| Found { value, interval: ends };
        assert_eq!(no_help(&change(-0.2, Some((-0.3, -0.1))), 60), None);
        for (change, words) in [
            (
                change(-0.001, Some((-0.02, 0.01))),
                "-0.020 to +0.010 nats, covers 0, so these 60 examples don't tell it from T = 1",
            ),
            (change(0.2, Some((0.1, 0.3))), "makes it worse: NLL changes by +0.200 nats"),
            (change(0.0, None), "has no interval"),
        ] {
            let said = no_help(&change, 60).unwrap();
            assert!(said.contains(words), "{said}");
        }
        // Always right at equal odds: the colder, the better.
        let sure = vec![Example { ln: vec![-0.1, -2.3], answer: 0 }; 60];
        let judged = judge_with(&sure, 99, 1).unwrap();
        assert!(judged.warnings[0].contains("at an end of what is searched, 0.05 to 20:"));
        let fit = |interval| Fit { temperature: 1.0, interval };
        assert!(unbounded(&fit(Some((0.01, 100.0)))).unwrap().contains("1.00e-2 to 1.00e2"));
        assert_eq!(unbounded(&fit(Some((0.5, 2.0)))), None);
        for beyond in [(0.041, 0.07), (15.0, 21.0)] {
            let said = unbounded(&fit(Some(beyond))).unwrap();
            assert!(said.contains("beyond what is searched, 0.05 to 20: "), "{said}");
        }
    }

    #[test]
    fn calibrated_probabilities_are_left_as_they_are() {
        let judged = judge_with(&simulated::examples(600, 3, 1.0, 9), 999, 1).unwrap();
        assert!((judged.fit.temperature - 1.0).abs() < 0.25, "{:?}", judged.fit);
        let (low, high) = judged.nll_change.interval.unwrap();
        assert!(low < 0.01 && high > -0.01, "{:?}", judged.nll_change);
        assert!(high < 0.0 || judged.warnings.len() == 1, "{:?}", judged.warnings);
        assert!(judge_with(&simulated::examples(49, 3, 1.0, 9), 9, 1).is_err());
    }

    /// Calibrated examples: what is left of the error is chance, so its interval lies below it.
    #[test]
    fn an_error_that_is_an_end_of_its_interval_is_explained() {
        let judged = judge_with(&simulated::examples(100, 3, 1.0, 9), 999, 1).unwrap();
        let (value, (low, high)) = (judged.before.ece.value, judged.before.ece.interval.unwrap());
        assert!(low < value && high == value, "{:?}", judged.before.ece);
        assert!(judged.note().unwrap().starts_with("chance alone"));
        let inside = Found { value: 0.1, interval: Some((0.05, 0.2)) };
        let clear = Judged {
            before: Figures { ece: inside, ..judged.before.clone() },
            after: Figures { ece: inside, ..judged.after.clone() },
            ece_change: inside,
            ..judged
        };
        assert_eq!(clear.note(), None);
    }

    /// Each example's temperature comes from the other folds: its own label has no part in it.
    #[test]
    fn an_examples_own_answer_has_no_part_in_its_temperature() {
        let examples = simulated::examples(60, 2, 2.0, 3);
        let before = cross_fitted(&examples, 4);
        for at in [0, 17, 59] {
            let mut other = examples.clone();
            other[at].answer = 1 - other[at].answer;
            let after = cross_fitted(&other, 4);
            assert_eq!(before[at].to_bits(), after[at].to_bits());
            assert_ne!(before, after);
        }
    }
}
