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
/// products: a core waits once it has asked for some twenty lines that aren't there.
const AHEAD: usize = 8 << 10;

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
    /// As `queries`.
    out: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
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
    // A unit of work is a tile of rows with one key-value head. Few units that don't go round are split by query heads.
    let rows_a_tile = (n * heads.n_kv_heads / (2 * pool.n_threads())).clamp(1, ROWS);
    let n_tiles = n.div_ceil(rows_a_tile);
    let n_units = n_tiles * heads.n_kv_heads;
    let n_split = if n_units < 2 * pool.n_threads() { n_units % pool.n_threads() } else { 0 };
    let n_whole = n_units - n_split;
    let heads_a_piece = group.div_ceil(pool.n_threads());
    let n_pieces = group.div_ceil(heads_a_piece);
    let place = Disjoint(out.as_mut_ptr());
    pool.run(n_whole + n_split * n_pieces, &|task| {
        let (unit, in_group) = if task < n_whole {
            (task, 0..group)
        } else {
            let first = (task - n_whole) % n_pieces * heads_a_piece;
            (n_whole + (task - n_whole) / n_pieces, first..(first + heads_a_piece).min(group))
        };
        // Rows that come late see most: they go first, so that threads end together.
        let tile = n_tiles - 1 - unit / heads.n_kv_heads;
        let kv_head = unit % heads.n_kv_heads;
        let part = Part {
            isa,
            heads,
            spans,
            cache,
            rows: tile * rows_a_tile..((tile + 1) * rows_a_tile).min(n),
            kv_head,
            mine: kv_head * group + in_group.start..kv_head * group + in_group.end,
        };
        SCRATCH.with_borrow_mut(|scratch| {
            part.attend(queries, scratch);
            let wide = part.wide();
            for (row, done) in part.rows.clone().zip(scratch.out.chunks_exact(wide)) {
                let at = place.at(row * width + part.mine.start * heads.head_dim);
                // SAFETY: these heads of this row lie within `out` (checked above) and belong to this task alone, since
                // parts differ in rows, key-value head or query heads; `out` is borrowed mutably until `run` returns.
                unsafe { std::slice::from_raw_parts_mut(at, wide) }.copy_from_slice(done);
            }
        });
    });
}

/// Some rows with some query heads of one key-value head.
struct Part<'a> {
    isa: Isa,
    heads: Heads,
    /// Of all rows.
    spans: &'a [Range<usize>],
    cache: &'a dyn Cache,
    rows: Range<usize>,
    kv_head: usize,
    /// Of all query heads.
    mine: Range<usize>,
}

