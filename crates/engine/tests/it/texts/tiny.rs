//! Texts of a very small model: equal whatever the threads, the instruction set and the chunks.

use std::{fs, ops::ControlFlow};

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, BatchOptions, Budget, Chunks, Continuation, Request, generate},
    generate::{Ends, FinishReason},
    rows::BatchRows,
    texts::{Drawn, Ending, Method, Settings, Start, TextsError, draw},
    transformer::ModelOptions,
};
use kelvin_kernels::isa::Isa;
use kelvin_sampling::{Dice, Sampler, Temp};
use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};

fn engine(threads: usize, isa: Option<Isa>) -> Engine {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let engine = Engine::open(&path, &ModelOptions { threads, isa }, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    engine
}

fn batch(engine: &Engine, alone: usize) -> Batch {
    let options = BatchOptions::new(Budget { n_texts: 16, n_pages: 100 });
    let chunks = Chunks { alone, ..Chunks::default() };
    Batch::new(engine, BatchOptions { chunks, ..options })
}

fn prompt(n: u32) -> Vec<TokenId> {
    (0..n).map(|i| TokenId(3 + (i * i + 7) % 90)).collect()
}

fn ends(max_tokens: usize) -> Ends {
    Ends { max_tokens, limit: usize::MAX, ..Ends::default() }
}

fn texts(
    engine: &Engine,
    chunk: usize,
    ends: &Ends,
    t: f32,
    method: Method,
    samples: std::ops::Range<u64>,
) -> Vec<(Drawn, Option<Continuation>)> {
    let mut batch = batch(engine, chunk);
    let mut rows = BatchRows { engine, batch: &mut batch, progress: &mut |_, _| () };
    let ending = Ending::new(engine, ends);
    let max_tokens = ending.max_tokens(&prompt(40)).unwrap();
    let start = Start::read(&mut rows, prompt(40)).unwrap();
    let settings = Settings::new(Temp::new(t).unwrap(), method, max_tokens).unwrap();
    let dice: Vec<Dice> = samples.map(|sample| Dice { seed: 5, sample }).collect();
    let go_on = &mut |_| ControlFlow::Continue(());
    let drawn = draw(&mut rows, &start, &settings, &dice, &|y| ending.ends(y), go_on).unwrap();
    let text = |one: Drawn| {
        let text = one.path.as_ref().map(|path| ending.continuation(path));
        (one, text)
    };
    drawn.into_iter().map(text).collect()
}

const METHODS: [Method; 3] = [
    Method::Exact { tries: 200, at_once: 5 },
    Method::Smc { particles: 6 },
    Method::Mcmc { moves: 5, block: 4 },
];

#[test]
fn texts_are_the_same_bits_on_any_threads_sets_and_chunks() {
    let ends = ends(10);
    let bits = |one: &(Drawn, Option<Continuation>)| format!("{one:?}");
    for method in METHODS {
        let first = engine(1, Some(Isa::SCALAR));
        let expected: Vec<String> =
            texts(&first, 256, &ends, 0.8, method, 0..3).iter().map(bits).collect();
        for (threads, isa, chunk) in [(3, None, 7), (2, Some(Isa::SCALAR), 1)] {
            let found = texts(&engine(threads, isa), chunk, &ends, 0.8, method, 0..3);
            assert_eq!(found.iter().map(bits).collect::<Vec<_>>(), expected, "{method:?}");
        }
        // Alone as in company.
        let alone = texts(&first, 256, &ends, 0.8, method, 2..3);
        assert_eq!(bits(&alone[0]), expected[2], "{method:?}");
    }
}

/// At T = 1 the first try is accepted, and it is the text of the scheduler.
#[test]
fn at_one_texts_are_those_of_the_batch() {
    let engine = engine(2, None);
    for stop in [vec![], vec!["e".to_string(), "a".to_string()]] {
        let ends = Ends { texts: stop, ..ends(30) };
        let samplers = (0..8)
            .map(|sample| Sampler::new("temp=1".parse().unwrap(), Dice { seed: 5, sample }))
            .collect();
        let request = Request { ends: ends.clone(), ..Request::new(prompt(40), samplers) };
        let expected = generate(&engine, &mut batch(&engine, 256), request, &mut ()).unwrap();
        let found = texts(&engine, 256, &ends, 1.0, METHODS[0], 0..8);
        for ((_, found), expected) in found.iter().zip(&expected) {
            let found = found.as_ref().unwrap();
            assert_eq!((&found.tokens, &found.text), (&expected.tokens, &expected.text));
            assert_eq!((&found.draws, &found.finish), (&expected.draws, &expected.finish));
        }
        let stopped = |one: &&Continuation| matches!(one.finish, FinishReason::StopString(_));
        assert_eq!(expected.iter().filter(stopped).count() > 0, !ends.texts.is_empty());
    }
}

#[test]
fn a_prompt_without_room_and_a_break_are_errors() {
    let engine = engine(1, None);
    let (mut batch, ends) = (batch(&engine, 256), ends(10));
    let ending = Ending::new(&engine, &ends);
    assert!(ending.max_tokens(&[]).is_err());
    assert!(ending.max_tokens(&prompt(engine.model.config.ctx_len as u32)).is_err());
    assert_eq!(ending.max_tokens(&prompt(3)).unwrap(), 10);
    let mut rows = BatchRows { engine: &engine, batch: &mut batch, progress: &mut |_, _| () };
    let start = Start::read(&mut rows, prompt(3)).unwrap();
    let settings = Settings::new(Temp::new(0.5).unwrap(), METHODS[1], 10).unwrap();
    let dice = [Dice { seed: 1, sample: 0 }];
    let broken =
        draw(&mut rows, &start, &settings, &dice, &|_| false, &mut |_| ControlFlow::Break(()));
    assert!(matches!(broken, Err(TextsError::Cancelled)));
}
