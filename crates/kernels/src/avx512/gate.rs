//! The gated activations, sixteen numbers at a time.

use std::arch::x86_64::*;

use super::exp::exp16;
use crate::gate::{CUBIC, SQRT_2_OVER_PI};
use crate::scalar;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn silu(gate: &mut [f32], up: &[f32]) {
    let one = _mm512_set1_ps(1.0);
    let (gates, gate_rest) = gate.as_chunks_mut::<16>();
    let (ups, up_rest) = up.as_chunks::<16>();
    for (gate, up) in gates.iter_mut().zip(ups) {
        // SAFETY: both are sixteen f32; loads are unaligned.
        let (x, up) = unsafe { (_mm512_loadu_ps(gate.as_ptr()), _mm512_loadu_ps(up.as_ptr())) };
        let minus_x = _mm512_xor_ps(x, _mm512_set1_ps(-0.0));
        let y = _mm512_mul_ps(_mm512_div_ps(x, _mm512_add_ps(one, exp16(minus_x))), up);
        // SAFETY: `gate` is sixteen f32.
        unsafe { _mm512_storeu_ps(gate.as_mut_ptr(), y) };
    }
    scalar::gate::silu(gate_rest, up_rest);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")]
pub(crate) fn gelu(gate: &mut [f32], up: &[f32]) {
    let (one, two, half) = (_mm512_set1_ps(1.0), _mm512_set1_ps(2.0), _mm512_set1_ps(0.5));
    let (gates, gate_rest) = gate.as_chunks_mut::<16>();
    let (ups, up_rest) = up.as_chunks::<16>();
    for (gate, up) in gates.iter_mut().zip(ups) {
        // SAFETY: both are sixteen f32; loads are unaligned.
        let (x, up) = unsafe { (_mm512_loadu_ps(gate.as_ptr()), _mm512_loadu_ps(up.as_ptr())) };
        let cubic = _mm512_fmadd_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(CUBIC), one);
        let u = _mm512_mul_ps(_mm512_mul_ps(_mm512_set1_ps(SQRT_2_OVER_PI), x), cubic);
        let e = exp16(_mm512_add_ps(u, u));
        let tanh = _mm512_sub_ps(one, _mm512_div_ps(two, _mm512_add_ps(e, one)));
        let y = _mm512_mul_ps(_mm512_mul_ps(half, x), _mm512_add_ps(one, tanh));
        // SAFETY: `gate` is sixteen f32.
        unsafe { _mm512_storeu_ps(gate.as_mut_ptr(), _mm512_mul_ps(y, up)) };
    }
    scalar::gate::gelu(gate_rest, up_rest);
}
