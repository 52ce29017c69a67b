//! The data of a sweep as metrics and reports read it: prompts × chains × samples, each a text with
//! a record of every token.
//!
//! All quantities are in nats. "Raw" is the model's own distribution (T = 1, whole vocabulary).
//! "Final" is the distribution that the token was drawn from, after the chain. A quantity that the
//! engine doesn't report is `None`, and [`Source::withholds`] says why; it is never estimated.

use std::collections::BTreeMap;

use kelvin_engine::generate::FinishReason;
use kelvin_sampling::Shift;
use serde::{Deserialize, Serialize};

use crate::{column::Column, text_quality::TextQuality};

/// A run, complete or partly filled.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The recipe's hash, in hexadecimal.
    pub hash: String,
    /// Where the texts were generated.
    pub source: Source,
    /// The judge model, if the samples were scored by one.
    pub judge: Option<Source>,
    /// The values of scores of one's own, by the score's name.
    pub scores: BTreeMap<String, Scored>,
    /// The seed. Samples with equal numbers use equal random numbers for every prompt and chain, so
    /// chains can be compared in pairs.
    pub seed: u64,
    /// The maximum number of tokens of a text.
    pub max_tokens: usize,
    /// The number of samples that each cell (a prompt with a chain) should have.
    pub n_samples: usize,
    /// The prompts, in the recipe's order.
    pub prompts: Vec<Prompt>,
    /// The chains and temperatures of texts, in the recipe's order.
    pub chains: Vec<Column>,
    /// The samples that exist, sorted by prompt, then chain, then sample.
    pub samples: Vec<Sample>,
}

/// The values of a score: by prompt, chain and sample the number, or why there is none.
pub type Scored = BTreeMap<(usize, usize, usize), Result<f64, String>>;

/// Where texts were generated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A model file on this machine. Every distribution is known in full.
    Local {
        /// The model as the user named it.
        model: String,
        /// The file's SHA-256, in hexadecimal.
        sha256: String,
    },
    /// A server with an OpenAI-compatible API. At most the log-probabilities of the top tokens are
    /// known.
    Server {
        /// The model's name on that server.
        model: String,
        /// The base URL, ending in `/v1`.
        url: String,
    },
}

impl Source {
    /// Why entropies, ranks beyond the top tokens, final probabilities and survivors are missing,
    /// if they are missing.
    pub fn withholds(&self) -> Option<&'static str> {
        match self {
            Source::Local { .. } => None,
            Source::Server { .. } => Some(WITHHELD),
        }
    }
}

/// The reason that [`Source::withholds`] gives for a server.
pub(crate) const WITHHELD: &str = "the texts come from a server, which tells the likeliest tokens \
    at most, not the whole distribution";

/// A prompt, with the other fields of its JSON Lines record (a category, a reference).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// The prompt as given, before any chat template.
    pub text: String,
    /// The other fields of its record.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// One text to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    /// Index of the prompt in the recipe.
    pub prompt: usize,
    /// Index of the chain in the recipe.
    pub chain: usize,
    /// Sample number, from 0, which names the dice.
    pub sample: usize,
}

/// One text.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Index of the prompt, from 0.
    pub prompt: usize,
    /// Index of the chain, from 0.
    pub chain: usize,
    /// Sample number, from 0. Samples with equal numbers share their random numbers.
    pub sample: usize,
    /// The text, up to a stop string.
    pub text: String,
    /// Why generation ended.
    pub finish: Finish,
    /// The record of each drawn token. The tokens of a stop string are included although the text
    /// excludes them; an end-of-text token is not.
    pub tokens: Vec<Token>,
    /// The judge's likelihood of the text, if a judge has scored it.
    pub judged: Option<Judged>,
    /// The text's embedding, a vector of length 1, if it was computed.
    pub embedding: Option<Vec<f32>>,
    /// How it was drawn, if it was drawn as a whole.
    pub whole: Option<TextQuality>,
}

/// The likelihood of a text under another model, conditioned on the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The number of tokens of the text in the judge's vocabulary; 0 if the text is empty.
    pub tokens: usize,
    /// Σ -ln p over these tokens, raw.
    pub nats: f64,
}

/// Why generation of a text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model drew an end-of-text token.
    EndToken,
    /// A stop string was generated.
    StopString,
    /// A server reported `stop`: an end-of-text token or a stop string.
    Stop,
    /// The maximum number of tokens was reached.
    MaxTokens,
    /// The context was full.
    ContextFull,
    /// The logits had no valid distribution (NaN, or nothing left).
    BadLogits,
    /// A server reported another reason.
    Other,
}

