//! A place of a schedule: where in a text a chain holds. Its notation, and whether it holds before
//! the next token.

use std::{fmt, sync::Arc};

use super::texts::{Search, TokenTexts};
use crate::{
    TokenId,
    error::{ChainError, SampleError},
    notation::{bad_escape, quote, unquote},
    state::State,
};

/// Where a chain holds. Whether it does depends on the text before a token, and for
/// [`Place::Entropy`] on the token's logits.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// `think`: inside a reasoning block of the model.
    Think,
    /// `answer`: outside of reasoning blocks.
    Answer,
    /// `after N`: behind the first N tokens of the text.
    AfterTokens(u32),
    /// `after "…"`: behind the first place where the text says this.
    AfterText(Search),
    /// `strings`: inside a string of JSON, keys included.
    Strings,
    /// `structure`: outside of strings of JSON.
    Structure,
    /// `repeats W`: while the last W tokens of the text occur earlier in it.
    Repeats(u32),
    /// `entropy > H`: where the model's own distribution has more than H nats.
    Entropy(f64),
}

/// The notation of all places.
const KNOWN: &str = "`think`, `answer`, `after N`, `after \"…\"`, `strings`, `structure`, \
                     `repeats W`, `entropy > H`";

/// The most tokens of `repeats`: each is compared at each earlier place.
const MAX_REPEATS: u32 = 1024;

/// What places need to know of a model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    texts: Arc<TokenTexts>,
    /// What begins and ends a reasoning block.
    marks: Option<(Search, Search)>,
}

impl Known {
    /// Whether the prompt has opened a reasoning block.
    fn opens(&self, state: &State) -> bool {
        let prompt = &state.tokens()[..state.n_prompt()];
        let opens = |marks: &(Search, Search)| ends_with_mark(prompt, &marks.0, &self.texts);
        self.marks.as_ref().is_some_and(opens)
    }

    pub(super) fn new(
        texts: &Arc<TokenTexts>,
        marks: Option<(&str, &str)>,
    ) -> Result<Known, ChainError> {
        let pair = |(open, close): (&str, &str)| Ok((Search::new(open)?, Search::new(close)?));
        Ok(Known { texts: Arc::clone(texts), marks: marks.map(pair).transpose()? })
    }
}

/// How much of a text a place has seen, and what it keeps of that.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    n_tokens: usize,
    /// Bytes of the text that is looked for at the end of what was seen.
    found: u16,
    /// Inside a block or a string, or behind the text.
    is_in: bool,
    /// Behind a backslash in a string.
    is_escaped: bool,
    /// Inside a reasoning block, where nothing is JSON.
    is_thought: bool,
}

/// What places are asked about: the position before one token.
pub(super) struct Position<'a> {
    pub(super) state: &'a State,
    pub(super) known: Option<&'a Known>,
    pub(super) entropy: &'a mut dyn FnMut() -> Result<f64, SampleError>,
}

impl Place {
    /// Reads a place in the notation.
    pub(super) fn read(text: &str) -> Result<Place, ChainError> {
        let unknown = || ChainError::UnknownPlace { found: text.into(), known: KNOWN };
        let bad = |allowed| ChainError::BadPlace { found: text.into(), allowed };
        let (name, rest) = text.split_at(text.find([' ', '>', '"']).unwrap_or(text.len()));
        let rest = rest.trim();
        let whole = |most: u32, allowed| {
            let n = rest.parse().ok().filter(|n| (1..=most).contains(n));
            n.ok_or_else(|| bad(allowed))
        };
        match (name, rest) {
            ("think", "") => Ok(Place::Think),
            ("answer", "") => Ok(Place::Answer),
            ("strings", "") => Ok(Place::Strings),
            ("structure", "") => Ok(Place::Structure),
            ("after", quoted) if quoted.starts_with('"') => {
                let is_bad = || match bad_escape(quoted) {
                    Some(escape) => {
                        ChainError::BadEscape { escape: escape.into(), place: text.into() }
                    }
                    None => bad("a text in double quotes, as in `after \"a\"`"),
                };
                Ok(Place::AfterText(Search::new(&unquote(quoted).ok_or_else(is_bad)?)?))
            }
            ("after", _) => {
                let allowed = "a whole number of tokens from 1 up, or a text in double quotes";
                whole(u32::MAX, allowed).map(Place::AfterTokens)
            }
            ("repeats", _) => {
                whole(MAX_REPEATS, "a whole number of tokens from 1 to 1024").map(Place::Repeats)
            }
            ("entropy", _) => {
                let h = rest.strip_prefix('>').and_then(|h| h.trim().parse::<f64>().ok());
                let h = h.filter(|h| (0.0..=f64::MAX).contains(h));
                h.map(|h| Place::Entropy(h + 0.0))
                    .ok_or_else(|| bad("a number of nats from 0 up, as in `entropy > 2.5`"))
            }
            _ => Err(unknown()),
        }
    }

