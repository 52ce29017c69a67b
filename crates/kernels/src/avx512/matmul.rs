//! Matrix products of a group of sixteen rows of weights with a tile of tokens, a row in each lane.
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
        matmul::{checked, prefetch},
        unpack::Of,
    },
    format::Format,
    packed::{GROUP, HALVES, Layout, PLANE},
    pages::LINE,
};

pub(crate) use avx2::matmul::{floats, quantize_block};

/// How many bytes ahead in the stream weights are asked for when there are `n` tokens: two pages, but less for a single one where
/// small blocks don't end with a line. Measured: with two pages Q8_0 comes a third slower then, and with less several tokens do.
const fn ahead(l: Layout, n: usize) -> usize {
    if n == 1 && l.block == 32 && !l.bytes().is_multiple_of(LINE) { 1024 } else { 8192 }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
pub(crate) fn quantized(format: Format, stream: &[u8], input: Tile<'_>, sums: &mut [[f32; GROUP]]) {
    match format {
        Format::F32 | Format::F16 | Format::BF16 => {
            unreachable!("floats have a kernel of their own")
        }
        Format::Q4_0 => legacy::<3>(stream, input, sums),
        Format::Q4_1 => legacy::<4>(stream, input, sums),
        Format::Q5_0 => legacy::<5>(stream, input, sums),
        Format::Q5_1 => legacy::<6>(stream, input, sums),
        Format::Q8_0 => legacy::<7>(stream, input, sums),
        Format::Q2_K => k_quant::<8>(stream, input, sums),
        Format::Q3_K => k_quant::<9>(stream, input, sums),
        Format::Q4_K => k_quant::<10>(stream, input, sums),
        Format::Q5_K => k_quant::<11>(stream, input, sums),
        Format::Q6_K => k_quant::<12>(stream, input, sums),
    }
}

/// Formats of blocks of 32.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
fn legacy<const F: usize>(stream: &[u8], input: Tile<'_>, sums: &mut [[f32; GROUP]]) {
    let l = Of::<F>::LAYOUT;
    let n_blocks = checked(l, stream, &input, sums);
    let n = input.n;
    sums.fill([0.0; GROUP]);
    let offset = if l.bits == 8 { 128 } else { l.offset };
    for b in 0..n_blocks {
        // SAFETY: block b lies within the stream, and every load below reads a part that `Layout` places in the block: d, m, then
        // planes of codes. Of token t < n, q, scale and sum are read at unit b < n_blocks: `checked` has seen that the tile
        // has them, and `sums` a place for each token.
        unsafe {
            let block = stream.as_ptr().add(b * l.bytes());
            prefetch(ahead(l, n), block, l.bytes());
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
                let place = sums.as_mut_ptr().add(t).cast::<f32>();
                let mut acc = _mm512_loadu_ps(place);
                acc = _mm512_fmadd_ps(_mm512_mul_ps(d, da), dot, acc);
                if l.min {
                    acc = _mm512_fmadd_ps(_mm512_mul_ps(m, da), sum, acc);
                }
                _mm512_storeu_ps(place, acc);
            }
        }
    }
}

/// Formats of blocks of 256 with sub-blocks.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
fn k_quant<const F: usize>(stream: &[u8], input: Tile<'_>, sums: &mut [[f32; GROUP]]) {
    let l = Of::<F>::LAYOUT;
    let n_blocks = checked(l, stream, &input, sums);
    let n = input.n;
    sums.fill([0.0; GROUP]);
    let mut isums = [[0i32; GROUP]; TILE];
    for b in 0..n_blocks {
        // SAFETY: block b lies within the stream, and every load below reads a part that `Layout` places in the block: d, m,
        // scales, mins, then planes of codes. Of token t < n, q, scale and sums are read at units of block b < n_blocks:
        // `checked` has seen that the tile has them, and `sums` a place for each token.
        unsafe {
            let block = stream.as_ptr().add(b * l.bytes());
            let scale_pairs = pairs::<F, false>(block);
            for step in 0..8 {
                prefetch(ahead(l, n), block.add(l.bytes() * step / 8), l.bytes() / 8);
                let codes = codes::<F>(block.add(l.codes_at() + step * l.bits * PLANE));
                let pair = if l.sub == 16 { step } else { step / 2 };
                let [first, second] = scales(scale_pairs[pair]);
                for t in 0..n {
                    let q = input.q.as_ptr().add(((b * 8 + step) * n + t) * 32);
                    let place = isums[t].as_mut_ptr().cast();
                    let mut isum = if l.sub == 16 {
                        _mm512_add_epi32(
                            _mm512_mullo_epi32(dot::<0, 4>(&codes, q), first),
                            _mm512_mullo_epi32(dot::<4, 8>(&codes, q), second),
                        )
                    } else {
                        let scale = if step % 2 == 0 { first } else { second };
                        _mm512_mullo_epi32(dot::<0, 8>(&codes, q), scale)
                    };
                    if step > 0 {
                        isum = _mm512_add_epi32(isum, _mm512_loadu_si512(place));
                    }
                    _mm512_storeu_si512(place, isum);
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
                let mut isum = _mm512_loadu_si512(isums[t].as_ptr().cast());
                isum = match l.offset {
                    0 => isum,
                    4 => _mm512_sub_epi32(isum, _mm512_slli_epi32::<2>(sum)),
                    _ => _mm512_sub_epi32(isum, _mm512_slli_epi32::<5>(sum)),
                };
                let da = _mm512_set1_ps(*input.scales.as_ptr().add(b * n + t));
                let place = sums.as_mut_ptr().add(t).cast::<f32>();
                let mut acc = _mm512_loadu_ps(place);
                acc = _mm512_fmadd_ps(_mm512_mul_ps(d, da), _mm512_cvtepi32_ps(isum), acc);
                if l.min {
                    acc = _mm512_fmadd_ps(_mm512_mul_ps(m, da), _mm512_cvtepi32_ps(sum), acc);
                }
                _mm512_storeu_ps(place, acc);
            }
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
