//! Workers generate the texts of a table's rows. The local worker uses the engine on this machine.
//!
//! A row's text depends on the row alone, because its random numbers are keyed by seed, sample and
//! position. So any worker may generate any row, in any order and in any batch, and a lost row is
//! generated again with the same text.

mod local;

pub use local::Local;

use std::ops::ControlFlow;

use kelvin_engine::{batch::GenerateError, transformer::ModelError};

use crate::{
    Recipe,
    replay::RecordedLogits,
    run::{Sample, Source},
};

/// One text to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    /// Which prompt of the recipe, from 0.
    pub prompt: usize,
    /// Which chain of the recipe, from 0.
    pub chain: usize,
    /// Which dice, from 0.
    pub sample: usize,
}

/// An engine, here or elsewhere.
pub trait Worker {
    /// Where its texts come from.
    fn source(&self) -> &Source;

    /// Threads that compute, or requests at once.
    fn n_threads(&self) -> usize;

    /// Makes the texts of `rows` (best in the order of their prompts) and tells `watcher` of each
    /// as soon as it's whole. Once that breaks off, what isn't whole is dropped.
    ///
    /// # Errors
    /// What keeps it from going on; what was told before stands.
    fn fill(
        &mut self,
        recipe: &Recipe,
        rows: &[Row],
        watcher: &mut dyn Watcher,
    ) -> Result<(), WorkerError>;
}

/// Who is told what a worker does; `Break` ends the work.
pub trait Watcher {
    /// So many tokens more, of texts in the making.
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()>;

    /// Nothing comes for now, and why; the next text says that this is over.
    fn waits(&mut self, why: &str) -> ControlFlow<()> {
        let _ = why;
        ControlFlow::Continue(())
    }

    /// A whole text, with the logits of its tokens if the recipe asks for them.
    fn finished(&mut self, sample: Sample, logits: Vec<RecordedLogits>) -> ControlFlow<()>;
}

/// Why a worker can't go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A prompt that can't be continued.
    #[error("prompt {number}: {problem}")]
    Prompt {
        /// From 1, as people count.
        number: usize,
        /// Why.
        #[source]
        problem: GenerateError,
    },
    /// The model refused.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Drawing a token panicked.
    #[error("drawing a token panicked; this is a bug")]
    Panicked,
    /// The server did, or went away.
    #[error("{0}")]
    Server(String),
}
