//! Attention of a batch of rows over the pages of their KV caches (multi-head, grouped-query,
//! windowed).
//!
//! The definition, for one query head q over the positions lo..hi that its row may see:
//! - scores: `s_k = scale · Σ_d q_d·key_kd`: fma over d in sequence, one accumulator, one product;
//!   then, where a model has them, the soft cap `s_k = cap · tanh(s_k / cap)` and the bias of
//!   distance `s_k += slope · (k - q)` (ALiBi, arXiv 2108.12409), q being the row's own position;
//! - weights: `w_k = exp(s_k - max s)`; their total is summed in 16 lanes (lane k mod 16, in order)
//!   and a fixed horizontal sum. A head with a sink (a learned score that no position has) adds
//!   `exp(sink - max s)` to the total at the end;
//! - output: `out_d = (Σ_k w_k·value_kd) / total`: fma over k in sequence, one accumulator.
//!
//! A maximum is exact in any order, and every sum has one order, given by absolute positions. So
//! results don't depend on how work is split by positions, dimensions, heads or rows. Rows that
//! share a page (of one prompt, or of several continuations of it) attend to it together: it is
//! read once for them.
//!
//! See `kv_cache.rs` for the layout of a page.

use std::{cell::RefCell, ops::Range};

use half::f16;

use crate::{
    exp::exp,
    isa::{Isa, dispatch},
    kv_cache::{PAGE, Page, Side},
    norm::{LANES, tree_sum},
    pool::{DisjointPtr, Pool},
    prefetch::{CACHE_LINE, prefetch_l2},
    soft_cap::soft_cap,
};

/// Prefetch distance: keys or values are prefetched this many bytes ahead, a cache line at a time
/// between the products.
const PREFETCH_BYTES: usize = 8 << 10;

/// Minimum pages for which splitting a unit over the threads is worth a second job.
const MIN_PAGES_TO_SPLIT: usize = 8;

/// Maximum rows per unit, whose queries read each page together.
const MAX_ROWS_PER_UNIT: usize = 8;

/// The heads of a layer. Each KV head serves n_heads / n_kv_heads neighbouring query heads.
#[derive(Debug, Clone, Copy)]
pub struct Heads<'a> {
    /// Number of query heads.
    pub n_heads: usize,
    /// Number of KV heads.
    pub n_kv_heads: usize,
    /// Elements per head.
    pub head_dim: usize,
    /// Factor of the scores, usually 1/sqrt(head_dim).
    pub scale: f32,
    /// Cap of the scores, if they have one.
    pub soft_cap: Option<f32>,
    /// ALiBi's slope of each query head; empty without ALiBi.
    pub slopes: &'a [f32],
    /// Attention sink of each query head; empty without sinks.
    pub sinks: &'a [f32],
}

/// Access to the KV cache pages of each row's sequence.
pub trait KvCache: Sync {
    /// Page `page` of KV head `kv_head`, in the sequence of row `row`.
    fn page(&self, row: usize, kv_head: usize, page: usize) -> Page<'_>;
}

/// Buffers of a thread: they grow to the longest context once, and are reused.
#[derive(Default)]
struct Scratch {
    /// `[row][head][head_dim]`.
    queries: Vec<f32>,
    /// `[row][head][position]`.
    scores: Vec<f32>,
    /// `[row][head]`.
    totals: Vec<f32>,
    /// `[row][head][dimension of the unit]`.
    out: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
    /// Scores of split units, shared by threads: `[unit][piece][row][head][position in the piece]`.
    static SPLIT_SCORES: RefCell<Vec<f32>> = RefCell::default();
}

