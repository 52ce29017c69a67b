//! The two limits of this machine that bind a model's speed: memory bandwidth and int8 arithmetic.

use std::{hint::black_box, time::Instant};

use kelvin_kernels::{isa::Isa, pool::Pool, roofline};

/// Rounds of the arithmetic loop, which then takes about as long as the reading loop.
const INT8_ROUNDS: u32 = 1 << 17;

/// Speeds of the machine, at a moment or at its best.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) gb_per_sec: f64,
    pub(crate) giga_ops_per_sec: f64,
}

/// Measures the machine's speed. `numbers` is [`roofline::read_buffer`].
pub(crate) fn measure(pool: &Pool, isa: Isa, numbers: &[u64]) -> Limits {
    // Wakes all threads before the measurement.
    pool.run(pool.n_threads(), &|_| ());
    let begun = Instant::now();
    black_box(roofline::read(pool, isa, black_box(numbers)));
    let gb_per_sec = roofline::READ_BYTES as f64 / begun.elapsed().as_secs_f64() / 1e9;
    let begun = Instant::now();
    black_box(roofline::int8(pool, isa, black_box(INT8_ROUNDS)));
    let multiply_adds =
        roofline::INT8_MULTIPLY_ADDS as f64 * f64::from(INT8_ROUNDS) * pool.n_threads() as f64;
    let giga_ops_per_sec = 2.0 * multiply_adds / begun.elapsed().as_secs_f64() / 1e9;
    Limits { gb_per_sec, giga_ops_per_sec }
}
