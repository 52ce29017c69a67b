//! Sequential Monte Carlo over whole texts: K particles, drawn at token temperature, weighted by
//! w = Π Z_t, resampled when few of them carry the weight.
//!
//! Source: Power-SMC, arXiv 2602.10273. A particle whose text is complete keeps its weight and
//! takes part in resampling.

use super::{
    front::Front,
    path::Path,
    quality::{Quality, SmcQuality},
    start::Start,
};

/// One sample's particles.
#[derive(Debug)]
pub(super) struct Smc<T> {
    front: Front<T>,
    /// ln w since the last resampling.
    ln_w: Vec<f64>,
    /// Tokens whose weights are in `ln_w`, or were.
    lens: Vec<usize>,
    /// The particle of the beginning from which each descends.
    ancestors: Vec<usize>,
    /// ln Z up to the last resampling.
    ln_z: f64,
    resamplings: u64,
}

impl<T: Clone> Smc<T> {
    pub(super) fn new(mut front: Front<T>, start: &Start<T>) -> Smc<T> {
        let k = front.walkers.len();
        front.enter((0..k).collect(), start);
        Smc {
            front,
            ln_w: vec![0.0; k],
            lens: vec![0; k],
            ancestors: (0..k).collect(),
            ln_z: 0.0,
            resamplings: 0,
        }
    }

    pub(super) fn front(&mut self) -> &mut Front<T> {
        &mut self.front
    }

    /// Goes on after a step.
    pub(super) fn advance(&mut self) {
        let walkers = self.front.walkers.iter();
        for ((walker, ln_w), len) in walkers.zip(&mut self.ln_w).zip(&mut self.lens) {
            *ln_w += walker.path.ln_weight(*len);
            *len = walker.path.len();
        }
        let k = self.ln_w.len();
        let weights = Weights::of(&self.ln_w);
        if self.front.stands_still() || weights.ess() >= k as f64 / 2.0 {
            return;
        }
        self.ln_z += weights.ln_mean();
        let ancestors = weights.systematic(self.front.uniform(*b"resample", self.resamplings));
        self.resamplings += 1;
        self.front.resample(&ancestors);
        self.ln_w.fill(0.0);
        self.lens = ancestors.iter().map(|&from| self.lens[from]).collect();
        self.ancestors = ancestors.iter().map(|&from| self.ancestors[from]).collect();
    }

    /// A particle by weight, and the quality.
    pub(super) fn finish(self) -> (Option<Path>, u64, Quality) {
        let weights = Weights::of(&self.ln_w);
        let chosen = weights.at(self.front.uniform(*b"choose\0\0", 0));
        let paths: Vec<&Path> = self.front.walkers.iter().map(|walker| &walker.path).collect();
        let mean = |f: &dyn Fn(&Path) -> f64| -> f64 {
            let terms = weights.each.iter().zip(&paths).map(|(w, path)| w * f(path));
            terms.sum::<f64>() / weights.total
        };
        let ancestors = n_distinct(self.ancestors.iter());
        let error = weights.relative_error(&self.ancestors, self.resamplings);
        let quality = SmcQuality {
            particles: paths.len(),
            ess: weights.ess(),
            resamplings: self.resamplings,
            ancestors,
            distinct: n_distinct(paths.iter().map(|path| &path.tokens)),
            ln_z: self.ln_z + weights.ln_mean(),
            ln_z_error: (ancestors > 1).then_some(error),
            energy: mean(&|path| path.energy()),
            energy_squared: mean(&|path| path.energy() * path.energy()),
        };
        (Some(paths[chosen].clone()), self.front.n_read, Quality::Smc(quality))
    }
}

fn n_distinct<V: Ord>(values: impl Iterator<Item = V>) -> usize {
    let mut all: Vec<V> = values.collect();
    all.sort_unstable();
    all.dedup();
    all.len()
}

