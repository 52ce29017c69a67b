//! [`Vector`] for WebAssembly's `v128`: four f32 lanes. Where there is no instruction (the fused
//! multiply-add, f16), several do what one would.

use std::arch::wasm32::*;

use half::f16;

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
    let bits = unsafe { v128_load64_zero(at.cast()) };
    floats_of_bits(u32x4_extend_low_u16x8(bits))
}

/// The f16 whose bits are in the low halves of the lanes, as f32.
#[inline(always)]
pub(super) fn floats_of_bits(bits: v128) -> v128 {
    let size = v128_and(bits, u32x4_splat(0x7fff));
    let sign = i32x4_shl(v128_xor(bits, size), 16);
    let normal = i32x4_add(i32x4_shl(size, 13), u32x4_splat(112 << 23));
    // Infinity and NaN have the largest exponent in either format.
    let is_huge = i32x4_gt(size, u32x4_splat(0x7bff));
    let normal = i32x4_add(normal, v128_and(is_huge, u32x4_splat(112 << 23)));
    let subnormal = f32x4_mul(f32x4_convert_i32x4(size), f32x4_splat(1.0 / (1u32 << 24) as f32));
    let is_small = i32x4_lt(size, u32x4_splat(0x400));
    v128_or(v128_bitselect(subnormal, normal, is_small), sign)
}

/// `x·y + z` with one rounding.
///
/// Product and sum in f64, as in `fma::emulated`. The sum was rounded to f64, so it is rounded
/// twice; that can matter only where it lies in the middle of two f32. In f32's normal range a
/// middle has the bits 1000… below f32's last place. Subnormal results have their middles
/// elsewhere: all of them count as suspect, and zero with them. Suspects take the longer way.
#[inline(always)]
pub(super) fn fma(x: v128, y: v128, z: v128) -> v128 {
    let (low, high) = (sum_of::<false>(x, y, z), sum_of::<true>(x, y, z));
    let rounded = narrow(low, high);
    let middle = i64x2_splat(i64::MIN);
    let is_middle = v128_or(
        i64x2_eq(i64x2_shl(low, 64 - 29), middle),
        i64x2_eq(i64x2_shl(high, 64 - 29), middle),
    );
    let is_tiny = f32x4_le(f32x4_abs(rounded), f32x4_splat(f32::MIN_POSITIVE));
    if v128_any_true(v128_or(is_middle, is_tiny)) {
        return fma_by_rounding_to_odd(x, y, z);
    }
    rounded
}

/// `x·y + z` in f64 of lanes 0 and 1, or 2 and 3.
#[inline(always)]
fn sum_of<const HIGH: bool>(x: v128, y: v128, z: v128) -> v128 {
    f64x2_add(f64x2_mul(wide::<HIGH>(x), wide::<HIGH>(y)), wide::<HIGH>(z))
}

/// Lanes 0 and 1, or 2 and 3, as f64.
#[inline(always)]
fn wide<const HIGH: bool>(x: v128) -> v128 {
    f64x2_promote_low_f32x4(if HIGH { i32x4_shuffle::<2, 3, 2, 3>(x, x) } else { x })
}

/// Four f64 as f32.
#[inline(always)]
fn narrow(low: v128, high: v128) -> v128 {
    i32x4_shuffle::<0, 1, 4, 5>(f32x4_demote_f64x2_zero(low), f32x4_demote_f64x2_zero(high))
}

/// [`fma`] by the steps of `fma::emulated`.
#[target_feature(enable = "simd128")]
#[inline(never)]
fn fma_by_rounding_to_odd(x: v128, y: v128, z: v128) -> v128 {
    narrow(odd_sum::<false>(x, y, z), odd_sum::<true>(x, y, z))
}

/// [`sum_of`], rounded to odd.
#[inline(always)]
fn odd_sum<const HIGH: bool>(x: v128, y: v128, z: v128) -> v128 {
    let product = f64x2_mul(wide::<HIGH>(x), wide::<HIGH>(y));
    let z = wide::<HIGH>(z);
    let sum = f64x2_add(product, z);
    let back = f64x2_sub(sum, product);
    let error = f64x2_add(f64x2_sub(product, f64x2_sub(sum, back)), f64x2_sub(z, back));
    let zero = f64x2_splat(0.0);
    let (above, below) = (f64x2_gt(error, zero), f64x2_lt(error, zero));
    let one = i64x2_splat(1);
    let is_even = i64x2_eq(v128_and(sum, one), i64x2_splat(0));
    let moves = v128_and(v128_or(above, below), is_even);
    let inwards = v128_xor(above, f64x2_gt(sum, zero));
    // 1, or -1 towards zero.
    let step = v128_or(inwards, one);
    i64x2_add(sum, v128_and(moves, step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fma::emulated;

    /// Numbers at the borders of the format and in between, each with each: four lanes at once.
    #[test]
    fn four_lanes_round_once() {
        let mut numbers: Vec<f32> = (0..256u32)
            .flat_map(|e| [0, 1, 2, 0x40_0000, 0x7f_fffe, 0x7f_ffff].map(|m: u32| e << 23 | m))
            .flat_map(|bits| [bits, bits | 1 << 31])
            .map(f32::from_bits)
            .step_by(7)
            .collect();
        numbers.extend([0.0, -0.0, 1.0, -1.0, f32::INFINITY, f32::NAN, f32::MAX]);
        let middle = (f32::from_bits(0x3f80_0001) * 2.0f32.powi(-50), f32::from_bits(1 << 19 | 1));
        numbers.extend([middle.0, f32::from_bits(0x3f7f_fffe) * 2.0f32.powi(-100), middle.1]);
        for &x in &numbers {
            for &y in &numbers {
                for zs in numbers.chunks(4) {
                    let z: [f32; 4] = std::array::from_fn(|i| zs[i % zs.len()]);
                    let mut found = [0.0f32; 4];
                    // SAFETY: four f32 each.
                    unsafe {
                        let z = v128::load(z.as_ptr());
                        fma(f32x4_splat(x), f32x4_splat(y), z).store(found.as_mut_ptr());
                    }
                    for (found, z) in found.into_iter().zip(z) {
                        let expected = emulated(x, y, z);
                        assert!(
                            found.to_bits() == expected.to_bits()
                                || (found.is_nan() && expected.is_nan()),
                            "{x:e} · {y:e} + {z:e}: {found:e}, expected {expected:e}"
                        );
                    }
                }
            }
        }
    }

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
