//! Searches with beams, from their beginning to their end, or one forward pass at a time for
//! callers that have other work between two of them.

use std::ops::ControlFlow;

use super::{
    beam::{Beaming, Beams, check_beams},
    stochastic::Drawing,
    task::{SearchError, Task},
    tree::{Outcome, Tree},
};
use crate::rows::Rows;

/// Searches for the likeliest texts. `step` is told the number of tokens after each forward pass,
/// and may break the search off.
///
/// # Errors
/// If settings or task can't be, if the model refuses a step, if logits have no distribution, or if
/// `step` breaks.
pub fn beam_search<R: Rows>(
    rows: &mut R,
    task: &Task<'_>,
    how: &Beams,
    step: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Outcome, SearchError> {
    how.check()?;
    task.check()?;
    Steps::beams(*how, rows.start(task.prompt)?).run(rows, task, step)
}

/// Draws `beams` different texts without replacement, from the model's own distribution or that
/// after the chain. A text's score is its perturbed log-probability. There are fewer texts if there
/// are no more in all. `step` as in [`beam_search`].
///
/// # Errors
/// Those of [`beam_search`].
pub fn stochastic_beams<R: Rows>(
    rows: &mut R,
    task: &Task<'_>,
    beams: usize,
    seed: u64,
    step: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Outcome, SearchError> {
    check_beams(beams)?;
    task.check()?;
    Steps::stochastic(beams, seed, rows.start(task.prompt)?).run(rows, task, step)
}

/// A search in progress. `T` is what the model has read of a text.
#[derive(Debug)]
pub struct Steps<T>(Kind<T>);

#[derive(Debug)]
enum Kind<T> {
    Beams(Beaming<T>),
    Stochastic(Drawing<T>),
}

impl<T: Clone> Steps<T> {
    /// Of beam search. `text` is the prompt's, but for its last token. The settings were checked.
    pub fn beams(how: Beams, text: T) -> Steps<T> {
        Steps(Kind::Beams(Beaming::new(how, text)))
    }

    /// Of stochastic beams. `text` as in [`Steps::beams`], and the number of beams was checked.
    pub fn stochastic(beams: usize, seed: u64, text: T) -> Steps<T> {
        Steps(Kind::Stochastic(Drawing::new(beams, seed, text)))
    }

    /// One forward pass: the first one is over the prompt's last token, each other one over the
    /// beams. Returns whether there was one; there is none at the end. The task, which was checked,
    /// is the same in each step.
    ///
    /// # Errors
    /// If the model refuses a step, or if logits have no distribution. The search is over then.
    pub fn step<R: Rows<Text = T>>(
        &mut self,
        rows: &mut R,
        task: &Task<'_>,
    ) -> Result<bool, SearchError> {
        match &mut self.0 {
            Kind::Beams(beams) => beams.step(rows, task),
            Kind::Stochastic(drawing) => drawing.step(rows, task),
        }
    }

    /// Forward passes after the prompt.
    pub fn n_steps(&self) -> usize {
        self.so_far().n_steps
    }

    /// All tokens that were weighed so far.
    pub fn tree(&self) -> &Tree {
        &self.so_far().tree
    }

    /// Rows that forward passes after the prompt have had so far, in all.
    pub fn n_rows(&self) -> usize {
        self.so_far().n_rows
    }

    fn so_far(&self) -> &Outcome {
        match &self.0 {
            Kind::Beams(beams) => beams.so_far(),
            Kind::Stochastic(drawing) => drawing.so_far(),
        }
    }

    /// Takes what was found, at the end.
    pub fn outcome(&mut self) -> Outcome {
        match &mut self.0 {
            Kind::Beams(beams) => beams.outcome(),
            Kind::Stochastic(drawing) => drawing.outcome(),
        }
    }

    /// Steps to the end. `told` hears of the number of steps after each, and may break it off.
    pub(super) fn run<R: Rows<Text = T>>(
        mut self,
        rows: &mut R,
        task: &Task<'_>,
        told: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Outcome, SearchError> {
        while self.step(rows, task)? {
            let n = self.n_steps();
            if n > 0 && told(n).is_break() {
                return Err(SearchError::Cancelled);
            }
        }
        Ok(self.outcome())
    }
}
