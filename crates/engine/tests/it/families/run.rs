//! A case run by the engine: which tokens, which logits are kept as goldens.

#![allow(dead_code, unreachable_pub, reason = "the test and the example take what they need")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use kelvin_engine::{
    gguf::Gguf,
    transformer::{CacheFormat, ModelOptions},
};
use kelvin_kernels::isa::Isa;

use kelvin_testkit::tiny::{Random, TinyModel};

use super::build::{Case, LONG_CONTEXT};
use crate::reference::{
    quantized,
    run::{self, ids, load},
};

/// Longer than a page of the cache and than every window.
pub const N_TOKENS: usize = 64;
/// Longer than what any key stands for.
const N_TOKENS_OF_LONG: usize = 160;
/// How far a logit may lie from llama.cpp's, in units of the spread of all logits.
pub const TOLERANCE: f32 = 1e-3;
/// Logits of each position that are kept as goldens.
const KEPT: usize = 4;

/// How far one may lie where weights are quantized: activations are rounded to 8 bits then, and a
/// number near the middle of two steps goes to one side here and to the other side there.
pub const TOLERANCE_OF_QUANTIZED: f32 = 2e-2;

pub fn open(model: &TinyModel) -> Gguf {
    let path = model.write();
    let gguf = Gguf::open(&path).unwrap();
    fs::remove_file(path).unwrap();
    gguf
}

/// Writes a case's file into a folder, in the formats that it asks for.
pub fn write(case: &Case, folder: &Path) -> PathBuf {
    let path = case.model().write_in(folder);
    if let Some(format_of) = case.format_of {
        let [bytes, _] = quantized::files(&case.model(), &|_, name| format_of(name));
        fs::write(&path, bytes).unwrap();
    }
    path
}

pub fn open_case(case: &Case) -> Gguf {
    let path = write(case, &std::env::temp_dir());
    let gguf = Gguf::open(&path).unwrap();
    fs::remove_file(path).unwrap();
    gguf
}

/// How far a logit of a case may lie from llama.cpp's.
pub fn tolerance(case: &Case) -> f32 {
    if case.format_of.is_some() { TOLERANCE_OF_QUANTIZED } else { TOLERANCE }
}

/// How many tokens of a case are read.
pub fn n_tokens(case: &Case) -> usize {
    if case.sizes.ctx_len == LONG_CONTEXT { N_TOKENS_OF_LONG } else { N_TOKENS }
}

pub fn tokens(case: &Case) -> Vec<u32> {
    let mut random = Random(case.name.len() as u64 + 7);
    (0..n_tokens(case)).map(|_| random.token(case.sizes.vocab_size)).collect()
}

/// The logits after each token, keys and values in f32.
pub fn logits(case: &Case, threads: usize, isa: Option<Isa>, chunk: usize) -> Vec<Vec<f32>> {
    let model = load(&open_case(case), &ModelOptions { threads, isa });
    run::logits(&model, &ids(&tokens(case)), CacheFormat::F32, chunk.min(n_tokens(case)))
}

/// The largest logit less the smallest, but for those of tokens that are never made.
pub fn spread(logits: &[f32]) -> f32 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let made = logits.iter().copied().filter(|x| *x > f32::MIN);
    max - made.fold(f32::INFINITY, f32::min)
}

/// Where the goldens lie in all logits of a case: a few of each position.
pub fn golden_places(case: &Case) -> impl Iterator<Item = usize> {
    let vocab_size = case.sizes.vocab_size;
    (0..n_tokens(case) * KEPT).map(move |i| i / KEPT * vocab_size + (i * 61 + 17) % vocab_size)
}
