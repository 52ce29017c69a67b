//! Sums of products of eight rows' codes with a token's q's, exact in i16 and then i32; what both
//! loops over blocks do with them.

use std::{arch::x86_64::*, ops::Range};

use crate::{
    layout::{Codes, GROUP_ROWS, Layout},
    layout_of::LayoutOf,
};

/// How a kernel multiplies codes, as constants of its instance.
impl<const FORMAT: usize> LayoutOf<FORMAT> {
    /// Whether it multiplies absolute values of the codes' integers with q's that have their signs.
    /// Otherwise it multiplies unsigned numbers, [`Self::ZERO`] above the integers, which is
    /// faster.
    pub(super) const SIGNED: bool = is_signed(Self::LAYOUT);
    /// What is added to the integers to make them unsigned.
    pub(super) const ZERO: i32 = zero(Self::LAYOUT);
    /// How many pairs of products fit i16 in one sum within a sub-block of (half of) 32 weights.
    pub(super) const PAIRS: usize = pairs_that_fit(Self::LAYOUT);
}

/// NVFP4 is signed because its sums of 16 q's aren't kept.
const fn is_signed(l: Layout) -> bool {
    match l.codes {
        Codes::Offset(_) => false,
        Codes::Signed => true,
        Codes::Book(book) => l.factor_len() == 16 || max_of(book, true) - lowest(book) > MAX_CODE,
    }
}

/// The largest unsigned code of which a pair of products fits i16: 2·127·129 = 32,766.
const MAX_CODE: i32 = 129;

const fn zero(l: Layout) -> i32 {
    match l.codes {
        Codes::Offset(zero) => zero,
        Codes::Book(book) if !is_signed(l) => -lowest(book),
        _ => 0,
    }
}

const fn pairs_that_fit(l: Layout) -> usize {
    let max = match l.codes {
        Codes::Offset(_) => (1 << l.bits) - 1,
        Codes::Signed => 128,
        Codes::Book(book) if is_signed(l) => max_of(book, false),
        Codes::Book(book) => max_of(book, true) - lowest(book),
    };
    let mut n = if is_signed(l) || l.sub_block_len == 16 { 4 } else { 8 };
    while n as i32 * 2 * 127 * max > i16::MAX as i32 {
        n /= 2;
    }
    n
}

/// The largest number of a code book (or, not `with_sign`, the largest magnitude).
const fn max_of(book: [i8; 16], with_sign: bool) -> i32 {
    let (mut i, mut max) = (0, 0);
    while i < 16 {
        let x = if with_sign { book[i] as i32 } else { (book[i] as i32).abs() };
        if x > max {
            max = x;
        }
        i += 1;
    }
    max
}

const fn lowest(book: [i8; 16]) -> i32 {
    let (mut i, mut min) = (0, 0);
    while i < 16 {
        if (book[i] as i32) < min {
            min = book[i] as i32;
        }
        i += 1;
    }
    min
}

/// Σ scale·code·q over 32 unsigned codes of each row; `scales` are those of the first and second
/// 16.
///
/// # Safety
/// `q` has 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn dot<const FORMAT: usize>(
    codes: &[__m256i; 8],
    q: *const i8,
    scales: [__m256i; 2],
) -> __m256i {
    let fit = LayoutOf::<FORMAT>::PAIRS;
    let mut isum = _mm256_setzero_si256();
    let mut g = 0;
    while g < 8 {
        // SAFETY: the caller's promise; quad g + i has q's bytes from 4(g + i).
        let pairs = |i: usize| unsafe { _mm256_maddubs_epi16(codes[g + i], quad(q, g + i)) };
        let mut sum16 = pairs(0);
        for i in 1..fit {
            sum16 = _mm256_add_epi16(sum16, pairs(i));
        }
        let products = _mm256_madd_epi16(sum16, scales[g / 4]);
        isum = if g == 0 { products } else { _mm256_add_epi32(isum, products) };
        g += fit;
    }
    isum
}

