//! The fused multiply-add of four f32. WebAssembly has none: it is emulated in f64. Where a module
//! may use relaxed SIMD, there is an instruction that rounds once or twice, as the machine likes;
//! [`is_fused`] says which.

#[cfg(not(target_feature = "relaxed-simd"))]
pub(super) use emulation::fma;
#[cfg(target_feature = "relaxed-simd")]
pub(super) use relaxed::fma;

/// Whether [`fma`] rounds once here.
pub(crate) fn is_fused() -> bool {
    #[cfg(target_feature = "relaxed-simd")]
    return relaxed::is_fused();
    #[cfg(not(target_feature = "relaxed-simd"))]
    true
}

#[cfg(target_feature = "relaxed-simd")]
mod relaxed {
    use std::arch::wasm32::*;

    /// `x·y + z` by relaxed SIMD's instruction.
    #[inline(always)]
    pub(in super::super) fn fma(x: v128, y: v128, z: v128) -> v128 {
        f32x4_relaxed_madd(x, y, z)
    }

    /// Whether the instruction rounds once. It does so always or never. (WebAssembly's
    /// specification of relaxed SIMD)
    pub(super) fn is_fused() -> bool {
        // The square is 1 + 2^-11 + 2^-24, of which two roundings lose the last term.
        let (x, z) = std::hint::black_box((1.0 + 1.0 / 4096.0, -1.0 - 1.0 / 2048.0));
        let rest = fma(f32x4_splat(x), f32x4_splat(x), f32x4_splat(z));
        f32x4_extract_lane::<0>(rest) == 1.0 / (1 << 24) as f32
    }
}

#[cfg(not(target_feature = "relaxed-simd"))]
mod emulation {
    use std::arch::wasm32::*;

    /// `x·y + z` with one rounding.
    ///
    /// Product and sum in f64, as in `fma::emulated`. The sum was rounded to f64, so it is rounded
    /// twice; that can matter only where it lies in the middle of two f32. In f32's normal range a
    /// middle has the bits 1000… below f32's last place. Subnormal results have their middles
    /// elsewhere: all of them count as suspect, and zero with them. Suspects take the longer way.
    #[inline(always)]
    pub(in super::super) fn fma(x: v128, y: v128, z: v128) -> v128 {
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
}

#[cfg(test)]
mod tests {
    use std::arch::wasm32::*;

    use super::*;
    use crate::{fma::emulated, vector::Vector};

    /// Numbers at the borders of the format and in between, each with each: four lanes at once.
    #[test]
    fn four_lanes_round_once() {
        assert!(is_fused());
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
}
