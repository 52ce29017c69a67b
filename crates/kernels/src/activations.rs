//! Rows of f32 activations in, the same rows as int8 with scales out, as the weights' format asks.
//!
//! A block of 32 (legacy formats) or 256 numbers (k-quants) has the scale d = max|x| / 127, and q = round(x · (127 / max|x|)),
//! ties to even; a block of zeros has d = 0. Sums of 16 and of 32 q's serve the formats with offsets or minima.
//!
//! Rows are kept in tiles of up to 16 tokens, in the order in which products read them: for each 32 numbers those of all
//! tokens of the tile lie side by side.

use crate::{
    format::Format,
    isa::{Isa, dispatch},
    packed::Layout,
    pool::{Disjoint, Pool},
};

/// Tokens that a product takes at once: weights are unpacked once for all of them.
pub(crate) const TILE: usize = 16;

/// Numbers that a task quantizes at least, if there are so many: fewer cost less than waking a thread.
const NUMBERS_A_TASK: usize = 2048;

/// Quantized rows, all of one block length, tile after tile. Every part is `[unit][token]` in a tile of n tokens, a unit being
/// what one number of it stands for: a number, 16, 32 or 64 of them, a block.
#[derive(Debug, Default, Clone)]
pub struct Quantized {
    n_rows: usize,
    cols: usize,
    block: usize,
    q: Vec<i8>,
    scales: Vec<f32>,
    sums: Vec<f32>,
    pairs16: Vec<i32>,
    pairs32: Vec<i32>,
}

/// The quantized rows of one tile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tile<'a> {
    /// Tokens, 1 to [`TILE`].
    pub(crate) n: usize,
    /// `[cols/32][n][32]`.
    pub(crate) q: &'a [i8],
    /// `[cols/block][n]`.
    pub(crate) scales: &'a [f32],
    /// Blocks of 32: `[cols/32][n]`, the sum of the block's q's, exact.
    pub(crate) sums: &'a [f32],
    /// Blocks of 256: `[cols/32][n]`, the sums of 16 and 16 q's as two i16, the first one low.
    pub(crate) pairs16: &'a [i32],
    /// Blocks of 256: `[cols/64][n]`, the sums of 32 and 32 q's likewise.
    pub(crate) pairs32: &'a [i32],
}

impl Tile<'_> {
    /// Number k of token t.
    pub(crate) fn q(&self, t: usize, k: usize) -> i32 {
        i32::from(self.q[(k / 32 * self.n + t) * 32 + k % 32])
    }

    /// The scale of block b of token t.
    pub(crate) fn scale(&self, t: usize, b: usize) -> f32 {
        self.scales[b * self.n + t]
    }

    /// Whether it has all that `n_blocks` blocks of this layout read.
    pub(crate) fn fits(&self, layout: Layout, n_blocks: usize) -> bool {
        let numbers = n_blocks * layout.block * self.n;
        let sums = match (layout.block, layout.sub) {
            (32, _) => self.sums.len() * 32,
            (_, 16) => self.pairs16.len() * 32,
            _ => self.pairs32.len() * 64,
        };
        self.n <= TILE
            && self.q.len() == numbers
            && self.scales.len() * layout.block == numbers
            && sums == numbers
    }
}

