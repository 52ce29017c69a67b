//! Matrix products of eight rows of weights with up to four tokens, a row in each lane.
//!
//! ```text
//! for each block of the stream:
//!     for each 32 codes (8 groups g of 4 k's, a vector of [row][4] bytes each):
//!         for each token: sum16 += maddubs(codes of group g, token's four q's in every lane)
//!         when the next group might overflow 16 bits: isum += madd(sum16, the sub-block's scales)
//!     acc = fma(d·da, isum, acc), and the minima
//! ```
//! The products are the specification's integers in another order, which can't change an exact sum: a pair of products
//! is at most 2·127·(2^bits - 1), so 8 of them fit i16 at 4 bits, 4 at 5 bits, 2 at 6 bits. Q8_0's codes are signed:
//! |code| · (q with the code's sign), whose pairs are at most 2·128·127.

use std::arch::x86_64::*;

use crate::{
    activations::{Quantized, Row},
    format::Format,
    packed::{GROUP, Layout},
};

/// The layout of format number `F` of [`Format::ALL`], as a constant of the kernel made for it.
struct Of<const F: usize>;

impl<const F: usize> Of<F> {
    const LAYOUT: Layout = match Layout::of(Format::ALL[F]) {
        Some(layout) => layout,
        None => panic!("a format of floats has no packed blocks"),
    };
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn quantized(
    format: Format,
    stream: &[u8],
    input: &Quantized,
    token: usize,
    tile: &mut [[f32; GROUP]],
) {
    match tile.len() {
        1 => tokens::<1>(format, stream, input, token, tile),
        2 => tokens::<2>(format, stream, input, token, tile),
        3 => tokens::<3>(format, stream, input, token, tile),
        4 => tokens::<4>(format, stream, input, token, tile),
        n => unreachable!("a tile has 1 to 4 tokens, not {n}"),
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn tokens<const T: usize>(
    format: Format,
    stream: &[u8],
    input: &Quantized,
    token: usize,
    tile: &mut [[f32; GROUP]],
) {
    let rows: [Row<'_>; T] = std::array::from_fn(|t| input.row(token + t));
    let sums = match format {
        Format::F32 | Format::F16 | Format::BF16 => {
            unreachable!("floats have a kernel of their own")
        }
        Format::Q4_0 => group::<3, T>(stream, &rows),
        Format::Q4_1 => group::<4, T>(stream, &rows),
        Format::Q5_0 => group::<5, T>(stream, &rows),
        Format::Q5_1 => group::<6, T>(stream, &rows),
        Format::Q8_0 => group::<7, T>(stream, &rows),
        Format::Q2_K => group::<8, T>(stream, &rows),
        Format::Q3_K => group::<9, T>(stream, &rows),
        Format::Q4_K => group::<10, T>(stream, &rows),
        Format::Q5_K => group::<11, T>(stream, &rows),
        Format::Q6_K => group::<12, T>(stream, &rows),
    };
    for (sums, out) in sums.iter().zip(tile) {
        // SAFETY: `out` is eight f32, and the store is unaligned.
        unsafe { _mm256_storeu_ps(out.as_mut_ptr(), *sums) };
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn group<const F: usize, const T: usize>(stream: &[u8], rows: &[Row<'_>; T]) -> [__m256; T] {
    let l = Of::<F>::LAYOUT;
    let n_blocks = stream.len() / l.bytes();
    for row in rows {
        assert!(row.q.len() == n_blocks * l.block && row.scales.len() == n_blocks, "a row for this stream");
        assert!(row.sums16.len() * 16 == row.q.len() && row.sums32.len() * 32 == row.q.len(), "its sums");
    }
    let mut acc = [_mm256_setzero_ps(); T];
    for b in 0..n_blocks {
        // SAFETY: block b lies within the stream, and every load below reads a part that `Layout` places in the
        // block: d, m, scales, mins, then 32·bits bytes of codes for each 32 numbers. q, scales and sums are
        // read at places below n_blocks·block, n_blocks and so on, whose lengths were checked above. A prefetch may
        // name any address.
        unsafe {
            let block = stream.as_ptr().add(b * l.bytes());
            let mut ahead = 0;
            while ahead < l.bytes() {
                _mm_prefetch::<_MM_HINT_T0>(block.wrapping_add(2048 + ahead).cast());
                ahead += 64;
            }
            let mut isum = [_mm256_setzero_si256(); T];
            let mut tile = 0;
            while tile < l.block / 32 {
                let q: [*const i8; T] =
                    std::array::from_fn(|t| rows[t].q.as_ptr().add(b * l.block + tile * 32));
                let codes = block.add(l.codes_at() + tile * 32 * l.bits);
                let scales = if l.block == 32 {
                    [_mm256_set1_epi16(1); 2]
                } else if l.sub == 16 {
                    let pair = scale_pair::<F>(block, tile);
                    [both::<0>(pair), both::<1>(pair)]
                } else {
                    let pair = scale_pair::<F>(block, tile / 2);
                    [if tile % 2 == 0 { both::<0>(pair) } else { both::<1>(pair) }; 2]
                };
                if l.bits == 8 {
                    dot_signed::<T>(codes, &q, &mut isum);
                } else {
                    dot::<F, T>(codes, &q, scales, &mut isum);
                }
                tile += 1;
            }
            let d = _mm256_cvtph_ps(_mm_loadu_si128(block.cast()));
            for t in 0..T {
                let row = &rows[t];
                if l.offset != 0 {
                    isum[t] = _mm256_sub_epi32(isum[t], offset_sum::<F>(block, row, b));
                }
                let da = _mm256_set1_ps(*row.scales.get_unchecked(b));
                acc[t] = _mm256_fmadd_ps(_mm256_mul_ps(d, da), _mm256_cvtepi32_ps(isum[t]), acc[t]);
                if l.min {
                    let m = _mm256_cvtph_ps(_mm_loadu_si128(block.add(16).cast()));
                    let msum = _mm256_cvtepi32_ps(min_sum::<F>(block, row, b));
                    acc[t] = _mm256_fmadd_ps(_mm256_mul_ps(m, da), msum, acc[t]);
                }
            }
        }
    }
    acc
}

/// isum += scale · Σ code·q over 32 unsigned codes; `scales` are of the first and the second 16.
///
/// # Safety
/// `planes` has 32·bits bytes, each of `q` has 32.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn dot<const F: usize, const T: usize>(
    planes: *const u8,
    q: &[*const i8; T],
    scales: [__m256i; 2],
    isum: &mut [__m256i; T],
) {
    let l = Of::<F>::LAYOUT;
    let mut sum16 = [_mm256_setzero_si256(); T];
    macro_rules! group {
        ($g:literal) => {
            // SAFETY: the caller's promise; group g reads q's bytes 4g to 4g + 3.
            unsafe {
                let codes = codes::<F, $g>(planes);
                for t in 0..T {
                    let q = _mm256_set1_epi32(q[t].add(4 * $g).cast::<i32>().read_unaligned());
                    sum16[t] = _mm256_add_epi16(sum16[t], _mm256_maddubs_epi16(codes, q));
                }
            }
            let room = match l.bits {
                6 => $g % 2 == 1,
                5 => $g % 4 == 3,
                _ => $g == 7 || (l.sub == 16 && $g == 3),
            };
            if room {
                for t in 0..T {
                    isum[t] = _mm256_add_epi32(isum[t], _mm256_madd_epi16(sum16[t], scales[$g / 4]));
                    sum16[t] = _mm256_setzero_si256();
                }
            }
        };
    }
    group!(0);
    group!(1);
    group!(2);
    group!(3);
    group!(4);
    group!(5);
    group!(6);
    group!(7);
}

/// isum += Σ code·q over 32 signed codes.
///
/// # Safety
/// `codes` has 256 bytes, each of `q` has 32.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn dot_signed<const T: usize>(codes: *const u8, q: &[*const i8; T], isum: &mut [__m256i; T]) {
    for g in 0..8 {
        // SAFETY: the caller's promise; group g reads the codes' bytes 32g to 32g + 31 and q's bytes 4g to 4g + 3.
        unsafe {
            let code = _mm256_loadu_si256(codes.add(32 * g).cast());
            let size = _mm256_abs_epi8(code);
            for t in 0..T {
                let q = _mm256_set1_epi32(q[t].add(4 * g).cast::<i32>().read_unaligned());
                let pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(q, code));
                isum[t] = _mm256_add_epi32(isum[t], _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
            }
        }
    }
}

/// The codes of group G: four of each of the eight rows, as bytes.
///
/// # Safety
/// `planes` has 32·bits bytes.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn codes<const F: usize, const G: usize>(planes: *const u8) -> __m256i {
    let l = Of::<F>::LAYOUT;
    // SAFETY: the planes' places are those of `Layout::code`, within the bytes the caller promises.
    let plane = |i: usize| unsafe { _mm256_loadu_si256(planes.add(32 * i).cast()) };
    let two_bits = |from: usize| _mm256_and_si256(right(plane(from + G / 4), G % 4 * 2), _mm256_set1_epi8(3));
    let nibble = || _mm256_and_si256(right(plane(G % 4), G / 4 * 4), _mm256_set1_epi8(15));
    match l.bits {
        2 => two_bits(0),
        3 => _mm256_or_si256(two_bits(0), single::<2>(plane(2), G)),
        4 => nibble(),
        5 => _mm256_or_si256(nibble(), single::<4>(plane(4), G)),
        _ => _mm256_or_si256(nibble(), _mm256_slli_epi16::<4>(two_bits(4))),
    }
}

/// Bit g of each byte, moved to bit AT.
#[inline]
#[target_feature(enable = "avx2")]
fn single<const AT: usize>(bits: __m256i, g: usize) -> __m256i {
    let moved = if g < AT { left(bits, AT - g) } else { right(bits, g - AT) };
    _mm256_and_si256(moved, _mm256_set1_epi8(1 << AT))
}

/// Shifts 16-bit lanes; what crosses from byte to byte is masked away by the callers. `n` is known when this is compiled.
#[inline]
#[target_feature(enable = "avx2")]
fn right(v: __m256i, n: usize) -> __m256i {
    match n {
        0 => v,
        1 => _mm256_srli_epi16::<1>(v),
        2 => _mm256_srli_epi16::<2>(v),
        3 => _mm256_srli_epi16::<3>(v),
        4 => _mm256_srli_epi16::<4>(v),
        5 => _mm256_srli_epi16::<5>(v),
        _ => _mm256_srli_epi16::<6>(v),
    }
}

/// As [`right`], to the left.
#[inline]
#[target_feature(enable = "avx2")]
fn left(v: __m256i, n: usize) -> __m256i {
    match n {
        1 => _mm256_slli_epi16::<1>(v),
        2 => _mm256_slli_epi16::<2>(v),
        3 => _mm256_slli_epi16::<3>(v),
        _ => _mm256_slli_epi16::<4>(v),
    }
}

/// The scales of sub-blocks 2p and 2p + 1 of the eight rows, as pairs of i16.
///
/// # Safety
/// `block` is a packed block of a k-quant with more than 2p + 1 sub-blocks.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn scale_pair<const F: usize>(block: *const u8, p: usize) -> __m256i {
    let l = Of::<F>::LAYOUT;
    // SAFETY: the scales are 16 bytes a pair, from `scales_at`.
    let bytes = unsafe { _mm_loadu_si128(block.add(l.scales_at() + 16 * p).cast()) };
    if l.bits == 2 {
        _mm256_cvtepi8_epi16(_mm_and_si128(bytes, _mm_set1_epi8(15)))
    } else {
        _mm256_cvtepi8_epi16(bytes)
    }
}

/// The first (0) or second (1) of each pair of i16, twice.
#[inline]
#[target_feature(enable = "avx2")]
fn both<const WHICH: i32>(pairs: __m256i) -> __m256i {
    if WHICH == 0 {
        let low = _mm256_and_si256(pairs, _mm256_set1_epi32(0xffff));
        _mm256_or_si256(low, _mm256_slli_epi32::<16>(pairs))
    } else {
        _mm256_or_si256(_mm256_srli_epi32::<16>(pairs), _mm256_andnot_si256(_mm256_set1_epi32(0xffff), pairs))
    }
}

/// offset · Σ scale·(sum of q's) of block b.
///
/// # Safety
/// `block` is block b's packed bytes and `row` has its sums.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn offset_sum<const F: usize>(block: *const u8, row: &Row<'_>, b: usize) -> __m256i {
    let l = Of::<F>::LAYOUT;
    // SAFETY: the caller's promise: pair p's sums are two i16 at b·16 + 2p of 16 for each block, and its scales
    // are in the block; a legacy block has one sum of 32.
    unsafe {
        if l.block == 32 {
            return _mm256_set1_epi32(l.offset * i32::from(*row.sums32.get_unchecked(b)));
        }
        let mut sum = _mm256_setzero_si256();
        for p in 0..8 {
            let sums = row.sums16.as_ptr().add(b * 16 + 2 * p).cast::<i32>().read_unaligned();
            let products = _mm256_madd_epi16(scale_pair::<F>(block, p), _mm256_set1_epi32(sums));
            sum = _mm256_add_epi32(sum, products);
        }
        if l.offset == 32 { _mm256_slli_epi32::<5>(sum) } else { _mm256_slli_epi32::<2>(sum) }
    }
}

/// Σ min·(sum of q's) of block b.
///
/// # Safety
/// As for [`offset_sum`].
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn min_sum<const F: usize>(block: *const u8, row: &Row<'_>, b: usize) -> __m256i {
    let l = Of::<F>::LAYOUT;
    // SAFETY: the caller's promise: pair p's sums are two i16 of the block's 16 or 8, and its mins 16 bytes in the block.
    unsafe {
        if l.block == 32 {
            return _mm256_set1_epi32(i32::from(*row.sums32.get_unchecked(b)));
        }
        let mut sum = _mm256_setzero_si256();
        let sums = if l.sub == 16 { row.sums16.as_ptr().add(b * 16) } else { row.sums32.as_ptr().add(b * 8) };
        for p in 0..256 / l.sub / 2 {
            let mins = if l.sub == 16 {
                let bytes = _mm_loadu_si128(block.add(l.scales_at() + 16 * p).cast());
                _mm_and_si128(_mm_srli_epi16::<4>(bytes), _mm_set1_epi8(15))
            } else {
                _mm_loadu_si128(block.add(l.mins_at() + 16 * p).cast())
            };
            let pair = _mm256_set1_epi32(sums.add(2 * p).cast::<i32>().read_unaligned());
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_cvtepi8_epi16(mins), pair));
        }
        sum
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn floats(format: Format, stream: &[u8], x: &[f32], tile: &mut [[f32; GROUP]]) {
    let cols = x.len() / tile.len();
    assert_eq!(stream.len(), cols * GROUP * format.block_bytes(), "a number for each row and k");
    for (x, out) in x.chunks_exact(cols).zip(tile) {
        let mut acc = _mm256_setzero_ps();
        for (k, &x) in x.iter().enumerate() {
            // SAFETY: the eight numbers at k lie within the stream, by the assertion above.
            let w = unsafe {
                let at = stream.as_ptr().add(k * GROUP * format.block_bytes());
                match format {
                    Format::F32 => _mm256_loadu_ps(at.cast()),
                    Format::F16 => _mm256_cvtph_ps(_mm_loadu_si128(at.cast())),
                    _ => {
                        let high = _mm256_cvtepu16_epi32(_mm_loadu_si128(at.cast()));
                        _mm256_castsi256_ps(_mm256_slli_epi32::<16>(high))
                    }
                }
            };
            acc = _mm256_fmadd_ps(w, _mm256_set1_ps(x), acc);
        }
        // SAFETY: `out` is eight f32.
        unsafe { _mm256_storeu_ps(out.as_mut_ptr(), acc) };
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn quantize_block(x: &[f32], q: &mut [i8]) -> f32 {
    assert!(x.len() == q.len() && x.len().is_multiple_of(32), "whole blocks");
    let no_sign = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fff_ffff));
    let (eights, _) = x.as_chunks::<8>();
    let mut max = _mm256_setzero_ps();
    let mut nan = _mm256_setzero_ps();
    for eight in eights {
        // SAFETY: eight f32, loaded unaligned.
        let v = unsafe { _mm256_loadu_ps(eight.as_ptr()) };
        // max_ps gives its second operand for NaN: the largest of the numbers, whatever their order.
        max = _mm256_max_ps(_mm256_and_ps(v, no_sign), max);
        nan = _mm256_or_ps(nan, _mm256_cmp_ps::<_CMP_UNORD_Q>(v, v));
    }
    let mut lanes = [0.0f32; 8];
    // SAFETY: `lanes` is eight f32.
    unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), max) };
    let mut max = lanes.iter().fold(0.0f32, |max, &x| if max < x { x } else { max });
    if _mm256_movemask_ps(nan) != 0 {
        max = f32::NAN;
    }
    let inverse = _mm256_set1_ps(if max > 1e-30 { 127.0 / max } else { 0.0 });
    for (four, q) in eights.chunks_exact(4).zip(q.chunks_exact_mut(32)) {
        let round = |eight: &[f32; 8]| {
            // SAFETY: eight f32, loaded unaligned.
            let y = _mm256_mul_ps(unsafe { _mm256_loadu_ps(eight.as_ptr()) }, inverse);
            // NaN (of NaN, or of infinity times 0) becomes 0, as the specification's cast has it.
            _mm256_cvtps_epi32(_mm256_and_ps(y, _mm256_cmp_ps::<_CMP_ORD_Q>(y, y)))
        };
        let low = _mm256_packs_epi32(round(&four[0]), round(&four[1]));
        let high = _mm256_packs_epi32(round(&four[2]), round(&four[3]));
        // The packs work on halves: put the quadruples back in order.
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        let bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
        // SAFETY: `q` is 32 bytes here, by the chunks' length.
        unsafe { _mm256_storeu_si256(q.as_mut_ptr().cast(), bytes) };
    }
    max / 127.0
}
