//! Attention with a lane per position (scores) or per dimension (values).
//!
//! The sums of `scalar::attention` run along the other axis, so no lane is added to another one
//! here. Register blocking: N queries times V vectors of accumulators stay in registers while the
//! keys or values of a page stream by. Each instruction set chooses N and V by its registers.

use std::ops::Range;

use half::f16;

use super::exp::exp;
use crate::{
    prefetch::prefetch_elements,
    scalar::{
        self,
        attention::{FloatElement, NO_FRACTION, PAGE, scale_of, to_integer},
        norm::LANES,
    },
    vector::Vector,
};

/// Converts f32 to f16, rounding to nearest, ties to even.
///
/// # Safety
/// The CPU has the instruction set of F.
#[inline(always)]
pub(crate) unsafe fn to_f16<F: Vector>(x: &[f32], out: &mut [f16]) {
    let mut vectors = x.chunks_exact(F::LANES);
    let mut outs = out.chunks_exact_mut(F::LANES);
    for (x, out) in (&mut vectors).zip(&mut outs) {
        // SAFETY: the caller's promise; both slices have F::LANES elements.
        unsafe { F::load(x.as_ptr()).store_f16(out.as_mut_ptr()) };
    }
    scalar::attention::to_f16(vectors.remainder(), outs.into_remainder());
}

/// Loads cache elements as f32.
///
/// # Safety
/// The CPU has the instruction set of F; F::LANES elements of T can be read at `at`.
#[inline(always)]
unsafe fn load<F: Vector, T: FloatElement>(at: *const T) -> F {
    // SAFETY: the caller's promise; T is f16 or f32, as `IS_F16` says.
    unsafe { if T::IS_F16 { F::load_f16(at.cast()) } else { F::load(at.cast()) } }
}

/// Scores of N queries with the keys of a page, V vectors of positions at a time.
///
/// # Safety
/// The CPU has the instruction set of F.
#[inline(always)]
pub(crate) unsafe fn scores<F: Vector, T: FloatElement, const N: usize, const V: usize>(
    queries: &[f32],
    keys: &[T],
    prefetch: *const u8,
    scale: f32,
    scores: &mut [f32],
    width: usize,
    at: usize,
) {
    let (head_dim, wide) = (keys.len() / PAGE, F::LANES * V);
    const { assert!(PAGE.is_multiple_of(F::LANES * V), "whole vectors in a page") };
    assert!(queries.len() == N * head_dim && keys.len() == head_dim * PAGE, "N queries, one page");
    assert!(scores.len() == N * width && at + PAGE <= width, "a row of scores for each query");
    for first in (0..PAGE).step_by(wide) {
        // SAFETY: the caller's promise. With d < head_dim and first + LANES·V <= PAGE, keys and
        // queries are read within their slices; with n < N and at + PAGE <= width, scores are
        // written within theirs, as asserted.
        unsafe {
            let mut sums = [[F::splat(0.0); V]; N];
            for d in 0..head_dim {
                prefetch_elements::<T>(prefetch, d * PAGE + first, wide);
                let mut key = [F::splat(0.0); V];
                for v in 0..V {
                    key[v] = load(keys.as_ptr().add(d * PAGE + first + F::LANES * v));
                }
                for n in 0..N {
                    let q = F::splat(*queries.as_ptr().add(n * head_dim + d));
                    for v in 0..V {
                        sums[n][v] = key[v].fma(q, sums[n][v]);
                    }
                }
            }
            for n in 0..N {
                for v in 0..V {
                    let place = scores.as_mut_ptr().add(n * width + at + first + F::LANES * v);
                    sums[n][v].mul(F::splat(scale)).store(place);
                }
            }
        }
    }
}

