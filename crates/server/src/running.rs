//! A job that has begun: its prompt being read, then its choices being written; what came of a step
//! in, events out.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

use kelvin_engine::{Engine, generate::Column, transformer::Sequence};

use super::{
    metrics::Metrics,
    problem::Problem,
    queue::{Draft, Event, Job},
    scores::{Scored, Scoring},
};

/// A job that has begun.
pub(crate) struct Running {
    pub(crate) job: Job,
    pub(crate) n_texts: usize,
    /// Tokens of its prompt that were found and not read.
    pub(crate) cached: usize,
    pub(crate) phase: Phase,
    last_token: Option<Instant>,
    /// Why it can't go on.
    pub(crate) failed: Option<Problem>,
}

pub(crate) enum Phase {
    /// Its prompt is being read.
    Reading {
        sequence: Sequence,
        scores: Vec<Scored>,
        /// Whether another one is just reading what it needs next.
        waits: bool,
        /// The last step that read of it.
        last_turn: usize,
    },
    /// Its choices are being written; those that ended are gone.
    Writing(Vec<Writer>),
}

/// A choice that is being written.
pub(crate) struct Writer {
    /// Which of the request's choices it is.
    choice: usize,
    pub(crate) column: Column,
    scoring: Option<Scoring>,
    /// Which of the step's logits are its own.
    pub(crate) row: Option<usize>,
    /// What the model thinks of the token just drawn.
    pub(crate) scored: Option<Scored>,
    /// Whether drawing panicked.
    pub(crate) panicked: bool,
}

impl Writer {
    /// Draws its next token, and scores it if that is wanted. What can't be scored couldn't be
    /// drawn either, and the column says that.
    pub(crate) fn draw(&mut self, logits: &[f32]) {
        match self.scoring {
            Some(scoring) => self.scored = scoring.draw(&mut self.column, logits),
            None => self.column.draw(logits),
        }
    }
}

impl Running {
    /// Begins with what is known of the prompt already.
    pub(crate) fn new(job: Job, sequence: Sequence) -> Running {
        let (n_texts, cached) = (job.n_texts(), sequence.len());
        let phase = Phase::Reading { sequence, scores: Vec::new(), waits: false, last_turn: 0 };
        Running { job, n_texts, cached, phase, last_token: None, failed: None }
    }

    /// Pages that it may still take.
    pub(crate) fn pages_to_come(&self) -> usize {
        let len = self.job.prompt.len();
        match &self.phase {
            Phase::Reading { sequence, .. } => {
                sequence.pages_until(len) + self.job.pages_after_prompt()
            }
            Phase::Writing(writers) => {
                let most = len + self.job.ends.max_tokens;
                writers.iter().map(|writer| writer.column.sequence().pages_until(most)).sum()
            }
        }
    }

    /// The prompt has been read, and `logits`, the step's row `row`, say what comes after it: its
    /// choices begin. If it has none, they are all that was wanted, and the sequence comes back.
    pub(crate) fn begin_writing(
        &mut self,
        engine: &Engine,
        row: usize,
        logits: &[f32],
    ) -> Option<Sequence> {
        let Phase::Reading { sequence, scores, .. } = &mut self.phase else { return None };
        let scores = std::mem::take(scores);
        let drafts = std::mem::take(&mut self.job.drafts);
        let Job { prompt, ends, bans, first_choice, .. } = &self.job;
        let writer = |(i, Draft { sampler, constraint, scoring })| Writer {
            choice: first_choice + i,
            column: Column::new(sampler, sequence.clone(), prompt, &engine.tokenizer, ends)
                .banning(Arc::clone(bans))
                .under(constraint),
            scoring,
            row: Some(row),
            scored: None,
            panicked: false,
        };
        let writers: Vec<Writer> = drafts.into_iter().enumerate().map(writer).collect();
        let read = Event::Read { first_choice: *first_choice, cached: self.cached, scores };
        let _ = self.job.events.send(read);
        if writers.is_empty() {
            let _ = self.job.events.send(Event::Row(logits.to_vec()));
        }
        let is_all = writers.is_empty();
        match std::mem::replace(&mut self.phase, Phase::Writing(writers)) {
            Phase::Reading { sequence, .. } if is_all => Some(sequence),
            _ => None,
        }
    }

    /// Tells about the tokens drawn in this step; the sequences of the choices that ended come
    /// back.
    pub(crate) fn take_drawn(&mut self, engine: &Engine, metrics: &Metrics) -> Vec<Sequence> {
        let Phase::Writing(writers) = &mut self.phase else { return Vec::new() };
        let (job, now) = (&self.job, Instant::now());
        let (mut n_new, mut ended) = (0, Vec::new());
        for writer in writers.iter_mut() {
            if writer.panicked {
                self.failed =
                    Some(Problem::failed("drawing a token panicked; this is a bug").coded("panic"));
            }
            let Some(taken) = writer.column.take(&engine.tokenizer, &job.ends) else { continue };
            let (choice, scored) = (writer.choice, writer.scored.take());
            if let Some(draw) = taken.draw {
                n_new += 1;
                let learned = writer.column.state().learned();
                let token = Event::Token { choice, text: taken.text, draw, scored, learned };
                let _ = job.events.send(token);
            }
            if let Some((text, reason)) = taken.end {
                match Problem::of_end(&reason) {
                    Some(problem) => self.failed = Some(problem),
                    None => drop(job.events.send(Event::End { choice, text, reason })),
                }
            }
        }
        for at in (0..writers.len()).rev() {
            if !writers[at].column.is_open() {
                ended.push(writers.swap_remove(at).column.into_sequence());
            }
        }
        metrics.generated_tokens.fetch_add(n_new, Relaxed);
        if n_new > 0 {
            match self.last_token.replace(now) {
                None => metrics.first_token.add(job.arrived.elapsed()),
                Some(last) => metrics.between_tokens.add(now.duration_since(last)),
            }
        }
        ended
    }

    /// It can't go on.
    pub(crate) fn fail(&mut self, problem: Problem) {
        self.failed = Some(problem);
    }

    /// Whether nothing more comes of it.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(&self.phase, Phase::Writing(writers) if writers.is_empty())
    }
}
