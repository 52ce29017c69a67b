//! Looks guesses up: what followed the same tokens earlier in the prompt, in the text, or in
//! another text of the request.

use std::collections::HashMap;

use crate::TokenId;

/// Tokens that have to be equal before a guess.
pub(super) const LEAST: usize = 2;
/// The longest match that is told from longer ones.
pub(super) const LONGEST: usize = 32;
/// Earlier places that are looked at, the latest first.
const PLACES: usize = 64;

/// An index of the tokens of a request, by pairs of neighbours.
#[derive(Debug)]
pub(crate) struct Lookup {
    prompt: Vec<TokenId>,
    /// The continuations by the texts' numbers.
    texts: Vec<Vec<TokenId>>,
    /// The latest place after each pair: an index into `places`.
    latest: HashMap<[TokenId; LEAST], u32>,
    places: Vec<Place>,
}

/// A place in a text, just after a pair of tokens.
#[derive(Debug, Clone, Copy)]
struct Place {
    text: u32,
    /// Position, prompt included.
    pos: u32,
    /// The place before it after the same pair, plus 1; 0 if there is none.
    before: u32,
}

/// Where a text's last tokens occurred before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    text: usize,
    pos: usize,
    /// How many tokens are equal, at most [`LONGEST`].
    pub(crate) len: usize,
}

impl Lookup {
    /// Of a prompt and `n_texts` continuations that have no tokens yet.
    pub(crate) fn new(prompt: &[TokenId], n_texts: usize) -> Lookup {
        let mut lookup = Lookup {
            prompt: prompt.to_vec(),
            texts: vec![Vec::new(); n_texts],
            latest: HashMap::new(),
            places: Vec::new(),
        };
        // The prompt's end is found as a place once a text goes on from it.
        for pos in LEAST..prompt.len() {
            lookup.add(0, pos);
        }
        lookup
    }

    /// Appends a token to a text. Of texts that are equal so far one alone is `indexed`.
    pub(crate) fn push(&mut self, text: usize, token: TokenId, indexed: bool) {
        if indexed {
            self.add(text, self.len(text));
        }
        self.texts[text].push(token);
    }

    /// Takes the tokens of a text from the `n`-th on back. Places that are known of them may name
    /// others then, so a guess there is more likely to be wrong.
    pub(crate) fn truncate(&mut self, text: usize, n: usize) {
        self.texts[text].truncate(n);
    }

    /// Adds the place at `pos`, whose token is known or is about to be.
    fn add(&mut self, text: usize, pos: usize) {
        let Some(pair) = self.pair(text, pos) else { return };
        let before = self.latest.insert(pair, self.places.len() as u32);
        let before = before.map_or(0, |place| place + 1);
        self.places.push(Place { text: text as u32, pos: pos as u32, before });
    }

    /// The tokens before a position.
    fn pair(&self, text: usize, pos: usize) -> Option<[TokenId; LEAST]> {
        let first = pos.checked_sub(LEAST)?;
        Some([self.token(text, first)?, self.token(text, first + 1)?])
    }

    fn len(&self, text: usize) -> usize {
        self.prompt.len() + self.texts[text].len()
    }

    fn token(&self, text: usize, pos: usize) -> Option<TokenId> {
        match pos.checked_sub(self.prompt.len()) {
            None => self.prompt.get(pos).copied(),
            Some(at) => self.texts[text].get(at).copied(),
        }
    }

    /// The earlier place before which most tokens are equal to the last ones of a text; of several
    /// the latest.
    pub(crate) fn find(&self, text: usize) -> Option<Match> {
        let end = self.len(text);
        let mut next = *self.latest.get(&self.pair(text, end)?)? + 1;
        let mut best: Option<Match> = None;
        for _ in 0..PLACES {
            let Some(place) = next.checked_sub(1).map(|at| self.places[at as usize]) else { break };
            next = place.before;
            let pos = place.pos as usize;
            // A text goes on from the prompt with its own tokens.
            let other = if pos < self.prompt.len() { text } else { place.text as usize };
            let equal = |n: &usize| self.token(other, pos - n) == self.token(text, end - n);
            let most = LONGEST.min(pos).min(end);
            let len = LEAST + (LEAST + 1..=most).take_while(equal).count();
            if best.is_none_or(|best| len > best.len) {
                best = Some(Match { text: other, pos, len });
            }
            if len == LONGEST {
                break;
            }
        }
        best
    }

