//! Attention of a batch of rows over pages of keys and values.
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
//! on how the work was cut, by positions, dimensions, heads or rows. So rows that share a page (of one prompt, or of several
//! continuations of it) go over it together, and it is read once for them.

use std::{cell::RefCell, ops::Range};

use half::f16;

use crate::{
    isa::{Isa, dispatch},
    norm::{LANES, tree},
    pages::{Half, LINE, PAGE, Page, prefetch},
    pool::{Disjoint, Pool},
};

/// How many bytes of keys or values are on their way while others are read. They are asked for a line at a time, between the
/// products.
const AHEAD: usize = 8 << 10;

/// Pages from which on splitting a unit is worth a second job.
const PAGES_TO_SPLIT: usize = 8;

/// Rows whose queries go over the pages together.
const ROWS: usize = 8;

/// What the heads of a layer are like. Each key-value head serves n_heads / n_kv_heads neighbouring query heads.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// Query heads.
    pub n_heads: usize,
    /// Key-value heads.
    pub n_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// What scores are multiplied with.
    pub scale: f32,
}

/// The pages of every row's sequence.
pub trait Cache: Sync {
    /// Page `page` of the sequence that row `row` belongs to.
    fn page(&self, row: usize, kv_head: usize, page: usize) -> Page<'_>;
}

/// What a thread needs for its part: grown once to the longest context, then reused.
#[derive(Default)]
struct Scratch {
    /// `[row][head][head_dim]`.
    queries: Vec<f32>,
    /// `[row][head][position]`.
    scores: Vec<f32>,
    /// `[row][head]`.
    totals: Vec<f32>,
    /// `[row][head][dimension of the part]`.
    out: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
    /// Scores that threads hand to each other, `[unit][piece][row][head][position of the piece]`.
    static HANDED: RefCell<Vec<f32>> = RefCell::default();
}