impl Part<'_> {
    /// Numbers of a row.
    fn wide(&self) -> usize {
        self.mine.len() * self.heads.head_dim
    }

    /// Attends into `scratch.out`.
    fn attend(&self, queries: &[f32], scratch: &mut Scratch) {
        let spans = &self.spans[self.rows.clone()];
        let first_page = spans.iter().map(|span| span.start / PAGE).min().unwrap_or(0);
        let end_page = spans.iter().map(|span| span.end.div_ceil(PAGE)).max().unwrap_or(0);
        let (base, width) = (first_page * PAGE, (end_page - first_page) * PAGE);
        let (n_heads, wide) = (self.mine.len(), self.wide());
        let Scratch { queries: mine, scores, totals, out } = scratch;
        mine.clear();
        for row in self.rows.clone() {
            let at = (row * self.heads.n_heads + self.mine.start) * self.heads.head_dim;
            mine.extend_from_slice(&queries[at..at + wide]);
        }
        out.clear();
        out.resize(mine.len(), 0.0);
        let n_scores = spans.len() * n_heads * width;
        if scores.len() < n_scores {
            scores.resize(n_scores, 0.0);
        }
        let scores = &mut scores[..n_scores];

        for page in first_page..end_page {
            let at = page * PAGE - base;
            self.for_runs(page, |rows, keys| {
                let soon = self.soon(rows.start, page, Half::Keys);
                let queries = &mine[rows.start * wide..rows.end * wide];
                let scores = &mut scores[rows.start * n_heads * width..rows.end * n_heads * width];
                match keys {
                    Page::F16 { keys, .. } => {
                        dispatch!(
                            self.isa,
                            attention::scores(queries, keys, soon, self.heads.scale, scores, width, at)
                        );
                    }
                    Page::F32 { keys, .. } => {
                        dispatch!(
                            self.isa,
                            attention::scores(queries, keys, soon, self.heads.scale, scores, width, at)
                        );
                    }
                }
            });
        }
        totals.clear();
        for (scores, span) in scores.chunks_exact_mut(n_heads * width).zip(spans) {
            // The row's own pages; what lies outside of its span weighs nothing.
            let begin = span.start / PAGE * PAGE - base;
            let end = span.end.next_multiple_of(PAGE) - base;
            for scores in scores.chunks_exact_mut(width) {
                scores[begin..span.start - base].fill(f32::NEG_INFINITY);
                scores[span.end - base..end].fill(f32::NEG_INFINITY);
                totals.push(tree(dispatch!(self.isa, attention::weigh(&mut scores[begin..end]))));
            }
        }
        for page in first_page..end_page {
            let at = page * PAGE - base;
            self.for_runs(page, |rows, values| {
                let soon = self.soon(rows.start, page, Half::Values);
                let mut add = |rows: Range<usize>, places: Range<usize>| {
                    if places.is_empty() {
                        return;
                    }
                    let weights = &scores[rows.start * n_heads * width..rows.end * n_heads * width];
                    let out = &mut out[rows.start * wide..rows.end * wide];
                    match values {
                        Page::F16 { values, .. } => {
                            dispatch!(
                                self.isa,
                                attention::add_values(weights, width, at, values, soon, places, out)
                            );
                        }
                        Page::F32 { values, .. } => {
                            dispatch!(
                                self.isa,
                                attention::add_values(weights, width, at, values, soon, places, out)
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
        for (out, total) in out.chunks_exact_mut(self.heads.head_dim).zip(totals) {
            out.iter_mut().for_each(|x| *x /= *total);
        }
    }

    /// Calls `f` with each run of neighbouring rows (counted from the part's first) that see something of page `page` and
    /// share it.
    fn for_runs(&self, page: usize, mut f: impl FnMut(Range<usize>, Page<'_>)) {
        let spans = &self.spans[self.rows.clone()];
        let sees = |row: usize| spans[row].start < (page + 1) * PAGE && spans[row].end > page * PAGE;
        let mut row = 0;
        while row < spans.len() {
            if !sees(row) {
                row += 1;
                continue;
            }
            let found = self.page(row, page);
            let first = row;
            row += 1;
            while row < spans.len() && sees(row) && self.page(row, page).address(Half::Keys) == found.address(Half::Keys) {
                row += 1;
            }
            f(first..row, found);
        }
    }

    /// Where that lies which row `row` reads [`AHEAD`] bytes after this half of page `page`: keys, after the last of them values,
    /// after the last of those nothing new.
    fn soon(&self, row: usize, page: usize, half: Half) -> *const u8 {
        let span = &self.spans[self.rows.start + row];
        let (first, n) = (span.start / PAGE, span.end.div_ceil(PAGE) - span.start / PAGE);
        let address = |place: usize| match place / n {
            0 => self.page(row, first + place).address(Half::Keys),
            1 => self.page(row, first + place - n).address(Half::Values),
            _ => self.page(row, page).address(half),
        };
        let ahead = (AHEAD / (self.heads.head_dim * PAGE * size_of::<f16>())).max(1);
        let place = page - first + if half == Half::Keys { 0 } else { n };
        if place == 0 {
            // Before the first page, all that lies between.
            let size = self.heads.head_dim * PAGE * size_of::<f16>();
            for between in 1..ahead {
                let at = address(between);
                (0..size).step_by(LINE).for_each(|line| prefetch(at.wrapping_add(line)));
            }
        }
        address(place + ahead)
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
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pages::{Stored, store};

    /// `[sequence][page]`; a page has for each key-value head its keys, then for each its values. Row r belongs to sequence `of[r]`.
    struct Pages<T> {
        heads: Heads,
        pages: Vec<Vec<Arc<Vec<T>>>>,
        of: Vec<usize>,
        wrap: for<'a> fn(&'a [T], &'a [T]) -> Page<'a>,
    }

    impl<T: Stored> Cache for Pages<T> {
        fn page(&self, row: usize, kv_head: usize, page: usize) -> Page<'_> {
            let len = self.heads.head_dim * PAGE;
            let (keys, values) = self.pages[self.of[row]][page].split_at(self.heads.n_kv_heads * len);
            (self.wrap)(&keys[kv_head * len..][..len], &values[kv_head * len..][..len])
        }
    }

    fn number(i: usize) -> f32 {
        ((i * 7919 + 13) % 1009) as f32 / 504.5 - 1.0
    }

    /// The key (salt 0) or value (salt 1) of a head at a position; sequences differ from position 40 on.
    fn stored<T: Stored>(sequence: usize, head: usize, pos: usize, salt: usize, head_dim: usize) -> Vec<f32> {
        let own = if pos < 40 { 0 } else { sequence * 389 };
        let at = |d: usize| number(pos * 977 + d * 3 + head * 131 + salt + own);
        let x: Vec<f32> = (0..head_dim).map(at).collect();
        let mut narrow = vec![T::default(); head_dim];
        T::from_f32s(Isa::SCALAR, &x, &mut narrow);
        narrow.into_iter().map(T::to_f32).collect()
    }

    fn pages<T: Stored>(
        heads: Heads,
        of: &[usize],
        wrap: for<'a> fn(&'a [T], &'a [T]) -> Page<'a>,
    ) -> Pages<T> {
        let len = heads.head_dim * PAGE;
        let page = |sequence: usize, page: usize| {
            // What no row sees may be anything.
            let mut numbers = vec![T::default(); 2 * heads.n_kv_heads * len];
            T::from_f32s(Isa::SCALAR, &vec![f32::NAN; numbers.len()], &mut numbers);
            let (keys, values) = numbers.split_at_mut(heads.n_kv_heads * len);
            for head in 0..heads.n_kv_heads {
                for pos in page * PAGE..((page + 1) * PAGE).min(150) {
                    let [key, value] =
                        [0, 1].map(|salt| stored::<T>(sequence, head, pos, salt, heads.head_dim));
                    let range = head * len..(head + 1) * len;
                    let (keys, values) = (&mut keys[range.clone()], &mut values[range]);
                    store(Isa::best(), keys, values, pos % PAGE, &key, &value);
                }
            }
            Arc::new(numbers)
        };
        // The first page is shared by all.
        let first = page(0, 0);
        let sequence = |s| [first.clone()].into_iter().chain((1..5).map(|i| page(s, i))).collect();
        Pages { heads, pages: (0..3).map(sequence).collect(), of: of.to_vec(), wrap }
    }

    fn check<T: Stored>(
        heads: Heads,
        rows: &[(usize, Range<usize>)],
        wrap: for<'a> fn(&'a [T], &'a [T]) -> Page<'a>,
    ) {
        let of: Vec<usize> = rows.iter().map(|row| row.0).collect();
        let spans: Vec<_> = rows.iter().map(|row| row.1.clone()).collect();
        let cache = pages(heads, &of, wrap);
        let width = heads.n_heads * heads.head_dim;
        let queries: Vec<f32> = (0..rows.len() * width).map(|i| number(i * 31) * 3.0).collect();
        let run = |threads: usize, isa: Isa| {
            let mut out = vec![1.0; queries.len()];
            attend(&Pool::new(threads), isa, heads, &queries, &spans, &cache, &mut out);
            out
        };
        let spec = run(1, Isa::SCALAR);
        for isa in Isa::all() {
            for threads in [1, 2, 3] {
                assert_eq!(spec, run(threads, isa), "{heads:?}, {rows:?}, {}, {threads} threads", isa.name());
            }
        }
        for (row, (sequence, span)) in rows.iter().enumerate() {
            let alone = pages(heads, &[*sequence], wrap);
            let mut out = vec![0.0; width];
            let queries = &queries[row * width..(row + 1) * width];
            attend(&Pool::new(1), Isa::best(), heads, queries, std::slice::from_ref(span), &alone, &mut out);
            assert_eq!(out, spec[row * width..(row + 1) * width], "row {row} alone");
            // And the textbook in f64.
            let head = row % heads.n_heads;
            let q = &queries[head * heads.head_dim..][..heads.head_dim];
            let kv = |pos, salt| {
                stored::<T>(*sequence, head / (heads.n_heads / heads.n_kv_heads), pos, salt, heads.head_dim)
            };
            let score = |pos| {
                kv(pos, 0).iter().zip(q).map(|(k, q)| f64::from(k * q)).sum::<f64>() * f64::from(heads.scale)
            };
            let scores: Vec<f64> = span.clone().map(score).collect();
            let max = scores.iter().copied().fold(f64::MIN, f64::max);
            let total: f64 = scores.iter().map(|s| (s - max).exp()).sum();
            let mut truth = vec![0.0; heads.head_dim];
            for (pos, s) in span.clone().zip(&scores) {
                let weight = (s - max).exp() / total;
                truth.iter_mut().zip(kv(pos, 1)).for_each(|(sum, v)| *sum += weight * f64::from(v));
            }
            for (truth, found) in truth.iter().zip(&out[head * heads.head_dim..]) {
                assert!((truth - f64::from(*found)).abs() < 2e-5, "{truth} {found}");
            }
        }
    }

    #[test]
    fn instruction_sets_threads_and_companions_agree_and_follow_the_formula() {
        // A prompt's rows, rows of several continuations, windows, and rows that have nothing in common.
        let prompt: Vec<_> = (60..79).map(|pos| (1, 0..pos + 1)).collect();
        let window: Vec<_> = (25..45).map(|pos| (2, (pos - 20usize)..pos + 1)).collect();
        let ways: Vec<_> = (0..7).map(|i| (i % 3, 0..90 + 9 * i)).collect();
        let apart = vec![(0, 3..7), (1, 100..131), (1, 64..96), (2, 0..150), (0, 31..33)];
        for (n_heads, n_kv_heads, head_dim) in [(9, 3, 64), (4, 1, 256), (2, 2, 80), (7, 1, 8), (5, 1, 6)] {
            let heads = Heads { n_heads, n_kv_heads, head_dim, scale: 0.37 };
            for rows in [&prompt, &window, &ways, &apart, &vec![(0, 0..1)], &vec![(0, 5..131)]] {
                check::<f16>(heads, rows, |keys, values| Page::F16 { keys, values });
                check::<f32>(heads, rows, |keys, values| Page::F32 { keys, values });
            }
        }
    }
}
