//! The roofline loops with NEON: a streaming read, and the matrix products' multiply-adds in
//! registers only.

use std::{arch::aarch64::*, hint::black_box};

use super::dot::add_products;
use crate::scalar::{
    self,
    roofline::{CODES, NUMBERS},
};

#[target_feature(enable = "neon")]
pub(crate) fn sum(numbers: &[u64]) -> u64 {
    scalar::roofline::sum(numbers)
}

#[target_feature(enable = "neon")]
pub(crate) fn int8(rounds: u32, start: u8) -> i32 {
    // SAFETY: this function has NEON.
    unsafe { products::<false>(rounds, start) }
}

/// # Safety
/// The CPU has NEON, for `SDOT` also dotprod.
#[inline(always)]
pub(crate) unsafe fn products<const SDOT: bool>(rounds: u32, start: u8) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        let mut codes = [vdupq_n_s8(0); CODES];
        for (c, code) in codes.iter_mut().enumerate() {
            *code = vdupq_n_s8((start + c as u8) as i8);
        }
        let mut numbers = [vdupq_n_s8(0); NUMBERS];
        for (b, number) in numbers.iter_mut().enumerate() {
            *number = vdupq_n_s8((85 * b) as i8);
        }
        let mut sums = [[vdupq_n_s32(0); NUMBERS]; CODES];
        for _ in 0..rounds {
            for b in 0..NUMBERS {
                // The bytes change every round, so that no product can be reused.
                numbers[b] = vaddq_s8(numbers[b], vdupq_n_s8(1));
                for c in 0..CODES {
                    // 32 products are two instructions of 16. The second one's operand is hidden
                    // from the compiler, which would merge them.
                    sums[c][b] = add_products::<SDOT, 0>(sums[c][b], codes[c], numbers[b]);
                    sums[c][b] =
                        add_products::<SDOT, 1>(sums[c][b], codes[c], black_box(numbers[b]));
                }
            }
        }
        let mut total = 0i32;
        for sum in sums.into_iter().flatten() {
            total = total.wrapping_add(vaddvq_s32(sum));
        }
        total
    }
}
