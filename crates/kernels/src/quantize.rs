//! Floats to the bytes of a format, as a GGUF file stores them: F32, F16, BF16, Q8_0 and Q4_K.
//!
//! This is for models that come unquantized. The inverse is [`Format::dequantize`]. Rows are
//! independent, and the bytes depend on the numbers alone: sums are sequential and in f64.

use half::{bf16, f16};

use crate::{float_env::FloatEnv, format::Format};

/// Sub-blocks of a Q4_K block, and weights of a sub-block.
const N_SUB: usize = 8;
const SUB_LEN: usize = 32;
/// The largest code, scale and min of Q4_K.
const MAX_CODE: f64 = 15.0;
const MAX_SCALE: f64 = 63.0;

/// Whether [`quantize`] writes a format.
pub fn can_quantize(format: Format) -> bool {
    use Format::{BF16, F16, F32, Q4_K, Q8_0};
    matches!(format, F32 | F16 | BF16 | Q8_0 | Q4_K)
}

/// Writes numbers in a format. `out` is as long as whole blocks of `numbers` take.
///
/// # Panics
/// If the lengths don't agree, or the format is none of those that [`can_quantize`] names.
pub fn quantize(format: Format, numbers: &[f32], out: &mut [u8]) {
    let (len, bytes) = (format.block_len(), format.block_bytes());
    assert!(
        numbers.len().is_multiple_of(len) && out.len() == numbers.len() / len * bytes,
        "whole blocks, with their bytes"
    );
    let _env = FloatEnv::standard();
    for (numbers, out) in numbers.chunks_exact(len).zip(out.chunks_exact_mut(bytes)) {
        match format {
            Format::F32 => out.copy_from_slice(&numbers[0].to_le_bytes()),
            Format::F16 => out.copy_from_slice(&f16::from_f32(numbers[0]).to_le_bytes()),
            Format::BF16 => out.copy_from_slice(&bf16::from_f32(numbers[0]).to_le_bytes()),
            Format::Q8_0 => q8_0(numbers, out),
            Format::Q4_K => q4_k(numbers, out),
            other => panic!("{} isn't written", other.name()),
        }
    }
}

/// 32 weights: d as f16, then round(x / d) as i8, where d is the largest magnitude over 127.
fn q8_0(numbers: &[f32], out: &mut [u8]) {
    let largest = numbers.iter().fold(0f32, |largest, x| largest.max(x.abs()));
    let d = largest / 127.0;
    let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
    out[..2].copy_from_slice(&f16::from_f32(d).to_le_bytes());
    for (x, out) in numbers.iter().zip(&mut out[2..]) {
        *out = (x * inverse).round() as i8 as u8;
    }
}

/// 256 weights: x ≈ d·scale·code - m·min with codes of 4 bits, and a scale and a min of 6 bits for
/// each 32 weights. Scale and min of a sub-block are fitted first, then rounded to 6 bits over the
/// largest of the block, and codes are chosen for the rounded ones.
fn q4_k(numbers: &[f32], out: &mut [u8]) {
    let mut fits = [Fit::default(); N_SUB];
    for (fit, x) in fits.iter_mut().zip(numbers.chunks_exact(SUB_LEN)) {
        *fit = Fit::of(x);
    }
    let largest = |of: fn(&Fit) -> f64| fits.iter().map(of).fold(0.0, f64::max);
    let [d, m] = [largest(|fit| fit.scale), largest(|fit| fit.min)]
        .map(|largest| f16::from_f64(largest / MAX_SCALE));
    let rounded = |x: f64, unit: f16| match unit.to_f64() {
        0.0 => 0,
        unit => (x / unit).round_ties_even().clamp(0.0, MAX_SCALE) as u8,
    };
    let scales = fits.map(|fit| rounded(fit.scale, d));
    let mins = fits.map(|fit| rounded(fit.min, m));
    out[..2].copy_from_slice(&d.to_le_bytes());
    out[2..4].copy_from_slice(&m.to_le_bytes());
    let packed = &mut out[4..16];
    for i in 0..4 {
        // Low six bits of the first four, whose upper two bits hold the upper two of the last four.
        packed[i] = scales[i] | scales[i + 4] >> 4 << 6;
        packed[i + 4] = mins[i] | mins[i + 4] >> 4 << 6;
        packed[i + 8] = scales[i + 4] & 15 | (mins[i + 4] & 15) << 4;
    }
    out[16..].fill(0);
    for (i, x) in numbers.iter().enumerate() {
        let sub = i / SUB_LEN;
        let scale = d.to_f64() * f64::from(scales[sub]);
        let min = m.to_f64() * f64::from(mins[sub]);
        let code = if scale > 0.0 { code((f64::from(*x) + min) / scale) } else { 0.0 };
        out[16 + i / 64 * 32 + i % 32] |= (code as u8) << (sub % 2 * 4);
    }
}

