//! A unit of work of attention: a tile of rows with one KV head.

use std::ops::Range;

use half::f16;

use super::{integers::Integers, span::Span};
use crate::{
    exp::exp,
    isa::{Isa, dispatch},
    kv_cache::{PAGE, Page, Side, split_scales},
    norm::tree_sum,
    prefetch::{CACHE_LINE, prefetch_l2},
    scalar::attention::FloatElement,
    soft_cap::soft_cap,
};

/// Prefetch distance: keys or values are prefetched this many bytes ahead, a cache line at a time
/// between the products.
const PREFETCH_BYTES: usize = 8 << 10;

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
pub(super) struct Scratch {
    /// `[row][head][head_dim]`.
    queries: Vec<f32>,
    /// `[row][head][position]`.
    pub(super) scores: Vec<f32>,
    /// `[row][head]`.
    totals: Vec<f32>,
    /// Queries, or the weights of a page, as integers.
    integers: Integers,
    /// The keys of a page in the layout of values.
    turned: (Vec<f16>, Vec<f32>),
    /// `[row][head][dimension of the unit]`.
    pub(super) out: Vec<f32>,
}

/// A unit of work: some rows, one KV head and its query heads, over some pages.
pub(super) struct WorkUnit<'a> {
    pub(super) isa: Isa,
    pub(super) heads: Heads<'a>,
    /// The spans of all rows of the batch.
    pub(super) spans: &'a [Span],
    pub(super) cache: &'a dyn KvCache,
    pub(super) rows: Range<usize>,
    pub(super) kv_head: usize,
    pub(super) pages: Range<usize>,
    /// Which sides of the pages are read, in this order; for prefetching.
    pub(super) sides: &'a [Side],
}

