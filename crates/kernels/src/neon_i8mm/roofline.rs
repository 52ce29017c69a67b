//! The roofline loops with `smmla`: see `neon::roofline`.

use std::{arch::aarch64::*, hint::black_box};

use super::matmul::smmla;
pub(crate) use crate::neon::roofline::sum;
use crate::scalar::roofline::{CODES, NUMBERS};

#[target_feature(enable = "neon,i8mm")]
pub(crate) fn int8(rounds: u32, start: u8) -> i32 {
    let mut sums = [[vdupq_n_s32(0); NUMBERS]; CODES];
    let mut numbers: [int8x16_t; NUMBERS] = [0, 85].map(|number| vdupq_n_s8(number));
    for _ in 0..rounds {
        for (b, number) in numbers.iter_mut().enumerate() {
            // The bytes change every round, so that no product can be reused.
            *number = black_box(vaddq_s8(*number, vdupq_n_s8(1)));
            for (c, sums) in sums.iter_mut().enumerate() {
                // 32 products in one instruction: two rows with two.
                sums[b] = smmla(sums[b], *number, vdupq_n_s8((start + c as u8) as i8));
            }
        }
    }
    let all = sums.into_iter().flatten();
    all.fold(0i32, |total, sum| total.wrapping_add(vaddvq_s32(sum)))
}
