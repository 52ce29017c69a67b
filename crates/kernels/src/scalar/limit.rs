//! The specification of the loop that only multiplies and adds: see [`crate::limit::int8`].

use crate::limit::CHAINS;

/// Chain c adds up 32 products a round, in eight lanes of i32 that wrap: of the byte `start + c` (below 128) and the
/// round's number from 1, as i8.
pub(crate) fn int8(rounds: u32, start: u8) -> i32 {
    let mut total = 0i32;
    for c in 0..CHAINS as u8 {
        for round in 1..=rounds {
            total = total.wrapping_add(i32::from(start + c) * i32::from(round as i8) * 32);
        }
    }
    total
}
