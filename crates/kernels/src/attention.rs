//! Attention of a few query heads over pages of keys and values.
//!
//! A page holds [`PAGE`] positions of one sequence. For one key-value head its keys are `[head_dim][PAGE]` (a lane for
//! each position, so that a score needs no horizontal sum) and its values `[PAGE][head_dim]`, as f16 or f32.
//!
//! What is computed for a query q over the positions lo..hi that it may see:
//! - s_k = scale · Σ_d q_d·key_kd: fma over d in sequence, one accumulator, then one product;
//! - w_k = exp(s_k - max s), total = the w_k summed in 16 lanes (k mod 16, in order) and a fixed tree;
//! - out_d = (Σ_k w_k·value_kd) / total: fma over k in sequence, one accumulator.
//!
//! A maximum is exact in any order and every sum has one order, given by absolute positions: nothing depends
//! on how the work was cut, by positions, dimensions, heads or tokens.

use std::cell::RefCell;

use half::f16;

use crate::{
    isa::{Isa, dispatch},
    norm::{LANES, tree},
};

/// Positions in a page.
pub const PAGE: usize = 32;

/// Query heads that a kernel takes at once; more are taken in several turns.
pub(crate) const QUERIES: usize = 4;

/// A number as a cache stores it.
pub trait Stored: Copy + Default + Send + Sync + 'static {
    /// What the AVX2 kernels know it by: whether it is f16.
    const IS_F16: bool;
    /// To the nearest, ties to even.
    fn from_f32(x: f32) -> Self;
    /// Exact.
    fn to_f32(self) -> f32;
}

impl Stored for f16 {
    const IS_F16: bool = true;
    fn from_f32(x: f32) -> f16 {
        f16::from_f32(x)
    }
    fn to_f32(self) -> f32 {
        f16::to_f32(self)
    }
}

impl Stored for f32 {
    const IS_F16: bool = false;
    fn from_f32(x: f32) -> f32 {
        x
    }
    fn to_f32(self) -> f32 {
        self
    }
}

/// Writes the key and the value of one key-value head at place `slot` of a page.
pub fn store<T: Stored>(keys: &mut [T], values: &mut [T], slot: usize, key: &[f32], value: &[f32]) {
    for (column, x) in keys.chunks_exact_mut(PAGE).zip(key) {
        column[slot] = T::from_f32(*x);
    }
    let width = value.len();
    for (place, x) in values[slot * width..(slot + 1) * width].iter_mut().zip(value) {
        *place = T::from_f32(*x);
    }
}

/// The cache as one query head sees it: pages of keys and values of its key-value head.
pub trait Pages<T>: Sync {
    /// The keys `[head_dim][PAGE]` and values `[PAGE][head_dim]` of page `i`.
    fn page(&self, i: usize) -> (&[T], &[T]);
}

