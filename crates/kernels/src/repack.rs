//! Repacks rows of a GGUF tensor into interleaved row groups (see `layout.rs`).
//!
//! The common formats have fast paths that move four bytes at a time. Each writes the same bytes as
//! [`repack_generic`], which goes through an unpacked block; a test compares them.

use crate::{
    dequantize::unpack_block,
    format::{Format, for_format},
    layout::{F16_PLANE_BYTES, Factors, GROUP_ROWS, Layout, PLANE_BYTES, Scales},
    layout_of::LayoutOf,
    unpack::{
        UnpackedBlock,
        k_quants::{q4_k_scales, q6_k_scales},
    },
};

/// Repacks `row`, the bytes of row `r` of a group in the file, into the group's stream.
pub(crate) fn repack_row(format: Format, row: &[u8], r: usize, group: &mut [u8]) {
    if format.layout().is_none() {
        let size = format.block_bytes();
        for (column, number) in
            group.chunks_exact_mut(GROUP_ROWS * size).zip(row.chunks_exact(size))
        {
            column[r * size..(r + 1) * size].copy_from_slice(number);
        }
        return;
    }
    for_format!(format, FORMAT => repack_blocks::<FORMAT>(row, r, group));
}

/// Repacks the blocks of a row of a quantized format: compiled once per format, so that every place
/// in a block is a constant.
fn repack_blocks<const FORMAT: usize>(row: &[u8], r: usize, group: &mut [u8]) {
    let (format, layout) = (const { Format::ALL[FORMAT] }, LayoutOf::<FORMAT>::LAYOUT);
    let size = const { Format::ALL[FORMAT].block_bytes() };
    let mut block = UnpackedBlock::default();
    for (packed, bytes) in
        group.chunks_exact_mut(LayoutOf::<FORMAT>::BYTES).zip(row.chunks_exact(size))
    {
        match format {
            Format::Q4_0
            | Format::Q4_1
            | Format::Q5_0
            | Format::Q5_1
            | Format::Q8_0
            | Format::IQ4_NL => {
                let n_halves = if LayoutOf::<FORMAT>::HAS_MIN { 2 } else { 1 };
                for half in 0..n_halves {
                    let at = half * F16_PLANE_BYTES + 2 * r;
                    packed[at..at + 2].copy_from_slice(&bytes[2 * half..2 * half + 2]);
                }
                let planes = &mut packed[LayoutOf::<FORMAT>::CODES_AT..];
                let mut rest = &bytes[2 * n_halves..];
                if LayoutOf::<FORMAT>::BITS == 5 {
                    put(planes, 4, r, fifth_bits(word(rest, 0)));
                    rest = &rest[4..];
                }
                // A file byte is a plane byte: code i in the low nibble, code i + 16 in the high
                // one.
                for plane in 0..rest.len() / 4 {
                    put(planes, plane, r, word(rest, plane));
                }
            }
            Format::Q4_K | Format::Q5_K | Format::Q6_K => {
                layout.factors.read(bytes, &mut block.d, &mut block.m);
                match format {
                    Format::Q6_K => q6_k_scales(bytes, &mut block),
                    _ => q4_k_scales(bytes, &mut block),
                }
                layout.write_scales(packed, r, &block);
                let tiles = packed[LayoutOf::<FORMAT>::CODES_AT..]
                    .chunks_exact_mut(PLANE_BYTES * LayoutOf::<FORMAT>::BITS);
                tiles.enumerate().for_each(|(tile, planes)| {
                    repack_k_quant_codes(format, bytes, tile, planes, r)
                });
            }
            _ => repack_generic(layout, format, bytes, packed, r, &mut block),
        }
    }
}

/// Repacks one block of any format through an unpacked block.
fn repack_generic(
    layout: Layout,
    format: Format,
    bytes: &[u8],
    packed: &mut [u8],
    r: usize,
    block: &mut UnpackedBlock,
) {
    unpack_block(format, layout, bytes, block);
    layout.write_scales(packed, r, block);
    let tiles = packed[layout.codes_at()..].chunks_exact_mut(PLANE_BYTES * layout.bits);
    for (planes, codes) in tiles.zip(block.codes.as_chunks::<32>().0) {
        layout.write_codes(planes, r, codes);
    }
}

