//! Prints a value as indented JSON on standard output.

use anyhow::Context;
use serde::Serialize;

pub(crate) use kelvin_views::json::{maybe_number, number, short};

/// Prints `value`.
pub(crate) fn print<T: Serialize>(value: &T) -> anyhow::Result<()> {
    let mut text =
        serde_json::to_string_pretty(value).context("making JSON of the answer failed")?;
    text.push('\n');
    super::print(&text)
}

/// Prints `value` on one line, for a verb that answers several times.
pub(crate) fn print_line<T: Serialize>(value: &T) -> anyhow::Result<()> {
    let mut text = serde_json::to_string(value).context("making JSON of the answer failed")?;
    text.push('\n');
    super::print(&text)
}
