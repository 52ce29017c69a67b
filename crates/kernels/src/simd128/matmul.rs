//! Matrix products with WebAssembly's vectors: a row group times a tile of tokens, one row per
//! lane, four rows (a quarter of the group) at a time.
//!
//! ```text
//! for each block of the stream, for each quarter of its 16 rows:
//!     for each 32 codes: unpack 8 quads of 4 codes into 16 vectors [row][4] of i16, then
//!         for each token: isum += scale · Σ_g (quad g · the token's four q's)
//!     for each token: acc = fma(d·da, isum, acc), then the minimum likewise
//! ```
//! Codes become the signed integers that they stand for, as `i16`: the instruction for sums of
//! products (`i32x4.dot_i16x8_s`) takes these, and the codes are widened once for all tokens of a
//! tile. It adds two neighbouring products, so a row's sums are in two lanes until the end.
//!
//! Relaxed SIMD has an instruction for bytes (`i16x8.relaxed_dot_i8x16_i7x16_s`), which is exact
//! where one factor is unsigned with seven bits. In a module that may use it, codes of that kind
//! stay as they are stored, and the zero point's share is subtracted by the sums of the q's. A pair
//! of products is at most 2·127·(2^bits - 1), so i16 holds 8 pairs at 4 bits, 4 at 5 bits, 2 at 6.

use std::arch::wasm32::*;

use super::{
    fma::fma,
    unpack::{code, factors, scale_pair, stored},
    vector::floats_of_f16,
};
use crate::{
    format::{Format, for_format},
    layout::{Codes, F16_PLANE_BYTES, GROUP_ROWS, PLANE_BYTES},
    layout_of::{LayoutOf, n_blocks_of},
    scalar::matmul::{TILE_TOKENS, TokenTile},
};

/// Accumulators of a tile: for each token, one vector for each quarter of the row group.
type Accs = [[v128; 4]; TILE_TOKENS];

/// Eight quads of codes: rows 0 and 1, rows 2 and 3 of the quarter; or all four rows in the first
/// vector, where codes stay as they are stored.
type Quads = [[v128; 2]; 8];

/// How a format's codes are multiplied.
struct Products<const FORMAT: usize>;

impl<const FORMAT: usize> Products<FORMAT> {
    /// The zero point, if codes stay as they are stored: unsigned, with at most seven bits.
    const ZERO: Option<i32> = match LayoutOf::<FORMAT>::LAYOUT.codes {
        Codes::Offset(zero)
            if cfg!(target_feature = "relaxed-simd") && LayoutOf::<FORMAT>::BITS < 8 =>
        {
            Some(zero)
        }
        _ => None,
    };
    /// Pairs of products that i16 holds.
    #[cfg(target_feature = "relaxed-simd")]
    const PAIRS: usize = match LayoutOf::<FORMAT>::BITS {
        0..=4 => 8,
        5 => 4,
        6 => 2,
        _ => 1,
    };
}

#[target_feature(enable = "simd128")]
pub(crate) fn quantized(
    format: Format,
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    if input.n == 1 {
        for_format!(format, FORMAT => blocks::<FORMAT, true>(streams, input, sums))
    } else {
        for_format!(format, FORMAT => blocks::<FORMAT, false>(streams, input, sums))
    }
}

/// `ONE`: the tile has one token, so that a code is used as soon as it is unpacked.
///
/// A function for each format: engines compile large functions badly, or not at all.
#[target_feature(enable = "simd128")]
#[inline(never)]
fn blocks<const FORMAT: usize, const ONE: bool>(
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    let n_blocks = n_blocks_of::<FORMAT>(streams, &input, sums);
    for (group, sums) in sums.chunks_exact_mut(input.n).enumerate() {
        let mut accs: Accs = [[f32x4_splat(0.0); 4]; TILE_TOKENS];
        for b in 0..n_blocks {
            let at = (group * n_blocks + b) * LayoutOf::<FORMAT>::BYTES;
            for quarter in 0..4 {
                // SAFETY: this group's block b lies within the streams, and `n_blocks_of` checked
                // that the tile has the units of block b < n_blocks.
                unsafe {
                    let block = streams.as_ptr().add(at);
                    if LayoutOf::<FORMAT>::BLOCK_LEN == 256 {
                        super_block::<FORMAT, ONE>(block, quarter, b, &input, &mut accs);
                    } else {
                        small_block::<FORMAT, ONE>(block, quarter, b, &input, &mut accs);
                    }
                }
            }
        }
        store(&accs, sums);
    }
}

