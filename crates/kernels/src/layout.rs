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
//! | d | 16 or 32 | factor of each row: f16, or a byte; NVFP4: 16 for each 16 weights |
//! | m | 32 | minimum factor of each row, f16; formats with a minimum |
//! | scales | 24 or 32 a pair | sub-blocks 2p, 2p+1, `[p][r][2]`; Q2_K: mins in high nibbles |
//! | mins | 24 a pair | Q4_K, Q5_K: laid out like the scales |
//! | codes | 64·bits | for each 32 weights, bit planes (below) |
//!
//! Codes: the 32 codes of a row are 8 quads g of 4. One plane is `[r][4]` bytes, 64 in all: one
//! AVX-512 vector or two AVX2 vectors. By the bits of a code:
//! - 4 bits: 4 planes; plane j has quad j in the low nibbles and quad j + 4 in the high ones;
//! - a fifth bit (in 3-bit codes a third; the only one of 1-bit codes): one plane, the bit of quad
//!   g at bit g of its byte;
//! - 2-bit fields: 2 planes, quad 4v + s of plane v at bits 2s;
//! - 8 bits (Q8_0): 8 planes of whole bytes.
//!
//! Scales and mins of 6 bits lie in planes of 32 bytes, with an offset added that makes them
//! unsigned. With n pairs, plane p < n/2 has the low nibbles of pair p, and of pair p + n/2 in its
//! high nibbles. Plane n/2 + p/4 has the upper two bits of pair p at bits 2(p mod 4). A row takes
//! as many bytes as in the file, unless its codes are expanded (`unpack/grids.rs`).

use half::f16;

/// Rows in a group: one per lane of a 16-lane vector, or of two 8-lane vectors.
pub(crate) const GROUP_ROWS: usize = 16;

/// Bytes of a plane of codes: four codes of each row.
pub(crate) const PLANE_BYTES: usize = 4 * GROUP_ROWS;

/// Bytes of one f16 of each row, and of a pair of byte scales of each row.
pub(crate) const F16_PLANE_BYTES: usize = 2 * GROUP_ROWS;

/// Weights that share a factor of [`Factors::E4M3`].
const E4M3_LEN: usize = 16;

/// What a code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codes {
    /// The code, which is unsigned, minus the zero point.
    Offset(i32),
    /// The code as a signed byte.
    Signed,
    /// The code's entry in a table (a code book). Codes of fewer than 4 bits use its beginning.
    Book([i8; 16]),
}

impl Codes {
    /// The integer that a code stands for.
    pub(crate) const fn value(self, code: u8) -> i32 {
        match self {
            Codes::Offset(zero) => code as i32 - zero,
            Codes::Signed => code as i8 as i32,
            Codes::Book(book) => book[code as usize] as i32,
        }
    }
}

/// The float factors of a block: how they are stored, and at which bytes of a block in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Factors {
    /// d as an f16.
    F16 { d: usize },
    /// d and m as f16; m·min is added.
    PlusMin { d: usize, m: usize },
    /// d and m as f16; m·min is subtracted. Repacking flips m's sign, so kernels always add.
    MinusMin { d: usize, m: usize },
    /// d as an f16, in the top four bits of four little-endian u16 (IQ1_M).
    SplitF16 { at: usize },
    /// d as a power of two in the first byte e: 2^(e - 128), which is half of what E8M0 says, since
    /// code books of E2M1 hold doubled values. 255, which E8M0 calls NaN, is 2^127.
    E8M0,
    /// d per 16 weights as a byte of E4M3 without a sign, from the first byte on. Repacked, 0x7f
    /// (NaN) is 0. Shifted left by seven it is an f16, 2^8 times too small.
    E4M3,
}

impl Factors {
    /// Reads d (as many as the block has: raw f16 bits or bytes) and m from a block of the file.
    pub(crate) fn read(self, bytes: &[u8], d: &mut [u16; 4], m: &mut u16) {
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        match self {
            Factors::F16 { d: at } => d[0] = half(at),
            Factors::PlusMin { d: at, m: min } => (d[0], *m) = (half(at), half(min)),
            Factors::MinusMin { d: at, m: min } => (d[0], *m) = (half(at), half(min) ^ 0x8000),
            Factors::SplitF16 { at } => {
                d[0] = (0..4).fold(0, |d, i| d | half(at + 2 * i) >> 12 << (4 * i));
            }
            Factors::E8M0 => d[0] = u16::from(bytes[0]),
            Factors::E4M3 => {
                for (d, &byte) in d.iter_mut().zip(bytes) {
                    *d = if byte == 0x7f { 0 } else { u16::from(byte & 0x7f) };
                }
            }
        }
    }

