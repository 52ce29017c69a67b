//! Models with recurrent layers: texts that are truncated, found in the prefix cache or continued in
//! a batch have the bits of texts read in one piece, and states are given back.

use std::fs;

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, BatchOptions, Budget, Guesses, Request, generate},
    transformer::{CacheFormat, Model, ModelOptions, PAGE, Prefixes},
};
use kelvin_sampling::{Dice, Sampler};
use kelvin_testkit::tiny::{Random, Sizes};

use super::{
    build::Case,
    cases::cases,
    run::{N_TOKENS, open_case, tokens},
};
use crate::reference::run::{append, ids, load, logits};

const CACHE: CacheFormat = CacheFormat::F16;
/// A case for each kind of state.
const KINDS: [&str; 13] = [
    "lfm2.full",
    "qwen35.full",
    "falcon-h1.full",
    "mamba.full",
    "plamo2.full",
    "kimi-linear.full",
    "minimax-01.full",
    "rwkv7.full",
    "rwkv6.full",
    "qwen4exp.full",
    "glm5-next.full",
    "kimi-k3.full",
    "deepseek4.full",
];

fn of_each_kind() -> impl Iterator<Item = &'static Case> {
    KINDS.iter().map(|kind| cases().find(|case| case.name == *kind).unwrap())
}

fn model(case: &Case) -> Model {
    load(&open_case(case), &ModelOptions { threads: 2, isa: None })
}

#[test]
fn a_truncated_text_goes_on_with_the_same_bits() {
    for case in of_each_kind() {
        let (model, text) = (model(case), ids(&tokens(case)));
        let fresh = logits(&model, &text, CACHE, N_TOKENS);
        for len in [0, 1, 20, PAGE - 1, PAGE, PAGE + 1, N_TOKENS - 1, N_TOKENS] {
            for chunk in [1, 9, N_TOKENS] {
                let mut sequence = model.sequence(CACHE);
                append(&model, &mut sequence, &text[..N_TOKENS - 2], chunk);
                let fork = sequence.clone();
                sequence.truncate(len);
                let from = len.min(N_TOKENS - 2);
                assert_eq!((sequence.len(), sequence.tokens()), (from, &text[..from]));
                let found = append(&model, &mut sequence, &text[from..], 7);
                assert!(found == fresh[from..], "{}, back to {len} of {chunk}", case.name);
                // What was forgotten here is still there in the fork.
                let mut fork = fork;
                let found = append(&model, &mut fork, &text[N_TOKENS - 2..], 7);
                assert!(found == fresh[N_TOKENS - 2..], "{}, fork at {len}", case.name);
            }
        }
        assert_eq!((model.n_states(), model.n_pages(CACHE)), (0, 0), "{}", case.name);
    }
}

#[test]
fn a_prefix_is_found_as_far_as_a_state_is_kept() {
    for case in of_each_kind() {
        let (model, text) = (model(case), ids(&tokens(case)));
        let fresh = logits(&model, &text, CACHE, N_TOKENS);
        let mut prefixes = Prefixes::new(model.sequence(CACHE), 1);
        let mut first = model.sequence(CACHE);
        append(&model, &mut first, &text[..50], 50);
        prefixes.keep(&first, 50);
        assert_eq!((prefixes.n_pages(), prefixes.find(&text).len()), (1, 0), "no state yet");
        prefixes.keep_state(&first);
        assert_eq!(prefixes.find(&text[..PAGE - 1]).len(), 0, "a state isn't cut");
        drop(first);
        assert_eq!(model.n_states(), 1);
        let mut found = prefixes.find(&text);
        assert_eq!(found.tokens(), &text[..PAGE]);
        let more = append(&model, &mut found, &text[PAGE..], 5);
        assert!(more == fresh[PAGE..], "{}", case.name);
        // There is room for one state: the next one takes the place of the first.
        let other: Vec<TokenId> = text.iter().rev().copied().collect();
        let mut second = model.sequence(CACHE);
        append(&model, &mut second, &other, 33);
        prefixes.keep(&second, other.len());
        prefixes.keep_state(&second);
        assert_eq!([&text, &other].map(|text| prefixes.find(text).len()), [0, 2 * PAGE]);
        drop((second, found));
        let n = prefixes.n_pages();
        assert!(prefixes.give_back(n));
        assert_eq!((model.n_states(), model.n_pages(CACHE)), (0, 0), "{}", case.name);
    }
}

