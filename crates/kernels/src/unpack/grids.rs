//! Unpacks super-blocks of 256 weights whose groups of 4 or 8 codes are entries of a grid: IQ3, IQ2
//! and IQ1. The float factors are read by `Factors::read`.
//!
//! A grid is a table of vectors, chosen by ggml's author to suit weights; no rule makes them. The
//! definition is `ggml-common.h` (`iq2xxs_grid` and so on). `grids.bin` holds them as u16, little
//! endian: 8 values of 2 bits or 4 of 3 bits an entry, the first value lowest, 9 KiB in all.
//! `tests/python/grids.py` makes the file from the PyPI package `gguf`.
//!
//! In memory each weight has a code of its own, 3 bits (IQ2, IQ1) or 4 (IQ3), and each scale a
//! byte: a look-up of grid entries per row, which live in different lanes, would cost more time
//! than reading the bytes. Bytes of a super-block, in the file and in memory: IQ3_S 110 and 138,
//! IQ3_XXS 98 and 138, IQ2_S 82 and 114, IQ2_XS 74 and 114, IQ2_XXS 66 and 106, IQ1_S 50 and 106,
//! IQ1_M 56 and 114.

use super::UnpackedBlock;

/// All grids, one after another.
static GRIDS: &[u8; 2 * (IQ1.0 + IQ1.1)] = include_bytes!("grids.bin");

/// Each grid: its first entry, and how many it has.
const IQ2_XXS: (usize, usize) = (0, 256);
const IQ2_XS: (usize, usize) = after(IQ2_XXS, 512);
const IQ2_S: (usize, usize) = after(IQ2_XS, 1024);
const IQ3_XXS: (usize, usize) = after(IQ2_S, 256);
const IQ3_S: (usize, usize) = after(IQ3_XXS, 512);
const IQ1: (usize, usize) = after(IQ3_S, 2048);

const fn after(grid: (usize, usize), n: usize) -> (usize, usize) {
    (grid.0 + grid.1, n)
}

/// Writes the codes of one grid entry: value i, `bits` wide, with the bit `sign(i)` above it.
fn entry(
    grid: (usize, usize),
    index: usize,
    bits: usize,
    codes: &mut [u8],
    sign: impl Fn(usize) -> u8,
) {
    debug_assert!(index < grid.1, "an index has as many bits as the grid needs");
    let at = 2 * (grid.0 + index);
    let values = u16::from_le_bytes([GRIDS[at], GRIDS[at + 1]]);
    for (i, code) in codes.iter_mut().enumerate() {
        *code = (values >> (bits * i)) as u8 & ((1 << bits) - 1) | sign(i) << bits;
    }
}

/// Eight signs from seven bits: the eighth makes their number even (ggml's `ksigns_iq2xs`).
fn even_signs(seven: usize) -> u8 {
    let seven = (seven & 127) as u8;
    seven | (seven.count_ones() as u8 & 1) << 7
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u16_at(bytes, at) | u16_at(bytes, at + 2) << 16
}

/// A scale of `bits` as the odd integer 2s + 1.
fn odd(s: usize, bits: usize) -> i8 {
    (2 * (s & ((1 << bits) - 1)) + 1) as i8
}

/// For each 32 weights four bytes of indices, then 4·7 bits of signs and 4 of a scale.
pub(crate) fn iq2_xxs(bytes: &[u8], block: &mut UnpackedBlock) {
    for (i, codes) in block.codes.chunks_exact_mut(32).enumerate() {
        let rest = u32_at(bytes, 2 + 8 * i + 4);
        block.scales[i] = odd(rest >> 28, 4);
        for (l, codes) in codes.chunks_exact_mut(8).enumerate() {
            let signs = even_signs(rest >> (7 * l));
            let index = bytes[2 + 8 * i + l].into();
            entry(IQ2_XXS, index, 2, codes, |j| signs >> j & 1);
        }
    }
}

/// For each 8 weights 9 bits of index and 7 of signs; then nibbles of scales.
pub(crate) fn iq2_xs(bytes: &[u8], block: &mut UnpackedBlock) {
    nibble_scales(&bytes[66..74], block);
    for (i, codes) in block.codes.chunks_exact_mut(8).enumerate() {
        let word = u16_at(bytes, 2 + 2 * i);
        let signs = even_signs(word >> 9);
        entry(IQ2_XS, word & 511, 2, codes, |j| signs >> j & 1);
    }
}

