//! Matrix products with AVX-512 VNNI: a row group times a tile of tokens, one row per lane, sixteen
//! rows at a time.
//!
//! The loop is that of `avx2::matmul` with these differences:
//! 1. `vpdpbusd` multiplies 64 codes with 64 q's and adds groups of four in i32. Nothing can
//!    overflow, so a sub-block's scale is applied to its finished sum.
//! 2. `vpdpbusd` takes unsigned codes. Q8_0's get 128 added, and 128 times the sum of the q's is
//!    subtracted again, exactly.

use std::arch::x86_64::*;

use super::unpack::{codes, minima, scale_pairs, step_scales};
use crate::{
    avx2::{
        self,
        matmul::{ANY, prefetch_activations},
    },
    format::{Format, for_format},
    layout::{Codes, Factors, GROUP_ROWS, Layout, PLANE_BYTES, Scales},
    layout_of::{LayoutOf, n_blocks_of},
    prefetch::prefetch_weights,
    scalar::matmul::{FEW, TILE_TOKENS, TokenTile},
};

pub(crate) use avx2::matmul::quantize_block;

/// Prefetch distance in the weight stream, in bytes, for `n` tokens. GEMV keeps up with memory, so
/// the hardware prefetcher brings most; a short distance leads it across the ends of pages.
const fn prefetch_distance(bits: usize, n: usize) -> usize {
    let keeps_up = match bits {
        8 => n <= FEW,
        6 => n <= 2,
        _ => n == 1,
    };
    if keeps_up { 512 } else { 8192 }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
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

/// `N` tokens, at most [`FEW`], whose sums stay in registers, or [`ANY`] number of them, whose sums
/// are in memory.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
fn of_format<const N: usize>(
    format: Format,
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    for_format!(format, FORMAT => of_layout::<FORMAT, N>(streams, input, sums))
}

/// Code books and other factors than f16 use AVX2's kernels.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
fn of_layout<const FORMAT: usize, const N: usize>(
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    if const { !is_wide(LayoutOf::<FORMAT>::LAYOUT) } {
        avx2::matmul::of_layout::<FORMAT, N>(streams, input, sums);
    } else if LayoutOf::<FORMAT>::BLOCK_LEN == 256 {
        super_blocks::<FORMAT, N>(streams, input, sums);
    } else {
        small_blocks::<FORMAT, N>(streams, input, sums);
    }
}

/// Whether the kernels of this file compute with a layout.
const fn is_wide(l: Layout) -> bool {
    let has_f16 = !matches!(l.factors, Factors::E8M0 | Factors::E4M3) && l.unit == 1.0;
    let has_scales = !matches!(l.scales, Scales::One);
    has_f16
        && !matches!(l.codes, Codes::Book(_))
        && (l.block_len == 32 || l.block_len == 256 && has_scales)
}

/// The zero point of unsigned codes. Q8_0's get 128 added.
const fn zero(l: Layout) -> i32 {
    match l.codes {
        Codes::Offset(zero) => zero,
        _ => 128,
    }
}

/// Blocks of 32.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
fn small_blocks<const FORMAT: usize, const N: usize>(
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    let n_blocks = n_blocks_of::<FORMAT>(streams, &input, sums);
    let n = if N == ANY { input.n } else { N };
    let offset = const { zero(LayoutOf::<FORMAT>::LAYOUT) };
    for (group, sums) in sums.chunks_exact_mut(n).enumerate() {
        let mut accs = [_mm512_setzero_ps(); TILE_TOKENS];
        for b in 0..n_blocks {
            // SAFETY: this group's block b lies within the streams, and every load below reads a
            // part that `Layout` places in the block: d, m, then planes of codes. For token t < n,
            // q, scale and sum are read at unit b < n_blocks; `n_blocks_of` checked that the tile
            // has them.
            unsafe {
                let block =
                    streams.as_ptr().add((group * n_blocks + b) * LayoutOf::<FORMAT>::BYTES);
                if N == 1 {
                    prefetch_activations::<FORMAT>(&input, b);
                }
                prefetch_weights(
                    prefetch_distance(LayoutOf::<FORMAT>::BITS, n),
                    block,
                    LayoutOf::<FORMAT>::BYTES,
                );
                let codes = codes::<FORMAT>(block.add(LayoutOf::<FORMAT>::CODES_AT));
                let d = _mm512_cvtph_ps(_mm256_loadu_si256(block.cast()));
                let m = minima::<FORMAT>(block);
                for t in 0..n {
                    let isum = dot::<0, 8>(&codes, input.q.as_ptr().add((b * n + t) * 32));
                    let sum = _mm512_set1_ps(*input.sums.as_ptr().add(b * n + t));
                    let mut dot = _mm512_cvtepi32_ps(isum);
                    if offset != 0 {
                        // Integers below 2^24: exact.
                        dot = _mm512_fnmadd_ps(_mm512_set1_ps(offset as f32), sum, dot);
                    }
                    let da = _mm512_set1_ps(*input.scales.as_ptr().add(b * n + t));
                    accs[t] = _mm512_fmadd_ps(_mm512_mul_ps(d, da), dot, accs[t]);
                    if LayoutOf::<FORMAT>::HAS_MIN {
                        accs[t] = _mm512_fmadd_ps(_mm512_mul_ps(m, da), sum, accs[t]);
                    }
                }
            }
        }
        store(&accs, sums);
    }
}

/// Super-blocks of 256 with sub-blocks.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
fn super_blocks<const FORMAT: usize, const N: usize>(
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    let n_blocks = n_blocks_of::<FORMAT>(streams, &input, sums);
    let n = if N == ANY { input.n } else { N };
    for (group, sums) in sums.chunks_exact_mut(n).enumerate() {
        let mut accs = [_mm512_setzero_ps(); TILE_TOKENS];
        for b in 0..n_blocks {
            let mut isums = [_mm512_setzero_si512(); TILE_TOKENS];
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
                let scale_bytes = scale_pairs::<FORMAT, false>(block);
                for step in 0..8 {
                    prefetch_weights(
                        prefetch_distance(LayoutOf::<FORMAT>::BITS, n),
                        block.add(LayoutOf::<FORMAT>::BYTES * step / 8),
                        LayoutOf::<FORMAT>::BYTES / 8,
                    );
                    let codes = codes::<FORMAT>(block.add(
                        LayoutOf::<FORMAT>::CODES_AT
                            + step * LayoutOf::<FORMAT>::BITS * PLANE_BYTES,
                    ));
                    let scales = step_scales::<FORMAT>(&scale_bytes, step);
                    for t in 0..n {
                        let q = input.q.as_ptr().add(((b * 8 + step) * n + t) * 32);
                        let isum = scaled_dot::<FORMAT>(&codes, q, scales);
                        isums[t] = _mm512_add_epi32(isums[t], isum);
                    }
                }
                let d = _mm512_cvtph_ps(_mm256_loadu_si256(block.cast()));
                // Zero point (Σ scale·(sum of q's), subtracted) or minimum (Σ min·(sum of q's),
                // added), by pairs of sub-blocks.
                let n_pairs = LayoutOf::<FORMAT>::N_PAIRS;
                let bytes = if LayoutOf::<FORMAT>::HAS_MIN {
                    scale_pairs::<FORMAT, true>(block)
                } else {
                    scale_bytes
                };
                let mut pairs = [_mm512_setzero_si512(); 8];
                for p in 0..n_pairs {
                    pairs[p] = _mm512_cvtepi8_epi16(bytes[p]);
                }
                let m = minima::<FORMAT>(block);
                let token_sums = input.sum_pairs(LayoutOf::<FORMAT>::SUB_BLOCK_LEN);
                for t in 0..n {
                    let mut sum = _mm512_setzero_si512();
                    for p in 0..n_pairs {
                        let pair = *token_sums.as_ptr().add((b * n_pairs + p) * n + t);
                        sum = _mm512_add_epi32(
                            sum,
                            _mm512_madd_epi16(pairs[p], _mm512_set1_epi32(pair)),
                        );
                    }
                    let isum = without_zeros::<FORMAT>(isums[t], sum);
                    let da = _mm512_set1_ps(*input.scales.as_ptr().add(b * n + t));
                    accs[t] =
                        _mm512_fmadd_ps(_mm512_mul_ps(d, da), _mm512_cvtepi32_ps(isum), accs[t]);
                    if LayoutOf::<FORMAT>::HAS_MIN {
                        accs[t] =
                            _mm512_fmadd_ps(_mm512_mul_ps(m, da), _mm512_cvtepi32_ps(sum), accs[t]);
                    }
                }
            }
        }
        store(&accs, sums);
    }
}

