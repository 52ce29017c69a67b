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

    /// Room for `n` more numbers.
    fn more(&mut self, n: usize) -> &mut [i16] {
        let at = self.numbers.len();
        self.numbers.resize(at + n, 0);
        &mut self.numbers[at..]
    }

    /// Queries, `[n][head_dim]`, whose scores are multiplied with `scale`.
    pub(super) fn push_queries(&mut self, isa: Isa, queries: &[f32], head_dim: usize, scale: f32) {
        let most = (MOST_OF_QUERY / head_dim.div_ceil(WIDE) as f32).floor().max(1.0);
        for query in queries.chunks_exact(head_dim) {
            // An odd head_dim is filled up.
            let numbers = &mut self.more(head_dim.next_multiple_of(2))[..head_dim];
            let own = dispatch!(isa, attention::to_integers(query, most, numbers));
            self.factors.push(own * scale);
        }
    }

    /// The weights of one row for the positions `slots` of a page with these scales; those of other
    /// positions become 0.
    pub(super) fn push_weights(
        &mut self,
        isa: Isa,
        weights: &[f32; PAGE],
        scales: &[f32; PAGE],
        slots: Range<usize>,
    ) {
        let numbers = self.more(PAGE);
        let factor = if slots == (0..PAGE) {
            dispatch!(isa, attention::integer_weights(weights, scales, MOST, numbers))
        } else {
            // The scales of the other positions may be anything.
            let mut own = [[0.0; PAGE]; 2];
            own[0][slots.clone()].copy_from_slice(&weights[slots.clone()]);
            own[1][slots.clone()].copy_from_slice(&scales[slots]);
            dispatch!(isa, attention::integer_weights(&own[0], &own[1], MOST, numbers))
        };
        self.factors.push(factor);
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
