//! Jobs in, events out: the one thread that owns the model steps all texts together.
//!
//! A step reads one token of every text that is being continued and, in what is left of a chunk, prompts that are being
//! read. So a long prompt delays the others by one chunk at most, and the weights are read once for all. What a text
//! says depends on none of this: the model's numbers don't, and the dice are named by seed, sample and position.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

use kelvin_engine::{
    Engine, TokenId,
    generate::{Column, FinishReason},
    transformer::{Append, CacheFormat, Logits, ModelError, Scratch, Sequence, Want},
};
use kelvin_sampling::SampleError;

use super::{
    metrics::Metrics,
    prefixes::Prefixes,
    problem::Problem,
    queue::{Event, Job, Next, Queue},
    scores::{Scored, score},
};

/// Prompt tokens that one step reads.
const CHUNK: usize = 256;
/// The same while others wait for their next token.
const CHUNK_BESIDE_OTHERS: usize = 64;
/// The same of a prompt that is scored, all of whose logits are kept for the step.
const CHUNK_SCORED: usize = 32;

/// How much runs at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Texts.
    pub(crate) n_texts: usize,
    /// Tokens that all of them may come to.
    pub(crate) n_tokens: usize,
    /// Texts that are kept after their end.
    pub(crate) n_kept: usize,
    /// Tokens of those.
    pub(crate) n_kept_tokens: usize,
}

/// A job that has begun.
struct Running {
    job: Job,
    n_texts: usize,
    n_tokens: usize,
    cached: usize,
    phase: Phase,
    last_token: Option<Instant>,
}

enum Phase {
    /// Its prompt is being read.
    Reading { sequence: Sequence, scores: Vec<Scored> },
    /// Its choices are being written.
    Writing(Vec<Writer>),
}

/// A choice that is being written.
struct Writer {
    column: Column,
    n_top: Option<usize>,
    /// Which of the step's logits are its own.
    row: Option<usize>,
    /// What the model thinks of the token just drawn.
    scored: Option<Scored>,
}

/// A row of logits that isn't a writer's.
enum Row {
    /// The prompt's token at `pos`, given all before it.
    Prompt { running: usize, row: usize, pos: usize },
    /// What comes after the prompt.
    First { running: usize, row: usize },
}

/// All that the thread knows.
struct Batch {
    engine: Arc<Engine>,
    cache: CacheFormat,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    room: Room,
    running: Vec<Running>,
    prefixes: Prefixes,
    scratch: Scratch,
}

/// Runs until the queue is closed and all is done, or until it's aborted.
pub(crate) fn run(
    engine: Arc<Engine>,
    cache: CacheFormat,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    room: Room,
) {
    let prefixes = Prefixes::new(room.n_kept, room.n_kept_tokens);
    let scratch = Scratch::default();
    let mut batch = Batch { engine, cache, queue, metrics, room, running: Vec::new(), prefixes, scratch };
    while batch.admit() {
        if batch.running.is_empty() {
            continue;
        }
        // What a panic leaves half done is thrown away with what ran.
        match catch_unwind(AssertUnwindSafe(|| batch.step())) {
            Ok(Ok(())) => {}
            // Nothing has changed, so with the kept texts' memory it can be tried again.
            Ok(Err(ModelError::Memory(_))) if batch.prefixes.clear() => {}
            Ok(Err(error)) => batch.give_up(&Problem::failed(format!("the model failed: {error}"))),
            Err(_) => {
                batch.scratch = Scratch::default();
                batch.prefixes.clear();
                batch.give_up(&Problem::failed("a step of the model panicked; this is a bug"));
            }
        }
    }
    batch.give_up(&Problem::busy("shutting_down", "the server is shutting down"));
}

impl Batch {
    /// Lets go of what nobody waits for and begins what there is room for; false at the end.
    fn admit(&mut self) -> bool {
        for at in (0..self.running.len()).rev() {
            if self.running[at].job.events.is_closed() {
                let gone = self.running.remove(at);
                self.metrics.cancelled.fetch_add(1, Relaxed);
                tracing::info!(request = gone.job.id, "cancelled: the client went away");
                self.keep(gone.phase);
            }
        }
        loop {
            self.metrics.running.store(self.running.len() as u64, Relaxed);
            let n_texts: usize = self.running.iter().map(|running| running.n_texts).sum();
            let n_tokens: usize = self.running.iter().map(|running| running.n_tokens).sum();
            let (idle, room) = (self.running.is_empty(), self.room);
            let fits = |job: &Job| {
                idle || (n_texts + job.samplers.len() <= room.n_texts
                    && n_tokens + job.n_tokens() <= room.n_tokens)
            };
            match self.queue.next(idle, fits) {
                Next::Job(job) => self.begin(*job),
                Next::Nothing => break,
                Next::Stop => return false,
            }
        }
        true
    }

