//! Attention of a batch of rows over the pages of their KV caches (multi-head, grouped-query,
//! windowed).
//!
//! The definition, for one query head q over the positions that its row may see ([`Span`]):
//! - scores: `s_k = scale · Σ_d q_d·key_kd`: fma over d in sequence, one accumulator, one product;
//!   then, where a model has them, the soft cap `s_k = cap · tanh(s_k / cap)` and the bias of
//!   distance `s_k += slope · (k - q)` (ALiBi, arXiv 2108.12409), q being the row's own position;
//! - weights: `w_k = exp(s_k - max s)`; their total is summed in 16 lanes (lane k mod 16, in order)
//!   and a fixed horizontal sum. A head with a sink (a learned score that no position has) adds
//!   `exp(sink - max s)` to the total at the end;
//! - output: `out_d = (Σ_k w_k·value_kd) / total`: fma over k in sequence, one accumulator.
//!
//! Where keys and values are integers with a scale each (see `kv_cache.rs`), sums are exact:
//! - a query becomes integers of at most 16,383 (less where a head has more than 1,024 dimensions)
//!   with a scale `t = max |q_d| / 16,383`, an f32, as a key does. Its scores are
//!   `s_k = (Σ_d q_d·key_kd · scale_k) · (t · scale)`, the sum of integers rounded to f32 once;
//! - for each page, the weights of the positions that the row sees, each times its value's scale,
//!   become integers of at most 32,767 with a scale u. The output of the pages so far grows by
//!   `out_d = fma(Σ_k w_k·value_kd, u, out_d)`, pages in sequence. The total is of the weights
//!   before that.
//!
//! A maximum is exact in any order, and every sum has one order, given by absolute positions. So
//! results don't depend on how work is split by positions, dimensions, heads or rows. Rows that
//! share a page (of one prompt, or of several continuations of it) attend to it together: it is
//! read once for them.
//!
//! See `kv_cache.rs` for the layout of a page.

mod division;
mod integers;
mod span;
mod unit;

pub use span::Span;
pub use unit::{Heads, KvCache};

use std::{cell::RefCell, ops::Range};

use crate::{
    isa::Isa,
    kv_cache::PAGE,
    pool::{DisjointPtr, Pool},
    scalar::norm::LANES,
};
use division::Division;
use unit::WorkUnit;

thread_local! {
    /// Scores of split units, shared by threads: `[unit][piece][row][head][position in the piece]`.
    static SPLIT_SCORES: RefCell<Vec<f32>> = RefCell::default();
}

/// Computes attention of each row of `queries`, `[n][n_heads][head_dim]`, over the positions
/// `spans[row]`. `out` has the shape of `queries`.
///
/// # Panics
/// If the shapes don't agree, a span has no neighbours, or they share a page with positions before.
pub fn attend(
    pool: &Pool,
    isa: Isa,
    heads: Heads<'_>,
    queries: &[f32],
    spans: &[Span],
    cache: &dyn KvCache,
    out: &mut [f32],
) {
    let (n, width) = (spans.len(), heads.n_heads * heads.head_dim);
    assert!(
        queries.len() == n * width && out.len() == n * width,
        "queries and outputs for each span"
    );
    assert!(spans.iter().all(Span::is_valid), "each row sees at least its own position");
    let group = heads.n_heads / heads.n_kv_heads;
    let division = Division::new(pool, isa, heads, spans, cache);
    let out = DisjointPtr(out.as_mut_ptr());
    let write = |unit: &WorkUnit<'_>, dims: Range<usize>, done: &[f32]| {
        let mut done = done.chunks_exact(dims.len());
        for row in unit.rows.clone() {
            for (head, done) in (unit.kv_head * group..).zip(done.by_ref().take(group)) {
                let at = out.at(row * width + head * heads.head_dim + dims.start);
                // SAFETY: these dimensions of this head of this row lie within `out` (checked
                // above) and belong to this task alone, since units differ in rows, KV head or
                // dimensions; `out` is borrowed mutably until the last `run` has returned.
                unsafe { std::slice::from_raw_parts_mut(at, dims.len()) }.copy_from_slice(done);
            }
        }
    };
    SPLIT_SCORES.with_borrow_mut(|split_scores| {
        division.run_whole_and_score(pool, queries, split_scores, &write);
        division.run_values(pool, split_scores, &write);
    });
}

const _: () =
    assert!(PAGE.is_multiple_of(LANES), "a slot of a page has the lane of its absolute position");

#[cfg(test)]
mod tests;
