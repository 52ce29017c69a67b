//! The batch stepped by hand on a very small model: what is shared, what is let go of, and what a
//! fault does to the others.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    thread,
    time::Instant,
};

use kelvin_engine::{generate::Ends, transformer::ModelOptions};
use kelvin_sampling::{Chain, Dice, Sampler};
use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{super::queue::Draft, *};

const CACHE: CacheFormat = CacheFormat::F16;

fn engine() -> Arc<Engine> {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let options = ModelOptions { threads: 2, isa: None };
    let engine = Engine::open(&path, &options, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    Arc::new(engine)
}

/// The model, but what is told to fail does.
struct Faulty {
    engine: Arc<Engine>,
    /// Steps until one panics.
    panics_after: AtomicUsize,
    /// Steps until one is refused.
    fails_after: AtomicUsize,
}

/// The request for which drawing panics.
const CURSED: &str = "cursed";

fn is_due(left: &AtomicUsize) -> bool {
    left.fetch_sub(1, SeqCst) == 1
}

impl Steps for Faulty {
    fn forward<'s>(
        &self,
        batch: &mut [Append<'_>],
        scratch: &'s mut Scratch,
    ) -> Result<Logits<'s>, ModelError> {
        let logits = self.engine.model.forward(batch, scratch);
        assert!(!is_due(&self.panics_after), "a fault that a test put here");
        if is_due(&self.fails_after) { Err(ModelError::NoTokens) } else { logits }
    }

    fn draw(&self, id: &str, writer: &mut Writer, logits: &[f32]) {
        assert!(id != CURSED || writer.column.tokens().len() < 3, "a fault that a test put here");
        writer.draw(logits);
    }
}

fn batch(
    engine: &Arc<Engine>,
    panics_after: usize,
    fails_after: usize,
) -> (Batch, Arc<Queue>, Arc<Metrics>) {
    let (queue, metrics) = (Arc::new(Queue::new(100)), Arc::new(Metrics::default()));
    let steps = Faulty {
        engine: Arc::clone(engine),
        panics_after: AtomicUsize::new(panics_after),
        fails_after: AtomicUsize::new(fails_after),
    };
    let room = Room { n_texts: 16, n_pages: 200 };
    let (engine, for_batch) = (Arc::clone(engine), (Arc::clone(&queue), Arc::clone(&metrics)));
    (Batch::new(engine, Box::new(steps), CACHE, for_batch.0, for_batch.1, room), queue, metrics)
}

/// A prompt of `n` tokens, those of the same `kind` beginnings of one another.
fn prompt(kind: u32, n: usize) -> Vec<TokenId> {
    (0..n as u32).map(|i| TokenId(3 + (i * i + kind * 7) % 90)).collect()
}

fn job(id: &str, prompt: Vec<TokenId>, max_tokens: usize) -> (Job, UnboundedReceiver<Event>) {
    let (events, receiver) = unbounded_channel();
    let chain: Chain = "temp=1".parse().unwrap();
    let ends = Ends { max_tokens, limit: 250, ignore_end: true, ..Ends::default() };
    let job = Job {
        id: id.to_string(),
        prompt,
        drafts: vec![Draft {
            sampler: Sampler::new(chain, Dice { seed: 5, sample: 0 }),
            constraint: None,
            scoring: None,
        }],
        ends,
        bans: Arc::new([]),
        score_prompt: None,
        first_choice: 0,
        events,
        arrived: Instant::now(),
    };
    (job, receiver)
}

/// What a job has been told so far: its tokens, how much was found, whether it ended, the code of
/// its failure.
#[derive(Debug, Default, Clone, PartialEq)]
struct Told {
    tokens: Vec<TokenId>,
    cached: usize,
    ended: bool,
    failure: Option<&'static str>,
}

fn told(events: &mut UnboundedReceiver<Event>) -> Told {
    let mut told = Told::default();
    while let Ok(event) = events.try_recv() {
        match event {
            Event::Read { cached, .. } => told.cached = cached,
            Event::Token { draw, .. } => told.tokens.push(draw.token),
            Event::End { .. } => told.ended = true,
            Event::Failed(problem) => told.failure = Some(problem.code()),
            Event::Row(_) => {}
        }
    }
    told
}

/// Steps until nothing runs.
fn finish(batch: &mut Batch) {
    for _ in 0..2000 {
        assert!(batch.admit_now());
        if batch.running.is_empty() {
            return;
        }
        batch.step().unwrap();
    }
    panic!("it doesn't end");
}

impl Batch {
    /// `admit` waits where nothing runs; a test doesn't.
    fn admit_now(&mut self) -> bool {
        (self.running.is_empty() && self.queue.len() == 0) || self.admit()
    }
}

/// All pages that are held are the tree's.
fn at_rest(batch: &Batch) {
    assert!(batch.running.is_empty());
    assert_eq!(batch.engine.model.n_pages(CACHE), batch.prefixes.n_pages());
}

