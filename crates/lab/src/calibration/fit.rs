//! The temperature of the largest likelihood, and its interval.

use serde::{Deserialize, Serialize};

use super::example::Example;

/// The ends of T.
pub const ENDS: (f64, f64) = (0.05, 20.0);
/// The ends of ln T.
const LN_T: (f64, f64) = (-2.995_732_273_553_991, 2.995_732_273_553_991);
/// The fewest examples of a fit.
pub const FEWEST: usize = 50;
/// The quantile of the normal distribution for 95 % between both ends.
const TWO_SIDED: f64 = 1.959_963_984_540_054;
/// How exactly ln T is found.
const TOLERANCE: f64 = 1e-9;

/// A fitted temperature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// T.
    pub temperature: f64,
    /// The ends of its 95 % interval. None where T is at an end of what is searched: the examples
    /// don't bound it then.
    pub interval: Option<(f64, f64)>,
}

/// Why there is no fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Too few examples.
    #[error("there {}, but a temperature needs at least {FEWEST}", counted(*.0))]
    TooFew(usize),
    /// An answer that the model excludes.
    #[error(
        "the model gives the right answer of example {0} the probability 0, which no temperature \
         changes"
    )]
    Impossible(usize),
}

fn counted(n: usize) -> String {
    if n == 1 { "is 1 example".into() } else { format!("are {n} examples") }
}

/// Fits T to examples by the least mean -ln p of the right answers. The mean is convex in 1/T, so
/// it falls and then rises with ln T, and golden-section search finds its least value.
///
/// The interval comes from the robust ("sandwich") error of 1/T, which holds if softmax(ln q / T)
/// isn't the truth for any T as well (White 1982, Econometrica 50), as
/// T · exp(± 1.96 · error of ln T).
///
/// # Errors
/// If there are fewer than [`FEWEST`] examples, or an answer has the probability 0.
pub fn fit(examples: &[Example]) -> Result<Fit, FitError> {
    if examples.len() < FEWEST {
        return Err(FitError::TooFew(examples.len()));
    }
    let is_impossible = |example: &Example| !example.ln[example.answer].is_finite();
    if let Some(at) = examples.iter().position(is_impossible) {
        return Err(FitError::Impossible(at + 1));
    }
    let all: Vec<&Example> = examples.iter().collect();
    let temperature = least(&all);
    Ok(Fit { temperature, interval: interval(examples, temperature) })
}

/// The temperature of the least mean -ln p.
pub(super) fn least(examples: &[&Example]) -> f64 {
    let mean = |ln_t: f64| {
        let t = libm::exp(ln_t);
        examples.iter().map(|example| example.nll(t)).sum::<f64>()
    };
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = LN_T;
    let (mut a, mut b) = (high - golden * (high - low), low + golden * (high - low));
    let (mut of_a, mut of_b) = (mean(a), mean(b));
    while high - low > TOLERANCE {
        if of_a <= of_b {
            (high, b, of_b) = (b, a, of_a);
            a = high - golden * (high - low);
            of_a = mean(a);
        } else {
            (low, a, of_a) = (a, b, of_b);
            b = low + golden * (high - low);
            of_b = mean(b);
        }
    }
    libm::exp((low + high) / 2.0)
}

/// The interval of a fitted temperature.
fn interval(examples: &[Example], temperature: f64) -> Option<(f64, f64)> {
    let ln_t = libm::log(temperature);
    if ln_t < LN_T.0 + 1e-6 || ln_t > LN_T.1 - 1e-6 {
        return None;
    }
    let (mut squares, mut curvature) = (0.0, 0.0);
    for example in examples {
        let p = example.at(temperature);
        // An option of probability 0 has no part in a mean.
        let mean = |of: &dyn Fn(f64) -> f64| -> f64 {
            let pairs = p.iter().zip(&example.ln).filter(|(p, _)| **p > 0.0);
            pairs.map(|(p, ln)| p * of(*ln)).sum()
        };
        let center = mean(&|ln| ln);
        let slope = center - example.ln[example.answer];
        squares += slope * slope;
        curvature += mean(&|ln| (ln - center) * (ln - center));
    }
    // The error of 1/T, and of ln T.
    let error = squares.sqrt() / curvature * temperature;
    let reach = libm::exp(TWO_SIDED * error);
    reach.is_finite().then_some((temperature / reach, temperature * reach))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated;

    #[test]
    fn the_fit_is_the_least_of_all() {
        let examples = simulated::examples(200, 4, 2.0, 1);
        let found = fit(&examples).unwrap();
        let mean = |t: f64| examples.iter().map(|example| example.nll(t)).sum::<f64>();
        for other in [0.9, 0.99, 1.01, 1.1] {
            assert!(mean(found.temperature) < mean(found.temperature * other), "{other}");
        }
        let all: f64 = examples[0].at(3.0).iter().sum();
        assert!((all - 1.0).abs() < 1e-12);
        let p = examples[0].at(3.0)[examples[0].answer];
        assert!((examples[0].nll(3.0) + p.ln()).abs() < 1e-12);
    }

    /// Logits whose right answers are drawn at a known temperature: 1,000 times, for two numbers
    /// of options and three temperatures.
    #[test]
    fn the_interval_holds_the_true_temperature_nineteen_times_in_twenty() {
        let (mut held, mut n) = (0, 0);
        for (k, truth, size) in [(2, 0.7, 200), (2, 3.0, 400), (4, 1.0, 200), (4, 2.5, 400)] {
            for seed in 0..250 {
                let found = fit(&simulated::examples(size, k, truth, seed)).unwrap();
                n += 1;
                let holds = |(low, high): (f64, f64)| low <= truth && truth <= high;
                held += usize::from(found.interval.is_some_and(holds));
            }
        }
        let share = f64::from(held as u32) / f64::from(n);
        // Four standard errors of a share of 95 % of 1,000.
        assert!((share - 0.95).abs() < 0.028, "{share}");
    }

    #[test]
    fn what_cant_be_fitted_is_said() {
        let said = |examples: &[Example]| fit(examples).unwrap_err().to_string();
        assert_eq!(
            said(&simulated::examples(10, 2, 1.0, 1)),
            "there are 10 examples, but a temperature needs at least 50"
        );
        let mut one = simulated::examples(60, 2, 1.0, 1);
        one[6] = Example { ln: vec![0.0, f64::NEG_INFINITY], answer: 1 };
        assert!(said(&one).contains("example 7"));
        // A model that is always right is never certain enough.
        let sure = vec![Example { ln: vec![-0.1, -2.3], answer: 0 }; 60];
        let cold = fit(&sure).unwrap();
        assert!(cold.temperature < 0.050_001 && cold.interval.is_none(), "{cold:?}");
        let wrong = vec![Example { ln: vec![-0.1, -2.3], answer: 1 }; 60];
        let hot = fit(&wrong).unwrap();
        assert!((hot.temperature - 20.0).abs() < 1e-6 && hot.interval.is_none(), "{hot:?}");
        assert!((LN_T.0 - ENDS.0.ln()).abs() < 1e-12 && (LN_T.1 - ENDS.1.ln()).abs() < 1e-12);
    }
}
