//! Probabilities of options: one reading of the logits, several readings together, and a
//! temperature.

use kelvin_sampling::SampleError;

use super::question::QuestionError;
use crate::{TokenId, batch::score, sums::ln_sum};

/// The probabilities of options by one row of logits.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// ln p of each option, renormalised over the options.
    pub ln: Vec<f64>,
    /// The probability of all tokens that aren't labels, 0 to 1.
    pub outside: f64,
}

impl Reading {
    /// The reading of a row of logits (vocab_size raw numbers), with the tokens of each option's
    /// label.
    ///
    /// # Errors
    /// If the logits have no distribution, or no label has any probability.
    pub fn of(logits: &[f32], labels: &[&[TokenId]]) -> Result<Reading, QuestionError> {
        let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
        let best = best.ok_or(SampleError::Empty)?;
        // ln p of any token is its logit plus a constant.
        let shift = score(logits, TokenId(best as u32), 0)?.logprob - f64::from(logits[best]);
        let of = |tokens: &&[TokenId]| {
            let ln = tokens.iter().filter_map(|token| logits.get(token.index()));
            ln_sum(&ln.map(|&x| f64::from(x) + shift).collect::<Vec<f64>>())
        };
        let ln: Vec<f64> = labels.iter().map(of).collect();
        let inside = ln_sum(&ln);
        if inside == f64::NEG_INFINITY {
            return Err(QuestionError::NoMass);
        }
        let outside = (1.0 - libm::exp(inside)).clamp(0.0, 1.0);
        Ok(Reading { ln: ln.iter().map(|x| x - inside).collect(), outside })
    }

    /// The probabilities at a temperature above 0: softmax(ln p / T), which sums to 1.
    pub fn at(&self, temperature: f64) -> Vec<f64> {
        at(&self.ln, temperature)
    }
}

/// The probabilities of options by one or several readings.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// ln q of each option: the mean over the readings, renormalised.
    pub ln: Vec<f64>,
    /// The mean over the readings of the mass outside of the labels, 0 to 1.
    pub outside: f64,
    /// How far an option's probability goes from one reading to another at most, 0 to 1.
    pub spread: f64,
    /// The readings, one for each rotation.
    pub readings: Vec<Reading>,
}

impl Decision {
    /// The geometric mean of readings, at least one, renormalised.
    ///
    /// # Errors
    /// If each option has the probability 0 in one of the readings.
    pub fn of(readings: Vec<Reading>) -> Result<Decision, QuestionError> {
        let n = readings.len() as f64;
        let n_options = readings.first().map_or(0, |reading| reading.ln.len());
        let column = |k: usize| readings.iter().map(move |reading| reading.ln[k]);
        let sums: Vec<f64> = (0..n_options).map(|k| column(k).sum::<f64>() / n).collect();
        let total = ln_sum(&sums);
        if total == f64::NEG_INFINITY {
            return Err(QuestionError::NoMass);
        }
        let spread = |k: usize| {
            let of = column(k).map(libm::exp);
            let ends = |(low, high): (f64, f64), p: f64| (low.min(p), high.max(p));
            let (low, high) = of.fold((1.0, 0.0), ends);
            high - low
        };
        Ok(Decision {
            ln: sums.iter().map(|x| x - total).collect(),
            outside: readings.iter().map(|reading| reading.outside).sum::<f64>() / n,
            spread: (0..n_options).map(spread).fold(0.0, f64::max),
            readings,
        })
    }

    /// The probabilities at a temperature above 0: softmax(ln q / T), which sums to 1.
    pub fn at(&self, temperature: f64) -> Vec<f64> {
        at(&self.ln, temperature)
    }
}

/// softmax(ln q / T) of ln q.
fn at(ln: &[f64], temperature: f64) -> Vec<f64> {
    let heated: Vec<f64> = ln.iter().map(|x| x / temperature).collect();
    let total = ln_sum(&heated);
    heated.iter().map(|x| libm::exp(x - total)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids<const N: usize>(ids: [u32; N]) -> [TokenId; N] {
        ids.map(TokenId)
    }

    #[test]
    fn a_reading_is_the_softmax_over_the_labels() {
        // Weights 1, 2, 3, 4: labels are token 0 and tokens 1 and 3, and token 2 is outside.
        let logits = [1.0f32, 2.0, 3.0, 4.0].map(f32::ln);
        let read = Reading::of(&logits, &[&ids([0]), &ids([1, 3])]).unwrap();
        let p: Vec<f64> = read.ln.iter().map(|x| x.exp()).collect();
        assert!((p[0] - 1.0 / 7.0).abs() < 1e-7 && (p[1] - 6.0 / 7.0).abs() < 1e-7, "{p:?}");
        assert!((read.outside - 0.3).abs() < 1e-7, "{}", read.outside);
        // Labels far below the likeliest token keep their ratio.
        let far = [0.0, -3000.0, -3001.0];
        let read = Reading::of(&far, &[&ids([1]), &ids([2])]).unwrap();
        assert!((read.ln[0] - read.ln[1] - 1.0).abs() < 1e-9 && read.outside == 1.0);
    }

    #[test]
    fn logits_without_a_distribution_are_refused() {
        let labels = [&ids([0])[..], &ids([1])];
        assert!(matches!(Reading::of(&[f32::NAN, 0.0], &labels), Err(QuestionError::Logits(_))));
        assert!(matches!(Reading::of(&[], &labels), Err(QuestionError::Logits(_))));
        let masked = [f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0];
        assert_eq!(Reading::of(&masked, &labels), Err(QuestionError::NoMass));
    }

    #[test]
    fn rotations_meet_in_the_geometric_mean() {
        let reading = |p: [f64; 2], outside| Reading { ln: p.map(f64::ln).to_vec(), outside };
        let both = Decision::of(vec![reading([0.8, 0.2], 0.1), reading([0.5, 0.5], 0.3)]).unwrap();
        // sqrt(0.4) : sqrt(0.1) = 2 : 1.
        let p = both.at(1.0);
        assert!((p[0] - 2.0 / 3.0).abs() < 1e-12 && (p[0] + p[1] - 1.0).abs() < 1e-12, "{p:?}");
        assert!((both.outside - 0.2).abs() < 1e-12 && (both.spread - 0.3).abs() < 1e-12);
        // At T = 1/2 the ratio is squared, and hot temperatures make options equal.
        assert!((both.at(0.5)[0] - 0.8).abs() < 1e-12);
        assert!((both.at(1e9)[0] - 0.5).abs() < 1e-9);
        let alone = Decision::of(vec![reading([0.9, 0.1], 0.0)]).unwrap();
        assert_eq!((alone.spread, alone.readings.len()), (0.0, 1));
        let never = [reading([1.0, 0.0], 0.0), reading([0.0, 1.0], 0.0)];
        assert_eq!(Decision::of(never.to_vec()), Err(QuestionError::NoMass));
    }
}
