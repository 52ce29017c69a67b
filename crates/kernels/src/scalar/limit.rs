//! The specification of the loops that only read, and only multiply and add: see [`crate::limit`].

use crate::limit::{CODES, NUMBERS};

/// The sum of all numbers, wrapping.
pub(crate) fn sum(numbers: &[u64]) -> u64 {
    // A plain fold: compilers make several vectors of sums of it.
    numbers.iter().fold(0, |sum, x| sum.wrapping_add(*x))
}

/// 32 products a round of each code with each number, and their sum, wrapping. Code c is the byte `start + c` (below 128),
/// number b in round r is the low byte of `r + 85·b` as i8.
pub(crate) fn int8(rounds: u32, start: u8) -> i32 {
    let mut total = 0i32;
    for c in 0..CODES as u8 {
        for b in 0..NUMBERS as u32 {
            for round in 1..=rounds {
                let number = i32::from(round.wrapping_add(85 * b) as i8);
                total = total.wrapping_add(i32::from(start + c) * number * 32);
            }
        }
    }
    total
}