/// Replaces scores by softmax weights; returns their sums in 16 lanes, held in N vectors.
///
/// # Safety
/// The CPU has the instruction set of F.
#[inline(always)]
pub(crate) unsafe fn softmax_weights<F: Vector, const N: usize>(
    scores: &mut [f32],
) -> [f32; LANES] {
    const { assert!(N * F::LANES == LANES, "N vectors hold the 16 lanes") };
    let (blocks, rest) = scores.as_chunks_mut::<LANES>();
    assert!(rest.is_empty(), "whole pages");
    let mut lanes = [0.0f32; LANES];
    // SAFETY: the caller's promise; `lanes` and every block have 16 = N · F::LANES elements.
    unsafe {
        let mut max = F::splat(f32::NEG_INFINITY);
        for block in blocks.iter() {
            for i in 0..N {
                // For NaN `max` keeps the maximum, like the specification's comparison.
                max = F::load(block.as_ptr().add(i * F::LANES)).max(max);
            }
        }
        let max = F::splat(max.horizontal_max());
        let mut sums = [F::splat(0.0); N];
        for block in blocks {
            for i in 0..N {
                let place = block.as_mut_ptr().add(i * F::LANES);
                let weight = exp(F::load(place).sub(max));
                weight.store(place);
                sums[i] = sums[i].add(weight);
            }
        }
        for i in 0..N {
            sums[i].store(lanes.as_mut_ptr().add(i * F::LANES));
        }
    }
    lanes
}

/// Adds the weighted values of a page to the outputs of N queries: V vectors of dimensions at a
/// time while there are as many, then two, then one.
///
/// # Safety
/// The CPU has the instruction set of F.
#[inline(always)]
pub(crate) unsafe fn values<F: Vector, T: FloatElement, const N: usize, const V: usize>(
    weights: &[f32],
    width: usize,
    at: usize,
    values: &[T],
    prefetch: *const u8,
    slots: Range<usize>,
    dims: Range<usize>,
    out: &mut [f32],
) {
    assert!(dims.len().is_multiple_of(F::LANES), "whole vectors of dimensions");
    let mut d = dims.start;
    // SAFETY: the caller's promise.
    unsafe {
        while d + F::LANES * V <= dims.end {
            columns::<F, T, N, V>(weights, width, at, values, prefetch, &slots, &dims, out, d);
            d += F::LANES * V;
        }
        while d + F::LANES * 2 <= dims.end {
            columns::<F, T, N, 2>(weights, width, at, values, prefetch, &slots, &dims, out, d);
            d += F::LANES * 2;
        }
        while d < dims.end {
            columns::<F, T, N, 1>(weights, width, at, values, prefetch, &slots, &dims, out, d);
            d += F::LANES;
        }
    }
}

/// The part of [`values`] for V vectors of dimensions from d on.
///
/// # Safety
/// The CPU has the instruction set of F.
#[inline(always)]
unsafe fn columns<F: Vector, T: FloatElement, const N: usize, const V: usize>(
    weights: &[f32],
    width: usize,
    at: usize,
    values: &[T],
    prefetch: *const u8,
    slots: &Range<usize>,
    dims: &Range<usize>,
    out: &mut [f32],
    d: usize,
) {
    let head_dim = values.len() / PAGE;
    assert!(out.len() == N * dims.len() && weights.len() == N * width, "a row for each query");
    assert!(dims.start <= d && d + F::LANES * V <= dims.end, "V vectors of dimensions");
    assert!(dims.end <= head_dim && slots.end <= PAGE && at + PAGE <= width, "within a page");
    // SAFETY: the caller's promise; query n < N, slot k < PAGE and dimensions d to d + LANES·V - 1
    // lie within `out`, `weights` and `values` by the assertions above.
    unsafe {
        let first = d - dims.start;
        let mut sums = [[F::splat(0.0); V]; N];
        for n in 0..N {
            for v in 0..V {
                sums[n][v] = F::load(out.as_ptr().add(n * dims.len() + first + F::LANES * v));
            }
        }
        for k in slots.clone() {
            prefetch_elements::<T>(prefetch, k * head_dim + d, F::LANES * V);
            let mut value = [F::splat(0.0); V];
            for v in 0..V {
                value[v] = load(values.as_ptr().add(k * head_dim + d + F::LANES * v));
            }
            for n in 0..N {
                let weight = F::splat(*weights.as_ptr().add(n * width + at + k));
                for v in 0..V {
                    sums[n][v] = value[v].fma(weight, sums[n][v]);
                }
            }
        }
        for n in 0..N {
            for v in 0..V {
                sums[n][v].store(out.as_mut_ptr().add(n * dims.len() + first + F::LANES * v));
            }
        }
    }
}

