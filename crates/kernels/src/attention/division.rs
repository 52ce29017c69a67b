//! Divides the work of attention among threads, and runs it.

use std::{cell::RefCell, ops::Range};

use half::f16;

use super::{
    span::Span,
    unit::{Heads, KvCache, Scratch, WorkUnit},
};
use crate::{
    isa::Isa,
    kv_cache::{PAGE, Side},
    pool::{DisjointPtr, Pool},
    prefetch::CACHE_LINE,
};

/// Minimum pages for which splitting a unit over the threads is worth a second job.
const MIN_PAGES_TO_SPLIT: usize = 8;

/// Maximum rows per unit, whose queries read each page together.
const MAX_ROWS_PER_UNIT: usize = 8;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Writes a unit's outputs for a range of a head's dimensions.
type Write<'a> = dyn Fn(&WorkUnit<'_>, Range<usize>, &[f32]) + Sync + 'a;

/// How the work is divided. A unit is a tile of rows with one KV head. The units left over when
/// they don't divide evenly among the threads are split into pieces, one for each thread: first
/// the scores by pages, then the values by dimensions. (Compare flash-decoding, which splits by
/// positions and merges partial sums; that would change the bits.)
pub(super) struct Division<'a> {
    isa: Isa,
    heads: Heads<'a>,
    spans: &'a [Span],
    cache: &'a dyn KvCache,
    rows_per_tile: usize,
    n_tiles: usize,
    /// Units before the split ones.
    n_whole: usize,
    n_split: usize,
    n_pieces: usize,
}

