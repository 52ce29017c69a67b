//! Computes the values of scores that take time: runs commands on texts, and asks a judge model
//! about them.
//!
//! Values are stored batch by batch, so each text is scored once, and work that is broken off goes
//! on where it ended.

mod fill;

pub use fill::{definition, fill, unscored};

use std::{
    ops::ControlFlow,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use kelvin_engine::{Engine, TokenId};

use crate::{
    Run, Store,
    judge::{JudgeError, judge, judge_each},
    recipe::{Framing, FramingError},
    run::{Sample, Source},
    scores::{self, Judgement, Kind, Score},
    store::{RunId, StoreError},
};

/// Texts per commit to the database.
const BATCH: usize = 32;
/// Commands at a time.
const MOST_AT_ONCE: usize = 8;
/// How often a watcher is asked whether to go on while commands run.
const PAUSE: Duration = Duration::from_millis(50);
/// Failures of a score that are told one by one.
const MOST_TOLD: usize = 5;
/// What a watcher is told instead of a score's name while a judge reads texts.
const JUDGING: &str = "judge";

/// Receives the progress. `Break` ends the work.
pub trait Watcher {
    /// So many of the texts that had no value of the score `name` are done. Told of each text, at
    /// the beginning and at the end; the name is `judge` while a judge reads texts.
    fn scored(&mut self, name: &str, done: usize, all: usize) -> ControlFlow<()>;

    /// A sentence about texts that have no value.
    fn note(&mut self, sentence: &str);
}

/// A judge model that is open.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// The model.
    pub engine: &'a Engine,
    /// Its name and the hash of its file.
    pub source: &'a Source,
}

/// Why texts can't be scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoringError {
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The texts of a prompt can't be judged.
    #[error("prompt {}: {error}", .prompt + 1)]
    Prompt {
        /// Its index.
        prompt: usize,
        /// The reason.
        error: JudgeError,
    },
    /// The judge's chat template doesn't take a question.
    #[error(transparent)]
    Framing(#[from] FramingError),
}

