//! Fast and reference agree: the same survivors, and the same token for the same random word.

use kelvin_sampling::{Chain, Dice, Distribution, SampleError, Sampler, State, TokenId, Words};
use proptest::prelude::*;

use crate::{
    logits,
    reference::{self, Refused},
};

/// Compares one row of logits under one chain in the midst of a text, at the given words and at the
/// boundaries next to them.
pub(crate) fn check_after(
    logits: &[f32],
    chain: &Chain,
    state: &State,
    stage_word: u64,
    words: &[u64],
) {
    let words_of = |draw: u64| Words { draw, stages: [stage_word; 7] };
    let mut sampler = Sampler::new(chain.clone(), Dice { seed: 0, sample: 0 });
    sampler.set_state(state.clone());
    let truth = match reference::try_survive(logits, chain, state, &words_of(0)) {
        Ok(truth) => truth,
        Err(Refused) => {
            let error = sampler.draw_with(logits, words_of(0)).expect_err("the reference refuses");
            assert!(
                matches!(error, SampleError::NothingLeft { .. } | SampleError::UnknownToken { .. }),
                "{chain}: {error}"
            );
            assert_eq!(sampler.state(), state, "an error moves nothing");
            return;
        }
    };
    let shown = Distribution::after(logits, chain, state, &words_of(0)).unwrap();
    let shown_ids: Vec<u32> = shown.top(usize::MAX).iter().map(|c| c.token.0).collect();
    let ids: Vec<u32> = truth.survivors.iter().map(|s| s.0).collect();
    assert!(shown_ids == ids, "{chain}: {} survivors, expected {}", shown_ids.len(), ids.len());

    let raw = reference::survive(logits, &Chain::default());
    let (raw_p, last_p) = (raw.probabilities(), truth.probabilities());
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-5 * b.abs().max(1.0);
    let mut try_word = |word: u64| {
        let place = truth.draw(word);
        sampler.set_state(state.clone());
        let draw = sampler.draw_with(logits, words_of(word)).unwrap();
        let learned = sampler.state().learned();
        assert_eq!(draw.token.0, ids[place], "{chain} at {word}");
        assert_eq!(draw.rank as usize, place, "{chain} at {word}");
        assert_eq!(draw.survivors as usize, ids.len(), "{chain}");
        assert!(near(draw.entropy, reference::entropy(&raw_p)), "{chain}: {draw:?}");
        assert!(near(draw.entropy_final, reference::entropy(&last_p)), "{chain}: {draw:?}");
        let raw_place = raw.survivors.iter().position(|s| s.0 == draw.token.0).unwrap();
        for (found, p) in
            [(draw.surprisal, raw_p[raw_place]), (draw.surprisal_final, last_p[place])]
        {
            // Below 1e-300 the plain f64 computation is the less exact one.
            assert!(p < 1e-300 || near(found, -p.ln()), "{chain}: {found} {p}");
        }
        // The bare draw is the same one and learns the same.
        sampler.set_state(state.clone());
        assert_eq!(sampler.sample_with(logits, words_of(word)).unwrap(), draw.token);
        assert_eq!(sampler.state().learned(), learned, "{chain}");
        if chain.looks_back() {
            assert_eq!(sampler.state().tokens().last(), Some(&draw.token));
        }
        place
    };
    for &word in words {
        let boundary = truth.boundary(try_word(word));
        try_word(boundary);
        try_word(boundary.saturating_sub(1));
    }
}

fn check(logits: &[f32], chain: &Chain, words: &[u64]) {
    check_after(logits, chain, &State::default(), 0, words);
}

/// A text of few distinct tokens, so that it repeats itself.
fn text(ids: &[u32], n_prompt: usize, vocab: usize) -> State {
    let tokens = ids.iter().map(|&id| TokenId(id % vocab as u32)).collect();
    State::restore(tokens, n_prompt, None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn small_vocabularies(
        logits in logits::masked(40), chain in logits::chain(5), word: u64, stage_word: u64,
        ids in prop::collection::vec(0u32..5, 0..30), n_prompt in 0usize..30,
    ) {
        let state = text(&ids, n_prompt, logits.len());
        check_after(&logits, &chain, &state, stage_word, &[word, 0, u64::MAX]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn larger_vocabularies(
        logits in logits::masked(6000), chain in logits::chain(3), word: u64, stage_word: u64,
        ids in prop::collection::vec(0u32..6, 0..60),
    ) {
        let state = text(&ids, 10, logits.len());
        check_after(&logits, &chain, &state, stage_word, &[word, u64::MAX]);
    }
}

/// Whole numbers that look random, the same on every run.
fn noise(i: u64) -> u64 {
    let mut x = i.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A bell-shaped number with standard deviation 1 (the sum of 12 uniform ones).
fn bell(i: u64) -> f32 {
    let sum: u64 = (0..12).map(|k| noise(12 * i + k) >> 40).sum();
    sum as f32 / (1 << 24) as f32 - 6.0
}

#[test]
fn a_full_vocabulary() {
    const V: u64 = 262_144;
    type Shape = fn(u64) -> f32;
    let shapes: [(&str, Shape); 7] = [
        ("model", |i| 3.0 * bell(i)),
        ("peaked", |i| bell(i) + if i == 77_777 { 15.0 } else { 0.0 }),
        ("flat", |i| 0.01 * bell(i)),
        ("equal", |_| 1.25),
        ("two values", |i| (noise(i) % 2) as f32),
        ("one far away, the rest within a bin", |i| if i == 9 { 1e30 } else { bell(i) }),
        (
            "mostly masked",
            |i| if noise(i).is_multiple_of(50) { bell(i) } else { f32::NEG_INFINITY },
        ),
    ];
    let chains = [
        "temp=1",
        "temp=0",
        "temp=1e8",
        "temp=1e30",
        "temp=2 | top_p=0.95",
        "top_p=0.9 | top_k=3000 | temp=3",
        "top_k=100000 | min_p=0.01 | top_p=0.5 | temp=0.3",
        "temp=1e38 | top_p=0.5",
        "typical=0.9 | temp=0.7",
        "temp=2 | typical=0.2",
        "top_h=0.4",
        "temp=3 | top_h=0.9 | top_p=0.9",
        "top_n_sigma=1.5 | temp=2",
        "epsilon=0.00001 | eta=0.0001",
        "top_a=0.1 | temp=2",
        "temp=1.5 | p_less",
        "temp=2 | tfs=0.9",
        "xtc=1,threshold:0.000004",
        "xtc=1,threshold:0.001 | top_k=50",
        "dynatemp=0.5..2 | edt=1.5",
        "quadratic=0.3,curve:2",
        "bias=3:5,77777:-inf | mask=not,9-500 | top_p=0.9",
        "temp=0.5 | repetition=1.3 | dry=0.5 | top_k=5000",
        "adaptive_p=0.3",
        "min_p=0.001 | mirostat=3",
        "mirostat=4,version:1",
    ];
    for (name, shape) in shapes {
        let logits: Vec<f32> = (0..V).map(shape).collect();
        for (i, chain) in chains.iter().enumerate() {
            println!("{name}: {chain}");
            check(&logits, &chain.parse().unwrap(), &[noise(i as u64)]);
        }
    }
}

/// The largest vocabulary at its largest total, just below 2^64.
#[test]
fn the_largest_vocabulary() {
    let logits = vec![0.5; kelvin_sampling::MAX_VOCAB];
    check(&logits, &Chain::default(), &[0, 1 << 63, u64::MAX]);
}
