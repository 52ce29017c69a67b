//! The figures of `score`: places of a text with their log-probabilities, totals, and divergence.

use std::{borrow::Cow, ops::Range};

use kelvin_engine::batch::Scored;
use kelvin_lab::logprobs::{TextTokens, Token, spans};
use serde::Serialize;

use crate::{
    cli::shared::session::{ModelFile, Session},
    terminal::json,
};

/// What models said.
pub(crate) enum Scores {
    /// Of one model, or of two that read equal tokens of one vocabulary.
    Together(Vec<Token>),
    /// Of two others, each by itself.
    Apart {
        /// Why they aren't compared token by token.
        why: String,
        of: [Vec<Token>; 2],
    },
}

/// A text, and the models that read it.
pub(crate) struct Text<'a> {
    pub(crate) text: &'a str,
    pub(crate) sessions: &'a [Session],
    pub(crate) tokens: &'a [TextTokens],
}

/// The answer, whole or cut to some places.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Answer {
    /// The models, in the order of the command line.
    pub(crate) models: Vec<Model>,
    /// Why the places are stretches of several tokens without a divergence, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) apart: Option<String>,
    /// The bytes of the text that all models score.
    pub(crate) scored: Range<usize>,
    /// Number of places of the whole text.
    pub(crate) n_places: usize,
    /// The divergence of the second model from the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) divergence: Option<Divergences>,
    pub(crate) places: Vec<Place>,
}

/// A model, and what it finds of all places together.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Model {
    #[serde(flatten)]
    pub(crate) file: ModelFile,
    /// Tokens of the scored part.
    pub(crate) tokens: usize,
    /// ln p of the scored part.
    #[serde(serialize_with = "json::number")]
    pub(crate) logprob: f64,
    #[serde(serialize_with = "json::number")]
    pub(crate) bits_per_byte: f64,
    /// exp of the mean of -ln p over tokens.
    #[serde(serialize_with = "json::number")]
    pub(crate) perplexity: f64,
}

/// KL(first ‖ second) over the places, in nats.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Divergences {
    #[serde(serialize_with = "json::number")]
    pub(crate) mean: f64,
    /// Standard error of the mean, for independent places. `None` for a single one.
    pub(crate) standard_error: Option<f64>,
    #[serde(serialize_with = "json::number")]
    pub(crate) median: f64,
    #[serde(serialize_with = "json::number")]
    pub(crate) percentile_99: f64,
    #[serde(serialize_with = "json::number")]
    pub(crate) largest: f64,
    /// Share of places at which both models have the same likeliest token.
    pub(crate) same_top: f64,
}

/// A stretch of the text: one token, or the tokens of two models that cover it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Place {
    /// Its bytes in the text.
    pub(crate) bytes: Range<usize>,
    pub(crate) text: String,
    /// What each model says.
    pub(crate) models: Vec<Said>,
    /// ln p under the second model less ln p under the first.
    #[serde(serialize_with = "json::maybe_number", skip_serializing_if = "Option::is_none")]
    pub(crate) difference: Option<f64>,
    /// KL(first ‖ second), in nats.
    #[serde(serialize_with = "json::maybe_number", skip_serializing_if = "Option::is_none")]
    pub(crate) kl: Option<f64>,
}

/// A place under one model.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Said {
    pub(crate) ids: Vec<u32>,
    /// ln p of the tokens together.
    #[serde(serialize_with = "json::number")]
    pub(crate) logprob: f64,
    /// Of a single token: its rank from 1, and the entropy of the distribution in nats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rank: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entropy: Option<f64>,
    /// The token that was likeliest at the place's first token.
    pub(crate) likeliest: String,
}