    /// Writes factors near d and m into a block of the file.
    pub(crate) fn write(self, block: &mut [u8], d: f32, m: f32) {
        let bits = |x: f32| f16::from_f32(x).to_bits();
        let mut half =
            |at: usize, bits: u16| block[at..at + 2].copy_from_slice(&bits.to_le_bytes());
        match self {
            Factors::F16 { d: at } => half(at, bits(d)),
            Factors::PlusMin { d: at, m: min } | Factors::MinusMin { d: at, m: min } => {
                half(at, bits(d));
                half(min, bits(m));
            }
            Factors::SplitF16 { at } => (0..4).for_each(|i| {
                let byte = &mut block[at + 2 * i + 1];
                *byte = *byte & 15 | ((bits(d) >> (4 * i) & 15) as u8) << 4;
            }),
            Factors::E8M0 | Factors::E4M3 => {
                let n = if self == Factors::E8M0 { 1 } else { 4 };
                let below = |&byte: &u8| self.value(byte.into()) <= d.abs();
                let byte = (0..if n == 1 { 255 } else { 0x7f }).rev().find(below);
                block[..n].fill(byte.unwrap_or(0));
            }
        }
    }

    /// The factor of raw bits: f16, E8M0 byte or E4M3 byte (2^-8 times what E4M3 says).
    pub(crate) fn value(self, raw: u16) -> f32 {
        match self {
            Factors::E8M0 if raw < 2 => f32::from_bits(0x0020_0000 << raw),
            Factors::E8M0 => f32::from_bits(u32::from(raw - 1) << 23),
            Factors::E4M3 => f16::from_bits(raw << 7).to_f32(),
            _ => f16::from_bits(raw).to_f32(),
        }
    }
}

/// How the integer scales of sub-blocks (and the mins) are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scales {
    /// None: every scale is 1, and so is every min.
    One,
    /// Signed bytes.
    Byte,
    /// The low nibbles of bytes, with mins in the high ones.
    Nibble,
    /// Six bits, with this number added to a scale (not to a min) to make it unsigned.
    SixBits { offset: i32 },
}

/// The shape of a quantized format's repacked block. A weight is `d·unit·scale·value(code)`, plus
/// `m·min` for formats with a minimum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Layout {
    /// Weights per block: 32 to 128 for products with activations in blocks of 32, or 256.
    pub(crate) block_len: usize,
    /// Weights per sub-block, which share one scale.
    pub(crate) sub_block_len: usize,
    /// Bits per code.
    pub(crate) bits: usize,
    /// What codes stand for.
    pub(crate) codes: Codes,
    /// How scales are stored.
    pub(crate) scales: Scales,
    /// Where d and m are in a file, and as what.
    pub(crate) factors: Factors,
    /// A power of two that d is multiplied by.
    pub(crate) unit: f32,
}

impl Layout {
    /// What most formats with blocks of 32 have.
    pub(crate) const BLOCK32: Layout = Layout {
        block_len: 32,
        sub_block_len: 32,
        bits: 4,
        codes: Codes::Offset(0),
        scales: Scales::One,
        factors: Factors::F16 { d: 0 },
        unit: 1.0,
    };

    /// What most formats with super-blocks of 256 have.
    pub(crate) const BLOCK256: Layout = Layout { block_len: 256, ..Layout::BLOCK32 };

    /// Elements per block of the activations that these weights are multiplied with.
    pub(crate) const fn activation_len(self) -> usize {
        if self.block_len == 256 { 256 } else { 32 }
    }

    /// Whether blocks have a minimum (m, and mins per sub-block).
    pub(crate) const fn has_min(self) -> bool {
        matches!(self.factors, Factors::PlusMin { .. } | Factors::MinusMin { .. })
    }

    /// Weights that share one factor d.
    pub(crate) const fn factor_len(self) -> usize {
        if matches!(self.factors, Factors::E4M3) { E4M3_LEN } else { self.block_len }
    }

