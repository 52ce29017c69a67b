//! A tensor's bytes in, the layout that the matrix products read out.
//!
//! Sixteen neighbouring output rows lie in neighbouring lanes, so each lane owns a row: no horizontal sums,
//! and the same numbers for one token as for 512. A group of sixteen rows is one sequential stream of blocks
//! along k. A quantized block is, for its sixteen rows r:
//!
//! | part | bytes | what |
//! |---|---|---|
//! | d | 32 | f16 of each row |
//! | m | 32 | f16 of each row, formats with minima |
//! | scales | 24 or 32 a pair | k-quants: of sub-blocks 2p and 2p+1, `[p][r][2]`; Q2_K has its mins in the high nibbles |
//! | mins | 24 a pair | Q4_K, Q5_K: likewise |
//! | codes | 64·bits | for each 32 numbers, planes by the bits of a code (below) |
//!
//! The 32 codes of a row are 8 quads g of 4. `[r][4]` bytes make one plane of 64 bytes (one AVX-512 vector, two of AVX2): the low nibbles
//! hold quad j, the high ones quad j + 4 (4 planes); where a code has a fifth bit (a third bit in Q3_K), one plane has it at bit g
//! of its byte; 2-bit fields lie in 2 planes, quad 4v + s of plane v at bits 2s. Q8_0 has 8 planes of whole bytes.
//! Scales and mins of six bits (Q3_K, Q4_K, Q5_K; Q3_K's have 32 added) lie in such planes too, of 32 bytes: with n pairs, the low nibbles
//! of pair p in those of plane p, of pair p + n/2 in its high ones; then the upper two bits of pair p at bits 2(p mod 4) of
//! plane n/2 + p/4. So a row takes as many bytes as it does in the file.

use std::{
    cell::RefCell,
    ops::Range,
    sync::{Mutex, PoisonError},
};

use half::{bf16, f16};

use crate::{
    format::Format,
    memory::{Arena, Block, NoMemory},
    pack::pack_row,
    pool::Pool,
};

/// Rows in a group: one for each lane of a vector of 16 f32, or of two vectors of eight.
pub const GROUP: usize = 16;

/// Bytes of a plane: four codes of each row.
pub(crate) const PLANE: usize = 4 * GROUP;

/// Bytes of one f16 of each row, and of a pair of scales of each row.
pub(crate) const HALVES: usize = 2 * GROUP;

/// How a quantized format's blocks look once they are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Numbers in a block: 32 or 256.
    pub(crate) block: usize,
    /// Numbers that share a scale.
    pub(crate) sub: usize,
    /// Bits of a code.
    pub(crate) bits: usize,
    /// What is subtracted from a code.
    pub(crate) offset: i32,
    /// Whether there is a minimum.
    pub(crate) min: bool,
}

