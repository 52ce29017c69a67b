//! Exports a run as a table for other programs: CSV, JSON Lines or Parquet, one row per text or per
//! token.
//!
//! Rows are sorted by prompt, chain, sample and position. They contain no time and no machine, so
//! equal runs give equal bytes.

mod csv;
mod jsonl;
mod parquet;
mod table;

use std::io::{self, Write};

use crate::store::{RunId, Store, StoreError};
use table::{Cell, Column, text_columns, text_row, token_columns, token_rows};

/// The format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header (RFC 4180).
    Csv,
    /// One JSON object per line. Unknown values are null.
    Jsonl,
    /// Apache Parquet, compressed with Snappy.
    Parquet,
}

/// What a row of the table stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A text.
    Texts,
    /// A token.
    Tokens,
}

/// Why a run can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The run can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The table can't be written.
    #[error("writing the table failed: {0}")]
    Io(#[from] io::Error),
}

/// Receives the rows of one table, in order.
trait Sink {
    fn row(&mut self, row: Vec<Cell>) -> io::Result<()>;
    fn end(self: Box<Self>) -> io::Result<()>;
}

/// Writes a run's table to `out`, one sample at a time.
///
/// # Errors
/// If the run can't be read or the table can't be written.
pub fn export(
    store: &Store,
    run: RunId,
    what: What,
    format: Format,
    out: &mut (dyn Write + Send),
) -> Result<(), ExportError> {
    let recipe = store.show(run)?.recipe;
    let columns = match what {
        What::Texts => text_columns(),
        What::Tokens => token_columns(),
    };
    let mut sink: Box<dyn Sink + '_> = match format {
        Format::Csv => Box::new(csv::Csv::new(columns, out)?),
        Format::Jsonl => Box::new(jsonl::Jsonl::new(columns, out)),
        Format::Parquet => Box::new(parquet::Parquet::new(columns, out)?),
    };
    store.each_sample(run, &mut |sample| -> Result<(), ExportError> {
        match what {
            What::Texts => {
                sink.row(text_row(
                    &sample,
                    &recipe.prompts[sample.prompt],
                    &recipe.chains[sample.chain],
                ))?;
            }
            What::Tokens => token_rows(&sample).try_for_each(|row| sink.row(row))?,
        }
        Ok(())
    })?;
    Ok(sink.end()?)
}

#[cfg(test)]
mod tests;
