//! e^x, one number at a time.

use crate::exp::{HIGHEST, LN2_HI, LN2_LO, LOG2_E, LOWEST, MAGIC, Q};

#[inline]
pub(crate) fn exp(x: f32) -> f32 {
    let clamped = if HIGHEST < x { HIGHEST } else { x };
    let shifted = clamped.mul_add(LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = n.mul_add(-LN2_LO, n.mul_add(-LN2_HI, clamped));
    let q = Q[..5].iter().rev().fold(Q[5], |q, &c| q.mul_add(r, c));
    let y = 1.0 + (r * r).mul_add(q, r);
    let two_to_n = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    if x < LOWEST { 0.0 } else { y * two_to_n }
}

pub(crate) fn exp_slice(x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = exp(*x));
}

pub(crate) fn weights(logits: &[f32], max: f32, beta: f32, weights: &mut [u64]) -> u64 {
    let mut total = 0;
    for (weight, &logit) in weights.iter_mut().zip(logits) {
        *weight = weight_of(exp((logit - max) * beta));
        total += *weight;
    }
    total
}

/// round(2^45 · y), ties to even. The product is exact, since y has 24 bits.
#[inline]
pub(crate) fn weight_of(y: f32) -> u64 {
    (f64::from(y) * (1u64 << 45) as f64).round_ties_even() as u64
}