/// The nearest code.
fn code(x: f64) -> f64 {
    x.round_ties_even().clamp(0.0, MAX_CODE)
}

/// A sub-block is about scale · code - min; neither is negative.
#[derive(Debug, Clone, Copy, Default)]
struct Fit {
    scale: f64,
    min: f64,
}

/// How finely spacings of codes are tried, and how far from the range of the numbers.
const STEPS: i32 = 20;
const REACH: f64 = 1.0;

impl Fit {
    /// The scale and min with the least squared error, each weight's error counted by its size.
    ///
    /// Codes are chosen for spacings around (largest - smallest) / 15, and for each choice the best
    /// scale and min follow by linear regression.
    fn of(x: &[f32]) -> Fit {
        let x: [f64; SUB_LEN] = std::array::from_fn(|i| f64::from(x[i]));
        let smallest = x.iter().copied().fold(0.0, f64::min);
        let largest = x.iter().copied().fold(0.0, f64::max);
        let range = largest - smallest;
        if range <= 0.0 || !range.is_finite() {
            return Fit { scale: 0.0, min: 0.0 };
        }
        let mean_square = x.iter().map(|x| x * x).sum::<f64>() / SUB_LEN as f64;
        let importance = x.map(|x| mean_square.sqrt() + x.abs());
        let mut best = Fit { scale: range / MAX_CODE, min: -smallest };
        let mut least = best.error(&x, &importance);
        for step in 0..=STEPS {
            let reach = REACH * (2.0 * f64::from(step) / f64::from(STEPS) - 1.0);
            let spacing = range / (MAX_CODE + reach);
            let codes = x.map(|x| code((x - smallest) / spacing));
            let fit = Fit::regress(&x, &importance, &codes);
            let error = fit.error(&x, &importance);
            if error < least {
                (best, least) = (fit, error);
            }
        }
        best
    }

    /// The best scale and min for given codes.
    fn regress(x: &[f64; SUB_LEN], importance: &[f64; SUB_LEN], codes: &[f64; SUB_LEN]) -> Fit {
        let mut sums = [0.0; 5];
        for ((x, w), code) in x.iter().zip(importance).zip(codes) {
            for (sum, term) in sums.iter_mut().zip([1.0, *code, code * code, *x, code * x]) {
                *sum += w * term;
            }
        }
        let [n, sum_c, sum_cc, sum_x, sum_cx] = sums;
        let determinant = n * sum_cc - sum_c * sum_c;
        if determinant <= 0.0 {
            return Fit { scale: 0.0, min: 0.0 };
        }
        let scale = (n * sum_cx - sum_c * sum_x) / determinant;
        let min = (sum_c * sum_cx - sum_cc * sum_x) / determinant;
        if min < 0.0 {
            // All numbers lie above zero, where no min helps.
            return Fit { scale: (sum_cx / sum_cc).max(0.0), min: 0.0 };
        }
        Fit { scale: scale.max(0.0), min }
    }

    /// The squared error with the nearest codes.
    fn error(&self, x: &[f64; SUB_LEN], importance: &[f64; SUB_LEN]) -> f64 {
        let difference = |x: f64| match self.scale > 0.0 {
            true => self.scale * code((x + self.min) / self.scale) - self.min - x,
            false => -self.min - x,
        };
        x.iter().zip(importance).map(|(x, w)| w * difference(*x).powi(2)).sum()
    }
}
