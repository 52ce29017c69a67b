//! Unpacks super-blocks of 256 weights whose codes are stored one by one: the k-quants, IQ4_XS and
//! the ternary formats. The float factors are read by `Factors::read`.

use super::UnpackedBlock;
use super::legacy::nibbles;

pub(crate) fn q2_k(bytes: &[u8], block: &mut UnpackedBlock) {
    for i in 0..16 {
        block.scales[i] = (bytes[i] & 15) as i8;
        block.mins[i] = bytes[i] >> 4;
    }
    two_bit_codes(&bytes[16..80], &mut block.codes);
}

pub(crate) fn q3_k(bytes: &[u8], block: &mut UnpackedBlock) {
    for (i, scale) in block.scales.iter_mut().enumerate() {
        let low = bytes[96 + i % 8] >> (4 * (i / 8)) & 15;
        let high = bytes[104 + i % 4] >> (2 * (i / 4)) & 3;
        *scale = (low | high << 4) as i8 - 32;
    }
    two_bit_codes(&bytes[32..96], &mut block.codes);
    for (i, code) in block.codes.iter_mut().enumerate() {
        *code |= (bytes[i % 32] >> (i / 32) & 1) << 2;
    }
}

pub(crate) fn q4_k(bytes: &[u8], block: &mut UnpackedBlock) {
    q4_k_scales(bytes, block);
    for (i, code) in block.codes.iter_mut().enumerate() {
        *code = bytes[16 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
    }
}

pub(crate) fn q5_k(bytes: &[u8], block: &mut UnpackedBlock) {
    q4_k_scales(bytes, block);
    for (i, code) in block.codes.iter_mut().enumerate() {
        let low = bytes[48 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
        *code = low | (bytes[16 + i % 32] >> (i / 32) & 1) << 4;
    }
}

/// Scales and mins of Q4_K and Q5_K.
pub(crate) fn q4_k_scales(bytes: &[u8], block: &mut UnpackedBlock) {
    let packed = &bytes[4..16];
    for i in 0..4 {
        block.scales[i] = (packed[i] & 63) as i8;
        block.mins[i] = packed[i + 4] & 63;
        block.scales[i + 4] = (packed[i + 8] & 15 | packed[i] >> 6 << 4) as i8;
        block.mins[i + 4] = packed[i + 8] >> 4 | packed[i + 4] >> 6 << 4;
    }
}

pub(crate) fn q6_k(bytes: &[u8], block: &mut UnpackedBlock) {
    q6_k_scales(bytes, block);
    for (i, code) in block.codes.iter_mut().enumerate() {
        let (half_block, quarter, at) = (i / 128, i % 128 / 32, i % 32);
        let low = bytes[half_block * 64 + quarter % 2 * 32 + at] >> (quarter / 2 * 4) & 15;
        let high = bytes[128 + half_block * 32 + at] >> (quarter * 2) & 3;
        *code = low | high << 4;
    }
}

pub(crate) fn q6_k_scales(bytes: &[u8], block: &mut UnpackedBlock) {
    for (i, scale) in block.scales.iter_mut().enumerate() {
        *scale = bytes[192 + i] as i8;
    }
}

/// d, two bytes with the upper two bits of each scale, four with the low nibbles, codes.
pub(crate) fn iq4_xs(bytes: &[u8], block: &mut UnpackedBlock) {
    let upper = u16::from_le_bytes([bytes[2], bytes[3]]);
    for (i, scale) in block.scales[..8].iter_mut().enumerate() {
        let low = bytes[4 + i / 2] >> (i % 2 * 4) & 15;
        let high = (upper >> (2 * i) & 3) as u8;
        *scale = (low | high << 4) as i8 - 32;
    }
    for (bytes, codes) in bytes[8..136].chunks_exact(16).zip(block.codes.chunks_exact_mut(32)) {
        nibbles(bytes, codes);
    }
}

/// A byte holds five base-3 digits as a fraction of 256: digit n is the whole part of 3 times what
/// the byte times 3^n leaves modulo 256. 32 bytes are codes 0 to 159, 16 bytes codes 160 to 239,
/// and 4 bytes with four digits each codes 240 to 255. The digit varies slowest.
pub(crate) fn tq1_0(bytes: &[u8], block: &mut UnpackedBlock) {
    let digit = |byte: u8, n: usize| {
        let power = [1u8, 3, 9, 27, 81][n];
        ((u16::from(byte.wrapping_mul(power)) * 3) >> 8) as u8
    };
    let mut codes = block.codes.iter_mut();
    for (bytes, n_digits) in [(&bytes[..32], 5), (&bytes[32..48], 5), (&bytes[48..52], 4)] {
        for n in 0..n_digits {
            bytes.iter().zip(codes.by_ref()).for_each(|(&byte, code)| *code = digit(byte, n));
        }
    }
}

pub(crate) fn tq2_0(bytes: &[u8], block: &mut UnpackedBlock) {
    two_bit_codes(&bytes[..64], &mut block.codes);
}

fn two_bit_codes(bytes: &[u8], codes: &mut [u8; 256]) {
    for (i, code) in codes.iter_mut().enumerate() {
        *code = bytes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    }
}
