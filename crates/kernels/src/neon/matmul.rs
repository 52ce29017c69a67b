//! Matrix products with NEON: a row group times a tile of tokens, one row per lane, four rows (a
//! quarter of the group) at a time.
//!
//! ```text
//! for each block of the stream, for each quarter of its 16 rows:
//!     for each 32 codes: unpack 8 quads of 4 codes into 8 vectors [row][4], then
//!         for each token: isum += scale · Σ_g (quad g · the token's four q's)
//!     for each token: acc = fma(d·da, isum, acc), then the minimum likewise
//! ```
//! Codes become the signed integers that they stand for, by a table look-up or a subtraction. So
//! there is no zero point to correct afterwards, and code books are no special case. Unpacked
//! weights stay in registers while the tokens of the tile pass by. `neon_dot` has these products
//! with the instruction `sdot`, `neon_i8mm` those of several tokens with `smmla`.

use std::arch::aarch64::*;

use super::{
    dot::add_products,
    unpack::{codes, factors, floats_of_f16, scale_pair},
};
use crate::{
    format::{Format, for_format},
    layout::{F16_PLANE_BYTES, GROUP_ROWS, PLANE_BYTES},
    layout_of::{LayoutOf, n_blocks_of},
    prefetch::prefetch_weights,
    scalar::matmul::{TILE_TOKENS, TokenTile},
};

/// Prefetch distance in the weight stream, in bytes. Not measured: no ARM machine was at hand.
pub(crate) const PREFETCH_DISTANCE: usize = 2048;

/// Accumulators of a tile: for each token, one vector for each quarter of the row group.
type Accs = [[float32x4_t; 4]; TILE_TOKENS];

#[target_feature(enable = "neon")]
pub(crate) fn quantized(
    format: Format,
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    // SAFETY: this function has NEON.
    unsafe { of_format::<false>(format, streams, input, sums) }
}

/// # Safety
/// The CPU has NEON, for `SDOT` also dotprod.
#[inline(always)]
pub(crate) unsafe fn of_format<const SDOT: bool>(
    format: Format,
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    // SAFETY: the caller's promise.
    for_format!(format, FORMAT => unsafe { blocks::<FORMAT, SDOT>(streams, input, sums) })
}

/// # Safety
/// The CPU has NEON, for `SDOT` also dotprod.
#[inline(always)]
unsafe fn blocks<const FORMAT: usize, const SDOT: bool>(
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    let n_blocks = n_blocks_of::<FORMAT>(streams, &input, sums);
    for (group, sums) in sums.chunks_exact_mut(input.n).enumerate() {
        // SAFETY: the caller's promise. This group's block b lies within the streams, and
        // `n_blocks_of` checked that the tile has the units of block b < n_blocks.
        unsafe {
            let mut accs: Accs = [[vdupq_n_f32(0.0); 4]; TILE_TOKENS];
            for b in 0..n_blocks {
                let block =
                    streams.as_ptr().add((group * n_blocks + b) * LayoutOf::<FORMAT>::BYTES);
                prefetch_weights(PREFETCH_DISTANCE, block, LayoutOf::<FORMAT>::BYTES);
                for quarter in 0..4 {
                    if LayoutOf::<FORMAT>::BLOCK_LEN == 256 {
                        super_block::<FORMAT, SDOT>(block, quarter, b, &input, &mut accs);
                    } else {
                        small_block::<FORMAT, SDOT>(block, quarter, b, &input, &mut accs);
                    }
                }
            }
            store(&accs, sums);
        }
    }
}

/// A quarter of a block of a format without sub-blocks, of 32, 64 or 128 weights.
///
/// # Safety
/// The CPU has NEON, for `SDOT` also dotprod. `block` is a repacked block, and the tile has the
/// units of block `b`.
#[inline(always)]
unsafe fn small_block<const FORMAT: usize, const SDOT: bool>(
    block: *const u8,
    quarter: usize,
    b: usize,
    input: &TokenTile<'_>,
    accs: &mut Accs,
) {
    let n = input.n;
    // Runs of 32 weights, which meet one scale of the activations.
    let n_runs = LayoutOf::<FORMAT>::BLOCK_LEN / 32;
    // SAFETY: the caller's promise. Every load reads a part that `Layout` places in the block, and
    // for token t < n q, scale and sum of a unit of the block.
    unsafe {
        let block_d = factors::<FORMAT>(block, quarter, 0);
        for run in 0..n_runs {
            let unit = b * n_runs + run;
            let codes = codes::<FORMAT>(planes::<FORMAT>(block, quarter, run));
            for t in 0..n {
                let q = input.q.as_ptr().add((unit * n + t) * 32);
                let (low, high) = products::<SDOT>(&codes, q);
                let da = *input.scales.as_ptr().add(unit * n + t);
                let acc = &mut accs[t][quarter];
                if LayoutOf::<FORMAT>::FACTOR_LEN == 16 {
                    for (i, isum) in [low, high].into_iter().enumerate() {
                        let d = factors::<FORMAT>(block, quarter, 2 * run + i);
                        *acc = vfmaq_f32(*acc, vmulq_n_f32(d, da), vcvtq_f32_s32(isum));
                    }
                } else {
                    let isum = vcvtq_f32_s32(vaddq_s32(low, high));
                    *acc = vfmaq_f32(*acc, vmulq_n_f32(block_d, da), isum);
                }
                if LayoutOf::<FORMAT>::HAS_MIN {
                    let m = floats_of_f16(block.add(F16_PLANE_BYTES + 8 * quarter));
                    let sum = vdupq_n_f32(*input.sums.as_ptr().add(unit * n + t));
                    *acc = vfmaq_f32(*acc, vmulq_n_f32(m, da), sum);
                }
            }
        }
    }
}

