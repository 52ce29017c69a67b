//! Fast and reference agree: the same survivors, and the same token for the same random word.

use kelvin_sampling::{Chain, Dice, Distribution, Sampler};
use proptest::prelude::*;

use crate::{logits, reference};

/// Compares one row of logits under one chain, at the given words and at the boundaries next to them.
fn check(logits: &[f32], chain: &Chain, words: &[u64]) {
    let truth = reference::survive(logits, chain);
    let shown = Distribution::new(logits, chain).unwrap();
    let shown_ids: Vec<u32> = shown.top(usize::MAX).iter().map(|c| c.token.0).collect();
    let ids: Vec<u32> = truth.survivors.iter().map(|s| s.0).collect();
    assert!(shown_ids == ids, "{chain}: {} survivors, expected {}", shown_ids.len(), ids.len());

    let raw = reference::survive(logits, &Chain::default());
    let (raw_p, last_p) = (raw.probabilities(), truth.probabilities());
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-5 * b.abs().max(1.0);
    let mut sampler = Sampler::new(chain.clone(), Dice { seed: 0, sample: 0 });
    let mut try_word = |word: u64| {
        let place = truth.draw(word);
        let draw = sampler.sample_with(logits, word).unwrap();
        assert_eq!(draw.token.0, ids[place], "{chain} at {word}");
        assert_eq!(draw.rank as usize, place, "{chain} at {word}");
        assert_eq!(draw.survivors as usize, ids.len(), "{chain}");
        assert!(near(draw.entropy, reference::entropy(&raw_p)), "{chain}: {draw:?}");
        assert!(near(draw.entropy_final, reference::entropy(&last_p)), "{chain}: {draw:?}");
        let raw_place = raw.survivors.iter().position(|s| s.0 == draw.token.0).unwrap();
        for (found, p) in [(draw.surprisal, raw_p[raw_place]), (draw.surprisal_final, last_p[place])] {
            // Below 1e-300 the plain f64 computation is the less exact one.
            assert!(p < 1e-300 || near(found, -p.ln()), "{chain}: {found} {p}");
        }
        place
    };
    for &word in words {
        let boundary = truth.boundary(try_word(word));
        try_word(boundary);
        try_word(boundary.saturating_sub(1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn small_vocabularies(logits in logits::masked(40), chain in logits::chain(5), word: u64) {
        check(&logits, &chain, &[word, 0, u64::MAX]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn larger_vocabularies(logits in logits::masked(6000), chain in logits::chain(3), word: u64) {
        check(&logits, &chain, &[word, u64::MAX]);
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
        ("mostly masked", |i| if noise(i).is_multiple_of(50) { bell(i) } else { f32::NEG_INFINITY }),
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Against plain f64 arithmetic, which knows nothing of fixed-point weights, at most the token on the
    /// boundary differs.
    #[test]
    fn truncations_are_those_of_plain_arithmetic(
        logits in logits::masked(400), t in 0.1f32..5.0, p in 0.01f64..0.999, m in 0.001f64..1.0,
    ) {
        let chain = |truncation: String| format!("temp={t} | {truncation}").parse::<Chain>().unwrap();
        let whole = reference::survive(&logits, &format!("temp={t}").parse().unwrap());
        let share = whole.probabilities();
        let mut before = 0.0;
        let nucleus = share.iter().take_while(|share| {
            let stays = before < p;
            before += *share;
            stays
        });
        let nucleus = nucleus.count();
        let found = Distribution::new(&logits, &chain(format!("top_p={p}"))).unwrap().survivors();
        // Ties on the boundary are cut by id, so the count tells the set.
        prop_assert!(found.abs_diff(nucleus) <= 1, "top_p: {found}, expected {nucleus}");

        let found = Distribution::new(&logits, &chain(format!("min_p={m}"))).unwrap().survivors();
        let at_least = |m: f64| share.iter().filter(|&&s| s >= m * share[0]).count();
        prop_assert!(at_least(m * 1.000_01) <= found && found <= at_least(m / 1.000_01));
    }
}
