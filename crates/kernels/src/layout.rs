//! The memory layout of repacked weights: interleaved rows, so that a vector lane owns an output
//! row.
//!
//! Sixteen neighbouring output rows form a row group. Within a group the rows are interleaved: each
//! vector lane holds one row, so the kernels need no horizontal sums and compute the same numbers
//! for one token as for 512. llama.cpp repacks weights in a similar way (`block_q4_0x8` and
//! others). A group is one sequential stream of blocks along k. A quantized block of a group has,
//! for rows r:
//!
//! | part | bytes | content |
//! |---|---|---|
//! | d | 32 | scale factor of each row, f16 |
//! | m | 32 | minimum factor of each row, f16; formats with a minimum |
//! | scales | 24 or 32 a pair | sub-blocks 2p, 2p+1, `[p][r][2]`; Q2_K: mins in high nibbles |
//! | mins | 24 a pair | Q4_K, Q5_K: laid out like the scales |
//! | codes | 64·bits | for each 32 weights, bit planes (below) |
//!
//! Codes: the 32 codes of a row are 8 quads g of 4. One plane is `[r][4]` bytes, 64 in all: one
//! AVX-512 vector or two AVX2 vectors. By the bits of a code:
//! - 4 bits: 4 planes; plane j has quad j in the low nibbles and quad j + 4 in the high ones;
//! - a fifth bit (in Q3_K a third): one plane, the bit of quad g at bit g of its byte;
//! - 2-bit fields: 2 planes, quad 4v + s of plane v at bits 2s;
//! - 8 bits (Q8_0): 8 planes of whole bytes.
//!
//! Scales and mins of 6 bits (Q3_K with 32 added, Q4_K, Q5_K) lie in planes of 32 bytes. With n
//! pairs, plane p < n/2 has the low nibbles of pair p, and of pair p + n/2 in its high nibbles.
//! Plane n/2 + p/4 has the upper two bits of pair p at bits 2(p mod 4). A row takes as many bytes
//! as in the file.

use half::{bf16, f16};

use crate::format::Format;

/// Rows in a group: one per lane of a 16-lane vector, or of two 8-lane vectors.
pub(crate) const GROUP_ROWS: usize = 16;

/// Bytes of a plane of codes: four codes of each row.
pub(crate) const PLANE_BYTES: usize = 4 * GROUP_ROWS;

/// Bytes of one f16 of each row, and of a pair of byte scales of each row.
pub(crate) const F16_PLANE_BYTES: usize = 2 * GROUP_ROWS;

/// The shape of a quantized format's repacked block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Weights per block: 32 or 256 (a k-quant's super-block).
    pub(crate) block_len: usize,
    /// Weights per sub-block, which share one scale.
    pub(crate) sub_block_len: usize,
    /// Bits per code.
    pub(crate) bits: usize,
    /// The zero point, subtracted from each code.
    pub(crate) offset: i32,
    /// Whether blocks have a minimum (m, and mins per sub-block).
    pub(crate) has_min: bool,
}

impl Layout {
    /// The layout of a quantized format; None for floats.
    pub(crate) const fn of(format: Format) -> Option<Layout> {
        let (block_len, sub_block_len, bits, offset, has_min) = match format {
            Format::F32 | Format::F16 | Format::BF16 => return None,
            Format::Q4_0 => (32, 32, 4, 8, false),
            Format::Q4_1 => (32, 32, 4, 0, true),
            Format::Q5_0 => (32, 32, 5, 16, false),
            Format::Q5_1 => (32, 32, 5, 0, true),
            Format::Q8_0 => (32, 32, 8, 0, false),
            Format::Q2_K => (256, 16, 2, 0, true),
            Format::Q3_K => (256, 16, 3, 4, false),
            Format::Q4_K => (256, 32, 4, 0, true),
            Format::Q5_K => (256, 32, 5, 0, true),
            Format::Q6_K => (256, 16, 6, 32, false),
        };
        Some(Layout { block_len, sub_block_len, bits, offset, has_min })
    }

    /// Offset of the scales in a repacked block.
    pub(crate) const fn scales_at(self) -> usize {
        if self.has_min { 2 * F16_PLANE_BYTES } else { F16_PLANE_BYTES }
    }

    /// Number of pairs of sub-blocks.
    pub(crate) const fn n_pairs(self) -> usize {
        self.block_len / self.sub_block_len / 2
    }