/// Numbers as integers: see `scalar::attention`.
///
/// # Safety
/// The CPU has the instruction set of F.
#[inline(always)]
pub(crate) unsafe fn to_integers<F: Vector>(x: &[f32], most: f32, out: &mut [i16]) -> f32 {
    assert!(x.len() == out.len(), "an integer for each number");
    let (vectors, rest) = x.split_at(x.len() / F::LANES * F::LANES);
    let (outs, rest_out) = out.split_at_mut(vectors.len());
    // SAFETY: the caller's promise; both slices have whole vectors.
    unsafe {
        let (mut greatest, mut not_numbers) = (F::splat(0.0), F::no_lanes());
        for at in (0..vectors.len()).step_by(F::LANES) {
            let x = F::load(vectors.as_ptr().add(at));
            // For NaN `max` keeps the maximum.
            greatest = x.abs().max(greatest);
            not_numbers = F::or(not_numbers, F::unordered(x, x));
        }
        let of_vectors =
            if F::any(not_numbers) { f32::NAN } else { greatest.horizontal_max() }.to_bits();
        let greatest = rest.iter().fold(of_vectors, |most, x| most.max(x.abs().to_bits()));
        let (scale, inverse) = scale_of(f32::from_bits(greatest), most);
        if inverse == 0.0 {
            out.fill(0);
            return scale;
        }
        for at in (0..vectors.len()).step_by(F::LANES) {
            let scaled = F::load(vectors.as_ptr().add(at)).mul(F::splat(inverse));
            // The integer is in the lower half of the sum's bits.
            let integers = scaled.add(F::splat(NO_FRACTION)).to_bits();
            F::store_low_halves(integers, outs.as_mut_ptr().add(at));
        }
        for (out, &x) in rest_out.iter_mut().zip(rest) {
            *out = to_integer(x, inverse) as i16;
        }
        scale
    }
}

/// Two i16 as the halves of a lane, the first one lower.
#[inline(always)]
pub(super) fn pair_of([first, second]: [i16; 2]) -> u32 {
    u32::from(first.cast_unsigned()) | u32::from(second.cast_unsigned()) << 16
}

/// Scores of N integer queries with the integer keys of a page, V vectors of positions at a time.
///
/// # Safety
/// The CPU has the instruction set of F.
#[inline(always)]
pub(crate) unsafe fn integer_scores<F: Vector, const N: usize, const V: usize>(
    queries: &[i16],
    factors: &[f32],
    keys: &[i8],
    scales: &[f32; PAGE],
    prefetch: *const u8,
    scores: &mut [f32],
    width: usize,
    at: usize,
) {
    let (n_pairs, wide) = (keys.len() / PAGE / 2, F::LANES * V);
    const { assert!(PAGE.is_multiple_of(F::LANES * V), "whole vectors in a page") };
    assert!(queries.len() == 2 * N * n_pairs && keys.len() == 2 * n_pairs * PAGE, "whole pairs");
    assert!(scores.len() == N * width && at + PAGE <= width, "a row of scores for each query");
    assert!(factors.len() == N, "a factor for each query");
    let (pairs, _) = queries.as_chunks::<2>();
    for first in (0..PAGE).step_by(wide) {
        // SAFETY: the caller's promise. With p < n_pairs and first + LANES·V <= PAGE, keys and
        // queries are read within their slices; with n < N and at + PAGE <= width, scores are
        // written within theirs, as asserted.
        unsafe {
            let mut sums = [[F::splat_int(0); V]; N];
            for p in 0..n_pairs {
                prefetch_elements::<i8>(prefetch, 2 * (p * PAGE + first), 2 * wide);
                let mut key = [F::splat_int(0); V];
                for v in 0..V {
                    let place = 2 * (p * PAGE + first + F::LANES * v);
                    key[v] = F::load_i8_pairs(keys.as_ptr().add(place));
                }
                for n in 0..N {
                    let q = F::splat_int(pair_of(*pairs.get_unchecked(n * n_pairs + p)));
                    for v in 0..V {
                        sums[n][v] = F::dot_i16(sums[n][v], key[v], q);
                    }
                }
            }
            for n in 0..N {
                for v in 0..V {
                    let scale = F::load(scales.as_ptr().add(first + F::LANES * v));
                    let place = scores.as_mut_ptr().add(n * width + at + first + F::LANES * v);
                    F::from_i32(sums[n][v]).mul(scale).mul(F::splat(factors[n])).store(place);
                }
            }
        }
    }
}

