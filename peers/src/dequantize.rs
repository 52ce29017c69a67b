//! Blocks of any format in, f32 numbers out, as the formats' definitions say and in their order of
//! rounding, one number at a time: the longest way round, so that it's easy to see that it is
//! right.

use half::{bf16, f16};

use crate::format::Format;

/// Expands whole blocks. `out` holds exactly the numbers that `bytes` stand for.
pub fn dequantize(format: Format, bytes: &[u8], out: &mut [f32]) {
    let block_len = format.block_len();
    assert_eq!(
        out.len() / block_len * format.block_bytes(),
        bytes.len(),
        "{format:?}: bytes and numbers disagree"
    );
    let number: fn(&[u8], usize) -> f32 = match format {
        Format::F32 => |b, _| f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
        Format::F16 => |b, _| half(b, 0),
        Format::BF16 => |b, _| bf16::from_le_bytes([b[0], b[1]]).to_f32(),
        Format::Q4_0 => |b, i| f32::from(i16::from(nibble(&b[2..], i)) - 8) * half(b, 0),
        Format::Q4_1 => |b, i| f32::from(nibble(&b[4..], i)) * half(b, 0) + half(b, 2),
        Format::Q5_0 => |b, i| {
            let q = nibble(&b[6..], i) | fifth_bit(&b[2..6], i);
            f32::from(i16::from(q) - 16) * half(b, 0)
        },
        Format::Q5_1 => |b, i| {
            let q = nibble(&b[8..], i) | fifth_bit(&b[4..8], i);
            f32::from(q) * half(b, 0) + half(b, 2)
        },
        Format::Q8_0 => |b, i| f32::from(b[2 + i].cast_signed()) * half(b, 0),
        Format::Q2_K => q2_k,
        Format::Q3_K => q3_k,
        Format::Q4_K => q4_k,
        Format::Q5_K => q5_k,
        Format::Q6_K => q6_k,
        Format::IQ4_XS => iq4_xs,
        Format::MXFP4 => mxfp4,
        Format::Q2_0 => {
            |b, i| f32::from((b[2 + i / 4] >> (i % 4 * 2) & 3).cast_signed() - 1) * half(b, 0)
        }
    };
    for (block, numbers) in
        bytes.chunks_exact(format.block_bytes()).zip(out.chunks_exact_mut(block_len))
    {
        for (i, x) in numbers.iter_mut().enumerate() {
            *x = number(block, i);
        }
    }
}

