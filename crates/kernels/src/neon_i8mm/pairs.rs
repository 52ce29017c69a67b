//! A block's activations as `smmla` reads them: of each pair of tokens eight q's of one beside
//! eight of the other, with their scales and sums.

use std::arch::aarch64::*;

use crate::scalar::matmul::{TILE_TOKENS, TokenTile};

/// The most pairs of tokens in a tile.
pub(super) const MAX_PAIRS: usize = TILE_TOKENS / 2;
/// The most units of 32 q's in a block.
const MAX_UNITS: usize = 8;

/// The activations of one block of the weights, `[unit][pair]`. A last token without another one is
/// paired with itself.
pub(super) struct Pairs {
    /// Pairs of tokens that the tile has.
    n: usize,
    /// For each 8 of 32 q's: those of one token, then those of the other.
    q: [[[i8; 16]; 4]; MAX_UNITS * MAX_PAIRS],
    /// The scale of each token, twice.
    scales: [[f32; 4]; MAX_UNITS * MAX_PAIRS],
    /// The sum of each token's 32 q's, twice; for blocks of up to 128 weights.
    sums: [[f32; 4]; MAX_UNITS * MAX_PAIRS],
}

/// One unit of [`Pairs`], whose fields it has; each is as long as there are pairs.
pub(super) struct Unit<'a> {
    pub(super) q: &'a [[[i8; 16]; 4]],
    pub(super) scales: &'a [[f32; 4]],
    pub(super) sums: &'a [[f32; 4]],
}

impl Pairs {
    pub(super) fn new(n_tokens: usize) -> Pairs {
        const N: usize = MAX_UNITS * MAX_PAIRS;
        let (q, scales, sums) = ([[[0; 16]; 4]; N], [[0.0; 4]; N], [[0.0; 4]; N]);
        Pairs { n: n_tokens.div_ceil(2), q, scales, sums }
    }

    /// Takes the `n_units` units of block `b`. A super-block's units have one scale, that of unit 0
    /// here.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn take(&mut self, input: &TokenTile<'_>, b: usize, n_units: usize) {
        let n = input.n;
        let is_super = input.sums.is_empty();
        for unit in 0..n_units {
            for pair in 0..self.n {
                let tokens = [2 * pair, (2 * pair + 1).min(n - 1)];
                let at = unit * self.n + pair;
                let (units, _) = input.q.as_chunks::<32>();
                let [one, other] = tokens.map(|t| halves(&units[(b * n_units + unit) * n + t]));
                let [first, second] = [beside(one[0], other[0]), beside(one[1], other[1])];
                for (to, from) in self.q[at].iter_mut().zip([first.0, first.1, second.0, second.1])
                {
                    // SAFETY: `to` has sixteen bytes.
                    unsafe { vst1q_s8(to.as_mut_ptr(), from) };
                }
                let twice = |numbers: &[f32], unit: usize| {
                    let [one, other] = tokens.map(|t| numbers[unit * n + t]);
                    [one, one, other, other]
                };
                if !is_super {
                    self.scales[at] = twice(input.scales, b * n_units + unit);
                    self.sums[at] = twice(input.sums, b * n_units + unit);
                } else if unit == 0 {
                    self.scales[at] = twice(input.scales, b);
                }
            }
        }
    }

    /// The activations of one unit.
    #[inline(always)]
    pub(super) fn unit(&self, unit: usize) -> Unit<'_> {
        let of = unit * self.n..(unit + 1) * self.n;
        Unit { q: &self.q[of.clone()], scales: &self.scales[of.clone()], sums: &self.sums[of] }
    }
}

/// 32 bytes as two vectors.
#[inline]
#[target_feature(enable = "neon")]
fn halves(bytes: &[i8; 32]) -> [int8x16_t; 2] {
    // SAFETY: 16 bytes from 0 and from 16 on.
    unsafe { [vld1q_s8(bytes.as_ptr()), vld1q_s8(bytes.as_ptr().add(16))] }
}

/// The first eight bytes of both, and the last eight.
#[inline]
#[target_feature(enable = "neon")]
fn beside(one: int8x16_t, other: int8x16_t) -> (int8x16_t, int8x16_t) {
    let (one, other) = (vreinterpretq_s64_s8(one), vreinterpretq_s64_s8(other));
    (vreinterpretq_s8_s64(vzip1q_s64(one, other)), vreinterpretq_s8_s64(vzip2q_s64(one, other)))
}
