//! Measures the two limits of a roofline model: memory bandwidth and int8 multiply-adds per second.
//!
//! Decode is bound by memory bandwidth, prefill by arithmetic. The caller times these loops; a
//! kernel's speed is then given as a share of the limit that binds it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    isa::{Isa, dispatch},
    memory::{Arena, Buffer, NoMemory},
    pool::Pool,
    scalar::roofline::{CODES, NUMBERS},
};

/// Bytes that [`read`] should stream: more than any cache holds.
pub const READ_BYTES: usize = 256 << 20;

/// int8 multiply-adds in one round of [`int8`] on one thread.
pub const INT8_MULTIPLY_ADDS: usize = 32 * CODES * NUMBERS;

/// Allocates [`READ_BYTES`] for [`read`], in huge pages like weights: with small pages TLB misses
/// halve the bandwidth.
///
/// # Errors
/// If the system has no memory left.
pub fn read_buffer() -> Result<Buffer<u64>, NoMemory> {
    let mut numbers = Arena::new().alloc(READ_BYTES / size_of::<u64>())?;
    // Untouched pages all map to one physical page of zeros, which would stay in the cache.
    numbers.fill(1);
    Ok(numbers)
}

/// Memory bandwidth: reads `numbers` once, one contiguous part per thread, and returns their
/// wrapping sum.
pub fn read(pool: &Pool, isa: Isa, numbers: &[u64]) -> u64 {
    let part = numbers.len().div_ceil(pool.n_threads()).max(1);
    let total = AtomicU64::new(0);
    pool.run(pool.n_threads(), &|i| {
        let mine = numbers.chunks(part).nth(i).unwrap_or(&[]);
        total.fetch_add(dispatch!(isa, roofline::sum(mine)), Ordering::Relaxed);
    });
    total.into_inner()
}

/// Peak int8 arithmetic: `rounds` rounds of [`INT8_MULTIPLY_ADDS`] in registers on each thread.
/// Returns a sum that depends on every product, so that the compiler can't remove any.
pub fn int8(pool: &Pool, isa: Isa, rounds: u32) -> u64 {
    let total = AtomicU64::new(0);
    pool.run(pool.n_threads(), &|i| {
        let sum = dispatch!(isa, roofline::int8(rounds, i as u8 % 64));
        total.fetch_add(u64::from(sum as u32), Ordering::Relaxed);
    });
    total.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_does_the_same_work() {
        let numbers: Vec<u64> =
            (0..1001u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
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
