//! Matrix products with AVX2 for a tile of many tokens, of formats with unsigned codes.
//!
//! ```text
//! for each block of the stream:
//!     for each 16 codes: unpack 4 quads of both halves of the rows into 8 vectors [row][4], then
//!         for each token: for each quad: load the token's four q's into every lane, then
//!             sum16[half] += maddubs(the half's quad, q's), for both halves
//!         isum[half] += madd(sum16[half], the sub-block's scales)
//!     for each token and half: acc = fma(d·da, isum, acc), then the minimum likewise
//! ```
//! The loop of `matmul.rs` has 32 codes of one half in registers instead, and so loads each q once
//! for each half. These loads were a fifth of its instructions. The integers of a token wait in
//! memory for the other 16 codes, which costs less.

use std::arch::x86_64::*;

use super::{
    dot::{dot_both, pairs_both, store, without_zeros},
    unpack::{factors, four_codes, minima, scale_pairs, step_scales},
};
use crate::{
    layout::{GROUP_ROWS, PLANE_BYTES},
    layout_of::{LayoutOf, n_blocks_of},
    prefetch::prefetch_weights,
    scalar::matmul::{TILE_TOKENS, TokenTile},
};

/// Prefetch distance in the weight stream, in bytes.
const AHEAD: usize = 8192;

/// Numbers of each token for both halves of a row group.
type Both<T> = [[T; 2]; TILE_TOKENS];

/// Not inlined: a function of its own for each format.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn of_layout<const FORMAT: usize>(
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    let n_blocks = n_blocks_of::<FORMAT>(streams, &input, sums);
    let mut kept = [[_mm256_setzero_si256(); 2]; TILE_TOKENS];
    for (group, sums) in sums.chunks_exact_mut(input.n).enumerate() {
        let mut accs = [[_mm256_setzero_ps(); 2]; TILE_TOKENS];
        for b in 0..n_blocks {
            // SAFETY: this group's block b lies within the streams, and `n_blocks_of` checked that
            // the tile has the numbers of block b < n_blocks.
            unsafe {
                let block =
                    streams.as_ptr().add((group * n_blocks + b) * LayoutOf::<FORMAT>::BYTES);
                if LayoutOf::<FORMAT>::BLOCK_LEN == 256 {
                    super_block::<FORMAT>(block, b, &input, &mut kept, &mut accs);
                } else {
                    prefetch_weights(AHEAD, block, LayoutOf::<FORMAT>::BYTES);
                    small_block::<FORMAT>(block, b, &input, &mut kept, &mut accs);
                }
            }
        }
        store(&accs, sums);
    }
}

/// Both halves' 16 codes (`part` of the 32 of run `run`).
///
/// # Safety
/// `block` is a repacked block that has them.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn codes_of<const FORMAT: usize>(
    block: *const u8,
    run: usize,
    part: usize,
) -> [[__m256i; 4]; 2] {
    let at = LayoutOf::<FORMAT>::CODES_AT + run * LayoutOf::<FORMAT>::BITS * PLANE_BYTES;
    // SAFETY: the planes of a run of 32 codes begin there; the second half's are 32 bytes further.
    unsafe {
        let planes = block.add(at);
        [four_codes::<FORMAT>(planes, part), four_codes::<FORMAT>(planes.add(32), part)]
    }
}

/// What the first 16 codes of a run leave of each of n tokens for the other 16: sums of pairs in
/// i16 where all eight quads of 32 codes fit it, otherwise Σ scale·code·q.
///
/// # Safety
/// `block` is a repacked block that has the run; `q` has 32 bytes for each token, n at most
/// [`TILE_TOKENS`].
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn first_parts<const FORMAT: usize>(
    block: *const u8,
    run: usize,
    q: *const i8,
    n: usize,
    scales: [__m256i; 2],
    kept: &mut Both<__m256i>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let codes = codes_of::<FORMAT>(block, run, 0);
        for t in 0..n {
            let q = q.add(32 * t);
            kept[t] = if LayoutOf::<FORMAT>::PAIRS == 8 {
                pairs_both(&codes, q, 0..4)
            } else {
                dot_both::<FORMAT>(&codes, q, scales)
            };
        }
    }
}

/// Σ scale·code·q over all 32 codes, with what [`first_parts`] left.
///
/// # Safety
/// `q` has 16 bytes.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn second_part<const FORMAT: usize>(
    codes: &[[__m256i; 4]; 2],
    q: *const i8,
    scales: [__m256i; 2],
    first: [__m256i; 2],
) -> [__m256i; 2] {
    // SAFETY: the caller's promise.
    unsafe {
        if LayoutOf::<FORMAT>::PAIRS == 8 {
            let second = pairs_both(codes, q, 0..4);
            let all = |half: usize| _mm256_add_epi16(first[half], second[half]);
            [_mm256_madd_epi16(all(0), scales[0]), _mm256_madd_epi16(all(1), scales[1])]
        } else {
            let second = dot_both::<FORMAT>(codes, q, scales);
            [_mm256_add_epi32(first[0], second[0]), _mm256_add_epi32(first[1], second[1])]
        }
    }
}

