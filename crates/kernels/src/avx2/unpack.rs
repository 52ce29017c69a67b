//! Unpacks codes, scales and mins of a repacked block into vectors of bytes, eight rows at a time.

use std::arch::x86_64::*;

use crate::{
    layout::{Codes, F16_PLANE_BYTES, Factors, PLANE_BYTES, Scales},
    layout_of::LayoutOf,
};

impl<const FORMAT: usize> LayoutOf<FORMAT> {
    const BOOK: Option<[i8; 16]> = match Self::LAYOUT.codes {
        Codes::Book(book) => Some(book),
        _ => None,
    };
}

/// A code book in both halves of a vector, `ZERO` added to each number.
#[inline]
#[target_feature(enable = "avx2")]
fn table<const FORMAT: usize>() -> __m256i {
    let Some(book) = LayoutOf::<FORMAT>::BOOK else { return _mm256_setzero_si256() };
    // SAFETY: sixteen bytes, loaded unaligned.
    let book = unsafe { _mm_loadu_si128(book.as_ptr().cast()) };
    _mm256_add_epi8(
        _mm256_broadcastsi128_si256(book),
        _mm256_set1_epi8(LayoutOf::<FORMAT>::ZERO as i8),
    )
}

/// Four quads of signed codes, the first or second 16 (`part`): their absolute values, then the
/// codes.
///
/// # Safety
/// `planes` has one half of `bits` planes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn signed_codes<const FORMAT: usize>(
    planes: *const u8,
    part: usize,
) -> [__m256i; 8] {
    // SAFETY: the caller's promise.
    let plane = |i: usize| unsafe { _mm256_loadu_si256(planes.add(i * PLANE_BYTES).cast()) };
    let table = table::<FORMAT>();
    let code = |g: usize| {
        if LayoutOf::<FORMAT>::BOOK.is_none() {
            return plane(4 * part + g);
        }
        let nibble = _mm256_and_si256(right(plane(g), 4 * part), _mm256_set1_epi8(15));
        _mm256_shuffle_epi8(table, nibble)
    };
    let codes = [code(0), code(1), code(2), code(3)];
    let [a, b, c, d] = codes;
    [_mm256_abs_epi8(a), _mm256_abs_epi8(b), _mm256_abs_epi8(c), _mm256_abs_epi8(d), a, b, c, d]
}

/// The eight quads of 32 codes of eight rows, as unsigned bytes: codes, or a code book's numbers
/// with `ZERO` added.
///
/// # Safety
/// `planes` has one half of `bits` planes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn codes<const FORMAT: usize>(planes: *const u8) -> [__m256i; 8] {
    // SAFETY: the caller's promise.
    let [a, b, c, d] = unsafe { four_codes::<FORMAT>(planes, 0) };
    // SAFETY: the caller's promise.
    let [e, f, g, h] = unsafe { four_codes::<FORMAT>(planes, 1) };
    [a, b, c, d, e, f, g, h]
}

/// As [`codes`], the first or last four quads (`part`).
///
/// # Safety
/// `planes` has one half of `bits` planes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn four_codes<const FORMAT: usize>(
    planes: *const u8,
    part: usize,
) -> [__m256i; 4] {
    // SAFETY: the planes are where `Layout::code` reads them, within the bytes the caller promises.
    let plane = |i: usize| unsafe { _mm256_loadu_si256(planes.add(i * PLANE_BYTES).cast()) };
    let two_bits = |from: usize, g: usize| {
        _mm256_and_si256(right(plane(from + g / 4), g % 4 * 2), _mm256_set1_epi8(3))
    };
    let nibble = |g: usize| _mm256_and_si256(right(plane(g % 4), g / 4 * 4), _mm256_set1_epi8(15));
    let table = table::<FORMAT>();
    let quad = |g: usize| {
        let code = match LayoutOf::<FORMAT>::BITS {
            1 => single::<0>(plane(0), g),
            2 => two_bits(0, g),
            3 => _mm256_or_si256(two_bits(0, g), single::<2>(plane(2), g)),
            4 => nibble(g),
            5 => _mm256_or_si256(nibble(g), single::<4>(plane(4), g)),
            _ => _mm256_or_si256(nibble(g), _mm256_slli_epi16::<4>(two_bits(4, g))),
        };
        if LayoutOf::<FORMAT>::BOOK.is_some() { _mm256_shuffle_epi8(table, code) } else { code }
    };
    // Not `from_fn`: it would call the closure from a function without these target features.
    let g = 4 * part;
    [quad(g), quad(g + 1), quad(g + 2), quad(g + 3)]
}

