//! A model file in, what its steps cost at least out: the bytes and multiplications by which a
//! speed is set beside the machine's limits.

use std::path::Path;

use anyhow::{Context, Result};
use kelvin_engine::{
    gguf::Gguf,
    transformer::{CacheFormat, Config},
};

use crate::gguf::Header;

/// What a model's steps cost at least.
pub struct Costs {
    pub config: Config,
    pub file_bytes: u64,
    /// Bytes of weights that a step of one token must read: all tensors, but of an embedding with an
    /// output layer beside it only a row, and of experts those that a token goes through.
    pub step_bytes: u64,
}

impl Costs {
    /// Of the model in a file.
    pub fn of(model: &Path) -> Result<Costs> {
        let header = Header::read(model)?;
        let has_output = header.tensors.iter().any(|t| t.name == "output.weight");
        let config = Config::from_gguf(&Gguf::open(model)?)?;
        let mut step_bytes = 0;
        for tensor in &header.tensors {
            let n_bytes = tensor.n_bytes().context("the file was loaded before")?;
            match &config.experts {
                _ if has_output && tensor.name == "token_embd.weight" => {}
                Some(experts) if tensor.name.contains("_exps.") => {
                    step_bytes += n_bytes / experts.n_experts as u64 * experts.n_used as u64;
                }
                _ => step_bytes += n_bytes,
            }
        }
        Ok(Costs { config, file_bytes: model.metadata()?.len(), step_bytes })
    }

    /// Keys and values that the token at `pos` reads, in f16.
    pub fn cache_bytes(&self, pos: usize) -> usize {
        self.config.cache_bytes(pos, CacheFormat::F16)
    }

    /// Room for the keys and values of a context, in f16.
    pub fn room_bytes(&self, n_ctx: usize) -> u64 {
        let c = &self.config;
        (n_ctx * c.n_layers * 2 * c.n_kv_heads * CacheFormat::F16.bytes(c.head_dim)) as u64
    }

    /// Multiplications of a prompt, logits after its last token alone.
    pub fn prompt_multiply_adds(&self, tokens: usize) -> f64 {
        let without = self.config.multiply_adds(false);
        (tokens * without + self.config.multiply_adds(true) - without) as f64
    }
}
