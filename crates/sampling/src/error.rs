//! What can be wrong with a chain, and what can be wrong with logits.
//!
//! Every message says what was found, where, and what was expected.

use crate::TokenId;

/// A chain that can't be: refused at construction, so that a step never sees a bad parameter.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No stage of this name.
    #[error("unknown stage `{name}` in the chain; known stages: {known}")]
    UnknownStage {
        /// The name as it was written.
        name: String,
        /// All names that exist, separated by commas.
        known: String,
    },
    /// A parameter outside its range, or none where one is needed.
    #[error("{stage}: {found} is not allowed; expected {allowed}")]
    BadValue {
        /// The stage that refused.
        stage: &'static str,
        /// What was given.
        found: String,
        /// The allowed range, in words.
        allowed: &'static str,
    },
    /// Nothing between two bars, or nothing at all.
    #[error(
        "stage {place} of the chain is empty; write stages as in `temp=0.8 | top_k=40`, or `temp=1` for the neutral chain"
    )]
    EmptyStage {
        /// Counted from 1.
        place: usize,
    },
    /// `draw` is where a chain ends.
    #[error(
        "`draw` stands at place {place} of the chain but can only be the last stage (it is implied there)"
    )]
    DrawNotLast {
        /// Counted from 1.
        place: usize,
    },
    /// A stage that learns from the token drawn has to see it.
    #[error(
        "`{stage}` stands at place {place} of the chain but learns from the draw, so it can only be the last stage"
    )]
    NotLast {
        /// The stage.
        stage: &'static str,
        /// Counted from 1.
        place: usize,
    },
    /// An engine that doesn't know a stage can't run it.
    #[error("{profile} has no stage `{stage}`, so that profile can't express it")]
    NotInProfile {
        /// The stage.
        stage: &'static str,
        /// The profile.
        profile: &'static str,
    },
    /// Settings by kind can name each once.
    #[error("`{stage}` is given twice")]
    Twice {
        /// The stage.
        stage: &'static str,
    },
    /// No profile of this name.
    #[error("there is no profile \"{name}\"; known profiles: {known}")]
    UnknownProfile {
        /// The name as it was written.
        name: String,
        /// All names that exist, separated by commas.
        known: String,
    },
    /// A position has only so many random words.
    #[error(
        "the chain has {count} `xtc` stages, but a position of the dice has random words for 7"
    )]
    TooManyRandom {
        /// How many it has.
        count: usize,
    },
    /// Work in a step follows the number of stages.
    #[error("the chain has {count} stages, at most {} are taken", crate::Chain::MOST_STAGES)]
    TooManyStages {
        /// How many it has.
        count: usize,
    },
    /// Each breaker that is a text costs a pass over the vocabulary.
    #[error(
        "the chain has {count} breakers of `dry` that are texts, at most {} are taken",
        crate::stages::Dry::MOST_TEXTS
    )]
    TooManyBreakers {
        /// How many it has.
        count: usize,
    },
    /// A text is cut at each of its characters, and every token is compared with each cut.
    #[error(
        "a breaker of `dry` has {bytes} bytes, at most {} are taken",
        crate::stages::Dry::MOST_TEXT_BYTES
    )]
    LongBreaker {
        /// How many it has.
        bytes: usize,
    },
    /// One temperature can't replace several.
    #[error(
        "the chain `{chain}` has {count} `temp` stages, so it isn't clear which one a temperature of its own should replace; leave one"
    )]
    SeveralTemperatures {
        /// The chain as printed.
        chain: String,
        /// How many `temp` stages it has.
        count: usize,
    },
}

/// Logits from which no token can be drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// A vocabulary of no tokens.
    #[error("there are no logits: the vocabulary is empty")]
    Empty,
    /// More tokens than the totals have room for.
    #[error("{found} logits are too many; at most {} tokens", crate::MAX_VOCAB)]
    TooMany {
        /// The length of the logits.
        found: usize,
    },
    /// NaN or +inf where a number (or -inf, masked) belongs.
    #[error("the logit of token {} is {value}; expected a finite number, or -inf for a masked token", token.0)]
    BadLogit {
        /// The first such token.
        token: TokenId,
        /// Its logit: NaN or +inf.
        value: f32,
    },
    /// Every logit is -inf.
    #[error("all {count} tokens are masked (their logits are -inf), so there is nothing to draw")]
    AllMasked {
        /// The size of the vocabulary.
        count: usize,
    },
    /// A stage names a token that the vocabulary doesn't have.
    #[error("{stage}: there is no token {}, the vocabulary has {vocab} (ids from 0)", token.0)]
    UnknownToken {
        /// The stage.
        stage: &'static str,
        /// The token.
        token: TokenId,
        /// The size of the vocabulary.
        vocab: usize,
    },
    /// A stage has texts that nobody has looked up in a vocabulary.
    #[error(
        "{stage} has breakers that are texts, and no model's vocabulary to find their tokens in; give token ids"
    )]
    NeedsVocabulary {
        /// The stage.
        stage: &'static str,
    },
    /// A stage masked every token that was left.
    #[error("{stage} leaves no token to draw")]
    NothingLeft {
        /// The stage.
        stage: &'static str,
    },
}
