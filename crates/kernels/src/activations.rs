//! Quantizes rows of f32 activations to int8 with a scale per block, as the weights' format
//! requires.
//!
//! Blocks have 32 elements for weights in blocks of 32, 64 or 128 (llama.cpp's Q8_0, Q8_1) and 256
//! for super-blocks (Q8_K).
//! The scale is `d = max|x| / 127`, and `q = round(x · (127 / max|x|))`, ties to even; a block of
//! zeros has d = 0. Sums of 16 and of 32 q's are kept for formats with a zero point or a minimum.
//!
//! Rows are stored in tiles of up to 16 tokens, in the order in which the products read them: for
//! each 32 elements, the q's of all tokens of the tile are adjacent. Rows may come in groups, each
//! for weights of its own (experts): no tile has rows of two groups.

use std::ops::Range;

use crate::{
    format::Format,
    isa::{Isa, dispatch},
    layout::Layout,
    pool::{DisjointPtr, Pool},
    scalar::matmul::{TILE_TOKENS, TokenTile},
};

/// Minimum elements that a task quantizes: fewer cost less than waking a thread.
const MIN_ELEMENTS_PER_TASK: usize = 2048;

/// Quantized rows of one block length, tile after tile. Each field is `[unit][token]` within a
/// tile; a unit is the run of elements that one entry covers: 1, 32, 64 or a block.
#[derive(Debug, Default, Clone)]
pub struct QuantizedRows {
    n_rows: usize,
    cols: usize,
    block_len: usize,
    /// The rows of each tile.
    tiles: Vec<Range<usize>>,
    q: Vec<i8>,
    scales: Vec<f32>,
    sums: Vec<f32>,
    sum_pairs16: Vec<i32>,
    sum_pairs32: Vec<i32>,
}

impl QuantizedRows {
    /// Quantizes the rows of `x`. `ends` are the ends of the groups of rows.
    fn quantize(
        &mut self,
        pool: &Pool,
        isa: Isa,
        x: &[f32],
        cols: usize,
        block_len: usize,
        ends: impl Iterator<Item = usize>,
    ) {
        let n_rows = x.len() / cols;
        (self.n_rows, self.cols, self.block_len) = (n_rows, cols, block_len);
        self.divide(ends);
        self.q.resize(x.len(), 0);
        self.scales.resize(x.len() / block_len, 0.0);
        let blocks32 = block_len == 32;
        self.sums.resize(if blocks32 { x.len() / 32 } else { 0 }, 0.0);
        self.sum_pairs16.resize(if blocks32 { 0 } else { x.len() / 32 }, 0);
        self.sum_pairs32.resize(if blocks32 { 0 } else { x.len() / 64 }, 0);
        let (q, scales) = (DisjointPtr(self.q.as_mut_ptr()), DisjointPtr(self.scales.as_mut_ptr()));
        let sums = DisjointPtr(self.sums.as_mut_ptr());
        let (sum_pairs16, sum_pairs32) = (
            DisjointPtr(self.sum_pairs16.as_mut_ptr()),
            DisjointPtr(self.sum_pairs32.as_mut_ptr()),
        );
        let n_blocks = cols / block_len;
        let blocks_per_task = (MIN_ELEMENTS_PER_TASK
            / (block_len * TILE_TOKENS.min(n_rows.max(1))))
        .clamp(1, n_blocks.max(1));
        let tasks_per_tile = n_blocks.div_ceil(blocks_per_task);
        // A task is a range of blocks of all rows of a tile. Rows of a tile share cache lines, so a
        // task per row would cause false sharing.
        let tiles = &self.tiles;
        pool.run(tiles.len() * tasks_per_tile, &|task| {
            let mut codes = [0i8; 256];
            let mut sums16 = [0i16; 16];
            let tile = &tiles[task / tasks_per_tile];
            let (first, n) = (tile.start, tile.len());
            let blocks = task % tasks_per_tile * blocks_per_task;
            for b in blocks..(blocks + blocks_per_task).min(n_blocks) {
                for t in 0..n {
                    // Index of unit u of this row; a unit has `len` elements.
                    let place = |u: usize, len: usize| first * (cols / len) + u * n + t;
                    let x = &x[(first + t) * cols + b * block_len..][..block_len];
                    let (codes, sums16) = (&mut codes[..block_len], &mut sums16[..block_len / 16]);
                    let scale = dispatch!(isa, matmul::quantize_block(x, codes, sums16));
                    // SAFETY: unit u of row first + t is at `place(u, len)`, below n_rows · cols /
                    // len, the field's length. Different rows have different places, each block of
                    // a row belongs to one task, and `self` is borrowed mutably until `run`
                    // returns.
                    unsafe {
                        scales.at(place(b, block_len)).write(scale);
                        for (u, codes) in codes.as_chunks::<32>().0.iter().enumerate() {
                            let u = b * block_len / 32 + u;
                            q.at(32 * place(u, 32)).cast::<[i8; 32]>().write(*codes);
                        }
                        let pair = |a: i16, b: i16| i32::from(a) & 0xffff | i32::from(b) << 16;
                        for (u, s) in sums16.chunks_exact(2).enumerate() {
                            let u = b * block_len / 32 + u;
                            if blocks32 {
                                sums.at(place(u, 32)).write(f32::from(s[0] + s[1]));
                            } else {
                                sum_pairs16.at(place(u, 32)).write(pair(s[0], s[1]));
                            }
                        }
                        // Runs for blocks of 256 only: a block of 32 has two sums of 16.
                        for (u, s) in sums16.chunks_exact(4).enumerate() {
                            sum_pairs32
                                .at(place(b * 4 + u, 64))
                                .write(pair(s[0] + s[1], s[2] + s[3]));
                        }
                    }
                }
            }
        });
    }

