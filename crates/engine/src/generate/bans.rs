//! Banned strings: a text that says one goes back to the string's first token, which is banned at
//! that place alone, and draws again.
//!
//! A ban holds for a place, that is for the tokens before it. So the text is the one that a
//! generation from the start would give that knew all bans of each place before it: a function of
//! the recipe and the seed.

use std::sync::Arc;

use kelvin_sampling::{Learned, Search};

use super::Constraint;
use crate::{TokenId, tokenizer::Tokenizer};

/// Most times that a text of `n` tokens goes back: strings that can't be avoided end it.
fn most_returns(n: usize) -> usize {
    n.saturating_mul(16).saturating_add(256)
}

/// The most banned strings of a text: each looks at every byte.
const MAX_STRINGS: usize = 64;

/// What is looked for to ban strings.
///
/// # Errors
/// If there are more than 64, or one is empty or longer than 256 bytes; a message for the user.
pub fn banned_strings(strings: &[String]) -> Result<Arc<[Search]>, String> {
    if strings.len() > MAX_STRINGS {
        return Err(format!(
            "{} strings are banned, at most {MAX_STRINGS} are taken",
            strings.len()
        ));
    }
    let search = |text: &String| match text.len() {
        0 => Err("a banned string is empty, which every text contains".to_string()),
        n => Search::new(text).map_err(|_| {
            format!("a banned string has {n} bytes, at most {} are taken", Search::MAX_BYTES)
        }),
    };
    strings.iter().map(search).collect()
}

/// The banned strings of one text, and how far each has come.
#[derive(Debug)]
pub(super) struct Bans {
    searches: Arc<[Search]>,
    /// Bytes of each string at the end of the text.
    found: Vec<u16>,
    /// Bytes of the text up to the end of each of its tokens.
    ends: Vec<usize>,
    /// What was known of each token before it.
    before: Vec<Before>,
    /// Tokens that are banned at places of this text, in rising order of the places, and the string
    /// that each would begin.
    at: Vec<(usize, TokenId, usize)>,
    /// The constraint as it was before the first token that may still be taken back, and the
    /// number of tokens before that.
    base: Option<(Box<dyn Constraint>, usize)>,
    n_returns: usize,
}

/// What is known of a token before it is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// What a stage had learned.
    pub(super) learned: Option<Learned>,
    /// Whether the constraint was told of the token.
    pub(super) is_told: bool,
    /// Whether no other token could come: it completes no banned string, and none takes it back.
    pub(super) is_forced: bool,
}

/// What was at the place that a text goes back to.
#[derive(Debug)]
pub(super) struct Earlier {
    /// What a stage had learned.
    pub(super) learned: Option<Learned>,
    /// The constraint, if there is one.
    pub(super) constraint: Option<Box<dyn Constraint>>,
}

/// Where a banned string was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Index of the token that it begins in; if that was forced, of the first that wasn't.
    pub(crate) first: usize,
    /// Index of the string.
    string: usize,
}

impl Bans {
    /// The strings of a text that has no tokens yet.
    pub(super) fn new(searches: &Arc<[Search]>) -> Bans {
        Bans {
            searches: Arc::clone(searches),
            found: vec![0; searches.len()],
            ends: Vec::new(),
            before: Vec::new(),
            at: Vec::new(),
            base: None,
            n_returns: 0,
        }
    }

    /// The strings of a text under a constraint.
    pub(super) fn under(self, constraint: Option<&dyn Constraint>) -> Bans {
        Bans { base: constraint.map(|constraint| (constraint.fork(), 0)), ..self }
    }

