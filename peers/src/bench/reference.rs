//! What this machine can do right now: the limits that decoding and prompts run against, and the
//! sign by which a round is known that the machine's other tenants disturbed.

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use kelvin_kernels::{
    isa::Isa,
    memory::{Buffer, NoMemory},
    pool::Pool,
    roofline,
};
use serde::Serialize;

/// Passes over the buffer, and rounds of multiplications: some 70 ms each, so that a moment doesn't
/// decide.
const N_PASSES: usize = 16;
const INT8_ROUNDS: u32 = 1 << 20;

/// Loops that do nothing but read, and nothing but multiply.
pub struct Reference {
    numbers: Buffer<u64>,
    isa: Isa,
    /// One for each number of threads.
    pools: BTreeMap<usize, Pool>,
}

/// What the loops reached.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Limits {
    /// A plain read of 256 MiB, 10^9 bytes a second.
    pub read_gb_per_sec: f64,
    /// `vpmaddubsw`, `vpmaddwd` and `vpaddd` in registers: multiplications and additions, 10^9 a
    /// second.
    pub int8_giga_ops_per_sec: f64,
}

impl Reference {
    /// Allocates and touches the buffer.
    pub fn new(threads: &[usize]) -> Result<Reference, NoMemory> {
        Ok(Reference {
            numbers: roofline::read_buffer()?,
            isa: Isa::best(),
            pools: threads.iter().map(|&n| (n, Pool::new(n))).collect(),
        })
    }

    /// Runs both loops with `threads` threads, one of the numbers that `new` was told.
    pub fn now(&self, threads: usize) -> Limits {
        let pool = &self.pools[&threads];
        // Threads that sleep would be late.
        pool.run(threads, &|_| ());
        let begin = Instant::now();
        for _ in 0..N_PASSES {
            black_box(roofline::read(pool, self.isa, black_box(&self.numbers)));
        }
        let read = (roofline::READ_BYTES * N_PASSES) as f64 / begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        black_box(roofline::int8(pool, self.isa, black_box(INT8_ROUNDS)));
        let multiply_adds =
            roofline::INT8_MULTIPLY_ADDS as f64 * f64::from(INT8_ROUNDS) * threads as f64;
        let int8 = 2.0 * multiply_adds / begin.elapsed().as_secs_f64();
        Limits { read_gb_per_sec: read / 1e9, int8_giga_ops_per_sec: int8 / 1e9 }
    }
}

/// What the loops of a run reached: on a machine that others use as well, the memory's share in
/// particular comes and goes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    pub least: Limits,
    pub median: Limits,
    pub greatest: Limits,
}

impl Spread {
    /// Each loop for itself; `all` isn't empty.
    pub fn of(all: &[Limits]) -> Spread {
        let sorted = |of: fn(&Limits) -> f64| {
            let mut speeds: Vec<f64> = all.iter().map(of).collect();
            speeds.sort_by(f64::total_cmp);
            speeds
        };
        let (read, int8) = (sorted(|l| l.read_gb_per_sec), sorted(|l| l.int8_giga_ops_per_sec));
        let at = |i: usize| Limits { read_gb_per_sec: read[i], int8_giga_ops_per_sec: int8[i] };
        Spread { least: at(0), median: at(all.len() / 2), greatest: at(all.len() - 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_takes_each_loop_for_itself() {
        let run = |read, int8| Limits { read_gb_per_sec: read, int8_giga_ops_per_sec: int8 };
        let spread = Spread::of(&[run(3.0, 10.0), run(1.0, 30.0), run(2.0, 20.0)]);
        let both = |l: Limits| (l.read_gb_per_sec, l.int8_giga_ops_per_sec);
        assert_eq!(both(spread.least), (1.0, 10.0));
        assert_eq!((both(spread.median), both(spread.greatest)), ((2.0, 20.0), (3.0, 30.0)));
    }
}
