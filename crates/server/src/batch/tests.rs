//! The engine's thread stepped by hand on a very small model: what is shared, what is evicted, and
//! what a fault does to other requests.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{fs, thread};

use kelvin_engine::{
    TokenId,
    batch::{Draft, Prefill, Request},
    generate::{Constraint, Ends},
    transformer::ModelOptions,
};
use kelvin_sampling::{Chain, Dice, Sampler};
use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::whole::{Whole, of_prompt};

const CACHE: CacheFormat = CacheFormat::F16;

fn engine() -> Arc<Engine> {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let options = ModelOptions { threads: 2, isa: None };
    let engine = Engine::open(&path, &options, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    Arc::new(engine)
}

/// Allows everything, until it panics.
#[derive(Debug)]
struct Cursed {
    mask: Vec<u32>,
    left: usize,
}

impl Constraint for Cursed {
    fn allowed(&mut self) -> Result<&[u32], String> {
        assert!(self.left > 0, "a fault that a test put here");
        Ok(&self.mask)
    }

    fn take(&mut self, _: TokenId) -> Result<(), String> {
        self.left -= 1;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        false
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(Cursed { mask: self.mask.clone(), left: self.left })
    }
}

/// A prompt of so many tokens makes a step panic.
const CURSED: usize = 77;

fn cursed_shares(prompts: &[Prefill], chunk: usize, scored: usize) -> Vec<usize> {
    assert!(prompts.iter().all(|prompt| prompt.left != CURSED), "a fault that a test put here");
    turns::shares(prompts, chunk, scored)
}

/// A thread with 16 texts and `n_pages` pages that is stepped by hand.
fn thread_with(engine: &Arc<Engine>, n_pages: usize) -> (Thread, Arc<Queue>, Arc<Metrics>) {
    let (queue, metrics) = (Arc::new(Queue::new(100)), Arc::new(Metrics::default()));
    let options = options(CACHE, Budget { n_texts: 16, n_pages }, Guesses::Off);
    let options = BatchOptions { policy: cursed_shares, ..options };
    let of_thread = (Arc::clone(&queue), Arc::clone(&metrics));
    (Thread::new(Arc::clone(engine), options, of_thread.0, of_thread.1), queue, metrics)
}

fn thread(engine: &Arc<Engine>) -> (Thread, Arc<Queue>, Arc<Metrics>) {
    thread_with(engine, 200)
}

/// A prompt of `n` tokens, those of the same `kind` beginnings of one another.
fn prompt(kind: u32, n: usize) -> Vec<TokenId> {
    (0..n as u32).map(|i| TokenId(3 + (i * i + kind * 7) % 90)).collect()
}

fn job(id: &str, prompt: Vec<TokenId>, max_tokens: usize) -> (Job, UnboundedReceiver<Event>) {
    let (events, receiver) = unbounded_channel();
    let chain: Chain = "temp=1".parse().unwrap();
    let sampler = Sampler::new(chain, Dice { seed: 5, sample: 0 });
    let mut request = Request::new(prompt, vec![sampler]);
    request.ends = Ends { max_tokens, limit: 250, ignore_end: true, ..Ends::default() };
    let id = id.to_string();
    let job = Job { id, request, whole: None, first_choice: 0, events, arrived: Instant::now() };
    (job, receiver)
}

/// What a job has been told so far: its tokens, how much was found, whether it ended, the code of
/// its failure.
#[derive(Debug, Default, Clone, PartialEq)]
struct Received {
    tokens: Vec<TokenId>,
    cached: usize,
    ended: bool,
    failure: Option<&'static str>,
}

fn told(events: &mut UnboundedReceiver<Event>) -> Received {
    let mut told = Received::default();
    while let Ok(event) = events.try_recv() {
        match event {
            Event::Read { cached, .. } => told.cached = cached,
            Event::Token { draw, .. } => told.tokens.push(draw.token),
            Event::End { .. } => told.ended = true,
            Event::Failed(problem) => told.failure = Some(problem.code()),
            Event::Row(_)
            | Event::Thought { .. }
            | Event::Whole { .. }
            | Event::Weighed { .. }
            | Event::Searched(_) => {}
        }
    }
    told
}

/// Steps until nothing runs.
fn finish(thread: &mut Thread) {
    for _ in 0..2000 {
        assert!(thread.admit_now());
        if thread.is_idle() {
            return;
        }
        thread.step().unwrap();
    }
    panic!("it doesn't end");
}

impl Thread {
    /// `admit` waits where nothing runs; a test doesn't.
    fn admit_now(&mut self) -> bool {
        (self.is_idle() && self.queue.len() == 0) || self.admit(true)
    }
}

/// All pages that are held are the prefix cache's.
fn at_rest(thread: &Thread) {
    assert!(thread.batch.is_empty() && thread.clients.0.is_empty());
    assert_eq!(thread.engine.model.n_pages(CACHE), thread.batch.n_cached_pages());
}

/// What a prompt gets alone.
fn alone(engine: &Arc<Engine>, prompt: Vec<TokenId>, max_tokens: usize) -> Vec<TokenId> {
    let (mut thread, queue, _) = thread(engine);
    let (job, mut events) = job("alone", prompt, max_tokens);
    queue.push(vec![job]).unwrap();
    finish(&mut thread);
    let told = told(&mut events);
    assert!(told.ended && told.tokens.len() == max_tokens);
    told.tokens
}

#[test]
fn a_draw_that_panics_ends_its_own_request_and_no_other() {
    let engine = engine();
    let good = alone(&engine, prompt(1, 40), 30);
    let (mut thread, queue, _) = thread(&engine);
    let (mut cursed, mut of_cursed) = job("cursed", prompt(2, 40), 30);
    let sampler = cursed.request.drafts[0].sampler.clone();
    cursed.request.drafts[0].constraint =
        Some(Box::new(Cursed { mask: vec![u32::MAX; 4], left: 3 }));
    // A second choice of it would go on, but a request fails as a whole.
    cursed.request.drafts.push(Draft::new(sampler));
    let (other, mut of_other) = job("other", prompt(1, 40), 30);
    queue.push(vec![cursed]).unwrap();
    queue.push(vec![other]).unwrap();
    finish(&mut thread);
    let cursed = told(&mut of_cursed);
    assert_eq!((cursed.tokens.len(), cursed.failure, cursed.ended), (7, Some("panic"), false));
    assert_eq!(told(&mut of_other).tokens, good);
    at_rest(&thread);
}

#[test]
fn a_step_that_panics_or_is_refused_ends_what_runs_and_the_next_is_served() {
    let engine = engine();
    let good = alone(&engine, prompt(1, 40), 30);
    let unknown = vec![TokenId(5000)];
    for (fault, code) in [(prompt(9, CURSED), "panic"), (unknown, "internal_error")] {
        let (mut thread, queue, _) = thread(&engine);
        let (first, mut of_first) = job("first", prompt(1, 40), 200);
        let (second, mut of_second) = job("second", prompt(1, 70), 180);
        queue.push(vec![first, second]).unwrap();
        // Both write. Steps are taken by hand: a thread might end both texts meanwhile.
        let writes = |events: &mut UnboundedReceiver<Event>| {
            std::iter::from_fn(|| events.try_recv().ok())
                .any(|event| matches!(event, Event::Token { .. }))
        };
        let (mut first_writes, mut second_writes) = (false, false);
        while !(first_writes && second_writes) {
            assert!(thread.admit_now());
            thread.step().unwrap();
            first_writes |= writes(&mut of_first);
            second_writes |= writes(&mut of_second);
        }
        let (bad, mut of_bad) = job("bad", fault, 10);
        queue.push(vec![bad]).unwrap();
        let thread = thread::spawn(move || {
            thread.run();
            thread
        });
        let failure = |events: &mut UnboundedReceiver<Event>| loop {
            match events.blocking_recv() {
                Some(Event::Failed(problem)) => return problem.code(),
                Some(_) => {}
                None => panic!("the thread is gone"),
            }
        };
        for events in [&mut of_first, &mut of_second, &mut of_bad] {
            assert_eq!(failure(events), code);
        }
        let (third, mut of_third) = job("third", prompt(1, 40), 30);
        queue.push(vec![third]).unwrap();
        queue.close();
        let thread = thread.join().unwrap();
        let third = told(&mut of_third);
        assert!(third.ended && third.cached > 0, "{third:?}");
        assert_eq!(third.tokens, good);
        at_rest(&thread);
    }
}

#[test]
fn who_goes_away_is_let_go_of_before_the_next_step() {
    let engine = engine();
    let (mut thread, queue, metrics) = thread(&engine);
    let (writes, of_writes) = job("writes", prompt(1, 10), 100);
    queue.push(vec![writes]).unwrap();
    thread.admit(true);
    (0..40).for_each(|_| thread.step().unwrap());
    let (reads, of_reads) = job("reads", prompt(2, 200), 10);
    let (waits, of_waits) = job("waits", prompt(3, 20), 10);
    queue.push(vec![reads]).unwrap();
    thread.admit(true);
    thread.step().unwrap();
    queue.push(vec![waits]).unwrap();
    let steps = thread.batch.n_steps();
    drop((of_writes, of_reads, of_waits));
    assert_eq!(queue.len(), 0);
    queue.close();
    assert!(!thread.admit(true), "nothing is left to do");
    assert_eq!((thread.batch.n_steps(), metrics.cancelled.load(Relaxed)), (steps, 2));
    at_rest(&thread);
    // What was whole of them is kept, and all of it can be given back.
    assert_eq!(thread.batch.n_cached_pages(), 3, "one page of 50 tokens, two of 64");
    thread.batch.forget_prefixes(&engine);
    assert_eq!(engine.model.n_pages(CACHE), 0);
}

#[test]
fn a_text_that_is_being_written_is_found() {
    let engine = engine();
    let (mut thread, queue, _) = thread(&engine);
    let (writes, mut of_writes) = job("writes", prompt(1, 40), 150);
    queue.push(vec![writes]).unwrap();
    thread.admit(true);
    (0..60).for_each(|_| thread.step().unwrap());
    let so_far = [prompt(1, 40), told(&mut of_writes).tokens].concat();
    let (goes_on, mut of_goes_on) = job("goes on", so_far.clone(), 20);
    queue.push(vec![goes_on]).unwrap();
    finish(&mut thread);
    let goes_on = told(&mut of_goes_on);
    assert_eq!(goes_on.cached, 96, "three whole pages of {}", so_far.len());
    assert_eq!(goes_on.tokens, alone(&engine, so_far, 20));
    at_rest(&thread);
}

#[test]
fn what_comes_together_is_read_once_whoever_leaves() {
    let engine = engine();
    let common = prompt(1, 200);
    let of = |i: u32| [common.clone(), prompt(50 + i, 10)].concat();
    for leaves in [false, true] {
        let (mut thread, queue, _) = thread(&engine);
        let (jobs, mut events): (Vec<_>, Vec<_>) =
            (0..4).map(|i| job(&i.to_string(), of(i), 10)).unzip();
        queue.push(jobs).unwrap();
        thread.admit(true);
        // A text that others are beside makes the chunk small, so that reading takes several steps.
        let (beside, _of_beside) = job("beside", prompt(9, 3), 100);
        queue.push(vec![beside]).unwrap();
        thread.admit(true);
        thread.step().unwrap();
        thread.step().unwrap();
        if leaves {
            events.remove(0);
        }
        finish(&mut thread);
        let told: Vec<Received> = events.iter_mut().map(told).collect();
        for (told, i) in told.iter().zip(u32::from(leaves)..) {
            assert_eq!(told.tokens, alone(&engine, of(i), 10), "{i}");
        }
        let cached: Vec<usize> = told.iter().map(|told| told.cached).collect();
        // One reads for all; a page that is equal in part is taken over as well.
        let expected = if leaves { vec![192, 200, 200] } else { vec![0, 200, 200, 200] };
        // The second one reads on where the first left.
        assert!(
            cached.iter().zip(&expected).skip(usize::from(leaves)).all(|(a, b)| a == b),
            "{cached:?}"
        );
        at_rest(&thread);
    }
}

#[test]
fn room_is_made_by_letting_go_of_what_was_found_longest_ago() {
    let engine = engine();
    let (mut thread, queue, _) = thread_with(&engine, 20);
    let run = |thread: &mut Thread, kind: u32, n: usize, max_tokens: usize| {
        let (job, mut events) = job("x", prompt(kind, n), max_tokens);
        queue.push(vec![job]).unwrap();
        finish(thread);
        assert!(engine.model.n_pages(CACHE) <= 20);
        told(&mut events)
    };
    // Five pages each, so that the fifth makes the first go, but not the second, which was found
    // meanwhile.
    for kind in [1, 2, 3, 4] {
        assert_eq!(run(&mut thread, kind, 128, 20).cached, 0);
    }
    assert_eq!(run(&mut thread, 1, 128, 20).cached, 127);
    assert_eq!(run(&mut thread, 5, 128, 20).cached, 0);
    assert_eq!(run(&mut thread, 1, 128, 20).cached, 127);
    assert!(run(&mut thread, 2, 128, 20).cached < 127);
    // More than is free while others run waits, however much of it is kept.
    let (long, mut of_long) = job("long", prompt(7, 100), 140);
    let (second, mut of_second) = job("second", prompt(8, 200), 45);
    let (third, mut of_third) = job("third", prompt(9, 150), 90);
    queue.push(vec![long, second, third]).unwrap();
    thread.admit(true);
    assert_eq!((thread.batch.n_running(), queue.len()), (2, 1));
    finish(&mut thread);
    for events in [&mut of_long, &mut of_second, &mut of_third] {
        assert!(told(events).ended);
    }
    at_rest(&thread);
}

#[test]
fn a_job_that_needs_all_the_room_gets_it_and_one_that_needs_more_is_refused() {
    let engine = engine();
    let (mut thread, queue, _) = thread_with(&engine, 8);
    let (first, mut of_first) = job("first", prompt(1, 60), 5);
    queue.push(vec![first]).unwrap();
    finish(&mut thread);
    // It begins as that one does, to the middle of a page.
    let text = [prompt(1, 40), prompt(2, 160)].concat();
    let (whole, mut of_whole) = job("whole", text.clone(), 50);
    queue.push(vec![whole]).unwrap();
    finish(&mut thread);
    let whole = told(&mut of_whole);
    assert!(told(&mut of_first).ended && whole.cached == 32, "{whole:?}");
    assert_eq!(whole.tokens, alone(&engine, text, 50));
    let (mut larger, mut of_larger) = job("larger", prompt(3, 200), 50);
    larger.request.drafts.push(Draft::new(larger.request.drafts[0].sampler.clone()));
    let (small, mut of_small) = job("small", prompt(4, 20), 10);
    queue.push(vec![larger, small]).unwrap();
    finish(&mut thread);
    assert_eq!((told(&mut of_larger).failure, told(&mut of_small).ended), (Some("no_room"), true));
    at_rest(&thread);
}

/// A job of `n` texts that are drawn as a whole.
fn whole_job(id: &str, n: u64) -> (Job, UnboundedReceiver<Event>) {
    let (mut job, events) = job(id, prompt(2, 40), 10);
    job.request.drafts.clear();
    let dice = (0..n).map(|sample| Dice { seed: 5, sample }).collect();
    let room = (Budget { n_texts: 16, n_pages: 200 }, 250);
    let texts = "text_temp=0.7,smc:4".parse().unwrap();
    job.whole = Some(Whole::Texts(of_prompt(texts, dice, (40, 10), room).unwrap()));
    (job, events)
}

#[test]
fn texts_drawn_as_a_whole_run_beside_others_and_give_their_room_back() {
    let engine = engine();
    let good = alone(&engine, prompt(1, 40), 30);
    let run = |n: u64, beside: bool| {
        let (mut thread, queue, _) = thread(&engine);
        let (whole, mut events) = whole_job("whole", n);
        queue.push(vec![whole]).unwrap();
        let (other, mut of_other) = job("other", prompt(1, 40), 30);
        if beside {
            queue.push(vec![other]).unwrap();
        }
        finish(&mut thread);
        assert_eq!(told(&mut of_other).tokens, if beside { good.clone() } else { Vec::new() });
        assert_eq!((thread.batch.n_texts(), thread.batch.n_promised_pages()), (0, 0));
        at_rest(&thread);
        told(&mut events)
    };
    let (one, many) = (run(1, false), run(6, true));
    assert!(one.ended && one.tokens.len() == 10, "{one:?}");
    assert!(many.tokens.len() == 60 && many.tokens[..10] == one.tokens, "{many:?}");
    // Whoever leaves gives the room back.
    let (mut thread, queue, metrics) = thread(&engine);
    let (whole, events) = whole_job("leaves", 1);
    queue.push(vec![whole]).unwrap();
    thread.admit(true);
    thread.step().unwrap();
    assert_eq!(thread.batch.n_texts(), 4);
    drop(events);
    queue.close();
    assert!(!thread.admit(true), "nothing is left to do");
    assert_eq!((thread.batch.n_texts(), metrics.cancelled.load(Relaxed)), (0, 1));
}