    fn begin(&mut self, job: Job) {
        // A kept prefix has no logits, so a prompt that is scored is read from its beginning.
        let kept = if job.score_prompt { None } else { self.prefixes.fork(&job.prompt) };
        let sequence = kept.unwrap_or_else(|| self.engine.model.sequence(self.cache));
        let cached = sequence.len();
        self.metrics.prompt_tokens.fetch_add(job.prompt.len() as u64, Relaxed);
        self.metrics.cached_tokens.fetch_add(cached as u64, Relaxed);
        let phase = Phase::Reading { sequence, scores: Vec::new() };
        let (n_texts, n_tokens) = (job.samplers.len(), job.n_tokens());
        self.running.push(Running { job, n_texts, n_tokens, cached, phase, last_token: None });
    }

    /// One step of the model, and what follows from it.
    fn step(&mut self) -> Result<(), ModelError> {
        let Batch { engine, running, scratch, metrics, .. } = self;
        let beside = running.iter().any(|one| matches!(one.phase, Phase::Writing(_)));
        let mut left = if beside { CHUNK_BESIDE_OTHERS } else { CHUNK };
        let (mut appends, mut rows, mut n_rows) = (Vec::new(), Vec::new(), 0);
        for (at, one) in running.iter_mut().enumerate() {
            match &mut one.phase {
                Phase::Writing(writers) => {
                    for writer in writers.iter_mut().filter(|writer| writer.column.is_open()) {
                        writer.row = Some(n_rows);
                        n_rows += 1;
                        appends.push(writer.column.append());
                    }
                }
                Phase::Reading { sequence, .. } if left > 0 => {
                    let (start, prompt, scored) = (sequence.len(), &one.job.prompt, one.job.score_prompt);
                    let most = if scored { left.min(CHUNK_SCORED) } else { left };
                    let tokens = &prompt[start..prompt.len().min(start + most)];
                    let end = start + tokens.len();
                    left -= tokens.len();
                    let want = match (scored, end == prompt.len()) {
                        (true, _) => Want::All,
                        (false, true) => Want::Last,
                        (false, false) => Want::None,
                    };
                    if scored {
                        let places = (start + 1..prompt.len().min(end + 1)).zip(n_rows..);
                        rows.extend(places.map(|(pos, row)| Row::Prompt { running: at, row, pos }));
                    }
                    n_rows += match want {
                        Want::All => tokens.len(),
                        Want::Last => 1,
                        Want::None => 0,
                    };
                    if end == prompt.len() {
                        rows.push(Row::First { running: at, row: n_rows - 1 });
                    }
                    appends.push(Append { sequence, tokens, want });
                }
                Phase::Reading { .. } => {}
            }
        }
        let logits = engine.model.forward(&mut appends, scratch)?;
        drop(appends);
        metrics.steps.fetch_add(1, Relaxed);
        score_prompts(engine, running, &rows, logits);
        for row in &rows {
            if let Row::First { running: at, row } = *row {
                running[at].begin_writing(row);
            }
        }
        draw(engine, running, logits);
        for one in running.iter_mut() {
            one.take_drawn(engine, metrics);
        }
        self.let_go_of_ended();
        Ok(())
    }

    /// Keeps what can be useful of the texts that are complete.
    fn let_go_of_ended(&mut self) {
        for at in (0..self.running.len()).rev() {
            if self.running[at].has_ended() {
                let ended = self.running.remove(at);
                let secs = ended.job.arrived.elapsed().as_secs_f64();
                let (prompt, cached) = (ended.job.prompt.len(), ended.cached);
                tracing::info!(request = ended.job.id, prompt, cached, secs, "done");
                self.keep(ended.phase);
            }
        }
    }

    fn keep(&mut self, phase: Phase) {
        let sequence = match phase {
            Phase::Reading { sequence, .. } => Some(sequence),
            // The others share the prompt with it, and a chat goes on from one answer.
            Phase::Writing(writers) => writers.into_iter().next().map(|writer| writer.column.into_sequence()),
        };
        sequence.into_iter().for_each(|sequence| self.prefixes.keep(sequence));
        self.metrics.kept_tokens.store(self.prefixes.n_tokens() as u64, Relaxed);
    }

    /// Ends all that runs with a problem.
    fn give_up(&mut self, problem: &Problem) {
        for one in self.running.drain(..) {
            tracing::error!(request = one.job.id, problem = %problem.body(), "given up");
            let _ = one.job.events.send(Event::Failed(problem.clone()));
        }
    }
}

