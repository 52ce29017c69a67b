//! What a sweep leaves behind, as metrics and reports read it: prompts × chains × samples, each a
//! text with a record of every token.
//!
//! All quantities are in nats. "Raw" is the model's own distribution (T = 1, the whole vocabulary),
//! "final" the one that a token was drawn from, after the chain. What an engine can't tell is
//! `None` and [`Source::withholds`] says why; nothing is made up for it.

use std::collections::BTreeMap;

use kelvin_sampling::{Chain, Shift};
use serde::{Deserialize, Serialize};

/// A run, whole or as far as it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The recipe's hash, in hexadecimal.
    pub hash: String,
    /// Where the texts come from.
    pub source: Source,
    /// The model whose opinion its samples have, if one has judged them.
    pub judge: Option<Source>,
    /// The key of the dice. Samples of one number share their dice at every prompt's every chain,
    /// so chains can be compared in pairs.
    pub seed: u64,
    /// How many tokens a text could have.
    pub max_tokens: usize,
    /// How many samples every cell (a prompt with a chain) was to have.
    pub n_samples: usize,
    /// In the order of the recipe.
    pub prompts: Vec<Prompt>,
    /// In the order of the recipe.
    pub chains: Vec<Chain>,
    /// Those that are there, by prompt, then chain, then sample.
    pub samples: Vec<Sample>,
}

/// Where texts come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A model file on this machine: every distribution is known.
    Local {
        /// The model as it was asked for.
        model: String,
        /// The file's SHA-256, in hexadecimal.
        sha256: String,
    },
    /// A server that speaks OpenAI's protocol: the likeliest few log-probabilities are known at
    /// most.
    Server {
        /// The model's name there.
        model: String,
        /// Up to and with `/v1`.
        url: String,
    },
}

impl Source {
    /// Why entropies, ranks beyond the likeliest few, final probabilities and survivors aren't
    /// there, if they aren't.
    pub fn withholds(&self) -> Option<&'static str> {
        match self {
            Source::Local { .. } => None,
            Source::Server { .. } => Some(WITHHELD),
        }
    }
}

/// What no server tells.
pub(crate) const WITHHELD: &str = "the texts come from a server, which tells the likeliest tokens at most, not the whole distribution";

/// A prompt, and what its line of a JSON-lines file says besides (a category, a reference).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// As it was given, before any chat template.
    pub text: String,
    /// The other fields of its line.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// One text.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Which prompt, from 0.
    pub prompt: usize,
    /// Which chain, from 0.
    pub chain: usize,
    /// Which dice, from 0.
    pub sample: usize,
    /// The text, up to a stop string.
    pub text: String,
    /// Why it ended.
    pub finish: Finish,
    /// How each of its tokens was drawn. A stop string's tokens are among them, though not in the
    /// text; an end token isn't.
    pub tokens: Vec<Token>,
    /// How likely the run's judge finds it, if it has one and that has looked.
    pub judged: Option<Judged>,
    /// Where it lies by what it means, a vector of length 1, if anybody has looked.
    pub embedding: Option<Vec<f32>>,
}

/// A text under another model, which reads it after the prompt's own text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// How many tokens of the judge's the text has; 0 if it's empty.
    pub tokens: usize,
    /// Σ -ln p over them, raw.
    pub nats: f64,
}

/// Why a text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model ended its turn.
    EndToken,
    /// A stop string came up.
    StopString,
    /// A server says `stop`, which is one of the two above.
    Stop,
    /// It has as many tokens as were asked for.
    MaxTokens,
    /// The context was full.
    ContextFull,
    /// The logits had no distribution to draw from.
    BadLogits,
    /// A server gave another reason.
    Other,
}

/// One drawn token.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Token {
    /// Its id; servers don't tell.
    pub id: Option<u32>,
    /// What it says, which may be a part of a character.
    pub bytes: Vec<u8>,
    /// How many survivors stood before it: 0 is the likeliest.
    pub rank: Option<u32>,
    /// -ln p, raw.
    pub surprisal: Option<f64>,
    /// -ln p, final.
    pub surprisal_final: Option<f64>,
    /// Entropy, raw.
    pub entropy: Option<f64>,
    /// Entropy, final.
    pub entropy_final: Option<f64>,
    /// Tokens that the chain left.
    pub survivors: Option<u32>,
    /// How far the chain moved the distribution, if the recipe's metrics ask for it
    /// ([`kelvin_sampling::Sampler::measuring_shift`]).
    pub shift: Option<Shift>,
    /// The likeliest tokens and their log-probabilities as a server told them, the likeliest first;
    /// empty for a local model.
    pub top: Vec<(String, f64)>,
}

impl Sample {
    /// Its tokens; none if it has some and whoever made it didn't tell them, as a server that knows
    /// no log-probabilities.
    pub fn told(&self) -> Option<&[Token]> {
        (!self.tokens.is_empty() || self.text.is_empty()).then_some(&self.tokens)
    }
}

impl Run {
    /// The samples of one cell, in their order.
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
        };
        let prompt = Prompt { text: "x".into(), fields: BTreeMap::new() };
        let run = Run {
            hash: String::new(),
            source: Source::Local { model: "m".into(), sha256: String::new() },
            judge: None,
            seed: 7,
            max_tokens: 8,
            n_samples: 2,
            prompts: vec![prompt.clone(), prompt],
            chains: vec![Chain::default(), Chain::default()],
            samples: vec![sample(0, 1, 0), sample(0, 1, 1), sample(1, 0, 1)],
        };
        let numbers = |p, c| run.cell(p, c).iter().map(|s| s.sample).collect::<Vec<_>>();
        assert!(numbers(0, 0).is_empty() && numbers(1, 1).is_empty());
        assert_eq!(numbers(0, 1), [0, 1]);
        assert_eq!(numbers(1, 0), [1]);
        assert!(!run.is_whole());
    }
}