    /// Bytes of one factor d of each row.
    pub(crate) const fn factor_bytes(self) -> usize {
        match self.factors {
            Factors::E8M0 | Factors::E4M3 => GROUP_ROWS,
            _ => F16_PLANE_BYTES,
        }
    }

    /// Offset of the scales in a repacked block.
    pub(crate) const fn scales_at(self) -> usize {
        let factors = self.block_len / self.factor_len() * self.factor_bytes();
        factors + if self.has_min() { F16_PLANE_BYTES } else { 0 }
    }

    /// Number of pairs of sub-blocks.
    pub(crate) const fn n_pairs(self) -> usize {
        self.block_len / self.sub_block_len / 2
    }

    /// Bytes of the scales.
    const fn scales_bytes(self) -> usize {
        match self.scales {
            Scales::One => 0,
            Scales::Byte | Scales::Nibble => self.n_pairs() * F16_PLANE_BYTES,
            Scales::SixBits { .. } => self.n_pairs() * F16_PLANE_BYTES * 6 / 8,
        }
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
        let has_mins = self.has_min() && matches!(self.scales, Scales::SixBits { .. });
        self.mins_at() + if has_mins { self.scales_bytes() } else { 0 }
    }

    /// Bytes of a repacked block of sixteen rows.
    pub(crate) const fn bytes(self) -> usize {
        self.codes_at() + self.block_len / 32 * self.bits * PLANE_BYTES
    }

    /// The factor of weight k of row r: d·unit.
    pub(crate) fn factor(self, block: &[u8], r: usize, k: usize) -> f32 {
        let at = k / self.factor_len() * self.factor_bytes();
        let raw = match self.factors {
            Factors::E8M0 | Factors::E4M3 => u16::from(block[at + r]),
            _ => u16::from_le_bytes([block[at + 2 * r], block[at + 2 * r + 1]]),
        };
        self.factors.value(raw) * self.unit
    }

    /// The minimum factor of row r, for formats with a minimum.
    pub(crate) fn min_factor(self, block: &[u8], r: usize) -> f32 {
        let at = F16_PLANE_BYTES + 2 * r;
        f16::from_bits(u16::from_le_bytes([block[at], block[at + 1]])).to_f32()
    }

    /// Code k (of the block) of row r.
    pub(crate) fn code(self, block: &[u8], r: usize, k: usize) -> u8 {
        let (tile, g, at) = (k / 32, k % 32 / 4, r * 4 + k % 4);
        let planes = &block[self.codes_at() + tile * self.bits * PLANE_BYTES..];
        let nibble = || planes[g % 4 * PLANE_BYTES + at] >> (g / 4 * 4) & 15;
        let pair = |from: usize| planes[(from + g / 4) * PLANE_BYTES + at] >> (g % 4 * 2) & 3;
        let single = |from: usize| planes[from * PLANE_BYTES + at] >> g & 1;
        match self.bits {
            1 => single(0),
            2 => pair(0),
            3 => pair(0) | single(2) << 2,
            4 => nibble(),
            5 => nibble() | single(4) << 4,
            6 => nibble() | pair(4) << 4,
            _ => planes[g * PLANE_BYTES + at],
        }
    }

    /// The integer that code k (of the block) of row r stands for.
    pub(crate) fn value(self, block: &[u8], r: usize, k: usize) -> i32 {
        self.codes.value(self.code(block, r, k))
    }

    /// The scale of sub-block s of row r.
    pub(crate) fn scale(self, block: &[u8], r: usize, s: usize) -> i32 {
        let byte = || block[self.scales_at() + s / 2 * F16_PLANE_BYTES + r * 2 + s % 2];
        match self.scales {
            Scales::One => 1,
            Scales::Byte => i32::from(byte() as i8),
            Scales::Nibble => i32::from(byte() & 15),
            Scales::SixBits { offset } => self.scale_6bit(block, self.scales_at(), r, s) - offset,
        }
    }

    /// The min of sub-block s of row r, for formats with a minimum.
    pub(crate) fn min(self, block: &[u8], r: usize, s: usize) -> i32 {
        match self.scales {
            Scales::One | Scales::Byte => 1,
            Scales::Nibble => {
                i32::from(block[self.scales_at() + s / 2 * F16_PLANE_BYTES + r * 2 + s % 2] >> 4)
            }
            Scales::SixBits { .. } => self.scale_6bit(block, self.mins_at(), r, s),
        }
    }
}
