//! Matrix products with AVX2: a row group times a tile of tokens, one row per lane, eight rows at a
//! time.
//!
//! ```text
//! for each block of the stream, for each half of its 16 rows:
//!     for each 32 codes: unpack 8 quads of 4 codes into 8 vectors [row][4], then
//!         for each token: sum16 = Σ_g maddubs(quad g, the token's four q's in every lane)
//!                         isum += madd(sum16, the sub-block's scales)
//!     for each token: acc = fma(d·da, isum, acc), then the minimum likewise
//! ```
//! The real code differs from the scalar specification in these points:
//! 1. Integers are added in another order, which can't change an exact sum. A pair of products is
//!    at most 2·127·(2^bits - 1), so i16 holds 8 pairs at 4 bits, 4 at 5 bits, 2 at 6 bits.
//! 2. `maddubs` takes one unsigned operand. Codes of a code book become numbers by `pshufb`, with
//!    the lowest one subtracted; that times the sum of the q's is subtracted at the end. Where such
//!    numbers are too large (Q8_0, IQ4_NL), it's |code| · (q with the code's sign). A pair is then
//!    at most 2·128·127.
//! 3. Many tokens of formats with unsigned codes have another loop: see `tiles.rs`.
//! 4. Unpacked weights stay in registers while the tokens of the tile pass by, so each block is
//!    unpacked once per tile. The accumulators of a tile are in memory; those of up to
//!    `FEW` tokens, for whose number the code is compiled, mostly in registers.

use std::arch::x86_64::*;

use super::{
    dot::{dot, dot_signed, store, without_zeros},
    tiles,
    unpack::{codes, factors, minima, scale_pairs, signed_codes, step_scales},
};
use crate::{
    format::{Format, for_format},
    layout::{GROUP_ROWS, PLANE_BYTES},
    layout_of::{LayoutOf, n_blocks_of},
    prefetch::{CACHE_LINE, prefetch_weights},
    scalar::matmul::{FEW, TILE_TOKENS, TokenTile},
};

/// Prefetch distance in the weight stream, in bytes, for `n` tokens. Chosen by timing whole decode
/// steps: a kernel fast enough to keep up with memory leaves most of the work to the hardware
/// prefetcher.
const fn prefetch_distance(bits: usize, n: usize) -> usize {
    if n <= FEW && bits == 8 { 512 } else { 8192 }
}

/// Any number of tokens, known at run time.
pub(crate) const ANY: usize = 0;

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn quantized(
    format: Format,
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    match input.n {
        1 => of_format::<1>(format, streams, input, sums),
        2 => of_format::<2>(format, streams, input, sums),
        3 => of_format::<3>(format, streams, input, sums),
        4 => of_format::<4>(format, streams, input, sums),
        _ => of_format::<ANY>(format, streams, input, sums),
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn of_format<const N: usize>(
    format: Format,
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    for_format!(format, FORMAT => of_layout::<FORMAT, N>(streams, input, sums))
}

/// `N` tokens, at most [`FEW`], or [`ANY`] number of them.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn of_layout<const FORMAT: usize, const N: usize>(
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    if N == ANY && !LayoutOf::<FORMAT>::SIGNED {
        tiles::of_layout::<FORMAT>(streams, input, sums);
    } else if LayoutOf::<FORMAT>::BLOCK_LEN == 256 {
        super_blocks::<FORMAT, N>(streams, input, sums);
    } else {
        small_blocks::<FORMAT, N>(streams, input, sums);
    }
}

/// Prefetch distance in a token's quantized activations, in bytes.
const ACTIVATION_PREFETCH_BYTES: usize = 256;

/// Prefetches a token's activations, a little after block `b`, into L1. The weight stream evicts
/// them before the next row group reads them again, and an L1 miss here stalls the weight stream
/// too.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn prefetch_activations<const FORMAT: usize>(input: &TokenTile<'_>, b: usize) {
    let bytes = LayoutOf::<FORMAT>::BLOCK_LEN;
    let q = input.q.as_ptr().wrapping_add(b * bytes);
    for at in (ACTIVATION_PREFETCH_BYTES..ACTIVATION_PREFETCH_BYTES + bytes).step_by(CACHE_LINE) {
        _mm_prefetch::<_MM_HINT_T0>(q.wrapping_add(at));
    }
}

