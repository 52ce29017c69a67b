//! The rows of a trace: what each stage of a chain did, and the ranks of tokens on the way.

use kelvin_engine::Engine;
use kelvin_sampling::{Place, TokenId, Trace};
use serde::Serialize;

use super::token;

/// What one stage did.
#[derive(Debug, Serialize)]
pub struct StageRow {
    /// The stage in the notation of chains.
    pub stage: String,
    /// Tokens left before it.
    pub survivors_before: usize,
    /// Tokens left after it.
    pub survivors_after: usize,
    /// Entropy before it, in nats.
    pub entropy_before: f64,
    /// Entropy after it, in nats.
    pub entropy_after: f64,
    /// Probability of the tokens that it removed.
    pub mass_removed: f64,
}

/// A watched token, and its rank and probability after each stage.
#[derive(Debug, Serialize)]
pub struct Watched {
    ids: [u32; 1],
    text: String,
    /// The token's text with spaces and control characters as visible signs.
    pub shown: String,
    /// Ranks before the first stage (raw) and after each stage.
    pub places: Vec<PlaceRow>,
}

/// Rank and probability of a token after one stage.
#[derive(Debug, Serialize)]
pub struct PlaceRow {
    /// `raw`, or the stage after which.
    pub after: String,
    /// The rank, from 0; null if the token was removed.
    pub rank: Option<usize>,
    /// The probability after the stage.
    pub probability: f64,
    /// Surprisal in nats; null if the token was removed.
    pub surprisal_nats: Option<f64>,
}

/// The stages of a trace.
pub fn stages(trace: &Trace) -> Vec<StageRow> {
    let row = |report: &kelvin_sampling::StageReport| StageRow {
        stage: report.stage.to_string(),
        survivors_before: report.survivors_before,
        survivors_after: report.survivors_after,
        entropy_before: report.entropy_before,
        entropy_after: report.entropy_after,
        mass_removed: report.mass_removed,
    };
    trace.stages().iter().map(row).collect()
}

/// The tokens that a trace was told to watch.
pub fn watched(trace: &Trace, tokens: &[TokenId], engine: &Engine) -> Vec<Watched> {
    let names = || {
        ["raw".to_string()]
            .into_iter()
            .chain(trace.stages().iter().map(|report| report.stage.to_string()))
    };
    let row = |(after, place): (String, &Option<Place>)| PlaceRow {
        after,
        rank: place.map(|place| place.rank),
        probability: place.map_or(0.0, |place| place.probability),
        surprisal_nats: place.map(|place| place.surprisal),
    };
    let one = |(i, &token): (usize, &TokenId)| Watched {
        ids: [token.0],
        text: token::text(engine, token),
        shown: token::shown(engine, token),
        places: names().zip(trace.places(i)).map(row).collect(),
    };
    tokens.iter().enumerate().map(one).collect()
}
