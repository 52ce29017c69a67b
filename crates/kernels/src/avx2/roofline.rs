//! The roofline loops with AVX2: a streaming read, and the matrix products' multiply-adds in
//! registers only.

use std::arch::x86_64::*;

use crate::scalar::roofline::{CODES, NUMBERS};

/// Prefetch distance in elements. The hardware prefetcher stops at the end of each page.
const PREFETCH_DISTANCE: usize = 256;

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn sum(numbers: &[u64]) -> u64 {
    let (blocks, rest) = numbers.as_chunks::<16>();
    let mut sums = [_mm256_setzero_si256(); 4];
    for block in blocks {
        let ahead = block.as_ptr().wrapping_add(PREFETCH_DISTANCE);
        _mm_prefetch::<_MM_HINT_T1>(ahead.cast());
        _mm_prefetch::<_MM_HINT_T1>(ahead.wrapping_add(8).cast());
        for (sum, four) in sums.iter_mut().zip(block.as_chunks::<4>().0) {
            // SAFETY: `four` is four u64, 32 bytes.
            let four = unsafe { _mm256_loadu_si256(four.as_ptr().cast()) };
            *sum = _mm256_add_epi64(*sum, four);
        }
    }
    let mut lanes = [0u64; 16];
    for (lanes, sum) in lanes.as_chunks_mut::<4>().0.iter_mut().zip(sums) {
        // SAFETY: `lanes` is four u64, 32 bytes.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sum) };
    }
    lanes.iter().chain(rest).fold(0, |sum, x| sum.wrapping_add(*x))
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn int8(rounds: u32, start: u8) -> i32 {
    let codes: [__m256i; CODES] =
        std::array::from_fn(|c| _mm256_set1_epi8((start + c as u8) as i8));
    let mut numbers: [__m256i; NUMBERS] = std::array::from_fn(|b| _mm256_set1_epi8((85 * b) as i8));
    let mut sums = [[_mm256_setzero_si256(); NUMBERS]; CODES];
    let ones = _mm256_set1_epi16(1);
    for _ in 0..rounds {
        for b in 0..NUMBERS {
            // The bytes change every round, so that no product can be reused.
            numbers[b] = _mm256_add_epi8(numbers[b], _mm256_set1_epi8(1));
            for c in 0..CODES {
                let pairs = _mm256_maddubs_epi16(codes[c], numbers[b]);
                sums[c][b] = _mm256_add_epi32(sums[c][b], _mm256_madd_epi16(pairs, ones));
            }
        }
    }
    let mut total = 0i32;
    for sum in sums.into_iter().flatten() {
        let mut lanes = [0i32; 8];
        // SAFETY: `lanes` is eight i32.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sum) };
        total = lanes.iter().fold(total, |total, lane| total.wrapping_add(*lane));
    }
    total
}
