//! Draws texts, with the model's own log-probability of each token, and ranks them: best of n by
//! likelihood, and minimum Bayes risk.

use std::sync::{Arc, Mutex, PoisonError};

use kelvin_sampling::surprisal;

use super::spellings::{self, Ranked, Said};
use crate::{
    Engine, TokenId,
    batch::{Batch, Continuation, Draft, GenerateError, Observer, Request, Tap, generate},
    generate::FinishReason,
};

/// A text that was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Its tokens, without an end token.
    pub tokens: Vec<TokenId>,
    /// The text, up to a stop string.
    pub text: String,
    /// Why it ended.
    pub finish: FinishReason,
    /// ln p of each of its tokens, the end token included, under the model's own distribution.
    pub logprobs: Vec<f64>,
    /// Their sum.
    pub logprob: f64,
    /// Their number.
    pub length: usize,
}

impl Drawn {
    fn said(&self) -> Said<'_> {
        let end = match self.finish {
            FinishReason::EndToken(token) => Some(token),
            _ => None,
        };
        let is_cut = matches!(self.finish, FinishReason::MaxTokens | FinishReason::ContextFull);
        Said { text: &self.text, is_cut, tokens: (&self.tokens, end), logprob: self.logprob }
    }
}

/// What best of n compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// ln p of the text, which prefers short ones.
    Sum,
    /// ln p per token, the end token included.
    #[default]
    Mean,
}

impl By {
    /// Both.
    pub const ALL: [By; 2] = [By::Sum, By::Mean];

    /// The name in flags.
    pub fn name(self) -> &'static str {
        match self {
            By::Sum => "sum",
            By::Mean => "mean",
        }
    }

    /// The one with a name.
    pub fn named(name: &str) -> Option<By> {
        By::ALL.into_iter().find(|by| by.name() == name)
    }
}

/// The log-probabilities of a request's tokens, as they are drawn.
#[derive(Debug)]
pub struct Watched(Vec<Arc<Mutex<Vec<f64>>>>);

impl Watched {
    /// Watches the texts of a request. Taps of its drafts are replaced.
    pub fn of(request: &mut Request) -> Watched {
        let watch = |draft: &mut Draft| {
            let seen: Arc<Mutex<Vec<f64>>> = Arc::default();
            let told = Arc::clone(&seen);
            draft.tap = Some(Tap::new(move |_, logits, draw| {
                // A token that is a row's own has a probability there.
                let nats = draw.and_then(|draw| surprisal(logits, draw.token).ok());
                let logprob = 0.0 - nats.unwrap_or(0.0);
                told.lock().unwrap_or_else(PoisonError::into_inner).push(logprob);
            }));
            seen
        };
        Watched(request.drafts.iter_mut().map(watch).collect())
    }

    /// The text of a draft, when it has ended.
    pub fn drawn(
        &self,
        draft: usize,
        tokens: Vec<TokenId>,
        text: String,
        finish: FinishReason,
    ) -> Drawn {
        let logprobs = self.0[draft].lock().unwrap_or_else(PoisonError::into_inner).clone();
        let logprob = logprobs.iter().fold(0.0, |sum, logprob| sum + logprob);
        Drawn { tokens, text, finish, length: logprobs.len(), logprobs, logprob }
    }
}

/// Draws the texts of a request, together. Taps of its drafts are replaced.
///
/// # Errors
/// Those of [`generate`].
pub fn draw_texts(
    engine: &Engine,
    batch: &mut Batch,
    mut request: Request,
    observer: &mut dyn Observer,
) -> Result<Vec<Drawn>, GenerateError> {
    let watched = Watched::of(&mut request);
    let texts = generate(engine, batch, request, observer)?;
    let drawn =
        |(i, text): (usize, Continuation)| watched.drawn(i, text.tokens, text.text, text.finish);
    Ok(texts.into_iter().enumerate().map(drawn).collect())
}

/// The texts by their likelihood, the best first. Equal texts are one: its ln p is that of the sum
/// over its spellings, and the mean is per token of the likeliest.
pub fn best_of(texts: &[Drawn], by: By) -> Vec<Ranked> {
    rank(texts, |text| match by {
        By::Sum => text.logprob,
        By::Mean => text.logprob / texts[text.index()].length.max(1) as f64,
    })
}

