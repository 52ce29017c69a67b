//! What this machine can do right now: the limits that decoding and prompts run against, and the sign by which a sample that
//! was disturbed by the machine's other tenants is known.

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use kelvin_kernels::{isa::Isa, limit, pool::Pool};
use serde::Serialize;

/// Passes over the buffer, and rounds of multiplications: some 30 ms each with one thread or two.
const N_PASSES: usize = 4;
const INT8_ROUNDS: u32 = 1 << 19;

/// Loops that do nothing but read, and nothing but multiply.
pub struct Reference {
    numbers: Vec<u64>,
    isa: Isa,
    /// One for each number of threads.
    pools: BTreeMap<usize, Pool>,
}

/// What the loops reached.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Limits {
    /// A plain read of 256 MiB, 10^9 bytes a second.
    pub read_gb_per_sec: f64,
    /// `vpmaddubsw`, `vpmaddwd` and `vpaddd` in registers: multiplications and additions, 10^9 a second.
    pub int8_giga_ops_per_sec: f64,
}

impl Reference {
    /// Allocates and touches the buffer.
    pub fn new(threads: &[usize]) -> Reference {
        Reference {
            numbers: (0..(limit::READ_BYTES / 8) as u64).collect(),
            isa: Isa::best(),
            pools: threads.iter().map(|&n| (n, Pool::new(n))).collect(),
        }
    }

    /// Runs both loops with `threads` threads, one of the numbers that `new` was told.
    pub fn now(&self, threads: usize) -> Limits {
        let pool = &self.pools[&threads];
        // Threads that sleep would be late.
        pool.run(threads, &|_| ());
        let begin = Instant::now();
        for _ in 0..N_PASSES {
            black_box(limit::read(pool, self.isa, black_box(&self.numbers)));
        }
        let read = (limit::READ_BYTES * N_PASSES) as f64 / begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        black_box(limit::int8(pool, self.isa, black_box(INT8_ROUNDS)));
        let multiply_adds = limit::INT8_MULTIPLY_ADDS as f64 * f64::from(INT8_ROUNDS) * threads as f64;
        let int8 = 2.0 * multiply_adds / begin.elapsed().as_secs_f64();
        Limits { read_gb_per_sec: read / 1e9, int8_giga_ops_per_sec: int8 / 1e9 }
    }
}

impl Limits {
    /// The worse of each.
    pub fn min(self, other: Limits) -> Limits {
        Limits {
            read_gb_per_sec: self.read_gb_per_sec.min(other.read_gb_per_sec),
            int8_giga_ops_per_sec: self.int8_giga_ops_per_sec.min(other.int8_giga_ops_per_sec),
        }
    }

    /// Whether both reach this share of the best.
    pub fn reach(self, share: f64, best: Limits) -> bool {
        self.read_gb_per_sec >= share * best.read_gb_per_sec
            && self.int8_giga_ops_per_sec >= share * best.int8_giga_ops_per_sec
    }

    /// What the best tenth of several runs reached at least, each loop for itself. The single best is no measure of a machine
    /// that others use as well: for moments it gives far more than its share.
    pub fn best(of: &[Limits]) -> Limits {
        let at = |loop_of: fn(&Limits) -> f64| {
            let mut all: Vec<f64> = of.iter().map(loop_of).collect();
            all.sort_by(|a, b| b.total_cmp(a));
            all.get(all.len() / 10).copied().unwrap_or(0.0)
        };
        Limits {
            read_gb_per_sec: at(|l| l.read_gb_per_sec),
            int8_giga_ops_per_sec: at(|l| l.int8_giga_ops_per_sec),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fluke_is_not_the_best() {
        let runs: Vec<Limits> = (1..=20)
            .map(|i| Limits {
                read_gb_per_sec: if i == 7 { 900.0 } else { f64::from(i) },
                int8_giga_ops_per_sec: f64::from(100 - i),
            })
            .collect();
        let best = Limits::best(&runs);
        assert_eq!((best.read_gb_per_sec, best.int8_giga_ops_per_sec), (19.0, 97.0));
        assert_eq!(Limits::best(&runs[..1]).int8_giga_ops_per_sec, 99.0);
        let slow = Limits { read_gb_per_sec: 19.0, int8_giga_ops_per_sec: 80.0 };
        assert!(!slow.reach(0.88, best) && best.reach(0.88, best));
    }
}
