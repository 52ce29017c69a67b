//! Compares softmax with other functions in place of e^x, by the four criteria of the article.
//!
//! The criteria: there are as many probabilities as logits, none is negative, a larger logit never
//! has a smaller probability, and they sum to 1.

use serde::Serialize;

/// Rounding error that a sum of 1 may have.
const ROUNDING: f64 = 1e-9;

/// Functions in place of e^x.
const CANDIDATES: [Candidate; 5] = [
    Candidate {
        name: "exp",
        formula: "e^x",
        of: f64::exp,
        breaks: None,
        remark: "holds for any logits",
    },
    Candidate {
        name: "two",
        formula: "2^x",
        of: f64::exp2,
        breaks: None,
        remark: "holds for any logits: 2^(x/T) is e^(x/T') at T' = T / ln 2, the same family with \
            another unit of temperature",
    },
    Candidate {
        name: "square",
        formula: "x²",
        of: |x| x * x,
        breaks: Some(&[-2.0, 1.0]),
        remark: "a large negative logit gets more than a small positive one, T cancels out, and \
            all zeros have no sum",
    },
    Candidate {
        name: "magnitude",
        formula: "|x|",
        of: f64::abs,
        breaks: Some(&[-2.0, 1.0]),
        remark: "a large negative logit gets more than a small positive one, T cancels out, and \
            all zeros have no sum",
    },
    Candidate {
        name: "plain",
        formula: "x",
        of: |x| x,
        breaks: Some(&[-1.0, 2.0]),
        remark: "a negative logit gets a negative share, T cancels out, and logits that sum to 0 \
            have no share at all",
    },
];

struct Candidate {
    name: &'static str,
    formula: &'static str,
    of: fn(f64) -> f64,
    /// Logits for which the function breaks a criterion, if there are any.
    breaks: Option<&'static [f64]>,
    remark: &'static str,
}

/// Probabilities of a function, and which criteria they meet.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// The function's name.
    pub name: &'static str,
    /// What it computes, e.g. `e^x`.
    pub(crate) formula: &'static str,
    /// f(x/T) divided by the sum over all logits; null if that isn't a number.
    pub probabilities: Vec<Option<f64>>,
    /// Whether each criterion holds: one probability per logit; none negative; in the order of the
    /// logits; a sum of 1.
    pub holds: [bool; 4],
    /// The result for logits that break a criterion, if there are any.
    pub example: Option<Example>,
    /// One sentence: where the function fails, or why it doesn't.
    pub remark: &'static str,
}

/// Logits that break a criterion at every temperature.
#[derive(Debug, Serialize)]
pub struct Example {
    logits: &'static [f64],
    probabilities: Vec<Option<f64>>,
    holds: [bool; 4],
}

/// The results of all functions for `logits` at a finite temperature above 0. Logits of -inf are
/// masked and not counted.
pub fn verdicts(logits: &[f64], temperature: f64) -> Vec<Verdict> {
    let verdict = |candidate: &Candidate| {
        let probabilities = normalized(logits, temperature, candidate.of);
        let example = candidate.breaks.map(|logits| {
            let probabilities = normalized(logits, 1.0, candidate.of);
            Example { logits, holds: holds(logits, &probabilities), probabilities }
        });
        Verdict {
            name: candidate.name,
            formula: candidate.formula,
            holds: holds(logits, &probabilities),
            probabilities,
            example,
            remark: candidate.remark,
        }
    };
    CANDIDATES.iter().map(verdict).collect()
}

fn normalized(logits: &[f64], temperature: f64, of: fn(f64) -> f64) -> Vec<Option<f64>> {
    // Only e^x and 2^x overflow f64. Subtracting a constant from all logits doesn't change their
    // probabilities.
    let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shift = if of(-1.0) * of(1.0) == 1.0 && of(-1.0) < 1.0 { max } else { 0.0 };
    let value = |x: f64| if x == f64::NEG_INFINITY { 0.0 } else { of((x - shift) / temperature) };
    let sum: f64 = logits.iter().map(|&x| value(x)).sum();
    logits.iter().map(|&x| Some(value(x) / sum).filter(|p| p.is_finite())).collect()
}

fn holds(logits: &[f64], probabilities: &[Option<f64>]) -> [bool; 4] {
    let known: Vec<f64> = probabilities.iter().flatten().copied().collect();
    let pairs = || logits.iter().zip(probabilities);
    let in_order =
        pairs().all(|(x, p)| pairs().all(|(y, q)| x <= y || p.unwrap_or(0.0) >= q.unwrap_or(0.0)));
    [
        known.len() == logits.len(),
        known.iter().all(|p| *p >= 0.0),
        in_order,
        (known.iter().sum::<f64>() - 1.0).abs() < ROUNDING,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_powers_hold_for_any_logits() {
        for logits in [
            &[1.0, 2.0][..],
            &[-2.0, 1.0],
            &[0.0, 0.0],
            &[-3.0, 0.5, f64::NEG_INFINITY],
            &[900.0, -900.0],
        ] {
            for t in [0.01, 1.0, 50.0] {
                for verdict in &verdicts(logits, t)[..2] {
                    assert_eq!(verdict.holds, [true; 4], "{} of {logits:?} at {t}", verdict.name);
                }
            }
        }
        for verdict in &verdicts(&[1.0, 2.0], 1.0)[2..] {
            assert_eq!(verdict.holds, [true; 4], "positive logits hide what is wrong");
            let (is_plain, found) = (verdict.name == "plain", verdict.example.as_ref().unwrap());
            assert_eq!(found.holds, [true, !is_plain, is_plain, true], "{}", verdict.name);
        }
        for verdict in &verdicts(&[0.0, 0.0], 1.0)[2..] {
            assert_eq!(verdict.holds, [false, true, true, false], "0/0");
        }
    }

    #[test]
    fn a_power_of_two_is_a_power_of_e_at_another_temperature() {
        let logits = [0.1, 0.0, 0.5, 1.0, 4.0, 0.6];
        let two = &verdicts(&logits, 1.5)[1];
        let exp = &verdicts(&logits, 1.5 / std::f64::consts::LN_2)[0];
        for (a, b) in two.probabilities.iter().zip(&exp.probabilities) {
            assert!((a.unwrap() - b.unwrap()).abs() < 1e-15);
        }
    }

    #[test]
    fn the_probabilities_are_softmax() {
        let logits = [1.0, 2.0];
        let found = &verdicts(&logits, 2.0)[0].probabilities;
        let truth = kelvin_sampling::softmax(&logits, 2.0).unwrap();
        assert!(found.iter().zip(truth).all(|(p, q)| (p.unwrap() - q).abs() < 1e-15), "{found:?}");
    }
}
