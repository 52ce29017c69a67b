//! Matrix products with `smmla`, which multiplies two tokens with two rows, eight codes of each: a
//! row group times a tile of tokens, four rows (a quarter of the group) at a time.
//!
//! ```text
//! for each block of the stream:
//!     put eight q's of a token beside eight of the next one, for all pairs of tokens
//!     for each quarter of its 16 rows:
//!         for each 32 codes: unpack, put eight codes of a row beside eight of the next one, then
//!             for each pair of tokens: isum += scale · Σ (8 codes × 8 q's, 2 rows × 2 tokens)
//!         for each pair: acc = fma(d·da, isum, acc), then the minimum likewise
//! ```
//! Sums stay where `smmla` has them (`[token][row]` of two and two) until a block row is done. For
//! one token half of that would be wasted, so `sdot` multiplies it: see `neon::matmul`.

use std::arch::{aarch64::*, asm};

use super::pairs::{MAX_PAIRS, Pairs};
pub(crate) use crate::neon::matmul::quantize_block;
use crate::{
    format::{Format, for_format},
    layout::{F16_PLANE_BYTES, GROUP_ROWS},
    layout_of::{LayoutOf, n_blocks_of},
    neon::{
        self,
        matmul::{PREFETCH_DISTANCE, apart, minima, planes},
        unpack::{codes, factors, floats_of_f16, scale_pair},
    },
    prefetch::prefetch_weights,
    scalar::matmul::TokenTile,
};

/// Two tokens with two rows each: rows 0 and 1 of a quarter, and rows 2 and 3.
type Squares<T> = [T; 2];

/// Accumulators of a tile: for each pair of tokens, those of each quarter of the row group.
type Accs = [[Squares<float32x4_t>; 4]; MAX_PAIRS];

#[target_feature(enable = "neon,dotprod,i8mm")]
pub(crate) fn quantized(
    format: Format,
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    // SAFETY: this function has NEON, dotprod and i8mm.
    unsafe {
        if input.n == 1 {
            neon::matmul::of_format::<true>(format, streams, input, sums);
        } else {
            for_format!(format, FORMAT => blocks::<FORMAT>(streams, input, sums))
        }
    }
}