    /// The place that holds where this one doesn't.
    pub(super) fn rest(&self) -> Option<Place> {
        match self {
            Place::Think => Some(Place::Answer),
            Place::Answer => Some(Place::Think),
            Place::Strings => Some(Place::Structure),
            Place::Structure => Some(Place::Strings),
            _ => None,
        }
    }

    /// Whether it holds wherever the other one does.
    pub(super) fn covers(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::AfterTokens(a), Place::AfterTokens(b)) => a <= b,
            (Place::Repeats(a), Place::Repeats(b)) => a <= b,
            (Place::Entropy(a), Place::Entropy(b)) => a <= b,
            (Place::AfterText(a), Place::AfterText(b)) => b.text().contains(a.text()),
            _ => self == other,
        }
    }

    /// Whether it is in a reasoning block or outside of all.
    pub(super) fn is_of_blocks(&self) -> bool {
        matches!(self, Place::Think | Place::Answer)
    }

    /// Whether it is in a string of JSON or outside of all.
    pub(super) fn is_of_json(&self) -> bool {
        matches!(self, Place::Strings | Place::Structure)
    }

    /// Whether it depends on the tokens so far.
    pub(super) fn looks_back(&self) -> bool {
        !matches!(self, Place::Entropy(_))
    }

    /// Whether it holds before the next token. `seen` is what it knows of an earlier part of the
    /// same text.
    pub(super) fn holds(
        &self,
        position: &mut Position<'_>,
        seen: &mut Seen,
    ) -> Result<bool, SampleError> {
        let (state, known) = (position.state, position.known);
        let text = &state.tokens()[state.n_prompt()..];
        let needs = |stage| SampleError::NeedsVocabulary { stage };
        Ok(match self {
            Place::AfterTokens(n) => text.len() >= *n as usize,
            Place::Repeats(w) => repeats(text, *w as usize),
            Place::Entropy(h) => (position.entropy)()? > *h,
            Place::AfterText(looked) => {
                let known = known.ok_or_else(|| needs("after"))?;
                seen.look_for(looked, text, &known.texts);
                seen.is_in
            }
            Place::Strings | Place::Structure => {
                let known = known.ok_or_else(|| needs("strings"))?;
                if seen.n_tokens == 0 && known.marks.is_some() {
                    seen.is_thought = known.opens(state);
                }
                seen.read_json(text, known);
                seen.is_in == (*self == Place::Strings)
            }
            Place::Think | Place::Answer => {
                let known = known.ok_or_else(|| needs("think"))?;
                let marks = known.marks.as_ref().ok_or_else(|| needs("think"))?;
                if seen.n_tokens == 0 {
                    seen.is_in = known.opens(state);
                }
                seen.read_blocks(marks, text, &known.texts);
                seen.is_in == (*self == Place::Think)
            }
        })
    }
}

