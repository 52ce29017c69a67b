//! Errors of chains and of logits. Every message says what was found, where, and what was expected.

use crate::{TokenId, bounds};

/// A chain that was refused. It is checked when it is made, so a step never meets a bad parameter.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No stage of this name.
    #[error("unknown stage `{name}` in the chain; {}known stages: {known}", hint(.meant))]
    UnknownStage {
        /// The name as it was written.
        name: String,
        /// The name that may have been meant.
        meant: Option<&'static str>,
        /// All names that exist, separated by commas.
        known: String,
    },
    /// A parameter is outside its range, or missing.
    #[error("{stage}: {found} is not allowed; expected {allowed}")]
    BadValue {
        /// The stage that refused.
        stage: &'static str,
        /// What was given.
        found: String,
        /// The allowed range, in words.
        allowed: &'static str,
    },
    /// A text in quotes doesn't end.
    #[error(
        "a quote isn't closed in `{found}`: a text stands between two quotes, and a quote within it \
         is written \\x22"
    )]
    OpenQuote {
        /// The chain as it was written.
        found: String,
    },
    /// There is no stage between two bars, or none at all.
    #[error(
        "stage {place} of the chain is empty; write stages as in `temp=0.8 | top_k=40`, or \
         `temp=1` for the neutral chain"
    )]
    EmptyStage {
        /// Counted from 1.
        place: usize,
    },
    /// A stage names a token that the vocabulary doesn't have.
    #[error("{stage}: there is no token {id}, the vocabulary has {vocab} (ids from 0)")]
    UnknownToken {
        /// The stage.
        stage: &'static str,
        /// The token.
        id: u32,
        /// The size of the vocabulary.
        vocab: usize,
    },
    /// `draw` isn't the last stage.
    #[error(
        "`draw` stands at place {place} of the chain but can only be the last stage (it is implied \
         there)"
    )]
    DrawNotLast {
        /// Counted from 1.
        place: usize,
    },
    /// A stage that learns from the draw isn't the last one.
    #[error(
        "`{stage}` stands at place {place} of the chain but learns from the draw, so it can only \
         be the last stage"
    )]
    NotLast {
        /// The stage.
        stage: &'static str,
        /// Counted from 1.
        place: usize,
    },
    /// The engine of a profile doesn't have the stage.
    #[error("{profile} has no stage `{stage}`, so that profile can't express it")]
    NotInProfile {
        /// The stage.
        stage: &'static str,
        /// The profile.
        profile: &'static str,
    },
    /// A profile has each kind of stage once.
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
    /// There are more random stages than random words for a position.
    #[error("the chain has {count} `xtc` stages, but a position has random words for only 7")]
    TooManyRandom {
        /// How many it has.
        count: usize,
    },
    /// There are too many stages: each may scan the vocabulary in every step.
    #[error("the chain has {count} stages, at most {} are taken", bounds::MAX_STAGES)]
    TooManyStages {
        /// How many it has.
        count: usize,
    },
    /// Each breaker that is a text costs a pass over the vocabulary.
    #[error(
        "the chain has {count} breakers of `dry` that are texts, at most {} are taken",
        bounds::MAX_TEXTS
    )]
    TooManyBreakers {
        /// How many it has.
        count: usize,
    },
    /// A text is cut at each of its characters, and every token is compared with each cut.
    #[error("a breaker of `dry` has {bytes} bytes, at most {} are taken", bounds::MAX_TEXT_BYTES)]
    LongBreaker {
        /// How many it has.
        bytes: usize,
    },
    /// The chain has several temperatures, so one can't replace them.
    #[error(
        "the chain `{chain}` has {count} `temp` stages, so it isn't clear which one a temperature \
         of its own should replace; leave one"
    )]
    SeveralTemperatures {
        /// The chain as printed.
        chain: String,
        /// How many `temp` stages it has.
        count: usize,
    },
    /// A temperature can't be set for all chains of a schedule.
    #[error(
        "the schedule `{chain}` has a temperature for each of its chains, so one temperature can't \
         replace them; write it in the schedule"
    )]
    Scheduled {
        /// The schedule as printed.
        chain: String,
    },
    /// A schedule doesn't say what holds where none of its places does.
    #[error(
        "the schedule has no last chain: it ends with `{place}`, and nothing says what holds \
         elsewhere; end it with a chain without a place, as in `after 40: temp=0.6; temp=1`"
    )]
    NoLastChain {
        /// The last place.
        place: String,
    },
    /// A chain without a place stands before others.
    #[error(
        "part {part} of the schedule is a chain without a place, which holds everywhere, so it can \
         only be the last part"
    )]
    NotTheLast {
        /// Counted from 1.
        part: usize,
    },
    /// There is nothing before, between or after `;`.
    #[error(
        "part {part} of the schedule is empty: `;` separates chains, so leave it out or write a \
         chain there"
    )]
    EmptyPart {
        /// Counted from 1.
        part: usize,
    },
    /// A part of a schedule never decides.
    #[error(
        "the places of the schedule overlap: `{before}` before it holds wherever `{place}` does, \
         so that `{place}` never comes to hold"
    )]
    Overlap {
        /// What never holds.
        place: String,
        /// What stands before it.
        before: String,
    },
    /// No place of this name.
    #[error("unknown place `{found}` in the schedule; known places: {known}")]
    UnknownPlace {
        /// The place as it was written.
        found: String,
        /// The notation of all places.
        known: &'static str,
    },
    /// A number or a text of a place isn't allowed.
    #[error("the place `{found}` of the schedule isn't allowed; expected {allowed}")]
    BadPlace {
        /// The place as it was written.
        found: String,
        /// What may stand there, in words.
        allowed: &'static str,
    },
    /// A text of a place has an escape that is none.
    #[error(
        "`{escape}` isn't an escape, in the place `{place}` of the schedule; there are \\n, \\t, \\r \
         and \\x00 to \\x7f (\\x22 is a quote, \\x5c a backslash), and characters beyond ASCII stand \
         as they are"
    )]
    BadEscape {
        /// The escape as it was written.
        escape: String,
        /// The place as it was written.
        place: String,
    },
    /// A text that a place looks for is empty or long.
    #[error("a text of the schedule has {bytes} bytes; expected 1 to 256")]
    PlaceText {
        /// Its length.
        bytes: usize,
    },
    /// The factor of `heat` isn't allowed.
    #[error("`{found}` is not allowed in a schedule; expected `heat` and a factor up to 1000")]
    BadHeat {
        /// What was written.
        found: String,
    },
    /// A temperature of 0 has no multiple.
    #[error("`heat` multiplies the temperature, which is 0; write a chain in its place")]
    HeatOfZero,
    /// A schedule has too many parts.
    #[error("the schedule has {count} parts, at most {} are taken", bounds::MAX_PARTS)]
    TooManyParts {
        /// How many it has.
        count: usize,
    },
    /// A schedule has too many parts that heat.
    #[error("the schedule has {count} parts with `heat`, at most 3 are taken")]
    TooManyHeats {
        /// How many it has.
        count: usize,
    },
    /// A chain of a schedule is refused.
    #[error("`{place}` of the schedule: {problem}")]
    InPlace {
        /// The place.
        place: String,
        /// What is wrong with the chain.
        problem: Box<ChainError>,
    },
    /// The model doesn't think.
    #[error(
        "`{place}` is a place of models that think, but the chat template of this one shows no \
         reasoning block (such as <think>…</think>)"
    )]
    NoReasoning {
        /// The place.
        place: String,
    },
}

/// What may have been meant, as the beginning of a sentence's part.
fn hint(name: &Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("did you mean `{name}`? "))
}

/// Why no token can be drawn from some logits.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// There are no logits.
    #[error("there are no logits: the vocabulary is empty")]
    Empty,
    /// There are more tokens than a total of weights can hold.
    #[error("{found} logits are too many; at most {} tokens", crate::MAX_VOCAB)]
    TooMany {
        /// The length of the logits.
        found: usize,
    },
    /// A logit is NaN or +inf.
    #[error("the logit of token {} is {value}; expected a finite number, or -inf for a masked \
        token", token.0)]
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
    /// A stage has texts, and [`Chain::with_vocabulary`](crate::Chain::with_vocabulary) hasn't been
    /// called.
    #[error("{stage}: it depends on texts, which need a model's vocabulary")]
    NeedsVocabulary {
        /// The stage.
        stage: &'static str,
    },
    /// A stage, or the limits of the position, masked every token that was left.
    #[error("{stage} leaves no token to draw")]
    NothingLeft {
        /// The stage.
        stage: &'static str,
    },
}
