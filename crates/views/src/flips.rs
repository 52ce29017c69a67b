//! Finds the temperatures at which one random number draws another token.

use kelvin_engine::Engine;
use kelvin_sampling::{Change, ChangesError, Sampler, TokenId};
use serde::Serialize;

use super::token;
use crate::json;

/// A temperature from which on another token is drawn.
#[derive(Debug, Serialize)]
pub struct Flip {
    /// The highest f32 temperature that draws `from`.
    #[serde(serialize_with = "json::number")]
    pub below: f64,
    /// The next higher f32: the lowest temperature that draws `to`.
    #[serde(serialize_with = "json::number")]
    pub above: f64,
    /// The token drawn up to `below`.
    pub from: Named,
    /// The token drawn from `above` on.
    pub to: Named,
}

/// A token: its id and its text.
#[derive(Debug, Clone, Serialize)]
pub struct Named {
    /// The token id.
    pub ids: [u32; 1],
    /// The token's text; bytes that aren't UTF-8 are replaced.
    pub text: String,
    /// The text with spaces and control characters as visible signs.
    pub shown: String,
}

impl Named {
    /// Of a token.
    pub fn of(engine: &Engine, token: TokenId) -> Named {
        Named {
            ids: [token.0],
            text: token::text(engine, token),
            shown: token::shown(engine, token),
        }
    }
}

impl Flip {
    fn of(engine: &Engine, change: Change) -> Flip {
        Flip {
            below: json::short(change.below),
            above: json::short(change.above),
            from: Named::of(engine, change.from),
            to: Named::of(engine, change.to),
        }
    }
}

/// The nearest changes below and above the sampler's own temperature.
pub fn nearest(
    engine: &Engine,
    sampler: &mut Sampler,
    logits: &[f32],
    pos: u64,
) -> Result<[Option<Flip>; 2], ChangesError> {
    let changes = sampler.nearest_changes(logits, pos)?;
    Ok(changes.map(|change| change.map(|change| Flip::of(engine, change))))
}

/// The first `limit` changes from T = 0.05 up to 10, in rising order.
pub fn flips(
    engine: &Engine,
    sampler: &mut Sampler,
    logits: &[f32],
    pos: u64,
    limit: usize,
) -> Result<Vec<Flip>, ChangesError> {
    let flip = |change: Change| Flip::of(engine, change);
    Ok(sampler.changes(logits, pos, limit)?.into_iter().map(flip).collect())
}
