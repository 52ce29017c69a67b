//! e^x with AVX-512, 16 lanes: see `generic::exp`.

use std::arch::x86_64::__m512;

use crate::generic;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn exp_slice(x: &mut [f32]) {
    // SAFETY: this function has the target features of `__m512`.
    unsafe { generic::exp::exp_slice::<__m512>(x) }
}