/// Σ scale·code·q over 16 unsigned codes of both halves of a row group, of which each broadcast q
/// serves two.
///
/// # Safety
/// `q` has 16 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn dot_both<const FORMAT: usize>(
    codes: &[[__m256i; 4]; 2],
    q: *const i8,
    scales: [__m256i; 2],
) -> [__m256i; 2] {
    let fit = if LayoutOf::<FORMAT>::PAIRS < 4 { LayoutOf::<FORMAT>::PAIRS } else { 4 };
    let mut isums = [_mm256_setzero_si256(); 2];
    let mut g = 0;
    while g < 4 {
        // SAFETY: the caller's promise.
        let sums16 = unsafe { pairs_both(codes, q, g..g + fit) };
        for half in 0..2 {
            let products = _mm256_madd_epi16(sums16[half], scales[half]);
            isums[half] = if g == 0 { products } else { _mm256_add_epi32(isums[half], products) };
        }
        g += fit;
    }
    isums
}

/// The sums of pairs of products in i16, over some of four quads, of both halves.
///
/// # Safety
/// `q` has 16 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn pairs_both(
    codes: &[[__m256i; 4]; 2],
    q: *const i8,
    quads: Range<usize>,
) -> [__m256i; 2] {
    let mut sums16 = [_mm256_setzero_si256(); 2];
    for g in quads.clone() {
        // SAFETY: the caller's promise; quad g has q's bytes from 4g.
        let quad = unsafe { quad(q, g) };
        for half in 0..2 {
            let pairs = _mm256_maddubs_epi16(codes[half][g], quad);
            sums16[half] =
                if g == quads.start { pairs } else { _mm256_add_epi16(sums16[half], pairs) };
        }
    }
    sums16
}

/// Σ scale·code·q over 16 signed codes of each row, given as absolute values, then codes.
///
/// # Safety
/// `q` has 16 bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn dot_signed<const FORMAT: usize>(
    codes: &[__m256i; 8],
    q: *const i8,
    scale: __m256i,
) -> __m256i {
    let fit = LayoutOf::<FORMAT>::PAIRS;
    let mut isum = _mm256_setzero_si256();
    let mut g = 0;
    while g < 4 {
        let pairs = |g: usize| {
            // SAFETY: the caller's promise; quad g has q's bytes from 4g.
            let q = _mm256_sign_epi8(unsafe { quad(q, g) }, codes[4 + g]);
            _mm256_maddubs_epi16(codes[g], q)
        };
        let mut sum16 = pairs(g);
        for i in 1..fit {
            sum16 = _mm256_add_epi16(sum16, pairs(g + i));
        }
        let products = _mm256_madd_epi16(sum16, scale);
        isum = if g == 0 { products } else { _mm256_add_epi32(isum, products) };
        g += fit;
    }
    isum
}

/// Broadcasts four q's to every lane.
///
/// # Safety
/// `q` has 4g + 4 bytes.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn quad(q: *const i8, g: usize) -> __m256i {
    // SAFETY: the caller's promise.
    _mm256_set1_epi32(unsafe { q.add(4 * g).cast::<i32>().read_unaligned() })
}

/// Subtracts the zero point times `sum` from `isum`.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn without_zeros<const FORMAT: usize>(isum: __m256i, sum: __m256i) -> __m256i {
    match LayoutOf::<FORMAT>::ZERO {
        0 => isum,
        1 => _mm256_sub_epi32(isum, sum),
        4 => _mm256_sub_epi32(isum, _mm256_slli_epi32::<2>(sum)),
        32 => _mm256_sub_epi32(isum, _mm256_slli_epi32::<5>(sum)),
        zero => _mm256_sub_epi32(isum, _mm256_mullo_epi32(sum, _mm256_set1_epi32(zero))),
    }
}

/// Writes the accumulators of each token: two vectors of eight rows.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store(accs: &[[__m256; 2]], sums: &mut [[f32; GROUP_ROWS]]) {
    for (sums, acc) in sums.iter_mut().zip(accs) {
        for (half, acc) in acc.iter().enumerate() {
            // SAFETY: `sums` is sixteen f32.
            unsafe { _mm256_storeu_ps(sums.as_mut_ptr().add(8 * half), *acc) };
        }
    }
}
