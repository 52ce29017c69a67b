//! Searches on a batch of a very small model: against plain code that reads each text whole, and
//! with equal bits over threads, instruction sets, batches and cuts of the prompt.

use std::fs;

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, BatchOptions, Budget, Chunks, Request},
    gguf::Gguf,
    rows::{BatchRows, OfText, Rows},
    search::{Beams, Outcome, Task, beam_search, stochastic_beams},
    transformer::{CacheFormat, ModelOptions},
};
use kelvin_kernels::isa::Isa;
use kelvin_sampling::{Chain, Dice, Sampler};
use kelvin_testkit::tiny::{LLAMA3_LIKE, MISTRAL_LIKE, Shape, TinyModel};

use super::on;
use crate::reference::run::{ids, logits};

/// A model as plain code sees it: no forks, no batch, every text read from its beginning.
fn plain(engine: &Engine) -> OfText<impl Fn(&[TokenId]) -> Vec<f32>> {
    OfText::new(|text: &[TokenId]| {
        logits(&engine.model, text, CacheFormat::F16, 512).pop().unwrap()
    })
}

/// Longer than a page, so that forks share full ones and copy a partly filled one.
fn prompt() -> Vec<TokenId> {
    ids(&(0..45).map(|i| 3 + (i * i) % 90).collect::<Vec<u32>>())
}

fn open(shape: &'static Shape, options: &ModelOptions) -> Engine {
    let path = TinyModel::new(shape).speaking().write();
    let engine = Engine::load(Gguf::open(&path).unwrap(), options, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    engine
}

/// One search of each kind.
fn searches<R: Rows>(rows: &mut R) -> Vec<Outcome> {
    let prompt = prompt();
    let end_tokens = ids(&[40, 41]);
    let chain: Chain = "repetition=1.3 | temp=1.5 | top_k=50".parse().unwrap();
    let task = Task {
        prompt: &prompt,
        chain: None,
        end_tokens: &end_tokens,
        max_tokens: 25,
        ..Task::default()
    };
    let chained = Task { chain: Some(&chain), ..task };
    let beams = Beams { beams: 6, ..Beams::default() };
    let groups = Beams { groups: 3, diversity_penalty: 0.7, ..beams };
    vec![
        beam_search(rows, &task, &beams, &mut on).unwrap(),
        beam_search(rows, &chained, &beams, &mut on).unwrap(),
        beam_search(rows, &task, &groups, &mut on).unwrap(),
        stochastic_beams(rows, &task, 6, 11, &mut on).unwrap(),
        stochastic_beams(rows, &chained, 6, 12, &mut on).unwrap(),
    ]
}

fn on_a_batch(engine: &Engine, batch: &mut Batch) -> Vec<Outcome> {
    searches(&mut BatchRows { engine, batch, progress: &mut |_, _| () })
}

fn batch(engine: &Engine, chunk: usize) -> Batch {
    let chunks = Chunks { alone: chunk, beside_decode: 16, scored: 8 };
    let options = BatchOptions::new(Budget { n_texts: 16, n_pages: 400 });
    Batch::new(engine, BatchOptions { chunks, ..options })
}

#[test]
fn a_batch_finds_what_plain_code_finds() {
    for shape in [&MISTRAL_LIKE, &LLAMA3_LIKE] {
        let engine = open(shape, &ModelOptions { threads: 2, isa: None });
        let expected = searches(&mut plain(&engine));
        for found in &expected {
            let longest = found.texts.iter().map(|text| text.tokens.len()).max();
            assert!(found.texts.len() > 3 && longest > Some(15), "{:?}", found.texts);
        }
        for chunk in [7, 512] {
            assert!(on_a_batch(&engine, &mut batch(&engine, chunk)) == expected, "cut by {chunk}");
        }
        // Other requests of the batch stand still.
        let mut busy = batch(&engine, 512);
        let sampler = Sampler::new(Chain::default(), Dice { seed: 1, sample: 0 });
        busy.admit(&engine, Request::new(prompt(), vec![sampler])).unwrap();
        busy.step(&engine, &mut ()).unwrap();
        let held = busy.n_held_pages(&engine);
        assert!(on_a_batch(&engine, &mut busy) == expected, "beside a request");
        assert_eq!(busy.n_held_pages(&engine), held, "every page comes back");
    }
}

#[test]
fn searches_have_equal_bits_on_any_machine() {
    let run = |options: &ModelOptions| {
        let engine = open(&MISTRAL_LIKE, options);
        on_a_batch(&engine, &mut batch(&engine, 512))
    };
    let expected = run(&ModelOptions { threads: 1, isa: None });
    for threads in [2, 3] {
        assert!(run(&ModelOptions { threads, isa: None }) == expected, "{threads} threads");
    }
    for isa in Isa::all() {
        let found = run(&ModelOptions { threads: 2, isa: Some(isa) });
        assert!(found == expected, "{}", isa.name());
    }
}

/// A step whose forks don't fit is an error, and none of their pages stays.
#[test]
fn the_context_bounds_a_search() {
    let engine = open(&MISTRAL_LIKE, &ModelOptions { threads: 2, isa: None });
    let prompt = prompt();
    let limit = engine.model.config.ctx_len;
    let task = Task { prompt: &prompt, chain: None, max_tokens: limit, ..Task::default() };
    let mut batch = batch(&engine, 512);
    let mut rows = BatchRows { engine: &engine, batch: &mut batch, progress: &mut |_, _| () };
    let how = Beams { beams: 2, ..Beams::default() };
    let said = beam_search(&mut rows, &task, &how, &mut on).unwrap_err().to_string();
    assert!(said.contains("context"), "{said}");
    assert_eq!(batch.n_held_pages(&engine), 0);
    let fits = Task { max_tokens: limit - prompt.len() + 1, ..task };
    let mut rows = BatchRows { engine: &engine, batch: &mut batch, progress: &mut |_, _| () };
    assert!(beam_search(&mut rows, &fits, &how, &mut on).is_ok());
}
