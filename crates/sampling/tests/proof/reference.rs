//! The reference sampler: a full sort, one weight after the other, u128 for everything. Written for reading.

use kelvin_sampling::{Chain, Stage, weight};

/// What a chain leaves, in descending order.
pub(crate) struct Reference {
    pub(crate) survivors: Vec<(u32, f32)>,
    pub(crate) beta: f32,
}

/// The weight of each survivor, in order.
pub(crate) fn weights(survivors: &[(u32, f32)], beta: f32) -> Vec<u128> {
    let max = survivors[0].1;
    survivors.iter().map(|&(_, x)| u128::from(weight((x - max) * beta))).collect()
}

/// Applies a chain to logits without bad numbers, of which at least one isn't masked.
pub(crate) fn survive(logits: &[f32], chain: &Chain) -> Reference {
    let unmasked = logits.iter().enumerate().filter(|(_, x)| **x != f32::NEG_INFINITY);
    let mut left: Vec<(u32, f32)> = unmasked.map(|(i, &x)| (i as u32, x)).collect();
    // The sort is stable: ties stay in the order of ids.
    left.sort_by(|a, b| b.1.partial_cmp(&a.1).unwrap());
    let mut temperature = 1f64;
    let mut beta = 1f32;
    for stage in chain.stages() {
        match stage {
            Stage::Temp(t) if t.get() == 0.0 => left.truncate(1),
            Stage::Temp(t) => {
                temperature = (temperature * f64::from(t.get())).clamp(f64::MIN_POSITIVE, f64::MAX);
                beta = ((1.0 / temperature) as f32).clamp(f32::from_bits(1), f32::MAX);
            }
            Stage::TopK(k) if k.get() == 0 => {}
            Stage::TopK(k) => left.truncate(k.get() as usize),
            Stage::TopP(p) if p.get() == 1.0 => {}
            Stage::TopP(p) => {
                let weights = weights(&left, beta);
                let total: u128 = weights.iter().sum();
                let needed = (p.get() * total as u64 as f64).ceil() as u128;
                let mut before = 0;
                let mut keep = 0;
                while keep < left.len() && before < needed {
                    before += weights[keep];
                    keep += 1;
                }
                left.truncate(keep);
            }
            Stage::MinP(m) if m.get() == 0.0 => {}
            Stage::MinP(m) => {
                let max = left[0].1;
                left.retain(|&(_, x)| (x - max) * beta >= m.threshold());
            }
            _ => unreachable!("a stage without a reference: {stage}"),
        }
    }
    Reference { survivors: left, beta }
}

impl Reference {
    /// The place in `survivors` of the token that the random word `u` draws.
    pub(crate) fn draw(&self, u: u64) -> usize {
        let weights = weights(&self.survivors, self.beta);
        let total: u128 = weights.iter().sum();
        let target = (u128::from(u) * total) >> 64;
        let mut sum = 0;
        let reached = |w: &u128| {
            sum += w;
            sum > target
        };
        weights.iter().position(reached).expect("the target is below the total")
    }

    /// The lowest random word that draws the token at `place` or a later one.
    pub(crate) fn boundary(&self, place: usize) -> u64 {
        let weights = weights(&self.survivors, self.beta);
        let total: u128 = weights.iter().sum();
        let before: u128 = weights[..place].iter().sum();
        (before << 64).div_ceil(total).min(u128::from(u64::MAX)) as u64
    }

    /// The probabilities by plain f64 arithmetic, in order.
    pub(crate) fn probabilities(&self) -> Vec<f64> {
        let max = f64::from(self.survivors[0].1);
        let weight = |&(_, x): &(u32, f32)| ((f64::from(x) - max) * f64::from(self.beta)).exp();
        let total: f64 = self.survivors.iter().map(weight).sum();
        self.survivors.iter().map(|s| weight(s) / total).collect()
    }
}

/// Entropy in nats of plain probabilities.
pub(crate) fn entropy(p: &[f64]) -> f64 {
    p.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum()
}