impl Seen {
    /// The tokens that weren't seen yet.
    fn new_tokens<'t>(&mut self, text: &'t [TokenId]) -> &'t [TokenId] {
        let from = self.n_tokens.min(text.len());
        self.n_tokens = text.len();
        &text[from..]
    }

    fn look_for(&mut self, pattern: &Search, text: &[TokenId], texts: &TokenTexts) {
        let new = self.new_tokens(text);
        if self.is_in {
            return;
        }
        for &byte in new.iter().flat_map(|&token| texts.shown(token)) {
            self.found = pattern.next(self.found, byte);
            self.is_in |= pattern.is_found(self.found);
        }
    }

    /// Reads JSON, which may stand behind a reasoning block.
    fn read_json(&mut self, text: &[TokenId], known: &Known) {
        for &token in self.new_tokens(text) {
            // Marks may be control tokens, which aren't shown.
            for &byte in known.texts.bytes(token) {
                if let Some((open, close)) = known.marks.as_ref().filter(|_| !self.is_in) {
                    let mark = if self.is_thought { close } else { open };
                    self.found = mark.next(self.found, byte);
                    if mark.is_found(self.found) {
                        (self.is_thought, self.found) = (!self.is_thought, 0);
                    }
                }
            }
            let shown = known.texts.shown(token).iter().filter(|_| !self.is_thought);
            for &byte in shown {
                let was_escaped = std::mem::take(&mut self.is_escaped);
                match byte {
                    b'\\' if self.is_in => self.is_escaped = !was_escaped,
                    b'"' if !was_escaped => self.is_in = !self.is_in,
                    _ => {}
                }
            }
        }
    }

    fn read_blocks(
        &mut self,
        (open, close): &(Search, Search),
        text: &[TokenId],
        texts: &TokenTexts,
    ) {
        for &byte in self.new_tokens(text).iter().flat_map(|&token| texts.bytes(token)) {
            let mark = if self.is_in { close } else { open };
            self.found = mark.next(self.found, byte);
            if mark.is_found(self.found) {
                (self.is_in, self.found) = (!self.is_in, 0);
            }
        }
    }
}

/// Whether the last `w` tokens occur earlier, with an overlap or without.
fn repeats(text: &[TokenId], w: usize) -> bool {
    let Some(start) = text.len().checked_sub(w) else { return false };
    let last = &text[start..];
    (0..start).rev().any(|at| text[at + w - 1] == last[w - 1] && text[at..at + w] == *last)
}

/// Whether a prompt ends with a mark, apart from white space: a template has opened a block.
fn ends_with_mark(prompt: &[TokenId], mark: &Search, texts: &TokenTexts) -> bool {
    let mut bytes = prompt.iter().rev().flat_map(|&token| texts.bytes(token).iter().rev());
    let mut wanted = mark.text().trim_end().bytes().rev();
    let last = wanted.next();
    let first = bytes.find(|byte| !byte.is_ascii_whitespace()).copied();
    first == last && wanted.all(|byte| bytes.next() == Some(&byte))
}

