//! Jobs in, events out: the one thread that owns the model steps all texts together.
//!
//! A step reads one token of every text that is being continued and, in what is left of a chunk,
//! prompts that are being read. So a long prompt delays the others by one chunk at most, and the
//! weights are read once for all. What prompts have in common is read once: who comes second takes
//! it over from the tree of prefixes, page by page while it is being read. What a text says depends
//! on none of this: the model's numbers don't, and the dice are named by seed, sample and position.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use kelvin_engine::{
    Engine, TokenId,
    transformer::{
        Append, CacheFormat, Logits, ModelError, PAGE, Prefixes, Scratch, Sequence, Want,
    },
};
use kelvin_sampling::SampleError;

use super::{
    metrics::Metrics,
    problem::Problem,
    queue::{Event, Job, Next, Queue},
    room::Room,
    running::{Phase, Running, Writer},
    scores::{Scored, score},
    turns::{Reader, shares},
};

/// Prompt tokens that one step reads.
const CHUNK: usize = 256;
/// The same while others wait for their next token.
const CHUNK_BESIDE_OTHERS: usize = 64;
/// The same of prompts that are scored, all of whose logits are kept for the step.
const CHUNK_SCORED: usize = 32;

/// What a step does that may fail; tests put something in its place that does.
pub(crate) trait Steps: Send + Sync {
    /// The model's pass over a batch.
    fn forward<'s>(
        &self,
        batch: &mut [Append<'_>],
        scratch: &'s mut Scratch,
    ) -> Result<Logits<'s>, ModelError>;

    /// A draw for a text of request `id`.
    fn draw(&self, _id: &str, writer: &mut Writer, logits: &[f32]) {
        writer.draw(logits);
    }
}

impl Steps for Arc<Engine> {
    fn forward<'s>(
        &self,
        batch: &mut [Append<'_>],
        scratch: &'s mut Scratch,
    ) -> Result<Logits<'s>, ModelError> {
        self.model.forward(batch, scratch)
    }
}

/// A row of logits that isn't a writer's.
enum Row {
    /// The prompt's token at `pos`, given all before it.
    Prompt { running: usize, row: usize, pos: usize },
    /// What comes after the prompt.
    First { running: usize, row: usize },
}

/// All that the thread knows.
pub(crate) struct Batch {
    engine: Arc<Engine>,
    steps: Box<dyn Steps>,
    cache: CacheFormat,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    room: Room,
    /// In the order in which they began.
    running: Vec<Running>,
    prefixes: Prefixes,
    scratch: Scratch,
    /// Counts the steps.
    turn: usize,
}

/// Runs until the queue is closed and all is done, or until it's aborted.
pub(crate) fn run(
    engine: Arc<Engine>,
    cache: CacheFormat,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    room: Room,
) {
    let steps = Box::new(Arc::clone(&engine));
    Batch::new(engine, steps, cache, queue, metrics, room).run();
}

impl Batch {
    pub(crate) fn new(
        engine: Arc<Engine>,
        steps: Box<dyn Steps>,
        cache: CacheFormat,
        queue: Arc<Queue>,
        metrics: Arc<Metrics>,
        room: Room,
    ) -> Batch {
        let prefixes = Prefixes::new(engine.model.sequence(cache));
        let (running, scratch) = (Vec::new(), Scratch::default());
        Batch { engine, steps, cache, queue, metrics, room, running, prefixes, scratch, turn: 0 }
    }