/// Whether some text of a run has no value of a score that a command or a judge gives.
///
/// # Errors
/// If the database can't be read.
pub fn is_open(store: &Store, id: RunId, scores: &[Score]) -> Result<bool, StoreError> {
    if !scores.iter().any(Score::is_stored) {
        return Ok(false);
    }
    let run = store.load(id)?;
    for score in scores.iter().filter(|score| score.is_stored()) {
        let known = definition(score, run.judge.as_ref());
        let is_open = match known {
            Some(known) => !unscored(store, id, &run, &known)?.is_empty(),
            None => true,
        };
        if is_open {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs the commands of scores on the texts of a run that have no value yet, several at a time.
///
/// # Errors
/// If the database can't be used. A command that fails on a text is a note.
pub fn run_commands(
    store: &mut Store,
    id: RunId,
    scores: &[Score],
    watcher: &mut dyn Watcher,
) -> Result<ControlFlow<()>, StoreError> {
    if !scores.iter().any(|score| matches!(score.kind, Kind::Command { .. })) {
        return Ok(ControlFlow::Continue(()));
    }
    let run = store.load(id)?;
    for score in scores {
        let Kind::Command { command, secs } = &score.kind else { continue };
        let limit = Duration::from_secs(*secs);
        let Some(mut work) = Work::new(store, id, score, &run)? else { continue };
        while let Some(batch) = work.next(watcher) {
            let values = at_once(&batch, command, limit, &mut |n| {
                watcher.scored(&score.name, work.done + n, work.open.len())
            });
            if work.put(store, &batch, values, watcher)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if work.end(watcher).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Scores the texts of a run that the judge hasn't scored yet: -ln p of each under its own
/// distribution. `prompts` are the run's prompts in the judge's tokens. The run's judge is this one
/// from then on.
///
/// # Errors
/// If a text can't be scored or stored. Those before it stay.
pub fn judge_texts(
    store: &mut Store,
    id: RunId,
    by: Judge<'_>,
    prompts: &[Vec<TokenId>],
    watcher: &mut dyn Watcher,
) -> Result<ControlFlow<()>, ScoringError> {
    let run = store.load(id)?;
    let is_same = run.judge.as_ref() == Some(by.source);
    let is_open = |sample: &&Sample| !(is_same && sample.judged.is_some());
    let n_open = run.samples.iter().filter(is_open).count();
    if is_same && n_open == 0 {
        return Ok(ControlFlow::Continue(()));
    }
    let mut done = 0;
    for (prompt, tokens) in prompts.iter().enumerate() {
        let of_prompt = run.samples.iter().filter(is_open).filter(|one| one.prompt == prompt);
        let open: Vec<&Sample> = of_prompt.collect();
        let texts: Vec<&str> = open.iter().map(|sample| sample.text.as_str()).collect();
        if watcher.scored(JUDGING, done, n_open).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let mut judged = Vec::with_capacity(open.len());
        let went_on = judge_each(by.engine, tokens, &texts, &mut |said| {
            let Sample { prompt, chain, sample, .. } = open[judged.len()];
            judged.push((*prompt, *chain, *sample, said));
            watcher.scored(JUDGING, done + judged.len(), n_open)
        });
        store.judge(id, by.source, &judged)?;
        done += judged.len();
        if went_on.map_err(|error| ScoringError::Prompt { prompt, error })?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(watcher.scored(JUDGING, done, n_open))
}

/// Asks a judge what scores ask about the texts of a run, as far as it hasn't answered. The run's
/// judge is to be this one ([`judge_texts`]).
///
/// # Errors
/// If the judge's chat template refuses a question, or the database can't be used. A question that
/// is too long for the judge is a note.
pub fn ask_judge(
    store: &mut Store,
    id: RunId,
    scores: &[Score],
    by: Judge<'_>,
    watcher: &mut dyn Watcher,
) -> Result<ControlFlow<()>, ScoringError> {
    if !scores.iter().any(Score::needs_judge) {
        return Ok(ControlFlow::Continue(()));
    }
    let run = store.load(id)?;
    // A date that a template asks for is the recipe's.
    let framing = Framing { date: store.show(id)?.recipe.framing.date, ..Framing::default() };
    for score in scores {
        let Some(asked) = Judgement::of(&score.kind) else { continue };
        let Some(mut work) = Work::new(store, id, score, &run)? else { continue };
        while let Some(batch) = work.next(watcher) {
            let mut values = Vec::with_capacity(batch.len());
            for sample in &batch {
                let question = asked.about(&run.prompts[sample.prompt].text, &sample.text);
                values.push(Some(answer(by.engine, &framing, asked, &question)?));
                let done = work.done + values.len();
                if watcher.scored(&score.name, done, work.open.len()).is_break() {
                    break;
                }
            }
            values.resize(batch.len(), None);
            if work.put(store, &batch, values, watcher)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if work.end(watcher).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The value of a judge's answer to a question, or why there is none.
fn answer(
    engine: &Engine,
    framing: &Framing,
    asked: Judgement<'_>,
    question: &str,
) -> Result<Result<f64, String>, FramingError> {
    let framed = framing.read_for_recipe(engine, question)?;
    // After a template an answer begins its turn; in plain text it is a word of its own.
    let begins = framed.is_chat || framed.text.ends_with(char::is_whitespace);
    let space = if begins { "" } else { " " };
    let answers: Vec<String> =
        asked.answers.iter().map(|answer| format!("{space}{answer}")).collect();
    let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
    Ok(match judge(engine, &framed.tokens, &answers) {
        Ok(judged) => asked.value(&judged.iter().map(|judged| judged.nats).collect::<Vec<f64>>()),
        Err(error) => Err(error.to_string()),
    })
}

/// The texts of a run that have no value of a score, batch by batch.
struct Work<'a> {
    id: RunId,
    score: &'a Score,
    run: &'a Run,
    definition: String,
    /// Samples without a value, by index.
    open: Vec<usize>,
    done: usize,
    n_failed: usize,
}

impl<'a> Work<'a> {
    /// `None` if nothing is open, or if the score asks a judge and the run has none.
    fn new(
        store: &Store,
        id: RunId,
        score: &'a Score,
        run: &'a Run,
    ) -> Result<Option<Work<'a>>, StoreError> {
        let Some(definition) = definition(score, run.judge.as_ref()) else {
            return Ok(None);
        };
        let open = unscored(store, id, run, &definition)?;
        if open.is_empty() {
            return Ok(None);
        }
        Ok(Some(Work { id, score, run, definition, open, done: 0, n_failed: 0 }))
    }

    /// The next texts; `None` after the last ones, or if the watcher ends the work.
    fn next(&self, watcher: &mut dyn Watcher) -> Option<Vec<&'a Sample>> {
        let batch = self.open[self.done..].chunks(BATCH).next()?;
        let goes_on = watcher.scored(&self.score.name, self.done, self.open.len()).is_continue();
        goes_on.then(|| batch.iter().map(|&i| &self.run.samples[i]).collect())
    }

    /// Stores the values of a batch. Texts without any end the work: it was broken off.
    fn put(
        &mut self,
        store: &mut Store,
        batch: &[&Sample],
        values: Vec<Option<Result<f64, String>>>,
        watcher: &mut dyn Watcher,
    ) -> Result<ControlFlow<()>, StoreError> {
        let mut placed = Vec::with_capacity(batch.len());
        for (sample, value) in batch.iter().zip(values) {
            let Some(value) = value else { continue };
            if let Err(why) = &value {
                self.failed(sample, why, watcher);
            }
            placed.push((sample.prompt, sample.chain, sample.sample, value));
        }
        store.put_scores(self.id, &self.definition, &placed)?;
        self.done += placed.len();
        Ok(match placed.len() == batch.len() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        })
    }

    fn failed(&mut self, sample: &Sample, why: &str, watcher: &mut dyn Watcher) {
        self.n_failed += 1;
        if self.n_failed <= MOST_TOLD {
            let (name, chain) = (&self.score.name, &self.run.chains[sample.chain]);
            let place = format!("prompt {}, {chain}, sample {}", sample.prompt + 1, sample.sample);
            watcher.note(&format!("{name} has no value of {place}: {why}"));
        }
    }

    /// The end of the work, whether all was done or not.
    fn end(&self, watcher: &mut dyn Watcher) -> ControlFlow<()> {
        if self.done < self.open.len() {
            return ControlFlow::Break(());
        }
        if self.n_failed > MOST_TOLD {
            let (name, more) = (&self.score.name, self.n_failed - MOST_TOLD);
            watcher.note(&format!("{name} has no value of {more} more texts"));
        }
        watcher.scored(&self.score.name, self.done, self.open.len())
    }
}

/// Runs a command on samples on several threads. Values are in the samples' order; some are missing
/// if `go_on`, which is told how many there are, has ended the work.
fn at_once(
    samples: &[&Sample],
    command: &str,
    limit: Duration,
    go_on: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Vec<Option<Result<f64, String>>> {
    let n_threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE);
    let (next, stop) = (&AtomicUsize::new(0), &AtomicBool::new(false));
    let mut values = vec![None; samples.len()];
    thread::scope(|scope| {
        let (sender, found) = mpsc::channel();
        for _ in 0..n_threads.min(samples.len()) {
            let sender = sender.clone();
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(sample) = samples.get(place) else { return };
                    let value = scores::run(command, &sample.text, limit, stop);
                    if sender.send((place, value)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        loop {
            match found.recv_timeout(PAUSE) {
                // What was killed has no value.
                Ok(_) if stop.load(Ordering::Relaxed) => {}
                Ok((place, value)) => values[place] = Some(value),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if go_on(values.iter().flatten().count()).is_break() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
    values
}