/// What a prompt gets alone.
fn alone(engine: &Arc<Engine>, prompt: Vec<TokenId>, max_tokens: usize) -> Vec<TokenId> {
    let (mut batch, queue, _) = batch(engine, 0, 0);
    let (job, mut events) = job("alone", prompt, max_tokens);
    queue.push(vec![job]).unwrap();
    finish(&mut batch);
    let told = told(&mut events);
    assert!(told.ended && told.tokens.len() == max_tokens);
    told.tokens
}

#[test]
fn a_draw_that_panics_ends_its_own_request_and_no_other() {
    let engine = engine();
    let good = alone(&engine, prompt(1, 40), 30);
    let (mut batch, queue, _) = batch(&engine, 0, 0);
    let (cursed, mut of_cursed) = job(CURSED, prompt(2, 40), 30);
    let (other, mut of_other) = job("other", prompt(1, 40), 30);
    queue.push(vec![cursed]).unwrap();
    queue.push(vec![other]).unwrap();
    finish(&mut batch);
    let cursed = told(&mut of_cursed);
    assert_eq!((cursed.tokens.len(), cursed.failure, cursed.ended), (3, Some("panic"), false));
    assert_eq!(told(&mut of_other).tokens, good);
    at_rest(&batch);
}

#[test]
fn a_step_that_panics_or_is_refused_ends_what_runs_and_the_next_is_served() {
    let engine = engine();
    let good = alone(&engine, prompt(1, 40), 30);
    for (panics_after, fails_after, code) in [(5, 0, "panic"), (0, 5, "internal_error")] {
        let (mut batch, queue, _) = batch(&engine, panics_after, fails_after);
        let (first, mut of_first) = job("first", prompt(1, 40), 30);
        let (second, mut of_second) = job("second", prompt(1, 70), 30);
        queue.push(vec![first, second]).unwrap();
        let thread = thread::spawn(move || {
            batch.run();
            batch
        });
        let failure = |events: &mut UnboundedReceiver<Event>| loop {
            match events.blocking_recv() {
                Some(Event::Failed(problem)) => return problem.code(),
                Some(_) => {}
                None => panic!("the thread is gone"),
            }
        };
        assert_eq!((failure(&mut of_first), failure(&mut of_second)), (code, code));
        let (third, mut of_third) = job("third", prompt(1, 40), 30);
        queue.push(vec![third]).unwrap();
        queue.close();
        let batch = thread.join().unwrap();
        let third = told(&mut of_third);
        assert!(third.ended && third.cached > 0, "{third:?}");
        assert_eq!(third.tokens, good);
        at_rest(&batch);
    }
}

#[test]
fn who_goes_away_is_let_go_of_before_the_next_step() {
    let engine = engine();
    let (mut batch, queue, metrics) = batch(&engine, 0, 0);
    let (writes, of_writes) = job("writes", prompt(1, 10), 100);
    queue.push(vec![writes]).unwrap();
    batch.admit();
    (0..40).for_each(|_| batch.step().unwrap());
    let (reads, of_reads) = job("reads", prompt(2, 200), 10);
    let (waits, of_waits) = job("waits", prompt(3, 20), 10);
    queue.push(vec![reads]).unwrap();
    batch.admit();
    batch.step().unwrap();
    assert!(
        matches!(&batch.running[1].phase, Phase::Reading { sequence, .. } if sequence.len() == 64)
    );
    queue.push(vec![waits]).unwrap();
    let steps = metrics.steps.load(Relaxed);
    drop((of_writes, of_reads, of_waits));
    assert_eq!(queue.len(), 0);
    queue.close();
    assert!(!batch.admit(), "nothing is left to do");
    assert_eq!((metrics.steps.load(Relaxed), metrics.cancelled.load(Relaxed)), (steps, 2));
    at_rest(&batch);
    // What was whole of them is kept, and all of it can be given back.
    let kept = batch.prefixes.n_pages();
    assert_eq!(kept, 3, "one page of 50 tokens, two of 64");
    assert!(batch.prefixes.give_back(kept));
    assert_eq!(engine.model.n_pages(CACHE), 0);
}

#[test]
fn a_text_that_is_being_written_is_found() {
    let engine = engine();
    let (mut batch, queue, _) = batch(&engine, 0, 0);
    let (writes, mut of_writes) = job("writes", prompt(1, 40), 150);
    queue.push(vec![writes]).unwrap();
    batch.admit();
    (0..60).for_each(|_| batch.step().unwrap());
    let so_far = [prompt(1, 40), told(&mut of_writes).tokens].concat();
    let (goes_on, mut of_goes_on) = job("goes on", so_far.clone(), 20);
    queue.push(vec![goes_on]).unwrap();
    finish(&mut batch);
    let goes_on = told(&mut of_goes_on);
    assert_eq!(goes_on.cached, 96, "three whole pages of {}", so_far.len());
    assert_eq!(goes_on.tokens, alone(&engine, so_far, 20));
    at_rest(&batch);
}