/// # Safety
/// The CPU has NEON and i8mm.
#[inline(always)]
unsafe fn blocks<const FORMAT: usize>(
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    let n_blocks = n_blocks_of::<FORMAT>(streams, &input, sums);
    let mut pairs = Pairs::new(input.n);
    for (group, sums) in sums.chunks_exact_mut(input.n).enumerate() {
        // SAFETY: the caller's promise. This group's block b lies within the streams, and
        // `n_blocks_of` checked that the tile has the units of block b < n_blocks.
        unsafe {
            let mut accs: Accs = [[[vdupq_n_f32(0.0); 2]; 4]; MAX_PAIRS];
            for b in 0..n_blocks {
                let block =
                    streams.as_ptr().add((group * n_blocks + b) * LayoutOf::<FORMAT>::BYTES);
                prefetch_weights(PREFETCH_DISTANCE, block, LayoutOf::<FORMAT>::BYTES);
                pairs.take(&input, b, LayoutOf::<FORMAT>::BLOCK_LEN / 32);
                for quarter in 0..4 {
                    if LayoutOf::<FORMAT>::BLOCK_LEN == 256 {
                        let mins = (b, &input);
                        super_block::<FORMAT>(block, quarter, &pairs, mins, &mut accs);
                    } else {
                        small_block::<FORMAT>(block, quarter, &pairs, &mut accs);
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
/// The CPU has NEON and i8mm. `block` is a repacked block, and `pairs` has its activations.
#[inline(always)]
unsafe fn small_block<const FORMAT: usize>(
    block: *const u8,
    quarter: usize,
    pairs: &Pairs,
    accs: &mut Accs,
) {
    // SAFETY: the caller's promise. Every load reads a part that `Layout` places in the block.
    unsafe {
        let block_d = twice(factors::<FORMAT>(block, quarter, 0));
        for run in 0..LayoutOf::<FORMAT>::BLOCK_LEN / 32 {
            let codes = row_pairs(&codes::<FORMAT>(planes::<FORMAT>(block, quarter, run)));
            let unit = pairs.unit(run);
            for (((q, da), sum), accs) in
                unit.q.iter().zip(unit.scales).zip(unit.sums).zip(&mut *accs)
            {
                let (low, high) = products(&codes, q);
                let da = vld1q_f32(da.as_ptr());
                let acc = &mut accs[quarter];
                if LayoutOf::<FORMAT>::FACTOR_LEN == 16 {
                    for (i, isum) in [low, high].into_iter().enumerate() {
                        let d = twice(factors::<FORMAT>(block, quarter, 2 * run + i));
                        add_scaled(acc, d, da, isum);
                    }
                } else {
                    add_scaled(acc, block_d, da, added(low, high));
                }
                if LayoutOf::<FORMAT>::HAS_MIN {
                    let m = twice(floats_of_f16(block.add(F16_PLANE_BYTES + 8 * quarter)));
                    let sum = vld1q_f32(sum.as_ptr());
                    for (acc, m) in acc.iter_mut().zip(m) {
                        *acc = vfmaq_f32(*acc, vmulq_f32(m, da), sum);
                    }
                }
            }
        }
    }
}

/// A quarter of a super-block of 256 weights, number `b` of the row. `b` and the tile are for its
/// minima.
///
/// # Safety
/// As for [`small_block`]; the tile has the units of block `b`.
#[inline(always)]
unsafe fn super_block<const FORMAT: usize>(
    block: *const u8,
    quarter: usize,
    pairs: &Pairs,
    (b, input): (usize, &TokenTile<'_>),
    accs: &mut Accs,
) {
    // SAFETY: the caller's promise. Every load reads a part that `Layout` places in the block.
    unsafe {
        let mut isums = [[vdupq_n_s32(0); 2]; MAX_PAIRS];
        for step in 0..8 {
            let codes = row_pairs(&codes::<FORMAT>(planes::<FORMAT>(block, quarter, step)));
            let (first, second) = if LayoutOf::<FORMAT>::SUB_BLOCK_LEN == 16 {
                apart(scale_pair::<FORMAT, false>(block, quarter, step))
            } else {
                let scales = apart(scale_pair::<FORMAT, false>(block, quarter, step / 2));
                let scale = if step.is_multiple_of(2) { scales.0 } else { scales.1 };
                (scale, scale)
            };
            let (first, second) = (twice_s32(first), twice_s32(second));
            for (q, isums) in pairs.unit(step).q.iter().zip(&mut isums) {
                let (low, high) = products(&codes, q);
                for (half, isum) in isums.iter_mut().enumerate() {
                    *isum = if LayoutOf::<FORMAT>::SUB_BLOCK_LEN == 16 {
                        let sum = vmlaq_s32(*isum, low[half], first[half]);
                        vmlaq_s32(sum, high[half], second[half])
                    } else {
                        vmlaq_s32(*isum, added(low, high)[half], first[half])
                    };
                }
            }
        }
        let d = twice(factors::<FORMAT>(block, quarter, 0));
        let scales = pairs.unit(0).scales;
        for ((da, isum), accs) in scales.iter().zip(isums).zip(&mut *accs) {
            add_scaled(&mut accs[quarter], d, vld1q_f32(da.as_ptr()), isum);
        }
        if LayoutOf::<FORMAT>::HAS_MIN {
            let m = twice(floats_of_f16(block.add(F16_PLANE_BYTES + 8 * quarter)));
            let sums = minima::<FORMAT>(block, quarter, b, input);
            let (sums, _) = sums.as_chunks::<2>();
            for ((da, sums), accs) in scales.iter().zip(sums).zip(&mut *accs) {
                let da = vld1q_f32(da.as_ptr());
                let [one, other] = sums.map(|s| vreinterpretq_s64_s32(s));
                let sums = [vzip1q_s64(one, other), vzip2q_s64(one, other)];
                let sums = sums.map(|sum| vreinterpretq_s32_s64(sum));
                add_scaled(&mut accs[quarter], m, da, sums);
            }
        }
    }
}

/// acc = fma(d·da, isum, acc).
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn add_scaled(
    acc: &mut Squares<float32x4_t>,
    d: Squares<float32x4_t>,
    da: float32x4_t,
    isum: Squares<int32x4_t>,
) {
    for half in 0..2 {
        // SAFETY: the caller's promise.
        unsafe {
            let factor = vmulq_f32(d[half], da);
            acc[half] = vfmaq_f32(acc[half], factor, vcvtq_f32_s32(isum[half]));
        }
    }
}

/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn added(one: Squares<int32x4_t>, other: Squares<int32x4_t>) -> Squares<int32x4_t> {
    // SAFETY: the caller's promise.
    unsafe { [vaddq_s32(one[0], other[0]), vaddq_s32(one[1], other[1])] }
}

/// Eight codes of a row beside those of the next one: for each 8 of 32 codes, rows 0 and 1, and
/// rows 2 and 3.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn row_pairs(quads: &[int8x16_t; 8]) -> [Squares<int8x16_t>; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let pair = |i: usize| {
            let [one, other] = [quads[2 * i], quads[2 * i + 1]].map(|q| vreinterpretq_s32_s8(q));
            [vzip1q_s32(one, other), vzip2q_s32(one, other)].map(|pair| vreinterpretq_s8_s32(pair))
        };
        [pair(0), pair(1), pair(2), pair(3)]
    }
}

/// Σ code·q over the first and the second 16 codes.
///
/// # Safety
/// The CPU has NEON and i8mm.
#[inline(always)]
unsafe fn products(
    codes: &[Squares<int8x16_t>; 4],
    q: &[[i8; 16]; 4],
) -> (Squares<int32x4_t>, Squares<int32x4_t>) {
    // SAFETY: the caller's promise; each part of q has sixteen bytes.
    unsafe {
        let zero = vdupq_n_s32(0);
        let (mut low, mut high) = ([zero; 2], [zero; 2]);
        for half in 0..2 {
            let q = |i: usize| vld1q_s8(q[i].as_ptr());
            low[half] = smmla(smmla(zero, q(0), codes[0][half]), q(1), codes[1][half]);
            high[half] = smmla(smmla(zero, q(2), codes[2][half]), q(3), codes[3][half]);
        }
        (low, high)
    }
}

/// `vmmlaq_s32`, which the standard library of stable Rust doesn't have: adds to lane 2t + r the
/// products of the eight bytes of half t of `tokens` with those of half r of `rows`.
#[inline]
#[target_feature(enable = "neon,i8mm")]
pub(super) fn smmla(acc: int32x4_t, tokens: int8x16_t, rows: int8x16_t) -> int32x4_t {
    let mut acc = acc;
    // SAFETY: the instruction reads and writes the named registers alone; this function has its
    // target feature.
    unsafe {
        asm!(
            "smmla {acc:v}.4s, {tokens:v}.16b, {rows:v}.16b",
            acc = inout(vreg) acc,
            tokens = in(vreg) tokens,
            rows = in(vreg) rows,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    acc
}

/// Numbers of four rows for two tokens: those of rows 0 and 1 twice, and those of rows 2 and 3.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn twice(rows: float32x4_t) -> Squares<float32x4_t> {
    // SAFETY: the caller's promise.
    unsafe { twice_s32(vreinterpretq_s32_f32(rows)).map(|rows| vreinterpretq_f32_s32(rows)) }
}

/// [`twice`] of integers.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn twice_s32(rows: int32x4_t) -> Squares<int32x4_t> {
    // SAFETY: the caller's promise.
    unsafe {
        let rows = vreinterpretq_s64_s32(rows);
        [vzip1q_s64(rows, rows), vzip2q_s64(rows, rows)].map(|rows| vreinterpretq_s32_s64(rows))
    }
}

/// Writes the accumulators of each token: sixteen rows, of which a pair has squares.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn store(accs: &Accs, sums: &mut [[f32; GROUP_ROWS]]) {
    for (t, sums) in sums.iter_mut().enumerate() {
        for (quarter, acc) in accs[t / 2].iter().enumerate() {
            // SAFETY: the caller's promise; `sums` is sixteen f32.
            unsafe {
                let [one, other] = acc.map(|half| vreinterpretq_s64_f32(half));
                let is_first = t.is_multiple_of(2);
                let rows = if is_first { vzip1q_s64(one, other) } else { vzip2q_s64(one, other) };
                vst1q_f32(sums.as_mut_ptr().add(4 * quarter), vreinterpretq_f32_s64(rows));
            }
        }
    }
}
