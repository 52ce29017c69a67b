//! What a product of a few rows costs beside that of one row, in shapes of real models: medians of
//! rounds in which each number of rows is timed just after a single row, on one thread, in time of
//! the processor, so that the ratios hold beside other processes too.
//!
//! `cargo bench -p kelvin-kernels --bench few_rows` (optional argument: a part of a format's name).
//! `KELVIN_ISA` chooses the instructions.

use std::{fs::read_to_string, thread::yield_now};

use kelvin_kernels::{
    activations::Activations,
    format::Format,
    isa::Isa,
    matmul::{Product, matmul},
    matrix::WeightMatrix,
    pool::Pool,
};

/// Bytes of weights of a round, so that they come from memory and not from a cache.
const BYTES: usize = 128 << 20;
const ROUNDS: usize = 15;
const ROWS: [usize; 7] = [2, 3, 4, 5, 6, 8, 16];

/// Seconds that this thread was on a processor. The system counts them when a thread yields.
fn on_cpu() -> f64 {
    yield_now();
    let stat = read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0.0) / 1e9
}

fn main() {
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let (pool, isa) = (Pool::new(1), Isa::best());
    println!("{}, one thread: time of the product of n rows in those of one row", isa.name());
    print!("{:<20} {:>8}", "format, shape", "GB/s (1)");
    ROWS.iter().for_each(|n| print!("{n:>7}"));
    println!();
    let shapes = [
        (Format::Q4_1, 1536, 576),
        (Format::Q5_0, 4864, 896),
        (Format::Q8_0, 4864, 896),
        (Format::Q4_K, 8960, 1536),
        (Format::Q5_K, 8960, 1536),
        (Format::Q6_K, 8960, 1536),
    ];
    for (format, rows, cols) in shapes {
        if !format.name().contains(&wanted) {
            continue;
        }
        let row_bytes = cols / format.block_len() * format.block_bytes();
        let bytes: Vec<u8> = (0..rows * row_bytes).map(|i| (i * 31 % 61) as u8).collect();
        let n_matrices = BYTES.div_ceil(rows * row_bytes);
        let matrix = |_| WeightMatrix::new(&pool, format, rows, cols, &bytes).expect("memory");
        let matrices: Vec<WeightMatrix> = (0..n_matrices).map(matrix).collect();
        let time = |n: usize| {
            let mut input = Activations::default();
            input.x.extend((0..n * cols).map(|i| (i % 97) as f32 - 48.0));
            input.quantize(&pool, isa, cols, [format]);
            let mut out = vec![0.0; n * rows];
            let begun = on_cpu();
            for (i, weights) in matrices.iter().enumerate() {
                let next = &matrices[(i + 1) % matrices.len()];
                let product = Product { weights, out: &mut out };
                matmul(&pool, isa, &input, n, &mut [product], &[next]);
            }
            on_cpu() - begun
        };
        let (mut ratios, mut singles) = (vec![Vec::new(); ROWS.len()], Vec::new());
        for _ in 0..ROUNDS {
            for (&n, ratios) in ROWS.iter().zip(&mut ratios) {
                let (before, secs, after) = (time(1), time(n), time(1));
                ratios.push(secs / f64::midpoint(before, after));
                singles.push(before);
            }
        }
        let read = (n_matrices * rows * row_bytes) as f64 / median(&mut singles) / 1e9;
        print!("{:<20} {read:>8.2}", format!("{format:?} {rows}x{cols}"));
        ratios.iter_mut().for_each(|ratios| print!("{:>7.2}", median(ratios)));
        println!();
    }
}

fn median(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
