//! candle's own quantized models on the same files. It has no sequences that share a prompt: several continuations are a
//! batch whose every row is the prompt.

use std::{fs::File, io::BufReader, path::Path};

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor, quantized::gguf_file};
use candle_transformers::models::{quantized_gemma3, quantized_llama};

use super::Engine;

enum Weights {
    Llama(quantized_llama::ModelWeights),
    Gemma3(quantized_gemma3::ModelWeights),
}

/// A loaded model; it keeps its keys and values inside.
pub struct Candle {
    weights: Weights,
    /// How many tokens each continuation holds.
    len: usize,
}

impl Candle {
    /// Loads the model. How many threads candle takes is decided by the variable RAYON_NUM_THREADS when the process begins.
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
            "llama" => {
                Weights::Llama(quantized_llama::ModelWeights::from_gguf(content, &mut input, &Device::Cpu)?)
            }
            "gemma3" => {
                Weights::Gemma3(quantized_gemma3::ModelWeights::from_gguf(content, &mut input, &Device::Cpu)?)
            }
            other => bail!("peers has no candle model for architecture {other:?}"),
        };
        Ok(Candle { weights, len: 0 })
    }

    /// Appends `n` tokens to each row of a batch.
    fn append(&mut self, tokens: &[u32], rows: usize, n: usize) -> Result<Vec<u32>> {
        let input = Tensor::from_slice(tokens, (rows, n), &Device::Cpu)?;
        let logits = match &mut self.weights {
            Weights::Llama(model) => model.forward(&input, self.len)?,
            Weights::Gemma3(model) => model.forward(&input, self.len)?,
        };
        self.len += n;
        let rows = logits.to_vec2::<f32>()?;
        Ok(rows.iter().map(|row| super::most_likely(row)).collect())
    }
}

impl Engine for Candle {
    fn read(&mut self, tokens: &[u32], ways: usize) -> Result<Vec<u32>> {
        // A forward pass from position 0 forgets what was there before.
        self.len = 0;
        self.append(&tokens.repeat(ways), ways, tokens.len())
    }

    fn step(&mut self, tokens: &[u32]) -> Result<Vec<u32>> {
        self.append(tokens, tokens.len(), 1)
    }
}