/// The factors d·unit of eight rows: number `i` of the block.
///
/// # Safety
/// `block` is a repacked block that has it; `half` is 0 or 1.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn factors<const FORMAT: usize>(
    block: *const u8,
    half: usize,
    i: usize,
) -> __m256 {
    let at = i * LayoutOf::<FORMAT>::FACTOR_BYTES + LayoutOf::<FORMAT>::FACTOR_BYTES / 2 * half;
    // SAFETY: factor i begins at `i * factor_bytes` of the block; these are eight rows' of it.
    let d = unsafe {
        match LayoutOf::<FORMAT>::FACTORS {
            Factors::E8M0 => {
                let e = _mm256_cvtepu8_epi32(_mm_loadl_epi64(block.add(at).cast()));
                let one = _mm256_set1_epi32(1);
                // 2^(e - 128). Shifts by more than 31 (also "negative" ones) give 0: the first term
                // is a subnormal number for e < 2 and otherwise 0, the second is negative or 0 for
                // e < 2.
                let subnormal =
                    _mm256_srlv_epi32(_mm256_set1_epi32(0x0040_0000), _mm256_sub_epi32(one, e));
                let normal = _mm256_slli_epi32::<23>(_mm256_sub_epi32(e, one));
                _mm256_castsi256_ps(_mm256_max_epi32(subnormal, normal))
            }
            Factors::E4M3 => {
                let bytes = _mm_cvtepu8_epi16(_mm_loadl_epi64(block.add(at).cast()));
                _mm256_cvtph_ps(_mm_slli_epi16::<7>(bytes))
            }
            _ => _mm256_cvtph_ps(_mm_loadu_si128(block.add(at).cast())),
        }
    };
    if LayoutOf::<FORMAT>::UNIT == 1.0 {
        d
    } else {
        _mm256_mul_ps(d, _mm256_set1_ps(LayoutOf::<FORMAT>::UNIT))
    }
}

/// Moves bit g of each byte to bit AT.
#[inline]
#[target_feature(enable = "avx2")]
fn single<const AT: usize>(bits: __m256i, g: usize) -> __m256i {
    let moved = if g < AT { left(bits, AT - g) } else { right(bits, g - AT) };
    _mm256_and_si256(moved, _mm256_set1_epi8(1 << AT))
}

/// Shifts 16-bit lanes right; callers mask the bits that cross bytes. `n` is a constant after
/// inlining.
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
        6 => _mm256_srli_epi16::<6>(v),
        _ => _mm256_srli_epi16::<7>(v),
    }
}

/// Like [`right`], to the left.
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

/// The minima's factors of eight rows; 0 in formats without minima.
///
/// # Safety
/// `block` is a repacked block; `half` is 0 or 1.
#[inline]
#[target_feature(enable = "avx2,f16c")]
pub(super) unsafe fn minima<const FORMAT: usize>(block: *const u8, half: usize) -> __m256 {
    if !LayoutOf::<FORMAT>::HAS_MIN {
        return _mm256_setzero_ps();
    }
    // SAFETY: the minima's factors follow the scales' factors, a plane of f16.
    _mm256_cvtph_ps(unsafe { _mm_loadu_si128(block.add(F16_PLANE_BYTES + 16 * half).cast()) })
}

