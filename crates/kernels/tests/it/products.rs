//! Matrix products: every instruction set, thread count and batch size gives the same bits, near
//! f64 arithmetic.

use kelvin_kernels::{
    activations::Activations,
    format::Format,
    isa::Isa,
    matmul::{Product, matmul},
    matrix::WeightMatrix,
    pool::Pool,
};

/// A small deterministic generator (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// Random bytes of a tensor, with float factors of moderate size.
fn tensor(random: &mut Random, format: Format, rows: usize, cols: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..rows * cols / format.block_len() {
        let mut block: Vec<u8> = (0..format.block_bytes()).map(|_| random.next() as u8).collect();
        match format {
            Format::F32 => block.copy_from_slice(&random.unit().to_le_bytes()),
            Format::F16 => {
                block.copy_from_slice(&half::f16::from_f32(random.unit() * 0.01).to_le_bytes())
            }
            Format::BF16 => {
                block.copy_from_slice(&half::bf16::from_f32(random.unit()).to_le_bytes())
            }
            _ => format.set_factors(&mut block, random.unit() * 0.01, random.unit() * 0.01),
        }
        bytes.extend(block);
    }
    bytes
}

fn product(pool: &Pool, isa: Isa, weights: &WeightMatrix, x: &[f32], n: usize) -> Vec<f32> {
    let mut input = Activations::default();
    input.x.extend(x);
    input.quantize(pool, isa, weights.cols(), [weights.format()]);
    let mut out = vec![0.0; n * weights.rows()];
    matmul(pool, isa, &input, n, &mut [Product { weights, out: &mut out }], &[weights]);
    out
}

#[test]
fn every_format_is_the_same_for_all_instruction_sets_threads_and_batches_and_near_the_truth() {
    let pools = [Pool::new(1), Pool::new(2), Pool::new(3)];
    let mut random = Random(42);
    for format in Format::ALL {
        for (rows, cols) in [(8, 256), (21, 512), (96, 512), (133, 768)] {
            let bytes = tensor(&mut random, format, rows, cols);
            let weights = WeightMatrix::new(&pools[1], format, rows, cols, &bytes).unwrap();
            // A whole tile of tokens and a partial one.
            let n = 19;
            let x: Vec<f32> = (0..n * cols).map(|_| random.unit() * 2.0).collect();
            let spec = product(&pools[0], Isa::SCALAR, &weights, &x, n);
            for isa in Isa::all() {
                for pool in &pools {
                    let found = product(pool, isa, &weights, &x, n);
                    assert_eq!(spec, found, "{format:?} {rows}x{cols}, {}", isa.name());
                }
            }
            // GEMV: one token has kernels of its own, which take many row groups at once.
            for t in [0, n - 1] {
                for isa in Isa::all() {
                    for pool in &pools {
                        let alone = product(pool, isa, &weights, &x[t * cols..(t + 1) * cols], 1);
                        let what =
                            format!("{format:?} {rows}x{cols} token {t} alone, {}", isa.name());
                        assert_eq!(alone, spec[t * rows..(t + 1) * rows], "{what}");
                    }
                }
            }
            // Few tokens have kernels by their number, and some row groups at once.
            for few in 2..=6 {
                for isa in Isa::all() {
                    for pool in &pools {
                        let found = product(pool, isa, &weights, &x[..few * cols], few);
                        let what = format!("{format:?} {rows}x{cols} {few} tokens, {}", isa.name());
                        assert_eq!(found, spec[..few * rows], "{what}");
                    }
                }
            }
            let (mut w, mut expanded) = (vec![0.0; cols], vec![0.0; cols]);
            for row in 0..rows {
                weights.row(row, &mut w);
                format.dequantize(
                    &bytes[row * bytes.len() / rows..(row + 1) * bytes.len() / rows],
                    &mut expanded,
                );
                assert_eq!(w, expanded, "{format:?}: row {row} repacked and in the file");
                for t in 0..n {
                    let x = &x[t * cols..(t + 1) * cols];
                    let truth: f64 =
                        w.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                    // Rounding an activation errs by at most half a step of max/127, here 2/127/2
                    // each.
                    let bound: f64 =
                        w.iter().map(|w| f64::from(w.abs())).sum::<f64>() / 127.0 + 1e-5;
                    let got = f64::from(spec[t * rows + row]);
                    assert!((got - truth).abs() <= bound, "{format:?}: {got} {truth} {bound}");
                }
            }
        }
    }
}

