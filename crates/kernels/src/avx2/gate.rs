//! Gated activations with AVX2, 8 lanes: see `generic::gate`.

use std::arch::x86_64::__m256;

use crate::generic;

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn silu(gate: &mut [f32], up: &[f32]) {
    // SAFETY: this function has the target features of `__m256`.
    unsafe { generic::gate::silu::<__m256>(gate, up) }
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn gelu(gate: &mut [f32], up: &[f32]) {
    // SAFETY: this function has the target features of `__m256`.
    unsafe { generic::gate::gelu::<__m256>(gate, up) }
}