/// Computes attention of each row of `queries`, `[n][n_heads][head_dim]`, over the positions
/// `spans[row]`. `out` has the shape of `queries`.
///
/// # Panics
/// If the shapes don't agree, or a span is empty.
pub fn attend(
    pool: &Pool,
    isa: Isa,
    heads: Heads<'_>,
    queries: &[f32],
    spans: &[Range<usize>],
    cache: &dyn KvCache,
    out: &mut [f32],
) {
    let (n, width) = (spans.len(), heads.n_heads * heads.head_dim);
    assert!(
        queries.len() == n * width && out.len() == n * width,
        "queries and outputs for each span"
    );
    assert!(spans.iter().all(|span| !span.is_empty()), "each row sees at least its own position");
    let group = heads.n_heads / heads.n_kv_heads;
    // A unit of work is a tile of rows with one KV head. The units left over when they don't divide
    // evenly among the threads are split: first the scores by pages, then the values by dimensions.
    // (Compare flash-decoding, which splits by positions and merges partial sums; that would change
    // the bits.)
    let rows_per_tile = (n * heads.n_kv_heads / (2 * pool.n_threads())).clamp(1, MAX_ROWS_PER_UNIT);
    let n_tiles = n.div_ceil(rows_per_tile);
    let n_units = n_tiles * heads.n_kv_heads;
    let n_pages =
        spans.iter().map(|span| span.end.div_ceil(PAGE) - span.start / PAGE).max().unwrap_or(0);
    let worth_splitting = n_units < 2 * pool.n_threads() && n_pages >= MIN_PAGES_TO_SPLIT;
    let n_split = if worth_splitting { n_units % pool.n_threads() } else { 0 };
    let n_whole = n_units - n_split;
    let n_pieces = pool.n_threads();
    let unit_of = |unit: usize, sides| {
        // Later rows see more positions: they go first, to balance the load.
        let tile = n_tiles - 1 - unit / heads.n_kv_heads;
        let rows = tile * rows_per_tile..((tile + 1) * rows_per_tile).min(n);
        let first = spans[rows.clone()].iter().map(|span| span.start / PAGE).min().unwrap_or(0);
        let end = spans[rows.clone()].iter().map(|span| span.end.div_ceil(PAGE)).max().unwrap_or(0);
        WorkUnit {
            isa,
            heads,
            spans,
            cache,
            rows,
            kv_head: unit % heads.n_kv_heads,
            pages: first..end,
            sides,
        }
    };
    let piece_of = |pages: Range<usize>, piece: usize| {
        let len = pages.len().div_ceil(n_pieces);
        (pages.start + piece * len).min(pages.end)..(pages.start + (piece + 1) * len).min(pages.end)
    };
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
        let split = n_whole..n_units;
        let longest = split.clone().map(|unit| unit_of(unit, &[]).pages.len()).max().unwrap_or(0);
        let stride = rows_per_tile * group * longest.div_ceil(n_pieces) * PAGE;
        if split_scores.len() < n_split * n_pieces * stride {
            split_scores.resize(n_split * n_pieces * stride, 0.0);
        }
        let pieces = DisjointPtr(split_scores.as_mut_ptr());
        // With split units, each thread gets an equal number of whole units, then its piece of each
        // split unit.
        let n_threads = if n_split == 0 { 1 } else { n_pieces };
        let whole_per_thread = n_whole / n_threads;
        let tasks_per_thread = whole_per_thread + n_split;
        pool.run(n_threads * tasks_per_thread, &|task| {
            let (thread, at) = (task / tasks_per_thread, task % tasks_per_thread);
            SCRATCH.with_borrow_mut(|scratch| {
                if at < whole_per_thread {
                    let unit = unit_of(thread * whole_per_thread + at, &[Side::Keys, Side::Values]);
                    unit.score(queries, scratch);
                    unit.softmax_weights(scratch);
                    unit.add_values(0..heads.head_dim, scratch);
                    write(&unit, 0..heads.head_dim, &scratch.out);
                    return;
                }
                let i = at - whole_per_thread;
                let piece = i * n_pieces + thread;
                let mut unit = unit_of(n_whole + i, &[Side::Keys]);
                unit.pages = piece_of(unit.pages, thread);
                let n_scores = unit.rows.len() * group * unit.pages.len() * PAGE;
                unit.score(queries, scratch);
                // SAFETY: each piece has `stride` elements of its own in `split_scores`, which was
                // grown to hold them: enough for the rows of a tile and the pages of a piece.
                // `split_scores` is borrowed mutably until both runs have returned.
                unsafe { std::slice::from_raw_parts_mut(pieces.at(piece * stride), n_scores) }
                    .copy_from_slice(&scratch.scores[..n_scores]);
            });
        });
        let split_scores = &*split_scores;
        let dims_per_piece =
            heads.head_dim.div_ceil(n_pieces).next_multiple_of(CACHE_LINE / size_of::<f16>());
        let n_columns = heads.head_dim.div_ceil(dims_per_piece);
        pool.run(n_split * n_columns, &|task| {
            SCRATCH.with_borrow_mut(|scratch| {
                let i = task / n_columns;
                let unit = unit_of(n_whole + i, &[Side::Values]);
                let scores = unit.score_rows(scratch);
                for piece in 0..n_pieces {
                    let pages = piece_of(unit.pages.clone(), piece);
                    let (at, len) = ((pages.start - unit.pages.start) * PAGE, pages.len() * PAGE);
                    let done = &split_scores[(i * n_pieces + piece) * stride..];
                    for (scores, done) in
                        scores.chunks_exact_mut(unit.width()).zip(done.chunks(len.max(1)))
                    {
                        scores[at..at + len].copy_from_slice(&done[..len]);
                    }
                }
                unit.softmax_weights(scratch);
                let first = task % n_columns * dims_per_piece;
                let dims = first..(first + dims_per_piece).min(heads.head_dim);
                unit.add_values(dims.clone(), scratch);
                write(&unit, dims, &scratch.out);
            });
        });
    });
}

