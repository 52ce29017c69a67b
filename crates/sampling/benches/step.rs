//! The time of one step at the vocabularies of real models, beside one plain read of the logits.
//!
//! Read the figures as ratios to `read` of the same run.

use divan::{Bencher, black_box};
use kelvin_sampling::{Chain, Dice, Sampler, TokenId};

const V: [usize; 2] = [49_152, 262_144];
const CHAINS: [&str; 12] = [
    "temp=1",
    "temp=0",
    "temp=2",
    "top_k=40",
    "min_p=0.05",
    "top_n_sigma=1",
    "top_p=0.95",
    "temp=2 | top_p=0.95",
    "typical=0.95",
    "top_h=0.4",
    "top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8",
    "repetition=1.1,window:64 | top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8",
];

fn main() {
    divan::main();
}

/// A bell-shaped number with standard deviation 1, the same on every run.
fn bell(i: u64) -> f32 {
    let noise = |i: u64| {
        let x = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1 << 24) as f32
    };
    (0..12).map(|k| noise(12 * i + k)).sum::<f32>() - 6.0
}

/// Like a model's: a broad crowd, and a few tokens 10 and more above it.
fn peaked(v: usize) -> Vec<f32> {
    let lift = |i: u64| if i % 9973 == 5 { 12.0 } else { 0.0 };
    (0..v as u64).map(|i| 2.0 * bell(i) + lift(i)).collect()
}

fn flat(v: usize) -> Vec<f32> {
    (0..v as u64).map(bell).collect()
}

#[divan::bench(args = V)]
fn read(bencher: Bencher<'_, '_>, v: usize) {
    let logits = flat(v);
    // The maximum of each of 32 lanes: as fast as a plain loop reads.
    bencher.bench(|| {
        let mut max = [f32::NEG_INFINITY; 32];
        for block in black_box(&logits).as_chunks::<32>().0 {
            for (max, &x) in max.iter_mut().zip(block) {
                *max = if x > *max { x } else { *max };
            }
        }
        max
    });
}

fn steps(bencher: Bencher<'_, '_>, chain: &str, logits: &[f32]) {
    let chain: Chain = chain.parse().expect("a chain of this file");
    let prompt: Vec<TokenId> = (0..64).map(|i| TokenId(i * 37)).collect();
    let mut sampler = Sampler::new(chain, Dice { seed: 7, sample: 0 }).after(&prompt);
    let mut pos = 0;
    bencher.bench_local(|| {
        pos += 1;
        sampler.sample(black_box(logits), pos).expect("good logits")
    });
}

#[divan::bench(args = CHAINS, consts = V)]
fn step_peaked<const N: usize>(bencher: Bencher<'_, '_>, chain: &str) {
    steps(bencher, chain, &peaked(N));
}

#[divan::bench(args = CHAINS, consts = V)]
fn step_flat<const N: usize>(bencher: Bencher<'_, '_>, chain: &str) {
    steps(bencher, chain, &flat(N));
}
