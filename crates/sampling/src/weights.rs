//! Weights: whole numbers in place of probabilities, for draws and for truncations by mass.

use kelvin_kernels::{exp::exp, logits};

/// The weight of the likeliest token: weights are in units of 2^-45.
pub(crate) const ONE: u64 = logits::ONE;
/// The largest vocabulary. Totals fit into u64 as long as V < 2^19.
pub const MAX_VOCAB: usize = logits::MAX_LEN;

/// The weight of a token whose logit is `d <= 0` above the largest: round(2^45 · exp(d)), half to
/// even.
///
/// 2^45 · exp(d) is exact in f64, so the only roundings are that of exp itself (f32) and this one.
///
/// ```
/// assert_eq!(kelvin_sampling::weight(0.0), 1 << 45);
/// assert_eq!(kelvin_sampling::weight(-40.0), 0);
/// ```
pub fn weight(d: f32) -> u64 {
    logits::weight(exp(logits::scaled(d, 0.0, 1.0)))
}

/// The least whole weight that is at least `share` of `total`: the f64 product rounded up.
///
/// Every stage that compares a weight, or a sum of weights, with a share of the total compares it
/// with this whole number.
pub(crate) fn share_of(share: f64, total: u64) -> u64 {
    // A float cast saturates, so a share above 1 asks for more than there is.
    libm::ceil(share * total as f64) as u64
}

/// The sums over a set of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mass {
    /// Σ w_i, in units of 2^-45.
    pub(crate) total: u64,
    /// Σ round(w_i · |d_i|), in units of 2^-52, half to even.
    pub(crate) moment: u128,
}

impl Mass {
    /// ln Z = ln Σ exp(d_i).
    pub(crate) fn ln_z(&self) -> f64 {
        libm::log(self.total as f64 / ONE as f64)
    }

    /// -ln p = ln Z - d of a token, in nats.
    pub(crate) fn surprisal(&self, x: f32, max: f32, beta: f32) -> f64 {
        self.ln_z() - f64::from((x - max) * beta)
    }

    /// H = ln Z + Σ p_i |d_i|, in nats.
    pub(crate) fn entropy(&self) -> f64 {
        self.ln_z() + self.moment as f64 / logits::MOMENT_UNIT / self.total as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_agree_with_f64() {
        for i in 0..200_000 {
            let d = -(i as f32) * 2e-4;
            let truth = libm::exp(f64::from(d)) * ONE as f64;
            let bound = f64::from(d.abs().max(1.0)) * 2f64.powi(-22) * truth + 0.5;
            assert!((weight(d) as f64 - truth).abs() <= bound, "{d}");
        }
        assert_eq!(weight(f32::NEG_INFINITY), 0);
    }

    #[test]
    fn shares_round_up() {
        assert_eq!(
            (share_of(0.5, 5), share_of(0.5, 4), share_of(1e-30, 7), share_of(2.0, u64::MAX)),
            (3, 2, 1, u64::MAX)
        );
    }
}
