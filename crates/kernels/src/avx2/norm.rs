//! The sum of squares in its 16 lanes: two vectors of eight.

use std::arch::x86_64::*;

use crate::norm::LANES;

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn square_lanes(x: &[f32]) -> [f32; LANES] {
    let (blocks, rest) = x.as_chunks::<LANES>();
    let (mut low, mut high) = (_mm256_setzero_ps(), _mm256_setzero_ps());
    for block in blocks {
        // SAFETY: a block is 16 f32: two unaligned vectors of eight.
        let (a, b) = unsafe { (_mm256_loadu_ps(block.as_ptr()), _mm256_loadu_ps(block.as_ptr().add(8))) };
        low = _mm256_fmadd_ps(a, a, low);
        high = _mm256_fmadd_ps(b, b, high);
    }
    let mut lanes = [0.0f32; LANES];
    // SAFETY: `lanes` is 16 f32.
    unsafe {
        _mm256_storeu_ps(lanes.as_mut_ptr(), low);
        _mm256_storeu_ps(lanes.as_mut_ptr().add(8), high);
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = x.mul_add(*x, *lane);
    }
    lanes
}
