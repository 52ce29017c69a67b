//! Benchmark of matrix products in shapes of real models, as shares of the roofline: int8
//! arithmetic for GEMM, memory bandwidth for GEMV. Compare the shares, not the single figures.
//!
//! `cargo bench -p kelvin-kernels` (optional arguments: threads, and a part of a format's name).
//! Formats whose shape isn't a real model's are measured at 4096x4096.

mod best;

use std::hint::black_box;

use best::best;
use kelvin_kernels::{
    activations::Activations,
    format::Format,
    isa::Isa,
    matmul::{Product, matmul},
    matrix::WeightMatrix,
    pool::Pool,
    roofline,
};

/// Samples; the fastest counts, since other processes may share the machine.
const SAMPLES: usize = 15;
/// Bytes of weights per sample, in several matrices, so that they come from memory and not from a
/// cache.
const BYTES: usize = 96 << 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let threads = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(0);
    let wanted =
        arguments.iter().find(|a| a.parse::<usize>().is_err()).cloned().unwrap_or_default();
    let pool = Pool::new(threads);
    let isa = Isa::best();
    let numbers = roofline::read_buffer().expect("memory");
    let read = best(SAMPLES, || {
        black_box(roofline::read(&pool, isa, black_box(&numbers)));
    });
    let read = (numbers.len() * 8) as f64 / read / 1e9;
    let rounds = 1 << 17;
    let int8 = best(SAMPLES, || {
        black_box(roofline::int8(&pool, isa, black_box(rounds)));
    });
    let int8 =
        f64::from(rounds) * (roofline::INT8_MULTIPLY_ADDS * pool.n_threads()) as f64 / int8 / 1e9;
    println!(
        "{} threads: read {read:.1} GB/s, int8 in registers {int8:.0} GMAC/s",
        pool.n_threads()
    );
    println!(
        "{:<18} {:>5} {:>9} {:>6} {:>9} {:>6}",
        "format, shape", "rows", "GMAC/s", "share", "GB/s", "share"
    );
    let real = [
        (Format::Q4_1, 1536, 576),
        (Format::Q5_0, 2048, 640),
        (Format::Q8_0, 32_768, 640),
        (Format::Q4_K, 4096, 4096),
        (Format::Q5_K, 4096, 4096),
        (Format::Q6_K, 4096, 4096),
    ];
    let others = Format::ALL.into_iter().filter(|f| real.iter().all(|(format, ..)| format != f));
    let others = others.map(|format| (format, 4096, 4096));
    for (format, rows, cols) in real.into_iter().chain(others) {
        if !format.name().contains(&wanted) {
            continue;
        }
        let row_bytes = cols / format.block_len() * format.block_bytes();
        let n_matrices = (BYTES / (rows * row_bytes)).max(1);
        let bytes = weights(format, rows * row_bytes);
        let matrices: Vec<WeightMatrix> = (0..n_matrices)
            .map(|_| WeightMatrix::new(&pool, format, rows, cols, &bytes).expect("memory"))
            .collect();
        for n in [1, 2, 4, 8, 16, 32, 128, 512] {
            // Large n takes long: fewer matrices.
            let matrices = &matrices[..(n_matrices * 8 / n).clamp(1, n_matrices)];
            let mut input = Activations::default();
            input.x.extend((0..n * cols).map(|i| (i % 97) as f32 - 48.0));
            input.quantize(&pool, isa, cols, [format]);
            let mut out = vec![0.0; n * rows];
            let secs = best(SAMPLES, || {
                for (i, weights) in matrices.iter().enumerate() {
                    let next = &matrices[(i + 1) % matrices.len()];
                    matmul(
                        &pool,
                        isa,
                        &input,
                        n,
                        &mut [Product { weights, out: &mut out }],
                        &[next],
                    );
                }
            });
            let macs = (n * rows * cols * matrices.len()) as f64 / secs / 1e9;
            let moved =
                matrices.iter().map(WeightMatrix::n_bytes).sum::<usize>() as f64 / secs / 1e9;
            println!(
                "{:<18} {n:>5} {macs:>9.1} {:>5.0}% {moved:>9.2} {:>5.0}%",
                format!("{format:?} {rows}x{cols}"),
                100.0 * macs / int8,
                100.0 * moved / read
            );
        }
    }
}

/// Bytes of weights. Floats are normal numbers: denormal ones take a hundred times as long.
fn weights(format: Format, n: usize) -> Vec<u8> {
    let number = |i: usize| (i * 31 % 61) as f32 - 30.5;
    let floats = 0..n / format.block_bytes();
    match format {
        Format::F32 => floats.flat_map(|i| number(i).to_le_bytes()).collect(),
        Format::F16 => floats.flat_map(|i| half::f16::from_f32(number(i)).to_le_bytes()).collect(),
        Format::BF16 => {
            floats.flat_map(|i| half::bf16::from_f32(number(i)).to_le_bytes()).collect()
        }
        _ => (0..n).map(|i| (i * 31 % 61) as u8).collect(),
    }
}
