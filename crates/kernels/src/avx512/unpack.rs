//! Unpacks codes, scales and mins of a repacked block into vectors of bytes, sixteen rows at a
//! time.

use std::arch::x86_64::*;

use crate::{
    layout::{F16_PLANE_BYTES, PLANE_BYTES, Scales},
    layout_of::LayoutOf,
};

/// The eight quads of 32 codes of sixteen rows, as unsigned bytes.
///
/// # Safety
/// `planes` has `bits` planes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn codes<const FORMAT: usize>(planes: *const u8) -> [__m512i; 8] {
    // SAFETY: the planes are where `Layout::code` reads them, within the bytes the caller promises.
    let plane = |i: usize| unsafe { _mm512_loadu_si512(planes.add(i * PLANE_BYTES).cast()) };
    let two_bits = |from: usize, g: usize| {
        _mm512_and_si512(right(plane(from + g / 4), g % 4 * 2), _mm512_set1_epi8(3))
    };
    let nibble = |g: usize| _mm512_and_si512(right(plane(g % 4), g / 4 * 4), _mm512_set1_epi8(15));
    let quad = |g: usize| match LayoutOf::<FORMAT>::BITS {
        2 => two_bits(0, g),
        3 => _mm512_or_si512(two_bits(0, g), single::<2>(plane(2), g)),
        4 => nibble(g),
        5 => _mm512_or_si512(nibble(g), single::<4>(plane(4), g)),
        6 => _mm512_or_si512(nibble(g), _mm512_slli_epi16::<4>(two_bits(4, g))),
        _ => _mm512_xor_si512(plane(g), _mm512_set1_epi8(i8::MIN)),
    };
    [quad(0), quad(1), quad(2), quad(3), quad(4), quad(5), quad(6), quad(7)]
}

/// Moves bit g of each byte to bit AT.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn single<const AT: usize>(bits: __m512i, g: usize) -> __m512i {
    let moved = if g < AT { left(bits, AT - g) } else { right(bits, g - AT) };
    _mm512_and_si512(moved, _mm512_set1_epi8(1 << AT))
}

/// Shifts 16-bit lanes right; callers mask the bits that cross bytes. `n` is a constant after
/// inlining.
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

/// Like [`right`], to the left.
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

/// The scales of both halves of the 32 weights of step `step`, of sixteen rows, as i32. `pairs` are
/// those of [`scale_pairs`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) fn step_scales<const FORMAT: usize>(pairs: &[__m256i; 8], step: usize) -> [__m512i; 2] {
    if LayoutOf::<FORMAT>::SUB_BLOCK_LEN == 16 {
        scales(pairs[step])
    } else {
        let [first, second] = scales(pairs[step / 2]);
        [if step.is_multiple_of(2) { first } else { second }; 2]
    }
}

/// The minima's factors of sixteen rows; 0 in formats without minima.
///
/// # Safety
/// `block` is a repacked block.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn minima<const FORMAT: usize>(block: *const u8) -> __m512 {
    if !LayoutOf::<FORMAT>::HAS_MIN {
        return _mm512_setzero_ps();
    }
    // SAFETY: the minima's factors follow the scales' factors, a plane of f16.
    _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(block.add(F16_PLANE_BYTES).cast()) })
}

/// Widens the scales of two neighbouring sub-blocks of sixteen rows from bytes to i32.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn scales(pair: __m256i) -> [__m512i; 2] {
    let pair = _mm512_cvtepi8_epi16(pair);
    [_mm512_srai_epi32::<16>(_mm512_slli_epi32::<16>(pair)), _mm512_srai_epi32::<16>(pair)]
}

/// The scales (`MINS`: the mins) of sub-blocks 2p and 2p + 1 of sixteen rows, as pairs of bytes,
/// for each p.
///
/// # Safety
/// `block` is a repacked block of a k-quant, one with minima for `MINS`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) unsafe fn scale_pairs<const FORMAT: usize, const MINS: bool>(
    block: *const u8,
) -> [__m256i; 8] {
    // SAFETY: planes of 6-bit numbers begin at `mins_at` and `scales_at`. Bytes and nibbles have
    // F16_PLANE_BYTES bytes per pair from `scales_at` on.
    unsafe {
        if let Scales::SixBits { offset } = LayoutOf::<FORMAT>::SCALES {
            let (at, offset) = if MINS {
                (LayoutOf::<FORMAT>::MINS_AT, 0)
            } else {
                (LayoutOf::<FORMAT>::SCALES_AT, offset)
            };
            return scale_pairs_6bit::<FORMAT>(block.add(at), offset);
        }
        let pair = |p: usize| {
            let bytes = _mm256_loadu_si256(
                block.add(LayoutOf::<FORMAT>::SCALES_AT + p * F16_PLANE_BYTES).cast(),
            );
            let low = _mm256_set1_epi8(15);
            match LayoutOf::<FORMAT>::SCALES {
                Scales::Nibble if MINS => _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), low),
                Scales::Nibble => _mm256_and_si256(bytes, low),
                _ => bytes,
            }
        };
        [pair(0), pair(1), pair(2), pair(3), pair(4), pair(5), pair(6), pair(7)]
    }
}

/// 6-bit numbers of sixteen rows from their planes at `at`, minus `offset`. With fewer than eight
/// pairs, the rest repeats.
///
/// # Safety
/// All planes of 6-bit numbers lie at `at`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn scale_pairs_6bit<const FORMAT: usize>(at: *const u8, offset: i32) -> [__m256i; 8] {
    let n = LayoutOf::<FORMAT>::N_PAIRS;
    // SAFETY: n pairs have n/2 planes of low nibbles and n/4 of upper bits, F16_PLANE_BYTES bytes
    // each.
    let plane = |i: usize| unsafe { _mm256_loadu_si256(at.add(i * F16_PLANE_BYTES).cast()) };
    let pair = |p: usize| {
        let p = p % n;
        let (low, high) = (plane(p % (n / 2)), plane(n / 2 + p / 4));
        let low = if p < n / 2 { low } else { _mm256_srli_epi16::<4>(low) };
        let high = match p % 4 {
            0 => _mm256_slli_epi16::<4>(high),
            1 => _mm256_slli_epi16::<2>(high),
            2 => high,
            _ => _mm256_srli_epi16::<2>(high),
        };
        let low = _mm256_and_si256(low, _mm256_set1_epi8(15));
        let number = _mm256_or_si256(low, _mm256_and_si256(high, _mm256_set1_epi8(0x30)));
        if offset == 0 { number } else { _mm256_sub_epi8(number, _mm256_set1_epi8(offset as i8)) }
    };
    [pair(0), pair(1), pair(2), pair(3), pair(4), pair(5), pair(6), pair(7)]
}