/// A quarter of a super-block of 256 weights.
///
/// # Safety
/// As for [`small_block`].
#[inline(always)]
unsafe fn super_block<const FORMAT: usize, const SDOT: bool>(
    block: *const u8,
    quarter: usize,
    b: usize,
    input: &TokenTile<'_>,
    accs: &mut Accs,
) {
    let n = input.n;
    // SAFETY: the caller's promise. Every load reads a part that `Layout` places in the block, and
    // for token t < n q, scale and sums of a unit of the block.
    unsafe {
        let mut isums = [vdupq_n_s32(0); TILE_TOKENS];
        for step in 0..8 {
            let codes = codes::<FORMAT>(planes::<FORMAT>(block, quarter, step));
            let (first, second) = if LayoutOf::<FORMAT>::SUB_BLOCK_LEN == 16 {
                apart(scale_pair::<FORMAT, false>(block, quarter, step))
            } else {
                let scales = apart(scale_pair::<FORMAT, false>(block, quarter, step / 2));
                let scale = if step.is_multiple_of(2) { scales.0 } else { scales.1 };
                (scale, scale)
            };
            for t in 0..n {
                let q = input.q.as_ptr().add(((b * 8 + step) * n + t) * 32);
                let (low, high) = products::<SDOT>(&codes, q);
                isums[t] = if LayoutOf::<FORMAT>::SUB_BLOCK_LEN == 16 {
                    vmlaq_s32(vmlaq_s32(isums[t], low, first), high, second)
                } else {
                    vmlaq_s32(isums[t], vaddq_s32(low, high), first)
                };
            }
        }
        let d = factors::<FORMAT>(block, quarter, 0);
        for t in 0..n {
            let da = *input.scales.as_ptr().add(b * n + t);
            let acc = &mut accs[t][quarter];
            *acc = vfmaq_f32(*acc, vmulq_n_f32(d, da), vcvtq_f32_s32(isums[t]));
        }
        if LayoutOf::<FORMAT>::HAS_MIN {
            let m = floats_of_f16(block.add(F16_PLANE_BYTES + 8 * quarter));
            let sums = minima::<FORMAT>(block, quarter, b, input);
            for t in 0..n {
                let da = *input.scales.as_ptr().add(b * n + t);
                let acc = &mut accs[t][quarter];
                *acc = vfmaq_f32(*acc, vmulq_n_f32(m, da), vcvtq_f32_s32(sums[t]));
            }
        }
    }
}

/// For each token Σ min·(sum of q's) over the sub-blocks of a super-block.
///
/// # Safety
/// As for [`small_block`]; the format has minima.
#[inline(always)]
pub(crate) unsafe fn minima<const FORMAT: usize>(
    block: *const u8,
    quarter: usize,
    b: usize,
    input: &TokenTile<'_>,
) -> [int32x4_t; TILE_TOKENS] {
    let (n, n_pairs) = (input.n, LayoutOf::<FORMAT>::N_PAIRS);
    let token_sums =
        if LayoutOf::<FORMAT>::SUB_BLOCK_LEN == 16 { input.sum_pairs16 } else { input.sum_pairs32 };
    // SAFETY: the caller's promise; the sums of pair p < n_pairs of token t < n are there.
    unsafe {
        let mut sums = [vdupq_n_s32(0); TILE_TOKENS];
        for p in 0..n_pairs {
            let mins = scale_pair::<FORMAT, true>(block, quarter, p);
            for t in 0..n {
                let pair = vdupq_n_s32(*token_sums.as_ptr().add((b * n_pairs + p) * n + t));
                let pair = vreinterpretq_s16_s32(pair);
                let low = vmull_s16(vget_low_s16(mins), vget_low_s16(pair));
                let high = vmull_high_s16(mins, pair);
                sums[t] = vaddq_s32(sums[t], vpaddq_s32(low, high));
            }
        }
        sums
    }
}

