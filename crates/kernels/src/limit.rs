//! Work with nothing around it, for somebody with a clock to time: what this machine's memory and integer units can do at most.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    isa::{Isa, dispatch},
    memory::{Arena, Block, NoMemory},
    pool::Pool,
};

/// Bytes of a buffer that no cache holds, for [`read`].
pub const READ_BYTES: usize = 256 << 20;

/// Multiplications of two bytes, each with its addition, in one round of [`int8`] on one thread.
pub const INT8_MULTIPLY_ADDS: usize = 32 * CODES * NUMBERS;

/// Bytes that keep their value, and bytes that change with the round: each of the first meets each of the second. So many
/// products have a sum each that waits for no other, and all of it fits into sixteen registers.
pub(crate) const CODES: usize = 3;
pub(crate) const NUMBERS: usize = 2;

/// [`READ_BYTES`] of numbers for [`read`], in memory like that of weights: with small pages a read finds its way half as fast.
///
/// # Errors
/// If there is no memory.
pub fn numbers() -> Result<Block<u64>, NoMemory> {
    let mut numbers = Arena::new().take(READ_BYTES / size_of::<u64>())?;
    // A page that nobody has written to is one and the same page of zeros.
    numbers.fill(1);
    Ok(numbers)
}

/// Reads `numbers` once, each thread its own part, and returns their sum.
pub fn read(pool: &Pool, isa: Isa, numbers: &[u64]) -> u64 {
    let part = numbers.len().div_ceil(pool.n_threads()).max(1);
    let total = AtomicU64::new(0);
    pool.run(pool.n_threads(), &|i| {
        let mine = numbers.chunks(part).nth(i).unwrap_or(&[]);
        total.fetch_add(dispatch!(isa, limit::sum(mine)), Ordering::Relaxed);
    });
    total.into_inner()
}

/// Multiplies and adds bytes that are in registers: `rounds` times on each thread. Returns a sum that depends on all of them.
pub fn int8(pool: &Pool, isa: Isa, rounds: u32) -> u64 {
    let total = AtomicU64::new(0);
    pool.run(pool.n_threads(), &|i| {
        let sum = dispatch!(isa, limit::int8(rounds, i as u8 % 64));
        total.fetch_add(u64::from(sum as u32), Ordering::Relaxed);
    });
    total.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_does_the_same_work() {
        let numbers: Vec<u64> = (0..1001u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        for (threads, rounds) in [(1, 0), (1, 5), (2, 1000), (3, 77)] {
            let pool = Pool::new(threads);
            assert_eq!(int8(&pool, Isa::SCALAR, rounds), int8(&pool, Isa::best(), rounds));
            for n in [0, 1, 3, 64, 1001] {
                let sum = numbers[..n].iter().fold(0u64, |sum, x| sum.wrapping_add(*x));
                assert_eq!(read(&pool, Isa::SCALAR, &numbers[..n]), sum);
                assert_eq!(read(&pool, Isa::best(), &numbers[..n]), sum);
            }
        }
        assert_ne!(int8(&Pool::new(1), Isa::SCALAR, 5), int8(&Pool::new(1), Isa::SCALAR, 6));
    }
}
