//! RMSNorm's sum of squares with AVX2, two vectors of 8 lanes: see `generic::norm`.

use std::arch::x86_64::__m256;

use crate::{generic, norm::LANES};

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn square_lanes(x: &[f32]) -> [f32; LANES] {
    // SAFETY: this function has the target features of `__m256`.
    unsafe { generic::norm::square_lanes::<__m256, 2>(x) }
}
