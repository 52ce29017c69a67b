//! A recurrent state's step on the columns of a whole block, held in N vectors, and a convolution's
//! tap: the operations of `scalar::recurrence` in the same order, one f32 per lane.

use crate::{
    scalar::{
        self,
        recurrence::{BLOCK, Token},
    },
    vector::Vector,
};

/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
pub(crate) unsafe fn step<V: Vector, const N: usize>(
    state: &mut [f32],
    token: Token<'_>,
    out: &mut [f32],
) {
    const { assert!(N * V::LANES == BLOCK, "N vectors hold a block") };
    let Token { q, k, v, decay, rate, corrects } = token;
    if out.len() != BLOCK {
        scalar::recurrence::step(state, token, out);
        return;
    }
    assert!(v.len() == BLOCK && q.len() == k.len() && state.len() == k.len() * BLOCK);
    assert!(decay.len() == 1 || decay.len() == k.len());
    let decay = |n: usize| decay[if decay.len() > 1 { n } else { 0 }];
    // SAFETY: the caller's promise; `v` and `out` have BLOCK = N · V::LANES elements, and `state`
    // as many for each element of `k`.
    unsafe {
        let rate = V::splat(rate);
        let mut read = [V::splat(0.0); N];
        if corrects {
            for n in 0..k.len() {
                let (row, k) = (state.as_ptr().add(n * BLOCK), V::splat(k[n]));
                let decay = V::splat(decay(n));
                for i in 0..N {
                    read[i] = V::load(row.add(i * V::LANES)).mul(decay).fma(k, read[i]);
                }
            }
        }
        let mut new = [V::splat(0.0); N];
        for i in 0..N {
            new[i] = V::load(v.as_ptr().add(i * V::LANES)).sub(read[i]).mul(rate);
        }
        let mut sums = [V::splat(0.0); N];
        for n in 0..k.len() {
            let row = state.as_mut_ptr().add(n * BLOCK);
            let (k, q, decay) = (V::splat(k[n]), V::splat(q[n]), V::splat(decay(n)));
            for i in 0..N {
                let at = row.add(i * V::LANES);
                let s = k.fma(new[i], V::load(at).mul(decay));
                s.store(at);
                sums[i] = s.fma(q, sums[i]);
            }
        }
        for i in 0..N {
            sums[i].store(out.as_mut_ptr().add(i * V::LANES));
        }
    }
}

/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
pub(crate) unsafe fn add_products<V: Vector>(a: &[f32], b: &[f32], sum: &mut [f32]) {
    let whole = sum.len() - sum.len() % V::LANES;
    assert!(a.len() == sum.len() && b.len() == sum.len());
    for i in (0..whole).step_by(V::LANES) {
        // SAFETY: the caller's promise; all three slices have `whole` elements, whole vectors.
        unsafe {
            let at = sum.as_mut_ptr().add(i);
            V::load(a.as_ptr().add(i)).fma(V::load(b.as_ptr().add(i)), V::load(at)).store(at);
        }
    }
    scalar::recurrence::add_products(&a[whole..], &b[whole..], &mut sum[whole..]);
}