/// The notation.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Think => f.write_str("think"),
            Place::Answer => f.write_str("answer"),
            Place::AfterTokens(n) => write!(f, "after {n}"),
            Place::AfterText(looked) => write!(f, "after {}", quote(looked.text())),
            Place::Strings => f.write_str("strings"),
            Place::Structure => f.write_str("structure"),
            Place::Repeats(w) => write!(f, "repeats {w}"),
            Place::Entropy(h) => write!(f, "entropy > {h}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<TokenId> {
        text.bytes().map(|byte| TokenId(u32::from(byte))).collect()
    }

    /// A vocabulary in which each byte is a token.
    fn known() -> Known {
        let bytes: Vec<[u8; 1]> = (0..=255u8).map(|byte| [byte]).collect();
        let texts = TokenTexts::new(bytes.iter().map(|byte| (&byte[..], byte == b"$")));
        Known::new(&Arc::new(texts), Some(("<think>", "</think>"))).unwrap()
    }

    /// Where a place holds: a mark for each token of a text, and one behind it.
    fn held(place: &str, prompt: &str, text: &str) -> String {
        let (place, known) = (Place::read(place).unwrap(), known());
        let mut seen = Seen::default();
        let mark = |n: usize| {
            let tokens = [ids(prompt), ids(&text[..n])].concat();
            let state = State::restore(tokens, prompt.len(), None);
            let known = Some(&known);
            let ask = |seen: &mut Seen| {
                let mut position = Position { state: &state, known, entropy: &mut || Ok(2.0) };
                place.holds(&mut position, seen).unwrap()
            };
            let holds = ask(&mut seen);
            assert_eq!(holds, ask(&mut Seen::default()), "{place} {text} {n}: seen or read anew");
            if holds { '#' } else { '.' }
        };
        (0..=text.len()).map(mark).collect()
    }

    #[test]
    fn places_hold_where_they_say() {
        assert_eq!(held("after 3", "xxxx", "abcde"), "...###");
        assert_eq!(held("after \"bb\"", "bb", "abbbab"), "...####");
        assert_eq!(held("after \"bb\"", "b", "ab$b"), "....#", "control tokens aren't text");
        assert_eq!(held("repeats 2", "", "ababcab"), "....#..#");
        assert_eq!(held("repeats 1", "a", "aaab"), "..##.");
        assert_eq!(held("repeats 3", "", "aaaa"), "....#");
        assert_eq!(held("entropy > 1.9", "", "ab"), "###");
        assert_eq!(held("entropy > 2", "", "ab"), "...");
        let json = r#"{"a\"b": "\\", "c": 1}"#;
        assert_eq!(held("strings", "", json), "..#####...###...##.....");
    }

    #[test]
    fn a_block_is_opened_by_the_text_or_by_the_end_of_the_prompt() {
        let text = "<think>ab</think>cd";
        assert_eq!(held("think", "", text), ".......##########...");
        assert_eq!(held("answer", "", text), "#######..........###");
        assert_eq!(held("think", "ask<think>\n", "ab</think>c"), "##########..");
        assert_eq!(held("think", "<think>\n\n</think>\n", "ab"), "...");
        assert_eq!(held("think", "think>", "ab"), "...");
        assert_eq!(held("think", "<think>x", "ab"), "...", "the prompt's own words");
    }

    #[test]
    fn the_notation_is_read_and_printed() {
        for place in [
            "think",
            "answer",
            "after 40",
            "after \"\\n\\n\"",
            "after \"a\\x3a;b\"",
            "strings",
            "structure",
            "repeats 12",
            "entropy > 2.5",
        ] {
            assert_eq!(Place::read(place).unwrap().to_string(), place);
        }
        assert_eq!(Place::read("entropy>2").unwrap(), Place::Entropy(2.0));
        assert_eq!(Place::read("after\"a\"").unwrap().to_string(), "after \"a\"");
        for bad in [
            "thinking",
            "think 3",
            "after",
            "after 0",
            "after -1",
            "after 1.5",
            "after \"\"",
            "after \"a",
            "repeats",
            "repeats 0",
            "repeats 1025",
            "entropy",
            "entropy > nan",
            "entropy > -1",
            "entropy > inf",
            "entropy < 2",
            "",
            "after 99999999999",
        ] {
            assert!(Place::read(bad).is_err(), "{bad}");
        }
        for (bad, escape) in [
            ("after \"\\xc3\"", "\\xc3"),
            ("after \"a\\x4\"", "\\x4\""),
            ("after \"\\n\\q\"", "\\q"),
            ("after \"a\\\"", "\\\""),
            ("after \"a\\\"b\"", "\\\""),
        ] {
            let said = Place::read(bad).unwrap_err().to_string();
            assert!(said.starts_with(&format!("`{escape}` isn't an escape, in")), "{bad}: {said}");
        }
        for bad in ["after \"", "after \"a\"b\"", "after \"a"] {
            let said = Place::read(bad).unwrap_err().to_string();
            assert!(said.contains("expected a text in double quotes"), "{bad}: {said}");
        }
    }
}
