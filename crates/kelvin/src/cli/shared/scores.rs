//! Scores of one's own at the command line: their flags, and a bar while commands and judges give
//! values.

use std::ops::ControlFlow;

use kelvin_lab::{
    Store,
    scores::{Kind, Score},
    scoring::{self, ScoringError, Watcher},
    store::RunId,
};

use kelvin_views::escape::printable;

use super::{
    failure::{Interrupted, usage},
    prompt,
};
use crate::{
    interrupt::Guard,
    terminal::{
        self,
        late::{Counted, LateBar},
    },
};

/// The scores of flags. Their files are looked up from here.
pub(crate) fn read(texts: &[String]) -> anyhow::Result<Vec<Score>> {
    kelvin_lab::recipe::scores(texts, "".as_ref()).map_err(|error| usage(error.to_string()))
}

/// Runs the commands of a run's scores on the texts that have no value yet.
pub(crate) fn run_commands(
    store: &mut Store,
    id: RunId,
    scores: &[Score],
    guard: &Guard,
) -> anyhow::Result<()> {
    ended(scoring::run_commands(store, id, scores, &mut Bars::new(guard))?)
}

/// What is told of a run's own command that has texts without a value.
pub(crate) fn not_run(score: &Score, id: RunId) -> String {
    let Kind::Command { command, secs } = &score.kind else { return String::new() };
    let least = if score.most { "" } else { "least " };
    let flag = format!("{}={least}command({secs}):{command}", score.name);
    format!(
        "run {id} has texts without a value of {}, whose command report doesn't run unasked; to \
         run it, add --score {}",
        score.name,
        kelvin_lab::report::quoted(&flag)
    )
}

/// The outcome of scoring, as a verb's.
pub(crate) fn ended(outcome: ControlFlow<()>) -> anyhow::Result<()> {
    match outcome {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => {
            terminal::note("stopped; run the same command again to continue");
            Err(Interrupted.into())
        }
    }
}

/// An error of scoring in words that name flags.
pub(crate) fn explained(error: ScoringError) -> anyhow::Error {
    match error {
        ScoringError::Framing(error) => prompt::explained(error),
        other => other.into(),
    }
}

/// A bar for each score, and one for a judge's reading. The first Ctrl-C ends the work.
pub(crate) struct Bars<'a> {
    guard: &'a Guard,
    name: String,
    bar: Option<LateBar>,
}

impl Bars<'_> {
    pub(crate) fn new(guard: &Guard) -> Bars<'_> {
        Bars { guard, name: String::new(), bar: None }
    }
}

impl Watcher for Bars<'_> {
    fn scored(&mut self, name: &str, done: usize, all: usize) -> ControlFlow<()> {
        if self.name != name {
            (self.name, self.bar) = (name.to_string(), None);
        }
        let bar = self.bar.get_or_insert_with(|| LateBar::new(Counted::Scores));
        bar.set(done as u64, all as u64);
        match self.guard.requested() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn note(&mut self, sentence: &str) {
        match &self.bar {
            Some(bar) => bar.note(&printable(sentence)),
            None => terminal::note(&printable(sentence)),
        }
    }
}