impl Layout {
    /// The layout of a quantized format; none for floats.
    pub(crate) const fn of(format: Format) -> Option<Layout> {
        let (block, sub, bits, offset, min) = match format {
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
        Some(Layout { block, sub, bits, offset, min })
    }

    /// Where the scales begin in a packed block.
    pub(crate) const fn scales_at(self) -> usize {
        if self.min { 2 * HALVES } else { HALVES }
    }

    /// How many pairs of sub-blocks there are.
    pub(crate) const fn n_pairs(self) -> usize {
        self.block / self.sub / 2
    }

    /// Whether scales (and mins) are of six bits.
    pub(crate) const fn six_bits(self) -> bool {
        self.block == 256 && matches!(self.bits, 3..=5)
    }

    /// What is added to a scale of six bits, so that it's none below zero.
    pub(crate) const fn scale_offset(self) -> i32 {
        if self.bits == 3 { 32 } else { 0 }
    }

    /// None for blocks of 32, which have no pairs.
    const fn scales_bytes(self) -> usize {
        let bits = if self.six_bits() { 6 } else { 8 };
        self.n_pairs() * HALVES * bits / 8
    }

    /// The number of six bits of sub-block s of row r, in planes that begin at `at`.
    fn six(self, block: &[u8], at: usize, r: usize, s: usize) -> i32 {
        let (p, at, half) = (s / 2, at + 2 * r + s % 2, self.n_pairs() / 2);
        let low = block[at + p % half * HALVES] >> (p / half * 4) & 15;
        let high = block[at + (half + p / 4) * HALVES] >> (p % 4 * 2) & 3;
        i32::from(low | high << 4)
    }

    /// Where the mins begin, for formats whose mins are bytes of their own.
    pub(crate) const fn mins_at(self) -> usize {
        self.scales_at() + self.scales_bytes()
    }

    /// Where the codes begin.
    pub(crate) const fn codes_at(self) -> usize {
        self.mins_at() + if self.min && self.sub == 32 { self.scales_bytes() } else { 0 }
    }

    /// Bytes of a packed block of sixteen rows.
    pub(crate) const fn bytes(self) -> usize {
        self.codes_at() + self.block / 32 * self.bits * PLANE
    }

    /// Code k (of the block) of row r, as the specification reads it; Q8_0's is signed.
    pub(crate) fn code(self, block: &[u8], r: usize, k: usize) -> i32 {
        let (tile, g, at) = (k / 32, k % 32 / 4, r * 4 + k % 4);
        let planes = &block[self.codes_at() + tile * self.bits * PLANE..];
        let nibble = || planes[g % 4 * PLANE + at] >> (g / 4 * 4) & 15;
        let pair = |from: usize| planes[(from + g / 4) * PLANE + at] >> (g % 4 * 2) & 3;
        let single = |from: usize| planes[from * PLANE + at] >> g & 1;
        let code = match self.bits {
            2 => pair(0),
            3 => pair(0) | single(2) << 2,
            4 => nibble(),
            5 => nibble() | single(4) << 4,
            6 => nibble() | pair(4) << 4,
            _ => return i32::from(planes[g * PLANE + at] as i8),
        };
        i32::from(code)
    }

    /// The scale of sub-block s of row r; 1 for formats without.
    pub(crate) fn scale(self, block: &[u8], r: usize, s: usize) -> i32 {
        let at = self.scales_at() + s / 2 * HALVES + r * 2 + s % 2;
        match (self.block, self.bits) {
            (32, _) => 1,
            (_, 2) => i32::from(block[at] & 15),
            (_, 6) => i32::from(block[at] as i8),
            _ => self.six(block, self.scales_at(), r, s) - self.scale_offset(),
        }
    }

    /// The min of sub-block s of row r; 1 for formats without.
    pub(crate) fn min(self, block: &[u8], r: usize, s: usize) -> i32 {
        match (self.block, self.bits) {
            (32, _) => 1,
            (_, 2) => i32::from(block[self.scales_at() + s / 2 * HALVES + r * 2 + s % 2] >> 4),
            _ => self.six(block, self.mins_at(), r, s),
        }
    }

    /// The f16 of row r at byte `at`, as f32.
    pub(crate) fn half(block: &[u8], at: usize, r: usize) -> f32 {
        f16::from_bits(u16::from_le_bytes([block[at + 2 * r], block[at + 2 * r + 1]])).to_f32()
    }
}

/// Bytes of a file that a thread reads and packs at a time.
const READ_BYTES: usize = 64 << 10;

/// Fills its slice with a tensor's bytes from a place on.
pub type ReadBytes<'a, E> = dyn Fn(usize, &mut [u8]) -> Result<(), E> + Sync + 'a;

thread_local! {
    /// What was read and isn't packed yet.
    static FILE_BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A matrix of weights, `rows` × `cols`, ready for products with activations of length `cols`.
#[derive(Debug)]
pub struct Packed {
    format: Format,
    rows: usize,
    cols: usize,
    /// Groups of sixteen rows one after another; the last one is filled up with rows of zeros.
    data: Block<u8>,
}

impl Packed {
    /// Packs the bytes of a tensor as the file has them, row after row.
    ///
    /// `cols` must be a multiple of the format's block length and `bytes` have rows · cols numbers:
    /// the model file's reader has checked both.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn new(
        pool: &Pool,
        format: Format,
        rows: usize,
        cols: usize,
        bytes: &[u8],
    ) -> Result<Packed, NoMemory> {
        let copy = |at: usize, out: &mut [u8]| {
            out.copy_from_slice(&bytes[at..at + out.len()]);
            Ok(())
        };
        Packed::read(pool, &mut Arena::new(), format, rows, cols, &copy)
    }

    /// Packs a tensor while it is read, a few rows at a time on each thread, into memory of `arena`.
    ///
    /// `cols` must be a multiple of the format's block length.
    ///
    /// # Errors
    /// The first of `read`'s, or that there is no memory.
    pub fn read<E: From<NoMemory> + Send>(
        pool: &Pool,
        arena: &mut Arena,
        format: Format,
        rows: usize,
        cols: usize,
        read: &ReadBytes<'_, E>,
    ) -> Result<Packed, E> {
        assert!(cols.is_multiple_of(format.block_len()), "rows are whole blocks");
        let row_bytes = cols / format.block_len() * format.block_bytes();
        let group_bytes = group_bytes(format, cols);
        let mut data = arena.take(rows.div_ceil(GROUP) * group_bytes)?;
        let groups_a_task = (READ_BYTES / (GROUP * row_bytes).max(1)).max(1);
        let failure = Mutex::new(None);
        pool.for_each_chunk(&mut data, (groups_a_task * group_bytes).max(1), &|task, groups| {
            FILE_BYTES.with_borrow_mut(|bytes| {
                let first = task * groups_a_task * GROUP;
                let n_rows = (groups_a_task * GROUP).min(rows - first);
                bytes.resize(n_rows * row_bytes, 0);
                if let Err(error) = read(first * row_bytes, bytes) {
                    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    return;
                }
                for (group, rows) in groups.chunks_exact_mut(group_bytes).zip(bytes.chunks(GROUP * row_bytes))
                {
                    for (r, row) in rows.chunks_exact(row_bytes).enumerate() {
                        pack_row(format, row, r, group);
                    }
                }
            });
        });
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(Packed { format, rows, cols, data }),
        }
    }

