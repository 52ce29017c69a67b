//! A recipe, a worker and a store in; the table's missing rows filled out.
//!
//! Each text is in the store before anybody is told of it. So whatever ends a sweep, the same
//! recipe goes on from there.

use std::{collections::HashSet, ops::ControlFlow, time::Instant};

use crate::{
    Recipe, Store,
    replay::Kept,
    run::Sample,
    store::{RunId, StoreError},
    worker::{Row, Watcher, Worker, WorkerError},
};

/// Who is told of a sweep's progress; `Break` ends it.
pub trait Progress {
    /// So many tokens more, of texts in the making.
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()>;

    /// Nothing comes for now, and why: told once, however many wait, until the next text says that
    /// this is over.
    fn waits(&mut self, why: &str) -> ControlFlow<()>;

    /// A text that is safe in the store.
    fn stored(&mut self, sample: &Sample) -> ControlFlow<()>;
}

/// What came of a sweep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Swept {
    /// Texts that were there before.
    pub n_before: usize,
    /// Texts that this sweep added.
    pub n_new: usize,
    /// Texts that are still missing, because it was broken off.
    pub n_missing: usize,
    /// Tokens of the new texts.
    pub n_tokens: usize,
    /// How long it took.
    pub elapsed_secs: f64,
}

/// Why a sweep ended early.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A text couldn't be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A text couldn't be made.
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

/// The rows that a recipe has beyond those that are there, by prompt, then chain, then sample.
pub fn missing(recipe: &Recipe, present: &HashSet<(usize, usize, usize)>) -> Vec<Row> {
    let mut rows = Vec::with_capacity(recipe.n_texts().saturating_sub(present.len()));
    for prompt in 0..recipe.prompts.len() {
        for chain in 0..recipe.chains.len() {
            let samples =
                (0..recipe.samples).filter(|&sample| !present.contains(&(prompt, chain, sample)));
            rows.extend(samples.map(|sample| Row { prompt, chain, sample }));
        }
    }
    rows
}

/// Fills what a run misses of its recipe.
///
/// # Errors
/// If a text can't be made or kept; those before it are safe.
pub fn sweep(
    recipe: &Recipe,
    run: RunId,
    store: &mut Store,
    worker: &mut dyn Worker,
    progress: &mut dyn Progress,
) -> Result<Swept, SweepError> {
    let rows = missing(recipe, &store.present(run)?);
    let begun = Instant::now();
    let mut keeper =
        Keeper { run, store, progress, is_waiting: false, n_new: 0, n_tokens: 0, failed: None };
    let filled = if rows.is_empty() { Ok(()) } else { worker.fill(recipe, &rows, &mut keeper) };
    let Keeper { n_new, n_tokens, failed, .. } = keeper;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let elapsed_secs = begun.elapsed().as_secs_f64();
    if n_new > 0 {
        store.sat(run, elapsed_secs, n_tokens, worker.n_threads())?;
    }
    filled?;
    let n_missing = rows.len() - n_new;
    Ok(Swept { n_before: recipe.n_texts() - rows.len(), n_new, n_missing, n_tokens, elapsed_secs })
}

/// Keeps every whole text, then tells of it.
struct Keeper<'a> {
    run: RunId,
    store: &'a mut Store,
    progress: &'a mut dyn Progress,
    /// Nothing comes for now, and that was told.
    is_waiting: bool,
    n_new: usize,
    n_tokens: usize,
    failed: Option<StoreError>,
}

impl Watcher for Keeper<'_> {
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()> {
        self.progress.tokens(n_new)
    }

    fn waits(&mut self, why: &str) -> ControlFlow<()> {
        if std::mem::replace(&mut self.is_waiting, true) {
            return self.progress.tokens(0);
        }
        self.progress.waits(why)
    }

    fn finished(&mut self, sample: Sample, logits: Vec<Kept>) -> ControlFlow<()> {
        self.is_waiting = false;
        match self.store.put_with(self.run, &sample, &logits) {
            Ok(_) => {
                self.n_new += 1;
                self.n_tokens += sample.tokens.len();
                self.progress.stored(&sample)
            }
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
