//! candle's own quantized models on the same files. They can't read a prompt as a batch ("input has
//! to be contiguous"), so several continuations are clones of the model, which share its weights
//! and the prompt's keys and values, and take their steps one after another.

use std::{fs::File, io::BufReader, path::Path};

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor, quantized::gguf_file};
use candle_transformers::models::{quantized_gemma3, quantized_llama};

use super::Engine;

#[derive(Clone)]
enum Weights {
    Llama(quantized_llama::ModelWeights),
    Gemma3(quantized_gemma3::ModelWeights),
}

/// A loaded model. Keys and values are inside of it, so each continuation has its own.
pub struct Candle {
    ways: Vec<Weights>,
    /// How many tokens each continuation holds.
    len: usize,
}

impl Candle {
    /// Loads the model. How many threads candle takes is decided by the variable RAYON_NUM_THREADS
    /// when the process begins.
    pub fn load(path: &Path) -> Result<Candle> {
        let mut input = BufReader::new(File::open(path)?);
        let content = gguf_file::Content::read(&mut input)
            .with_context(|| format!("candle can't read {}", path.display()))?;
        let arch = content
            .metadata
            .get("general.architecture")
            .context("general.architecture is missing")?
            .to_string()?
            .clone();
        let weights = match arch.as_str() {
            "llama" => Weights::Llama(quantized_llama::ModelWeights::from_gguf(
                content,
                &mut input,
                &Device::Cpu,
            )?),
            "gemma3" => Weights::Gemma3(quantized_gemma3::ModelWeights::from_gguf(
                content,
                &mut input,
                &Device::Cpu,
            )?),
            other => bail!("peers has no candle model for architecture {other:?}"),
        };
        Ok(Candle { ways: vec![weights], len: 0 })
    }

    /// Appends tokens to one continuation.
    fn append(&mut self, way: usize, tokens: &[u32]) -> Result<u32> {
        let input = Tensor::from_slice(tokens, (1, tokens.len()), &Device::Cpu)?;
        let logits = match &mut self.ways[way] {
            Weights::Llama(model) => model.forward(&input, self.len)?,
            Weights::Gemma3(model) => model.forward(&input, self.len)?,
        };
        Ok(super::most_likely(&logits.squeeze(0)?.to_vec1::<f32>()?))
    }
}

impl Engine for Candle {
    fn read(&mut self, tokens: &[u32], ways: usize) -> Result<Vec<u32>> {
        // A forward pass from position 0 forgets what was there before.
        self.len = 0;
        self.ways.truncate(1);
        let first = self.append(0, tokens)?;
        self.len = tokens.len();
        self.ways = vec![self.ways[0].clone(); ways];
        Ok(vec![first; ways])
    }

    fn step(&mut self, tokens: &[u32]) -> Result<Vec<u32>> {
        let next = (0..).zip(tokens).map(|(way, &token)| self.append(way, &[token])).collect();
        self.len += 1;
        next
    }
}