/// Adds the weighted integer values of a page to the outputs of N queries: V vectors of dimensions
/// at a time while there are as many, then two, then one.
///
/// # Safety
/// The CPU has the instruction set of F.
#[inline(always)]
pub(crate) unsafe fn integer_values<F: Vector, const N: usize, const V: usize>(
    weights: &[i16],
    factors: &[f32],
    values: &[i8],
    prefetch: *const u8,
    dims: Range<usize>,
    out: &mut [f32],
) {
    assert!(dims.len().is_multiple_of(F::LANES), "whole vectors of dimensions");
    let mut d = dims.start;
    // SAFETY: the caller's promise.
    unsafe {
        while d + F::LANES * V <= dims.end {
            integer_columns::<F, N, V>(weights, factors, values, prefetch, &dims, out, d);
            d += F::LANES * V;
        }
        while d + F::LANES * 2 <= dims.end {
            integer_columns::<F, N, 2>(weights, factors, values, prefetch, &dims, out, d);
            d += F::LANES * 2;
        }
        while d < dims.end {
            integer_columns::<F, N, 1>(weights, factors, values, prefetch, &dims, out, d);
            d += F::LANES;
        }
    }
}

/// The part of [`integer_values`] for V vectors of dimensions from d on.
///
/// # Safety
/// The CPU has the instruction set of F.
#[inline(always)]
unsafe fn integer_columns<F: Vector, const N: usize, const V: usize>(
    weights: &[i16],
    factors: &[f32],
    values: &[i8],
    prefetch: *const u8,
    dims: &Range<usize>,
    out: &mut [f32],
    d: usize,
) {
    const PAIRS: usize = PAGE / 2;
    let head_dim = values.len() / PAGE;
    assert!(out.len() == N * dims.len() && weights.len() == N * PAGE, "a row for each query");
    assert!(factors.len() == N && values.len() == head_dim * PAGE, "N queries, one page");
    assert!(dims.start <= d && d + F::LANES * V <= dims.end, "V vectors of dimensions");
    assert!(dims.end <= head_dim, "within a page");
    let (pairs, _) = weights.as_chunks::<2>();
    // SAFETY: the caller's promise; query n < N, pair p < PAIRS and dimensions d to d + LANES·V - 1
    // lie within `out`, `weights` and `values` by the assertions above.
    unsafe {
        let mut sums = [[F::splat_int(0); V]; N];
        for p in 0..PAIRS {
            prefetch_elements::<i8>(prefetch, 2 * (p * head_dim + d), 2 * F::LANES * V);
            let mut value = [F::splat_int(0); V];
            for v in 0..V {
                let place = 2 * (p * head_dim + d + F::LANES * v);
                value[v] = F::load_i8_pairs(values.as_ptr().add(place));
            }
            for n in 0..N {
                let weight = F::splat_int(pair_of(*pairs.get_unchecked(n * PAIRS + p)));
                for v in 0..V {
                    sums[n][v] = F::dot_i16(sums[n][v], value[v], weight);
                }
            }
        }
        let first = d - dims.start;
        for n in 0..N {
            for v in 0..V {
                let place = out.as_mut_ptr().add(n * dims.len() + first + F::LANES * v);
                let sum = F::from_i32(sums[n][v]);
                sum.fma(F::splat(factors[n]), F::load(place)).store(place);
            }
        }
    }
}
