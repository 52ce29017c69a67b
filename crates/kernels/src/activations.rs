//! Rows of f32 activations in, the same rows as int8 with scales out, as the weights' format asks.
//!
//! A block of 32 (legacy formats) or 256 numbers (k-quants) has the scale d = max|x| / 127, and q = round(x · (127 / max|x|)),
//! ties to even; a block of zeros has d = 0. Sums of 16 and of 32 q's serve the formats with offsets or minima.

use crate::{
    format::Format,
    isa::{Isa, dispatch},
    packed::Layout,
    pool::{Disjoint, Pool},
};

/// Quantized rows, all of one block length.
#[derive(Debug, Default, Clone)]
pub struct Quantized {
    pub(crate) cols: usize,
    pub(crate) block: usize,
    /// n_rows × cols.
    pub(crate) q: Vec<i8>,
    /// n_rows × cols/block.
    pub(crate) scales: Vec<f32>,
    /// n_rows × cols/16: sums of 16 q's.
    pub(crate) sums16: Vec<i16>,
    /// n_rows × cols/32: sums of 32 q's.
    pub(crate) sums32: Vec<i16>,
}

/// One quantized row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) q: &'a [i8],
    pub(crate) scales: &'a [f32],
    pub(crate) sums16: &'a [i16],
    pub(crate) sums32: &'a [i16],
}

impl Quantized {
    fn quantize(&mut self, pool: &Pool, isa: Isa, x: &[f32], cols: usize, block: usize) {
        let n_rows = x.len() / cols;
        (self.cols, self.block) = (cols, block);
        self.q.resize(x.len(), 0);
        self.scales.resize(x.len() / block, 0.0);
        self.sums16.resize(x.len() / 16, 0);
        self.sums32.resize(x.len() / 32, 0);
        let (q, scales) = (Disjoint(self.q.as_mut_ptr()), Disjoint(self.scales.as_mut_ptr()));
        let (sums16, sums32) = (Disjoint(self.sums16.as_mut_ptr()), Disjoint(self.sums32.as_mut_ptr()));
        // One or two rows cost less than waking a thread.
        let rows_a_task = if n_rows < 4 { n_rows.max(1) } else { 4 };
        pool.run(n_rows.div_ceil(rows_a_task), &|task| {
            for i in task * rows_a_task..((task + 1) * rows_a_task).min(n_rows) {
                // SAFETY: row i is its own part of each of the four vectors, which were just given room for n_rows
                // rows, each i belongs to one task, and `self` is borrowed mutably until `run` returns.
                let (q, scales, sums16, sums32) = unsafe {
                    (
                        std::slice::from_raw_parts_mut(q.at(i * cols), cols),
                        std::slice::from_raw_parts_mut(scales.at(i * (cols / block)), cols / block),
                        std::slice::from_raw_parts_mut(sums16.at(i * (cols / 16)), cols / 16),
                        std::slice::from_raw_parts_mut(sums32.at(i * (cols / 32)), cols / 32),
                    )
                };
                let x = &x[i * cols..(i + 1) * cols];
                for ((x, q), scale) in x.chunks_exact(block).zip(q.chunks_exact_mut(block)).zip(scales) {
                    *scale = dispatch!(isa, matmul::quantize_block(x, q));
                }
                for (sum, q) in sums16.iter_mut().zip(q.chunks_exact(16)) {
                    *sum = q.iter().map(|&q| i16::from(q)).sum();
                }
                for (sum, halves) in sums32.iter_mut().zip(sums16.chunks_exact(2)) {
                    *sum = halves[0] + halves[1];
                }
            }
        });
    }

    pub(crate) fn row(&self, i: usize) -> Row<'_> {
        let part = |n: usize| i * n..(i + 1) * n;
        Row {
            q: &self.q[part(self.cols)],
            scales: &self.scales[part(self.cols / self.block)],
            sums16: &self.sums16[part(self.cols / 16)],
            sums32: &self.sums32[part(self.cols / 32)],
        }
    }
}

/// The input of matrix products: n_rows × cols, as f32 and as int8 by either convention, whichever the weights ask for.
#[derive(Debug, Default, Clone)]
pub struct Activations {
    /// n_rows × cols.
    pub x: Vec<f32>,
    pub(crate) by32: Quantized,
    pub(crate) by256: Quantized,
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