/// The `i`-th four bytes.
fn word(bytes: &[u8], i: usize) -> u32 {
    u32::from_le_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]])
}

/// Writes the four bytes of row r in a plane.
fn put(planes: &mut [u8], plane: usize, r: usize, word: u32) {
    let at = plane * PLANE_BYTES + 4 * r;
    planes[at..at + 4].copy_from_slice(&word.to_le_bytes());
}

/// Transposes 32 fifth bits: bit 4g + i becomes bit g of byte i.
fn fifth_bits(bits: u32) -> u32 {
    let byte = |i: u32| {
        // Gathers every fourth bit in three steps.
        let mut x = bits >> i & 0x1111_1111;
        x = (x | x >> 3) & 0x0303_0303;
        x = (x | x >> 6) & 0x000f_000f;
        (x | x >> 12) & 0xff
    };
    byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24
}

/// Repacks 32 codes, number `tile` of eight, of a Q4_K, Q5_K or Q6_K block.
#[inline(always)]
fn repack_k_quant_codes(format: Format, bytes: &[u8], tile: usize, planes: &mut [u8], r: usize) {
    const NIBBLES: u32 = 0x0f0f_0f0f;
    // The bytes with the 32 low nibbles, and their shift in bits.
    let (low, shift) = match format {
        Format::Q4_K => (&bytes[16 + tile / 2 * 32..], tile % 2 * 4),
        Format::Q5_K => (&bytes[48 + tile / 2 * 32..], tile % 2 * 4),
        _ => (&bytes[tile / 4 * 64 + tile % 2 * 32..], tile % 4 / 2 * 4),
    };
    for plane in 0..4 {
        let [first, second] = [plane, plane + 4].map(|i| word(low, i) >> shift & NIBBLES);
        put(planes, plane, r, first | second << 4);
    }
    match format {
        Format::Q5_K => {
            let high = &bytes[16..48];
            put(
                planes,
                4,
                r,
                (0..8).fold(0, |plane, g| plane | (word(high, g) >> tile & 0x0101_0101) << g),
            );
        }
        Format::Q6_K => {
            let high = &bytes[128 + tile / 4 * 32..];
            for v in 0..2 {
                let quad =
                    |s: usize| (word(high, 4 * v + s) >> (tile % 4 * 2) & 0x0303_0303) << (2 * s);
                put(planes, 4 + v, r, (0..4).fold(0, |plane, s| plane | quad(s)));
            }
        }
        _ => {}
    }
}

impl Layout {
    /// Writes d, m, scales and mins of row r into a repacked block.
    #[inline(always)]
    fn write_scales(self, packed: &mut [u8], r: usize, block: &UnpackedBlock) {
        let n_factors = self.block_len / self.factor_len();
        for (i, d) in block.d[..n_factors].iter().enumerate() {
            match self.factors {
                Factors::E8M0 | Factors::E4M3 => packed[i * GROUP_ROWS + r] = *d as u8,
                _ => packed[2 * r..2 * r + 2].copy_from_slice(&d.to_le_bytes()),
            }
        }
        if self.has_min() {
            packed[F16_PLANE_BYTES + 2 * r..][..2].copy_from_slice(&block.m.to_le_bytes());
        }
        match self.scales {
            Scales::One => {}
            Scales::Byte | Scales::Nibble => {
                for s in 0..self.block_len / self.sub_block_len {
                    let min = if self.scales == Scales::Nibble { block.mins[s] << 4 } else { 0 };
                    packed[self.scales_at() + s / 2 * F16_PLANE_BYTES + r * 2 + s % 2] =
                        block.scales[s] as u8 | min;
                }
            }
            Scales::SixBits { offset } => {
                let scales = block.scales.map(|s| (i32::from(s) + offset) as u8);
                self.write_6bit(&mut packed[self.scales_at()..], r, scales);
                if self.has_min() {
                    self.write_6bit(&mut packed[self.mins_at()..], r, block.mins);
                }
            }
        }
    }

