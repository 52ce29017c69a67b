//! The scheduler on a very small model: texts against plain code, what is shared, what is admitted,
//! who is read next, and what a fault does to the others.

use std::{
    fs,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use kelvin_engine::{
    Engine, TokenId,
    batch::{
        Batch, BatchOptions, Budget, Chunks, Draft, GenerateError, Observer, Prefill, PromptRead,
        Request, RequestId, Step, Tap, generate, next_logits, pages, score_tokens,
    },
    generate::{Constraint, FinishReason},
    transformer::{CacheFormat, ModelError, ModelOptions},
};
use kelvin_sampling::{Dice, Draw, Sampler, surprisal};
use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};

use crate::reference::run::logits;

const CACHE: CacheFormat = CacheFormat::F16;

fn engine() -> Engine {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let options = ModelOptions { threads: 2, isa: None };
    let engine = Engine::open(&path, &options, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    engine
}

fn batch(engine: &Engine, n_pages: usize) -> Batch {
    let chunks = Chunks { alone: 48, beside_decode: 16, scored: 8 };
    let options = BatchOptions::new(Budget { n_texts: 16, n_pages });
    Batch::new(engine, BatchOptions { chunks, ..options })
}

/// A prompt of `n` tokens; those of one kind are beginnings of one another.
fn prompt(kind: u32, n: usize) -> Vec<TokenId> {
    (0..n as u32).map(|i| TokenId(3 + (i * i + kind * 7) % 90)).collect()
}

fn sampler(sample: u64) -> Sampler {
    Sampler::new("temp=1.2 | top_k=40".parse().unwrap(), Dice { seed: 5, sample })
}

/// `n` continuations of `max_tokens` tokens.
fn request(prompt: Vec<TokenId>, n: u64, max_tokens: usize) -> Request {
    let mut request = Request::new(prompt, (0..n).map(sampler).collect());
    (request.ends.max_tokens, request.ends.ignore_end) = (max_tokens, true);
    request
}

/// The same tokens by plain code: the whole text is read again for each.
fn plain(engine: &Engine, prompt: &[TokenId], sample: u64, n: usize) -> Vec<TokenId> {
    let mut sampler = sampler(sample).after(prompt);
    let mut text = prompt.to_vec();
    for _ in 0..n {
        let rows = logits(&engine.model, &text, CACHE, 512);
        text.push(sampler.draw(rows.last().unwrap(), text.len() as u64).unwrap().token);
    }
    text.split_off(prompt.len())
}

/// Everything that a batch tells, in its order.
#[derive(Default)]
struct Log {
    told: Vec<(RequestId, Told)>,
    /// The request to break after so many of its tokens.
    breaks: Option<(RequestId, usize)>,
    panics: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Told {
    Progress(usize),
    Read { cached: usize },
    Token(usize, TokenId),
    Finished(usize, FinishReason),
    Ended,
}

impl Log {
    fn of(&self, id: RequestId) -> impl Iterator<Item = &Told> {
        self.told.iter().filter(move |(of, _)| *of == id).map(|(_, told)| told)
    }

    fn tokens(&self, id: RequestId, text: usize) -> Vec<TokenId> {
        let token = |told: &Told| match told {
            Told::Token(of, token) if *of == text => Some(*token),
            _ => None,
        };
        self.of(id).filter_map(token).collect()
    }

    fn finish(&self, id: RequestId, text: usize) -> Option<FinishReason> {
        self.of(id).find_map(|told| match told {
            Told::Finished(of, reason) if *of == text => Some(reason.clone()),
            _ => None,
        })
    }

    fn cached(&self, id: RequestId) -> Option<usize> {
        self.of(id).find_map(|told| match told {
            Told::Read { cached } => Some(*cached),
            _ => None,
        })
    }

    fn has_ended(&self, id: RequestId) -> bool {
        self.of(id).any(|told| *told == Told::Ended)
    }
}

impl Observer for Log {
    fn prompt(&mut self, request: RequestId, done: usize, _total: usize) -> ControlFlow<()> {
        self.told.push((request, Told::Progress(done)));
        ControlFlow::Continue(())
    }

    fn prompt_read(&mut self, read: PromptRead<'_>) -> ControlFlow<()> {
        self.told.push((read.request, Told::Read { cached: read.cached }));
        ControlFlow::Continue(())
    }

    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        assert!(!self.panics, "a fault that a test put here");
        self.told.push((step.request, Told::Token(step.column, step.draw.token)));
        match self.breaks {
            Some((id, n)) if id == step.request && step.index + 1 == n => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn finished(&mut self, id: RequestId, column: usize, _text: &str, reason: &FinishReason) {
        self.told.push((id, Told::Finished(column, reason.clone())));
    }

    fn ended(&mut self, request: RequestId) {
        self.told.push((request, Told::Ended));
    }
}

fn finish(engine: &Engine, batch: &mut Batch, log: &mut Log) {
    for _ in 0..2000 {
        if batch.is_empty() {
            return;
        }
        batch.step(engine, log).unwrap();
        let budget = batch.options().budget.n_pages;
        assert!(batch.n_held_pages(engine) <= budget, "never more pages than the budget has");
    }
    panic!("it doesn't end");
}

/// All pages that are held are the prefix cache's.
fn at_rest(engine: &Engine, batch: &Batch) {
    assert!(batch.is_empty() && batch.n_promised_pages() == 0);
    assert_eq!(engine.model.n_pages(CACHE), batch.n_cached_pages());
}

#[test]
fn texts_are_those_of_plain_code_whatever_runs_beside_them() {
    let engine = engine();
    let (mut batch, mut log) = (batch(&engine, 100), Log::default());
    let first = batch.admit(&engine, request(prompt(1, 5), 2, 20)).unwrap();
    batch.step(&engine, &mut log).unwrap();
    let long = batch.admit(&engine, request(prompt(2, 70), 1, 12)).unwrap();
    let third = batch.admit(&engine, request(prompt(3, 33), 3, 9)).unwrap();
    finish(&engine, &mut batch, &mut log);
    for (id, prompt, n, max) in
        [(first, prompt(1, 5), 2, 20), (long, prompt(2, 70), 1, 12), (third, prompt(3, 33), 3, 9)]
    {
        for text in 0..n {
            let expected = plain(&engine, &prompt, text as u64, max);
            assert_eq!(log.tokens(id, text), expected, "{id:?} {text}");
            assert_eq!(log.finish(id, text), Some(FinishReason::MaxTokens));
        }
        assert!(log.has_ended(id));
    }
    at_rest(&engine, &batch);
}

#[test]
fn a_long_prompt_delays_texts_in_decode_by_one_chunk_at_most() {
    let engine = engine();
    let (mut batch, mut log) = (batch(&engine, 100), Log::default());
    let text = batch.admit(&engine, request(prompt(1, 5), 1, 60)).unwrap();
    let alone = batch.admit(&engine, request(prompt(2, 100), 1, 1)).unwrap();
    batch.step(&engine, &mut log).unwrap();
    // Nothing was in decode, so the chunk was a large one: 5 tokens and 43.
    for n in 1..=8 {
        assert_eq!(log.tokens(text, 0).len(), n, "each step gives the text a token");
        batch.step(&engine, &mut log).unwrap();
    }
    let progress = |id| {
        let of = |told: &Told| if let Told::Progress(n) = told { Some(*n) } else { None };
        log.of(id).filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(progress(alone), [0, 43, 59, 75, 91, 100], "then chunks of 16");
    assert_eq!(log.tokens(alone, 0), plain(&engine, &prompt(2, 100), 0, 1));
}

#[test]
fn a_request_starts_when_its_longest_text_fits_and_the_cache_makes_room() {
    let engine = engine();
    let (mut batch, mut log) = (batch(&engine, 12), Log::default());
    assert_eq!(pages(60, 2, 40), 7);
    let first = batch.admit(&engine, request(prompt(1, 60), 2, 40)).unwrap();
    // Five pages are left; what needs six waits, what needs four starts.
    let large = request(prompt(2, 150), 1, 40);
    assert!(batch.place(&engine, &large).unwrap().is_none());
    let error = batch.admit(&engine, request(prompt(2, 150), 1, 40)).unwrap_err();
    assert!(matches!(error, GenerateError::NoRoom { n_pages: 6, n_texts: 1 }), "{error}");
    let small = batch.admit(&engine, request(prompt(3, 90), 1, 30)).unwrap();
    finish(&engine, &mut batch, &mut log);
    assert!(log.has_ended(first) && log.has_ended(small));
    at_rest(&engine, &batch);
    // The prefix cache holds what they left; it is evicted for one that needs all but a few.
    assert!(batch.n_cached_pages() > 6);
    let place = batch.place(&engine, &large).unwrap().unwrap();
    let large = batch.start(&engine, large, place);
    assert!(batch.n_held_pages(&engine) + batch.n_promised_pages() <= 12);
    finish(&engine, &mut batch, &mut log);
    assert_eq!(log.tokens(large, 0), plain(&engine, &prompt(2, 150), 0, 40));
    // Texts are limited as well, and what never fits is refused by its name.
    let many = request(prompt(1, 5), 17, 1);
    assert!(batch.place(&engine, &many).unwrap().is_none());
    for (request, words) in
        [(request(Vec::new(), 1, 1), "no tokens"), (request(prompt(1, 256), 1, 1), "256 tokens")]
    {
        let error = batch.place(&engine, &request).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn one_that_needs_all_pages_gets_them() {
    let engine = engine();
    let (mut batch, mut log) = (batch(&engine, 8), Log::default());
    batch.admit(&engine, request(prompt(1, 60), 1, 5)).unwrap();
    finish(&engine, &mut batch, &mut log);
    // It begins as that one does, to the middle of a page.
    let text = [prompt(1, 40), prompt(2, 160)].concat();
    let whole = batch.admit(&engine, request(text.clone(), 1, 50)).unwrap();
    finish(&engine, &mut batch, &mut log);
    assert_eq!(log.cached(whole), Some(32));
    assert_eq!(log.tokens(whole, 0), plain(&engine, &text, 0, 50));
    at_rest(&engine, &batch);
}

#[test]
fn a_known_beginning_is_not_read_again_and_changes_no_bit() {
    let engine = engine();
    let (mut batch, mut log) = (batch(&engine, 100), Log::default());
    let run = |batch: &mut Batch, prompt: &[TokenId]| {
        let (before, steps) = (batch.cached_tokens(), batch.n_steps());
        let of = request(prompt.to_vec(), 2, 10);
        let texts = generate(&engine, batch, of, &mut ()).unwrap();
        let texts: Vec<_> = texts.into_iter().map(|text| text.tokens).collect();
        (texts, batch.cached_tokens() - before, batch.n_steps() - steps)
    };
    let (fresh, cached, steps) = run(&mut batch, &prompt(1, 100));
    assert_eq!((cached, steps), (0, 3 + 9), "three chunks, the last with the first draw");
    let again = run(&mut batch, &prompt(1, 100));
    assert_eq!(again, (fresh.clone(), 99, 1 + 9), "only the last token is read");
    // A text goes on from its own end, as a chat does.
    let longer = [&prompt(1, 100)[..], &fresh[1], &prompt(9, 6)].concat();
    let (_, cached, _) = run(&mut batch, &longer);
    assert_eq!(cached, 109, "the last token drawn was never read");
    // While an equal prompt is in decode, its partly filled page is found as well.
    let writes = batch.admit(&engine, request(prompt(2, 45), 1, 40)).unwrap();
    (0..3).for_each(|_| batch.step(&engine, &mut log).unwrap());
    let same = batch.admit(&engine, request(prompt(2, 45), 1, 40)).unwrap();
    finish(&engine, &mut batch, &mut log);
    assert_eq!((log.cached(writes), log.cached(same)), (Some(0), Some(44)));
    assert_eq!(log.tokens(same, 0), plain(&engine, &prompt(2, 45), 0, 40));
    at_rest(&engine, &batch);
    batch.forget_prefixes(&engine);
    assert_eq!(engine.model.n_pages(CACHE), 0);
}

#[test]
fn requests_that_come_together_read_their_common_beginning_once() {
    let engine = engine();
    for leaves in [false, true] {
        let (mut batch, mut log) = (batch(&engine, 100), Log::default());
        let of = |i: u32| [prompt(1, 100), prompt(50 + i, 10)].concat();
        let ids: Vec<RequestId> =
            (0..3).map(|i| batch.admit(&engine, request(of(i), 1, 5)).unwrap()).collect();
        batch.step(&engine, &mut log).unwrap();
        if leaves {
            batch.cancel(ids[0]);
        }
        finish(&engine, &mut batch, &mut log);
        for (i, &id) in ids.iter().enumerate().skip(usize::from(leaves)) {
            assert_eq!(log.tokens(id, 0), plain(&engine, &of(i as u32), 0, 5), "{i}");
        }
        // The part of a page that is equal is found as well.
        let expected = if leaves { [None, Some(32), Some(100)] } else { [0, 100, 100].map(Some) };
        assert_eq!([0, 1, 2].map(|i| log.cached(ids[i])), expected);
        at_rest(&engine, &batch);
    }
}

/// Short prompts first.
fn shortest_first(prompts: &[Prefill], chunk: usize, _scored: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..prompts.len()).collect();
    order.sort_by_key(|&at| (prompts[at].left, prompts[at].last_step));
    let (mut left, mut shares) = (chunk, vec![0; prompts.len()]);
    for at in order {
        shares[at] = prompts[at].left.min(left);
        left -= shares[at];
    }
    shares
}

#[test]
fn the_policy_decides_whose_prompt_is_read() {
    let engine = engine();
    let order = |policy| {
        let made = batch(&engine, 100);
        let mut batch = Batch::new(&engine, BatchOptions { policy, ..*made.options() });
        let mut log = Log::default();
        let long = batch.admit(&engine, request(prompt(1, 200), 1, 3)).unwrap();
        let short = batch.admit(&engine, request(prompt(2, 30), 1, 3)).unwrap();
        finish(&engine, &mut batch, &mut log);
        assert_eq!(log.tokens(long, 0), plain(&engine, &prompt(1, 200), 0, 3));
        let ends = log.told.iter().filter(|(_, told)| *told == Told::Ended);
        ends.map(|(id, _)| *id == short).collect::<Vec<_>>()
    };
    assert_eq!(order(kelvin_engine::batch::first_come), [false, true]);
    assert_eq!(order(shortest_first), [true, false]);
    // One that gives nothing, or more than there is, can't keep a batch from its end.
    assert_eq!(order(|_, _, _| Vec::new()), [false, true]);
    assert_eq!(order(|prompts, _, _| vec![usize::MAX; prompts.len()]).len(), 2);
}

#[test]
fn whoever_is_cancelled_ends_alone() {
    let engine = engine();
    let (mut batch, mut log) = (batch(&engine, 100), Log::default());
    let breaks = batch.admit(&engine, request(prompt(1, 20), 2, 30)).unwrap();
    let other = batch.admit(&engine, request(prompt(2, 20), 1, 30)).unwrap();
    let gone = batch.admit(&engine, request(prompt(3, 150), 1, 30)).unwrap();
    log.breaks = Some((breaks, 4));
    (0..3).for_each(|_| batch.step(&engine, &mut log).unwrap());
    assert_eq!(batch.n_running(), 3);
    batch.cancel(gone);
    finish(&engine, &mut batch, &mut log);
    // The first text had its fourth token, the second not.
    assert_eq!([0, 1].map(|text| log.tokens(breaks, text).len()), [4, 3]);
    assert!((0..2).all(|text| log.finish(breaks, text) == Some(FinishReason::Cancelled)));
    assert!(log.has_ended(breaks) && !log.has_ended(gone));
    assert_eq!(log.tokens(other, 0), plain(&engine, &prompt(2, 20), 0, 30));
    at_rest(&engine, &batch);
}

/// Allows one token, so often; or panics when it's asked.
#[derive(Debug)]
struct Only {
    mask: Vec<u32>,
    left: usize,
    panics: bool,
}

impl Constraint for Only {
    fn allowed(&mut self) -> Result<&[u32], String> {
        assert!(!self.panics || self.left > 0, "a fault that a test put here");
        Ok(&self.mask)
    }

    fn take(&mut self, _: TokenId) -> Result<(), String> {
        self.left -= 1;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.left == 0 && !self.panics
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(Only { mask: self.mask.clone(), ..*self })
    }
}

#[test]
fn constraints_stop_strings_and_bans_end_and_steer_a_text() {
    let engine = engine();
    let mut batch = batch(&engine, 100);
    let mut mask = vec![0; 4];
    mask[0] |= 1 << 20;
    let mut of = request(prompt(1, 20), 1, 30);
    of.drafts[0].constraint = Some(Box::new(Only { mask, left: 5, panics: false }));
    let text = generate(&engine, &mut batch, of, &mut ()).unwrap().pop().unwrap();
    assert_eq!((text.tokens, text.finish), (vec![TokenId(20); 5], FinishReason::Complete));
    assert_eq!(text.draws.len(), 5);

    let free = plain(&engine, &prompt(1, 20), 0, 30);
    let stop = engine.tokenizer.text(free[7]);
    let mut of = request(prompt(1, 20), 1, 30);
    of.ends.texts = vec![stop.clone()];
    let text = generate(&engine, &mut batch, of, &mut ()).unwrap().pop().unwrap();
    assert_eq!(text.finish, FinishReason::StopString(stop.clone()));
    assert!(!text.text.contains(&stop) && text.tokens[..] == free[..text.tokens.len()]);

    let mut of = request(prompt(1, 20), 1, 30);
    of.bans = Arc::new([vec![free[0]]]);
    let text = generate(&engine, &mut batch, of, &mut ()).unwrap().pop().unwrap();
    assert!(!text.tokens.contains(&free[0]));
    at_rest(&engine, &batch);
}

#[test]
fn a_draw_that_panics_ends_its_own_text() {
    let engine = engine();
    let (mut batch, mut log) = (batch(&engine, 100), Log::default());
    let mut of = request(prompt(1, 20), 2, 10);
    of.drafts[1].constraint =
        Some(Box::new(Only { mask: vec![u32::MAX; 4], left: 3, panics: true }));
    let id = batch.admit(&engine, of).unwrap();
    finish(&engine, &mut batch, &mut log);
    assert_eq!(log.tokens(id, 0), plain(&engine, &prompt(1, 20), 0, 10));
    assert_eq!(log.tokens(id, 1).len(), 3);
    assert_eq!(log.finish(id, 1), Some(FinishReason::Panicked));
    assert!(FinishReason::Panicked.failure().is_some());
    at_rest(&engine, &batch);
}

#[test]
fn a_step_that_panics_or_is_refused_leaves_a_batch_that_can_be_used() {
    let engine = engine();
    let (mut batch, mut log) = (batch(&engine, 100), Log::default());
    batch.admit(&engine, request(prompt(1, 40), 2, 10)).unwrap();
    log.panics = true;
    let stepped = catch_unwind(AssertUnwindSafe(|| batch.step(&engine, &mut log)));
    assert!(stepped.is_err());
    batch.clear();
    at_rest(&engine, &batch);
    log.panics = false;
    let after = batch.admit(&engine, request(prompt(1, 40), 1, 10)).unwrap();
    (0..3).for_each(|_| batch.step(&engine, &mut log).unwrap());
    let bad = batch.admit(&engine, request(vec![TokenId(5000)], 1, 10)).unwrap();
    let error = batch.step(&engine, &mut log).unwrap_err();
    assert!(matches!(error, ModelError::Token { token: 5000, .. }));
    batch.cancel(bad);
    finish(&engine, &mut batch, &mut log);
    assert_eq!(log.cached(after), Some(32));
    assert_eq!(log.tokens(after, 0), plain(&engine, &prompt(1, 40), 0, 10));
    at_rest(&engine, &batch);
}

#[test]
fn scores_are_those_of_plain_code_and_begin_where_they_are_asked_to() {
    let engine = engine();
    let mut batch = batch(&engine, 100);
    let text = prompt(4, 90);
    let rows = logits(&engine.model, &text, CACHE, 512);
    for from in [1, 2, 33, 60, 89, 90, 500] {
        let scores = score_tokens(&engine, &mut batch, text.clone(), from).unwrap();
        let expected: Vec<f64> =
            (from..90).map(|pos| 0.0 - surprisal(&rows[pos - 1], text[pos]).unwrap()).collect();
        let logprobs: Vec<f64> = scores.iter().map(|scored| scored.logprob).collect();
        assert_eq!(logprobs, expected, "from {from}");
        assert!(scores.iter().zip(from..).all(|(scored, pos)| scored.token == text[pos]));
    }
    // What stands before the first that is scored comes from the cache.
    let cached = batch.cached_tokens();
    score_tokens(&engine, &mut batch, text.clone(), 60).unwrap();
    assert_eq!(batch.cached_tokens() - cached, 59);
    let next = next_logits(&engine, &mut batch, text, &mut ()).unwrap().unwrap();
    assert_eq!(next, rows[89]);
    assert!(next_logits(&engine, &mut batch, Vec::new(), &mut ()).is_err());
}

#[test]
fn a_tap_sees_the_logits_of_each_draw() {
    let engine = engine();
    let mut batch = batch(&engine, 100);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let of_tap = Arc::clone(&seen);
    let mut of = request(prompt(1, 20), 0, 4);
    let see = move |pos: usize, logits: &[f32], drawn: Option<&Draw>| {
        of_tap.lock().unwrap().push((pos, logits.to_vec(), drawn.unwrap().token));
    };
    of.drafts = vec![Draft { tap: Some(Tap::new(see)), ..Draft::new(sampler(0)) }];
    let tokens = generate(&engine, &mut batch, of, &mut ()).unwrap().pop().unwrap().tokens;
    let text = [prompt(1, 20), tokens].concat();
    let rows = logits(&engine.model, &text, CACHE, 512);
    let expected: Vec<_> = (20..24).map(|pos| (pos, rows[pos - 1].clone(), text[pos])).collect();
    assert_eq!(*seen.lock().unwrap(), expected);
}
