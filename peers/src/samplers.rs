//! Rows of logits in; how long a step of sampling takes in Kelvin and in llama.cpp, and whether
//! both keep the same tokens.
//!
//! Each round takes a plain read of the row, Kelvin's step and llama.cpp's one after the other, so
//! that all three meet the machine in the same state. A round whose read was 12 % slower than the
//! best is dropped. llama.cpp's step is what its `llama_sampler_sample` does: an array of (id,
//! logit, p) is filled, and the samplers of the chain are applied to it.

use std::{collections::BTreeSet, hint::black_box, time::Instant};

use anyhow::{Result, ensure};
use kelvin_sampling::{Chain, Dice, Distribution, Sampler};
use llama_cpp_2::{
    sampling::LlamaSampler,
    token::{LlamaToken, data::LlamaTokenData, data_array::LlamaTokenDataArray},
};
use serde::Serialize;

use crate::random::Random;

/// One chain at one vocabulary on one shape of logits; times are medians in µs.
#[derive(Debug, Serialize)]
pub struct Row {
    pub chain: &'static str,
    pub vocab: usize,
    pub shape: &'static str,
    pub rounds: usize,
    pub read_us: f64,
    pub kelvin_us: f64,
    pub llama_us: f64,
    /// Kelvin's step in plain reads of the row.
    pub kelvin_reads: f64,
    /// How many times faster Kelvin is.
    pub ratio: f64,
    /// Tokens that both keep, and those that only one of them keeps.
    pub kept: usize,
    pub differ: usize,
}

type Make = fn() -> Vec<LlamaSampler>;

/// Kelvin's chains and llama.cpp's samplers for the same, the draw left out.
const CHAINS: &[(&str, Make)] = &[
    ("temp=0", || vec![]),
    ("temp=0.8", || vec![LlamaSampler::temp(0.8)]),
    ("temp=2", || vec![LlamaSampler::temp(2.0)]),
    ("top_k=40", || vec![LlamaSampler::top_k(40)]),
    ("min_p=0.05", || vec![LlamaSampler::min_p(0.05, 1)]),
    ("top_n_sigma=1", || vec![LlamaSampler::top_n_sigma(1.0)]),
    ("top_p=0.95", || vec![LlamaSampler::top_p(0.95, 1)]),
    ("temp=2 | top_p=0.95", || vec![LlamaSampler::temp(2.0), LlamaSampler::top_p(0.95, 1)]),
    ("typical=0.95", || vec![LlamaSampler::typical(0.95, 1)]),
    ("top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8", || {
        vec![
            LlamaSampler::top_k(40),
            LlamaSampler::top_p(0.95, 1),
            LlamaSampler::min_p(0.05, 1),
            LlamaSampler::temp(0.8),
        ]
    }),
];

/// Bell-shaped logits; peaked ones have a few tokens far above the crowd, as a model that is rather
/// sure does.
fn logits(shape: &str, vocab: usize) -> Vec<f32> {
    let mut random = Random::new(7, vocab as u64);
    let mut bell = || (0..12).map(|_| random.uniform()).sum::<f32>() - 6.0;
    let mut row: Vec<f32> = (0..vocab).map(|_| bell()).collect();
    if shape == "peaked" {
        for (i, x) in row.iter_mut().enumerate() {
            *x = 2.0 * *x + if i % 9973 == 5 { 14.0 + (i / 9973 % 7) as f32 * 0.5 } else { 0.0 };
        }
    }
    row
}

fn array(row: &[f32]) -> LlamaTokenDataArray {
    let data =
        row.iter().enumerate().map(|(i, &x)| LlamaTokenData::new(LlamaToken(i as i32), x, 0.0));
    LlamaTokenDataArray::from_iter(data, false)
}

/// As fast as a plain loop reads: the maximum of each of 32 lanes.
fn read(row: &[f32]) -> [f32; 32] {
    let mut max = [f32::NEG_INFINITY; 32];
    for block in row.as_chunks::<32>().0 {
        for (max, &x) in max.iter_mut().zip(block) {
            *max = if x > *max { x } else { *max };
        }
    }
    max
}

