//! The specification of the products of quantized weights: row groups times a tile of tokens, one
//! number at a time.

use crate::{
    fma::fma,
    format::Format,
    layout::{GROUP_ROWS, Layout},
};

/// Tokens per tile. A product unpacks the weights once for all tokens of a tile.
pub(crate) const TILE_TOKENS: usize = 16;

/// Tokens for which the vector kernels are compiled by number: their sums stay in registers, and a
/// call computes several row groups, since it's still memory that they wait for.
pub(crate) const FEW: usize = 4;

/// The quantized rows of one tile of n tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenTile<'a> {
    /// Tokens, 1 to [`TILE_TOKENS`].
    pub(crate) n: usize,
    /// `[cols/32][n][32]`.
    pub(crate) q: &'a [i8],
    /// `[cols/block][n]`.
    pub(crate) scales: &'a [f32],
    /// Blocks of 32: `[cols/32][n]`, the sum of a block's q's, exact.
    pub(crate) sums: &'a [f32],
    /// Blocks of 256: `[cols/32][n]`, the sums of 16 and 16 q's as two i16, the first one low.
    pub(crate) sum_pairs16: &'a [i32],
    /// Blocks of 256: `[cols/64][n]`, the sums of 32 and 32 q's as two i16, the first one low.
    pub(crate) sum_pairs32: &'a [i32],
}

impl<'a> TokenTile<'a> {
    /// The sums of pairs of sub-blocks of `len` q's.
    #[cfg(any(target_arch = "x86_64", target_arch = "wasm32"))]
    pub(crate) fn sum_pairs(&self, len: usize) -> &'a [i32] {
        if len == 16 { self.sum_pairs16 } else { self.sum_pairs32 }
    }

    /// Element k of token t.
    pub(crate) fn q(&self, t: usize, k: usize) -> i32 {
        i32::from(self.q[(k / 32 * self.n + t) * 32 + k % 32])
    }

    /// The scale of block b of token t.
    pub(crate) fn scale(&self, t: usize, b: usize) -> f32 {
        self.scales[b * self.n + t]
    }

    /// Whether the tile has everything that a kernel reads for `n_blocks` blocks of this layout.
    pub(crate) fn fits(&self, layout: Layout, n_blocks: usize) -> bool {
        let numbers = n_blocks * layout.block_len * self.n;
        let sums = match (layout.activation_len(), layout.sub_block_len) {
            (32, _) => self.sums.len() * 32,
            (_, 16) => self.sum_pairs16.len() * 32,
            _ => self.sum_pairs32.len() * 64,
        };
        self.n <= TILE_TOKENS
            && self.q.len() == numbers
            && self.scales.len() * layout.activation_len() == numbers
            && sums == numbers
    }
}

pub(crate) fn quantized(
    format: Format,
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    let layout = format.layout().expect("the caller has a quantized format");
    let group_bytes = streams.len() / (sums.len() / input.n);
    for (i, sums) in sums.iter_mut().enumerate() {
        let (group, t) = (i / input.n, i % input.n);
        let stream = &streams[group * group_bytes..][..group_bytes];
        for (r, acc) in sums.iter_mut().enumerate() {
            *acc = 0.0;
            for (b, block) in stream.chunks_exact(layout.bytes()).enumerate() {
                // Weights that share a factor d and a scale of the activations.
                let len = layout.factor_len().min(layout.activation_len());
                for first in (0..layout.block_len).step_by(len) {
                    let (mut isum, mut msum) = (0, 0);
                    for at in (first..first + len).step_by(layout.sub_block_len) {
                        let (mut dot, mut sum) = (0, 0);
                        for k in at..at + layout.sub_block_len {
                            let q = input.q(t, b * layout.block_len + k);
                            dot += layout.value(block, r, k) * q;
                            sum += q;
                        }
                        let s = at / layout.sub_block_len;
                        isum += layout.scale(block, r, s) * dot;
                        msum += layout.min(block, r, s) * sum;
                    }
                    let k = b * layout.block_len + first;
                    let scale = input.scale(t, k / layout.activation_len());
                    *acc = fma(layout.factor(block, r, first) * scale, isum as f32, *acc);
                    if layout.has_min() {
                        *acc = fma(layout.min_factor(block, r) * scale, msum as f32, *acc);
                    }
                }
            }
        }
    }
}

/// Quantizes one block to int8 and returns its scale. `sums16` receives the sum of each 16 q's.
///
/// A NaN in the block makes the scale NaN, so that it isn't lost. Where max|x| is below 1e-30, all
/// q's are zero, since 127 / max|x| might be infinite.
pub(crate) fn quantize_block(x: &[f32], q: &mut [i8], sums16: &mut [i16]) -> f32 {
    let mut max = x.iter().fold(0.0f32, |max, x| if max < x.abs() { x.abs() } else { max });
    if x.iter().any(|x| x.is_nan()) {
        max = f32::NAN;
    }
    let inverse = if max > 1e-30 { 127.0 / max } else { 0.0 };
    for (q, x) in q.iter_mut().zip(x) {
        *q = (x * inverse).round_ties_even() as i8;
    }
    for (sum, q) in sums16.iter_mut().zip(q.chunks_exact(16)) {
        *sum = q.iter().map(|&q| i16::from(q)).sum();
    }
    max / 127.0
}
