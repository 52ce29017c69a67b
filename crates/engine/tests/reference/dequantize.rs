//! Bytes of a row of weights in, f32 out: each format written as its definition (ggml's
//! `dequantize_row_*`), one number at a time. Independent of the kernels, so that it can be held
//! against them.

use half::{bf16, f16};
use kelvin_kernels::format::Format;

/// The numbers of one or more whole rows.
pub fn row(format: Format, bytes: &[u8]) -> Vec<f32> {
    bytes.chunks(format.block_bytes()).flat_map(|block| one_block(format, block)).collect()
}

fn one_block(format: Format, b: &[u8]) -> Vec<f32> {
    // Element j of a legacy block of 32: low nibbles are the first half, high nibbles the second.
    let nibble = |qs: &[u8], j: usize| if j < 16 { qs[j] & 15 } else { qs[j - 16] >> 4 } as i32;
    let fifth = |at: usize, j: usize| i32::from(b[at + j / 8] >> (j % 8) & 1) << 4;
    match format {
        Format::F32 => vec![f32::from_le_bytes(b.try_into().unwrap())],
        Format::F16 => vec![half_at(b, 0)],
        Format::BF16 => vec![bf16::from_le_bytes([b[0], b[1]]).to_f32()],
        Format::Q4_0 => (0..32).map(|j| half_at(b, 0) * (nibble(&b[2..], j) - 8) as f32).collect(),
        Format::Q4_1 => {
            (0..32).map(|j| half_at(b, 0) * nibble(&b[4..], j) as f32 + half_at(b, 2)).collect()
        }
        Format::Q5_0 => (0..32)
            .map(|j| half_at(b, 0) * ((nibble(&b[6..], j) | fifth(2, j)) - 16) as f32)
            .collect(),
        Format::Q5_1 => (0..32)
            .map(|j| half_at(b, 0) * (nibble(&b[8..], j) | fifth(4, j)) as f32 + half_at(b, 2))
            .collect(),
        Format::Q8_0 => (0..32).map(|j| half_at(b, 0) * f32::from(b[2 + j] as i8)).collect(),
        Format::Q4_K | Format::Q5_K => (0..256).map(|j| four_or_five_bits(format, b, j)).collect(),
        Format::Q6_K => (0..256).map(|j| six_bits(b, j)).collect(),
        other => panic!("the reference has no {other:?}"),
    }
}

fn half_at(b: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([b[at], b[at + 1]]).to_f32()
}

/// Q4_K: d, dmin, 12 bytes of 6-bit scales and minima, nibbles. Q5_K: 32 bytes of fifth bits before
/// the nibbles.
fn four_or_five_bits(format: Format, b: &[u8], j: usize) -> f32 {
    let s = &b[4..16];
    let sub = j / 32;
    let (scale, min) = if sub < 4 {
        (s[sub] & 63, s[sub + 4] & 63)
    } else {
        (s[sub + 4] & 15 | s[sub - 4] >> 6 << 4, s[sub + 4] >> 4 | s[sub] >> 6 << 4)
    };
    let (qs, fifth) = match format {
        Format::Q4_K => (&b[16..], 0),
        _ => (&b[48..], (b[16 + j % 32] >> sub & 1) << 4),
    };
    // Two sub-blocks of 32 share 32 bytes: the first has the low nibbles.
    let byte = qs[sub / 2 * 32 + j % 32];
    let q = if sub.is_multiple_of(2) { byte & 15 } else { byte >> 4 } | fifth;
    half_at(b, 0) * f32::from(scale) * f32::from(q) - half_at(b, 2) * f32::from(min)
}

/// Q6_K: 128 bytes of low nibbles, 64 of high pairs, 16 signed scales, d. Each half of 128 numbers
/// has 64 and 32 of them.
fn six_bits(b: &[u8], j: usize) -> f32 {
    let (half, quarter, l) = (j / 128, j % 128 / 32, j % 32);
    let low = b[half * 64 + quarter % 2 * 32 + l];
    let low = if quarter < 2 { low & 15 } else { low >> 4 };
    let high = b[128 + half * 32 + l] >> (2 * quarter) & 3;
    let scale = b[192 + j / 16] as i8;
    half_at(b, 208) * f32::from(scale) * (i32::from(low | high << 4) - 32) as f32
}