    /// Tokens that are banned at a place.
    pub(super) fn at(&self, place: usize) -> impl Iterator<Item = TokenId> + '_ {
        self.at.iter().filter(move |(at, ..)| *at == place).map(|(_, token, _)| *token)
    }

    /// Why nothing is left at a place where tokens are banned, for the user; `None` if none are.
    pub(super) fn contradiction(&self, place: usize) -> Option<String> {
        let (.., string) = self.at.iter().rev().find(|(at, ..)| *at == place)?;
        let string = self.searches[*string].text();
        Some(match self.base {
            Some(_) => format!(
                "the form (schema, regular expression, grammar or choice) asks for what the banned \
                 string {string:?} forbids: leave one of the two out"
            ),
            None => format!("all that the chain leaves begins the banned string {string:?}"),
        })
    }

    /// A copy that knows the bans, but finds nothing.
    pub(super) fn still(&self) -> Bans {
        let none: Arc<[Search]> = Arc::new([]);
        Bans { at: self.at.clone(), ..Bans::new(&none) }
    }

    /// Takes a token's bytes. Of several strings the one
    /// that ends first is found, and of those that end there the longest.
    pub(super) fn push(&mut self, bytes: &[u8], before: Before) -> Option<Found> {
        let start = self.ends.last().copied().unwrap_or(0);
        self.ends.push(start + bytes.len());
        self.before.push(before);
        for (n, &byte) in (start + 1..).zip(bytes) {
            let mut longest: Option<(usize, usize)> = None;
            for (string, (search, found)) in self.searches.iter().zip(&mut self.found).enumerate() {
                *found = search.next(*found, byte);
                let len = search.text().len();
                let is_found = search.is_found(*found) && !before.is_forced;
                if is_found && longest.is_none_or(|(_, most)| len > most) {
                    longest = Some((string, len));
                }
            }
            if let Some((string, len)) = longest {
                let mut first = self.token_of(n - len);
                while self.before[first].is_forced {
                    first += 1;
                }
                return Some(Found { first, string });
            }
        }
        None
    }

    /// The token that a byte is in.
    fn token_of(&self, byte: usize) -> usize {
        self.ends.partition_point(|&end| end <= byte)
    }

    /// How many of the last tokens may still be taken back: those from the first byte of a string
    /// that has begun.
    pub(super) fn n_held(&self) -> usize {
        let longest = self.found.iter().max().map_or(0, |&n| usize::from(n));
        let n_bytes = self.ends.last().copied().unwrap_or(0);
        if longest == 0 { 0 } else { self.ends.len() - self.token_of(n_bytes - longest) }
    }

    /// Follows the text with the constraint, as far as nothing is taken back any more.
    pub(super) fn settle(&mut self, tokens: &[TokenId]) -> Result<(), String> {
        let n_settled = tokens.len() - self.n_held();
        if let Some((base, n)) = &mut self.base {
            tell(base.as_mut(), &tokens[..n_settled], &self.before, *n)?;
            *n = n_settled;
        }
        Ok(())
    }

    /// Goes back to where a string began, and bans its first token there.
    ///
    /// # Errors
    /// If the text went back too often, or the constraint fails; a message for the user.
    pub(super) fn go_back(
        &mut self,
        found: &Found,
        tokens: &[TokenId],
        tokenizer: &Tokenizer,
    ) -> Result<Earlier, String> {
        self.n_returns += 1;
        if self.n_returns > most_returns(tokens.len()) {
            let string = self.searches[found.string].text();
            let form = match self.base {
                Some(_) => ", which the form may ask for",
                None => "",
            };
            return Err(format!(
                "the text went back from banned strings {} times, the last one is {string:?}{form}",
                self.n_returns - 1
            ));
        }
        let place = found.first;
        self.at.retain(|(at, ..)| *at <= place);
        self.at.push((place, tokens[place], found.string));
        let learned = self.before[place].learned;
        self.ends.truncate(place);
        self.before.truncate(place);
        // A string that has begun may reach further back than the one that was found.
        self.found.fill(0);
        for &byte in tokens[..place].iter().flat_map(|&token| tokenizer.bytes(token, false)) {
            for (search, found) in self.searches.iter().zip(&mut self.found) {
                *found = search.next(*found, byte);
            }
        }
        let constraint = self.base.as_ref().map(|(base, n)| {
            let mut fork = base.fork();
            tell(fork.as_mut(), &tokens[..place], &self.before, *n)?;
            Ok::<_, String>(fork)
        });
        Ok(Earlier { learned, constraint: constraint.transpose()? })
    }
}

/// Tells a constraint of the tokens from the `n`-th on that it is to be told of.
fn tell(
    constraint: &mut dyn Constraint,
    tokens: &[TokenId],
    before: &[Before],
    n: usize,
) -> Result<(), String> {
    let all = tokens.iter().zip(before).skip(n).filter(|(_, before)| before.is_told);
    all.map(|(&token, _)| token).try_for_each(|token| constraint.take(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bans(strings: &[&str]) -> Bans {
        let searches = strings.iter().map(|text| Search::new(text).unwrap()).collect();
        Bans::new(&searches)
    }

    const FREE: Before = Before { learned: None, is_told: true, is_forced: false };

    #[test]
    fn the_string_that_ends_first_is_found_with_its_first_token() {
        let mut both = bans(&["abcd", "bc", "c"]);
        assert_eq!(both.push(b"xa", FREE), None);
        assert_eq!((both.n_held(), both.push(b"b", FREE)), (1, None));
        assert_eq!(both.n_held(), 2);
        assert_eq!(both.push(b"cd", FREE), Some(Found { first: 1, string: 1 }));
        let mut one = bans(&["aab"]);
        assert_eq!([(); 3].map(|()| one.push(b"a", FREE)), [None, None, None]);
        assert_eq!(one.n_held(), 2, "the first `a` can't begin it any more");
        assert_eq!(one.push(b"b", FREE), Some(Found { first: 1, string: 0 }));
    }

    #[test]
    fn forced_tokens_are_not_taken_back() {
        let forced = Before { is_forced: true, ..FREE };
        let mut one = bans(&["b", "bc"]);
        assert_eq!((one.push(b"b", forced), one.n_held()), (None, 1));
        assert_eq!(one.push(b"c", FREE), Some(Found { first: 1, string: 1 }));
    }
}
