//! Splits a text at the special tokens that are written in it.
//!
//! The partition equals that of llama.cpp's `tokenizer_st_partition`: the longest special token
//! first wherever it occurs, from the left; then shorter ones in the remaining text.

use std::{collections::HashSet, ops::Range};

use super::vocabulary::{Kind, Vocabulary};
use crate::TokenId;

/// A stretch of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fragment<'a> {
    Text(&'a str),
    Token(u32),
}

/// A stretch of a text with its tokens.
pub(super) struct Encoded<'a> {
    /// Where it begins, in bytes.
    pub(super) at: usize,
    pub(super) fragment: Fragment<'a>,
    /// Whether a space was put in front of it where the scheme puts one there.
    pub(super) prefix: bool,
    pub(super) tokens: &'a [TokenId],
}

/// The special tokens of a vocabulary, ready to be searched for.
#[derive(Debug)]
pub(super) struct Specials {
    /// User-defined tokens, which text always turns into.
    always: Needles,
    /// These and the control and unknown tokens, which it turns into when asked to.
    all: Needles,
    /// Tokens that white space after them belongs to, which becomes nothing.
    strips: HashSet<u32, foldhash::fast::RandomState>,
}

impl Specials {
    /// The special tokens; `strips` are those that take the white space after them along.
    pub(super) fn new(vocabulary: &Vocabulary, strips: impl IntoIterator<Item = u32>) -> Specials {
        Specials {
            strips: strips.into_iter().collect(),
            always: Needles::new(vocabulary, |kind| kind == Kind::UserDefined),
            all: Needles::new(vocabulary, |kind| {
                matches!(kind, Kind::UserDefined | Kind::Control | Kind::Shown | Kind::Unknown)
            }),
        }
    }

    /// Cuts a text at user-defined tokens, and at control and unknown tokens outside of `plain`.
    ///
    /// `plain` are byte ranges, sorted and disjoint. Each fragment comes with its place in the
    /// text; no fragment of text is empty.
    pub(super) fn partition<'a>(
        &self,
        vocabulary: &Vocabulary,
        text: &'a str,
        plain: &[Range<usize>],
    ) -> Vec<(usize, Fragment<'a>)> {
        let all_plain = plain.first().is_some_and(|range| *range == (0..text.len()));
        let needles = if all_plain { &self.always } else { &self.all };
        let is_allowed = |place: Range<usize>, token: u32| {
            let next = plain.partition_point(|range| range.end <= place.start);
            let is_outside = plain.get(next).is_none_or(|range| place.end <= range.start);
            is_outside || self.always.tokens.contains(&token)
        };
        let mut fragments = Vec::new();
        let mut end = 0;
        for (start, token) in needles.find_all(vocabulary, text, is_allowed) {
            if end < start {
                fragments.push((end, Fragment::Text(&text[end..start])));
            }
            fragments.push((start, Fragment::Token(token)));
            end = start + vocabulary.text(token).len();
            if self.strips.contains(&token) {
                end += text[end..].bytes().take_while(|&byte| is_c_space(byte)).count();
            }
        }
        if end < text.len() {
            fragments.push((end, Fragment::Text(&text[end..])));
        }
        fragments
    }
}

/// C's `isspace`.
fn is_c_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0B
}

/// Texts to be searched for.
#[derive(Debug)]
struct Needles {
    tokens: HashSet<u32, foldhash::fast::RandomState>,
    /// Their distinct lengths in bytes, longest first.
    lengths: Vec<usize>,
    /// A bit for each pair of bytes that one of them begins with: few places of a text get past it.
    starts: Box<[u64; 1024]>,
}

impl Needles {
    fn new(vocabulary: &Vocabulary, wanted: impl Fn(Kind) -> bool) -> Needles {
        let mut needles = Needles {
            tokens: HashSet::default(),
            lengths: Vec::new(),
            starts: Box::new([0; 1024]),
        };
        for (id, _) in vocabulary.kinds.iter().enumerate().filter(|&(_, &kind)| wanted(kind)) {
            let id = id as u32;
            let text = vocabulary.text(id).as_bytes();
            match *text {
                [] => continue,
                [first] => (0..=255).for_each(|second| needles.mark([first, second])),
                [first, second, ..] => needles.mark([first, second]),
            }
            needles.tokens.insert(id);
            needles.lengths.push(text.len());
        }
        needles.lengths.sort_unstable_by(|a, b| b.cmp(a));
        needles.lengths.dedup();
        needles
    }

    fn mark(&mut self, start: [u8; 2]) {
        let bit = usize::from(u16::from_be_bytes(start));
        self.starts[bit / 64] |= 1 << (bit % 64);
    }

    /// Whether a needle may begin with these bytes.
    fn may_start(&self, bytes: &[u8]) -> bool {
        let bit = match *bytes {
            [first, second, ..] => usize::from(u16::from_be_bytes([first, second])),
            // The last byte of a text: only a needle of one byte fits, and those are marked with
            // every second byte.
            [first] => usize::from(u16::from_be_bytes([first, 0])),
            [] => return false,
        };
        self.starts[bit / 64] & 1 << (bit % 64) != 0
    }

    /// Where which token stands, in the order of the text, none overlapping another.
    /// `is_allowed` is asked about each place of a token.
    fn find_all(
        &self,
        vocabulary: &Vocabulary,
        text: &str,
        is_allowed: impl Fn(Range<usize>, u32) -> bool,
    ) -> Vec<(usize, u32)> {
        if self.tokens.is_empty() {
            return Vec::new();
        }
        let bytes = text.as_bytes();
        // Each place with the end of the stretch that is free from there on; found tokens split the
        // stretches.
        let mut places: Vec<(usize, usize)> = (0..bytes.len())
            .filter(|&at| self.may_start(&bytes[at..]))
            .map(|at| (at, bytes.len()))
            .collect();
        let mut found = Vec::new();
        for &length in &self.lengths {
            if places.is_empty() {
                break;
            }
            let n_before = found.len();
            let mut taken_until = 0;
            for &(at, free_until) in &places {
                if at < taken_until || at + length > free_until {
                    continue;
                }
                // `get` is None where the end would lie inside of a character.
                let token = text.get(at..at + length).and_then(|text| vocabulary.find(text));
                let is_needle = |token: &u32| {
                    self.tokens.contains(token) && is_allowed(at..at + length, *token)
                };
                if let Some(token) = token.filter(is_needle) {
                    found.push((at, token));
                    taken_until = at + length;
                }
            }
            remove_taken(&mut places, &found[n_before..], length);
        }
        found.sort_unstable();
        found
    }
}

/// Drops the places inside of what was found (all of one length, in order), and ends the free
/// stretches before it.
fn remove_taken(places: &mut Vec<(usize, usize)>, found: &[(usize, u32)], length: usize) {
    let mut next = 0;
    places.retain_mut(|(at, free_until)| {
        while next < found.len() && found[next].0 + length <= *at {
            next += 1;
        }
        match found.get(next) {
            Some(&(start, _)) if start <= *at => return false,
            Some(&(start, _)) => *free_until = start.min(*free_until),
            None => {}
        }
        true
    });
}