#[test]
fn what_comes_together_is_read_once_whoever_leaves() {
    let engine = engine();
    let common = prompt(1, 200);
    let of = |i: u32| [common.clone(), prompt(50 + i, 10)].concat();
    for leaves in [false, true] {
        let (mut batch, queue, _) = batch(&engine, 0, 0);
        let (jobs, mut events): (Vec<_>, Vec<_>) =
            (0..4).map(|i| job(&i.to_string(), of(i), 10)).unzip();
        queue.push(jobs).unwrap();
        batch.admit();
        // A text that others are beside makes the chunk small, so that reading takes several steps.
        let (beside, _of_beside) = job("beside", prompt(9, 3), 100);
        queue.push(vec![beside]).unwrap();
        batch.admit();
        batch.step().unwrap();
        batch.step().unwrap();
        let waiting = batch
            .running
            .iter()
            .filter(|one| matches!(one.phase, Phase::Reading { waits: true, .. }));
        assert_eq!(waiting.count(), 3, "one reads for all");
        if leaves {
            events.remove(0);
        }
        finish(&mut batch);
        let told: Vec<Told> = events.iter_mut().map(told).collect();
        for (told, i) in told.iter().zip(u32::from(leaves)..) {
            assert_eq!(told.tokens, alone(&engine, of(i), 10), "{i}");
        }
        let cached: Vec<usize> = told.iter().map(|told| told.cached).collect();
        let expected = if leaves { vec![192; 3] } else { vec![0, 192, 192, 192] };
        // The second one reads on where the first left.
        assert!(
            cached.iter().zip(&expected).skip(usize::from(leaves)).all(|(a, b)| a == b),
            "{cached:?}"
        );
        at_rest(&batch);
    }
}

#[test]
fn room_is_made_by_letting_go_of_what_was_found_longest_ago() {
    let engine = engine();
    let (mut batch, queue, _) = batch(&engine, 0, 0);
    batch.room.n_pages = 20;
    let run = |batch: &mut Batch, kind: u32, n: usize, max_tokens: usize| {
        let (job, mut events) = job("x", prompt(kind, n), max_tokens);
        queue.push(vec![job]).unwrap();
        finish(batch);
        assert!(batch.engine.model.n_pages(CACHE) <= 20);
        told(&mut events)
    };
    // Five pages each, so that the fifth makes the first go, but not the second, which was found
    // meanwhile.
    for kind in [1, 2, 3, 4] {
        assert_eq!(run(&mut batch, kind, 128, 20).cached, 0);
    }
    assert_eq!(run(&mut batch, 1, 128, 20).cached, 127);
    assert_eq!(run(&mut batch, 5, 128, 20).cached, 0);
    assert_eq!(run(&mut batch, 1, 128, 20).cached, 127);
    assert!(run(&mut batch, 2, 128, 20).cached < 127);
    // More than is free while others run waits, however much of it is kept.
    let (long, mut of_long) = job("long", prompt(7, 100), 140);
    let (second, mut of_second) = job("second", prompt(8, 200), 45);
    let (third, mut of_third) = job("third", prompt(9, 150), 90);
    queue.push(vec![long, second, third]).unwrap();
    batch.admit();
    assert_eq!((batch.running.len(), queue.len()), (2, 1));
    finish(&mut batch);
    for events in [&mut of_long, &mut of_second, &mut of_third] {
        assert!(told(events).ended);
    }
    at_rest(&batch);
}

#[test]
fn a_job_that_needs_all_the_room_gets_it_and_one_that_needs_more_is_refused() {
    let engine = engine();
    let (mut batch, queue, _) = batch(&engine, 0, 0);
    batch.room.n_pages = 8;
    let (first, mut of_first) = job("first", prompt(1, 60), 5);
    queue.push(vec![first]).unwrap();
    finish(&mut batch);
    // It begins as that one does, to the middle of a page.
    let text = [prompt(1, 40), prompt(2, 160)].concat();
    let (whole, mut of_whole) = job("whole", text.clone(), 50);
    queue.push(vec![whole]).unwrap();
    finish(&mut batch);
    let whole = told(&mut of_whole);
    assert!(told(&mut of_first).ended && whole.cached == 32, "{whole:?}");
    assert_eq!(whole.tokens, alone(&engine, text, 50));
    let (larger, mut of_larger) = job("larger", prompt(3, 200), 100);
    let (small, mut of_small) = job("small", prompt(4, 20), 10);
    queue.push(vec![larger, small]).unwrap();
    finish(&mut batch);
    assert_eq!((told(&mut of_larger).failure, told(&mut of_small).ended), (Some("no_room"), true));
    at_rest(&batch);
}
