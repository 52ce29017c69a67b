//! Quantizers: bytes of Q8_0 as gguf-py writes them, an error of Q4_K no larger than llama.cpp's,
//! and what hostile numbers give. `python/quantize.py` writes the goldens.

use half::f16;
use kelvin_kernels::{
    format::Format,
    quantize::{can_quantize, quantize},
};

const GOLDENS: &str = include_str!("../goldens/quantize.txt");
const ROWS: usize = 64;
const COLS: usize = 1024;

/// The numbers that the script makes.
fn numbers() -> Vec<f32> {
    let mut state = 42u64;
    let mut bytes: Vec<u8> = Vec::new();
    while bytes.len() < 4 * ROWS * COLS {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend(state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    let number = |i: usize| {
        let sum: u32 = bytes[4 * i..4 * i + 4].iter().map(|&byte| u32::from(byte)).sum();
        let (row, side) = (i / COLS, if i / COLS % 4 == 3 { 0.0 } else { 510.0 });
        (sum as f32 - side) * f32::powi(0.5, (row % 8 + 4) as i32)
    };
    (0..ROWS * COLS).map(number).collect()
}

fn packed(format: Format, numbers: &[f32]) -> Vec<u8> {
    let mut out = vec![0xAA; numbers.len() / format.block_len() * format.block_bytes()];
    quantize(format, numbers, &mut out);
    out
}

fn back(format: Format, bytes: &[u8]) -> Vec<f32> {
    let mut numbers = vec![0.0; bytes.len() / format.block_bytes() * format.block_len()];
    format.dequantize(bytes, &mut numbers);
    numbers
}

fn golden(name: &str) -> &'static str {
    let line = GOLDENS.lines().find(|line| line.starts_with(name)).unwrap();
    line.split(' ').nth(1).unwrap()
}

/// The mean over rows of the root mean square of the error over that of the numbers.
fn error(numbers: &[f32], other: &[f32]) -> f64 {
    let square = |x: f32| f64::from(x).powi(2);
    let rows = numbers.chunks_exact(COLS).zip(other.chunks_exact(COLS)).map(|(row, other)| {
        let wrong: f64 = row.iter().zip(other).map(|(a, b)| square(b - a)).sum();
        (wrong / row.iter().map(|&x| square(x)).sum::<f64>()).sqrt()
    });
    rows.sum::<f64>() / (numbers.len() / COLS) as f64
}

#[test]
fn q8_0_has_the_bytes_of_gguf_py() {
    let bytes = packed(Format::Q8_0, &numbers());
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    assert_eq!(format!("{hash:016x}"), golden("Q8_0"));
}

#[test]
fn q4_k_errs_no_more_than_llama_cpp() {
    let numbers = numbers();
    let found = error(&numbers, &back(Format::Q4_K, &packed(Format::Q4_K, &numbers)));
    let theirs: f64 = golden("Q4_K").parse().unwrap();
    assert!(found <= 1.01 * theirs && found > 0.5 * theirs, "{found}, llama.cpp {theirs}");
}

#[test]
fn floats_are_rounded_to_the_nearest() {
    let numbers = [0.0, 1.0, -2.5, 65504.0, 1e-8, 0.1];
    assert_eq!(back(Format::F32, &packed(Format::F32, &numbers)), numbers);
    let halves: Vec<f32> = numbers.iter().map(|&x| f16::from_f32(x).to_f32()).collect();
    assert_eq!(back(Format::F16, &packed(Format::F16, &numbers)), halves);
    assert_eq!(back(Format::BF16, &packed(Format::BF16, &halves))[..3], numbers[..3]);
}

#[test]
fn what_a_format_holds_comes_back() {
    for format in [Format::Q8_0, Format::Q4_K] {
        let zeros = vec![0.0; 512];
        assert_eq!(back(format, &packed(format, &zeros)), zeros);
        // A constant to one side of zero, and one number alone.
        for (i, x) in [(0, 1.0), (300, -1.0)] {
            let mut one = vec![0.0; 512];
            one[i] = x;
            let found = back(format, &packed(format, &one));
            assert!((found[i] - x).abs() < 0.01, "{}: {}", format.name(), found[i]);
            assert!(found.iter().filter(|x| x.abs() > 0.01).count() == 1, "{}", format.name());
        }
        let constant = vec![0.75; 512];
        let found = back(format, &packed(format, &constant));
        assert!(found.iter().all(|x| (x - 0.75).abs() < 0.01), "{}: {}", format.name(), found[0]);
    }
}

#[test]
fn hostile_numbers_make_blocks_and_no_panic() {
    for hostile in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE] {
        let mut numbers = vec![0.5; 512];
        numbers[7] = hostile;
        for format in Format::ALL.into_iter().filter(|&format| can_quantize(format)) {
            packed(format, &numbers);
        }
    }
}
