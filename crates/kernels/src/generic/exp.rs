//! e^x: the operations of `scalar::exp` in the same order, one f32 per lane.

use crate::{
    scalar::{
        self,
        exp::{HIGHEST, LN2_HI, LN2_LO, LOG2_E, LOWEST, MAGIC, Q},
    },
    vector::Vector,
};

/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
pub(crate) unsafe fn exp<V: Vector>(x: V) -> V {
    // SAFETY: the caller's promise.
    unsafe {
        // For NaN `min` returns x, like the specification's comparison.
        let clamped = V::splat(HIGHEST).min(x);
        let magic = V::splat(MAGIC);
        let shifted = clamped.fma(V::splat(LOG2_E), magic);
        let n = shifted.sub(magic);
        let r = n.fma(V::splat(-LN2_HI), clamped);
        let r = n.fma(V::splat(-LN2_LO), r);
        let mut q = V::splat(Q[5]);
        for i in (0..5).rev() {
            q = q.fma(r, V::splat(Q[i]));
        }
        let y = V::splat(1.0).add(r.mul(r).fma(q, r));
        let exponent = V::shift_left_23(shifted.to_bits());
        let two_to_n = V::from_bits(V::add_int(exponent, V::splat_int(0x3f80_0000)));
        y.mul(two_to_n).zero_where(x.lt(V::splat(LOWEST)))
    }
}

/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
pub(crate) unsafe fn exp_slice<V: Vector>(x: &mut [f32]) {
    let mut vectors = x.chunks_exact_mut(V::LANES);
    for lanes in &mut vectors {
        // SAFETY: the caller's promise; `lanes` has V::LANES elements.
        unsafe { exp(V::load(lanes.as_ptr())).store(lanes.as_mut_ptr()) };
    }
    scalar::exp::exp_slice(vectors.into_remainder());
}
