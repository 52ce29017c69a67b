//! Workers generate the texts of a table's rows. The local worker uses the engine on this machine.
//!
//! A row's text depends on the row alone, because its random numbers are keyed by seed, sample and
//! position. So any worker may generate any row, in any order and in any batch, and a lost row is
//! generated again with the same text.

mod local;
mod record;
mod whole;

pub use local::Local;

use std::ops::ControlFlow;

use kelvin_engine::{
    NoThoughts, batch::GenerateError, texts::SettingsError, transformer::ModelError,
};
use kelvin_sampling::ChainError;

use crate::{
    Recipe,
    proof::ProvedText,
    recorded::RecordedLogits,
    run::{Sample, Source},
};

pub use crate::run::Row;

/// An engine that generates texts: the local one, or a server.
pub trait Worker {
    /// The source of its texts.
    fn source(&self) -> &Source;

    /// Number of computing threads, or of concurrent requests.
    fn n_threads(&self) -> usize;

    /// Generates the texts of `rows`, best sorted by prompt, and passes each finished one to
    /// `watcher`. If the watcher breaks off, unfinished texts are dropped.
    ///
    /// # Errors
    /// Why it can't continue. Texts passed on before remain valid.
    fn fill(
        &mut self,
        recipe: &Recipe,
        rows: &[Row],
        watcher: &mut dyn Watcher,
    ) -> Result<(), WorkerError>;
}

/// Receives the events of a worker; `Break` ends the work.
pub trait Watcher {
    /// `n` more tokens of unfinished texts.
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()>;

    /// The worker is waiting, with the reason. The next text ends the wait.
    fn waits(&mut self, why: &str) -> ControlFlow<()> {
        let _ = why;
        ControlFlow::Continue(())
    }

    /// The steps of a text that has ended, from a worker that records them. The text follows.
    fn proved(&mut self, text: ProvedText) -> ControlFlow<()> {
        let _ = text;
        ControlFlow::Continue(())
    }

    /// A finished text, with the logits of its tokens if the recipe records them.
    fn finished(&mut self, sample: Sample, logits: Vec<RecordedLogits>) -> ControlFlow<()>;
}

/// Why a worker can't continue.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A prompt that can't be continued.
    #[error("prompt {number}: {problem}")]
    Prompt {
        /// Number of the prompt, from 1.
        number: usize,
        /// The reason.
        #[source]
        problem: GenerateError,
    },
    /// A chain isn't for this model.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The model doesn't think.
    #[error("think: {0}")]
    Thoughts(#[from] NoThoughts),
    /// Banned strings that can't be looked for.
    #[error("ban_string: {0}")]
    Banned(String),
    /// A temperature of texts can't be drawn at.
    #[error("text_temperature: {0}")]
    Temperature(#[from] SettingsError),
    /// Texts can't be drawn as a whole.
    #[error("{0}")]
    Texts(String),
    /// The forward pass failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Drawing a token panicked.
    #[error("drawing a token panicked; this is a bug")]
    Panicked,
    /// The server refused or is gone.
    #[error("{0}")]
    Server(String),
}
