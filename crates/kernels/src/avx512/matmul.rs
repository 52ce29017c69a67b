//! Matrix products of groups of sixteen rows of weights with a tile of tokens, a row in each lane.
//!
//! As in `avx2::matmul`, but `vpdpbusd` multiplies 64 codes with 64 q's and adds up fours in 32 bits, so nothing can overflow
//! and a sub-block's scale is applied to its finished sum. It takes unsigned codes: Q8_0's get 128 added, and 128 times
//! the sum of the q's is subtracted, exactly.

use std::arch::x86_64::*;

use super::unpack::{codes, pairs, scales};
use crate::{
    activations::{TILE, Tile},
    avx2::{
        self,
        matmul::{checked, keep, prefetch},
        unpack::Of,
    },
    format::Format,
    packed::{GROUP, HALVES, PLANE},
};

pub(crate) use avx2::matmul::{floats, quantize_block};

/// How many bytes ahead in the stream weights are asked for when there are `n` tokens: two pages. A single one is done with a block as fast
/// as it comes; then the core's own prefetcher brings most, and what is asked for leads it over the ends of pages.
const fn ahead(n: usize) -> usize {
    if n == 1 { 512 } else { 8192 }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
pub(crate) fn quantized(format: Format, streams: &[u8], input: Tile<'_>, sums: &mut [[f32; GROUP]]) {
    if input.n == 1 {
        of_format::<true>(format, streams, input, sums);
    } else {
        of_format::<false>(format, streams, input, sums);
    }
}

/// `ONE`: there is one token, whose sums stay in registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
fn of_format<const ONE: bool>(format: Format, streams: &[u8], input: Tile<'_>, sums: &mut [[f32; GROUP]]) {
    match format {
        Format::F32 | Format::F16 | Format::BF16 => {
            unreachable!("floats have a kernel of their own")
        }
        Format::Q4_0 => legacy::<3, ONE>(streams, input, sums),
        Format::Q4_1 => legacy::<4, ONE>(streams, input, sums),
        Format::Q5_0 => legacy::<5, ONE>(streams, input, sums),
        Format::Q5_1 => legacy::<6, ONE>(streams, input, sums),
        Format::Q8_0 => legacy::<7, ONE>(streams, input, sums),
        Format::Q2_K => k_quant::<8, ONE>(streams, input, sums),
        Format::Q3_K => k_quant::<9, ONE>(streams, input, sums),
        Format::Q4_K => k_quant::<10, ONE>(streams, input, sums),
        Format::Q5_K => k_quant::<11, ONE>(streams, input, sums),
        Format::Q6_K => k_quant::<12, ONE>(streams, input, sums),
    }
}

/// Formats of blocks of 32.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
fn legacy<const F: usize, const ONE: bool>(streams: &[u8], input: Tile<'_>, sums: &mut [[f32; GROUP]]) {
    let l = Of::<F>::LAYOUT;
    let n_blocks = checked(l, streams, &input, sums);
    let n = if ONE { 1 } else { input.n };
    let offset = if l.bits == 8 { 128 } else { l.offset };
    for (group, sums) in sums.chunks_exact_mut(n).enumerate() {
        let mut accs = [_mm512_setzero_ps(); TILE];
        for b in 0..n_blocks {
            // SAFETY: this group's block b lies within the streams, and every load below reads a part that `Layout` places in the
            // block: d, m, then planes of codes. Of token t < n, q, scale and sum are read at unit b < n_blocks: `checked` has
            // seen that the tile has them.
            unsafe {
                let block = streams.as_ptr().add((group * n_blocks + b) * l.bytes());
                if ONE {
                    keep(input.q.as_ptr().wrapping_add(b * l.block), l.block);
                }
                prefetch(ahead(n), block, l.bytes());
                let codes = codes::<F>(block.add(l.codes_at()));
                let d = _mm512_cvtph_ps(_mm256_loadu_si256(block.cast()));
                let m = if l.min {
                    _mm512_cvtph_ps(_mm256_loadu_si256(block.add(HALVES).cast()))
                } else {
                    _mm512_setzero_ps()
                };
                for t in 0..n {
                    let isum = dot::<0, 8>(&codes, input.q.as_ptr().add((b * n + t) * 32));
                    let sum = _mm512_set1_ps(*input.sums.as_ptr().add(b * n + t));
                    let mut dot = _mm512_cvtepi32_ps(isum);
                    if offset != 0 {
                        // Whole numbers below 2^24: exact.
                        dot = _mm512_fnmadd_ps(_mm512_set1_ps(offset as f32), sum, dot);
                    }
                    let da = _mm512_set1_ps(*input.scales.as_ptr().add(b * n + t));
                    accs[t] = _mm512_fmadd_ps(_mm512_mul_ps(d, da), dot, accs[t]);
                    if l.min {
                        accs[t] = _mm512_fmadd_ps(_mm512_mul_ps(m, da), sum, accs[t]);
                    }
                }
            }
        }
        store(&accs, sums);
    }
}

/// Formats of blocks of 256 with sub-blocks.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
fn k_quant<const F: usize, const ONE: bool>(streams: &[u8], input: Tile<'_>, sums: &mut [[f32; GROUP]]) {
    let l = Of::<F>::LAYOUT;
    let n_blocks = checked(l, streams, &input, sums);
    let n = if ONE { 1 } else { input.n };
    for (group, sums) in sums.chunks_exact_mut(n).enumerate() {
        let mut accs = [_mm512_setzero_ps(); TILE];
        for b in 0..n_blocks {
            let mut isums = [_mm512_setzero_si512(); TILE];
            // SAFETY: this group's block b lies within the streams, and every load below reads a part that `Layout` places in the
            // block: d, m, scales, mins, then planes of codes. Of token t < n, q, scale and sums are read at units of block
            // b < n_blocks: `checked` has seen that the tile has them.
            unsafe {
                let block = streams.as_ptr().add((group * n_blocks + b) * l.bytes());
                if ONE {
                    keep(input.q.as_ptr().wrapping_add(b * l.block), l.block);
                }
                let scale_pairs = pairs::<F, false>(block);
                for step in 0..8 {
                    prefetch(ahead(n), block.add(l.bytes() * step / 8), l.bytes() / 8);
                    let codes = codes::<F>(block.add(l.codes_at() + step * l.bits * PLANE));
                    let pair = if l.sub == 16 { step } else { step / 2 };
                    let [first, second] = scales(scale_pairs[pair]);
                    for t in 0..n {
                        let q = input.q.as_ptr().add(((b * 8 + step) * n + t) * 32);
                        let isum = if l.sub == 16 {
                            _mm512_add_epi32(
                                _mm512_mullo_epi32(dot::<0, 4>(&codes, q), first),
                                _mm512_mullo_epi32(dot::<4, 8>(&codes, q), second),
                            )
                        } else {
                            let scale = if step % 2 == 0 { first } else { second };
                            _mm512_mullo_epi32(dot::<0, 8>(&codes, q), scale)
                        };
                        isums[t] = _mm512_add_epi32(isums[t], isum);
                    }
                }
                let d = _mm512_cvtph_ps(_mm256_loadu_si256(block.cast()));
                // What is subtracted (Σ scale·(sum of q's)) or added (Σ min·(sum of q's)), by pairs of sub-blocks.
                let n_pairs = l.n_pairs();
                let bytes = if l.min { pairs::<F, true>(block) } else { scale_pairs };
                let mut pairs = [_mm512_setzero_si512(); 8];
                for p in 0..n_pairs {
                    pairs[p] = _mm512_cvtepi8_epi16(bytes[p]);
                }
                let m = if l.min {
                    _mm512_cvtph_ps(_mm256_loadu_si256(block.add(HALVES).cast()))
                } else {
                    _mm512_setzero_ps()
                };
                let token_sums = if l.sub == 16 { input.pairs16 } else { input.pairs32 };
                for t in 0..n {
                    let mut sum = _mm512_setzero_si512();
                    for p in 0..n_pairs {
                        let pair = *token_sums.as_ptr().add((b * n_pairs + p) * n + t);
                        sum = _mm512_add_epi32(sum, _mm512_madd_epi16(pairs[p], _mm512_set1_epi32(pair)));
                    }
                    let isum = match l.offset {
                        0 => isums[t],
                        4 => _mm512_sub_epi32(isums[t], _mm512_slli_epi32::<2>(sum)),
                        _ => _mm512_sub_epi32(isums[t], _mm512_slli_epi32::<5>(sum)),
                    };
                    let da = _mm512_set1_ps(*input.scales.as_ptr().add(b * n + t));
                    accs[t] = _mm512_fmadd_ps(_mm512_mul_ps(d, da), _mm512_cvtepi32_ps(isum), accs[t]);
                    if l.min {
                        accs[t] = _mm512_fmadd_ps(_mm512_mul_ps(m, da), _mm512_cvtepi32_ps(sum), accs[t]);
                    }
                }
            }
        }
        store(&accs, sums);
    }
}

/// The sums of each token, sixteen rows each.
#[inline]
#[target_feature(enable = "avx512f")]
fn store(accs: &[__m512; TILE], sums: &mut [[f32; GROUP]]) {
    for (sums, acc) in sums.iter_mut().zip(accs) {
        // SAFETY: `sums` is sixteen f32.
        unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), *acc) };
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
