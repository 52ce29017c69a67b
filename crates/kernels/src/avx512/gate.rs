//! Gated activations with AVX-512, 16 lanes: see `generic::gate`.

use std::arch::x86_64::__m512;

use crate::generic;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn silu(gate: &mut [f32], up: &[f32]) {
    // SAFETY: this function has the target features of `__m512`.
    unsafe { generic::gate::silu::<__m512>(gate, up) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn gelu(gate: &mut [f32], up: &[f32]) {
    // SAFETY: this function has the target features of `__m512`.
    unsafe { generic::gate::gelu::<__m512>(gate, up) }
}