/// A model with a tokenizer, for batches.
fn engine(case: &Case) -> Engine {
    const SPOKEN: usize = 101;
    let small = Case {
        name: case.name,
        tensors: case.tensors,
        keys: case.keys,
        sizes: Sizes { vocab_size: SPOKEN, ctx_len: 2048, ..case.sizes },
        format_of: None,
    };
    let mut model = small.model();
    model.metadata.retain(|(key, _)| !key.starts_with("tokenizer."));
    let path = model.speaking().write();
    let engine = Engine::open(&path, &ModelOptions { threads: 2, isa: None }, &mut |_, _| {});
    fs::remove_file(path).unwrap();
    engine.unwrap()
}

fn continued(engine: &Engine, batch: &mut Batch, prompt: &[TokenId]) -> (Vec<Vec<TokenId>>, u64) {
    let before = batch.cached_tokens();
    let sampler = |sample| Sampler::new("temp=1".parse().unwrap(), Dice { seed: 3, sample });
    let mut request = Request::new(prompt.to_vec(), (0..3).map(sampler).collect());
    (request.ends.max_tokens, request.ends.ignore_end) = (40, true);
    let texts = generate(engine, batch, request, &mut ()).unwrap();
    (texts.into_iter().map(|text| text.tokens).collect(), batch.cached_tokens() - before)
}

#[test]
fn batches_find_states_of_prompts_and_texts_and_change_nothing() {
    for case in of_each_kind() {
        let engine = engine(case);
        let budget = Budget::for_texts(3, 900);
        let fresh = |prompt: &[TokenId]| {
            let mut batch = Batch::new(&engine, BatchOptions::new(budget));
            continued(&engine, &mut batch, prompt)
        };
        let mut batch = Batch::new(&engine, BatchOptions::new(budget));
        let mut random = Random(17);
        let prompt: Vec<TokenId> = (0..700).map(|_| TokenId(3 + random.token(90))).collect();
        let (texts, cached) = continued(&engine, &mut batch, &prompt);
        assert_eq!((&texts, cached), (&fresh(&prompt).0, 0));
        // The whole prompt again, what a text went on to, and a prompt that parts on its way.
        let longer = [&prompt[..], &texts[1], &prompt[..5]].concat();
        let parted = [&prompt[..600], &prompt[..30]].concat();
        for (prompt, least) in [(&prompt, 700 / PAGE * PAGE), (&longer, 730), (&parted, 512)] {
            let (found, cached) = continued(&engine, &mut batch, prompt);
            assert!(found == fresh(prompt).0, "{}: {} tokens", case.name, prompt.len());
            assert!(
                (least / PAGE * PAGE..prompt.len()).contains(&(cached as usize)),
                "{}: {cached} of {} tokens cached, expected {least}",
                case.name,
                prompt.len()
            );
        }
        assert!(engine.model.n_states() <= budget.n_states(), "{}", engine.model.n_states());
        drop(batch);
        assert_eq!(engine.model.n_states(), 0);
    }
}

#[test]
fn memory_counts_states() {
    let case = cases().find(|case| case.name == "qwen35.full").unwrap();
    let config = model(case).config;
    // Two layers: three tokens of 320 numbers, and four matrices of 40 × 40.
    assert_eq!(config.state_bytes(), 2 * (3 * 320 + 4 * 40 * 40) * 4);
    let budget = Budget { n_texts: 2, n_pages: 32 };
    let pages = 32 * config.page_bytes(CACHE);
    // Three for each text, and one for each 512 tokens of the pages with one more.
    assert_eq!(budget.n_bytes(&config, CACHE), pages + (2 * 3 + 3) * config.state_bytes());
    let plain = cases().find(|case| case.name == "qwen3.full").unwrap();
    assert_eq!(model(plain).config.state_bytes(), 0);
}

/// Guesses aren't looked up, since a refused one would change the state. Texts that are equal so
/// far have one state.
#[test]
fn texts_that_part_take_their_state_along() {
    for case in of_each_kind() {
        let engine = engine(case);
        let run = |guesses| {
            let options = BatchOptions::new(Budget::for_texts(3, 900));
            let mut batch = Batch::new(&engine, BatchOptions { guesses, ..options });
            let prompt: Vec<TokenId> = (0..70).map(|i| TokenId(3 + i % 7)).collect();
            let (texts, _) = continued(&engine, &mut batch, &prompt);
            (texts, batch.guess_counts().n_guessed())
        };
        let plain = run(Guesses::Off);
        assert_eq!([run(Guesses::Auto), run(Guesses::Lookup)], [plain.clone(), plain]);
        assert_eq!(engine.model.n_states(), 0, "{}", case.name);
    }
}
