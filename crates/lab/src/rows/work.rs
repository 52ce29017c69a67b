//! Finishes rows of a job with the model of this machine.

use std::ops::{ControlFlow, Deref};

use kelvin_engine::{Engine, TokenId, batch::check_prompt};

use super::{Finished, Job};
use crate::{
    recorded::RecordedLogits,
    run::Sample,
    worker::{Local, Row, Watcher, Worker, WorkerError},
};

/// A worker with an open model, which keeps prompts that it has read.
#[derive(Debug)]
pub struct RowWorker<E> {
    job: Job,
    local: Local<E>,
    /// Why a prompt can't be continued, for each prompt.
    problems: Vec<Option<String>>,
}

impl<E: Deref<Target = Engine>> RowWorker<E> {
    /// A worker of at most `width` texts at once. `engine` must be the job's model.
    pub fn new(engine: E, job: Job, width: usize) -> RowWorker<E> {
        let recipe = job.recipe();
        let read = |text: &str| -> Result<Vec<TokenId>, String> {
            let framed = recipe.framing.read_for_recipe(&engine, text);
            let tokens = framed.map_err(|error| error.to_string())?.tokens;
            check_prompt(&engine, &tokens, recipe.length.context)
                .map_err(|error| error.to_string())?;
            Ok(tokens)
        };
        let (mut prompts, mut problems) = (Vec::new(), Vec::new());
        for prompt in &recipe.prompts {
            let tokens = read(&prompt.text);
            problems.push(tokens.as_ref().err().cloned());
            prompts.push(tokens.unwrap_or_default());
        }
        let local = Local::unchecked(engine, job.source().clone(), prompts, width);
        RowWorker { job, local, problems }
    }

    /// The job.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// Finishes rows, in the job's order. A row whose prompt can't be continued has an error for a
    /// text. `told` gets the number of new tokens after each step; `Break` ends the work with the
    /// rows that are finished.
    ///
    /// # Errors
    /// If the model can't go on.
    pub fn finish(
        &mut self,
        rows: &[Row],
        told: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<Finished>, WorkerError> {
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        rows.dedup();
        let problem = |row: &Row| self.problems[row.prompt].clone();
        let bad = rows.iter().filter_map(|row| {
            problem(row).map(|problem| Finished { row: *row, outcome: Err(problem) })
        });
        let finished = bad.collect();
        rows.retain(|row| problem(row).is_none());
        let mut collector = Collector { told, finished };
        if !rows.is_empty() {
            self.local.fill(self.job.recipe(), &rows, &mut collector)?;
        }
        let mut finished = collector.finished;
        finished.sort_by_key(|row| row.row);
        Ok(finished)
    }
}

struct Collector<'a> {
    told: &'a mut dyn FnMut(usize) -> ControlFlow<()>,
    finished: Vec<Finished>,
}

impl Watcher for Collector<'_> {
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()> {
        (self.told)(n_new)
    }

    fn finished(&mut self, sample: Sample, logits: Vec<RecordedLogits>) -> ControlFlow<()> {
        let row = sample.row();
        self.finished.push(Finished { row, outcome: Ok((sample, logits)) });
        ControlFlow::Continue(())
    }
}
