//! Terminal output: colours, bars, tables, columns, progress.
//!
//! This module knows nothing of models. Every write to standard output goes through [`print()`] or
//! a given `Write`, so a closed pipe is an error value and not a panic.

pub(crate) mod bars;
pub(crate) mod columns;
pub(crate) mod download;
pub(crate) mod json;
pub(crate) mod late;
pub(crate) mod live;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod wrap;

use std::io::{IsTerminal, Write};

use anyhow::Context;

/// Writes text to standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("writing to standard output failed")
}

/// Writes a sentence for people to standard error; that it can't be read is no reason to stop.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// How many of something there are: "1 token", "2 tokens".
pub(crate) fn counted(n: usize, what: &str) -> String {
    format!("{n} {}", things(n, what))
}

/// What so many of something are called.
pub(crate) fn things(n: usize, what: &str) -> String {
    format!("{what}{}", if n == 1 { "" } else { "s" })
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// How many columns the terminal has, where there is one.
pub(crate) fn width() -> Option<usize> {
    is_terminal().then(|| size().0)
}

/// How many columns and rows there are: the terminal's, or 80 × 24 where there is none.
pub(crate) fn size() -> (usize, usize) {
    match terminal_size::terminal_size() {
        Some((width, height)) if width.0 > 0 && height.0 > 0 => {
            (usize::from(width.0), usize::from(height.0))
        }
        _ => (80, 24),
    }
}
