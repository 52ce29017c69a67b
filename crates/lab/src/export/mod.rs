//! Exports a run as a table for other programs: CSV, JSON Lines or Parquet, one row per text, per
//! token or per recorded logit. A text has a column for each score of one's own, `score_NAME`.
//!
//! Rows are sorted by prompt, chain, sample and position. They contain no time and no machine, so
//! equal runs give equal bytes. Each row of a text or token names the run by its recipe's hash, and
//! so do the key-value metadata of a Parquet file.

#[cfg(feature = "arrow")]
mod arrow;
mod csv;
mod jsonl;
mod parquet;
mod table;

use std::{
    io::{self, Write},
    path::Path,
};

use crate::{
    recorded::RecordedLogits,
    report::with_others,
    run::{Sample, Scored, Source},
    scores::Score,
    scoring,
    store::{Listed, RunId, Store, StoreError},
};
#[cfg(feature = "arrow")]
pub use arrow::Batches;
pub use table::What;
use table::{Cell, Column, columns, logit_rows, origin_cells, score_cells, text_row, token_rows};

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

/// Why a run can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The run can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No logits were recorded.
    #[error("the run kept no logits: sweep with --record logits")]
    NoLogits,
    /// Stored bytes that can't be decoded as logits.
    #[error("the logits of a step are damaged, or an earlier version kept them: sweep again")]
    Damaged,
    /// The table can't be written.
    #[error("writing the table failed: {0}")]
    Io(#[from] io::Error),
}

/// Receives the rows of one table, in order.
trait Sink {
    fn row(&mut self, row: Vec<Cell>) -> io::Result<()>;
    fn end(self: Box<Self>) -> io::Result<()>;
}

/// Writes a run's table to `out`, one sample at a time. Texts have the values of the recipe's
/// scores and of `others`, as far as they are known: nothing is run for them.
///
/// # Errors
/// If the run can't be read or the table can't be written.
pub fn export(
    store: &Store,
    run: RunId,
    what: What,
    others: &[Score],
    format: Format,
    out: &mut (dyn Write + Send),
) -> Result<(), ExportError> {
    let listed = store.show(run)?;
    let scores = with_others(&listed.recipe.scores, others);
    let columns = &columns(what, &scores)[..];
    let sink: Box<dyn Sink + '_> = match format {
        Format::Csv => Box::new(csv::Csv::new(columns, out)?),
        Format::Jsonl => Box::new(jsonl::Jsonl::new(columns, out)),
        Format::Parquet => Box::new(parquet::Parquet::new(columns, &origin(&listed), out)?),
    };
    fill(store, &listed, what, &scores, sink)
}

/// The values of scores, one by one.
fn values(store: &Store, listed: &Listed, scores: &[Score]) -> Result<Vec<Scored>, ExportError> {
    if scores.is_empty() {
        return Ok(Vec::new());
    }
    let mut run = store.load(listed.id)?;
    scoring::fill(store, listed.id, &mut run, scores)?;
    Ok(scores.iter().map(|score| run.scores.remove(&score.name).unwrap_or_default()).collect())
}

/// Gives a run's rows to a sink.
fn fill(
    store: &Store,
    listed: &Listed,
    what: What,
    scores: &[Score],
    mut sink: Box<dyn Sink + '_>,
) -> Result<(), ExportError> {
    let recipe = &listed.recipe;
    let scores = match what {
        What::Texts => values(store, listed, scores)?,
        What::Tokens | What::Logits => Vec::new(),
    };
    let origin = origin_cells(&origin(listed));
    let named = |mut row: Vec<Cell>| {
        row.extend(origin.iter().cloned());
        row
    };
    let mut n_logits = 0;
    let visit = &mut |sample: Sample, logits: Vec<RecordedLogits>| -> Result<(), ExportError> {
        match what {
            What::Texts => {
                let (prompt, chain) =
                    (&recipe.prompts[sample.prompt], &recipe.chains[sample.chain]);
                let mut row = named(text_row(&sample, prompt, chain));
                row.extend(score_cells(&sample, &scores));
                sink.row(row)?;
            }
            What::Tokens => token_rows(&sample).try_for_each(|row| sink.row(named(row)))?,
            What::Logits => {
                for (pos, step) in logits.iter().enumerate() {
                    n_logits += 1;
                    let step = step.unpack().ok_or(ExportError::Damaged)?;
                    logit_rows(&sample, pos, &step).try_for_each(|row| sink.row(row))?;
                }
            }
        }
        Ok(())
    };
    match what {
        What::Logits => store.each_whole(listed.id, visit)?,
        _ => store.each_sample(listed.id, &mut |sample| visit(sample, Vec::new()))?,
    }
    if what == What::Logits && n_logits == 0 {
        return Err(ExportError::NoLogits);
    }
    Ok(sink.end()?)
}

/// What names a run wherever its table goes: key and value.
fn origin(listed: &Listed) -> [(&'static str, String); 5] {
    let (model, sha256) = match listed.source.clone() {
        // Of a file its name: the folder is a machine's.
        Source::Local { model, sha256 } if model.ends_with(".gguf") && !model.contains(':') => {
            let name =
                Path::new(&model).file_name().map(|name| name.to_string_lossy().into_owned());
            (name.unwrap_or(model), sha256)
        }
        Source::Local { model, sha256 } => (model, sha256),
        Source::Server { model, .. } => (model, String::new()),
    };
    [
        ("run_hash", listed.hash.clone()),
        ("model", model),
        ("model_sha256", sha256),
        ("seed", listed.recipe.seed.to_string()),
        ("kelvin_version", listed.version.clone()),
    ]
}

#[cfg(test)]
mod tests;
