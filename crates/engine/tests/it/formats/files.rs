//! A very small model in a format: its file, and that of its twin with the same weights in F32.

#![allow(dead_code, unreachable_pub, reason = "the test and the example take what they need")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use kelvin_kernels::format::Format;
use kelvin_testkit::tiny::{MISTRAL_LIKE, Meta, Random, Shape, TinyModel};

use crate::reference::quantized;

/// Rows are whole super-blocks of 256 weights.
pub const SHAPE: Shape = Shape {
    n_layers: 2,
    d_model: 256,
    n_heads: 4,
    n_kv_heads: 2,
    head_dim: 64,
    d_ff: 256,
    // llama.cpp gives this architecture no window.
    window: None,
    ..MISTRAL_LIKE
};

pub const N_TOKENS: usize = 24;

/// The tiny model with the formats of its matrices chosen by `format_of`, and its twin in F32.
pub fn files(format_of: impl Fn(usize) -> Format) -> [Vec<u8>; 2] {
    let mut model = TinyModel::new(&SHAPE);
    model.metadata.push(("tokenizer.ggml.model".into(), Meta::Str("none".into())));
    quantized::files(&model, &|i, _| format_of(i))
}

/// The text that they read.
pub fn tokens() -> Vec<u32> {
    let mut random = Random(7);
    (0..N_TOKENS).map(|_| random.token(SHAPE.vocab_size)).collect()
}

/// The mean over positions of the divergence KL(truth ‖ found) of next-token distributions, in
/// nats.
pub fn divergence(truth: &[Vec<f32>], found: &[Vec<f32>]) -> f64 {
    assert_eq!(truth.len(), found.len());
    let log_softmax = |logits: &[f32]| -> Vec<f64> {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f64 = logits.iter().map(|x| f64::from(x - max).exp()).sum();
        logits.iter().map(|x| f64::from(x - max) - total.ln()).collect()
    };
    let of_position = |(truth, found): (&Vec<f32>, &Vec<f32>)| -> f64 {
        let pairs = log_softmax(truth).into_iter().zip(log_softmax(found));
        pairs.map(|(p, q)| p.exp() * (p - q)).sum()
    };
    truth.iter().zip(found).map(of_position).sum::<f64>() / truth.len() as f64
}
