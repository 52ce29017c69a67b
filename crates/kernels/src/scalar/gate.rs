//! The specification of the gated activations.

use super::exp::exp;
use crate::fma::fma;

pub(crate) const SQRT_2_OVER_PI: f32 = 0.797_884_6;
pub(crate) const CUBIC: f32 = 0.044_715;

pub(crate) fn silu(gate: &mut [f32], up: &[f32]) {
    for (x, up) in gate.iter_mut().zip(up) {
        *x = *x / (1.0 + exp(-*x)) * up;
    }
}

pub(crate) fn gelu(gate: &mut [f32], up: &[f32]) {
    for (x, up) in gate.iter_mut().zip(up) {
        let u = (SQRT_2_OVER_PI * *x) * fma(*x * *x, CUBIC, 1.0);
        let tanh = 1.0 - 2.0 / (exp(u + u) + 1.0);
        *x = (0.5 * *x) * (1.0 + tanh) * up;
    }
}