/// Weights of particles, the largest 1. Sums go in the order of the particles.
struct Weights {
    each: Vec<f64>,
    total: f64,
    ln_max: f64,
}

impl Weights {
    fn of(ln_w: &[f64]) -> Weights {
        let ln_max = ln_w.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let each: Vec<f64> = ln_w.iter().map(|ln_w| libm::exp(ln_w - ln_max)).collect();
        let total = each.iter().sum();
        Weights { each, total, ln_max }
    }

    /// (Σw)²/Σw².
    fn ess(&self) -> f64 {
        self.total * self.total / self.each.iter().map(|w| w * w).sum::<f64>()
    }

    /// The logarithm of the mean weight.
    fn ln_mean(&self) -> f64 {
        self.ln_max + libm::log(self.total / self.each.len() as f64)
    }

    /// The particle where the cumulative weight exceeds this share of the total.
    fn at(&self, share: f64) -> usize {
        let (point, mut sum) = (share * self.total, 0.0);
        let reached = self.each.iter().position(|w| {
            sum += w;
            sum > point
        });
        reached.unwrap_or(self.each.len() - 1)
    }

    /// Systematic resampling: the particles at K equally spaced shares with one common shift `u`.
    fn systematic(&self, u: f64) -> Vec<usize> {
        let k = self.each.len();
        let (mut at, mut sum) = (0, self.each[0]);
        let mut point_at = |j: usize| {
            let point = (j as f64 + u) / k as f64 * self.total;
            while sum <= point && at + 1 < k {
                at += 1;
                sum += self.each[at];
            }
            at
        };
        (0..k).map(&mut point_at).collect()
    }

    /// The standard error of the estimate of Z, relative to it.
    ///
    /// Its square is 1 - (K/(K-1))^(r+1) · Σ W_i·W_j over pairs of different ancestors, r the
    /// number of resamplings, W weights with the sum 1. Without resampling that is the variance of
    /// a mean.
    fn relative_error(&self, ancestors: &[usize], resamplings: u64) -> f64 {
        let k = self.each.len();
        let mut families = vec![0.0; k];
        for (&ancestor, w) in ancestors.iter().zip(&self.each) {
            families[ancestor] += w / self.total;
        }
        let apart = 1.0 - families.iter().map(|share| share * share).sum::<f64>();
        let growth = libm::pow(k as f64 / (k as f64 - 1.0), resamplings as f64 + 1.0);
        libm::sqrt((1.0 - growth * apart).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systematic_resampling_keeps_shares() {
        let weights = Weights::of(&[1.0, 3.0, 0.5, 0.5].map(f64::ln));
        for i in 0..100 {
            let heirs = weights.systematic(i as f64 / 100.0);
            assert!(heirs.is_sorted() && heirs.len() == 4);
            let n = |of: usize| heirs.iter().filter(|&&heir| heir == of).count();
            // Of 4 points, shares of 0.8, 2.4, 0.4 and 0.4.
            assert!((0..=1).contains(&n(0)) && (2..=3).contains(&n(1)) && n(2) <= 1, "{heirs:?}");
        }
        assert_eq!(Weights::of(&[0.0; 3]).systematic(0.5), [0, 1, 2]);
    }

    #[test]
    fn without_resampling_the_error_is_that_of_a_mean() {
        let w = [0.2, 1.0, 0.4, 0.1, 0.9];
        let weights = Weights::of(&w.map(f64::ln));
        let mean = w.iter().sum::<f64>() / 5.0;
        let variance = w.iter().map(|w| (w - mean) * (w - mean)).sum::<f64>() / 4.0;
        let truth = (variance / 5.0).sqrt() / mean;
        let found = weights.relative_error(&[0, 1, 2, 3, 4], 0);
        assert!((found - truth).abs() < 1e-12, "{found} {truth}");
        assert!((weights.ln_mean() - mean.ln()).abs() < 1e-12);
    }
}