impl Finish {
    /// The reason of a text of the engine.
    pub fn of(reason: &FinishReason) -> Finish {
        match reason {
            FinishReason::EndToken(_) => Finish::EndToken,
            FinishReason::StopString(_) => Finish::StopString,
            FinishReason::MaxTokens => Finish::MaxTokens,
            FinishReason::ContextFull => Finish::ContextFull,
            FinishReason::BadLogits(_) | FinishReason::NothingLeft(_) => Finish::BadLogits,
            FinishReason::Complete
            | FinishReason::Cancelled
            | FinishReason::NotAccepted(_)
            | FinishReason::Panicked => Finish::Other,
        }
    }
}

/// One drawn token.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Token {
    /// The token's id. Servers don't report it.
    pub id: Option<u32>,
    /// The token's bytes, which may be part of a character.
    pub bytes: Vec<u8>,
    /// The number of survivors ranked before the token: 0 is the most likely.
    pub rank: Option<u32>,
    /// -ln p, raw.
    pub surprisal: Option<f64>,
    /// -ln p, final.
    pub surprisal_final: Option<f64>,
    /// Entropy, raw.
    pub entropy: Option<f64>,
    /// Entropy, final.
    pub entropy_final: Option<f64>,
    /// The number of tokens that the chain left.
    pub survivors: Option<u32>,
    /// The distance between the raw and the final distribution, if the recipe's metrics need it
    /// ([`kelvin_sampling::Sampler::measuring_shift`]).
    pub shift: Option<Shift>,
    /// The top tokens and their log-probabilities as a server reported them, the most likely first;
    /// empty for a local model.
    pub top: Vec<(String, f64)>,
}

impl Sample {
    /// Its place in the recipe's table.
    pub fn row(&self) -> Row {
        Row { prompt: self.prompt, chain: self.chain, sample: self.sample }
    }

    /// How many tokens the model computed for it: more than it has, if it was drawn as a whole.
    pub fn n_computed(&self) -> usize {
        self.whole.as_ref().map_or(self.tokens.len(), |whole| whole.tokens_read as usize)
    }

    /// The sample's tokens. `None` if the text has tokens but the server reported no
    /// log-probabilities.
    pub fn reported(&self) -> Option<&[Token]> {
        (!self.tokens.is_empty() || self.text.is_empty()).then_some(&self.tokens)
    }
}

impl Run {
    /// The samples of one cell, sorted by number.
    pub fn cell(&self, prompt: usize, chain: usize) -> &[Sample] {
        let place = |sample: &Sample| (sample.prompt, sample.chain);
        let from = self.samples.partition_point(|sample| place(sample) < (prompt, chain));
        let to = self.samples.partition_point(|sample| place(sample) <= (prompt, chain));
        &self.samples[from..to]
    }

    /// Whether every cell has all its samples.
    pub fn is_whole(&self) -> bool {
        self.samples.len() == self.prompts.len() * self.chains.len() * self.n_samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_among_the_samples_that_are_there() {
        let sample = |prompt, chain, sample| Sample {
            prompt,
            chain,
            sample,
            text: String::new(),
            finish: Finish::MaxTokens,
            tokens: Vec::new(),
            judged: None,
            embedding: None,
            whole: None,
        };
        let prompt = Prompt { text: "x".into(), fields: BTreeMap::new() };
        let run = Run {
            hash: String::new(),
            source: Source::Local { model: "m".into(), sha256: String::new() },
            judge: None,
            scores: BTreeMap::new(),
            seed: 7,
            max_tokens: 8,
            n_samples: 2,
            prompts: vec![prompt.clone(), prompt],
            chains: vec!["temp=1".parse().unwrap(), "temp=2".parse().unwrap()],
            samples: vec![sample(0, 1, 0), sample(0, 1, 1), sample(1, 0, 1)],
        };
        let numbers = |p, c| run.cell(p, c).iter().map(|s| s.sample).collect::<Vec<_>>();
        assert!(numbers(0, 0).is_empty() && numbers(1, 1).is_empty());
        assert_eq!(numbers(0, 1), [0, 1]);
        assert_eq!(numbers(1, 0), [1]);
        assert!(!run.is_whole());
    }
}
