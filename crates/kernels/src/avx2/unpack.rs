//! The codes, scales and mins of a packed block in, vectors of bytes out: eight rows at a time.

use std::arch::x86_64::*;

use crate::{
    format::Format,
    packed::{HALVES, Layout, PLANE},
};

/// The layout of format number `F` of [`Format::ALL`], as a constant of the kernel made for it.
pub(crate) struct Of<const F: usize>;

impl<const F: usize> Of<F> {
    pub(crate) const LAYOUT: Layout = match Layout::of(Format::ALL[F]) {
        Some(layout) => layout,
        None => panic!("a format of floats has no packed blocks"),
    };
}

/// Four quads of signed codes: their sizes, then themselves.
///
/// # Safety
/// `planes` has half of four planes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn signed_codes(planes: *const u8) -> [__m256i; 8] {
    // SAFETY: the caller's promise.
    let code = |g: usize| unsafe { _mm256_loadu_si256(planes.add(g * PLANE).cast()) };
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
pub(super) unsafe fn codes<const F: usize>(planes: *const u8) -> [__m256i; 8] {
    let l = Of::<F>::LAYOUT;
    // SAFETY: the planes' places are those of `Layout::code`, within the bytes the caller promises.
    let plane = |i: usize| unsafe { _mm256_loadu_si256(planes.add(i * PLANE).cast()) };
    let two_bits =
        |from: usize, g: usize| _mm256_and_si256(right(plane(from + g / 4), g % 4 * 2), _mm256_set1_epi8(3));
    let nibble = |g: usize| _mm256_and_si256(right(plane(g % 4), g / 4 * 4), _mm256_set1_epi8(15));
    let quad = |g: usize| match l.bits {
        2 => two_bits(0, g),
        3 => _mm256_or_si256(two_bits(0, g), single::<2>(plane(2), g)),
        4 => nibble(g),
        5 => _mm256_or_si256(nibble(g), single::<4>(plane(4), g)),
        _ => _mm256_or_si256(nibble(g), _mm256_slli_epi16::<4>(two_bits(4, g))),
    };
    // Not `from_fn`: what it calls isn't compiled for this instruction set.
    [quad(0), quad(1), quad(2), quad(3), quad(4), quad(5), quad(6), quad(7)]
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

/// The scales (`MINS`: the mins) of sub-blocks 2p and 2p + 1 of eight rows, as pairs of bytes, for each p that there is.
///
/// # Safety
/// `block` is a packed block of a k-quant, one with minima for `MINS`; `half` is 0 or 1.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn pairs<const F: usize, const MINS: bool>(block: *const u8, half: usize) -> [__m128i; 8] {
    let l = Of::<F>::LAYOUT;
    // SAFETY: planes of six bits begin at `mins_at` and `scales_at`; else there are HALVES bytes a pair from `scales_at` on, and the only
    // mins are Q2_K's, in the high nibbles.
    unsafe {
        if l.six_bits() {
            let (at, offset) = if MINS { (l.mins_at(), 0) } else { (l.scales_at(), l.scale_offset()) };
            return six_bits::<F>(block.add(at + 16 * half), offset);
        }
        let pair = |p: usize| {
            let bytes = _mm_loadu_si128(block.add(l.scales_at() + p * HALVES + 16 * half).cast());
            match (l.bits, MINS) {
                (2, false) => _mm_and_si128(bytes, _mm_set1_epi8(15)),
                (2, true) => _mm_and_si128(_mm_srli_epi16::<4>(bytes), _mm_set1_epi8(15)),
                _ => bytes,
            }
        };
        [pair(0), pair(1), pair(2), pair(3), pair(4), pair(5), pair(6), pair(7)]
    }
}

/// Numbers of six bits from the halves of their planes at `at`, less `offset`: pairs that there are none of repeat others.
///
/// # Safety
/// The planes are there.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn six_bits<const F: usize>(at: *const u8, offset: i32) -> [__m128i; 8] {
    let n = Of::<F>::LAYOUT.n_pairs();
    // SAFETY: with n pairs there are n/2 planes of low nibbles and n/4 of upper bits, HALVES bytes each, of which this
    // reads a half.
    let plane = |i: usize| unsafe { _mm_loadu_si128(at.add(i * HALVES).cast()) };
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

/// The first (0) or second (1) of each pair of i16, twice.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn both<const WHICH: i32>(pairs: __m256i) -> __m256i {
    if WHICH == 0 {
        let low = _mm256_and_si256(pairs, _mm256_set1_epi32(0xffff));
        _mm256_or_si256(low, _mm256_slli_epi32::<16>(pairs))
    } else {
        _mm256_or_si256(_mm256_srli_epi32::<16>(pairs), _mm256_andnot_si256(_mm256_set1_epi32(0xffff), pairs))
    }
}
