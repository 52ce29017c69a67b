//! Every stage at 8, 1,000 and 262,144 tokens: draws are in the support, come at their rates, no
//! better than chance would have it, ever nearer to them, and independently of each other.
//!
//! `KELVIN_DRAWS=10000000` makes the long run: so many draws of each stage, over the three sizes;
//! `./check` takes 154,400.

use kelvin_sampling::{Dice, Words};

use crate::{cases, cases::Case, chance};

/// A walk over many seeds ("chunks"), two samples and the same positions for each.
#[derive(Debug, Clone, Copy)]
struct Walk {
    n_chunks: u64,
    n_positions: u64,
}

/// How many draws of one stage at a size: twice chunks × positions.
fn walk(v: usize) -> Walk {
    let wanted = std::env::var("KELVIN_DRAWS").ok();
    let wanted = wanted.map_or(0, |n| n.parse::<u64>().expect("KELVIN_DRAWS is a number"));
    // 128,000 at 8 tokens and 25,600 at 1,000, times so many; the draws of a full vocabulary cost a
    // thousand times as much.
    let times = wanted.div_ceil(128_000 + 25_600).max(1);
    match v {
        8 => Walk { n_chunks: 64, n_positions: 1000 * times },
        1000 => Walk { n_chunks: 32, n_positions: 400 * times },
        _ => Walk { n_chunks: 20, n_positions: 20 * times.div_ceil(8) },
    }
}

/// Tokens put together: into at most `n` parts of the order of likelihood, of about equal mass.
struct Parts {
    /// By id; `NONE` outside of the support.
    of: Vec<u16>,
    mass: Vec<f64>,
}

const NONE: u16 = u16::MAX;

fn parts(truth: &[f64], n: usize) -> Parts {
    let mut order: Vec<usize> = (0..truth.len()).filter(|&i| truth[i] > 0.0).collect();
    order.sort_by(|&a, &b| truth[b].total_cmp(&truth[a]));
    let mut parts = Parts { of: vec![NONE; truth.len()], mass: vec![0.0] };
    let mut before = 0.0;
    for id in order {
        let last = parts.mass.len() - 1;
        // Each part is filled to its share of the whole; the last one takes what is too little for
        // a part.
        if before >= parts.mass.len() as f64 / n as f64 && 1.0 - before > 0.6 / n as f64 {
            parts.mass.push(0.0);
        }
        let last = if parts.mass.len() > last + 1 { last + 1 } else { last };
        parts.of[id] = last as u16;
        parts.mass[last] += truth[id];
        before += truth[id];
    }
    parts
}

/// What the draws of a walk say.
#[derive(Debug)]
struct Findings {
    n: u64,
    /// Of all draws.
    fit: f64,
    /// The p-value of the p-values of the chunks being uniform.
    seeds: f64,
    /// The distance to the truth after a quarter of the draws and after all, in units of what is
    /// expected, and how far from 1 that may be.
    distances: [f64; 2],
    slack: f64,
    /// The p-values of independence: neighbouring positions, samples, a draw and a stage's word.
    independence: [f64; 3],
}

/// `mutant` turns the words of the dice into those that are used: the identity for an honest
/// sampler.
fn draw_many(
    case: &Case,
    logits: &[f32],
    walk: Walk,
    seed: u64,
    mutant: impl Fn(u64) -> u64,
) -> Findings {
    let truth = case.truth(logits);
    // As many parts as get 10 draws each, at most 100.
    let n = 2 * walk.n_chunks * walk.n_positions;
    let fine =
        parts(&truth, (n / 10).clamp(8, if logits.len() > 1000 { 40 } else { 100 }) as usize);
    let coarse = parts(&truth, 3);
    let mut sampler = case.sampler();
    let mut counts = vec![0u64; fine.mass.len()];
    let mut p_values = Vec::new();
    let k = coarse.mass.len();
    let mut tables = [vec![vec![0u64; k]; k], vec![vec![0u64; k]; k], vec![vec![0u64; 4]; k]];
    let mut distances = Vec::new();
    for chunk in 0..walk.n_chunks {
        let mut of_chunk = [vec![0u64; k], vec![0u64; k]];
        let mut before = 0;
        for pos in 0..walk.n_positions {
            let mut pair = [0; 2];
            for (s, place) in pair.iter_mut().enumerate() {
                let words = Dice { seed: seed + chunk, sample: s as u64 }.words(pos);
                sampler.set_state(case.state.clone());
                let token = sampler
                    .sample_with(logits, Words { draw: mutant(words.draw), ..words })
                    .unwrap();
                let part = fine.of[token.index()];
                assert!(
                    part != NONE,
                    "{}: token {} is outside of the support",
                    case.chain,
                    token.0
                );
                counts[part as usize] += 1;
                *place = coarse.of[token.index()] as usize;
                of_chunk[s][*place] += 1;
                if s == 0 {
                    tables[2][*place][(words.stages[1] >> 62) as usize] += 1;
                }
            }
            tables[1][pair[0]][pair[1]] += 1;
            if pos % 2 == 1 {
                tables[0][before][pair[0]] += 1;
            }
            before = pair[0];
        }
        p_values.extend(of_chunk.iter().map(|counts| chance::fit(counts, &coarse.mass)));
        if chunk + 1 == walk.n_chunks / 4 || chunk + 1 == walk.n_chunks {
            distances.push(distance(&counts, &fine.mass));
        }
    }
    Findings {
        n,
        fit: chance::fit(&counts, &fine.mass),
        seeds: chance::uniform(p_values),
        distances: [distances[0], distances[1]],
        slack: 4.0 / (fine.mass.len() as f64).sqrt(),
        independence: tables.map(|table| chance::independence(&table)),
    }
}

