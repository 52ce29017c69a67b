//! Fills a run's missing rows: takes a recipe, a worker and a store.
//!
//! Each text is committed to the store before progress is reported. So an interrupted sweep resumes
//! where it stopped.

use std::{ops::ControlFlow, time::Instant};

use crate::{
    Recipe, Store,
    proof::ProvedText,
    recorded::RecordedLogits,
    run::Sample,
    store::{RunId, StoreError},
    worker::{Watcher, Worker, WorkerError},
};

pub use crate::job::missing;

/// Receives the progress of a sweep. `Break` ends the sweep.
pub trait Progress {
    /// `n_new` tokens were generated, in texts that are not finished yet.
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()>;

    /// The worker is waiting (for a busy server, say). Called once until the next text arrives.
    fn waits(&mut self, why: &str) -> ControlFlow<()>;

    /// The steps of a text that is about to be stored, from a worker that records them.
    fn proved(&mut self, text: ProvedText) -> ControlFlow<()> {
        let _ = text;
        ControlFlow::Continue(())
    }

    /// A text was committed to the store.
    fn stored(&mut self, sample: &Sample) -> ControlFlow<()>;
}

/// The result of a sweep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SweepResult {
    /// Texts that existed before.
    pub n_before: usize,
    /// Texts that this sweep added.
    pub n_new: usize,
    /// Texts that are missing because the sweep was interrupted.
    pub n_missing: usize,
    /// Tokens that the model computed for the added texts.
    pub n_tokens: usize,
    /// Wall-clock time of the sweep.
    pub elapsed_secs: f64,
}

/// Why a sweep ended early.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A text couldn't be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A text couldn't be generated.
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

/// Generates and stores the missing rows of a run.
///
/// # Errors
/// If a text can't be generated or stored. Texts before it remain stored.
pub fn sweep(
    recipe: &Recipe,
    run: RunId,
    store: &mut Store,
    worker: &mut dyn Worker,
    progress: &mut dyn Progress,
) -> Result<SweepResult, SweepError> {
    let rows = missing(recipe, &store.present(run)?);
    let begun = Instant::now();
    let mut keeper = StoringWatcher {
        run,
        store,
        progress,
        is_waiting: false,
        n_new: 0,
        n_tokens: 0,
        failed: None,
    };
    let filled = if rows.is_empty() { Ok(()) } else { worker.fill(recipe, &rows, &mut keeper) };
    let StoringWatcher { n_new, n_tokens, failed, .. } = keeper;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let elapsed_secs = begun.elapsed().as_secs_f64();
    if n_new > 0 {
        store.record_session(run, elapsed_secs, n_tokens, worker.n_threads())?;
    }
    filled?;
    let n_missing = rows.len() - n_new;
    Ok(SweepResult {
        n_before: recipe.n_texts() - rows.len(),
        n_new,
        n_missing,
        n_tokens,
        elapsed_secs,
    })
}

/// Stores every finished text, then reports it.
struct StoringWatcher<'a> {
    run: RunId,
    store: &'a mut Store,
    progress: &'a mut dyn Progress,
    /// Whether waiting was reported already.
    is_waiting: bool,
    n_new: usize,
    n_tokens: usize,
    failed: Option<StoreError>,
}

impl Watcher for StoringWatcher<'_> {
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()> {
        self.progress.tokens(n_new)
    }

    fn waits(&mut self, why: &str) -> ControlFlow<()> {
        if std::mem::replace(&mut self.is_waiting, true) {
            return self.progress.tokens(0);
        }
        self.progress.waits(why)
    }

    fn proved(&mut self, text: ProvedText) -> ControlFlow<()> {
        self.progress.proved(text)
    }

    fn finished(&mut self, sample: Sample, logits: Vec<RecordedLogits>) -> ControlFlow<()> {
        self.is_waiting = false;
        match self.store.put_with(self.run, &sample, &logits) {
            Ok(_) => {
                self.n_new += 1;
                self.n_tokens += sample.n_computed();
                self.progress.stored(&sample)
            }
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
