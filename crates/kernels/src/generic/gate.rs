//! Gated activations: the operations of `scalar::gate` in the same order, one f32 per lane.

use super::exp::exp;
use crate::{
    scalar::{
        self,
        gate::{CUBIC, SQRT_2_OVER_PI},
    },
    vector::Vector,
};

/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
pub(crate) unsafe fn silu<V: Vector>(gate: &mut [f32], up: &[f32]) {
    let whole = gate.len() - gate.len() % V::LANES;
    let ((gate, gate_rest), (up, up_rest)) = (gate.split_at_mut(whole), up.split_at(whole));
    // One index for both slices: zipped chunks cost two instructions more per vector.
    for i in (0..whole).step_by(V::LANES) {
        // SAFETY: the caller's promise; both slices have `whole` elements, whole vectors.
        unsafe {
            let (gate, up) = (gate.as_mut_ptr().add(i), up.as_ptr().add(i));
            let x = V::load(gate);
            let y = x.div(V::splat(1.0).add(exp(x.neg()))).mul(V::load(up));
            y.store(gate);
        }
    }
    scalar::gate::silu(gate_rest, up_rest);
}

/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
pub(crate) unsafe fn gelu<V: Vector>(gate: &mut [f32], up: &[f32]) {
    let whole = gate.len() - gate.len() % V::LANES;
    let ((gate, gate_rest), (up, up_rest)) = (gate.split_at_mut(whole), up.split_at(whole));
    // One index for both slices: zipped chunks cost two instructions more per vector.
    for i in (0..whole).step_by(V::LANES) {
        // SAFETY: the caller's promise; both slices have `whole` elements, whole vectors.
        unsafe {
            let (gate, up) = (gate.as_mut_ptr().add(i), up.as_ptr().add(i));
            let (one, two, half) = (V::splat(1.0), V::splat(2.0), V::splat(0.5));
            let x = V::load(gate);
            let cubic = x.mul(x).fma(V::splat(CUBIC), one);
            let u = V::splat(SQRT_2_OVER_PI).mul(x).mul(cubic);
            let tanh = one.sub(two.div(exp(u.add(u)).add(one)));
            let y = half.mul(x).mul(one.add(tanh)).mul(V::load(up));
            y.store(gate);
        }
    }
    scalar::gate::gelu(gate_rest, up_rest);
}
