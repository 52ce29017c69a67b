//! The specification of e^x.

use crate::{
    exp::{HIGHEST, LN2_HI, LN2_LO, LOG2_E, LOWEST, MAGIC, Q},
    fma::fma,
};

#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let clamped = if HIGHEST < x { HIGHEST } else { x };
    let shifted = fma(clamped, LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = fma(n, -LN2_LO, fma(n, -LN2_HI, clamped));
    let q = Q[..5].iter().rev().fold(Q[5], |q, &c| fma(q, r, c));
    let y = 1.0 + fma(r * r, q, r);
    let two_to_n = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    if x < LOWEST { 0.0 } else { y * two_to_n }
}

pub(crate) fn exp_slice(x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = exp(*x));
}
