//! A job whose texts are drawn as a whole, or are the beams of a search, on the engine's thread:
//! one chunk of its prompt or one step of its texts for each step of the batch, so that other
//! requests go on beside it.

use std::{sync::atomic::Ordering::Relaxed, time::Instant};

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, Budget},
    generate::{Ends, FinishReason},
    rows::BatchRows,
    search::{Fate, Node, Plan, SearchError, Steps, Task},
    texts::{Drawn, Ending, Quality, Samples, Start, TextsError},
    transformer::{Append, Sequence, Want},
};
use kelvin_views::search;
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    metrics::Metrics,
    problem::Problem,
    queue::{Event, Job},
    whole::{BeamSearch, Whole, WholeTexts},
    whole_text::WholeText,
};

/// A job in progress.
pub(super) struct Drawing {
    /// The request's id, for the log.
    pub(super) id: String,
    events: UnboundedSender<Event>,
    arrived: Instant,
    first_choice: usize,
    ends: Ends,
    whole: Whole,
    phase: Phase,
    /// Choices that are done.
    n_done: usize,
    /// Tokens that were counted.
    n_read: u64,
}

enum Phase {
    /// The prompt is being read, but for its last token.
    Reading { prompt: Vec<TokenId>, text: Sequence },
    /// Some choices are being drawn.
    Drawing { start: Start<Sequence>, samples: Box<Samples<Sequence>> },
    /// The beams of a search go on. So many nodes of its tree were told.
    Searching { prompt: Vec<TokenId>, steps: Box<Steps<Sequence>>, n_told: usize },
}

impl Drawing {
    /// A job that room was lent to.
    pub(super) fn new(engine: &Engine, batch: &Batch, job: Job, whole: Whole) -> Drawing {
        let Job { id, request, first_choice, events, arrived, .. } = job;
        let phase = Phase::Reading { prompt: request.prompt, text: batch.sequence(engine) };
        let ends = request.ends;
        Drawing { id, events, arrived, first_choice, ends, whole, phase, n_done: 0, n_read: 0 }
    }

    /// The room that was lent.
    pub(super) fn loan(&self) -> Budget {
        self.whole.loan()
    }

    /// Whether nobody waits for it any more.
    pub(super) fn is_closed(&self) -> bool {
        self.events.is_closed()
    }

    /// Tells why it can't go on.
    pub(super) fn fail(&self, problem: Problem) {
        let _ = self.events.send(Event::Failed(problem));
    }

    /// One forward pass. Returns whether it goes on.
    pub(super) fn step(&mut self, engine: &Engine, batch: &mut Batch, metrics: &Metrics) -> bool {
        match self.advance(engine, batch, metrics) {
            Ok(true) => true,
            Ok(false) => {
                let secs = self.arrived.elapsed().as_secs_f64();
                tracing::info!(request = self.id, secs, "done");
                false
            }
            Err(problem) => {
                tracing::error!(request = self.id, problem = %problem, "failed");
                self.fail(problem);
                false
            }
        }
    }

    fn advance(
        &mut self,
        engine: &Engine,
        batch: &mut Batch,
        metrics: &Metrics,
    ) -> Result<bool, Problem> {
        match (&self.whole, &mut self.phase) {
            (_, Phase::Reading { .. }) => self.read(engine, batch)?,
            (Whole::Texts(_), _) => return self.draw(engine, batch, metrics),
            (Whole::Search(how), Phase::Searching { prompt, steps, n_told }) => {
                let rows = &mut BatchRows { engine, batch, progress: &mut |_, _| () };
                let goes_on = beams(rows, how, &self.ends, prompt, steps)?;
                if how.tells {
                    tell_weighed(&self.events, steps, n_told);
                }
                if !goes_on {
                    let outcome = steps.outcome();
                    metrics.generated_tokens.fetch_add(outcome.n_rows as u64, Relaxed);
                    let _ = self.events.send(Event::Searched(Box::new(outcome)));
                    return Ok(false);
                }
            }
            (Whole::Search(_), Phase::Drawing { .. }) => return Err(Problem::gone()),
        }
        Ok(true)
    }

    /// Reads a chunk of the prompt, and goes on to its texts after the last one.
    fn read(&mut self, engine: &Engine, batch: &mut Batch) -> Result<(), Problem> {
        let Phase::Reading { prompt, text } = &mut self.phase else { return Ok(()) };
        let chunks = batch.options().chunks;
        let chunk = if batch.is_empty() { chunks.alone } else { chunks.beside_decode };
        let (from, last) = (text.len(), prompt.len() - 1);
        let tokens = &prompt[from..last.min(from + chunk.max(1))];
        if !tokens.is_empty() {
            let append = Append { sequence: text, tokens, want: Want::None };
            batch.append(engine, &mut [append]).map_err(|error| failed(&error))?;
        }
        if text.len() < last {
            return Ok(());
        }
        let (text, prompt) = (text.clone(), std::mem::take(prompt));
        let (first_choice, cached, scores) = (self.first_choice, 0, Vec::new());
        let _ = self.events.send(Event::Read { first_choice, cached, scores });
        self.phase = match &self.whole {
            Whole::Texts(whole) => {
                let start = Start::at(text, prompt);
                Phase::Drawing { samples: Box::new(next(whole, self.n_done, &start)), start }
            }
            Whole::Search(BeamSearch { plan: Plan::Beams(how), .. }) => {
                let steps = Box::new(Steps::beams(*how, text));
                Phase::Searching { prompt, steps, n_told: 0 }
            }
            Whole::Search(BeamSearch { plan, seed, .. }) => {
                let steps = Box::new(Steps::stochastic(plan.n_texts(), *seed, text));
                Phase::Searching { prompt, steps, n_told: 0 }
            }
        };
        Ok(())
    }