/// The half-precision number at byte `at`.
fn half(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

/// Blocks of 32: the first 16 numbers lie in the low halves of 16 bytes, the others in the high
/// halves.
fn nibble(quants: &[u8], i: usize) -> u8 {
    if i < 16 { quants[i] & 15 } else { quants[i - 16] >> 4 }
}

/// Bit `i` of 32, moved to where it belongs in a 5-bit number.
fn fifth_bit(high: &[u8], i: usize) -> u8 {
    (high[i / 8] >> (i % 8) & 1) << 4
}

/// Where number `i` of a 256-block lies when four numbers share a byte: 32 bytes hold 128 numbers.
struct Quarter {
    byte: usize,
    shift: usize,
    /// One of 16 scales, each for 16 numbers.
    scale: usize,
}

fn quarter(i: usize) -> Quarter {
    Quarter { byte: i / 128 * 32 + i % 32, shift: i % 128 / 32 * 2, scale: i / 16 }
}

/// 16 bytes of 4-bit scale and minimum, 64 bytes of 2-bit numbers, d, dmin.
fn q2_k(b: &[u8], i: usize) -> f32 {
    let at = quarter(i);
    let q = b[16 + at.byte] >> at.shift & 3;
    let (scale, min) = (b[at.scale] & 15, b[at.scale] >> 4);
    half(b, 80) * f32::from(scale) * f32::from(q) - half(b, 82) * f32::from(min)
}

/// 32 bytes of third bits, 64 bytes of the lower two, 12 bytes of 6-bit scales, d.
fn q3_k(b: &[u8], i: usize) -> f32 {
    let at = quarter(i);
    let low = (b[32 + at.byte] >> at.shift & 3).cast_signed();
    let third = b[i % 32] >> (i / 32) & 1;
    let q = if third == 1 { low } else { low - 4 };
    let scales = &b[96..108];
    let k = at.scale;
    let scale_low = if k < 8 { scales[k] & 15 } else { scales[k - 8] >> 4 };
    let scale_high = scales[8 + k % 4] >> (k / 4 * 2) & 3;
    let scale = (scale_low | scale_high << 4).cast_signed() - 32;
    half(b, 108) * f32::from(scale) * f32::from(q)
}

/// The 6-bit scale and minimum of sub-block `j` of 8, packed in 12 bytes.
fn scale_and_min(packed: &[u8], j: usize) -> (f32, f32) {
    let (scale, min) = if j < 4 {
        (packed[j] & 63, packed[j + 4] & 63)
    } else {
        (packed[j + 4] & 15 | packed[j - 4] >> 6 << 4, packed[j + 4] >> 4 | packed[j] >> 6 << 4)
    };
    (f32::from(scale), f32::from(min))
}

/// Four bits of number `i` of 256: 32 bytes hold 64 numbers, the first 32 in the low halves.
fn nibble_of_256(quants: &[u8], i: usize) -> u8 {
    let byte = quants[i / 64 * 32 + i % 32];
    if i % 64 < 32 { byte & 15 } else { byte >> 4 }
}

/// d, dmin, 12 bytes of scales and minima, 128 bytes of 4-bit numbers.
fn q4_k(b: &[u8], i: usize) -> f32 {
    let (scale, min) = scale_and_min(&b[4..16], i / 32);
    let q = nibble_of_256(&b[16..], i);
    half(b, 0) * scale * f32::from(q) - half(b, 2) * min
}

/// d, dmin, 12 bytes of scales and minima, 32 bytes of fifth bits, 128 bytes of the lower four.
fn q5_k(b: &[u8], i: usize) -> f32 {
    let (scale, min) = scale_and_min(&b[4..16], i / 32);
    let fifth = b[16 + i % 32] >> (i / 32) & 1;
    let q = nibble_of_256(&b[48..], i) | fifth << 4;
    half(b, 0) * scale * f32::from(q) - half(b, 2) * min
}

/// 128 bytes of the lower four bits, 64 bytes of the upper two, 16 signed scales, d.
fn q6_k(b: &[u8], i: usize) -> f32 {
    let at = quarter(i);
    let low_byte = b[i / 128 * 64 + i % 64];
    let low = if i % 128 < 64 { low_byte & 15 } else { low_byte >> 4 };
    let high = b[128 + at.byte] >> at.shift & 3;
    let q = (low | high << 4).cast_signed() - 32;
    let scale = b[192 + at.scale].cast_signed();
    half(b, 208) * f32::from(scale) * f32::from(q)
}

/// d, two bytes with the upper two bits of each scale, four with the lower four, 128 bytes of
/// places in a code book.
fn iq4_xs(b: &[u8], i: usize) -> f32 {
    const BOOK: [i8; 16] =
        [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
    let j = i / 32;
    let low = b[4 + j / 2] >> (j % 2 * 4) & 15;
    let high = u16::from_le_bytes([b[2], b[3]]) >> (2 * j) & 3;
    let scale = f32::from(low) + 16.0 * f32::from(high) - 32.0;
    let q = nibble(&b[8 + 16 * j..], i % 32);
    half(b, 0) * scale * f32::from(BOOK[usize::from(q)])
}

/// A power of two, 16 bytes of floats with a sign, two bits of exponent and one of fraction.
fn mxfp4(b: &[u8], i: usize) -> f32 {
    const MAGNITUDES: [f32; 8] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];
    let q = nibble(&b[1..], i);
    let magnitude = MAGNITUDES[usize::from(q & 7)];
    let sign = if q & 8 == 0 { 1.0 } else { -1.0 };
    sign * magnitude * 2f32.powi(i32::from(b[0]) - 127)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Every format against ggml's own `to_float`, bit for bit, on random blocks with sane scales.
    #[test]
    fn agrees_with_ggml() {
        const N_BLOCKS: usize = 64;
        for format in Format::all() {
            let mut random = Random::new(7, u64::from(format.number()));
            let mut bytes = vec![0u8; N_BLOCKS * format.block_bytes()];
            random.fill(&mut bytes);
            for block in bytes.chunks_exact_mut(format.block_bytes()) {
                // Random bits may be a NaN: scales and plain numbers are made ordinary ones.
                let halves: &[usize] = match format {
                    Format::F32 | Format::BF16 => &[],
                    Format::F16 | Format::Q4_0 | Format::Q5_0 | Format::Q8_0 => &[0],
                    Format::Q4_1 | Format::Q5_1 | Format::Q4_K | Format::Q5_K => &[0, 2],
                    Format::Q2_K => &[80, 82],
                    Format::Q3_K => &[108],
                    Format::Q6_K => &[208],
                    Format::IQ4_XS | Format::Q2_0 => &[0],
                    Format::MXFP4 => &[],
                };
                for &at in halves {
                    let x = f16::from_f32(random.uniform() * 2.0 - 1.0);
                    block[at..at + 2].copy_from_slice(&x.to_le_bytes());
                }
                if format == Format::MXFP4 {
                    block[0] = 120 + block[0] % 16;
                }
                if format == Format::F32 {
                    block.copy_from_slice(&random.uniform().to_le_bytes());
                }
                if format == Format::BF16 {
                    block.copy_from_slice(&bf16::from_f32(random.uniform()).to_le_bytes());
                }
            }
            let n = N_BLOCKS * format.block_len();
            let mut ours = vec![0f32; n];
            dequantize(format, &bytes, &mut ours);
            let theirs = crate::engines::llama::to_float(format, &bytes, n);
            for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
                // ggml's compiler may fuse a multiplication with an addition: one rounding less.
                let tolerance = 2.0 * f32::EPSILON * 64.0 * 63.0;
                assert!(
                    (a - b).abs() <= tolerance.min(a.abs().max(1.0) * 2e-6),
                    "{format:?}[{i}]: {a} here, {b} in ggml"
                );
            }
        }
    }
}
