//! Texts that several sequences of tokens spell, as one text each.
//!
//! A text may be spelled in several ways: `red` is one token, or `r` and `ed`. Each spelling is a
//! beam, or a drawn text, of its own. None of them begins another one, since each has ended. So
//! they exclude each other, and the probability that the text comes is the sum of theirs.

use super::{beam::Beams, task::End, tree::Found};
use crate::{TokenId, sums::ln_sum};

/// One of several texts, by its rank.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Its different spellings, the likeliest under the model's own distribution first.
    pub spellings: Vec<Spelling>,
    /// Indices of all that say this text, in rising order.
    pub members: Vec<usize>,
    /// ln of the sum of the probabilities of its spellings, under the model's own distribution.
    pub logprob: f64,
    /// What it is ranked by.
    pub score: f64,
}

/// Tokens that spell a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spelling {
    /// The index of the first one with these tokens.
    pub index: usize,
    /// How many have them.
    pub times: usize,
}

impl Ranked {
    /// The index of the likeliest spelling, which stands for the text.
    pub fn index(&self) -> usize {
        self.spellings[0].index
    }

    /// How often the text was found, however it was spelled.
    pub fn times(&self) -> usize {
        self.members.len()
    }
}

/// What says a text: a beam that has ended, or a drawn text.
pub(super) struct Said<'a> {
    /// The text that a reader sees.
    pub(super) text: &'a str,
    /// Whether it was cut at its length. A text that goes on isn't one that has ended.
    pub(super) is_cut: bool,
    /// Its tokens, and its end token.
    pub(super) tokens: (&'a [TokenId], Option<TokenId>),
    /// ln p under the model's own distribution.
    pub(super) logprob: f64,
}

