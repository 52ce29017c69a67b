//! The figures that distinguish temperatures: entropy, surprisal, diversity, first divergence.

use std::collections::HashSet;

use kelvin_engine::{Engine, batch::Continuation, generate::FinishReason};
use kelvin_sampling::{Draw, TokenId};
use schemars::JsonSchema;
use serde::Serialize;

/// Figures of one continuation. "Raw" is the model's own distribution at T = 1, "final" the
/// distribution that tokens were drawn from.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Number of tokens.
    pub tokens: usize,
    /// Mean entropy of the raw distributions, in nats.
    pub mean_entropy_raw: Option<f64>,
    /// Mean entropy of the final distributions, in nats.
    pub mean_entropy_final: Option<f64>,
    /// Mean surprisal of the tokens under the raw distributions, in nats. Gibberish has a high one.
    pub mean_surprisal_raw: Option<f64>,
    /// Distinct pairs of neighbouring token ids, as a share of all pairs.
    pub distinct_2: Option<f64>,
}

impl Figures {
    /// Of one continuation.
    pub fn of(continuation: &Continuation) -> Figures {
        Figures::over(&continuation.tokens, &continuation.draws)
    }

    /// Figures of tokens and their draws.
    pub fn over(tokens: &[TokenId], draws: &[Draw]) -> Figures {
        let mean = |f: fn(&Draw) -> f64| mean(draws.iter().map(f));
        Figures {
            tokens: tokens.len(),
            mean_entropy_raw: mean(|draw| draw.entropy),
            mean_entropy_final: mean(|draw| draw.entropy_final),
            mean_surprisal_raw: mean(|draw| draw.surprisal),
            distinct_2: distinct_2(tokens),
        }
    }
}

/// The mean; `None` of an empty list.
pub fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0u64), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / n as f64)
}

/// Distinct bigrams over bigrams (Li et al. 2016, arXiv 1510.03055), of token ids.
pub fn distinct_2(tokens: &[TokenId]) -> Option<f64> {
    let pairs = tokens.len().checked_sub(1).filter(|&pairs| pairs > 0)?;
    let distinct: HashSet<&[TokenId]> = tokens.windows(2).collect();
    Some(distinct.len() as f64 / pairs as f64)
}

/// The first token in which two continuations differ; `None` if they are equal. If one ends
/// earlier, they differ there.
pub fn divergence<T: PartialEq>(a: &[T], b: &[T]) -> Option<usize> {
    let shared = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    (shared < a.len() || shared < b.len()).then_some(shared)
}

/// The first token (from 0) in which two continuations differ; `None` if they are equal, or equal
/// up to where one was cancelled.
pub fn parting(a: &Continuation, b: &Continuation) -> Option<usize> {
    let at = divergence(&a.tokens, &b.tokens)?;
    let broken_off = |c: &Continuation| c.finish == FinishReason::Cancelled && c.tokens.len() == at;
    (!broken_off(a) && !broken_off(b)).then_some(at)
}

/// Mean place of the first divergence over all pairs. A pair that never differs counts with its
/// whole length.
pub fn mean_parting(samples: &[Continuation]) -> Option<f64> {
    let pairs =
        samples.iter().enumerate().flat_map(|(i, a)| samples[i + 1..].iter().map(move |b| (a, b)));
    mean(pairs.map(|(a, b)| parting(a, b).unwrap_or(a.tokens.len().min(b.tokens.len())) as f64))
}

/// Why a continuation ended, for JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finish {
    /// `end_token`, `stop_string`, `max_tokens`, `context_full`, `complete`, `cancelled`,
    /// `bad_logits`, `nothing_left` or `not_accepted`.
    pub reason: &'static str,
    /// The id of the end token, if one ended the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<u32>>,
    /// Text of the end token or the stop string, or the error message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Finish {
    /// Of one continuation.
    pub fn of(reason: &FinishReason, engine: &Engine) -> Finish {
        let plain = |reason| Finish { reason, ids: None, text: None };
        match reason {
            FinishReason::EndToken(token) => Finish {
                reason: "end_token",
                ids: Some(vec![token.0]),
                text: Some(engine.tokenizer.piece(*token).to_string()),
            },
            FinishReason::StopString(text) => {
                Finish { text: Some(text.clone()), ..plain("stop_string") }
            }
            FinishReason::MaxTokens => plain("max_tokens"),
            FinishReason::ContextFull => plain("context_full"),
            FinishReason::Complete => plain("complete"),
            FinishReason::Cancelled => plain("cancelled"),
            FinishReason::BadLogits(what) => {
                Finish { text: Some(what.clone()), ..plain("bad_logits") }
            }
            FinishReason::NothingLeft(what) => {
                Finish { text: Some(what.clone()), ..plain("nothing_left") }
            }
            FinishReason::NotAccepted(_) => plain("not_accepted"),
            FinishReason::Panicked => plain("panicked"),
        }
    }

    /// The note to show after the text; `None` for the usual end, and for an error, which is
    /// reported elsewhere.
    pub fn remark(&self) -> Option<String> {
        let untold =
            ["end_token", "complete", "bad_logits", "nothing_left", "not_accepted", "panicked"];
        (!untold.contains(&self.reason)).then(|| format!("({})", self.words()))
    }

    /// The reason in a few words, for people.
    pub fn words(&self) -> String {
        let text = crate::escape::visible(self.text.as_deref().unwrap_or(""));
        match self.reason {
            "end_token" => "end of turn".to_string(),
            "stop_string" => format!("stop {text}"),
            "max_tokens" => "length".to_string(),
            "context_full" => "context full".to_string(),
            "complete" => "complete".to_string(),
            "cancelled" => "interrupted".to_string(),
            "nothing_left" => format!("nothing left: {text}"),
            "not_accepted" => "no try accepted".to_string(),
            "panicked" => "panicked".to_string(),
            _ => format!("bad logits: {text}"),
        }
    }
}

/// A figure with `digits` decimals; a dash if it is missing.
pub fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_string(), |value| format!("{value:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[u32]) -> Vec<TokenId> {
        ids.iter().map(|&id| TokenId(id)).collect()
    }

    #[test]
    fn distinct_pairs() {
        assert_eq!(distinct_2(&ids(&[1, 2, 1, 2, 1])), Some(0.5));
        assert_eq!(distinct_2(&ids(&[1, 2, 3])), Some(1.0));
        assert_eq!(distinct_2(&ids(&[1])), None);
    }

    #[test]
    fn places_of_divergence() {
        let (a, b, c) = (ids(&[1, 2, 3]), ids(&[1, 2, 4]), ids(&[1, 2]));
        assert_eq!(divergence(&a, &b), Some(2));
        assert_eq!(divergence(&a, &c), Some(2));
        assert_eq!(divergence(&a, &a), None);
    }
}
