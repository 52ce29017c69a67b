//! Logits in, fixed-point weights and their sums out.
//!
//! A weight is a whole number and so are the sums, so nothing depends on the order of summation: a sort,
//! a search through bins and a parallel reduction all come to the same token.

use kelvin_kernels::{exp::exp_slice, isa::Isa};

/// The weight of the likeliest token: weights are in units of 2^-45.
pub(crate) const ONE: u64 = 1 << 45;
/// The largest vocabulary: totals fit into u64 as long as V < 2^19.
pub const MAX_VOCAB: usize = (1 << 19) - 1;

/// 2^52: adding it to a number in [0, 2^52] rounds that number to a whole one, half to even, and leaves
/// the whole number in the low bits.
const ROUND: f64 = (1u64 << 52) as f64;
/// Below this a weight is 0 whatever it is, and a finite stand-in for -inf keeps NaN out of products.
const FLOOR: f32 = -128.0;
/// Terms of the moment are in units of 2^-52: 7 bits finer than the weights.
const MOMENT_BITS: f64 = 128.0;
/// Elements whose sums are taken in u64 before they go into the u128 of the whole.
const BLOCK: usize = 256;

/// The weight of a token whose logit is `d <= 0` above the largest: round(2^45 · exp(d)), half to even.
///
/// 2^45 · exp(d) is exact in f64, so the only roundings are those of exp itself (f32) and this one.
///
/// ```
/// assert_eq!(kelvin_sampling::weight(0.0), 1 << 45);
/// assert_eq!(kelvin_sampling::weight(-40.0), 0);
/// ```
pub fn weight(d: f32) -> u64 {
    fixed(kelvin_kernels::exp::exp(floor(d)))
}

/// exp(d) in units of 2^-45, rounded half to even.
pub(crate) fn fixed(e: f32) -> u64 {
    (f64::from(e) * ONE as f64 + ROUND).to_bits() - ROUND.to_bits()
}

/// d, or `FLOOR` where d is lower, -inf or NaN (a masked logit at β = 0).
fn floor(d: f32) -> f32 {
    if d > FLOOR { d } else { FLOOR }
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

    /// H = ln Z + Σ p_i |d_i|, in nats.
    pub(crate) fn entropy(&self) -> f64 {
        self.ln_z() + self.moment as f64 / MOMENT_BITS / self.total as f64
    }
}

/// d = (x - max)·β for every logit; exp(d) goes into `es`, the sums are returned.
///
/// Masked logits (-inf) get 0. `es` is as long as `xs`.
pub(crate) fn weigh(xs: &[f32], max: f32, beta: f32, es: &mut [f32]) -> Mass {
    let mut mass = Mass::default();
    let isa = Isa::best();
    let mut ds = [0f32; BLOCK];
    for (xs, es) in xs.chunks(BLOCK).zip(es.chunks_mut(BLOCK)) {
        let ds = &mut ds[..xs.len()];
        for ((d, e), &x) in ds.iter_mut().zip(es.iter_mut()).zip(xs) {
            *d = floor((x - max) * beta);
            *e = *d;
        }
        exp_slice(isa, es);
        let (mut total, mut moment) = (0u64, 0u64);
        for (&d, &e) in ds.iter().zip(es.iter()) {
            let rounded = f64::from(e) * ONE as f64 + ROUND;
            total += rounded.to_bits() - ROUND.to_bits();
            // w has at most 24 significant bits and so has d: the product is exact before it's rounded.
            let term = (rounded - ROUND) * (f64::from(-d) * MOMENT_BITS);
            moment += (term + ROUND).to_bits() - ROUND.to_bits();
        }
        mass.total += total;
        mass.moment += u128::from(moment);
    }
    mass
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
    fn sums_are_those_of_single_weights() {
        let xs: Vec<f32> = (0..1000).map(|i| (i * 7919 % 1000) as f32 * 0.037).collect();
        let mut es = vec![0.0; xs.len()];
        let max = xs.iter().copied().fold(f32::MIN, f32::max);
        let mass = weigh(&xs, max, 0.7, &mut es);
        let ds = xs.iter().map(|x| (x - max) * 0.7);
        assert_eq!(mass.total, ds.clone().map(weight).sum::<u64>());
        let term = |d: f32| (weight(d) as f64 * f64::from(-d) * 128.0).round_ties_even() as u128;
        assert_eq!(mass.moment, ds.map(term).sum::<u128>());
    }
}