/// 32 bytes of indices, 32 of signs, 8 with the upper two bits of four indices each, nibbles of
/// scales.
pub(crate) fn iq2_s(bytes: &[u8], block: &mut UnpackedBlock) {
    nibble_scales(&bytes[74..82], block);
    for (i, codes) in block.codes.chunks_exact_mut(8).enumerate() {
        let upper = usize::from(bytes[66 + i / 4] >> (i % 4 * 2) & 3);
        let signs = bytes[34 + i];
        entry(IQ2_S, usize::from(bytes[2 + i]) | upper << 8, 2, codes, |j| signs >> j & 1);
    }
}

/// 64 bytes of indices, then for each 32 weights 4·7 bits of signs and 4 of a scale.
pub(crate) fn iq3_xxs(bytes: &[u8], block: &mut UnpackedBlock) {
    for (i, codes) in block.codes.chunks_exact_mut(32).enumerate() {
        let rest = u32_at(bytes, 66 + 4 * i);
        block.scales[i] = odd(rest >> 28, 4);
        for (l, codes) in codes.chunks_exact_mut(4).enumerate() {
            let signs = even_signs(rest >> (7 * (l / 2))) >> (l % 2 * 4);
            let index = bytes[2 + 8 * i + l].into();
            entry(IQ3_XXS, index, 3, codes, |j| signs >> j & 1);
        }
    }
}

/// 64 bytes of indices, 8 with their ninth bits, 32 of signs, 4 with nibbles of scales.
pub(crate) fn iq3_s(bytes: &[u8], block: &mut UnpackedBlock) {
    for (i, scale) in block.scales[..8].iter_mut().enumerate() {
        *scale = odd(usize::from(bytes[106 + i / 2]) >> (i % 2 * 4), 4);
    }
    for (i, codes) in block.codes.chunks_exact_mut(4).enumerate() {
        let upper = usize::from(bytes[66 + i / 8] >> (i % 8) & 1);
        let signs = bytes[74 + i / 2] >> (i % 2 * 4);
        entry(IQ3_S, usize::from(bytes[2 + i]) | upper << 8, 3, codes, |j| signs >> j & 1);
    }
}

/// 32 bytes of indices, then for each 32 weights 4·3 upper bits of indices, 3 of a scale, and
/// whether 1/8 is subtracted.
pub(crate) fn iq1_s(bytes: &[u8], block: &mut UnpackedBlock) {
    for (i, codes) in block.codes.chunks_exact_mut(32).enumerate() {
        let rest = u16_at(bytes, 34 + 2 * i);
        block.scales[i] = odd(rest >> 12, 3);
        for (l, codes) in codes.chunks_exact_mut(8).enumerate() {
            let index = usize::from(bytes[2 + 4 * i + l]) | (rest >> (3 * l) & 7) << 8;
            entry(IQ1, index, 2, codes, |_| (rest >> 15) as u8);
        }
    }
}

/// 32 bytes of indices, 16 with nibbles: three upper bits of an index, and whether 1/8 is
/// subtracted. Four u16 hold four scales of 3 bits each, and a quarter of d above.
pub(crate) fn iq1_m(bytes: &[u8], block: &mut UnpackedBlock) {
    for (s, scale) in block.scales.iter_mut().enumerate() {
        *scale = odd(u16_at(bytes, 48 + s / 4 * 2) >> (s % 4 * 3), 3);
    }
    for (i, codes) in block.codes.chunks_exact_mut(8).enumerate() {
        let rest = bytes[32 + i / 2] >> (i % 2 * 4) & 15;
        let index = usize::from(bytes[i]) | usize::from(rest & 7) << 8;
        entry(IQ1, index, 2, codes, |_| rest >> 3);
    }
}

/// Sixteen scales, two a byte.
fn nibble_scales(bytes: &[u8], block: &mut UnpackedBlock) {
    for (s, scale) in block.scales.iter_mut().enumerate() {
        *scale = odd(usize::from(bytes[s / 2]) >> (s % 2 * 4), 4);
    }
}
