//! The specification of the roofline loops: see [`crate::roofline`].

/// [`int8`] multiplies each of `CODES` constant vectors with each of `NUMBERS` vectors that change
/// every round. Each pair has its own accumulator, and all of it fits sixteen registers.
pub(crate) const CODES: usize = 3;
pub(crate) const NUMBERS: usize = 2;

/// The wrapping sum of all numbers.
pub(crate) fn sum(numbers: &[u64]) -> u64 {
    // A plain fold, which compilers vectorize.
    numbers.iter().fold(0, |sum, x| sum.wrapping_add(*x))
}

/// In each round 32 products of each code with each number, summed with wrapping. Code c is the
/// byte `start + c` (below 128); number b in round r is the low byte of `r + 85·b` as i8.
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