/// Adds block b, of a format without sub-blocks. `kept` is room.
///
/// # Safety
/// `block` is a repacked block, and the tile has the numbers of block b.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn small_block<const FORMAT: usize>(
    block: *const u8,
    b: usize,
    input: &TokenTile<'_>,
    kept: &mut Both<__m256i>,
    accs: &mut Both<__m256>,
) {
    let n = input.n;
    let n_runs = LayoutOf::<FORMAT>::BLOCK_LEN / 32;
    let ones = [_mm256_set1_epi16(1); 2];
    let zero = _mm256_set1_ps(LayoutOf::<FORMAT>::ZERO as f32);
    // SAFETY: the caller's promise. `Layout` places factors, minima and codes in the block; for
    // token t < n, q, scale and sum are read at unit `unit` of block b.
    unsafe {
        let d = [factors::<FORMAT>(block, 0, 0), factors::<FORMAT>(block, 1, 0)];
        let m = [minima::<FORMAT>(block, 0), minima::<FORMAT>(block, 1)];
        for run in 0..n_runs {
            let unit = b * n_runs + run;
            let q = |t: usize| input.q.as_ptr().add((unit * n + t) * 32);
            first_parts::<FORMAT>(block, run, q(0), n, ones, kept);
            let codes = codes_of::<FORMAT>(block, run, 1);
            for t in 0..n {
                let isums = second_part::<FORMAT>(&codes, q(t).add(16), ones, kept[t]);
                let sum = _mm256_broadcast_ss(&*input.sums.as_ptr().add(unit * n + t));
                let da = _mm256_broadcast_ss(&*input.scales.as_ptr().add(unit * n + t));
                for half in 0..2 {
                    let mut dot = _mm256_cvtepi32_ps(isums[half]);
                    if LayoutOf::<FORMAT>::ZERO != 0 {
                        // Integers below 2^24: exact.
                        dot = _mm256_fnmadd_ps(zero, sum, dot);
                    }
                    let acc = &mut accs[t][half];
                    *acc = _mm256_fmadd_ps(_mm256_mul_ps(d[half], da), dot, *acc);
                    if LayoutOf::<FORMAT>::HAS_MIN {
                        *acc = _mm256_fmadd_ps(_mm256_mul_ps(m[half], da), sum, *acc);
                    }
                }
            }
        }
    }
}

/// Adds super-block b of 256. `kept` is room.
///
/// # Safety
/// `block` is a repacked block, and the tile has the numbers of block b.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn super_block<const FORMAT: usize>(
    block: *const u8,
    b: usize,
    input: &TokenTile<'_>,
    kept: &mut Both<__m256i>,
    accs: &mut Both<__m256>,
) {
    let n = input.n;
    let mut isums = [[_mm256_setzero_si256(); 2]; TILE_TOKENS];
    // SAFETY: the caller's promise. `Layout` places factors, scales, mins and codes in the block;
    // for token t < n, q, scale and sums are read at units of block b.
    unsafe {
        let scale_bytes =
            [scale_pairs::<FORMAT, false>(block, 0), scale_pairs::<FORMAT, false>(block, 1)];
        for step in 0..8 {
            let bytes = LayoutOf::<FORMAT>::BYTES / 8;
            prefetch_weights(AHEAD, block.add(step * bytes), bytes);
            let scales = [
                step_scales::<FORMAT>(&scale_bytes[0], step),
                step_scales::<FORMAT>(&scale_bytes[1], step),
            ];
            let q = |t: usize| input.q.as_ptr().add(((b * 8 + step) * n + t) * 32);
            first_parts::<FORMAT>(block, step, q(0), n, [scales[0][0], scales[1][0]], kept);
            let codes = codes_of::<FORMAT>(block, step, 1);
            let part = [scales[0][1], scales[1][1]];
            for t in 0..n {
                let dots = second_part::<FORMAT>(&codes, q(t).add(16), part, kept[t]);
                for half in 0..2 {
                    isums[t][half] = if step == 0 {
                        dots[half]
                    } else {
                        _mm256_add_epi32(isums[t][half], dots[half])
                    };
                }
            }
        }
        let n_pairs = if LayoutOf::<FORMAT>::ZERO == 0 && !LayoutOf::<FORMAT>::HAS_MIN {
            0
        } else {
            LayoutOf::<FORMAT>::N_PAIRS
        };
        let token_sums = input.sum_pairs(LayoutOf::<FORMAT>::SUB_BLOCK_LEN);
        for half in 0..2 {
            let d = factors::<FORMAT>(block, half, 0);
            let m = minima::<FORMAT>(block, half);
            // Zero point (Σ scale·(sum of q's), subtracted) or minimum (Σ min·(sum of q's), added),
            // by pairs of sub-blocks.
            let bytes = if LayoutOf::<FORMAT>::HAS_MIN {
                scale_pairs::<FORMAT, true>(block, half)
            } else {
                scale_bytes[half]
            };
            let mut pairs = [_mm256_setzero_si256(); 8];
            for p in 0..n_pairs {
                pairs[p] = _mm256_cvtepi8_epi16(bytes[p]);
            }
            for t in 0..n {
                let mut sum = _mm256_setzero_si256();
                for p in 0..n_pairs {
                    let pair = *token_sums.as_ptr().add((b * n_pairs + p) * n + t);
                    let products = _mm256_madd_epi16(pairs[p], _mm256_set1_epi32(pair));
                    sum = _mm256_add_epi32(sum, products);
                }
                let isum = without_zeros::<FORMAT>(isums[t][half], sum);
                let da = _mm256_broadcast_ss(&*input.scales.as_ptr().add(b * n + t));
                let acc = &mut accs[t][half];
                *acc = _mm256_fmadd_ps(_mm256_mul_ps(d, da), _mm256_cvtepi32_ps(isum), *acc);
                if LayoutOf::<FORMAT>::HAS_MIN {
                    *acc = _mm256_fmadd_ps(_mm256_mul_ps(m, da), _mm256_cvtepi32_ps(sum), *acc);
                }
            }
        }
    }
}