impl WorkUnit<'_> {
    /// Number of query heads that share the KV head.
    pub(super) fn group(&self) -> usize {
        self.heads.n_heads / self.heads.n_kv_heads
    }

    /// Number of positions in the pages.
    pub(super) fn width(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// The score buffer, `[row][head][position]`, grown if needed.
    pub(super) fn score_rows<'s>(&self, scratch: &'s mut Scratch) -> &'s mut [f32] {
        let n_scores = self.rows.len() * self.group() * self.width();
        if scratch.scores.len() < n_scores {
            scratch.scores.resize(n_scores, 0.0);
        }
        &mut scratch.scores[..n_scores]
    }

    /// Computes the scores of all pages into `scratch.scores`.
    pub(super) fn score(&self, queries: &[f32], scratch: &mut Scratch) {
        let wide = self.group() * self.heads.head_dim;
        scratch.queries.clear();
        for row in self.rows.clone() {
            let at = row * self.heads.n_heads * self.heads.head_dim + self.kv_head * wide;
            scratch.queries.extend_from_slice(&queries[at..at + wide]);
        }
        self.score_rows(scratch);
        let width = self.width();
        let Scratch { queries, scores, integers, .. } = scratch;
        integers.clear();
        for page in self.pages.clone() {
            let at = (page - self.pages.start) * PAGE;
            self.for_shared_pages(page, |rows, keys| {
                let prefetch = self.prefetch_address(rows.start, page, &keys, Side::Keys);
                let of_rows = rows.start * self.group()..rows.end * self.group();
                let scores = &mut scores[of_rows.start * width..of_rows.end * width];
                let scale = self.heads.scale;
                let own = &queries[rows.start * wide..rows.end * wide];
                match keys {
                    Page::F16 { keys, .. } => {
                        dispatch!(
                            self.isa,
                            attention::scores(own, keys, prefetch, scale, scores, width, at)
                        );
                    }
                    Page::F32 { keys, .. } => {
                        dispatch!(
                            self.isa,
                            attention::scores(own, keys, prefetch, scale, scores, width, at)
                        );
                    }
                    Page::Q8 { keys, .. } => {
                        if integers.is_empty() {
                            integers.push_queries(self.isa, queries, self.heads.head_dim, scale);
                        }
                        integers.score(self.isa, of_rows, keys, prefetch, scores, (width, at));
                    }
                }
            });
        }
    }

    /// Softmax without the division: turns scores into weights, with their totals in
    /// `scratch.totals`.
    pub(super) fn softmax_weights(&self, scratch: &mut Scratch) {
        let (base, width) = (self.pages.start * PAGE, self.width());
        self.score_rows(scratch);
        let Scratch { scores, totals, .. } = scratch;
        totals.clear();
        let spans = &self.spans[self.rows.clone()];
        for (scores, span) in scores.chunks_exact_mut(self.group() * width).zip(spans) {
            // Positions of the row's pages outside its span are masked.
            let begin = span.pages().start * PAGE - base;
            let end = span.pages().end * PAGE - base;
            for (head, scores) in
                (self.kv_head * self.group()..).zip(scores.chunks_exact_mut(width))
            {
                let mut seen = begin;
                for part in span.parts() {
                    let (start, end) = (part.start - base, part.end - base);
                    scores[seen..start].fill(f32::NEG_INFINITY);
                    self.cap_and_bias(head, span.tail.end - 1, part, &mut scores[start..end]);
                    seen = end;
                }
                scores[seen..end].fill(f32::NEG_INFINITY);
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

    /// Applies the soft cap and ALiBi's bias to the scores of one query head at position `own` over
    /// neighbouring positions.
    fn cap_and_bias(&self, head: usize, own: usize, part: Range<usize>, scores: &mut [f32]) {
        if let Some(cap) = self.heads.soft_cap {
            soft_cap(self.isa, scores, cap);
        }
        if let Some(slope) = self.heads.slopes.get(head) {
            for (pos, score) in part.zip(scores) {
                *score -= slope * (own - pos) as f32;
            }
        }
    }

    /// Computes the weighted means of the values, dimensions `dims`, into `scratch.out`.
    pub(super) fn add_values(&self, dims: Range<usize>, scratch: &mut Scratch) {
        let Scratch { scores, totals, out, integers, turned, .. } = scratch;
        out.clear();
        out.resize(self.rows.len() * self.group() * dims.len(), 0.0);
        for page in self.pages.clone() {
            self.for_shared_pages(page, |rows, found| {
                let ahead = self.prefetch_address(rows.start, page, &found, Side::Values);
                match found {
                    Page::F16 { keys, values } => {
                        let values = or_turned(values, keys, &dims, &mut turned.0);
                        self.add_floats(values, page, rows, &dims, ahead, scores, out);
                    }
                    Page::F32 { keys, values } => {
                        let values = or_turned(values, keys, &dims, &mut turned.1);
                        self.add_floats(values, page, rows, &dims, ahead, scores, out);
                    }
                    Page::Q8 { values, .. } => {
                        self.weigh(values, page, &rows, scores, integers);
                        let out = &mut out[self.of_rows(&rows, dims.len())];
                        integers.add_values(self.isa, values, ahead, dims.clone(), out);
                    }
                }
            });
        }
        for (out, total) in out.chunks_exact_mut(dims.len()).zip(totals) {
            out.iter_mut().for_each(|x| *x /= *total);
        }
    }

    /// Puts the weights of a page of integers that `rows` share into `integers`.
    fn weigh(
        &self,
        values: &[i8],
        page: usize,
        rows: &Range<usize>,
        scores: &[f32],
        integers: &mut Integers,
    ) {
        let (width, at) = (self.width(), (page - self.pages.start) * PAGE);
        let scales = split_scales(values).1;
        integers.clear();
        for row in rows.clone() {
            let (slots, weights) =
                (self.slots(row, page), &scores[self.of_rows(&(row..row + 1), width)]);
            if slots == (0..PAGE) {
                integers.push_weights(self.isa, weights, (width, at), &scales);
                continue;
            }
            // The weights and scales of positions that the row doesn't see may be anything.
            let mut own_scales = [0.0; PAGE];
            own_scales[slots.clone()].copy_from_slice(&scales[slots.clone()]);
            for weights in weights.chunks_exact(width) {
                let mut own = [0.0; PAGE];
                let seen = at + slots.start..at + slots.end;
                own[slots.clone()].copy_from_slice(&weights[seen]);
                integers.push_weights(self.isa, &own, (PAGE, 0), &own_scales);
            }
        }
    }

    /// Adds the weighted values of a page that `rows` share.
    fn add_floats<T: FloatElement>(
        &self,
        values: &[T],
        page: usize,
        rows: Range<usize>,
        dims: &Range<usize>,
        prefetch: *const u8,
        scores: &[f32],
        out: &mut [f32],
    ) {
        let (width, at) = (self.width(), (page - self.pages.start) * PAGE);
        let mut add = |rows: Range<usize>, slots: Range<usize>| {
            if slots.is_empty() {
                return;
            }
            let weights = &scores[self.of_rows(&rows, width)];
            let out = &mut out[self.of_rows(&rows, dims.len())];
            let dims = dims.clone();
            dispatch!(
                self.isa,
                attention::add_values(weights, width, at, values, prefetch, slots, dims, out)
            );
        };
        // Masked slots are skipped, not multiplied by zero: they may hold anything, NaN included.
        let own = |row: usize| self.slots(row, page);
        let from = rows.clone().map(|row| own(row).start).max().unwrap_or(0);
        let to = rows.clone().map(|row| own(row).end).min().unwrap_or(0);
        if from < to {
            rows.clone().for_each(|row| add(row..row + 1, own(row).start..from));
            add(rows.clone(), from..to);
            rows.for_each(|row| add(row..row + 1, to..own(row).end));
        } else {
            rows.for_each(|row| add(row..row + 1, own(row)));
        }
    }

    /// The elements of some rows in `[row][head][len]`.
    fn of_rows(&self, rows: &Range<usize>, len: usize) -> Range<usize> {
        rows.start * self.group() * len..rows.end * self.group() * len
    }

    /// The slots of a page that a row sees.
    fn slots(&self, row: usize, page: usize) -> Range<usize> {
        self.spans[self.rows.start + row].slots(page)
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

    /// The address to prefetch while this side of page `page`, which is `own`, is read: what the
    /// unit reads [`PREFETCH_BYTES`] later. At the end, the page itself.
    fn prefetch_address(&self, row: usize, page: usize, own: &Page<'_>, side: Side) -> *const u8 {
        let n = self.pages.len();
        let address = |mut index: usize| {
            for side in self.sides {
                if index < n {
                    let page = self.pages.start + index;
                    return self.sees(row, page).then(|| self.page(row, page).address(*side));
                }
                index -= n;
            }
            None
        };
        let size = own.side_bytes();
        let ahead = (PREFETCH_BYTES as u32 / size as u32).max(1) as usize;
        let before = self.sides.iter().take_while(|other| **other != side).count();
        let index = before * n + page - self.pages.start;
        if index == 0 {
            // The first page prefetches everything up to that distance.
            for at in (1..ahead).filter_map(&address) {
                (0..size).step_by(CACHE_LINE).for_each(|line| prefetch_l2(at.wrapping_add(line)));
            }
        }
        address(index + ahead).unwrap_or(own.address(side))
    }

    /// Whether a row, relative to the unit's first, sees a position of a page.
    fn sees(&self, row: usize, page: usize) -> bool {
        self.spans[self.rows.start + row].sees(page)
    }

    fn page(&self, row: usize, page: usize) -> Page<'_> {
        let page = self.cache.page(self.rows.start + row, self.kv_head, page);
        assert!(page.fits(self.heads.head_dim), "a page has head_dim · PAGE keys and values");
        page
    }
}

/// The values of a page, or its keys in their layout, dimensions `dims`, if it has none.
fn or_turned<'a, T: FloatElement>(
    values: &'a [T],
    keys: &[T],
    dims: &Range<usize>,
    turned: &'a mut Vec<T>,
) -> &'a [T] {
    if !values.is_empty() {
        return values;
    }
    let head_dim = keys.len() / PAGE;
    turned.resize(keys.len(), T::default());
    for d in dims.clone() {
        for (slot, x) in keys[d * PAGE..(d + 1) * PAGE].iter().enumerate() {
            turned[slot * head_dim + d] = *x;
        }
    }
    turned
}

/// The greatest score: exact in any order.
fn maximum(scores: &[f32]) -> f32 {
    scores.iter().fold(f32::NEG_INFINITY, |max, &s| if max < s { s } else { max })
}
