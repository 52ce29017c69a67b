//! A run in, a table that other programs read out: CSV, JSON lines or Parquet, a row for each text
//! or for each token.
//!
//! Rows stand in the order of prompt, chain, sample and place, and hold nothing of when or where
//! they were made: equal runs give equal bytes.

mod csv;
mod jsonl;
mod parquet;
mod table;

use std::io::{self, Write};

use crate::store::{RunId, Store, StoreError};
use table::{Cell, Column, text_columns, text_row, token_columns, token_rows};

/// The form of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a line of names (RFC 4180).
    Csv,
    /// A JSON object a line; what isn't known is null.
    Jsonl,
    /// Apache Parquet, compressed by Snappy.
    Parquet,
}

/// The rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// One for each text.
    Texts,
    /// One for each token.
    Tokens,
}

/// Why a run can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The table can't be written.
    #[error("writing the table failed: {0}")]
    Io(#[from] io::Error),
}

/// Takes rows of one table, in order.
trait Sink {
    fn row(&mut self, row: Vec<Cell>) -> io::Result<()>;
    fn end(self: Box<Self>) -> io::Result<()>;
}

/// Writes a run's table into `out`, one sample at a time.
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
