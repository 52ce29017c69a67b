//! [`Vector`] for AVX-512: sixteen f32 lanes in `__m512`. One intrinsic per method, mostly.

use std::arch::x86_64::*;

use half::f16;

use crate::vector::Vector;

impl Vector for __m512 {
    const LANES: usize = 16;
    type Int = __m512i;
    type Mask = __mmask16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_loadu_ps(at) }
    }

    #[inline(always)]
    unsafe fn store(self, at: *mut f32) {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_storeu_ps(at, self) }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const f16) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(at.cast())) }
    }

    #[inline(always)]
    unsafe fn load_bf16(at: *const u16) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            let high = _mm512_cvtepu16_epi32(_mm256_loadu_si256(at.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(high))
        }
    }

    #[inline(always)]
    unsafe fn store_f16(self, at: *mut f16) {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            _mm256_storeu_si256(at.cast(), _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(self))
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_add_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_sub_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_mul_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_div_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn fma(self, factor: Self, term: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_fmadd_ps(self, factor, term) }
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_max_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_min_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_abs_ps(self) }
    }

    #[inline(always)]
    unsafe fn neg(self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_xor_ps(self, _mm512_set1_ps(-0.0)) }
    }

    #[inline(always)]
    unsafe fn horizontal_max(self) -> f32 {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            _mm256_max_ps(_mm512_castps512_ps256(self), _mm512_extractf32x8_ps::<1>(self))
                .horizontal_max()
        }
    }

    #[inline(always)]
    unsafe fn horizontal_min(self) -> f32 {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            _mm256_min_ps(_mm512_castps512_ps256(self), _mm512_extractf32x8_ps::<1>(self))
                .horizontal_min()
        }
    }

    #[inline(always)]
    unsafe fn lt(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self, other) }
    }

    #[inline(always)]
    unsafe fn gt(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self, other) }
    }

    #[inline(always)]
    unsafe fn ge(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GE_OQ>(self, other) }
    }

    #[inline(always)]
    unsafe fn eq(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self, other) }
    }

    #[inline(always)]
    unsafe fn unordered(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self, other) }
    }

    #[inline(always)]
    unsafe fn zero_where(self, mask: Self::Mask) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_maskz_mov_ps(!mask, self) }
    }

    #[inline(always)]
    unsafe fn no_lanes() -> Self::Mask {
        0
    }

    #[inline(always)]
    unsafe fn and(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        a & b
    }

    #[inline(always)]
    unsafe fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        a | b
    }

    #[inline(always)]
    unsafe fn any(mask: Self::Mask) -> bool {
        mask != 0
    }

    #[inline(always)]
    unsafe fn count(mask: Self::Mask) -> usize {
        mask.count_ones() as usize
    }

    #[inline(always)]
    unsafe fn to_bits(self) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_castps_si512(self) }
    }

    #[inline(always)]
    unsafe fn from_bits(bits: Self::Int) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_castsi512_ps(bits) }
    }

    #[inline(always)]
    unsafe fn splat_int(x: u32) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_set1_epi32(x as i32) }
    }

    #[inline(always)]
    unsafe fn iota(first: u32) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            _mm512_add_epi32(Self::splat_int(first), lanes)
        }
    }

    #[inline(always)]
    unsafe fn load_i8_pairs(at: *const i8) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_cvtepi8_epi16(_mm256_loadu_si256(at.cast())) }
    }

    #[inline(always)]
    unsafe fn dot_i16(sum: Self::Int, a: Self::Int, b: Self::Int) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait; `Isa` has VNNI with AVX-512.
        unsafe { _mm512_dpwssd_epi32(sum, a, b) }
    }

    #[inline(always)]
    unsafe fn from_i32(x: Self::Int) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_cvtepi32_ps(x) }
    }

    #[inline(always)]
    unsafe fn store_low_halves(x: Self::Int, at: *mut i16) {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_storeu_si256(at.cast(), _mm512_cvtepi32_epi16(x)) }
    }

    #[inline(always)]
    unsafe fn add_int(a: Self::Int, b: Self::Int) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_add_epi32(a, b) }
    }

    #[inline(always)]
    unsafe fn shift_left_23(bits: Self::Int) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_slli_epi32::<23>(bits) }
    }

    #[inline(always)]
    unsafe fn eq_int(a: Self::Int, b: Self::Int) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_cmpeq_epi32_mask(a, b) }
    }

    #[inline(always)]
    unsafe fn le_int(a: Self::Int, b: Self::Int) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm512_cmple_epu32_mask(a, b) }
    }

    #[inline(always)]
    unsafe fn compress_store(
        id: Self::Int,
        x: Self,
        mask: Self::Mask,
        ids: *mut u32,
        logits: Option<*mut f32>,
    ) {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            _mm512_storeu_si512(ids.cast(), _mm512_maskz_compress_epi32(mask, id));
            if let Some(logits) = logits {
                _mm512_storeu_ps(logits, _mm512_maskz_compress_ps(mask, x));
            }
        }
    }
}
