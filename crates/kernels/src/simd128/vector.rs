//! [`Vector`] for WebAssembly's `v128`: four f32 lanes. Where there is no instruction (the fused
//! multiply-add, f16), several do what one would.

use std::arch::wasm32::*;

use half::f16;

use super::fma::fma;
use crate::vector::{TO_FRONT, Vector};

impl Vector for v128 {
    const LANES: usize = 4;
    type Int = v128;
    type Mask = v128;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        f32x4_splat(x)
    }

    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { v128_load(at.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, at: *mut f32) {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { v128_store(at.cast(), self) }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const f16) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { floats_of_f16(at.cast()) }
    }

    #[inline(always)]
    unsafe fn load_bf16(at: *const u16) -> Self {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { i32x4_shl(u32x4_extend_low_u16x8(v128_load64_zero(at.cast())), 16) }
    }

    #[inline(always)]
    unsafe fn store_f16(self, at: *mut f16) {
        let mut lanes = [0.0f32; 4];
        // SAFETY: the promises of `Vector`, see the trait; `lanes` has four elements.
        unsafe {
            v128_store(lanes.as_mut_ptr().cast(), self);
            at.cast::<[f16; 4]>().write_unaligned(lanes.map(f16::from_f32));
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        f32x4_add(self, other)
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        f32x4_sub(self, other)
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        f32x4_mul(self, other)
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        f32x4_div(self, other)
    }

    #[inline(always)]
    unsafe fn fma(self, factor: Self, term: Self) -> Self {
        fma(self, factor, term)
    }

    // `pmax(a, b)` is `if a < b { b } else { a }`, so the operands change places.
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        f32x4_pmax(other, self)
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        f32x4_pmin(other, self)
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        f32x4_abs(self)
    }

    #[inline(always)]
    unsafe fn neg(self) -> Self {
        f32x4_neg(self)
    }

    #[inline(always)]
    unsafe fn horizontal_max(self) -> f32 {
        let pairs = f32x4_pmax(self, i32x4_shuffle::<2, 3, 0, 1>(self, self));
        f32x4_extract_lane::<0>(f32x4_pmax(pairs, i32x4_shuffle::<1, 0, 3, 2>(pairs, pairs)))
    }

    #[inline(always)]
    unsafe fn horizontal_min(self) -> f32 {
        let pairs = f32x4_pmin(self, i32x4_shuffle::<2, 3, 0, 1>(self, self));
        f32x4_extract_lane::<0>(f32x4_pmin(pairs, i32x4_shuffle::<1, 0, 3, 2>(pairs, pairs)))
    }

    #[inline(always)]
    unsafe fn lt(self, other: Self) -> Self::Mask {
        f32x4_lt(self, other)
    }

    #[inline(always)]
    unsafe fn gt(self, other: Self) -> Self::Mask {
        f32x4_gt(self, other)
    }

    #[inline(always)]
    unsafe fn ge(self, other: Self) -> Self::Mask {
        f32x4_ge(self, other)
    }

    #[inline(always)]
    unsafe fn eq(self, other: Self) -> Self::Mask {
        f32x4_eq(self, other)
    }

    #[inline(always)]
    unsafe fn unordered(self, other: Self) -> Self::Mask {
        v128_or(f32x4_ne(self, self), f32x4_ne(other, other))
    }

    #[inline(always)]
    unsafe fn zero_where(self, mask: Self::Mask) -> Self {
        v128_andnot(self, mask)
    }

    #[inline(always)]
    unsafe fn no_lanes() -> Self::Mask {
        i32x4_splat(0)
    }

    #[inline(always)]
    unsafe fn and(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        v128_and(a, b)
    }

    #[inline(always)]
    unsafe fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        v128_or(a, b)
    }

    #[inline(always)]
    unsafe fn any(mask: Self::Mask) -> bool {
        v128_any_true(mask)
    }

    #[inline(always)]
    unsafe fn count(mask: Self::Mask) -> usize {
        i32x4_bitmask(mask).count_ones() as usize
    }

    #[inline(always)]
    unsafe fn to_bits(self) -> Self::Int {
        self
    }

    #[inline(always)]
    unsafe fn from_bits(bits: Self::Int) -> Self {
        bits
    }

    #[inline(always)]
    unsafe fn splat_int(x: u32) -> Self::Int {
        u32x4_splat(x)
    }

    #[inline(always)]
    unsafe fn iota(first: u32) -> Self::Int {
        i32x4_add(u32x4_splat(first), u32x4(0, 1, 2, 3))
    }

    #[inline(always)]
    unsafe fn load_i8_pairs(at: *const i8) -> Self::Int {
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { i16x8_load_extend_i8x8(at) }
    }

    #[inline(always)]
    unsafe fn dot_i16(sum: Self::Int, a: Self::Int, b: Self::Int) -> Self::Int {
        i32x4_add(sum, i32x4_dot_i16x8(a, b))
    }

    #[inline(always)]
    unsafe fn from_i32(x: Self::Int) -> Self {
        f32x4_convert_i32x4(x)
    }

    #[inline(always)]
    unsafe fn store_low_halves(x: Self::Int, at: *mut i16) {
        let halves = i16x8_shuffle::<0, 2, 4, 6, 0, 2, 4, 6>(x, x);
        // SAFETY: the promises of `Vector`, see the trait.
        unsafe { v128_store64_lane::<0>(halves, at.cast()) }
    }

    #[inline(always)]
    unsafe fn add_int(a: Self::Int, b: Self::Int) -> Self::Int {
        i32x4_add(a, b)
    }

    #[inline(always)]
    unsafe fn shift_left_23(bits: Self::Int) -> Self::Int {
        i32x4_shl(bits, 23)
    }

    #[inline(always)]
    unsafe fn eq_int(a: Self::Int, b: Self::Int) -> Self::Mask {
        i32x4_eq(a, b)
    }

    #[inline(always)]
    unsafe fn le_int(a: Self::Int, b: Self::Int) -> Self::Mask {
        u32x4_le(a, b)
    }

    #[inline(always)]
    unsafe fn compress_store(
        id: Self::Int,
        x: Self,
        mask: Self::Mask,
        ids: *mut u32,
        logits: Option<*mut f32>,
    ) {
        // SAFETY: the promises of `Vector`, see the trait; four bits are below 16, so `order` is
        // sixteen bytes of the table.
        unsafe {
            let order = v128_load(TO_FRONT[i32x4_bitmask(mask) as usize].as_ptr().cast());
            v128_store(ids.cast(), i8x16_swizzle(id, order));
            if let Some(logits) = logits {
                v128_store(logits.cast(), i8x16_swizzle(x, order));
            }
        }
    }
}

