//! Metrics from the token records: entropy, surprisal, perplexity, and the shift of distributions.

use kelvin_sampling::Shift;

use super::{Absent, Seen};
use crate::run::Token;

/// The mean of `of` over tokens, in its unit.
pub(crate) fn mean(seen: &Seen<'_>, of: fn(&Token) -> Option<f64>) -> Result<f64, Absent> {
    let tokens = super::tokens(seen.sample)?;
    if tokens.is_empty() {
        return Err(Absent::NoTokens);
    }
    let sum = tokens.iter().map(of).sum::<Option<f64>>();
    let unknown = || seen.run.source.withholds().map_or(Absent::NotRecorded, Absent::Withheld);
    Ok(sum.ok_or_else(unknown)? / tokens.len() as f64)
}

/// exp of the mean surprisal under T = 1.
pub(crate) fn perplexity(seen: &Seen<'_>) -> Result<f64, Absent> {
    Ok(libm::exp(mean(seen, |token| token.surprisal)?))
}

/// The mean over tokens of one quantity of the [`Shift`].
pub(crate) fn shifted(seen: &Seen<'_>, of: fn(&Shift) -> f64) -> Result<f64, Absent> {
    let tokens = super::tokens(seen.sample)?;
    if tokens.is_empty() {
        return Err(Absent::NoTokens);
    }
    let sum = tokens.iter().map(|token| token.shift.as_ref().map(of)).sum::<Option<f64>>();
    let unknown = || seen.run.source.withholds().map_or(Absent::NotRecorded, Absent::Withheld);
    Ok(sum.ok_or_else(unknown)? / tokens.len() as f64)
}

/// Nats per token of the judge's vocabulary.
pub(crate) fn judged(seen: &Seen<'_>) -> Result<f64, Absent> {
    let judged = seen.sample.judged.ok_or(Absent::NoJudge)?;
    if judged.tokens == 0 { Err(Absent::NoTokens) } else { Ok(judged.nats / judged.tokens as f64) }
}
