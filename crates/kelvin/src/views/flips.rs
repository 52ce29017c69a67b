//! Logits, a chain and its dice in, the temperatures at which they draw another token out.

use kelvin_engine::Engine;
use kelvin_sampling::{Change, ChangesError, Sampler, TokenId};
use serde::Serialize;

use super::token;
use crate::terminal::json;

/// From this temperature on it's this token.
#[derive(Debug, Serialize)]
pub(crate) struct Flip {
    /// The highest f32 temperature that still draws the token before.
    #[serde(serialize_with = "json::number")]
    pub(crate) below: f64,
    #[serde(serialize_with = "json::number")]
    pub(crate) above: f64,
    pub(crate) from: Named,
    pub(crate) to: Named,
}

/// A token by all its names.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Named {
    pub(crate) ids: [u32; 1],
    pub(crate) text: String,
    /// With nothing left invisible.
    pub(crate) shown: String,
}

impl Named {
    /// Of a token.
    pub(crate) fn of(engine: &Engine, token: TokenId) -> Named {
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

/// The nearest below and above the sampler's own temperature.
pub(crate) fn nearest(
    engine: &Engine,
    sampler: &mut Sampler,
    logits: &[f32],
    pos: u64,
) -> Result<[Option<Flip>; 2], ChangesError> {
    let changes = sampler.nearest_changes(logits, pos)?;
    Ok(changes.map(|change| change.map(|change| Flip::of(engine, change))))
}

/// The lowest `limit` of them from T = 0.05 up to 10, rising.
pub(crate) fn flips(
    engine: &Engine,
    sampler: &mut Sampler,
    logits: &[f32],
    pos: u64,
    limit: usize,
) -> Result<Vec<Flip>, ChangesError> {
    let flip = |change: Change| Flip::of(engine, change);
    Ok(sampler.changes(logits, pos, limit)?.into_iter().map(flip).collect())
}