/// Runs code for the first and second eight rows. For one token it's a loop, which the compiler
/// unrolls late: earlier it would keep each broadcast q for the second half, on the stack. For more
/// tokens the code is repeated.
macro_rules! for_halves {
    ($n:ident, $half:ident => $body:block) => {
        if $n == 1 {
            for $half in 0..2 $body
        } else {
            for_halves!($half = 0, $body);
            for_halves!($half = 1, $body);
        }
    };
    ($half:ident = $n:literal, $body:block) => {
        let $half = $n;
        $body
    };
}

/// Formats without sub-blocks, in blocks of 32, 64 or 128.
#[target_feature(enable = "avx2,fma,f16c")]
fn small_blocks<const FORMAT: usize, const N: usize>(
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    let n_blocks = n_blocks_of::<FORMAT>(streams, &input, sums);
    let n = if N == ANY { input.n } else { N };
    let ahead = prefetch_distance(LayoutOf::<FORMAT>::BITS, n);
    let ones = _mm256_set1_epi16(1);
    // Runs of 32 weights, which meet one scale of the activations.
    let n_runs = LayoutOf::<FORMAT>::BLOCK_LEN / 32;
    // A signed code takes two registers (size and code): four quads at a time.
    let parts = if LayoutOf::<FORMAT>::SIGNED { 2 } else { 1 };
    for (group, sums) in sums.chunks_exact_mut(n).enumerate() {
        let mut accs = [[_mm256_setzero_ps(); 2]; TILE_TOKENS];
        for b in 0..n_blocks {
            // SAFETY: this group's block b lies within the streams, and every load below reads a
            // part that `Layout` places in the block: d, m, scales, mins, then planes of codes. For
            // token t < n, q, scale and sums are read at units of block b < n_blocks; `n_blocks_of`
            // checked that the tile has them.
            unsafe {
                let block =
                    streams.as_ptr().add((group * n_blocks + b) * LayoutOf::<FORMAT>::BYTES);
                if N == 1 {
                    prefetch_activations::<FORMAT>(&input, b);
                }
                prefetch_weights(ahead, block, LayoutOf::<FORMAT>::BYTES);
                for_halves!(N, half => {
                let block_d = factors::<FORMAT>(block, half, 0);
                let m = minima::<FORMAT>(block, half);
                for run in 0..n_runs {
                    let unit = b * n_runs + run;
                    let planes = block.add(LayoutOf::<FORMAT>::CODES_AT + run * LayoutOf::<FORMAT>::BITS * PLANE_BYTES + 32 * half);
                    let mut isums = [_mm256_setzero_si256(); TILE_TOKENS];
                    for part in 0..parts {
                        let codes = if LayoutOf::<FORMAT>::SIGNED {
                            signed_codes::<FORMAT>(planes, part)
                        } else {
                            codes::<FORMAT>(planes)
                        };
                        let d = if LayoutOf::<FORMAT>::FACTOR_LEN == 16 {
                            factors::<FORMAT>(block, half, 2 * run + part)
                        } else {
                            block_d
                        };
                        for t in 0..n {
                            let q = input.q.as_ptr().add((unit * n + t) * 32);
                            let isum = if LayoutOf::<FORMAT>::SIGNED {
                                dot_signed::<FORMAT>(&codes, q.add(16 * part), ones)
                            } else {
                                dot::<FORMAT>(&codes, q, [ones; 2])
                            };
                            let isum = _mm256_add_epi32(isums[t], isum);
                            if part + 1 < parts && LayoutOf::<FORMAT>::FACTOR_LEN != 16 {
                                isums[t] = isum;
                                continue;
                            }
                            let sum = _mm256_broadcast_ss(&*input.sums.as_ptr().add(unit * n + t));
                            let mut dot = _mm256_cvtepi32_ps(isum);
                            if LayoutOf::<FORMAT>::ZERO != 0 {
                                // Integers below 2^24: exact.
                                dot = _mm256_fnmadd_ps(_mm256_set1_ps(LayoutOf::<FORMAT>::ZERO as f32), sum, dot);
                            }
                            let da = _mm256_broadcast_ss(&*input.scales.as_ptr().add(unit * n + t));
                            let acc = &mut accs[t][half];
                            *acc = _mm256_fmadd_ps(_mm256_mul_ps(d, da), dot, *acc);
                            if LayoutOf::<FORMAT>::HAS_MIN {
                                *acc = _mm256_fmadd_ps(_mm256_mul_ps(m, da), sum, *acc);
                            }
                        }
                    }
                }
                        });
            }
        }
        store(&accs, sums);
    }
}