/// The texts in the order in which they were found first. Their scores are still 0.
pub(super) fn texts(all: &[Said<'_>]) -> Vec<Ranked> {
    let equal = |i: usize, j: usize| all[i].text == all[j].text && all[i].is_cut == all[j].is_cut;
    let mut texts: Vec<Ranked> = Vec::new();
    for index in 0..all.len() {
        let at = texts.iter().position(|text| equal(text.members[0], index));
        let at = at.unwrap_or_else(|| {
            let (spellings, members) = (Vec::new(), Vec::new());
            texts.push(Ranked { spellings, members, logprob: 0.0, score: 0.0 });
            texts.len() - 1
        });
        let Ranked { spellings, members, .. } = &mut texts[at];
        members.push(index);
        match spellings.iter_mut().find(|one| all[one.index].tokens == all[index].tokens) {
            Some(one) => one.times += 1,
            None => spellings.push(Spelling { index, times: 1 }),
        }
    }
    for text in &mut texts {
        text.spellings.sort_by(|a, b| all[b.index].logprob.total_cmp(&all[a.index].logprob));
        let logprobs = text.spellings.iter().map(|one| all[one.index].logprob);
        text.logprob = ln_sum(&logprobs.collect::<Vec<f64>>());
    }
    texts
}

/// Sorts texts by their scores, the best first; of equal ones the one that was found first.
pub(super) fn sort(texts: &mut [Ranked]) {
    texts.sort_by(|a, b| b.score.total_cmp(&a.score));
}

/// What beams found, by text, the best first. `read` gives the text that a reader sees of each.
/// `how` are the settings of beam search, `None` those of stochastic beams.
///
/// A text that is spelled in one way has the score of that beam. Of several ways the sums that the
/// scores come from are added as probabilities are, and divided by the length of the likeliest
/// spelling. So an unusual spelling of many tokens can't raise a text by its length. A stochastic
/// beam's score is the largest of its spellings': the largest of Gumbel numbers around ln p is a
/// Gumbel number around the ln of the sum, so the texts are drawn without replacement as well.
pub fn by_text(
    found: &[Found],
    how: Option<&Beams>,
    read: &dyn Fn(&Found) -> String,
) -> Vec<Ranked> {
    let read: Vec<String> = found.iter().map(read).collect();
    let mut all = Vec::with_capacity(found.len());
    for (one, text) in found.iter().zip(&read) {
        let end = match one.end {
            End::Token(token) => Some(token),
            _ => None,
        };
        let is_cut = one.end == End::Length;
        all.push(Said { text, is_cut, tokens: (&one.tokens, end), logprob: one.logprob });
    }
    let mut texts = texts(&all);
    for text in &mut texts {
        // Beams are in the order of their scores.
        let best = found[text.members[0]].score;
        text.score = match how {
            Some(how) if text.spellings.len() > 1 => together(found, how, text),
            _ => best,
        };
    }
    sort(&mut texts);
    texts
}

/// The score of a text of several spellings.
fn together(found: &[Found], how: &Beams, text: &Ranked) -> f64 {
    let divisor = |one: &Found| libm::pow(one.length() as f64, how.length_penalty);
    let sums = text.spellings.iter().map(|one| {
        // Groups may have found equal tokens at several prices: the first is the best.
        let one = &found[one.index];
        one.score * divisor(one)
    });
    ln_sum(&sums.collect::<Vec<f64>>()) / divisor(&found[text.index()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, end: End, p: f64, score: f64) -> Found {
        let tokens = text.bytes().map(|byte| TokenId(byte.into())).collect();
        Found { tokens, end, logprob: p.ln(), score, group: 0, node: 0 }
    }

    /// Spellings of a text differ by their hyphens, which a reader doesn't see.
    fn read(found: &Found) -> String {
        let text: Vec<u8> = found.tokens.iter().map(|token| token.0 as u8).collect();
        String::from_utf8(text).unwrap().replace('-', "")
    }

    fn penalised(length_penalty: f64) -> Beams {
        Beams { length_penalty, ..Beams::default() }
    }

    /// `ab` is spelled in two ways: with probability 1/2 in 2 tokens and 1/8 in 4. `c` has 1/4.
    #[test]
    fn probabilities_of_spellings_are_added() {
        for (penalty, order) in [(0.0, ["ab", "c"]), (1.0, ["ab", "c"]), (-1.0, ["ab", "c"])] {
            let score = |p: f64, n: i32| p.ln() / f64::from(n).powf(penalty);
            let mut all = vec![
                found("ab", End::Complete, 0.5, score(0.5, 2)),
                found("a--b", End::Complete, 0.125, score(0.125, 4)),
                found("c", End::Complete, 0.25, score(0.25, 1)),
            ];
            all.sort_by(|a, b| b.score.total_cmp(&a.score));
            let texts = by_text(&all, Some(&penalised(penalty)), &read);
            let said: Vec<String> = texts.iter().map(|text| read(&all[text.index()])).collect();
            assert_eq!(said, order, "{penalty}");
            let ab = &texts[0];
            assert!((ab.logprob - 0.625f64.ln()).abs() < 1e-12);
            assert!((ab.score - score(0.625, 2)).abs() < 1e-12, "{penalty}: {ab:?}");
            assert_eq!((ab.spellings.len(), ab.times(), texts[1].times()), (2, 2, 1));
            assert_eq!(texts[1].score, score(0.25, 1), "one spelling keeps its score");
        }
    }

    /// A long, unlikely spelling has the best mean per token, and doesn't lift its text by it.
    #[test]
    fn an_odd_spelling_doesnt_come_first_by_its_length() {
        let score = |p: f64, n: f64| p.ln() / n;
        let all = [
            found("x-----", End::Complete, 0.01, score(0.01, 6.0)),
            found("yz", End::Complete, 0.2, score(0.2, 2.0)),
            found("x", End::Complete, 0.05, score(0.05, 1.0)),
        ];
        assert!(all.is_sorted_by(|a, b| a.score >= b.score), "as beams come");
        let texts = by_text(&all, Some(&penalised(1.0)), &read);
        assert_eq!(texts.iter().map(Ranked::index).collect::<Vec<_>>(), [1, 2]);
        assert!((texts[1].score - 0.06f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn what_was_cut_isnt_what_has_ended_and_equal_tokens_count_once() {
        let end = End::Token(TokenId(0));
        let all = [
            found("ab", End::Length, 0.5, 4.0),
            found("ab", end, 0.25, 3.0),
            found("a-b", End::Stop, 0.125, 2.0),
            found("ab", end, 0.25, 1.0),
        ];
        let texts = by_text(&all, None, &read);
        let of = |i: usize| (&texts[i].members[..], texts[i].score, texts[i].spellings.len());
        assert_eq!((texts.len(), of(0), of(1)), (2, (&[0][..], 4.0, 1), (&[1, 2, 3][..], 3.0, 2)));
        assert_eq!(texts[1].spellings[0], Spelling { index: 1, times: 2 });
        assert!((texts[1].logprob - 0.375f64.ln()).abs() < 1e-12);
    }
}
