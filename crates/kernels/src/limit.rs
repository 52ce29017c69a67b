//! Work with nothing around it, for somebody with a clock to time: what this machine's memory and integer units can do at most.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    isa::{Isa, dispatch},
    pool::Pool,
};

/// Multiplications of two int8 and additions of a product in one round of [`int8`], for each thread.
pub const INT8_MULTIPLY_ADDS: usize = 32 * CHAINS;

/// Sums that don't wait for each other, so that the units are never idle.
pub(crate) const CHAINS: usize = 8;

/// Reads `numbers` once, each thread its own part, and returns their sum.
pub fn read(pool: &Pool, numbers: &[u64]) -> u64 {
    let part = numbers.len().div_ceil(pool.n_threads()).max(1);
    let total = AtomicU64::new(0);
    pool.run(pool.n_threads(), &|i| {
        let mine = numbers.chunks(part).nth(i).unwrap_or(&[]);
        // A plain fold: compilers make several vectors of sums of it.
        let sum = mine.iter().fold(0u64, |sum, x| sum.wrapping_add(*x));
        total.fetch_add(sum, Ordering::Relaxed);
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
        for (threads, rounds) in [(1, 0), (1, 5), (2, 1000)] {
            let pool = Pool::new(threads);
            assert_eq!(int8(&pool, Isa::SCALAR, rounds), int8(&pool, Isa::best(), rounds));
        }
        let numbers: Vec<u64> = (0..1001).collect();
        assert_eq!(read(&Pool::new(3), &numbers), 500_500);
    }
}