#[test]
fn extreme_codes_do_not_overflow() {
    let pool = Pool::new(1);
    for format in Format::ALL {
        if format.block_len() == 1 {
            continue;
        }
        for fill in [0x00u8, 0x7f, 0x80, 0xff] {
            let (rows, cols) = (8, 512);
            let mut bytes = vec![fill; rows * cols / format.block_len() * format.block_bytes()];
            for block in bytes.chunks_exact_mut(format.block_bytes()) {
                format.set_factors(block, 1.0, 1.0);
            }
            let weights = WeightMatrix::new(&pool, format, rows, cols, &bytes).unwrap();
            for sign in [1.0, -1.0] {
                let x = vec![sign; cols];
                let a = product(&pool, Isa::SCALAR, &weights, &x, 1);
                for isa in Isa::all() {
                    assert_eq!(
                        a,
                        product(&pool, isa, &weights, &x, 1),
                        "{format:?} {fill:#x}, {}",
                        isa.name()
                    );
                }
                let mut w = vec![0.0; cols];
                weights.row(0, &mut w);
                let truth: f32 = w.iter().map(|w| w * sign).sum();
                assert!(
                    (a[0] - truth).abs() <= truth.abs() * 1e-5,
                    "{format:?} {fill:#x} {} {truth}",
                    a[0]
                );
            }
        }
    }
}

#[test]
fn numbers_that_are_not_finite_are_not_lost() {
    let pool = Pool::new(1);
    let mut random = Random(7);
    for format in [Format::Q4_1, Format::Q4_K] {
        let weights =
            WeightMatrix::new(&pool, format, 8, 256, &tensor(&mut random, format, 8, 256)).unwrap();
        for bad in [f32::NAN, f32::INFINITY] {
            let mut x = vec![0.5; 256];
            x[77] = bad;
            for isa in Isa::all() {
                assert!(
                    product(&pool, isa, &weights, &x, 1).iter().all(|y| !y.is_finite()),
                    "{format:?} {bad}"
                );
            }
        }
    }
}

#[test]
fn quantized_activations_agree_on_awkward_numbers() {
    let pool = Pool::new(1);
    let mut random = Random(9);
    let weights =
        WeightMatrix::new(&pool, Format::Q8_0, 8, 32, &tensor(&mut random, Format::Q8_0, 8, 32))
            .unwrap();
    for scale in [0.0f32, 1e-45, 1e-38, 1e-31, 1e-20, 1.0, 1e20, 3e38] {
        let x: Vec<f32> = (0..32).map(|_| random.unit() * scale).collect();
        let a = product(&pool, Isa::SCALAR, &weights, &x, 1);
        for isa in Isa::all() {
            let b = product(&pool, isa, &weights, &x, 1);
            assert!(
                a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits()),
                "{scale}: {a:?} {b:?}"
            );
        }
    }
}

/// Blocks of random bytes, so with any factors: NaN, infinite, subnormal, extreme.
#[test]
fn hostile_factors_give_the_same_bits_for_all_instruction_sets() {
    let pool = Pool::new(1);
    let mut random = Random(11);
    for format in Format::ALL {
        let (rows, cols, n) = (40, 512, 3);
        let n_bytes = rows * cols / format.block_len() * format.block_bytes();
        let mut bytes: Vec<u8> = (0..n_bytes).map(|_| random.next() as u8).collect();
        // Each kind of factor in the first blocks: infinite, NaN, 0, E8M0's and E4M3's extremes.
        for (block, fill) in bytes.chunks_exact_mut(format.block_bytes()).zip([
            [0x00, 0x7c],
            [0x00, 0xfc],
            [0xff, 0xff],
            [0x00, 0x00],
            [0x00, 0x80],
            [0xfe, 0x7f],
            [0x7f, 0x01],
        ]) {
            block.chunks_mut(2).for_each(|two| two.copy_from_slice(&fill[..two.len()]));
        }
        let weights = WeightMatrix::new(&pool, format, rows, cols, &bytes).unwrap();
        let x: Vec<f32> = (0..n * cols).map(|_| random.unit() * 2.0).collect();
        let bits = |isa, n: usize| -> Vec<u32> {
            let out = product(&pool, isa, &weights, &x[..n * cols], n);
            out.iter().map(|y| if y.is_nan() { 0x7fc0_0000 } else { y.to_bits() }).collect()
        };
        for isa in Isa::all() {
            for n in [1, n] {
                assert_eq!(bits(Isa::SCALAR, n), bits(isa, n), "{format:?}, {}", isa.name());
            }
        }
    }
}
