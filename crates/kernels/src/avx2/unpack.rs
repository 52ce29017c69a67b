//! Unpacks codes, scales and mins of a repacked block into vectors of bytes, eight rows at a time.

use std::arch::x86_64::*;

use crate::{
    format::Format,
    layout::{F16_PLANE_BYTES, Layout, PLANE_BYTES},
};

/// The layout of format number `FORMAT` of [`Format::ALL`], as a constant of a kernel instance.
pub(crate) struct LayoutOf<const FORMAT: usize>;

impl<const FORMAT: usize> LayoutOf<FORMAT> {
    pub(crate) const LAYOUT: Layout = match Layout::of(Format::ALL[FORMAT]) {
        Some(layout) => layout,
        None => panic!("a float format has no blocks"),
    };
}

/// Four quads of signed codes: their absolute values, then the codes.
///
/// # Safety
/// `planes` has half of four planes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn signed_codes(planes: *const u8) -> [__m256i; 8] {
    // SAFETY: the caller's promise.
    let code = |g: usize| unsafe { _mm256_loadu_si256(planes.add(g * PLANE_BYTES).cast()) };
    let codes = [code(0), code(1), code(2), code(3)];
    let [a, b, c, d] = codes;
    [_mm256_abs_epi8(a), _mm256_abs_epi8(b), _mm256_abs_epi8(c), _mm256_abs_epi8(d), a, b, c, d]
}

/// The eight quads of 32 unsigned codes of eight rows, as bytes.
///
/// # Safety
/// `planes` has one half of `bits` planes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn codes<const FORMAT: usize>(planes: *const u8) -> [__m256i; 8] {
    let l = LayoutOf::<FORMAT>::LAYOUT;
    // SAFETY: the planes are where `Layout::code` reads them, within the bytes the caller promises.
    let plane = |i: usize| unsafe { _mm256_loadu_si256(planes.add(i * PLANE_BYTES).cast()) };
    let two_bits = |from: usize, g: usize| {
        _mm256_and_si256(right(plane(from + g / 4), g % 4 * 2), _mm256_set1_epi8(3))
    };
    let nibble = |g: usize| _mm256_and_si256(right(plane(g % 4), g / 4 * 4), _mm256_set1_epi8(15));
    let quad = |g: usize| match l.bits {
        2 => two_bits(0, g),
        3 => _mm256_or_si256(two_bits(0, g), single::<2>(plane(2), g)),
        4 => nibble(g),
        5 => _mm256_or_si256(nibble(g), single::<4>(plane(4), g)),
        _ => _mm256_or_si256(nibble(g), _mm256_slli_epi16::<4>(two_bits(4, g))),
    };
    // Not `from_fn`: it would call the closure from a function without these target features.
    [quad(0), quad(1), quad(2), quad(3), quad(4), quad(5), quad(6), quad(7)]
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
        _ => _mm256_srli_epi16::<6>(v),
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
    let l = LayoutOf::<FORMAT>::LAYOUT;
    // SAFETY: planes of 6-bit numbers begin at `mins_at` and `scales_at`. Other formats have
    // F16_PLANE_BYTES bytes per pair from `scales_at` on; the only mins there are Q2_K's, in the
    // high nibbles.
    unsafe {
        if l.has_6bit_scales() {
            let (at, offset) =
                if MINS { (l.mins_at(), 0) } else { (l.scales_at(), l.scale_offset()) };
            return scale_pairs_6bit::<FORMAT>(block.add(at + 16 * half), offset);
        }
        let pair = |p: usize| {
            let bytes =
                _mm_loadu_si128(block.add(l.scales_at() + p * F16_PLANE_BYTES + 16 * half).cast());
            match (l.bits, MINS) {
                (2, false) => _mm_and_si128(bytes, _mm_set1_epi8(15)),
                (2, true) => _mm_and_si128(_mm_srli_epi16::<4>(bytes), _mm_set1_epi8(15)),
                _ => bytes,
            }
        };
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
    let n = LayoutOf::<FORMAT>::LAYOUT.n_pairs();
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

/// Copies the first (0) or second (1) i16 of each pair into both.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn broadcast_half<const WHICH: i32>(pairs: __m256i) -> __m256i {
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