    /// Up to `n` tokens that followed a match. Where it reaches the end of its own text, the text
    /// is taken to go on repeating itself.
    pub(crate) fn following(&self, text: usize, found: Match, n: usize) -> Vec<TokenId> {
        let mut tokens: Vec<TokenId> = Vec::with_capacity(n);
        let end = self.len(found.text);
        for pos in found.pos..found.pos + n {
            let again = pos.checked_sub(end).filter(|_| found.text == text);
            let token = match again {
                Some(at) => tokens.get(at).copied(),
                None => self.token(found.text, pos),
            };
            let Some(token) = token else { break };
            tokens.push(token);
        }
        tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<TokenId> {
        text.bytes().map(|byte| TokenId(u32::from(byte))).collect()
    }

    fn shown(tokens: &[TokenId]) -> String {
        tokens.iter().map(|token| char::from(token.0 as u8)).collect()
    }

    /// The guess of `n` tokens after prompt and continuation, and the length of its match.
    fn guess(prompt: &str, texts: &[&str], text: usize, n: usize) -> (String, usize) {
        let mut lookup = Lookup::new(&ids(prompt), texts.len());
        for (text, tokens) in texts.iter().enumerate() {
            ids(tokens).into_iter().for_each(|token| lookup.push(text, token, true));
        }
        lookup.find(text).map_or((String::new(), 0), |found| {
            (shown(&lookup.following(text, found, n)), found.len)
        })
    }

    #[test]
    fn the_longest_match_is_found_and_of_equal_ones_the_latest() {
        assert_eq!(guess("the cat sat. the dog ran. ", &["the d"], 0, 4), ("og r".into(), 7));
        assert_eq!(guess("abX abY ", &["ab"], 0, 1), ("Y".into(), 3));
        assert_eq!(guess("abX cabY ", &["zab"], 0, 1), ("Y".into(), 2));
        assert_eq!(guess("xabX abY ", &["xab"], 0, 1), ("X".into(), 3));
        assert_eq!(guess("abc", &["xyz"], 0, 4), (String::new(), 0));
        assert_eq!(guess("a", &[""], 0, 4), (String::new(), 0));
        assert_eq!(guess("ab", &[""], 0, 4), (String::new(), 0));
    }

    #[test]
    fn a_match_goes_on_from_the_prompt_into_the_text_and_repeats_it() {
        // The prompt's end and the text's beginning are one text.
        assert_eq!(guess("say ab", &["cd ab"], 0, 2), ("cd".into(), 3));
        assert_eq!(guess("..", &["abcabc"], 0, 8), ("abcabcab".into(), 3));
        assert_eq!(guess("", &["aaaa"], 0, 5), ("aaaaa".into(), 3));
    }

    #[test]
    fn another_text_of_the_request_is_looked_up_as_well() {
        assert_eq!(guess("go: ", &["one two three", "1, two"], 1, 6), (" three".into(), 4));
        assert_eq!(guess("go: ", &["one two", "one"], 1, 9), (" two".into(), 7));
    }

    #[test]
    fn texts_that_are_not_indexed_are_found_by_their_own_ends() {
        let mut lookup = Lookup::new(&ids("say "), 2);
        for token in ids("ab cd") {
            lookup.push(0, token, true);
            lookup.push(1, token, false);
        }
        ids(" ab").into_iter().for_each(|token| lookup.push(1, token, true));
        let found = lookup.find(1).unwrap();
        assert_eq!((shown(&lookup.following(1, found, 3)), found.len), (" cd".into(), 3));
    }
}