thread_local! {
    /// Scores of a tile of queries: grown once to the longest context, then reused.
    static SCORES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Attends with `queries` (n heads × head_dim, all of one position and one key-value head) to positions lo..hi.
///
/// `out` has the shape of `queries`.
pub fn attend<T: Stored>(
    isa: Isa,
    queries: &[f32],
    head_dim: usize,
    pages: &dyn Pages<T>,
    lo: usize,
    hi: usize,
    scale: f32,
    out: &mut [f32],
) {
    assert!(lo < hi && queries.len() == out.len(), "at least one position, a result for each query");
    let first_page = lo / PAGE;
    let n_pages = hi.div_ceil(PAGE) - first_page;
    let base = first_page * PAGE;
    let width = n_pages * PAGE;
    SCORES.with_borrow_mut(|scores| {
        if scores.len() < width * QUERIES {
            scores.resize(width * QUERIES, 0.0);
        }
        let tiles = queries.chunks(QUERIES * head_dim).zip(out.chunks_mut(QUERIES * head_dim));
        for (queries, out) in tiles {
            let n = queries.len() / head_dim;
            let scores = &mut scores[..n * width];
            for i in 0..n_pages {
                let (keys, _) = pages.page(first_page + i);
                assert_eq!(keys.len(), head_dim * PAGE, "a page of keys");
                dispatch!(isa, attention::scores(queries, keys, scale, scores, width, i * PAGE));
            }
            let mut totals = [0.0; QUERIES];
            for (scores, total) in scores.chunks_exact_mut(width).zip(&mut totals) {
                scores[..lo - base].fill(f32::NEG_INFINITY);
                scores[hi - base..].fill(f32::NEG_INFINITY);
                *total = tree(dispatch!(isa, attention::weigh(scores)));
            }
            out.fill(0.0);
            for i in 0..n_pages {
                let (_, values) = pages.page(first_page + i);
                assert_eq!(values.len(), head_dim * PAGE, "a page of values");
                let from = if i == 0 { lo - base } else { 0 };
                let to = PAGE.min(hi - base - i * PAGE);
                dispatch!(isa, attention::add_values(scores, width, i * PAGE, values, from, to, out));
            }
            for (out, total) in out.chunks_exact_mut(head_dim).zip(totals) {
                out.iter_mut().for_each(|x| *x /= total);
            }
        }
    });
}

const _: () = assert!(PAGE.is_multiple_of(LANES), "a place in a page has the lane of its absolute position");

#[cfg(test)]
mod tests {
    use super::*;

    struct Cache<T>(Vec<(Vec<T>, Vec<T>)>);

    impl<T: Sync> Pages<T> for Cache<T> {
        fn page(&self, i: usize) -> (&[T], &[T]) {
            (&self.0[i].0, &self.0[i].1)
        }
    }

    fn number(i: usize) -> f32 {
        ((i * 7919 + 13) % 1009) as f32 / 504.5 - 1.0
    }

    fn check<T: Stored>(head_dim: usize, n_queries: usize, lo: usize, hi: usize) {
        let mut cache =
            Cache(vec![(vec![T::default(); head_dim * PAGE], vec![T::default(); head_dim * PAGE]); 5]);
        let kv = |pos: usize| -> (Vec<f32>, Vec<f32>) {
            let row = |salt| {
                (0..head_dim).map(|d| T::from_f32(number(pos * 977 + d * 3 + salt)).to_f32()).collect()
            };
            (row(0), row(1))
        };
        for pos in 0..hi {
            let (page, slot) = (pos / PAGE, pos % PAGE);
            let (k, v) = kv(pos);
            let (keys, values) = &mut cache.0[page];
            store(keys, values, slot, &k, &v);
        }
        let queries: Vec<f32> = (0..n_queries * head_dim).map(|i| number(i * 31) * 3.0).collect();
        let (mut a, mut b) = (vec![0.0; queries.len()], vec![1.0; queries.len()]);
        attend(Isa::SCALAR, &queries, head_dim, &cache, lo, hi, 0.37, &mut a);
        attend(Isa::best(), &queries, head_dim, &cache, lo, hi, 0.37, &mut b);
        assert_eq!(a, b, "head_dim {head_dim}, {n_queries} queries, {lo}..{hi}");
        // Each query alone gives the same.
        for (q, expected) in queries.chunks(head_dim).zip(a.chunks(head_dim)) {
            let mut alone = vec![0.0; head_dim];
            attend(Isa::best(), q, head_dim, &cache, lo, hi, 0.37, &mut alone);
            assert_eq!(alone, expected);
        }
        // And the textbook in f64.
        let q = &queries[..head_dim];
        let scores: Vec<f64> = (lo..hi)
            .map(|pos| kv(pos).0.iter().zip(q).map(|(k, q)| f64::from(k * q)).sum::<f64>() * 0.37)
            .collect();
        let max = scores.iter().copied().fold(f64::MIN, f64::max);
        let total: f64 = scores.iter().map(|s| (s - max).exp()).sum();
        for d in 0..head_dim {
            let truth: f64 =
                (lo..hi).zip(&scores).map(|(pos, s)| (s - max).exp() / total * f64::from(kv(pos).1[d])).sum();
            assert!((truth - f64::from(a[d])).abs() < 2e-5, "{truth} {}", a[d]);
        }
    }

    #[test]
    fn instruction_sets_agree_and_follow_the_formula() {
        for (head_dim, n_queries) in [(64, 3), (64, 1), (256, 4), (128, 2), (8, 7), (80, 5), (6, 2)] {
            for (lo, hi) in [(0, 1), (0, 32), (0, 33), (5, 131), (31, 32), (64, 160), (40, 50)] {
                check::<f16>(head_dim, n_queries, lo, hi);
                check::<f32>(head_dim, n_queries, lo, hi);
            }
        }
    }
}