/// Super-blocks of 256, most with sub-blocks.
#[target_feature(enable = "avx2,fma,f16c")]
fn super_blocks<const FORMAT: usize, const N: usize>(
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    let n_blocks = n_blocks_of::<FORMAT>(streams, &input, sums);
    let n = if N == ANY { input.n } else { N };
    let ahead = prefetch_distance(LayoutOf::<FORMAT>::BITS, n);
    // A signed code takes two registers (size and code): four quads at a time.
    let parts = if LayoutOf::<FORMAT>::SIGNED { 2 } else { 1 };
    for (group, sums) in sums.chunks_exact_mut(n).enumerate() {
        let mut accs = [[_mm256_setzero_ps(); 2]; TILE_TOKENS];
        for b in 0..n_blocks {
            // SAFETY: this group's block b lies within the streams, and every load below reads a
            // part that `Layout` places in the block: d, m, scales, mins, then planes of codes. For
            // token t < n, q, scale and sums are read at units of block b < n_blocks; `n_blocks_of`
            // checked that the tile has them.
            unsafe {
                let block =
                    streams.as_ptr().add((group * n_blocks + b) * LayoutOf::<FORMAT>::BYTES);
                if N == 1 {
                    prefetch_activations::<FORMAT>(&input, b);
                }
                for_halves!(N, half => {
                let scale_bytes = scale_pairs::<FORMAT, false>(block, half);
                let mut isums = [_mm256_setzero_si256(); TILE_TOKENS];
                for step in 0..8 {
                    let at = LayoutOf::<FORMAT>::BYTES * (8 * half + step) / 16;
                    prefetch_weights(ahead, block.add(at), LayoutOf::<FORMAT>::BYTES / 16);
                    let planes = block.add(LayoutOf::<FORMAT>::CODES_AT + 32 * half + step * LayoutOf::<FORMAT>::BITS * PLANE_BYTES);
                    let scales = step_scales::<FORMAT>(&scale_bytes, step);
                    for part in 0..parts {
                        let codes = if LayoutOf::<FORMAT>::SIGNED {
                            signed_codes::<FORMAT>(planes, part)
                        } else {
                            codes::<FORMAT>(planes)
                        };
                        for t in 0..n {
                            let q = input.q.as_ptr().add(((b * 8 + step) * n + t) * 32);
                            let isum = if LayoutOf::<FORMAT>::SIGNED {
                                dot_signed::<FORMAT>(&codes, q.add(16 * part), scales[part])
                            } else {
                                dot::<FORMAT>(&codes, q, scales)
                            };
                            isums[t] = _mm256_add_epi32(isums[t], isum);
                        }
                    }
                }
                let d = factors::<FORMAT>(block, half, 0);
                // Zero point (Σ scale·(sum of q's), subtracted) or minimum (Σ min·(sum of q's),
                // added), by pairs of sub-blocks.
                let n_pairs = if LayoutOf::<FORMAT>::ZERO == 0 && !LayoutOf::<FORMAT>::HAS_MIN { 0 } else { LayoutOf::<FORMAT>::N_PAIRS };
                let bytes =
                    if LayoutOf::<FORMAT>::HAS_MIN { scale_pairs::<FORMAT, true>(block, half) } else { scale_bytes };
                let mut pairs = [_mm256_setzero_si256(); 8];
                for p in 0..n_pairs {
                    pairs[p] = _mm256_cvtepi8_epi16(bytes[p]);
                }
                let m = minima::<FORMAT>(block, half);
                let token_sums = input.sum_pairs(LayoutOf::<FORMAT>::SUB_BLOCK_LEN);
                for t in 0..n {
                    let mut sum = _mm256_setzero_si256();
                    for p in 0..n_pairs {
                        let pair = *token_sums.as_ptr().add((b * n_pairs + p) * n + t);
                        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs[p], _mm256_set1_epi32(pair)));
                    }
                    let isum = without_zeros::<FORMAT>(isums[t], sum);
                    let da = _mm256_broadcast_ss(&*input.scales.as_ptr().add(b * n + t));
                    let acc = &mut accs[t][half];
                    *acc = _mm256_fmadd_ps(_mm256_mul_ps(d, da), _mm256_cvtepi32_ps(isum), *acc);
                    if LayoutOf::<FORMAT>::HAS_MIN {
                        *acc = _mm256_fmadd_ps(_mm256_mul_ps(m, da), _mm256_cvtepi32_ps(sum), *acc);
                    }
                }
                        });
            }
        }
        store(&accs, sums);
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn quantize_block(x: &[f32], q: &mut [i8], sums16: &mut [i16]) -> f32 {
    assert!(
        x.len() == q.len() && x.len().is_multiple_of(32) && sums16.len() * 16 == x.len(),
        "whole blocks"
    );
    let no_sign = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fff_ffff));
    let (eights, _) = x.as_chunks::<8>();
    let mut max = _mm256_setzero_ps();
    let mut nan = _mm256_setzero_ps();
    for eight in eights {
        // SAFETY: eight f32, loaded unaligned.
        let v = unsafe { _mm256_loadu_ps(eight.as_ptr()) };
        // max_ps returns its second operand for NaN: the maximum ignores NaN, in any order.
        max = _mm256_max_ps(_mm256_and_ps(v, no_sign), max);
        nan = _mm256_or_ps(nan, _mm256_cmp_ps::<_CMP_UNORD_Q>(v, v));
    }
    // Horizontal maximum; no lane is NaN, so the order doesn't matter.
    let four = _mm_max_ps(_mm256_castps256_ps128(max), _mm256_extractf128_ps::<1>(max));
    let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    let mut max = _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
    if _mm256_movemask_ps(nan) != 0 {
        max = f32::NAN;
    }
    let inverse = _mm256_set1_ps(if max > 1e-30 { 127.0 / max } else { 0.0 });
    let outputs = q.chunks_exact_mut(32).zip(sums16.as_chunks_mut::<2>().0);
    for (four, (q, sums16)) in eights.chunks_exact(4).zip(outputs) {
        let round = |eight: &[f32; 8]| {
            // SAFETY: eight f32, loaded unaligned.
            let y = _mm256_mul_ps(unsafe { _mm256_loadu_ps(eight.as_ptr()) }, inverse);
            // NaN (from NaN, or infinity times 0) becomes 0, like the specification's cast.
            _mm256_cvtps_epi32(_mm256_and_ps(y, _mm256_cmp_ps::<_CMP_ORD_Q>(y, y)))
        };
        let low = _mm256_packs_epi32(round(&four[0]), round(&four[1]));
        let high = _mm256_packs_epi32(round(&four[2]), round(&four[3]));
        // Pack instructions work within 128-bit halves: restore the order of quadruples.
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        let bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
        // SAFETY: `q` is 32 bytes here, by the chunks' length.
        unsafe { _mm256_storeu_si256(q.as_mut_ptr().cast(), bytes) };
        // Horizontal sums of 2, 4 and 16: each 128-bit half is sixteen q's.
        let twos = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);
        let fours = _mm256_madd_epi16(twos, _mm256_set1_epi16(1));
        let eights = _mm256_hadd_epi32(fours, fours);
        let all = _mm256_hadd_epi32(eights, eights);
        *sums16 = [_mm256_extract_epi32::<0>(all) as i16, _mm256_extract_epi32::<4>(all) as i16];
    }
    max / 127.0
}