/// The texts by their mean utility if one of the others were right, the best first: minimum Bayes
/// risk, with the texts themselves as the sample that the expectation is over (Eikema and Aziz
/// 2020, arXiv 2005.10283). `utility` is of a text's index and of that of the one that is right; it
/// depends on what texts say alone. There are at least two texts.
pub fn minimum_risk(texts: &[Drawn], utility: &dyn Fn(usize, usize) -> f64) -> Vec<Ranked> {
    rank(texts, |text| {
        let i = text.index();
        let others = (0..texts.len()).filter(|&j| j != i);
        let sum: f64 = others.map(|j| utility(i, j)).sum();
        sum / (texts.len() - 1).max(1) as f64
    })
}

/// Different texts by a score of each.
fn rank(texts: &[Drawn], score: impl Fn(&Ranked) -> f64) -> Vec<Ranked> {
    let said: Vec<Said<'_>> = texts.iter().map(Drawn::said).collect();
    let mut ranked = spellings::texts(&said);
    for text in &mut ranked {
        text.score = score(text);
    }
    spellings::sort(&mut ranked);
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, logprob: f64) -> Drawn {
        let tokens: Vec<TokenId> = text.bytes().map(|byte| TokenId(byte.into())).collect();
        let length = tokens.len();
        let finish = FinishReason::MaxTokens;
        let logprobs = vec![logprob / length as f64; length];
        Drawn { tokens, text: text.to_string(), finish, logprobs, logprob, length }
    }

    fn order(ranked: &[Ranked]) -> Vec<(usize, usize)> {
        ranked.iter().map(|one| (one.index(), one.times())).collect()
    }

    #[test]
    fn sums_prefer_short_texts_and_means_dont() {
        let texts = [drawn("ab", -4.0), drawn("abcdef", -5.0), drawn("ab", -4.0)];
        assert_eq!(order(&best_of(&texts, By::Sum)), [(0, 2), (1, 1)]);
        assert_eq!(order(&best_of(&texts, By::Mean)), [(1, 1), (0, 2)]);
        assert_eq!(best_of(&texts, By::Mean)[1].score, -2.0);
        assert_eq!(By::named("sum"), Some(By::Sum));
    }

    /// A text that was drawn in two spellings is one, with the sum of their probabilities.
    #[test]
    fn spellings_of_a_text_are_one_text() {
        let spelled = |tokens: &[u32], p: f64, finish| {
            let tokens: Vec<TokenId> = tokens.iter().map(|&id| TokenId(id)).collect();
            let (length, logprob) = (tokens.len(), p.ln());
            let logprobs = vec![logprob / length as f64; length];
            Drawn { tokens, text: "red".to_string(), finish, logprobs, logprob, length }
        };
        let texts = [
            spelled(&[1, 2], 0.1, FinishReason::Complete),
            Drawn { text: "blue".to_string(), ..spelled(&[9], 0.35, FinishReason::Complete) },
            spelled(&[3], 0.3, FinishReason::Complete),
            spelled(&[1, 2], 0.1, FinishReason::Complete),
            spelled(&[1, 2], 0.1, FinishReason::MaxTokens),
        ];
        for by in By::ALL {
            let ranked = best_of(&texts, by);
            assert_eq!(order(&ranked), [(2, 3), (1, 1), (4, 1)], "{by:?}");
            assert!((ranked[0].logprob - 0.4f64.ln()).abs() < 1e-12);
            assert_eq!(ranked[0].score, ranked[0].logprob, "the likeliest spelling is one token");
            let times: Vec<usize> = ranked[0].spellings.iter().map(|one| one.times).collect();
            assert_eq!(times, [1, 2]);
        }
        let likes = |i: usize, j: usize| f64::from(u8::from(texts[i].text == texts[j].text));
        assert_eq!(order(&minimum_risk(&texts, &likes)), [(2, 3), (4, 1), (1, 1)]);
    }

    /// A text that was drawn twice speaks twice for itself.
    #[test]
    fn risk_is_over_the_other_texts() {
        let texts = [drawn("a", -1.0), drawn("b", -9.0), drawn("b", -9.0), drawn("c", -3.0)];
        let utility = |i: usize, j: usize| match (&*texts[i].text, &*texts[j].text) {
            (a, b) if a == b => 1.0,
            ("a", "c") => 0.5,
            _ => 0.0,
        };
        let ranked = minimum_risk(&texts, &utility);
        assert_eq!(order(&ranked), [(1, 2), (0, 1), (3, 1)]);
        let scores: Vec<f64> = ranked.iter().map(|one| one.score).collect();
        assert_eq!(scores, [1.0 / 3.0, 0.5 / 3.0, 0.0]);
    }
}
