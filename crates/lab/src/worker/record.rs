//! A draw of the engine as a token of a run.

use kelvin_sampling::Draw;

use crate::run::Token;

/// The record of a token that stands for these bytes.
pub(super) fn record(draw: Draw, bytes: &[u8]) -> Token {
    Token {
        id: Some(draw.token.0),
        bytes: bytes.to_vec(),
        rank: Some(draw.rank),
        surprisal: Some(draw.surprisal),
        surprisal_final: Some(draw.surprisal_final),
        entropy: Some(draw.entropy),
        entropy_final: Some(draw.entropy_final),
        survivors: Some(draw.survivors),
        shift: draw.shift,
        top: Vec::new(),
    }
}
