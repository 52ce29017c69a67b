//! Computes the scores of one's own that take time: runs commands on texts, and asks a judge model
//! about them. Values are stored, so each text is scored once.

use std::{
    sync::{Mutex, PoisonError, atomic::AtomicUsize, atomic::Ordering},
    thread,
    time::Duration,
};

use kelvin_lab::{
    Run, Store,
    judge::judge,
    recipe::Framing,
    run::Sample,
    scores::{self, Judgement, Kind, Score},
    store::RunId,
};

use kelvin_views::escape::printable;

use super::{failure::usage, prompt, session::Session};
use crate::terminal::late::{Counted, LateBar};

/// Texts per commit to the database.
const BATCH: usize = 32;
/// Commands at a time.
const MOST_AT_ONCE: usize = 8;
/// Failures that are told one by one.
const MOST_TOLD: usize = 5;

/// A value of a text, by prompt, chain and sample.
type Value = (usize, usize, usize, Result<f64, String>);

/// The scores of flags. Their files are looked up from here.
pub(crate) fn read(texts: &[String]) -> anyhow::Result<Vec<Score>> {
    kelvin_lab::recipe::scores(texts, "".as_ref()).map_err(|error| usage(error.to_string()))
}

/// Whether some text of a run has no value of a score that a command or a judge gives.
pub(crate) fn is_open(store: &Store, id: RunId, scores: &[Score]) -> anyhow::Result<bool> {
    if !scores.iter().any(Score::is_stored) {
        return Ok(false);
    }
    let run = store.load(id)?;
    for score in scores.iter().filter(|score| score.is_stored()) {
        let known = scores::definition(score, run.judge.as_ref());
        let is_open = match known {
            Some(known) => !scores::unscored(store, id, &run, &known)?.is_empty(),
            None => true,
        };
        if is_open {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Runs the commands of a run's scores on the texts that have no value yet.
pub(crate) fn run_commands(store: &mut Store, id: RunId, scores: &[Score]) -> anyhow::Result<()> {
    if !scores.iter().any(|score| matches!(score.kind, Kind::Command { .. })) {
        return Ok(());
    }
    let run = store.load(id)?;
    for score in scores {
        let Kind::Command { command, secs } = &score.kind else { continue };
        let of = |sample: &Sample| scores::run(command, &sample.text, Duration::from_secs(*secs));
        let n_at_once = thread::available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE);
        let mut failures = Failures::new(score, &run);
        score_texts(store, id, score, &run, &mut failures, |samples| {
            at_once(samples, n_at_once, &of)
        })?;
    }
    Ok(())
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

/// Asks an open judge about the texts of a run that have no answer of it yet. The run's judge is
/// this one.
pub(crate) fn ask_judge(
    store: &mut Store,
    id: RunId,
    scores: &[Score],
    session: &Session,
) -> anyhow::Result<()> {
    if !scores.iter().any(Score::needs_judge) {
        return Ok(());
    }
    let run = store.load(id)?;
    // A date that a template asks for is the recipe's.
    let framing = Framing { date: store.show(id)?.recipe.framing.date, ..Framing::default() };
    for score in scores {
        let Some(asked) = Judgement::of(&score.kind) else { continue };
        let of = |sample: &Sample| -> anyhow::Result<Result<f64, String>> {
            let question = asked.about(&run.prompts[sample.prompt].text, &sample.text);
            let framed = framing.read_for_recipe(&session.engine, &question);
            let framed = framed.map_err(prompt::explained)?;
            // After a template an answer begins its turn; in plain text it is a word of its own.
            let begins = framed.is_chat || framed.text.ends_with(char::is_whitespace);
            let space = if begins { "" } else { " " };
            let answers: Vec<String> =
                asked.answers.iter().map(|answer| format!("{space}{answer}")).collect();
            let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
            let nats = match judge(&session.engine, &framed.tokens, &answers) {
                Ok(judged) => judged.iter().map(|judged| judged.nats).collect::<Vec<f64>>(),
                Err(error) => return Ok(Err(error.to_string())),
            };
            Ok(asked.value(&nats))
        };
        let mut failures = Failures::new(score, &run);
        score_texts(store, id, score, &run, &mut failures, |samples| {
            samples.iter().map(|s| of(s)).collect()
        })?;
    }
    Ok(())
}

/// Scores the open texts of a run batch by batch, and stores each batch.
fn score_texts(
    store: &mut Store,
    id: RunId,
    score: &Score,
    run: &Run,
    failures: &mut Failures<'_>,
    of: impl Fn(&[&Sample]) -> anyhow::Result<Vec<Result<f64, String>>>,
) -> anyhow::Result<()> {
    let Some(known) = scores::definition(score, run.judge.as_ref()) else { return Ok(()) };
    let open = scores::unscored(store, id, run, &known)?;
    let mut bar = LateBar::new(Counted::Scores);
    for (done, batch) in open.chunks(BATCH).enumerate() {
        bar.set((done * BATCH) as u64, open.len() as u64);
        let samples: Vec<&Sample> = batch.iter().map(|&i| &run.samples[i]).collect();
        let values = of(&samples)?;
        let placed = samples.iter().zip(values).map(|(sample, value)| {
            if let Err(why) = &value {
                failures.add(sample, why, &bar);
            }
            (sample.prompt, sample.chain, sample.sample, value)
        });
        let placed: Vec<Value> = placed.collect();
        store.put_scores(id, &known, &placed)?;
    }
    bar.set(open.len() as u64, open.len() as u64);
    failures.end(&bar);
    Ok(())
}

/// Applies `of` to samples on several threads; values are in the samples' order.
fn at_once(
    samples: &[&Sample],
    n_threads: usize,
    of: &(dyn Fn(&Sample) -> Result<f64, String> + Sync),
) -> anyhow::Result<Vec<Result<f64, String>>> {
    let next = AtomicUsize::new(0);
    let values = Mutex::new(vec![Ok(0.0); samples.len()]);
    thread::scope(|scope| {
        for _ in 0..n_threads.min(samples.len()) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(sample) = samples.get(place) else { return };
                    let value = of(sample);
                    values.lock().unwrap_or_else(PoisonError::into_inner)[place] = value;
                }
            });
        }
    });
    Ok(values.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Tells which texts have no value, the first ones each with its reason.
struct Failures<'a> {
    score: &'a Score,
    run: &'a Run,
    n: usize,
}

impl<'a> Failures<'a> {
    fn new(score: &'a Score, run: &'a Run) -> Failures<'a> {
        Failures { score, run, n: 0 }
    }

    fn add(&mut self, sample: &Sample, why: &str, bar: &LateBar) {
        self.n += 1;
        if self.n <= MOST_TOLD {
            let chain = &self.run.chains[sample.chain];
            let place = format!("prompt {}, {chain}, sample {}", sample.prompt + 1, sample.sample);
            let words = format!("{} has no value of {place}: {why}", self.score.name);
            bar.note(&printable(&words));
        }
    }

    fn end(&self, bar: &LateBar) {
        if self.n > MOST_TOLD {
            let more = self.n - MOST_TOLD;
            bar.note(&format!("{} has no value of {more} more texts", self.score.name));
        }
    }
}