/// Four f16 as f32, exactly; the bits of a NaN may differ.
///
/// # Safety
/// There are eight bytes at `at`.
#[inline(always)]
pub(super) unsafe fn floats_of_f16(at: *const u8) -> v128 {
    // SAFETY: the caller's promise.
    floats_of_bits(unsafe { i32x4_load_extend_i16x4(at.cast()) })
}

/// The f16 whose bits are in the low halves of the lanes, as f32. The high halves have the sign.
#[inline(always)]
pub(super) fn floats_of_bits(bits: v128) -> v128 {
    // With f16's exponent in f32's place a number is 2^112 times too small, also a subnormal one.
    let small = v128_and(i32x4_shl(bits, 13), u32x4_splat(0x8fff_e000));
    let number = f32x4_mul(small, f32x4_splat(f32::from_bits((112 + 127) << 23)));
    // Infinity and NaN have the largest exponent in either format.
    let exponent = u32x4_splat(0x7c00);
    let is_huge = i32x4_eq(v128_and(bits, exponent), exponent);
    v128_or(number, v128_and(is_huge, u32x4_splat(0x7f80_0000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_f16_becomes_its_f32() {
        for bits in 0..=u16::MAX {
            let of = f16::from_bits(bits);
            // SAFETY: four f16.
            let found = unsafe { f32x4_extract_lane::<2>(v128::load_f16([of; 4].as_ptr())) };
            let expected = of.to_f32();
            assert!(found.to_bits() == expected.to_bits() || (found.is_nan() && of.is_nan()));
        }
    }
}