/// A quarter of a block of a format without sub-blocks, of 32, 64 or 128 weights.
///
/// # Safety
/// `block` is a repacked block, and the tile has the units of block `b`.
#[inline(always)]
unsafe fn small_block<const FORMAT: usize, const ONE: bool>(
    block: *const u8,
    quarter: usize,
    b: usize,
    input: &TokenTile<'_>,
    accs: &mut Accs,
) {
    let n = if ONE { 1 } else { input.n };
    // Runs of 32 weights, which meet one scale of the activations.
    let n_runs = LayoutOf::<FORMAT>::BLOCK_LEN / 32;
    // SAFETY: the caller's promise. Every load reads a part that `Layout` places in the block, and
    // for token t < n q, scale and sum of a unit of the block.
    unsafe {
        let block_d = factors::<FORMAT>(block, quarter, 0);
        for run in 0..n_runs {
            let unit = b * n_runs + run;
            let quads = quads::<FORMAT>(block, quarter, run);
            for t in 0..n {
                let q = input.q.as_ptr().add((unit * n + t) * 32);
                let da = f32x4_splat(*input.scales.as_ptr().add(unit * n + t));
                let acc = &mut accs[t][quarter];
                if LayoutOf::<FORMAT>::FACTOR_LEN == 16 {
                    for i in 0..2 {
                        let isum = products::<FORMAT, 4>(&quads, 4 * i, q, i16x8_splat(1));
                        let isum = f32x4_convert_i32x4(isum);
                        let d = factors::<FORMAT>(block, quarter, 2 * run + i);
                        *acc = fma(f32x4_mul(d, da), isum, *acc);
                    }
                } else {
                    let mut isum = products::<FORMAT, 8>(&quads, 0, q, i16x8_splat(1));
                    if let Some(zero @ 1..) = Products::<FORMAT>::ZERO {
                        // The sum of 32 q's is an integer.
                        let of_zero = zero * *input.sums.as_ptr().add(unit * n + t) as i32;
                        isum = i32x4_sub(isum, i32x4_splat(of_zero));
                    }
                    let isum = f32x4_convert_i32x4(isum);
                    *acc = fma(f32x4_mul(block_d, da), isum, *acc);
                }
                if LayoutOf::<FORMAT>::HAS_MIN {
                    let m = floats_of_f16(block.add(F16_PLANE_BYTES + 8 * quarter));
                    let sum = f32x4_splat(*input.sums.as_ptr().add(unit * n + t));
                    *acc = fma(f32x4_mul(m, da), sum, *acc);
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
unsafe fn super_block<const FORMAT: usize, const ONE: bool>(
    block: *const u8,
    quarter: usize,
    b: usize,
    input: &TokenTile<'_>,
    accs: &mut Accs,
) {
    let n = if ONE { 1 } else { input.n };
    // SAFETY: the caller's promise. Every load reads a part that `Layout` places in the block, and
    // for token t < n q, scale and sums of a unit of the block.
    unsafe {
        let mut isums = [i32x4_splat(0); TILE_TOKENS];
        for step in 0..8 {
            let quads = quads::<FORMAT>(block, quarter, step);
            let (first, second) = if LayoutOf::<FORMAT>::SUB_BLOCK_LEN == 16 {
                twice(scale_pair::<FORMAT, false>(block, quarter, step))
            } else {
                let scales = twice(scale_pair::<FORMAT, false>(block, quarter, step / 2));
                let scale = if step.is_multiple_of(2) { scales.0 } else { scales.1 };
                (scale, scale)
            };
            for t in 0..n {
                let q = input.q.as_ptr().add(((b * 8 + step) * n + t) * 32);
                let isum = if LayoutOf::<FORMAT>::SUB_BLOCK_LEN == 16 {
                    let low = products::<FORMAT, 4>(&quads, 0, q, first);
                    i32x4_add(low, products::<FORMAT, 4>(&quads, 4, q, second))
                } else {
                    products::<FORMAT, 8>(&quads, 0, q, first)
                };
                isums[t] = i32x4_add(isums[t], isum);
            }
        }
        if let Some(zero @ 1..) = Products::<FORMAT>::ZERO {
            let sums = sums_of::<FORMAT, false>(block, quarter, b, input);
            for t in 0..n {
                isums[t] = i32x4_sub(isums[t], i32x4_mul(sums[t], i32x4_splat(zero)));
            }
        }
        let d = factors::<FORMAT>(block, quarter, 0);
        for t in 0..n {
            let da = f32x4_splat(*input.scales.as_ptr().add(b * n + t));
            let acc = &mut accs[t][quarter];
            *acc = fma(f32x4_mul(d, da), f32x4_convert_i32x4(isums[t]), *acc);
        }
        if LayoutOf::<FORMAT>::HAS_MIN {
            let m = floats_of_f16(block.add(F16_PLANE_BYTES + 8 * quarter));
            let sums = sums_of::<FORMAT, true>(block, quarter, b, input);
            for t in 0..n {
                let da = f32x4_splat(*input.scales.as_ptr().add(b * n + t));
                let acc = &mut accs[t][quarter];
                *acc = fma(f32x4_mul(m, da), f32x4_convert_i32x4(sums[t]), *acc);
            }
        }
    }
}

/// For each token Σ scale·(sum of q's) over the sub-blocks of a super-block; `MINS`: Σ min·(sum of
/// q's).
///
/// # Safety
/// As for [`small_block`]; the format has minima for `MINS`.
#[inline(always)]
unsafe fn sums_of<const FORMAT: usize, const MINS: bool>(
    block: *const u8,
    quarter: usize,
    b: usize,
    input: &TokenTile<'_>,
) -> [v128; TILE_TOKENS] {
    let (n, n_pairs) = (input.n, LayoutOf::<FORMAT>::N_PAIRS);
    let token_sums = input.sum_pairs(LayoutOf::<FORMAT>::SUB_BLOCK_LEN);
    let mut sums = [i32x4_splat(0); TILE_TOKENS];
    for p in 0..n_pairs {
        // SAFETY: the caller's promise; the sums of pair p < n_pairs of token t < n are there.
        unsafe {
            let scales = scale_pair::<FORMAT, MINS>(block, quarter, p);
            for t in 0..n {
                let pair = i32x4_splat(*token_sums.as_ptr().add((b * n_pairs + p) * n + t));
                sums[t] = i32x4_add(sums[t], i32x4_dot_i16x8(scales, pair));
            }
        }
    }
    sums
}

/// The 32 codes number `run` of a block, of a quarter's rows.
///
/// # Safety
/// `block` is a repacked block that has them.
#[inline(always)]
unsafe fn quads<const FORMAT: usize>(block: *const u8, quarter: usize, run: usize) -> Quads {
    let at = LayoutOf::<FORMAT>::CODES_AT + run * LayoutOf::<FORMAT>::BITS * PLANE_BYTES;
    let planes = block.wrapping_add(at + PLANE_BYTES / 4 * quarter);
    let mut quads = [[i32x4_splat(0); 2]; 8];
    for (g, quad) in quads.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *quad = unsafe {
            if Products::<FORMAT>::ZERO.is_some() {
                [stored::<FORMAT>(planes, g); 2]
            } else {
                let codes = code::<FORMAT>(planes, g);
                [i16x8_extend_low_i8x16(codes), i16x8_extend_high_i8x16(codes)]
            }
        };
    }
    quads
}

/// scale·Σ code·q over the N quads from `first` on, of four rows, whose scales stand in `scales` as
/// i16, each twice.
///
/// # Safety
/// `q` has 32 bytes.
#[inline(always)]
unsafe fn products<const FORMAT: usize, const N: usize>(
    quads: &Quads,
    first: usize,
    q: *const i8,
    scales: v128,
) -> v128 {
    // SAFETY: the caller's promise.
    let quad = |g: usize| unsafe { v128_load32_splat(q.add(4 * g).cast()) };
    #[cfg(target_feature = "relaxed-simd")]
    if Products::<FORMAT>::ZERO.is_some() {
        let pairs = |g: usize| i16x8_relaxed_dot_i8x16_i7x16(quad(g), quads[g][0]);
        let mut sum = i32x4_splat(0);
        for begin in (first..first + N).step_by(Products::<FORMAT>::PAIRS) {
            let end = (first + N).min(begin + Products::<FORMAT>::PAIRS);
            let mut some = pairs(begin);
            for g in begin + 1..end {
                some = i16x8_add(some, pairs(g));
            }
            sum = i32x4_add(sum, i32x4_dot_i16x8(some, scales));
        }
        return sum;
    }
    let mut sums = [i32x4_splat(0); 2];
    for g in first..first + N {
        let quad = i16x8_extend_low_i8x16(quad(g));
        for i in 0..2 {
            sums[i] = i32x4_add(sums[i], i32x4_dot_i16x8(quads[g][i], quad));
        }
    }
    let even = i32x4_shuffle::<0, 2, 4, 6>(sums[0], sums[1]);
    let odd = i32x4_shuffle::<1, 3, 5, 7>(sums[0], sums[1]);
    let sum = i32x4_add(even, odd);
    if LayoutOf::<FORMAT>::BLOCK_LEN == 256 {
        // One of the two, as i32.
        i32x4_mul(sum, i32x4_shr(scales, 16))
    } else {
        sum
    }
}

/// The first numbers of pairs of i16, each twice, and the second ones.
#[inline(always)]
fn twice(pairs: v128) -> (v128, v128) {
    (
        i16x8_shuffle::<0, 0, 2, 2, 4, 4, 6, 6>(pairs, pairs),
        i16x8_shuffle::<1, 1, 3, 3, 5, 5, 7, 7>(pairs, pairs),
    )
}

/// Writes the accumulators of each token: four vectors of four rows.
#[inline(always)]
fn store(accs: &[[v128; 4]], sums: &mut [[f32; GROUP_ROWS]]) {
    for (sums, acc) in sums.iter_mut().zip(accs) {
        for (quarter, acc) in acc.iter().enumerate() {
            // SAFETY: `sums` is sixteen f32.
            unsafe { v128_store(sums.as_mut_ptr().add(4 * quarter).cast(), *acc) };
        }
    }
}

#[target_feature(enable = "simd128")]
pub(crate) fn quantize_block(x: &[f32], q: &mut [i8], sums16: &mut [i16]) -> f32 {
    assert!(
        x.len() == q.len() && x.len().is_multiple_of(32) && sums16.len() * 16 == x.len(),
        "whole blocks"
    );
    let (fours, _) = x.as_chunks::<4>();
    // SAFETY: four f32.
    let load = |four: &[f32; 4]| unsafe { v128_load(four.as_ptr().cast()) };
    let mut max = f32x4_splat(0.0);
    let mut is_number = i32x4_splat(-1);
    for four in fours {
        let v = load(four);
        // Keeps the maximum for NaN, in any order.
        max = f32x4_pmax(max, f32x4_abs(v));
        is_number = v128_and(is_number, f32x4_eq(v, v));
    }
    let max = f32x4_pmax(max, i32x4_shuffle::<2, 3, 0, 1>(max, max));
    let max = f32x4_pmax(max, i32x4_shuffle::<1, 0, 3, 2>(max, max));
    let max = if i32x4_all_true(is_number) { f32x4_extract_lane::<0>(max) } else { f32::NAN };
    let inverse = f32x4_splat(if max > 1e-30 { 127.0 / max } else { 0.0 });
    let outputs = q.as_chunks_mut::<16>().0.iter_mut().zip(sums16);
    for (fours, (q, sum)) in fours.chunks_exact(4).zip(outputs) {
        // Rounds to nearest, ties to even. NaN (from NaN, or infinity times 0) becomes 0, like the
        // specification's cast.
        let round =
            |i: usize| i32x4_trunc_sat_f32x4(f32x4_nearest(f32x4_mul(load(&fours[i]), inverse)));
        let low = i16x8_narrow_i32x4(round(0), round(1));
        let high = i16x8_narrow_i32x4(round(2), round(3));
        let bytes = i8x16_narrow_i16x8(low, high);
        // SAFETY: `q` is sixteen bytes.
        unsafe { v128_store(q.as_mut_ptr().cast(), bytes) };
        let sums = i32x4_extadd_pairwise_i16x8(i16x8_extadd_pairwise_i8x16(bytes));
        let sums = i32x4_add(sums, i32x4_shuffle::<2, 3, 0, 1>(sums, sums));
        *sum = (i32x4_extract_lane::<0>(sums) + i32x4_extract_lane::<1>(sums)) as i16;
    }
    max / 127.0
}