    fn run(&mut self) {
        while self.admit() {
            if self.running.is_empty() {
                continue;
            }
            // What a panic leaves half done is thrown away with what ran. The tree has whole pages
            // only, which no step writes to.
            match catch_unwind(AssertUnwindSafe(|| self.step())) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    self.give_up(&Problem::failed(format!("the model failed: {error}")))
                }
                Err(_) => {
                    self.scratch = Scratch::default();
                    let problem = Problem::failed("a step of the model panicked; this is a bug");
                    self.give_up(&problem.coded("panic"));
                }
            }
        }
        self.give_up(&Problem::busy("shutting_down", "the server is shutting down"));
    }

    /// Lets go of what nobody waits for and begins what there is room for; false at the end.
    fn admit(&mut self) -> bool {
        for at in (0..self.running.len()).rev() {
            if self.running[at].job.events.is_closed() {
                let gone = self.running.remove(at);
                self.metrics.cancelled.fetch_add(1, Relaxed);
                tracing::info!(request = gone.job.id, "cancelled: nobody waits for it");
            }
        }
        loop {
            self.tell_figures();
            let queue = Arc::clone(&self.queue);
            let idle = self.running.is_empty();
            let ids: Vec<String> = self.running.iter().map(|one| one.job.id.clone()).collect();
            let mut beginning = None;
            let next = queue.next(
                idle,
                |id| ids.iter().filter(|other| *other == id).count(),
                |job| {
                    beginning = self.place(job);
                    beginning.is_some()
                },
            );
            match (next, beginning) {
                (Next::Job(job), Some(sequence)) => {
                    self.metrics.prompt_tokens.fetch_add(job.prompt.len() as u64, Relaxed);
                    self.metrics.cached_tokens.fetch_add(sequence.len() as u64, Relaxed);
                    self.running.push(Running::new(*job, sequence));
                }
                (Next::Stop, _) => return false,
                _ => return true,
            }
        }
    }

    /// What a job begins with, if there is room for it, for which older texts may have to go.
    fn place(&mut self, job: &Job) -> Option<Sequence> {
        let n_texts: usize = self.running.iter().map(|one| one.n_texts).sum();
        if n_texts + job.n_texts() > self.room.n_texts {
            return None;
        }
        let mut sequence = self.known(job);
        if !self.make_room(job, &sequence) {
            // What begins within a page holds that one beside a copy. Without it even the largest
            // job fits where nothing else runs.
            sequence.truncate(sequence.len() / PAGE * PAGE);
            if !self.make_room(job, &sequence) {
                return None;
            }
        }
        Some(sequence)
    }

    /// Whether there is room for what a job with this beginning may come to; if need be once older
    /// texts have gone, but none of what the beginning holds.
    fn make_room(&mut self, job: &Job, sequence: &Sequence) -> bool {
        let needed = sequence.pages_until(job.prompt.len()) + job.pages_after_prompt();
        let promised: usize = self.running.iter().map(Running::pages_to_come).sum();
        let taken = self.engine.model.n_pages(self.cache) + promised + needed;
        let missing = taken.saturating_sub(self.room.n_pages);
        missing == 0 || self.prefixes.give_back(missing)
    }

    /// The longest beginning of a job's prompt that has been read. Its last token is left to be
    /// read, since its logits are wanted; and a prompt that is scored is read from its beginning,
    /// since what was read before has none.
    fn known(&mut self, job: &Job) -> Sequence {
        let most = if job.score_prompt.is_some() { 0 } else { job.prompt.len().saturating_sub(1) };
        self.prefixes.find(&job.prompt[..most])
    }

    /// One step of the model, and what follows from it.
    fn step(&mut self) -> Result<(), ModelError> {
        let shares = self.share_chunk();
        let Batch { engine, steps, running, scratch, metrics, prefixes, .. } = self;
        let (mut appends, mut rows, mut n_rows) = (Vec::new(), Vec::new(), 0);
        for (at, one) in running.iter_mut().enumerate() {
            match &mut one.phase {
                Phase::Writing(writers) => {
                    for writer in writers.iter_mut() {
                        writer.row = Some(n_rows);
                        n_rows += 1;
                        appends.push(writer.column.append());
                    }
                }
                Phase::Reading { sequence, .. } if shares[at] > 0 => {
                    let (start, prompt, scored) =
                        (sequence.len(), &one.job.prompt, one.job.score_prompt.is_some());
                    let end = start + shares[at];
                    let tokens = &prompt[start..end];
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
        let logits = steps.forward(&mut appends, scratch)?;
        drop(appends);
        metrics.steps.fetch_add(1, Relaxed);
        keep_whole_pages(prefixes, running, &shares);
        score_prompts(engine, running, &rows, logits);
        for row in &rows {
            if let Row::First { running: at, row } = *row {
                // Nothing goes on from a prompt without choices, so its last page can be shared as
                // well.
                let ended = running[at].begin_writing(engine, row, logits.row(row));
                ended.into_iter().for_each(|sequence| prefixes.keep(&sequence, sequence.len()));
            }
        }
        draw(engine, steps.as_ref(), running, logits);
        self.let_go_of_ended();
        Ok(())
    }

    /// How many tokens of each prompt this step reads.
    fn share_chunk(&mut self) -> Vec<usize> {
        self.take_over();
        self.turn += 1;
        let readers = self.running.iter().enumerate().filter_map(|(at, one)| match &one.phase {
            Phase::Reading { sequence, waits: false, last_turn, .. } => {
                let left = one.job.prompt.len() - sequence.len();
                Some(Reader {
                    at,
                    left,
                    is_scored: one.job.score_prompt.is_some(),
                    last_turn: *last_turn,
                })
            }
            _ => None,
        });
        let writes = self.running.iter().any(|one| matches!(one.phase, Phase::Writing(_)));
        let chunk = if writes { CHUNK_BESIDE_OTHERS } else { CHUNK };
        let mut all = vec![0; self.running.len()];
        for (at, share) in shares(readers.collect(), chunk, CHUNK_SCORED) {
            all[at] = share;
            if let Phase::Reading { last_turn, .. } = &mut self.running[at].phase {
                *last_turn = self.turn;
            }
        }
        all
    }

    /// Who needs the page that another one is just reading waits, and takes it over when it's
    /// there.
    fn take_over(&mut self) {
        for at in 0..self.running.len() {
            let now = self.waits(at);
            let Running { job, cached, phase: Phase::Reading { sequence, waits, .. }, .. } =
                &mut self.running[at]
            else {
                continue;
            };
            let waited = std::mem::replace(waits, now);
            if waited && !now {
                let found = self.prefixes.find(&job.prompt[..job.prompt.len() - 1]);
                let more = found.len().saturating_sub(sequence.len());
                if more > 0 {
                    *sequence = found;
                    *cached += more;
                    self.metrics.cached_tokens.fetch_add(more as u64, Relaxed);
                }
            }
        }
    }

    /// Whether another one is further than this one in a prompt that is the same to the end of the
    /// page that this one is at.
    fn waits(&self, at: usize) -> bool {
        let own = &self.running[at];
        let Phase::Reading { sequence, .. } = &own.phase else { return false };
        let end = (sequence.len() / PAGE + 1) * PAGE;
        let Some(needed) = own.job.prompt.get(..end).filter(|_| own.job.score_prompt.is_none())
        else {
            return false;
        };
        self.running.iter().enumerate().any(|(i, other)| match &other.phase {
            Phase::Reading { sequence: theirs, .. } => {
                i != at
                    && (theirs.len() > sequence.len() || theirs.len() == sequence.len() && i < at)
                    && other.job.prompt.starts_with(needed)
            }
            Phase::Writing(_) => false,
        })
    }

    /// Tells what was drawn, keeps what can be useful of the texts that are complete, and lets go
    /// of what can't go on.
    fn let_go_of_ended(&mut self) {
        let Batch { engine, metrics, prefixes, running, .. } = self;
        for at in (0..running.len()).rev() {
            let one = &mut running[at];
            let taken = catch_unwind(AssertUnwindSafe(|| one.take_drawn(engine, metrics)));
            match taken {
                Ok(ended) => {
                    ended.iter().for_each(|sequence| prefixes.keep(sequence, sequence.len()))
                }
                Err(_) => one.fail(
                    Problem::failed("telling of a token panicked; this is a bug").coded("panic"),
                ),
            }
            let secs = one.job.arrived.elapsed().as_secs_f64();
            let (request, prompt, cached) = (&one.job.id, one.job.prompt.len(), one.cached);
            if let Some(problem) = &one.failed {
                tracing::error!(request, problem = %problem.body(), secs, "failed");
                let _ = one.job.events.send(Event::Failed(problem.clone()));
            } else if one.has_ended() {
                tracing::info!(request, prompt, cached, secs, "done");
            } else {
                continue;
            }
            running.remove(at);
        }
    }

    fn tell_figures(&self) {
        let Metrics { running, pages, kept_pages, promised_pages, .. } = &*self.metrics;
        running.store(self.running.len() as u64, Relaxed);
        pages.store(self.engine.model.n_pages(self.cache) as u64, Relaxed);
        kept_pages.store(self.prefixes.n_pages() as u64, Relaxed);
        let promised: usize = self.running.iter().map(Running::pages_to_come).sum();
        promised_pages.store(promised as u64, Relaxed);
    }

    /// Ends all that runs with a problem.
    fn give_up(&mut self, problem: &Problem) {
        for one in self.running.drain(..) {
            tracing::error!(request = one.job.id, problem = %problem.body(), "given up");
            let _ = one.job.events.send(Event::Failed(problem.clone()));
        }
    }
}

/// Takes the pages that this step made full into the tree.
fn keep_whole_pages(prefixes: &mut Prefixes, running: &[Running], shares: &[usize]) {
    for (one, share) in running.iter().zip(shares) {
        match &one.phase {
            Phase::Reading { sequence, .. } => {
                let whole = sequence.len() / PAGE * PAGE;
                if whole + share > sequence.len() {
                    prefixes.keep(sequence, whole);
                }
            }
            Phase::Writing(writers) => {
                let sequences = writers.iter().map(|writer| writer.column.sequence());
                sequences
                    .filter(|sequence| sequence.len().is_multiple_of(PAGE))
                    .for_each(|sequence| prefixes.keep(sequence, sequence.len()));
            }
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
            let (token, n_top) =
                (running[at].job.prompt[pos], running[at].job.score_prompt.unwrap_or(0));
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
        // Bad logits end a prompt where its first token is drawn; until then there is one score
        // less.
        if let (Some(Ok(scored)), Phase::Reading { scores, .. }) = (scored, &mut running[at].phase)
        {
            scores.push(scored);
        }
    }
}

/// Draws for all columns whose logits came with this step, spread over the threads. A panic is that
/// text's own.
fn draw(engine: &Engine, steps: &dyn Steps, running: &mut [Running], logits: Logits<'_>) {
    let mut all: Vec<(&mut Writer, &str, usize)> = Vec::new();
    for Running { phase, job, .. } in running {
        let Phase::Writing(writers) = phase else { continue };
        let drawing = writers.iter_mut().filter_map(|writer| Some((writer.row.take()?, writer)));
        all.extend(drawing.map(|(row, writer)| (writer, job.id.as_str(), row)));
    }
    engine.model.pool().for_each_chunk(&mut all, 1, &|_, one| {
        let (writer, id, row) = &mut one[0];
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            steps.draw(id, writer, logits.row(*row));
        }));
        writer.panicked = drawn.is_err();
    });
}

#[cfg(test)]
mod tests;
