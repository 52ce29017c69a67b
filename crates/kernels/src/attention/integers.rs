//! Attention over pages of integers: queries and weights become integers too, and their products
//! with keys and values are exact.

use std::ops::Range;

use crate::{
    isa::{Isa, dispatch},
    kv_cache::{PAGE, integer_scale, split_scales, to_integer},
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

    fn push(&mut self, x: &[f32], most: f32, factor: f32) {
        let (scale, inverse) = integer_scale(x, most);
        self.numbers.extend(x.iter().map(|&x| to_integer(x, inverse) as i16));
        self.factors.push(scale * factor);
    }

    /// Queries, `[n][head_dim]`, whose scores are multiplied with `scale`.
    pub(super) fn push_queries(&mut self, queries: &[f32], head_dim: usize, scale: f32) {
        let most = (MOST_OF_QUERY / head_dim.div_ceil(WIDE) as f32).floor().max(1.0);
        for query in queries.chunks_exact(head_dim) {
            self.push(query, most, scale);
            if !head_dim.is_multiple_of(2) {
                self.numbers.push(0);
            }
        }
    }

    /// The weights of one row for the positions `slots` of a page with these scales; those of other
    /// positions become 0.
    pub(super) fn push_weights(
        &mut self,
        weights: &[f32],
        scales: &[f32; PAGE],
        slots: Range<usize>,
    ) {
        let mut scaled = [0.0; PAGE];
        for slot in slots {
            scaled[slot] = weights[slot] * scales[slot];
        }
        self.push(&scaled, MOST, 1.0);
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