fn micros(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1e6
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Measures every chain.
pub fn measure(rounds: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for vocab in [32_000, 128_256, 262_144] {
        for shape in ["peaked", "flat"] {
            let logits = logits(shape, vocab);
            for &(chain, make) in CHAINS {
                rows.push(row(chain, make, shape, &logits, rounds)?);
            }
        }
    }
    Ok(rows)
}

fn row(
    chain: &'static str,
    make: Make,
    shape: &'static str,
    logits: &[f32],
    rounds: usize,
) -> Result<Row> {
    let parsed: Chain = chain.parse()?;
    // The same tokens are kept?
    let ours: BTreeSet<u32> =
        Distribution::new(logits, &parsed)?.top(usize::MAX).iter().map(|c| c.token.0).collect();
    let mut kept = array(logits);
    let mut bare = make();
    if bare.is_empty() {
        bare.push(LlamaSampler::top_k(1));
    }
    LlamaSampler::chain_simple(bare).apply(&mut kept);
    let theirs =
        kept.data.iter().filter(|t| t.logit() > f32::NEG_INFINITY).map(|t| t.id().0 as u32);
    let theirs: BTreeSet<u32> = theirs.collect();

    let mut sampler = Sampler::new(parsed, Dice { seed: 7, sample: 0 });
    let mut samplers = make();
    samplers.push(if samplers.is_empty() { LlamaSampler::greedy() } else { LlamaSampler::dist(7) });
    let mut llama = LlamaSampler::chain_simple(samplers);
    let mut times = Vec::new();
    for pos in 0..rounds as u64 {
        let read_us = micros(|| {
            black_box(read(black_box(logits)));
        });
        let mut drawn = Ok(kelvin_sampling::TokenId(0));
        let kelvin_us = micros(|| drawn = sampler.sample(black_box(logits), pos));
        ensure!(ours.contains(&drawn?.0), "{chain}: a token that isn't left was drawn");
        let llama_us = micros(|| {
            let mut array = array(black_box(logits));
            llama.apply(&mut array);
            black_box(array.selected_token());
        });
        times.push((read_us, kelvin_us, llama_us));
    }
    let mut reads: Vec<f64> = times.iter().map(|t| t.0).collect();
    // The best tenth stands for an undisturbed machine; a single best may be a fluke of the clock.
    reads.sort_by(f64::total_cmp);
    let limit = reads[reads.len() / 10] * 1.12;
    times.retain(|t| t.0 <= limit);
    let column =
        |f: fn(&(f64, f64, f64)) -> f64| median(&mut times.iter().map(f).collect::<Vec<_>>());
    let (read_us, kelvin_us, llama_us) = (column(|t| t.0), column(|t| t.1), column(|t| t.2));
    Ok(Row {
        chain,
        vocab: logits.len(),
        shape,
        rounds: times.len(),
        read_us,
        kelvin_us,
        llama_us,
        kelvin_reads: kelvin_us / read_us,
        ratio: llama_us / kelvin_us,
        kept: ours.intersection(&theirs).count(),
        differ: ours.symmetric_difference(&theirs).count(),
    })
}

/// The table for people.
pub fn print(rows: &[Row]) {
    println!(
        "{:>6} {:<6} {:<46} {:>8} {:>9} {:>9} {:>7} {:>7} {:>7} {:>6} rounds",
        "vocab", "shape", "chain", "read µs", "kelvin", "llama", "reads", "ratio", "kept", "differ"
    );
    for row in rows {
        println!(
            "{:>6} {:<6} {:<46} {:>8.1} {:>9.1} {:>9.1} {:>7.1} {:>7.1} {:>7} {:>6} {}",
            row.vocab,
            row.shape,
            row.chain,
            row.read_us,
            row.kelvin_us,
            row.llama_us,
            row.kelvin_reads,
            row.ratio,
            row.kept,
            row.differ,
            row.rounds
        );
    }
}
