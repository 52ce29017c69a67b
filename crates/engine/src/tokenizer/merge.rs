//! The merging loop of both kinds of tokenizer.
//!
//! Neighbouring pieces are merged, the best pair of the whole text first and the leftmost among
//! equals, until no pair is left. A heap of candidate pairs and a linked list of pieces make it n
//! log n for any text.

use std::collections::BinaryHeap;

/// No piece: the end of the list, or a piece that isn't a token.
pub(super) const NONE: u32 = u32::MAX;

/// A text longer than this is cut before it is merged, so that places in it fit 32 bits, escaped
/// spaces included.
const LONGEST: usize = 1 << 30;

/// The text in parts of at most a GiB: one, for anything that a model could read.
pub(super) fn parts(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (part, rest) = text.split_at(text.floor_char_boundary(LONGEST));
        text = rest;
        (!part.is_empty()).then_some(part)
    })
}

/// A stretch of the text and the token it is, if it is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// In bytes, from the beginning of the text.
    pub(super) start: u32,
    /// In bytes; 0 once it was merged into its left neighbour.
    pub(super) len: u32,
    /// The token, or `NONE`.
    pub(super) token: u32,
    prev: u32,
    next: u32,
}

/// A pair that could be merged. The greatest is merged first: so field order is the order of
/// comparison.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    priority: u32,
    // Complemented, so that among equals the leftmost is the greatest.
    not_left: u32,
    len: u32,
    token: u32,
}

/// The working memory of the loop, kept between texts.
#[derive(Debug, Default)]
pub(super) struct Merger {
    pieces: Vec<Piece>,
    heap: BinaryHeap<Candidate>,
}

impl Merger {
    /// Forgets the previous text.
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.heap.clear();
    }

    /// Appends a piece to the text. The caller keeps a text's number of bytes below `u32::MAX`.
    pub(super) fn push(&mut self, len: u32, token: u32) {
        let index = self.pieces.len() as u32;
        let (start, prev) = match self.pieces.last_mut() {
            None => (0, NONE),
            Some(last) => {
                last.next = index;
                (last.start + last.len, index - 1)
            }
        };
        self.pieces.push(Piece { start, len, token, prev, next: NONE });
    }

    /// Merges until `pair` names no more: it gives a pair's priority (the greatest is merged first)
    /// and token.
    pub(super) fn merge(&mut self, pair: impl Fn(&Piece, &Piece) -> Option<(u32, u32)>) {
        for right in 1..self.pieces.len() as u32 {
            self.consider(right - 1, right, &pair);
        }
        while let Some(best) = self.heap.pop() {
            let left = !best.not_left;
            let Piece { len, next, prev, .. } = self.pieces[left as usize];
            if len == 0 || next == NONE || len + self.pieces[next as usize].len != best.len {
                // One of the two was merged with another in the meantime.
                continue;
            }
            let after = self.pieces[next as usize].next;
            self.pieces[next as usize].len = 0;
            let merged = &mut self.pieces[left as usize];
            merged.len = best.len;
            merged.token = best.token;
            merged.next = after;
            if after != NONE {
                self.pieces[after as usize].prev = left;
            }
            self.consider(prev, left, &pair);
            self.consider(left, after, &pair);
        }
    }

    fn consider(
        &mut self,
        left: u32,
        right: u32,
        pair: &impl Fn(&Piece, &Piece) -> Option<(u32, u32)>,
    ) {
        if left == NONE || right == NONE {
            return;
        }
        let (a, b) = (&self.pieces[left as usize], &self.pieces[right as usize]);
        if let Some((priority, token)) = pair(a, b) {
            self.heap.push(Candidate { priority, not_left: !left, len: a.len + b.len, token });
        }
    }

    /// What is left, in the order of the text.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(|piece| piece.len > 0)
    }
}
