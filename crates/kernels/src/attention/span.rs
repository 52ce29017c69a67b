//! Which positions a row sees.

use std::ops::Range;

use crate::kv_cache::PAGE;

/// The positions that a row sees: usually neighbours. Others may come before them, from position 0
/// on, which share no page with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// How many positions from 0 on.
    pub head: usize,
    /// Neighbours, the row's own position the last of them.
    pub tail: Range<usize>,
}

impl From<Range<usize>> for Span {
    fn from(tail: Range<usize>) -> Span {
        Span { head: 0, tail }
    }
}

impl Span {
    /// Whether there are neighbours, on other pages than the positions before them.
    pub(super) fn is_valid(&self) -> bool {
        !self.tail.is_empty() && self.head.next_multiple_of(PAGE) <= self.tail.start / PAGE * PAGE
    }

    /// From the first page that is seen to the last one.
    pub(super) fn pages(&self) -> Range<usize> {
        let first = if self.head > 0 { 0 } else { self.tail.start / PAGE };
        first..self.tail.end.div_ceil(PAGE)
    }

    /// What is seen, in one or two parts.
    pub(super) fn parts(&self) -> impl Iterator<Item = Range<usize>> {
        [0..self.head, self.tail.clone()].into_iter().filter(|part| !part.is_empty())
    }

    /// Whether a position of a page is seen.
    pub(super) fn sees(&self, page: usize) -> bool {
        let of_page = |part: Range<usize>| part.start < (page + 1) * PAGE && part.end > page * PAGE;
        self.parts().any(of_page)
    }

    /// The slots that are seen of a page of which one is.
    pub(super) fn slots(&self, page: usize) -> Range<usize> {
        let start = page * PAGE;
        let part = if start < self.head { 0..self.head } else { self.tail.clone() };
        part.start.max(start) - start..part.end.min(start + PAGE) - start
    }
}
