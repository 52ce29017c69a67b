//! Kelvin itself, as the library that other programs use: tokens in, logits out.

use std::path::Path;

use anyhow::Result;
use kelvin_engine::{
    TokenId,
    gguf::Gguf,
    transformer::{Append, CacheFormat, Model, ModelOptions, Scratch, Sequence, Want},
};

use super::Engine;

/// How many tokens of a prompt are read at once.
const CHUNK: usize = 512;
/// The same where every token's logits are wanted: 262,144 numbers a row take room.
const CHUNK_OF_ROWS: usize = 64;

/// A loaded model with its sequences.
pub struct Kelvin {
    model: Model,
    scratch: Scratch,
    ways: Vec<Sequence>,
}

impl Kelvin {
    /// Loads the model, as Kelvin does by default: keys and values in f16.
    pub fn load(path: &Path, threads: usize) -> Result<Kelvin> {
        let gguf = Gguf::open(path)?;
        let options = ModelOptions { threads, isa: None };
        let model = Model::load(&gguf, &options, &mut |_, _| ())?;
        Ok(Kelvin { model, scratch: Scratch::default(), ways: Vec::new() })
    }

    /// Reads `tokens` as a text of its own and calls `row` with the logits after each of them,
    /// first to last.
    pub fn rows(&mut self, tokens: &[u32], mut row: impl FnMut(&[f32])) -> Result<()> {
        let mut sequence = self.model.sequence(CacheFormat::F16);
        for chunk in ids(tokens).chunks(CHUNK_OF_ROWS) {
            let mut batch = [Append { sequence: &mut sequence, tokens: chunk, want: Want::All }];
            let logits = self.model.forward(&mut batch, &mut self.scratch)?;
            (0..logits.n_rows()).for_each(|i| row(logits.row(i)));
        }
        Ok(())
    }
}

fn ids(tokens: &[u32]) -> Vec<TokenId> {
    tokens.iter().copied().map(TokenId).collect()
}

impl Engine for Kelvin {
    fn read(&mut self, tokens: &[u32], ways: usize) -> Result<Vec<u32>> {
        self.ways.clear();
        let mut sequence = self.model.sequence(CacheFormat::F16);
        let mut first = 0;
        let tokens = ids(tokens);
        let n_chunks = tokens.len().div_ceil(CHUNK);
        for (c, chunk) in tokens.chunks(CHUNK).enumerate() {
            let want = if c + 1 == n_chunks { Want::Last } else { Want::None };
            let mut batch = [Append { sequence: &mut sequence, tokens: chunk, want }];
            let logits = self.model.forward(&mut batch, &mut self.scratch)?;
            if logits.n_rows() > 0 {
                first = super::most_likely(logits.row(0));
            }
        }
        // A clone shares the prompt's pages.
        self.ways = vec![sequence; ways];
        Ok(vec![first; ways])
    }

    fn step(&mut self, tokens: &[u32]) -> Result<Vec<u32>> {
        let tokens = ids(tokens);
        let mut batch: Vec<Append> = self
            .ways
            .iter_mut()
            .zip(tokens.chunks(1))
            .map(|(sequence, tokens)| Append { sequence, tokens, want: Want::Last })
            .collect();
        let logits = self.model.forward(&mut batch, &mut self.scratch)?;
        Ok((0..logits.n_rows()).map(|i| super::most_likely(logits.row(i))).collect())
    }
}
