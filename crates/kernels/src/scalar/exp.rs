//! The specification of e^x.

use crate::fma::fma;

/// Below this the result is exactly 0, although e^x isn't subnormal yet.
pub const LOWEST: f32 = -87.0;
/// Above this the result is e^88 (1.65e38), so that it is always finite.
pub const HIGHEST: f32 = 88.0;

pub(crate) const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// 1.5 · 2^23: adding it rounds to an integer, in the low bits of the sum.
pub(crate) const MAGIC: f32 = 12_582_912.0;
/// ln 2 = LN2_HI + LN2_LO; n · LN2_HI is exact.
pub(crate) const LN2_HI: f32 = 0.693_359_4;
pub(crate) const LN2_LO: f32 = -2.121_944_4e-4;
/// Coefficients of the polynomial q, lowest degree first.
pub(crate) const Q: [f32; 6] =
    [0.5, 0.166_666_66, 0.041_666_295, 0.008_333_498, 0.001_394_475_3, 0.000_197_902_54];

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