/// The quarter's part of the planes of the 32 codes number `run` of a block.
#[inline(always)]
pub(crate) fn planes<const FORMAT: usize>(
    block: *const u8,
    quarter: usize,
    run: usize,
) -> *const u8 {
    let at = LayoutOf::<FORMAT>::CODES_AT + run * LayoutOf::<FORMAT>::BITS * PLANE_BYTES;
    block.wrapping_add(at + PLANE_BYTES / 4 * quarter)
}

/// Σ code·q over the first and the second 16 codes of four rows.
///
/// # Safety
/// The CPU has NEON, for `SDOT` also dotprod; `q` has 32 bytes.
#[inline(always)]
unsafe fn products<const SDOT: bool>(
    codes: &[int8x16_t; 8],
    q: *const i8,
) -> (int32x4_t, int32x4_t) {
    // SAFETY: the caller's promise.
    unsafe {
        let (zero, q) = (vdupq_n_s32(0), [vld1q_s8(q), vld1q_s8(q.add(16))]);
        let mut sums = (zero, zero);
        sums.0 = add_products::<SDOT, 0>(sums.0, codes[0], q[0]);
        sums.1 = add_products::<SDOT, 0>(sums.1, codes[4], q[1]);
        sums.0 = add_products::<SDOT, 1>(sums.0, codes[1], q[0]);
        sums.1 = add_products::<SDOT, 1>(sums.1, codes[5], q[1]);
        sums.0 = add_products::<SDOT, 2>(sums.0, codes[2], q[0]);
        sums.1 = add_products::<SDOT, 2>(sums.1, codes[6], q[1]);
        sums.0 = add_products::<SDOT, 3>(sums.0, codes[3], q[0]);
        sums.1 = add_products::<SDOT, 3>(sums.1, codes[7], q[1]);
        sums
    }
}

/// The first numbers of pairs of i16, and the second ones, as i32.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
pub(crate) unsafe fn apart(pairs: int16x8_t) -> (int32x4_t, int32x4_t) {
    // SAFETY: the caller's promise.
    unsafe {
        let pairs = vreinterpretq_s32_s16(pairs);
        (vshrq_n_s32::<16>(vshlq_n_s32::<16>(pairs)), vshrq_n_s32::<16>(pairs))
    }
}

/// Writes the accumulators of each token: four vectors of four rows.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn store(accs: &[[float32x4_t; 4]], sums: &mut [[f32; GROUP_ROWS]]) {
    for (sums, acc) in sums.iter_mut().zip(accs) {
        for (quarter, acc) in acc.iter().enumerate() {
            // SAFETY: the caller's promise; `sums` is sixteen f32.
            unsafe { vst1q_f32(sums.as_mut_ptr().add(4 * quarter), *acc) };
        }
    }
}

#[target_feature(enable = "neon")]
pub(crate) fn quantize_block(x: &[f32], q: &mut [i8], sums16: &mut [i16]) -> f32 {
    assert!(
        x.len() == q.len() && x.len().is_multiple_of(32) && sums16.len() * 16 == x.len(),
        "whole blocks"
    );
    let (fours, _) = x.as_chunks::<4>();
    // SAFETY: four f32.
    let load = |four: &[f32; 4]| unsafe { vld1q_f32(four.as_ptr()) };
    let mut max = vdupq_n_f32(0.0);
    let mut is_number = vdupq_n_u32(u32::MAX);
    for four in fours {
        let v = load(four);
        let size = vabsq_f32(v);
        // False for NaN: the maximum ignores it, in any order.
        max = vbslq_f32(vcgtq_f32(size, max), size, max);
        is_number = vandq_u32(is_number, vceqq_f32(v, v));
    }
    let mut max = vmaxvq_f32(max);
    if vminvq_u32(is_number) == 0 {
        max = f32::NAN;
    }
    let inverse = if max > 1e-30 { 127.0 / max } else { 0.0 };
    let outputs = q.as_chunks_mut::<16>().0.iter_mut().zip(sums16);
    for (fours, (q, sum)) in fours.chunks_exact(4).zip(outputs) {
        // Rounds to nearest, ties to even. NaN (from NaN, or infinity times 0) becomes 0, like the
        // specification's cast.
        let round = |i: usize| vcvtnq_s32_f32(vmulq_n_f32(load(&fours[i]), inverse));
        let low = vqmovn_high_s32(vqmovn_s32(round(0)), round(1));
        let high = vqmovn_high_s32(vqmovn_s32(round(2)), round(3));
        let bytes = vqmovn_high_s16(vqmovn_s16(low), high);
        // SAFETY: `q` is sixteen bytes.
        unsafe { vst1q_s8(q.as_mut_ptr(), bytes) };
        *sum = vaddlvq_s8(bytes);
    }
    max / 127.0
}