/// Scores the prompts' tokens whose logits came with this step, spread over the threads.
fn score_prompts(engine: &Engine, running: &mut [Running], rows: &[Row], logits: Logits<'_>) {
    struct Work {
        row: usize,
        running: usize,
        token: TokenId,
        n_top: usize,
        scored: Option<Result<Scored, SampleError>>,
    }
    let work = |of: &Row| match *of {
        Row::Prompt { running: at, row, pos } => {
            let (token, n_top) = (running[at].job.prompt[pos], running[at].job.n_top.unwrap_or(0));
            Some(Work { row, running: at, token, n_top, scored: None })
        }
        Row::First { .. } => None,
    };
    let mut all: Vec<Work> = rows.iter().filter_map(work).collect();
    engine.model.pool().for_each_chunk(&mut all, 1, &|_, work| {
        let work = &mut work[0];
        work.scored = Some(score(logits.row(work.row), work.token, work.n_top));
    });
    for Work { running: at, scored, .. } in all {
        // Bad logits end a prompt where its first token is drawn; until then there is one score less.
        if let (Some(Ok(scored)), Phase::Reading { scores, .. }) = (scored, &mut running[at].phase) {
            scores.push(scored);
        }
    }
}

/// Draws for all columns whose logits came with this step, spread over the threads.
fn draw(engine: &Engine, running: &mut [Running], logits: Logits<'_>) {
    let writers = running.iter_mut().flat_map(|one| match &mut one.phase {
        Phase::Writing(writers) => writers.as_mut_slice(),
        Phase::Reading { .. } => &mut [],
    });
    let mut all: Vec<&mut Writer> = writers.filter(|writer| writer.row.is_some()).collect();
    engine.model.pool().for_each_chunk(&mut all, 1, &|_, writer| {
        let writer = &mut *writer[0];
        let Some(row) = writer.row.take() else { return };
        writer.column.draw(logits.row(row));
        // If it can't be scored, neither could it be drawn, and that is said.
        let scored = writer.n_top.zip(writer.column.drawn());
        writer.scored = scored.and_then(|(n_top, token)| score(logits.row(row), token, n_top).ok());
    });
}

impl Running {
    /// The prompt has been read: its choices begin with the logits of `row`.
    fn begin_writing(&mut self, row: usize) {
        let Phase::Reading { sequence, scores } = &mut self.phase else { return };
        let scores = std::mem::take(scores);
        let samplers = std::mem::take(&mut self.job.samplers);
        let Job { prompt, ends, n_top, .. } = &self.job;
        let writer = |sampler| Writer {
            column: Column::new(sampler, sequence.clone(), prompt, ends),
            n_top: *n_top,
            row: Some(row),
            scored: None,
        };
        let writers = samplers.into_iter().map(writer).collect();
        self.phase = Phase::Writing(writers);
        let read = Event::Read { first_choice: self.job.first_choice, cached: self.cached, scores };
        let _ = self.job.events.send(read);
    }

    /// Tells about the tokens drawn in this step.
    fn take_drawn(&mut self, engine: &Engine, metrics: &Metrics) {
        let Phase::Writing(writers) = &mut self.phase else { return };
        let (job, now) = (&self.job, Instant::now());
        let mut n_new = 0;
        for (i, writer) in writers.iter_mut().enumerate() {
            let Some(taken) = writer.column.take(&engine.tokenizer, &job.ends) else { continue };
            let (choice, scored) = (job.first_choice + i, writer.scored.take());
            if let Some(draw) = taken.draw {
                n_new += 1;
                let token = Event::Token { choice, text: taken.text, token: draw.token, scored };
                let _ = job.events.send(token);
            }
            match taken.end {
                Some((_, FinishReason::BadLogits(what))) => {
                    let message = format!("the model gave logits that nothing can be drawn from: {what}");
                    let problem = Problem::failed(message).coded("bad_logits");
                    let _ = job.events.send(Event::Failed(problem));
                }
                Some((text, reason)) => {
                    let _ = job.events.send(Event::End { choice, text, reason });
                }
                None => {}
            }
        }
        metrics.generated_tokens.fetch_add(n_new, Relaxed);
        if n_new > 0 {
            match self.last_token.replace(now) {
                None => metrics.first_token.add(job.arrived.elapsed()),
                Some(last) => metrics.between_tokens.add(now.duration_since(last)),
            }
        }
    }

    fn has_ended(&self) -> bool {
        match &self.phase {
            Phase::Reading { .. } => false,
            Phase::Writing(writers) => writers.iter().all(|writer| !writer.column.is_open()),
        }
    }
}
