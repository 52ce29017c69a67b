//! How fast this machine reads memory right now: the limit that decoding runs against, and the sign by which a sample that
//! was disturbed by the machine's other tenants is known.

use std::{hint::black_box, thread, time::Instant};

/// Larger than any cache.
const BUFFER_BYTES: usize = 256 << 20;
const N_PASSES: usize = 4;

/// A buffer to read.
pub struct Reference {
    buffer: Vec<u64>,
}

impl Reference {
    /// Allocates and touches the buffer.
    pub fn new() -> Reference {
        Reference { buffer: (0..(BUFFER_BYTES / 8) as u64).collect() }
    }

    /// Reads the buffer a few times with `threads` threads, each its own part. Returns 10^9 bytes a second.
    pub fn gb_per_sec(&self, threads: usize) -> f64 {
        let part = self.buffer.len().div_ceil(threads);
        let begin = Instant::now();
        thread::scope(|scope| {
            for numbers in self.buffer.chunks(part) {
                scope.spawn(move || {
                    for _ in 0..N_PASSES {
                        black_box(sum(black_box(numbers)));
                    }
                });
            }
        });
        (BUFFER_BYTES * N_PASSES) as f64 / begin.elapsed().as_secs_f64() / 1e9
    }
}

/// A plain fold: compilers make several vectors of sums of it. Sums kept side by side by hand came out three times
/// slower than the memory.
fn sum(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |sum, x| sum.wrapping_add(*x))
}
