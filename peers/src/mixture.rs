//! Some layers of Qwen3-30B-A3B's shape with random weights (arXiv 2505.09388): 128 experts, of
//! which a token goes through 8.

use std::path::Path;

use anyhow::Result;

use crate::{
    curves,
    shape::{self, Experts, Shape},
};

/// As in `Qwen3-30B-A3B-Q4_K_M.gguf`, but for its 48 layers.
const SHAPE: Shape = Shape {
    n_layers: 4,
    d_model: 2048,
    n_heads: 32,
    n_kv_heads: 4,
    head_dim: 128,
    d_ff: 6144,
    vocab_size: 151_936,
    context: 40_960,
    window: None,
    rope_base: 1e6,
    experts: Some(Experts { n: 128, n_used: 8, d_ff: 768 }),
};

/// Writes the model, with a vocabulary of single bytes that is filled up to its size. Returns the
/// file's size in bytes.
pub fn write(to: &Path, n_layers: u64, seed: u64) -> Result<u64> {
    let shape = Shape { n_layers, ..SHAPE };
    let name =
        format!("Qwen3-30B-A3B, {n_layers} layers of its shape, random weights of seed {seed}");
    shape::write(to, &shape, &name, curves::vocabulary(shape.vocab_size), seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_has_the_size_of_a_real_one() {
        let path =
            std::env::temp_dir().join(format!("kelvin-peers-mixture-{}.gguf", std::process::id()));
        let sizes = [1, 2].map(|n| write(&path, n, 1).unwrap());
        std::fs::remove_file(&path).unwrap();
        // 128 experts of three matrices of 2048 × 768, and attention; Q4_K and a part in Q6_K.
        let layer = sizes[1] - sizes[0];
        assert!((345_000_000..480_000_000).contains(&layer), "{layer}");
    }
}
