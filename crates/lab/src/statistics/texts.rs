//! Thermodynamics of whole texts: the particles of several samples to free energy, energy, entropy
//! and heat capacity at one temperature.
//!
//! The energy of a text is its surprisal, E = -ln p(y), and Z(α) = Σ_y p(y)^α with α = 1/T. So
//! F = -T ln Z, ⟨E⟩ = -d ln Z/dα, S = ln Z + α⟨E⟩, C = α²·Var E = dS/d ln T.

use kelvin_engine::texts::SmcQuality;
use serde::Serialize;

/// Figures of the texts at one temperature; energies in nats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextHeat {
    /// F = -T ln Z.
    pub free_energy: Measured,
    /// ⟨E⟩, the mean surprisal of a whole text.
    pub energy: Measured,
    /// S, the entropy of the distribution over whole texts.
    pub entropy: Measured,
    /// C, how much the entropy changes with ln T.
    pub heat_capacity: Measured,
}

/// A figure with its standard error, from the jackknife over samples; `None` with one sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    /// The figure.
    pub value: f64,
    /// Its standard error.
    pub error: Option<f64>,
}

/// The figures at temperature `t` from independent samples, each by its own particles. A sample
/// counts by its estimate of Z, which makes means over samples those of one larger set of
/// particles. `None` without samples.
pub fn text_heat(t: f64, samples: &[SmcQuality]) -> Option<TextHeat> {
    let alpha = 1.0 / t;
    let all = figures(alpha, samples, None)?;
    let n = samples.len();
    let left: Vec<[f64; 4]> =
        (0..n).filter_map(|without| figures(alpha, samples, Some(without))).collect();
    let estimate = |i: usize| {
        let mean = left.iter().map(|one| one[i]).sum::<f64>() / n as f64;
        let squares = left.iter().map(|one| (one[i] - mean) * (one[i] - mean)).sum::<f64>();
        let error = (n > 1).then(|| libm::sqrt(squares * (n as f64 - 1.0) / n as f64));
        Measured { value: all[i], error }
    };
    Some(TextHeat {
        free_energy: estimate(0),
        energy: estimate(1),
        entropy: estimate(2),
        heat_capacity: estimate(3),
    })
}

/// F, ⟨E⟩, S and C, of all samples but one.
fn figures(alpha: f64, samples: &[SmcQuality], without: Option<usize>) -> Option<[f64; 4]> {
    let used = || {
        let each = samples.iter().enumerate().filter(move |(i, _)| Some(*i) != without);
        each.map(|(_, sample)| sample)
    };
    let n = used().count();
    if n == 0 {
        return None;
    }
    let max = used().map(|one| one.ln_z).fold(f64::NEG_INFINITY, f64::max);
    let weight = |one: &SmcQuality| libm::exp(one.ln_z - max);
    let total: f64 = used().map(weight).sum();
    let mean = |f: fn(&SmcQuality) -> f64| -> f64 {
        used().map(|one| weight(one) * f(one)).sum::<f64>() / total
    };
    let ln_z = max + libm::log(total / n as f64);
    let energy = mean(|one| one.energy);
    let variance = (mean(|one| one.energy_squared) - energy * energy).max(0.0);
    // `+ 0.0` turns the -0 of T = 1 into 0.
    Some([-ln_z / alpha + 0.0, energy, ln_z + alpha * energy, alpha * alpha * variance])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(ln_z: f64, energy: f64, energy_squared: f64) -> SmcQuality {
        SmcQuality {
            particles: 2,
            ess: 2.0,
            resamplings: 0,
            ancestors: 2,
            distinct: 2,
            ln_z,
            ln_z_error: None,
            energy,
            energy_squared,
        }
    }

    /// Two texts of probability 0.8 and 0.2, whose sums can be written down.
    #[test]
    fn figures_are_those_of_their_definitions() {
        let (t, e) = (0.5f64, [-(0.8f64.ln()), -(0.2f64.ln())]);
        let z = (-e[0] / t).exp() + (-e[1] / t).exp();
        let p = e.map(|e| (-e / t).exp() / z);
        let mean = p[0] * e[0] + p[1] * e[1];
        let square = p[0] * e[0] * e[0] + p[1] * e[1] * e[1];
        let found = text_heat(t, &[sample(z.ln(), mean, square)]).unwrap();
        let near = |found: Measured, truth: f64| {
            assert!((found.value - truth).abs() < 1e-12 && found.error.is_none(), "{found:?}");
        };
        near(found.free_energy, -t * z.ln());
        near(found.energy, mean);
        near(found.entropy, -p[0] * p[0].ln() - p[1] * p[1].ln());
        near(found.heat_capacity, (square - mean * mean) / (t * t));
        assert_eq!(text_heat(t, &[]), None);
    }

    #[test]
    fn samples_count_by_their_z_and_errors_are_those_of_a_mean() {
        let samples = [sample(1.0, 2.0, 4.0), sample(1.0, 3.0, 9.0), sample(1.0, 4.0, 16.0)];
        let found = text_heat(1.0, &samples).unwrap();
        assert!((found.energy.value - 3.0).abs() < 1e-12);
        // The deviation of 2, 3 and 4 is 1.
        assert!((found.energy.error.unwrap() - 1.0 / 3f64.sqrt()).abs() < 1e-12);
        assert_eq!(found.free_energy.error, Some(0.0));
        let uneven = [sample(3f64.ln(), 2.0, 4.0), sample(0.0, 6.0, 36.0)];
        let found = text_heat(1.0, &uneven).unwrap();
        assert!((found.energy.value - 3.0).abs() < 1e-12);
        assert!((found.free_energy.value + 2f64.ln()).abs() < 1e-12);
    }
}