/// Attends with each row of `queries` (n × n_heads·head_dim) to the positions `spans[row]`; `out` has the shape of `queries`.
pub fn attend(
    pool: &Pool,
    isa: Isa,
    heads: Heads,
    queries: &[f32],
    spans: &[Range<usize>],
    cache: &dyn Cache,
    out: &mut [f32],
) {
    let (n, width) = (spans.len(), heads.n_heads * heads.head_dim);
    assert!(queries.len() == n * width && out.len() == n * width, "queries and a place for each span");
    assert!(spans.iter().all(|span| !span.is_empty()), "each row sees a position, its own at least");
    let group = heads.n_heads / heads.n_kv_heads;
    // A unit of work is a tile of rows with one key-value head. Few units that don't go round are split: their scores by pages,
    // then, when all scores are there, their values by dimensions, so that each thread reads its own part of the cache.
    let rows_a_tile = (n * heads.n_kv_heads / (2 * pool.n_threads())).clamp(1, ROWS);
    let n_tiles = n.div_ceil(rows_a_tile);
    let n_units = n_tiles * heads.n_kv_heads;
    let n_pages = spans.iter().map(|span| span.end.div_ceil(PAGE) - span.start / PAGE).max().unwrap_or(0);
    let worth = n_units < 2 * pool.n_threads() && n_pages >= PAGES_TO_SPLIT;
    let n_split = if worth { n_units % pool.n_threads() } else { 0 };
    let n_whole = n_units - n_split;
    let n_pieces = pool.n_threads();
    let part = |unit: usize, halves| {
        // Rows that come late see most: they go first, so that threads end together.
        let tile = n_tiles - 1 - unit / heads.n_kv_heads;
        let rows = tile * rows_a_tile..((tile + 1) * rows_a_tile).min(n);
        let first = spans[rows.clone()].iter().map(|span| span.start / PAGE).min().unwrap_or(0);
        let end = spans[rows.clone()].iter().map(|span| span.end.div_ceil(PAGE)).max().unwrap_or(0);
        Part { isa, heads, spans, cache, rows, kv_head: unit % heads.n_kv_heads, pages: first..end, halves }
    };
    let piece_of = |pages: Range<usize>, piece: usize| {
        let len = pages.len().div_ceil(n_pieces);
        (pages.start + piece * len).min(pages.end)..(pages.start + (piece + 1) * len).min(pages.end)
    };
    let place = Disjoint(out.as_mut_ptr());
    let write = |part: &Part<'_>, dims: Range<usize>, done: &[f32]| {
        let mut done = done.chunks_exact(dims.len());
        for row in part.rows.clone() {
            for (head, done) in (part.kv_head * group..).zip(done.by_ref().take(group)) {
                let at = place.at(row * width + head * heads.head_dim + dims.start);
                // SAFETY: these dimensions of this head of this row lie within `out` (checked above) and belong to this task
                // alone, since parts differ in rows, key-value head or dimensions; `out` is borrowed mutably until the last
                // `run` has returned.
                unsafe { std::slice::from_raw_parts_mut(at, dims.len()) }.copy_from_slice(done);
            }
        }
    };
    HANDED.with_borrow_mut(|handed| {
        let split = n_whole..n_units;
        let longest = split.clone().map(|unit| part(unit, &[]).pages.len()).max().unwrap_or(0);
        let stride = rows_a_tile * group * longest.div_ceil(n_pieces) * PAGE;
        if handed.len() < n_split * n_pieces * stride {
            handed.resize(n_split * n_pieces * stride, 0.0);
        }
        let pieces = Disjoint(handed.as_mut_ptr());
        // Where there are pieces, a thread's share of the tasks is as many whole units as any other's, then its piece of each
        // unit that is split.
        let n_threads = if n_split == 0 { 1 } else { n_pieces };
        let whole_a_thread = n_whole / n_threads;
        let tasks_a_thread = whole_a_thread + n_split;
        pool.run(n_threads * tasks_a_thread, &|task| {
            let (thread, at) = (task / tasks_a_thread, task % tasks_a_thread);
            SCRATCH.with_borrow_mut(|scratch| {
                if at < whole_a_thread {
                    let part = part(thread * whole_a_thread + at, &[Half::Keys, Half::Values]);
                    part.score(queries, scratch);
                    part.weigh(scratch);
                    part.add_values(0..heads.head_dim, scratch);
                    write(&part, 0..heads.head_dim, &scratch.out);
                    return;
                }
                let unit = at - whole_a_thread;
                let piece = unit * n_pieces + thread;
                let mut part = part(n_whole + unit, &[Half::Keys]);
                part.pages = piece_of(part.pages, thread);
                let n_scores = part.rows.len() * group * part.pages.len() * PAGE;
                part.score(queries, scratch);
                // SAFETY: a piece has `stride` numbers of its own, which `handed` was grown to hold and which are as many as
                // the rows of a tile need for the pages of a piece; `handed` is borrowed mutably until both runs have returned.
                unsafe { std::slice::from_raw_parts_mut(pieces.at(piece * stride), n_scores) }
                    .copy_from_slice(&scratch.scores[..n_scores]);
            });
        });
        let handed = &*handed;
        let dims_a_piece = heads.head_dim.div_ceil(n_pieces).next_multiple_of(LINE / size_of::<f16>());
        let n_columns = heads.head_dim.div_ceil(dims_a_piece);
        pool.run(n_split * n_columns, &|task| {
            SCRATCH.with_borrow_mut(|scratch| {
                let unit = task / n_columns;
                let part = part(n_whole + unit, &[Half::Values]);
                let scores = part.room(scratch);
                for piece in 0..n_pieces {
                    let pages = piece_of(part.pages.clone(), piece);
                    let (at, len) = ((pages.start - part.pages.start) * PAGE, pages.len() * PAGE);
                    let done = &handed[(unit * n_pieces + piece) * stride..];
                    for (scores, done) in scores.chunks_exact_mut(part.width()).zip(done.chunks(len.max(1))) {
                        scores[at..at + len].copy_from_slice(&done[..len]);
                    }
                }
                part.weigh(scratch);
                let first = task % n_columns * dims_a_piece;
                let dims = first..(first + dims_a_piece).min(heads.head_dim);
                part.add_values(dims.clone(), scratch);
                write(&part, dims, &scratch.out);
            });
        });
    });
}

/// Some rows with one key-value head and its query heads, over some pages.
struct Part<'a> {
    isa: Isa,
    heads: Heads,
    /// Of all rows.
    spans: &'a [Range<usize>],
    cache: &'a dyn Cache,
    rows: Range<usize>,
    kv_head: usize,
    pages: Range<usize>,
    /// What of the pages is read, in this order.
    halves: &'a [Half],
}

