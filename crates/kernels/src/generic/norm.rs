//! RMSNorm's sum of squares in 16 lanes, held in N vectors.

use crate::{fma::fma, scalar::norm::LANES, vector::Vector};

/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
pub(crate) unsafe fn square_lanes<V: Vector, const N: usize>(x: &[f32]) -> [f32; LANES] {
    const { assert!(N * V::LANES == LANES, "N vectors hold the 16 lanes") };
    let (blocks, rest) = x.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    // SAFETY: the caller's promise; `lanes` and every block have 16 = N · V::LANES elements.
    unsafe {
        let mut sums = [V::splat(0.0); N];
        for block in blocks {
            for i in 0..N {
                let x = V::load(block.as_ptr().add(i * V::LANES));
                sums[i] = x.fma(x, sums[i]);
            }
        }
        for i in 0..N {
            sums[i].store(lanes.as_mut_ptr().add(i * V::LANES));
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = fma(*x, *x, *lane);
    }
    lanes
}
