//! A case run by the engine: which tokens, which logits are kept as goldens.

#![allow(dead_code, unreachable_pub, reason = "the test and the example take what they need")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;

use kelvin_engine::{
    gguf::Gguf,
    transformer::{CacheFormat, ModelOptions},
};
use kelvin_kernels::isa::Isa;

use kelvin_testkit::tiny::{Random, TinyModel};

use super::build::Case;
use crate::reference::run::{self, ids, load};

/// Longer than a page of the cache and than every window.
pub const N_TOKENS: usize = 64;
/// How far a logit may lie from llama.cpp's, in units of the spread of all logits.
pub const TOLERANCE: f32 = 1e-3;
/// Logits of each position that are kept as goldens.
const KEPT: usize = 4;

pub fn open(model: &TinyModel) -> Gguf {
    let path = model.write();
    let gguf = Gguf::open(&path).unwrap();
    fs::remove_file(path).unwrap();
    gguf
}

pub fn tokens(case: &Case) -> Vec<u32> {
    let mut random = Random(case.name.len() as u64 + 7);
    (0..N_TOKENS).map(|_| random.token(case.sizes.vocab_size)).collect()
}

/// The logits after each token, keys and values in f32.
pub fn logits(case: &Case, threads: usize, isa: Option<Isa>, chunk: usize) -> Vec<Vec<f32>> {
    let model = load(&open(&case.model()), &ModelOptions { threads, isa });
    run::logits(&model, &ids(&tokens(case)), CacheFormat::F32, chunk.min(N_TOKENS))
}

/// The largest logit less the smallest.
pub fn spread(logits: &[f32]) -> f32 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    max - logits.iter().copied().fold(f32::INFINITY, f32::min)
}

/// Where the goldens lie in all logits of a case: a few of each position.
pub fn golden_places(case: &Case) -> impl Iterator<Item = usize> {
    let vocab_size = case.sizes.vocab_size;
    (0..N_TOKENS * KEPT).map(move |i| i / KEPT * vocab_size + (i * 61 + 17) % vocab_size)
}