impl<'a> Division<'a> {
    pub(super) fn new(
        pool: &Pool,
        isa: Isa,
        heads: Heads<'a>,
        spans: &'a [Span],
        cache: &'a dyn KvCache,
    ) -> Division<'a> {
        let (n, n_pieces) = (spans.len(), pool.n_threads());
        let rows_per_tile = (n * heads.n_kv_heads / (2 * n_pieces)).clamp(1, MAX_ROWS_PER_UNIT);
        let n_tiles = n.div_ceil(rows_per_tile);
        let n_units = n_tiles * heads.n_kv_heads;
        let n_pages = spans.iter().map(|span| span.pages().len()).max().unwrap_or(0);
        let worth_splitting = n_units < 2 * n_pieces && n_pages >= MIN_PAGES_TO_SPLIT;
        let n_split = if worth_splitting { n_units % n_pieces } else { 0 };
        let n_whole = n_units - n_split;
        Division { isa, heads, spans, cache, rows_per_tile, n_tiles, n_whole, n_split, n_pieces }
    }

    fn unit<'s>(&'s self, unit: usize, sides: &'s [Side]) -> WorkUnit<'s> {
        let Division { isa, heads, spans, cache, rows_per_tile, n_tiles, .. } = *self;
        // Later rows see more positions: they go first, to balance the load.
        let tile = n_tiles - 1 - unit / heads.n_kv_heads;
        let rows = tile * rows_per_tile..((tile + 1) * rows_per_tile).min(spans.len());
        let first = spans[rows.clone()].iter().map(|span| span.pages().start).min().unwrap_or(0);
        let end = spans[rows.clone()].iter().map(|span| span.pages().end).max().unwrap_or(0);
        let (kv_head, pages) = (unit % heads.n_kv_heads, first..end);
        WorkUnit { isa, heads, spans, cache, rows, kv_head, pages, sides }
    }

    /// The pages of a split unit that belong to piece `piece`.
    fn piece(&self, pages: &Range<usize>, piece: usize) -> Range<usize> {
        let len = pages.len().div_ceil(self.n_pieces);
        let at = |piece: usize| (pages.start + piece * len).min(pages.end);
        at(piece)..at(piece + 1)
    }

    /// Scores that a piece of a split unit has at most.
    fn scores_per_piece(&self) -> usize {
        let split = self.n_whole..self.n_whole + self.n_split;
        let longest = split.map(|unit| self.unit(unit, &[]).pages.len()).max().unwrap_or(0);
        let group = self.heads.n_heads / self.heads.n_kv_heads;
        self.rows_per_tile * group * longest.div_ceil(self.n_pieces) * PAGE
    }

    /// Computes the whole units, and the scores of the split ones into `split_scores`. Where units
    /// are split, each thread gets an equal number of whole units, then its piece of each split
    /// unit.
    pub(super) fn run_whole_and_score(
        &self,
        pool: &Pool,
        queries: &[f32],
        split_scores: &mut Vec<f32>,
        write: &Write<'_>,
    ) {
        let (stride, n_pieces) = (self.scores_per_piece(), self.n_pieces);
        if split_scores.len() < self.n_split * n_pieces * stride {
            split_scores.resize(self.n_split * n_pieces * stride, 0.0);
        }
        let pieces = DisjointPtr(split_scores.as_mut_ptr());
        let n_threads = if self.n_split == 0 { 1 } else { n_pieces };
        let whole_per_thread = self.n_whole / n_threads;
        let tasks_per_thread = whole_per_thread + self.n_split;
        pool.run(n_threads * tasks_per_thread, &|task| {
            let (thread, at) = (task / tasks_per_thread, task % tasks_per_thread);
            SCRATCH.with_borrow_mut(|scratch| {
                if at < whole_per_thread {
                    let unit =
                        self.unit(thread * whole_per_thread + at, &[Side::Keys, Side::Values]);
                    unit.score(queries, scratch);
                    unit.softmax_weights(scratch);
                    unit.add_values(0..self.heads.head_dim, scratch);
                    write(&unit, 0..self.heads.head_dim, &scratch.out);
                    return;
                }
                let i = at - whole_per_thread;
                let mut unit = self.unit(self.n_whole + i, &[Side::Keys]);
                unit.pages = self.piece(&unit.pages, thread);
                let n_scores = unit.rows.len() * unit.group() * unit.width();
                unit.score(queries, scratch);
                let piece = pieces.at((i * n_pieces + thread) * stride);
                // SAFETY: each piece has `stride` elements of its own in `split_scores`, which was
                // grown to hold them: enough for the rows of a tile and the pages of a piece.
                // `split_scores` is borrowed mutably until `run` has returned.
                unsafe { std::slice::from_raw_parts_mut(piece, n_scores) }
                    .copy_from_slice(&scratch.scores[..n_scores]);
            });
        });
    }

    /// Computes the outputs of the split units from their scores: a task is a range of dimensions.
    pub(super) fn run_values(&self, pool: &Pool, split_scores: &[f32], write: &Write<'_>) {
        let (stride, head_dim) = (self.scores_per_piece(), self.heads.head_dim);
        let dims_per_piece =
            head_dim.div_ceil(self.n_pieces).next_multiple_of(CACHE_LINE / size_of::<f16>());
        let n_columns = head_dim.div_ceil(dims_per_piece);
        pool.run(self.n_split * n_columns, &|task| {
            SCRATCH.with_borrow_mut(|scratch| {
                let i = task / n_columns;
                let unit = self.unit(self.n_whole + i, &[Side::Values]);
                let scores = unit.score_rows(scratch);
                for piece in 0..self.n_pieces {
                    let pages = self.piece(&unit.pages, piece);
                    let (at, len) = ((pages.start - unit.pages.start) * PAGE, pages.len() * PAGE);
                    let done = &split_scores[(i * self.n_pieces + piece) * stride..];
                    for (scores, done) in
                        scores.chunks_exact_mut(unit.width()).zip(done.chunks(len.max(1)))
                    {
                        scores[at..at + len].copy_from_slice(&done[..len]);
                    }
                }
                unit.softmax_weights(scratch);
                let first = task % n_columns * dims_per_piece;
                let dims = first..(first + dims_per_piece).min(head_dim);
                unit.add_values(dims.clone(), scratch);
                write(&unit, dims, &scratch.out);
            });
        });
    }
}