    /// A step of texts that are drawn as a whole. Returns whether they go on.
    fn draw(
        &mut self,
        engine: &Engine,
        batch: &mut Batch,
        metrics: &Metrics,
    ) -> Result<bool, Problem> {
        let (Whole::Texts(whole), Phase::Drawing { start, samples }) =
            (&self.whole, &mut self.phase)
        else {
            return Err(Problem::gone());
        };
        let ending = Ending::new(engine, &self.ends);
        let mut rows = BatchRows { engine, batch, progress: &mut |_, _| () };
        let stepped = samples.step(&mut rows, &|tokens| ending.ends(tokens));
        stepped.map_err(|error| match error {
            TextsError::Model(error) => failed(&error),
            other => Problem::failed(other.to_string()).coded("bad_logits"),
        })?;
        let ready = samples.take_ready();
        let n_read = samples.progress().n_read;
        metrics.generated_tokens.fetch_add(n_read - self.n_read, Relaxed);
        self.n_read = n_read;
        for drawn in ready {
            tell(&self.events, self.first_choice + self.n_done, &ending, &drawn)?;
            self.n_done += 1;
        }
        if samples.are_done() && self.n_done < whole.dice.len() {
            self.n_read = 0;
            **samples = next(whole, self.n_done, start);
        }
        Ok(self.n_done < whole.dice.len())
    }
}

/// The problem of a model that refuses a step.
fn failed(error: &dyn std::fmt::Display) -> Problem {
    Problem::failed(format!("the model failed: {error}"))
}

/// The choices after the first `n_done`.
fn next(whole: &WholeTexts, n_done: usize, start: &Start<Sequence>) -> Samples<Sequence> {
    let left = &whole.dice[n_done..];
    Samples::new(start, &whole.settings, &left[..left.len().min(whole.at_once)])
}

/// A step of a search. Returns whether it goes on.
fn beams(
    rows: &mut BatchRows<'_>,
    how: &BeamSearch,
    ends: &Ends,
    prompt: &[TokenId],
    steps: &mut Steps<Sequence>,
) -> Result<bool, Problem> {
    let (engine, by_length) = (rows.engine, FinishReason::MaxTokens);
    let ending = search::Ending { engine, stops: &ends.texts, by_length };
    let stops = |tokens: &[TokenId]| ending.stops(tokens);
    // Where a form may end, an end token does end it.
    let is_endless = ends.ignore_end && how.form.is_none();
    let task = Task {
        prompt,
        chain: how.chain.as_ref(),
        end_tokens: if is_endless { &[] } else { engine.tokenizer.end_tokens() },
        max_tokens: ends.max_tokens,
        stops: if ends.texts.is_empty() { None } else { Some(&stops) },
        form: how.form.as_ref(),
    };
    steps.step(rows, &task).map_err(|error| match error {
        SearchError::Model(error) => failed(&error),
        SearchError::Form(_) => Problem::failed(error.to_string()),
        other => Problem::failed(other.to_string()).coded("bad_logits"),
    })
}

/// Tells what the search went on with, or ended texts with, since the last time.
fn tell_weighed(events: &UnboundedSender<Event>, steps: &Steps<Sequence>, n_told: &mut usize) {
    let all = &steps.tree().nodes;
    let is_told = |(_, node): &(usize, &Node)| matches!(node.fate, Fate::Kept | Fate::Ended);
    let new = all.iter().enumerate().skip(*n_told).filter(is_told);
    let nodes: Vec<(usize, Node)> = new.map(|(i, node)| (i, node.clone())).collect();
    *n_told = all.len();
    if !nodes.is_empty() {
        let _ = events.send(Event::Weighed { nodes, rows: steps.n_rows() });
    }
}

/// Tells a choice's tokens and its end.
fn tell(
    events: &UnboundedSender<Event>,
    choice: usize,
    ending: &Ending<'_>,
    drawn: &Drawn,
) -> Result<(), Problem> {
    let text = match (&drawn.path, &drawn.quality) {
        (Some(path), _) => ending.continuation(path),
        (None, Quality::Exact { tries, .. }) => {
            let reason = FinishReason::NotAccepted(*tries);
            return Err(Problem::of_end(&reason).unwrap_or_else(Problem::gone));
        }
        (None, _) => return Err(Problem::gone()),
    };
    for &draw in &text.draws {
        let (text, scored, learned) = (String::new(), None, None);
        let _ = events.send(Event::Token { choice, text, draw, scored, learned });
    }
    let _ = events.send(Event::Whole { choice, whole: WholeText::of(drawn) });
    let _ = events.send(Event::End { choice, text: text.text, reason: text.finish });
    Ok(())
}
