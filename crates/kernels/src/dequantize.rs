//! Unpacks and dequantizes the blocks of quantized formats, as a GGUF file stores them.
//!
//! A weight is `d·scale·(code - offset) + m·min`. d and m are f16 per block; scale, code and min
//! are integers. Legacy formats (blocks of 32) have one scale of 1 and, if they have a minimum, one
//! min of 1. K-quants have a super-block of 256 with a scale, and maybe a min, per sub-block. Only
//! this file and `repack.rs` know the bit layouts, which are ggml's (`block_q4_0` and so on in
//! `ggml-common.h`).

use half::f16;

use crate::{
    format::Format,
    layout::{Layout, float},
};

/// The fields of one block of up to 256 weights.
#[derive(Debug, Clone)]
pub(crate) struct UnpackedBlock {
    /// Scale factor d, the bits of an f16.
    pub(crate) d: u16,
    /// Minimum factor m, the bits of an f16; 0 if the format has no minimum.
    pub(crate) m: u16,
    /// K-quants: the scale of each sub-block.
    pub(crate) scales: [i8; 16],
    /// K-quants with a minimum: the min of each sub-block.
    pub(crate) mins: [u8; 16],
    /// The code of each weight: unsigned, except Q8_0's, which are two's complement.
    pub(crate) codes: [u8; 256],
}

impl Default for UnpackedBlock {
    fn default() -> UnpackedBlock {
        UnpackedBlock { d: 0, m: 0, scales: [1; 16], mins: [0; 16], codes: [0; 256] }
    }
}

/// Dequantizes a row of a GGUF tensor: `d·scale·(code - offset) + m·min`, in that order of
/// operations.
pub(crate) fn dequantize(format: Format, row: &[u8], out: &mut [f32]) {
    let Some(layout) = Layout::of(format) else {
        out.iter_mut().enumerate().for_each(|(i, out)| *out = float(format, row, i));
        return;
    };
    let mut block = UnpackedBlock::default();
    let half = |bits: u16| f16::from_bits(bits).to_f32();
    for (bytes, out) in
        row.chunks_exact(format.block_bytes()).zip(out.chunks_exact_mut(layout.block_len))
    {
        unpack_block(format, bytes, &mut block);
        for (k, out) in out.iter_mut().enumerate() {
            let s = k / layout.sub_block_len;
            let code = if layout.bits == 8 {
                i32::from(block.codes[k] as i8)
            } else {
                i32::from(block.codes[k])
            };
            *out = half(block.d) * f32::from(block.scales[s]) * (code - layout.offset) as f32;
            if layout.has_min {
                let min = if layout.block_len == 32 { 1.0 } else { f32::from(block.mins[s]) };
                *out += half(block.m) * min;
            }
        }
    }
}

/// Unpacks one block of `format.block_bytes()` bytes. Fields that the format doesn't have stay
/// unchanged.
///
/// # Panics
/// For F32, F16 and BF16, which have no blocks.
pub(crate) fn unpack_block(format: Format, bytes: &[u8], block: &mut UnpackedBlock) {
    unpack_scales(format, bytes, block);
    let codes = &mut block.codes;
    match format {
        Format::F32 | Format::F16 | Format::BF16 => unreachable!("float formats have no blocks"),
        Format::Q4_0 | Format::Q4_1 | Format::Q5_0 | Format::Q5_1 => {
            let rest = &bytes[if matches!(format, Format::Q4_0 | Format::Q5_0) { 2 } else { 4 }..];
            let (high, low) = rest.split_at(rest.len() - 16);
            let high = |i: usize| high.get(i / 8).map_or(0, |byte| byte >> (i % 8) & 1);
            for i in 0..16 {
                codes[i] = low[i] & 15 | high(i) << 4;
                codes[i + 16] = low[i] >> 4 | high(i + 16) << 4;
            }
        }
        Format::Q8_0 => codes[..32].copy_from_slice(&bytes[2..34]),
        Format::Q2_K => two_bit_codes(&bytes[16..80], codes),
        Format::Q3_K => {
            two_bit_codes(&bytes[32..96], codes);
            for (i, code) in codes.iter_mut().enumerate() {
                *code |= (bytes[i % 32] >> (i / 32) & 1) << 2;
            }
        }
        Format::Q4_K | Format::Q5_K => {
            let (high, low) = bytes[16..].split_at(if format == Format::Q5_K { 32 } else { 0 });
            for (i, code) in codes.iter_mut().enumerate() {
                *code = low[i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
                if format == Format::Q5_K {
                    *code |= (high[i % 32] >> (i / 32) & 1) << 4;
                }
            }
        }
        Format::Q6_K => {
            for (i, code) in codes.iter_mut().enumerate() {
                let (half_block, quarter, at) = (i / 128, i % 128 / 32, i % 32);
                let low = bytes[half_block * 64 + quarter % 2 * 32 + at] >> (quarter / 2 * 4) & 15;
                let high = bytes[128 + half_block * 32 + at] >> (quarter * 2) & 3;
                *code = low | high << 4;
            }
        }
    }
}

/// Unpacks d, m, scales and mins of a block.
pub(crate) fn unpack_scales(format: Format, bytes: &[u8], block: &mut UnpackedBlock) {
    let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let UnpackedBlock { d, m, scales, mins, .. } = block;
    match format {
        Format::F32 | Format::F16 | Format::BF16 => unreachable!("float formats have no blocks"),
        Format::Q4_0 | Format::Q5_0 | Format::Q8_0 => *d = half(0),
        Format::Q4_1 | Format::Q5_1 => (*d, *m) = (half(0), half(2)),
        Format::Q2_K => {
            for i in 0..16 {
                scales[i] = (bytes[i] & 15) as i8;
                mins[i] = bytes[i] >> 4;
            }
            (*d, *m) = (half(80), half(82));
        }
        Format::Q3_K => {
            for (i, scale) in scales.iter_mut().enumerate() {
                let low = bytes[96 + i % 8] >> (4 * (i / 8)) & 15;
                let high = bytes[104 + i % 4] >> (2 * (i / 4)) & 3;
                *scale = (low | high << 4) as i8 - 32;
            }
            *d = half(108);
        }
        Format::Q4_K | Format::Q5_K => {
            (*d, *m) = (half(0), half(2));
            let packed = &bytes[4..16];
            for i in 0..4 {
                scales[i] = (packed[i] & 63) as i8;
                mins[i] = packed[i + 4] & 63;
                scales[i + 4] = (packed[i + 8] & 15 | packed[i] >> 6 << 4) as i8;
                mins[i + 4] = packed[i + 8] >> 4 | packed[i + 4] >> 6 << 4;
            }
        }
        Format::Q6_K => {
            for (i, scale) in scales.iter_mut().enumerate() {
                *scale = bytes[192 + i] as i8;
            }
            *d = half(208);
        }
    }
    // K-quants store the minimum to subtract; Kelvin adds m·min, so the sign is flipped.
    if matches!(format, Format::Q2_K | Format::Q4_K | Format::Q5_K) {
        *m ^= 0x8000;
    }
}

fn two_bit_codes(bytes: &[u8], codes: &mut [u8; 256]) {
    for (i, code) in codes.iter_mut().enumerate() {
        *code = bytes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    }
}
