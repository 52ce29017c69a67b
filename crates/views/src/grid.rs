//! Curves over temperature: the temperatures at which they are computed, and their points.
//!
//! The axis is s = T/(1+T): 0 at T = 0, a half at T = 1, 1 at T = ∞. So a curve covers all
//! temperatures.

use serde::Serialize;

use super::softmax::View;
use crate::json;

/// Steps of the axis between T = 0 and T = ∞.
const STEPS: u32 = 120;

/// The temperatures, rising from 0 to ∞ with 1 in the middle.
pub fn temperatures() -> impl Iterator<Item = f64> {
    (0..=STEPS).map(|i| f64::from(i) / f64::from(STEPS - i))
}

/// Figures of a distribution at one temperature.
#[derive(Debug, Serialize)]
pub struct Point {
    #[serde(serialize_with = "json::number")]
    temperature: f64,
    entropy: f64,
    effective_choices: f64,
    /// Null at T = 0 and T = ∞.
    free_energy: Option<f64>,
    heat_capacity: Option<f64>,
    gap: f64,
    probabilities: Vec<f64>,
}

impl Point {
    /// The figures of typed logits.
    pub fn of(view: &View) -> Point {
        let probabilities: Vec<f64> =
            view.choices.iter().map(|choice| choice.probability).collect();
        Point {
            temperature: view.temperature,
            entropy: view.entropy_nats,
            effective_choices: view.effective_choices,
            free_energy: view.free_energy,
            heat_capacity: view.heat_capacity,
            gap: gap(&probabilities),
            probabilities,
        }
    }
}

/// Difference of the two largest probabilities; the largest itself if there is only one.
pub fn gap(probabilities: &[f64]) -> f64 {
    let (mut first, mut second) = (0.0f64, 0.0f64);
    for &p in probabilities {
        (first, second) = if p > first { (p, first) } else { (first, second.max(p)) };
    }
    first - second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_goes_from_zero_over_one_to_infinity() {
        let all: Vec<f64> = temperatures().collect();
        assert_eq!(
            (all[0], all[STEPS as usize / 2], all[STEPS as usize]),
            (0.0, 1.0, f64::INFINITY)
        );
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn gaps() {
        assert_eq!(gap(&[0.25, 0.5, 0.25]), 0.25);
        assert_eq!(gap(&[0.5, 0.5]), 0.0);
        assert_eq!(gap(&[1.0]), 1.0);
    }
}