impl Part<'_> {
    /// Query heads of the key-value head.
    fn group(&self) -> usize {
        self.heads.n_heads / self.heads.n_kv_heads
    }

    /// Positions of the pages.
    fn width(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// Room for the scores of each row and head.
    fn room<'s>(&self, scratch: &'s mut Scratch) -> &'s mut [f32] {
        let n_scores = self.rows.len() * self.group() * self.width();
        if scratch.scores.len() < n_scores {
            scratch.scores.resize(n_scores, 0.0);
        }
        &mut scratch.scores[..n_scores]
    }

    /// Leaves the scores of all pages in `scratch.scores`.
    fn score(&self, queries: &[f32], scratch: &mut Scratch) {
        let wide = self.group() * self.heads.head_dim;
        scratch.queries.clear();
        for row in self.rows.clone() {
            let at = row * self.heads.n_heads * self.heads.head_dim + self.kv_head * wide;
            scratch.queries.extend_from_slice(&queries[at..at + wide]);
        }
        self.room(scratch);
        let width = self.width();
        let Scratch { queries, scores, .. } = scratch;
        for page in self.pages.clone() {
            let at = (page - self.pages.start) * PAGE;
            self.for_runs(page, |rows, keys| {
                let soon = self.soon(rows.start, page, Half::Keys);
                let queries = &queries[rows.start * wide..rows.end * wide];
                let scores = &mut scores[rows.start * self.group() * width..rows.end * self.group() * width];
                let scale = self.heads.scale;
                match keys {
                    Page::F16 { keys, .. } => {
                        dispatch!(self.isa, attention::scores(queries, keys, soon, scale, scores, width, at));
                    }
                    Page::F32 { keys, .. } => {
                        dispatch!(self.isa, attention::scores(queries, keys, soon, scale, scores, width, at));
                    }
                }
            });
        }
    }

    /// Makes weights of the scores and leaves their sums in `scratch.totals`.
    fn weigh(&self, scratch: &mut Scratch) {
        let (base, width) = (self.pages.start * PAGE, self.width());
        self.room(scratch);
        let Scratch { scores, totals, .. } = scratch;
        totals.clear();
        let spans = &self.spans[self.rows.clone()];
        for (scores, span) in scores.chunks_exact_mut(self.group() * width).zip(spans) {
            // The row's own pages; what lies outside of its span weighs nothing.
            let begin = span.start / PAGE * PAGE - base;
            let end = span.end.next_multiple_of(PAGE) - base;
            for scores in scores.chunks_exact_mut(width) {
                scores[begin..span.start - base].fill(f32::NEG_INFINITY);
                scores[span.end - base..end].fill(f32::NEG_INFINITY);
                totals.push(tree(dispatch!(self.isa, attention::weigh(&mut scores[begin..end]))));
            }
        }
    }

    /// Leaves the dimensions `dims` of the means in `scratch.out`.
    fn add_values(&self, dims: Range<usize>, scratch: &mut Scratch) {
        let (group, width) = (self.group(), self.width());
        let spans = &self.spans[self.rows.clone()];
        let Scratch { scores, totals, out, .. } = scratch;
        out.clear();
        out.resize(spans.len() * group * dims.len(), 0.0);
        for page in self.pages.clone() {
            let at = (page - self.pages.start) * PAGE;
            self.for_runs(page, |rows, values| {
                let soon = self.soon(rows.start, page, Half::Values);
                let mut add = |rows: Range<usize>, places: Range<usize>| {
                    if places.is_empty() {
                        return;
                    }
                    let weights = &scores[rows.start * group * width..rows.end * group * width];
                    let out = &mut out[rows.start * group * dims.len()..rows.end * group * dims.len()];
                    let dims = dims.clone();
                    match values {
                        Page::F16 { values, .. } => {
                            dispatch!(
                                self.isa,
                                attention::add_values(weights, width, at, values, soon, places, dims, out)
                            );
                        }
                        Page::F32 { values, .. } => {
                            dispatch!(
                                self.isa,
                                attention::add_values(weights, width, at, values, soon, places, dims, out)
                            );
                        }
                    }
                };
                // Places that a row doesn't see are left out, not multiplied by zero: they may hold anything.
                let places = |span: &Range<usize>| {
                    span.start.max(page * PAGE) - page * PAGE..span.end.min((page + 1) * PAGE) - page * PAGE
                };
                let own = |row: usize| places(&spans[row]);
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

    /// Calls `f` with each run of neighbouring rows (counted from the part's first) that see something of page `page` and
    /// share it.
    fn for_runs(&self, page: usize, mut f: impl FnMut(Range<usize>, Page<'_>)) {
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
                && self.page(row, page).address(Half::Keys) == found.address(Half::Keys)
            {
                row += 1;
            }
            f(first..row, found);
        }
    }

    /// Where that lies which the part reads [`AHEAD`] bytes after this half of page `page` of row `row`; after the last nothing new.
    fn soon(&self, row: usize, page: usize, half: Half) -> *const u8 {
        let n = self.pages.len();
        let address = |place: usize| match self.halves.get(place / n) {
            Some(half) if self.sees(row, self.pages.start + place % n) => {
                self.page(row, self.pages.start + place % n).address(*half)
            }
            _ => self.page(row, page).address(half),
        };
        let size = self.heads.head_dim * PAGE * size_of::<f16>();
        let ahead = (AHEAD / size).max(1);
        let before = self.halves.iter().take_while(|other| **other != half).count();
        let place = before * n + page - self.pages.start;
        if place == 0 {
            // Before the first page, all that lies between.
            for between in 1..ahead {
                let at = address(between);
                (0..size).step_by(LINE).for_each(|line| prefetch(at.wrapping_add(line)));
            }
        }
        address(place + ahead)
    }

    /// Whether a row (counted from the part's first) sees something of a page.
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
        assert_eq!(n, [self.heads.head_dim * PAGE; 2], "a page of keys and values");
        page
    }
}

const _: () = assert!(PAGE.is_multiple_of(LANES), "a place in a page has the lane of its absolute position");

#[cfg(test)]
mod tests;
