//! Matrix products of a group of sixteen rows of weights with a tile of tokens, a row in each lane.
//!
//! As in `avx2::matmul`, but `vpdpbusd` multiplies 64 codes with 64 q's and adds up fours in 32 bits, so nothing can overflow
//! and a sub-block's scale is applied to its finished sum. It takes unsigned codes: Q8_0's get 128 added, and 128 times
//! the sum of the q's is subtracted, exactly.

use std::arch::x86_64::*;

use crate::{
    activations::{TILE, Tile},
    avx2::{
        self,
        matmul::{Of, checked, prefetch},
    },
    format::Format,
    packed::{GROUP, HALVES, PLANE},
};

pub(crate) use avx2::matmul::{floats, quantize_block};

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
            prefetch(block, l.bytes());
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
            for step in 0..8 {
                prefetch(block.add(l.bytes() * step / 8), l.bytes() / 8);
                let codes = codes::<F>(block.add(l.codes_at() + step * l.bits * PLANE));
                let pair = if l.sub == 16 { step } else { step / 2 };
                let [first, second] = scales::<F>(block, pair);
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
            let n_pairs = 256 / l.sub / 2;
            let mut pairs = [_mm512_setzero_si512(); 8];
            for p in 0..n_pairs {
                pairs[p] = if l.min { min_pair::<F>(block, p) } else { scale_pair::<F>(block, p) };
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

/// The eight quads of 32 codes of sixteen rows, as unsigned bytes.
///
/// # Safety
/// `planes` has `bits` planes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn codes<const F: usize>(planes: *const u8) -> [__m512i; 8] {
    let l = Of::<F>::LAYOUT;
    // SAFETY: the planes' places are those of `Layout::code`, within the bytes the caller promises.
    let plane = |i: usize| unsafe { _mm512_loadu_si512(planes.add(i * PLANE).cast()) };
    let two_bits =
        |from: usize, g: usize| _mm512_and_si512(right(plane(from + g / 4), g % 4 * 2), _mm512_set1_epi8(3));
    let nibble = |g: usize| _mm512_and_si512(right(plane(g % 4), g / 4 * 4), _mm512_set1_epi8(15));
    let quad = |g: usize| match l.bits {
        2 => two_bits(0, g),
        3 => _mm512_or_si512(two_bits(0, g), single::<2>(plane(2), g)),
        4 => nibble(g),
        5 => _mm512_or_si512(nibble(g), single::<4>(plane(4), g)),
        6 => _mm512_or_si512(nibble(g), _mm512_slli_epi16::<4>(two_bits(4, g))),
        _ => _mm512_xor_si512(plane(g), _mm512_set1_epi8(i8::MIN)),
    };
    [quad(0), quad(1), quad(2), quad(3), quad(4), quad(5), quad(6), quad(7)]
}

/// Bit g of each byte, moved to bit AT.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn single<const AT: usize>(bits: __m512i, g: usize) -> __m512i {
    let moved = if g < AT { left(bits, AT - g) } else { right(bits, g - AT) };
    _mm512_and_si512(moved, _mm512_set1_epi8(1 << AT))
}

/// Shifts 16-bit lanes; what crosses from byte to byte is masked away by the callers. `n` is known when this is compiled.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn right(v: __m512i, n: usize) -> __m512i {
    match n {
        0 => v,
        1 => _mm512_srli_epi16::<1>(v),
        2 => _mm512_srli_epi16::<2>(v),
        3 => _mm512_srli_epi16::<3>(v),
        4 => _mm512_srli_epi16::<4>(v),
        5 => _mm512_srli_epi16::<5>(v),
        _ => _mm512_srli_epi16::<6>(v),
    }
}

/// As [`right`], to the left.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn left(v: __m512i, n: usize) -> __m512i {
    match n {
        1 => _mm512_slli_epi16::<1>(v),
        2 => _mm512_slli_epi16::<2>(v),
        3 => _mm512_slli_epi16::<3>(v),
        _ => _mm512_slli_epi16::<4>(v),
    }
}

/// The scales of sub-blocks 2p and 2p + 1 of the sixteen rows, as i32.
///
/// # Safety
/// As for [`scale_pair`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn scales<const F: usize>(block: *const u8, p: usize) -> [__m512i; 2] {
    // SAFETY: the caller's promise.
    let pair = unsafe { scale_pair::<F>(block, p) };
    [_mm512_srai_epi32::<16>(_mm512_slli_epi32::<16>(pair)), _mm512_srai_epi32::<16>(pair)]
}

/// The same as pairs of i16.
///
/// # Safety
/// `block` is a packed block of a k-quant with more than 2p + 1 sub-blocks.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn scale_pair<const F: usize>(block: *const u8, p: usize) -> __m512i {
    let l = Of::<F>::LAYOUT;
    // SAFETY: the scales are HALVES bytes a pair, from `scales_at`.
    let bytes = unsafe { _mm256_loadu_si256(block.add(l.scales_at() + HALVES * p).cast()) };
    if l.bits == 2 {
        _mm512_cvtepi8_epi16(_mm256_and_si256(bytes, _mm256_set1_epi8(15)))
    } else {
        _mm512_cvtepi8_epi16(bytes)
    }
}

/// The mins of sub-blocks 2p and 2p + 1 of the sixteen rows, as pairs of i16.
///
/// # Safety
/// As for [`scale_pair`], of a format with minima.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn min_pair<const F: usize>(block: *const u8, p: usize) -> __m512i {
    let l = Of::<F>::LAYOUT;
    let at = if l.bits == 2 { l.scales_at() } else { l.mins_at() };
    // SAFETY: the mins are HALVES bytes a pair; Q2_K has them in the scales' high nibbles.
    let bytes = unsafe { _mm256_loadu_si256(block.add(at + HALVES * p).cast()) };
    if l.bits == 2 {
        _mm512_cvtepi8_epi16(_mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(15)))
    } else {
        _mm512_cvtepi8_epi16(bytes)
    }
}