/// Total variation in units of Σ sqrt(p(1-p)/(2πn)).
fn distance(counts: &[u64], p: &[f64]) -> f64 {
    let n = counts.iter().sum::<u64>() as f64;
    let found: f64 = counts.iter().zip(p).map(|(&c, p)| (c as f64 / n - p).abs() / 2.0).sum();
    let expected: f64 =
        p.iter().map(|p| (p * (1.0 - p) / (std::f64::consts::TAU * n)).sqrt()).sum();
    found / expected
}

fn every_stage(v: usize) {
    let logits = cases::logits(v);
    let (mut n, mut fits) = (0, Vec::new());
    for (i, case) in cases::all(v).iter().enumerate() {
        let found = draw_many(case, &logits, walk(v), 1000 * i as u64, |word| word);
        n += found.n;
        fits.push(found.fit);
        assert!(found.fit > 1e-4, "{}: {found:?}", case.chain);
        assert!(found.seeds > 1e-4, "{}: {found:?}", case.chain);
        let near = |x: &f64| (1.0 - found.slack..1.0 + found.slack).contains(x);
        assert!(found.distances.iter().all(near), "{}: {found:?}", case.chain);
        assert!(found.independence.iter().all(|p| *p > 1e-4), "{}: {found:?}", case.chain);
    }
    // No two stages have had the same dice, so these p-values are uniform as well.
    let all = chance::uniform(fits);
    println!("{n} draws of {v} tokens; the p-values of all stages are uniform with p = {all:.3}");
    assert!(all > 1e-3, "{v}: {all:e}");
}

#[test]
fn every_stage_at_8_tokens() {
    every_stage(8);
}

#[test]
fn every_stage_at_1000_tokens() {
    every_stage(1000);
}

#[test]
fn every_stage_at_262144_tokens() {
    every_stage(262_144);
}

/// The tests of the tests: samplers that are wrong by 1 % don't pass, at any size.
#[test]
fn wrong_samplers_are_caught() {
    // One draw in a hundred takes the likeliest token, whatever the dice say.
    let biased = |word: u64| if word.is_multiple_of(100) { 0 } else { word };
    // The last hundredth of the distribution is never reached.
    let tailless = |word: u64| word - word / 100;
    type Mutant = fn(u64) -> u64;
    let mutants: [(&str, Mutant); 2] = [("biased", biased), ("tailless", tailless)];
    for (v, n_positions) in [(8, 5000), (1000, 400), (262_144, 250)] {
        let (logits, n_chunks) = (cases::logits(v), 40);
        let all = cases::all(v);
        for case in all.iter().filter(|case| case.chain.to_string() == "temp=1.3") {
            for (name, mutant) in mutants {
                let found = draw_many(case, &logits, Walk { n_chunks, n_positions }, 7, mutant);
                assert!(
                    found.fit < 1e-4,
                    "{v} tokens: the {name} sampler passed {}: {found:?}",
                    case.chain
                );
            }
        }
    }
}

/// A sampler whose neighbouring draws follow each other, and one that is too regular, are caught as
/// well.
#[test]
fn wrong_dice_are_caught() {
    let (logits, walk) = (cases::logits(8), Walk { n_chunks: 64, n_positions: 500 });
    let all = cases::all(8);
    let case = all.iter().find(|case| case.chain.to_string() == "temp=1.3").unwrap();
    let last = std::cell::Cell::new(0);
    // One draw in ten has the word of the draw before.
    let sticky = |word: u64| {
        let word = if word.is_multiple_of(10) { last.get() } else { word };
        last.set(word);
        word
    };
    let found = draw_many(case, &logits, walk, 7, sticky);
    assert!(found.independence.iter().any(|p| *p < 1e-6), "{found:?}");
    // Evenly spread words.
    let place = std::cell::Cell::new(0u64);
    let even = |_| {
        place.set(place.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        place.get()
    };
    let found = draw_many(case, &logits, walk, 7, even);
    assert!(found.seeds < 1e-6, "{found:?}");
}