    /// Whether scales (and mins) have 6 bits.
    pub(crate) const fn has_6bit_scales(self) -> bool {
        self.block_len == 256 && matches!(self.bits, 3..=5)
    }

    /// What is added to a 6-bit scale to make it unsigned.
    pub(crate) const fn scale_offset(self) -> i32 {
        if self.bits == 3 { 32 } else { 0 }
    }

    /// Bytes of the scales; 0 for blocks of 32, which have none.
    const fn scales_bytes(self) -> usize {
        let bits = if self.has_6bit_scales() { 6 } else { 8 };
        self.n_pairs() * F16_PLANE_BYTES * bits / 8
    }

    /// The 6-bit number of sub-block s of row r, in planes that begin at `at`.
    fn scale_6bit(self, block: &[u8], at: usize, r: usize, s: usize) -> i32 {
        let (p, at, half) = (s / 2, at + 2 * r + s % 2, self.n_pairs() / 2);
        let low = block[at + p % half * F16_PLANE_BYTES] >> (p / half * 4) & 15;
        let high = block[at + (half + p / 4) * F16_PLANE_BYTES] >> (p % 4 * 2) & 3;
        i32::from(low | high << 4)
    }

    /// Offset of the mins, for formats that store them apart from the scales.
    pub(crate) const fn mins_at(self) -> usize {
        self.scales_at() + self.scales_bytes()
    }

    /// Offset of the codes.
    pub(crate) const fn codes_at(self) -> usize {
        self.mins_at()
            + if self.has_min && self.sub_block_len == 32 { self.scales_bytes() } else { 0 }
    }

    /// Bytes of a repacked block of sixteen rows.
    pub(crate) const fn bytes(self) -> usize {
        self.codes_at() + self.block_len / 32 * self.bits * PLANE_BYTES
    }

    /// Code k (of the block) of row r, without the zero point subtracted; Q8_0's is signed.
    pub(crate) fn code(self, block: &[u8], r: usize, k: usize) -> i32 {
        let (tile, g, at) = (k / 32, k % 32 / 4, r * 4 + k % 4);
        let planes = &block[self.codes_at() + tile * self.bits * PLANE_BYTES..];
        let nibble = || planes[g % 4 * PLANE_BYTES + at] >> (g / 4 * 4) & 15;
        let pair = |from: usize| planes[(from + g / 4) * PLANE_BYTES + at] >> (g % 4 * 2) & 3;
        let single = |from: usize| planes[from * PLANE_BYTES + at] >> g & 1;
        let code = match self.bits {
            2 => pair(0),
            3 => pair(0) | single(2) << 2,
            4 => nibble(),
            5 => nibble() | single(4) << 4,
            6 => nibble() | pair(4) << 4,
            _ => return i32::from(planes[g * PLANE_BYTES + at] as i8),
        };
        i32::from(code)
    }

    /// The scale of sub-block s of row r; 1 for blocks of 32.
    pub(crate) fn scale(self, block: &[u8], r: usize, s: usize) -> i32 {
        let at = self.scales_at() + s / 2 * F16_PLANE_BYTES + r * 2 + s % 2;
        match (self.block_len, self.bits) {
            (32, _) => 1,
            (_, 2) => i32::from(block[at] & 15),
            (_, 6) => i32::from(block[at] as i8),
            _ => self.scale_6bit(block, self.scales_at(), r, s) - self.scale_offset(),
        }
    }

    /// The min of sub-block s of row r; 1 for blocks of 32.
    pub(crate) fn min(self, block: &[u8], r: usize, s: usize) -> i32 {
        match (self.block_len, self.bits) {
            (32, _) => 1,
            (_, 2) => {
                i32::from(block[self.scales_at() + s / 2 * F16_PLANE_BYTES + r * 2 + s % 2] >> 4)
            }
            _ => self.scale_6bit(block, self.mins_at(), r, s),
        }
    }

    /// The f16 of row r at byte `at`, as f32.
    pub(crate) fn half(block: &[u8], at: usize, r: usize) -> f32 {
        f16::from_bits(u16::from_le_bytes([block[at + 2 * r], block[at + 2 * r + 1]])).to_f32()
    }
}

/// Element `i` of an array of F32, F16 or BF16, as f32.
pub(crate) fn float(format: Format, bytes: &[u8], i: usize) -> f32 {
    match format {
        Format::F32 => {
            f32::from_le_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]])
        }
        Format::F16 => f16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]).to_f32(),
        Format::BF16 => bf16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]).to_f32(),
        _ => unreachable!("quantized formats have blocks"),
    }
}
