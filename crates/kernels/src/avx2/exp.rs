//! e^x with AVX2, 8 lanes: see `generic::exp`.

use std::arch::x86_64::__m256;

use crate::generic;

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn exp_slice(x: &mut [f32]) {
    // SAFETY: this function has the target features of `__m256`.
    unsafe { generic::exp::exp_slice::<__m256>(x) }
}