impl Text<'_> {
    /// The answer with all places, in the order of the text.
    pub(crate) fn answer(&self, scores: &Scores) -> anyhow::Result<Answer> {
        let places = match scores {
            Scores::Together(tokens) => self.tokens_as_places(tokens),
            Scores::Apart { of, .. } => self.spans_as_places(of),
        };
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            anyhow::bail!("no part of the text is scored by both models: give a longer one");
        };
        let scored = first.bytes.start..last.bytes.end;
        let models = (0..self.sessions.len()).map(|i| self.model(i, &places, &scored)).collect();
        let divergence = match scores {
            Scores::Together(tokens) => Divergences::of(tokens),
            Scores::Apart { .. } => None,
        };
        let apart = match scores {
            Scores::Together(_) => None,
            Scores::Apart { why, .. } => Some(why.clone()),
        };
        Ok(Answer { models, apart, scored, n_places: places.len(), divergence, places })
    }

    fn model(&self, i: usize, places: &[Place], scored: &Range<usize>) -> Model {
        let said = || places.iter().map(|place| &place.models[i]);
        let logprob: f64 = said().map(|said| said.logprob).sum();
        let tokens: usize = said().map(|said| said.ids.len()).sum();
        let bytes = scored.len().max(1) as f64;
        Model {
            file: self.sessions[i].file.clone(),
            tokens,
            logprob,
            bits_per_byte: (0.0 - logprob) / std::f64::consts::LN_2 / bytes,
            perplexity: libm::exp((0.0 - logprob) / tokens as f64),
        }
    }

    /// A place for each token that all models score.
    fn tokens_as_places(&self, tokens: &[Token]) -> Vec<Place> {
        let starts = &self.tokens[0].starts;
        let place = |(i, token): (usize, &Token)| {
            let scored: Option<Vec<&Scored>> = token.scored.iter().map(Option::as_ref).collect();
            let bytes = starts[i]..starts.get(i + 1).copied().unwrap_or(self.text.len());
            let said: Vec<Said> = scored?
                .iter()
                .zip(self.sessions)
                .map(|(&scored, session)| said(std::iter::once(scored), session))
                .collect();
            let kl = token.divergence.map(|divergence| divergence.kl);
            Some(self.place(bytes, said, kl))
        };
        tokens.iter().enumerate().filter_map(place).collect()
    }

    /// A place for each stretch that is whole tokens of both models.
    fn spans_as_places(&self, of: &[Vec<Token>; 2]) -> Vec<Place> {
        let spans = spans(&self.tokens[0], &self.tokens[1], self.text.len());
        let place = |span: kelvin_lab::logprobs::Span| {
            let both = span.tokens.iter().zip(of).zip(self.sessions);
            let said = both.map(|((range, tokens), session)| {
                let scored =
                    tokens[range.clone()].iter().flat_map(|token| token.scored[0].as_ref());
                said(scored, session)
            });
            self.place(span.bytes, said.collect(), None)
        };
        spans.into_iter().map(place).collect()
    }

    fn place(&self, bytes: Range<usize>, models: Vec<Said>, kl: Option<f64>) -> Place {
        let text = String::from_utf8_lossy(&self.text.as_bytes()[bytes.clone()]);
        let difference = match &models[..] {
            [a, b] => Some(b.logprob - a.logprob),
            _ => None,
        };
        Place { bytes, text: Cow::into_owned(text), models, difference, kl }
    }
}

/// Tokens of a place under one model.
fn said<'s>(tokens: impl Iterator<Item = &'s Scored>, session: &Session) -> Said {
    let tokens: Vec<&Scored> = tokens.collect();
    let one = (tokens.len() == 1).then(|| tokens[0]);
    let first = tokens.first().and_then(|scored| scored.top.first());
    Said {
        ids: tokens.iter().map(|scored| scored.token.0).collect(),
        logprob: tokens.iter().map(|scored| scored.logprob).sum(),
        rank: one.map(|scored| scored.rank),
        entropy: one.map(|scored| scored.entropy),
        likeliest: first.map_or_else(String::new, |&(token, _)| session.text(token)),
    }
}

impl Divergences {
    fn of(tokens: &[Token]) -> Option<Divergences> {
        let found: Vec<_> = tokens.iter().filter_map(|token| token.divergence).collect();
        if found.is_empty() {
            return None;
        }
        let mut kls: Vec<f64> = found.iter().map(|one| one.kl).collect();
        kls.sort_by(f64::total_cmp);
        let n = kls.len();
        let mean = kls.iter().sum::<f64>() / n as f64;
        let variance =
            kls.iter().map(|kl| (kl - mean) * (kl - mean)).sum::<f64>() / (n as f64 - 1.0);
        // The value that a share of the places doesn't exceed.
        let quantile = |share: f64| kls[((share * n as f64).ceil() as usize).clamp(1, n) - 1];
        let same = found.iter().filter(|one| one.same_top).count();
        Some(Divergences {
            mean,
            standard_error: Some((variance / n as f64).sqrt()).filter(|error| error.is_finite()),
            median: quantile(0.5),
            percentile_99: quantile(0.99),
            largest: kls[n - 1],
            same_top: same as f64 / n as f64,
        })
    }
}

impl Place {
    /// By which places are selected: how far two models part, or how unlikely one finds it.
    fn weight(&self) -> f64 {
        self.difference.map_or_else(|| 0.0 - self.models[0].logprob, f64::abs)
    }
}

impl Answer {
    /// The answer with the `n` places that tell most, those first; all in the text's order if
    /// `None`.
    pub(crate) fn cut(mut self, n: Option<usize>) -> Answer {
        if let Some(n) = n {
            self.places.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
            self.places.truncate(n);
        }
        self
    }
}
