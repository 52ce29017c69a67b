//! [`Vector`] for AVX2: eight f32 lanes in `__m256`. One intrinsic per method, mostly.

use std::arch::x86_64::*;

use half::f16;

use crate::vector::Vector;

impl Vector for __m256 {
    const LANES: usize = 8;
    type Int = __m256i;
    type Mask = __m256;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_loadu_ps(at) }
    }

    #[inline(always)]
    unsafe fn store(self, at: *mut f32) {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_storeu_ps(at, self) }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const f16) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(at.cast())) }
    }

    #[inline(always)]
    unsafe fn load_bf16(at: *const u16) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            let high = _mm256_cvtepu16_epi32(_mm_loadu_si128(at.cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(high))
        }
    }

    #[inline(always)]
    unsafe fn store_f16(self, at: *mut f16) {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm_storeu_si128(at.cast(), _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(self)) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_add_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_sub_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_mul_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_div_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn fma(self, factor: Self, term: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_fmadd_ps(self, factor, term) }
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_max_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_min_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self) }
    }

    #[inline(always)]
    unsafe fn neg(self) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_xor_ps(self, _mm256_set1_ps(-0.0)) }
    }

    #[inline(always)]
    unsafe fn horizontal_max(self) -> f32 {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            let x = _mm_max_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let x = _mm_max_ps(x, _mm_movehl_ps(x, x));
            _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)))
        }
    }

    #[inline(always)]
    unsafe fn horizontal_min(self) -> f32 {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            let x = _mm_min_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let x = _mm_min_ps(x, _mm_movehl_ps(x, x));
            _mm_cvtss_f32(_mm_min_ss(x, _mm_movehdup_ps(x)))
        }
    }

    #[inline(always)]
    unsafe fn lt(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(self, other) }
    }

    #[inline(always)]
    unsafe fn gt(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_cmp_ps::<_CMP_GT_OQ>(self, other) }
    }

    #[inline(always)]
    unsafe fn ge(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_cmp_ps::<_CMP_GE_OQ>(self, other) }
    }

    #[inline(always)]
    unsafe fn eq(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_cmp_ps::<_CMP_EQ_OQ>(self, other) }
    }

    #[inline(always)]
    unsafe fn unordered(self, other: Self) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_cmp_ps::<_CMP_UNORD_Q>(self, other) }
    }

    #[inline(always)]
    unsafe fn zero_where(self, mask: Self::Mask) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_andnot_ps(mask, self) }
    }

    #[inline(always)]
    unsafe fn no_lanes() -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn and(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_and_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_or_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn any(mask: Self::Mask) -> bool {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_movemask_ps(mask) != 0 }
    }

    #[inline(always)]
    unsafe fn count(mask: Self::Mask) -> usize {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_movemask_ps(mask).count_ones() as usize }
    }

    #[inline(always)]
    unsafe fn to_bits(self) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_castps_si256(self) }
    }

    #[inline(always)]
    unsafe fn from_bits(bits: Self::Int) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_castsi256_ps(bits) }
    }

    #[inline(always)]
    unsafe fn splat_int(x: u32) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_set1_epi32(x as i32) }
    }

    #[inline(always)]
    unsafe fn iota(first: u32) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            _mm256_add_epi32(Self::splat_int(first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
        }
    }

    #[inline(always)]
    unsafe fn load_i8_pairs(at: *const i8) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(at.cast())) }
    }

    #[inline(always)]
    unsafe fn dot_i16(sum: Self::Int, a: Self::Int, b: Self::Int) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)) }
    }

    #[inline(always)]
    unsafe fn from_i32(x: Self::Int) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_cvtepi32_ps(x) }
    }

    #[inline(always)]
    unsafe fn store_low_halves(x: Self::Int, at: *mut i16) {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe {
            let low = _mm256_and_si256(x, _mm256_set1_epi32(0xffff));
            // Each half of the register has its four numbers twice.
            let halves = _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi32(low, low));
            _mm_storeu_si128(at.cast(), _mm256_castsi256_si128(halves));
        }
    }

    #[inline(always)]
    unsafe fn add_int(a: Self::Int, b: Self::Int) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_add_epi32(a, b) }
    }

    #[inline(always)]
    unsafe fn shift_left_23(bits: Self::Int) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_slli_epi32::<23>(bits) }
    }

    #[inline(always)]
    unsafe fn eq_int(a: Self::Int, b: Self::Int) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)) }
    }

    #[inline(always)]
    unsafe fn le_int(a: Self::Int, b: Self::Int) -> Self::Mask {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_min_epu32(a, b), a)) }
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
            let order = &TO_FRONT[_mm256_movemask_ps(mask) as usize];
            let order = _mm256_loadu_si256(order.as_ptr().cast());
            _mm256_storeu_si256(ids.cast(), _mm256_permutevar8x32_epi32(id, order));
            if let Some(logits) = logits {
                _mm256_storeu_ps(logits, _mm256_permutevar8x32_ps(x, order));
            }
        }
    }
}

/// For each set of eight lanes, the permutation that moves its lanes to the front.
static TO_FRONT: [[u32; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut set = 0;
    while set < 256 {
        let (mut lane, mut n) = (0, 0);
        while lane < 8 {
            if set >> lane & 1 == 1 {
                table[set][n] = lane;
                n += 1;
            }
            lane += 1;
        }
        set += 1;
    }
    table
};
