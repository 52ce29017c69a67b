//! Mistral 7B's shape with random weights, since the real ones can't be had everywhere: every
//! tensor, format and size as in `mistral-7b-v0.1.Q4_K_M.gguf` (Jiang et al. 2023, arXiv
//! 2310.06825).

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{
    gguf::{Entry, Header},
    shape::{self, Shape},
};

/// Version 0.1: this vocabulary, a window of 4096 and a rotary base of 10,000. Version 0.3 has
/// 32,768, none, and a million.
pub const SHAPE: Shape = Shape {
    n_layers: 32,
    d_model: 4096,
    n_heads: 32,
    n_kv_heads: 8,
    head_dim: 128,
    d_ff: 14336,
    vocab_size: 32000,
    context: 32768,
    window: Some(4096),
    rope_base: 10_000.0,
    experts: None,
};

/// Writes the model, its vocabulary (`tokenizer.*`) taken from the GGUF file `vocab`. Returns the
/// file's size in bytes.
pub fn write(to: &Path, vocab: &Path, seed: u64) -> Result<u64> {
    let name = format!("Mistral 7B v0.1, its shape, random weights of seed {seed}");
    shape::write(to, &SHAPE, &name, vocabulary(vocab)?, seed)
}

fn vocabulary(path: &Path) -> Result<Vec<Entry>> {
    let header = Header::read(path)?;
    let tokens = header
        .entry("tokenizer.ggml.tokens")
        .with_context(|| format!("{}: it has no tokenizer.ggml.tokens", path.display()))?;
    let (n, wanted) = (tokens.array_len()?, SHAPE.vocab_size);
    ensure!(n == wanted, "{}: {n} tokens, but Mistral 7B v0.1 has {wanted}", path.display());
    Ok(header.entries.into_iter().filter(|e| e.key.starts_with("tokenizer.")).collect())
}
