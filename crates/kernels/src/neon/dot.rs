//! Sums of products of four rows' codes with a token's q's, exact in i32.

use std::arch::{aarch64::*, asm};

/// Adds the products of four codes of each of four rows with quad `QUAD` of `q` to `acc`, a lane
/// per row. `SDOT`: with the instruction `sdot`, otherwise with the multiplications that every CPU
/// has.
///
/// # Safety
/// The CPU has NEON, for `SDOT` also dotprod.
#[inline(always)]
pub(crate) unsafe fn add_products<const SDOT: bool, const QUAD: i32>(
    acc: int32x4_t,
    codes: int8x16_t,
    q: int8x16_t,
) -> int32x4_t {
    // SAFETY: the caller's promise.
    unsafe {
        if SDOT {
            sdot::<QUAD>(acc, codes, q)
        } else {
            let quad = vdupq_laneq_s32::<QUAD>(vreinterpretq_s32_s8(q));
            let quad = vreinterpretq_s8_s32(quad);
            // Products of two rows each; sums of two products in i32, then of four.
            let low = vmull_s8(vget_low_s8(codes), vget_low_s8(quad));
            let high = vmull_high_s8(codes, quad);
            vaddq_s32(acc, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)))
        }
    }
}

/// `vdotq_laneq_s32`, which the standard library of stable Rust doesn't have.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot<const QUAD: i32>(acc: int32x4_t, codes: int8x16_t, q: int8x16_t) -> int32x4_t {
    let mut acc = acc;
    // SAFETY: the instruction reads and writes the named registers alone; this function has its
    // target feature.
    unsafe {
        asm!(
            "sdot {acc:v}.4s, {codes:v}.16b, {q:v}.4b[{quad}]",
            acc = inout(vreg) acc,
            codes = in(vreg) codes,
            q = in(vreg) q,
            quad = const QUAD,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    acc
}