    /// How the numbers are stored.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Length of a product's result.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Length of the activations.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Bytes that the weights take in memory.
    pub fn n_bytes(&self) -> usize {
        self.data.len()
    }

    /// The streams of some neighbouring groups of rows, one after another.
    pub(crate) fn groups(&self, groups: Range<usize>) -> &[u8] {
        let n = group_bytes(self.format, self.cols);
        &self.data[groups.start * n..groups.end * n]
    }

    /// One row as f32: d·scale·(code - offset) + m·min, in that order of operations. For embeddings.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        assert!(row < self.rows && out.len() == self.cols, "a row of this matrix");
        let (group, r) = (self.groups(row / GROUP..row / GROUP + 1), row % GROUP);
        let Some(layout) = Layout::of(self.format) else {
            for (k, out) in out.iter_mut().enumerate() {
                *out = float(self.format, group, k * GROUP + r);
            }
            return;
        };
        for (block, out) in group.chunks_exact(layout.bytes()).zip(out.chunks_exact_mut(layout.block)) {
            let d = Layout::half(block, 0, r);
            let m = if layout.min { Layout::half(block, HALVES, r) } else { 0.0 };
            for (k, out) in out.iter_mut().enumerate() {
                let s = k / layout.sub;
                let scale = d * layout.scale(block, r, s) as f32;
                *out = scale * (layout.code(block, r, k) - layout.offset) as f32;
                if layout.min {
                    *out += m * layout.min(block, r, s) as f32;
                }
            }
        }
    }
}

/// Number `i` of a stream of floats.
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

fn group_bytes(format: Format, cols: usize) -> usize {
    match Layout::of(format) {
        Some(layout) => cols / layout.block * layout.bytes(),
        None => cols * GROUP * format.block_bytes(),
    }
}