    /// Divides the rows of each group into tiles; a group ends where the next one begins.
    fn divide(&mut self, ends: impl Iterator<Item = usize>) {
        self.tiles.clear();
        let mut first = 0;
        for end in ends {
            let tile = |first: usize| first..end.min(first + TILE_TOKENS);
            self.tiles.extend((first..end).step_by(TILE_TOKENS).map(tile));
            first = first.max(end);
        }
        assert_eq!(first, self.n_rows, "every row is in a group");
    }

    /// Whether these are `n` rows of `cols` elements.
    pub(crate) fn holds(&self, n: usize, cols: usize) -> bool {
        self.n_rows == n && self.cols == cols
    }

    /// Tile `i`, for weights of this layout.
    ///
    /// # Panics
    /// If the rows were quantized with another block length.
    #[inline]
    pub(crate) fn tile(&self, layout: Layout, i: usize) -> TokenTile<'_> {
        assert_eq!(
            layout.activation_len(),
            self.block_len,
            "the activations were quantized for these weights"
        );
        let Range { start, end } = self.tiles[i];
        let n = end - start;
        let part = |units: usize| start * units..end * units;
        let units = self.cols / 32;
        let (units32, units256) = if self.block_len == 32 { (units, 0) } else { (0, units) };
        TokenTile {
            n,
            q: &self.q[part(units * 32)],
            scales: &self.scales[part(units32 + units256 / 8)],
            sums: &self.sums[part(units32)],
            sum_pairs16: &self.sum_pairs16[part(units256)],
            sum_pairs32: &self.sum_pairs32[part(units256 / 2)],
        }
    }
}

/// The input of matrix products, `[n_rows][cols]`: as f32, and as int8 in blocks of 32 or 256 (or
/// both).
#[derive(Debug, Default, Clone)]
pub struct Activations {
    /// The f32 rows, `[n_rows][cols]`.
    pub x: Vec<f32>,
    blocks32: QuantizedRows,
    blocks256: QuantizedRows,
}

impl Activations {
    /// Quantizes the rows of `x`, each of `cols` elements, for products with weights of these
    /// formats.
    pub fn quantize(
        &mut self,
        pool: &Pool,
        isa: Isa,
        cols: usize,
        formats: impl IntoIterator<Item = Format>,
    ) {
        self.quantize_groups(pool, isa, cols, formats, [self.x.len() / cols]);
    }

    /// Like [`quantize`](Self::quantize), for rows in groups that are multiplied with weights of
    /// their own: group g ends before row `ends[g]`.
    pub fn quantize_groups(
        &mut self,
        pool: &Pool,
        isa: Isa,
        cols: usize,
        formats: impl IntoIterator<Item = Format>,
        ends: impl IntoIterator<Item = usize, IntoIter: Clone>,
    ) {
        let ends = ends.into_iter();
        let (mut need32, mut need256) = (false, false);
        for layout in formats.into_iter().filter_map(Format::layout) {
            need32 |= layout.activation_len() == 32;
            need256 |= layout.activation_len() == 256;
        }
        if need32 {
            self.blocks32.quantize(pool, isa, &self.x, cols, 32, ends.clone());
        }
        if need256 {
            self.blocks256.quantize(pool, isa, &self.x, cols, 256, ends);
        }
    }

    /// The quantized rows for weights of this layout.
    pub(crate) fn quantized(&self, layout: Layout) -> &QuantizedRows {
        if layout.activation_len() == 32 { &self.blocks32 } else { &self.blocks256 }
    }
}