    /// Writes 6-bit numbers of row r: the inverse of `scale_6bit`.
    fn write_6bit(self, planes: &mut [u8], r: usize, numbers: [u8; 16]) {
        let pair = |p: usize| u16::from_le_bytes([numbers[2 * p], numbers[2 * p + 1]]);
        let mut put = |plane: usize, pair: u16| {
            planes[plane * F16_PLANE_BYTES + 2 * r..][..2].copy_from_slice(&pair.to_le_bytes());
        };
        let half = self.n_pairs() / 2;
        (0..half).for_each(|p| put(p, pair(p) & 0x0f0f | (pair(p + half) & 0x0f0f) << 4));
        for plane in 0..half / 2 {
            let upper = |i: usize| (pair(4 * plane + i) >> 4 & 0x0303) << (2 * i);
            put(half + plane, upper(0) | upper(1) | upper(2) | upper(3));
        }
    }

    /// Writes 32 codes of row r: the inverse of `code`.
    fn write_codes(self, planes: &mut [u8], r: usize, codes: &[u8; 32]) {
        /// Bit `from` of each byte of a word.
        fn bit(word: u32, from: usize) -> u32 {
            word >> from & 0x0101_0101
        }
        /// Bits `from` and `from + 1` of each byte of a word.
        fn two(word: u32, from: usize) -> u32 {
            word >> from & 0x0303_0303
        }
        let quad = |g: usize| word(codes, g);
        // A bit of each of the eight quads, and two bits of four of them.
        let bits = |from: usize| (0..8).fold(0, |plane, g| plane | bit(quad(g), from) << g);
        let twos = |v: usize, from: usize| {
            (0..4).fold(0, |plane, s| plane | two(quad(4 * v + s), from) << (2 * s))
        };
        match self.bits {
            1 => put(planes, 0, r, bits(0)),
            2 | 3 => (0..2).for_each(|v| put(planes, v, r, twos(v, 0))),
            8 => (0..8).for_each(|g| put(planes, g, r, quad(g))),
            _ => (0..4).for_each(|j| {
                put(planes, j, r, quad(j) & 0x0f0f_0f0f | (quad(j + 4) & 0x0f0f_0f0f) << 4);
            }),
        }
        match self.bits {
            3 => put(planes, 2, r, bits(2)),
            5 => put(planes, 4, r, bits(4)),
            6 => (0..2).for_each(|v| put(planes, 4 + v, r, twos(v, 4))),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_paths_write_the_same_bytes_as_the_generic_path() {
        for format in Format::ALL {
            let Some(layout) = format.layout() else { continue };
            let n = 3;
            let bytes: Vec<u8> =
                (0..n * format.block_bytes()).map(|i| (i * i * 31 % 257 + i) as u8).collect();
            for r in [0, 5, 15] {
                let (mut fast, mut general) =
                    (vec![0; n * layout.bytes()], vec![0; n * layout.bytes()]);
                repack_row(format, &bytes, r, &mut fast);
                let blocks = bytes.chunks_exact(format.block_bytes());
                for (packed, bytes) in general.chunks_exact_mut(layout.bytes()).zip(blocks) {
                    repack_generic(layout, format, bytes, packed, r, &mut UnpackedBlock::default());
                    let mut block = UnpackedBlock::default();
                    unpack_block(format, layout, bytes, &mut block);
                    for k in 0..layout.block_len {
                        let code = layout.code(packed, r, k);
                        assert_eq!(code, block.codes[k], "{format:?}, code {k} of row {r}");
                        let s = k / layout.sub_block_len;
                        let scale = i32::from(block.scales[s]);
                        assert_eq!(layout.scale(packed, r, s), scale, "{format:?}, scale {s}");
                    }
                }
                assert_eq!(fast, general, "{format:?}, row {r}");
            }
        }
    }
}
