//! A struct in, JSON on standard output out: one object, indented, a newline at its end.

use anyhow::Context;
use serde::{Serialize, Serializer};

/// Prints `value`.
pub(crate) fn print<T: Serialize>(value: &T) -> anyhow::Result<()> {
    let mut text =
        serde_json::to_string_pretty(value).context("making JSON of the answer failed")?;
    text.push('\n');
    super::print(&text)
}

/// A number that may be infinite, which JSON can't say: `"inf"` and `"-inf"` then.
pub(crate) fn number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_infinite() {
        serializer.serialize_str(if *value > 0.0 { "inf" } else { "-inf" })
    } else {
        serializer.serialize_f64(*value)
    }
}

/// The same for a number that may not be there, which is null.
pub(crate) fn maybe_number<S: Serializer>(
    value: &Option<f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => number(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// An f32 as the shortest decimal that means it (0.1 rather than 0.10000000149011612).
pub(crate) fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// Prints `value` on one line, for a verb that answers several times.
pub(crate) fn print_line<T: Serialize>(value: &T) -> anyhow::Result<()> {
    let mut text = serde_json::to_string(value).context("making JSON of the answer failed")?;
    text.push('\n');
    super::print(&text)
}