/// A unit of work: some rows, one KV head and its query heads, over some pages.
struct WorkUnit<'a> {
    isa: Isa,
    heads: Heads<'a>,
    /// The spans of all rows of the batch.
    spans: &'a [Range<usize>],
    cache: &'a dyn KvCache,
    rows: Range<usize>,
    kv_head: usize,
    pages: Range<usize>,
    /// Which sides of the pages are read, in this order; for prefetching.
    sides: &'a [Side],
}

impl WorkUnit<'_> {
    /// Number of query heads that share the KV head.
    fn group(&self) -> usize {
        self.heads.n_heads / self.heads.n_kv_heads
    }

    /// Number of positions in the pages.
    fn width(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// The score buffer, `[row][head][position]`, grown if needed.
    fn score_rows<'s>(&self, scratch: &'s mut Scratch) -> &'s mut [f32] {
        let n_scores = self.rows.len() * self.group() * self.width();
        if scratch.scores.len() < n_scores {
            scratch.scores.resize(n_scores, 0.0);
        }
        &mut scratch.scores[..n_scores]
    }

    /// Computes the scores of all pages into `scratch.scores`.
    fn score(&self, queries: &[f32], scratch: &mut Scratch) {
        let wide = self.group() * self.heads.head_dim;
        scratch.queries.clear();
        for row in self.rows.clone() {
            let at = row * self.heads.n_heads * self.heads.head_dim + self.kv_head * wide;
            scratch.queries.extend_from_slice(&queries[at..at + wide]);
        }
        self.score_rows(scratch);
        let width = self.width();
        let Scratch { queries, scores, .. } = scratch;
        for page in self.pages.clone() {
            let at = (page - self.pages.start) * PAGE;
            self.for_shared_pages(page, |rows, keys| {
                let prefetch = self.prefetch_address(rows.start, page, Side::Keys);
                let queries = &queries[rows.start * wide..rows.end * wide];
                let scores =
                    &mut scores[rows.start * self.group() * width..rows.end * self.group() * width];
                let scale = self.heads.scale;
                match keys {
                    Page::F16 { keys, .. } => {
                        dispatch!(
                            self.isa,
                            attention::scores(queries, keys, prefetch, scale, scores, width, at)
                        );
                    }
                    Page::F32 { keys, .. } => {
                        dispatch!(
                            self.isa,
                            attention::scores(queries, keys, prefetch, scale, scores, width, at)
                        );
                    }
                }
            });
        }
    }

    /// Softmax without the division: turns scores into weights, with their totals in
    /// `scratch.totals`.
    fn softmax_weights(&self, scratch: &mut Scratch) {
        let (base, width) = (self.pages.start * PAGE, self.width());
        self.score_rows(scratch);
        let Scratch { scores, totals, .. } = scratch;
        totals.clear();
        let spans = &self.spans[self.rows.clone()];
        for (scores, span) in scores.chunks_exact_mut(self.group() * width).zip(spans) {
            // Positions of the row's pages outside its span are masked.
            let begin = span.start / PAGE * PAGE - base;
            let end = span.end.next_multiple_of(PAGE) - base;
            for (head, scores) in
                (self.kv_head * self.group()..).zip(scores.chunks_exact_mut(width))
            {
                self.cap_and_bias(head, span, &mut scores[span.start - base..span.end - base]);
                scores[begin..span.start - base].fill(f32::NEG_INFINITY);
                scores[span.end - base..end].fill(f32::NEG_INFINITY);
                let max = match self.heads.sinks {
                    [] => 0.0,
                    _ => maximum(&scores[begin..end]),
                };
                let total = tree_sum(dispatch!(
                    self.isa,
                    attention::softmax_weights(&mut scores[begin..end])
                ));
                totals.push(match self.heads.sinks.get(head) {
                    Some(sink) => total + exp(sink - max),
                    None => total,
                });
            }
        }
    }

    /// Applies the soft cap and ALiBi's bias to the scores of one query head over `span`.
    fn cap_and_bias(&self, head: usize, span: &Range<usize>, scores: &mut [f32]) {
        if let Some(cap) = self.heads.soft_cap {
            soft_cap(self.isa, scores, cap);
        }
        if let Some(slope) = self.heads.slopes.get(head) {
            let own = span.end - 1;
            for (pos, score) in span.clone().zip(scores) {
                *score -= slope * (own - pos) as f32;
            }
        }
    }

    /// Computes the weighted means of the values, dimensions `dims`, into `scratch.out`.
    fn add_values(&self, dims: Range<usize>, scratch: &mut Scratch) {
        let (group, width) = (self.group(), self.width());
        let spans = &self.spans[self.rows.clone()];
        let Scratch { scores, totals, out, .. } = scratch;
        out.clear();
        out.resize(spans.len() * group * dims.len(), 0.0);
        for page in self.pages.clone() {
            let at = (page - self.pages.start) * PAGE;
            self.for_shared_pages(page, |rows, values| {
                let prefetch = self.prefetch_address(rows.start, page, Side::Values);
                let mut add = |rows: Range<usize>, slots: Range<usize>| {
                    if slots.is_empty() {
                        return;
                    }
                    let weights = &scores[rows.start * group * width..rows.end * group * width];
                    let out =
                        &mut out[rows.start * group * dims.len()..rows.end * group * dims.len()];
                    let dims = dims.clone();
                    match values {
                        Page::F16 { values, .. } => {
                            dispatch!(
                                self.isa,
                                attention::add_values(
                                    weights, width, at, values, prefetch, slots, dims, out
                                )
                            );
                        }
                        Page::F32 { values, .. } => {
                            dispatch!(
                                self.isa,
                                attention::add_values(
                                    weights, width, at, values, prefetch, slots, dims, out
                                )
                            );
                        }
                    }
                };
                // Masked slots are skipped, not multiplied by zero: they may hold anything, NaN
                // included.
                let slots = |span: &Range<usize>| {
                    span.start.max(page * PAGE) - page * PAGE
                        ..span.end.min((page + 1) * PAGE) - page * PAGE
                };
                let own = |row: usize| slots(&spans[row]);
                let from = rows.clone().map(|row| own(row).start).max().unwrap_or(0);
                let to = rows.clone().map(|row| own(row).end).min().unwrap_or(0);
                if from < to {
                    rows.clone().for_each(|row| add(row..row + 1, own(row).start..from));
                    add(rows.clone(), from..to);
                    rows.for_each(|row| add(row..row + 1, to..own(row).end));
                } else {
                    rows.for_each(|row| add(row..row + 1, own(row)));
                }
            });
        }
        for (out, total) in out.chunks_exact_mut(dims.len()).zip(totals) {
            out.iter_mut().for_each(|x| *x /= *total);
        }
    }

    /// Calls `f` with each run of neighbouring rows, relative to the unit's first, that see page
    /// `page` and share its memory.
    fn for_shared_pages(&self, page: usize, mut f: impl FnMut(Range<usize>, Page<'_>)) {
        let mut row = 0;
        while row < self.rows.len() {
            if !self.sees(row, page) {
                row += 1;
                continue;
            }
            let found = self.page(row, page);
            let first = row;
            row += 1;
            while row < self.rows.len()
                && self.sees(row, page)
                && self.page(row, page).address(Side::Keys) == found.address(Side::Keys)
            {
                row += 1;
            }
            f(first..row, found);
        }
    }

    /// The address to prefetch while this side of page `page` is read: what the unit reads
    /// [`PREFETCH_BYTES`] later. At the end, the page itself.
    fn prefetch_address(&self, row: usize, page: usize, side: Side) -> *const u8 {
        let n = self.pages.len();
        let address = |index: usize| match self.sides.get(index / n) {
            Some(side) if self.sees(row, self.pages.start + index % n) => {
                self.page(row, self.pages.start + index % n).address(*side)
            }
            _ => self.page(row, page).address(side),
        };
        let size = self.heads.head_dim * PAGE * size_of::<f16>();
        let ahead = (PREFETCH_BYTES / size).max(1);
        let before = self.sides.iter().take_while(|other| **other != side).count();
        let index = before * n + page - self.pages.start;
        if index == 0 {
            // The first page prefetches everything up to that distance.
            for between in 1..ahead {
                let at = address(between);
                (0..size).step_by(CACHE_LINE).for_each(|line| prefetch_l2(at.wrapping_add(line)));
            }
        }
        address(index + ahead)
    }

    /// Whether a row, relative to the unit's first, sees a position of a page.
    fn sees(&self, row: usize, page: usize) -> bool {
        let span = &self.spans[self.rows.start + row];
        span.start < (page + 1) * PAGE && span.end > page * PAGE
    }

    fn page(&self, row: usize, page: usize) -> Page<'_> {
        let page = self.cache.page(self.rows.start + row, self.kv_head, page);
        let n = match page {
            Page::F16 { keys, values } => [keys.len(), values.len()],
            Page::F32 { keys, values } => [keys.len(), values.len()],
        };
        assert_eq!(
            n,
            [self.heads.head_dim * PAGE; 2],
            "a page has head_dim · PAGE keys and as many values"
        );
        page
    }
}

/// The greatest score: exact in any order.
fn maximum(scores: &[f32]) -> f32 {
    scores.iter().fold(f32::NEG_INFINITY, |max, &s| if max < s { s } else { max })
}

const _: () =
    assert!(PAGE.is_multiple_of(LANES), "a slot of a page has the lane of its absolute position");

#[cfg(test)]
mod tests;