/// Subtracts the zero point times `sum` from `isum`.
#[inline]
#[target_feature(enable = "avx512f")]
fn without_zeros<const FORMAT: usize>(isum: __m512i, sum: __m512i) -> __m512i {
    match const { zero(LayoutOf::<FORMAT>::LAYOUT) } {
        0 => isum,
        4 => _mm512_sub_epi32(isum, _mm512_slli_epi32::<2>(sum)),
        _ => _mm512_sub_epi32(isum, _mm512_slli_epi32::<5>(sum)),
    }
}

/// Writes the accumulators of each token: one vector of sixteen rows.
#[inline]
#[target_feature(enable = "avx512f")]
fn store(accs: &[__m512; TILE_TOKENS], sums: &mut [[f32; GROUP_ROWS]]) {
    for (sums, acc) in sums.iter_mut().zip(accs) {
        // SAFETY: `sums` is sixteen f32.
        unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), *acc) };
    }
}

/// Σ code·q of 32 codes of each row, each sub-block's sum times its scale.
///
/// # Safety
/// `q` has 32 bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn scaled_dot<const FORMAT: usize>(
    codes: &[__m512i; 8],
    q: *const i8,
    [first, second]: [__m512i; 2],
) -> __m512i {
    // SAFETY: the caller's promise.
    unsafe {
        if LayoutOf::<FORMAT>::SUB_BLOCK_LEN == 16 {
            _mm512_add_epi32(
                _mm512_mullo_epi32(dot::<0, 4>(codes, q), first),
                _mm512_mullo_epi32(dot::<4, 8>(codes, q), second),
            )
        } else {
            _mm512_mullo_epi32(dot::<0, 8>(codes, q), first)
        }
    }
}

/// Σ code·q over the quads FROM..TO of each row.
///
/// # Safety
/// `q` has 32 bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn dot<const FROM: usize, const TO: usize>(codes: &[__m512i; 8], q: *const i8) -> __m512i {
    let mut isum = _mm512_setzero_si512();
    for g in FROM..TO {
        // SAFETY: the caller's promise; quad g has q's bytes from 4g.
        let q = _mm512_set1_epi32(unsafe { q.add(4 * g).cast::<i32>().read_unaligned() });
        isum = _mm512_dpbusd_epi32(isum, codes[g], q);
    }
    isum
}
