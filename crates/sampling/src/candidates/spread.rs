//! How wide the survivors spread: measures of a step that a draw doesn't need.

use kelvin_kernels::logits::{self, scaled};

use super::Candidates;
use crate::{
    TokenId,
    order::{self, Bound},
    weights::{ONE, share_of},
};

impl Candidates<'_> {
    /// The last token of the shortest prefix of the descending order that has at least `share` of
    /// the mass.
    pub(crate) fn last_of_share(&mut self, share: f64) -> Bound {
        let total = self.total();
        let needed = share_of(share, total).clamp(1, total);
        let found =
            self.locate(0.0, false, |sum| sum.mass >= needed).expect("the sum of all is the total");
        Bound { x: self.set.get(found.index), index: found.index }
    }

    /// The number of tokens in the shortest prefix with at least `share` of the mass.
    pub(crate) fn width_of_share(&mut self, share: f64) -> usize {
        let last = self.last_of_share(share);
        order::rank(&self.set, last.index) + 1
    }

    /// The share of the mass on tokens that `inside` accepts, and the variance of d = (x - max)·β
    /// in nats².
    pub(crate) fn mass_and_variance(&mut self, inside: impl Fn(TokenId) -> bool) -> (f64, f64) {
        let mass = self.mass();
        self.settle();
        if !self.weighed {
            self.weigh();
        }
        let mean = mass.ln_z() - mass.entropy();
        let (mut kept, mut variance) = (0u64, 0.0);
        for (start, xs) in self.set.runs() {
            for (i, &x) in xs.iter().enumerate() {
                let e = self.work.es[start + i];
                if e > 0.0 {
                    let weight = logits::weight(e);
                    let d = f64::from(scaled(x, self.set.max, self.beta)) - mean;
                    variance += weight as f64 / ONE as f64 * d * d;
                    kept += if inside(self.set.id(start + i)) { weight } else { 0 };
                }
            }
        }
        let total = mass.total as f64;
        (kept as f64 / total, variance * ONE as f64 / total)
    }
}