impl Quantized {
    fn quantize(&mut self, pool: &Pool, isa: Isa, x: &[f32], cols: usize, block: usize) {
        let n_rows = x.len() / cols;
        (self.n_rows, self.cols, self.block) = (n_rows, cols, block);
        self.q.resize(x.len(), 0);
        self.scales.resize(x.len() / block, 0.0);
        let by32 = block == 32;
        self.sums.resize(if by32 { x.len() / 32 } else { 0 }, 0.0);
        self.pairs16.resize(if by32 { 0 } else { x.len() / 32 }, 0);
        self.pairs32.resize(if by32 { 0 } else { x.len() / 64 }, 0);
        let (q, scales) = (Disjoint(self.q.as_mut_ptr()), Disjoint(self.scales.as_mut_ptr()));
        let sums = Disjoint(self.sums.as_mut_ptr());
        let (pairs16, pairs32) = (Disjoint(self.pairs16.as_mut_ptr()), Disjoint(self.pairs32.as_mut_ptr()));
        let n_blocks = cols / block;
        let blocks_a_task = (NUMBERS_A_TASK / (block * TILE.min(n_rows.max(1)))).clamp(1, n_blocks.max(1));
        let tasks_a_tile = n_blocks.div_ceil(blocks_a_task);
        // A task is some blocks of all rows of a tile: those of one row lie between other rows', and two threads that write
        // to the same cache lines wait for each other.
        pool.run(n_rows.div_ceil(TILE) * tasks_a_tile, &|task| {
            let mut codes = [0i8; 256];
            let mut sums16 = [0i16; 16];
            let first = task / tasks_a_tile * TILE;
            let n = TILE.min(n_rows - first);
            let blocks = task % tasks_a_tile * blocks_a_task;
            for b in blocks..(blocks + blocks_a_task).min(n_blocks) {
                for t in 0..n {
                    // Where unit u of this row is, of `len` numbers each.
                    let place = |u: usize, len: usize| first * (cols / len) + u * n + t;
                    let x = &x[(first + t) * cols + b * block..][..block];
                    let (codes, sums16) = (&mut codes[..block], &mut sums16[..block / 16]);
                    let scale = dispatch!(isa, matmul::quantize_block(x, codes, sums16));
                    // SAFETY: row first + t has unit u of a part at `place(u, len)`, below n_rows · cols / len, which is the part's
                    // length; different rows have different places, each block of a row belongs to one task, and `self`
                    // is borrowed mutably until `run` returns.
                    unsafe {
                        scales.at(place(b, block)).write(scale);
                        for (u, codes) in codes.as_chunks::<32>().0.iter().enumerate() {
                            let u = b * block / 32 + u;
                            q.at(32 * place(u, 32)).cast::<[i8; 32]>().write(*codes);
                        }
                        let pair = |a: i16, b: i16| i32::from(a) & 0xffff | i32::from(b) << 16;
                        for (u, s) in sums16.chunks_exact(2).enumerate() {
                            let u = b * block / 32 + u;
                            if by32 {
                                sums.at(place(u, 32)).write(f32::from(s[0] + s[1]));
                            } else {
                                pairs16.at(place(u, 32)).write(pair(s[0], s[1]));
                            }
                        }
                        // A block of 32 has no four sums of 16.
                        for (u, s) in sums16.chunks_exact(4).enumerate() {
                            pairs32.at(place(b * 4 + u, 64)).write(pair(s[0] + s[1], s[2] + s[3]));
                        }
                    }
                }
            }
        });
    }

    /// Whether these are `n` rows of `cols`.
    pub(crate) fn holds(&self, n: usize, cols: usize) -> bool {
        self.n_rows == n && self.cols == cols
    }

    /// Tile `i`, for weights of this layout.
    #[inline]
    pub(crate) fn tile(&self, layout: Layout, i: usize) -> Tile<'_> {
        assert_eq!(layout.block, self.block, "prepared for these weights");
        let n = TILE.min(self.n_rows - i * TILE);
        // Tiles before this one are whole.
        let part = |units: usize| i * TILE * units..(i * TILE + n) * units;
        let units = self.cols / 32;
        let (units32, units256) = if self.block == 32 { (units, 0) } else { (0, units) };
        Tile {
            n,
            q: &self.q[part(units * 32)],
            scales: &self.scales[part(units32 + units256 / 8)],
            sums: &self.sums[part(units32)],
            pairs16: &self.pairs16[part(units256)],
            pairs32: &self.pairs32[part(units256 / 2)],
        }
    }
}

/// The input of matrix products: n_rows × cols, as f32 and as int8 by either convention, whichever the weights ask for.
#[derive(Debug, Default, Clone)]
pub struct Activations {
    /// n_rows × cols.
    pub x: Vec<f32>,
    by32: Quantized,
    by256: Quantized,
}

impl Activations {
    /// Quantizes `x` (rows of `cols`) for products with weights of these formats.
    pub fn prepare(&mut self, pool: &Pool, isa: Isa, cols: usize, formats: impl IntoIterator<Item = Format>) {
        let (mut need32, mut need256) = (false, false);
        for layout in formats.into_iter().filter_map(Layout::of) {
            need32 |= layout.block == 32;
            need256 |= layout.block == 256;
        }
        if need32 {
            self.by32.quantize(pool, isa, &self.x, cols, 32);
        }
        if need256 {
            self.by256.quantize(pool, isa, &self.x, cols, 256);
        }
    }

    /// The quantized rows that weights of this layout take.
    pub(crate) fn quantized(&self, layout: Layout) -> &Quantized {
        if layout.block == 32 { &self.by32 } else { &self.by256 }
    }
}