/// The scales (`MINS`: the mins) of sub-blocks 2p and 2p + 1 of eight rows, as pairs of bytes, for
/// each p.
///
/// # Safety
/// `block` is a repacked block of a k-quant, one with minima for `MINS`; `half` is 0 or 1.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn scale_pairs<const FORMAT: usize, const MINS: bool>(
    block: *const u8,
    half: usize,
) -> [__m128i; 8] {
    // SAFETY: planes of 6-bit numbers begin at `mins_at` and `scales_at`. Bytes and nibbles have
    // F16_PLANE_BYTES bytes per pair from `scales_at` on.
    unsafe {
        let bytes = |p: usize| {
            _mm_loadu_si128(
                block.add(LayoutOf::<FORMAT>::SCALES_AT + p * F16_PLANE_BYTES + 16 * half).cast(),
            )
        };
        let low = _mm_set1_epi8(15);
        let pair = |p: usize| match LayoutOf::<FORMAT>::SCALES {
            Scales::Nibble if MINS => _mm_and_si128(_mm_srli_epi16::<4>(bytes(p)), low),
            Scales::Nibble => _mm_and_si128(bytes(p), low),
            Scales::One => _mm_set1_epi8(1),
            // Fewer than eight pairs repeat.
            _ => bytes(p % LayoutOf::<FORMAT>::N_PAIRS),
        };
        if let Scales::SixBits { offset } = LayoutOf::<FORMAT>::SCALES {
            let (at, offset) = if MINS {
                (LayoutOf::<FORMAT>::MINS_AT, 0)
            } else {
                (LayoutOf::<FORMAT>::SCALES_AT, offset)
            };
            return scale_pairs_6bit::<FORMAT>(block.add(at + 16 * half), offset);
        }
        [pair(0), pair(1), pair(2), pair(3), pair(4), pair(5), pair(6), pair(7)]
    }
}

/// 6-bit numbers of eight rows from their planes at `at`, minus `offset`. With fewer than eight
/// pairs, the rest repeats.
///
/// # Safety
/// All planes of 6-bit numbers lie at `at`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn scale_pairs_6bit<const FORMAT: usize>(at: *const u8, offset: i32) -> [__m128i; 8] {
    let n = LayoutOf::<FORMAT>::N_PAIRS;
    // SAFETY: n pairs have n/2 planes of low nibbles and n/4 of upper bits, F16_PLANE_BYTES bytes
    // each, of which this reads a half.
    let plane = |i: usize| unsafe { _mm_loadu_si128(at.add(i * F16_PLANE_BYTES).cast()) };
    let pair = |p: usize| {
        let p = p % n;
        let (low, high) = (plane(p % (n / 2)), plane(n / 2 + p / 4));
        let low = if p < n / 2 { low } else { _mm_srli_epi16::<4>(low) };
        let high = match p % 4 {
            0 => _mm_slli_epi16::<4>(high),
            1 => _mm_slli_epi16::<2>(high),
            2 => high,
            _ => _mm_srli_epi16::<2>(high),
        };
        let low = _mm_and_si128(low, _mm_set1_epi8(15));
        let number = _mm_or_si128(low, _mm_and_si128(high, _mm_set1_epi8(0x30)));
        if offset == 0 { number } else { _mm_sub_epi8(number, _mm_set1_epi8(offset as i8)) }
    };
    [pair(0), pair(1), pair(2), pair(3), pair(4), pair(5), pair(6), pair(7)]
}

/// The scales of both halves of the 32 weights of step `step`, of eight rows, each twice as i16.
/// `pairs` are those of [`scale_pairs`].
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn step_scales<const FORMAT: usize>(pairs: &[__m128i; 8], step: usize) -> [__m256i; 2] {
    if LayoutOf::<FORMAT>::SUB_BLOCK_LEN == 16 {
        let pair = _mm256_cvtepi8_epi16(pairs[step]);
        [broadcast_half::<0>(pair), broadcast_half::<1>(pair)]
    } else {
        let pair = _mm256_cvtepi8_epi16(pairs[step / 2]);
        [if step.is_multiple_of(2) { broadcast_half::<0>(pair) } else { broadcast_half::<1>(pair) };
            2]
    }
}

/// Copies the first (0) or second (1) i16 of each pair into both.
#[inline]
#[target_feature(enable = "avx2")]
fn broadcast_half<const WHICH: i32>(pairs: __m256i) -> __m256i {
    if WHICH == 0 {
        let low = _mm256_and_si256(pairs, _mm256_set1_epi32(0xffff));
        _mm256_or_si256(low, _mm256_slli_epi32::<16>(pairs))
    } else {
        _mm256_or_si256(
            _mm256_srli_epi32::<16>(pairs),
            _mm256_andnot_si256(_mm256_set1_epi32(0xffff), pairs),
        )
    }
}
