//! Attention over pages of integers: queries and weights become integers too, and their products
//! with keys and values are exact.

use std::ops::Range;

use crate::{
    isa::{Isa, dispatch},
    kv_cache::{PAGE, split_scales},
};

/// The greatest integer of a weight, and of a query in heads of usual width. Sums of products with
/// keys, or with the values of a page, stay below 2^31.
const MOST: f32 = 32_767.0;
const MOST_OF_QUERY: f32 = 16_383.0;
/// Dimensions up to which that is so.
const WIDE: usize = 1024;

/// Integers with a factor for each row.
#[derive(Default)]
pub(super) struct Integers {
    numbers: Vec<i16>,
    /// What their products with keys or values are multiplied with.
    factors: Vec<f32>,
}

impl Integers {
    pub(super) fn clear(&mut self) {
        self.numbers.clear();
        self.factors.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.factors.is_empty()
    }

    /// Queries, `[n][head_dim]`, whose scores are multiplied with `scale`.
    pub(super) fn push_queries(&mut self, isa: Isa, queries: &[f32], head_dim: usize, scale: f32) {
        let most = (MOST_OF_QUERY / head_dim.div_ceil(WIDE) as f32).floor().max(1.0);
        for query in queries.chunks_exact(head_dim) {
            // An odd head_dim is filled up.
            let at = self.numbers.len();
            self.numbers.resize(at + head_dim.next_multiple_of(2), 0);
            let numbers = &mut self.numbers[at..at + head_dim];
            let own = dispatch!(isa, attention::to_integers(query, most, numbers));
            self.factors.push(own * scale);
        }
    }

    /// The weights `[at..at + PAGE]` of some rows for a page with these scales. Rows of `weights`
    /// have `width` elements.
    pub(super) fn push_weights(
        &mut self,
        isa: Isa,
        weights: &[f32],
        (width, at): (usize, usize),
        scales: &[f32; PAGE],
    ) {
        let n = weights.len() / width;
        let (first, number) = (self.factors.len(), self.numbers.len());
        self.factors.resize(first + n, 0.0);
        self.numbers.resize(number + n * PAGE, 0);
        let (factors, numbers) = (&mut self.factors[first..], &mut self.numbers[number..]);
        dispatch!(
            isa,
            attention::integer_weights(weights, width, at, scales, MOST, numbers, factors)
        );
    }

    /// Scores of the queries `queries` with a page.
    pub(super) fn score(
        &self,
        isa: Isa,
        queries: Range<usize>,
        keys: &[i8],
        prefetch: *const u8,
        scores: &mut [f32],
        (width, at): (usize, usize),
    ) {
        let (keys, scales) = split_scales(keys);
        let (numbers, factors) = self.rows(queries);
        dispatch!(
            isa,
            attention::integer_scores(numbers, factors, keys, &scales, prefetch, scores, width, at)
        );
    }

    /// Adds a page's values, dimensions `dims`, by the weights.
    pub(super) fn add_values(
        &self,
        isa: Isa,
        values: &[i8],
        prefetch: *const u8,
        dims: Range<usize>,
        out: &mut [f32],
    ) {
        let (values, _) = split_scales(values);
        let (numbers, factors) = self.rows(0..self.factors.len());
        dispatch!(
            isa,
            attention::add_integer_values(numbers, factors, values, prefetch, dims, out)
        );
    }

    fn rows(&self, rows: Range<usize>) -> (&[i16], &[f32]) {
        let len = self.numbers.len() / self.factors.len().max(1);
        (&self.numbers[rows.start * len..rows.end * len], &self.factors[rows])
    }
}
