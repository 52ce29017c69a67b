//! [`Vector`] for NEON: four f32 lanes in `float32x4_t`. One intrinsic per method, mostly.

use std::arch::aarch64::*;

use half::f16;

use crate::vector::{TO_FRONT, Vector};

impl Vector for float32x4_t {
    const LANES: usize = 4;
    type Int = uint32x4_t;
    type Mask = uint32x4_t;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vdupq_n_f32(x) }
    }

    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vld1q_f32(at) }
    }

    #[inline(always)]
    unsafe fn store(self, at: *mut f32) {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vst1q_f32(at, self) }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const f16) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(at.cast()))) }
    }

    #[inline(always)]
    unsafe fn load_bf16(at: *const u16) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vreinterpretq_f32_u32(vshll_n_u16::<16>(vld1_u16(at))) }
    }

    #[inline(always)]
    unsafe fn store_f16(self, at: *mut f16) {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vst1_u16(at.cast(), vreinterpret_u16_f16(vcvt_f16_f32(self))) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vaddq_f32(self, other) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vsubq_f32(self, other) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vmulq_f32(self, other) }
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vdivq_f32(self, other) }
    }

    #[inline(always)]
    unsafe fn fma(self, factor: Self, term: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vfmaq_f32(term, self, factor) }
    }

    // `fmax` and `fmin` return NaN for NaN, so both are selections.
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vbslq_f32(vcgtq_f32(self, other), self, other) }
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vbslq_f32(vcltq_f32(self, other), self, other) }
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vabsq_f32(self) }
    }

    #[inline(always)]
    unsafe fn neg(self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vnegq_f32(self) }
    }

    #[inline(always)]
    unsafe fn horizontal_max(self) -> f32 {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vmaxvq_f32(self) }
    }

    #[inline(always)]
    unsafe fn horizontal_min(self) -> f32 {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vminvq_f32(self) }
    }

    #[inline(always)]
    unsafe fn lt(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vcltq_f32(self, other) }
    }

    #[inline(always)]
    unsafe fn gt(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vcgtq_f32(self, other) }
    }

    #[inline(always)]
    unsafe fn ge(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vcgeq_f32(self, other) }
    }

    #[inline(always)]
    unsafe fn eq(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vceqq_f32(self, other) }
    }

    #[inline(always)]
    unsafe fn unordered(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vmvnq_u32(vandq_u32(vceqq_f32(self, self), vceqq_f32(other, other))) }
    }

    #[inline(always)]
    unsafe fn zero_where(self, mask: Self::Mask) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(self), mask)) }
    }

    #[inline(always)]
    unsafe fn no_lanes() -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vdupq_n_u32(0) }
    }

    #[inline(always)]
    unsafe fn and(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vandq_u32(a, b) }
    }

    #[inline(always)]
    unsafe fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vorrq_u32(a, b) }
    }

    #[inline(always)]
    unsafe fn any(mask: Self::Mask) -> bool {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vmaxvq_u32(mask) != 0 }
    }

    #[inline(always)]
    unsafe fn count(mask: Self::Mask) -> usize {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vaddvq_u32(vshrq_n_u32::<31>(mask)) as usize }
    }

    #[inline(always)]
    unsafe fn to_bits(self) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vreinterpretq_u32_f32(self) }
    }

    #[inline(always)]
    unsafe fn from_bits(bits: Self::Int) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vreinterpretq_f32_u32(bits) }
    }

    #[inline(always)]
    unsafe fn splat_int(x: u32) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vdupq_n_u32(x) }
    }

    #[inline(always)]
    unsafe fn iota(first: u32) -> Self::Int {
        const LANES: [u32; 4] = [0, 1, 2, 3];
        // SAFETY: the promises of `Vector`, see the trait; `LANES` has four elements.
        unsafe { vaddq_u32(vdupq_n_u32(first), vld1q_u32(LANES.as_ptr())) }
    }

    #[inline(always)]
    unsafe fn load_i8_pairs(at: *const i8) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vreinterpretq_u32_s16(vmovl_s8(vld1_s8(at))) }
    }

    #[inline(always)]
    unsafe fn dot_i16(sum: Self::Int, a: Self::Int, b: Self::Int) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            let (a, b) = (vreinterpretq_s16_u32(a), vreinterpretq_s16_u32(b));
            let low = vmull_s16(vget_low_s16(a), vget_low_s16(b));
            let products = vpaddq_s32(low, vmull_high_s16(a, b));
            vaddq_u32(sum, vreinterpretq_u32_s32(products))
        }
    }

    #[inline(always)]
    unsafe fn from_i32(x: Self::Int) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vcvtq_f32_s32(vreinterpretq_s32_u32(x)) }
    }

    #[inline(always)]
    unsafe fn store_low_halves(x: Self::Int, at: *mut i16) {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vst1_u16(at.cast(), vmovn_u32(x)) }
    }

    #[inline(always)]
    unsafe fn add_int(a: Self::Int, b: Self::Int) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vaddq_u32(a, b) }
    }

    #[inline(always)]
    unsafe fn shift_left_23(bits: Self::Int) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vshlq_n_u32::<23>(bits) }
    }

    #[inline(always)]
    unsafe fn eq_int(a: Self::Int, b: Self::Int) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vceqq_u32(a, b) }
    }

    #[inline(always)]
    unsafe fn le_int(a: Self::Int, b: Self::Int) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { vcleq_u32(a, b) }
    }

    #[inline(always)]
    unsafe fn compress_store(
        id: Self::Int,
        x: Self,
        mask: Self::Mask,
        ids: *mut u32,
        logits: Option<*mut f32>,
    ) {
        const BITS: [u32; 4] = [1, 2, 4, 8];
        // SAFETY: the promises of `Vector`, see the trait. `BITS` has four elements; the sum of
        // those of the mask's lanes is below 16, so `order` is sixteen bytes of the table.
        unsafe {
            let set = vaddvq_u32(vandq_u32(mask, vld1q_u32(BITS.as_ptr())));
            let order = vld1q_u8(TO_FRONT[set as usize].as_ptr());
            let moved = vqtbl1q_u8(vreinterpretq_u8_u32(id), order);
            vst1q_u32(ids, vreinterpretq_u32_u8(moved));
            if let Some(logits) = logits {
                let moved = vqtbl1q_u8(vreinterpretq_u8_f32(x), order);
                vst1q_f32(logits, vreinterpretq_f32_u8(moved));
            }
        }
    }
}
