//! A labelled decision, and its probabilities at a temperature.

/// A decision and its right answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// ln q of each option.
    pub ln: Vec<f64>,
    /// Index of the right option.
    pub answer: usize,
}

impl Example {
    /// The probabilities at a temperature.
    pub(super) fn at(&self, temperature: f64) -> Vec<f64> {
        let max = self.ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> =
            self.ln.iter().map(|x| libm::exp((x - max) / temperature)).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    }

    /// -ln p of the right answer at a temperature, in nats.
    pub(super) fn nll(&self, temperature: f64) -> f64 {
        let max = self.ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = self.ln.iter().map(|x| libm::exp((x - max) / temperature)).sum();
        libm::log(total) - (self.ln[self.answer] - max) / temperature
    }
}
