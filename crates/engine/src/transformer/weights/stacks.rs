//! What two stacks of layers that run by turns have besides their layers (HRM).

use super::{After, Loader};
use crate::transformer::{Config, ModelError, families::is_nvfp4};

/// What the low stack begins with, and what is done with products of attention in each run.
#[derive(Debug)]
pub(crate) struct Stacks {
    /// d_model.
    pub(crate) low_start: Vec<f32>,
    /// By the number of the run, in the order of steps: of queries, keys, values and the output.
    pub(crate) runs: Vec<[After; 4]>,
}

impl Loader<'_> {
    /// Two stacks, if the family has them.
    pub(super) fn stacks(&mut self, config: &Config) -> Result<Option<Stacks>, ModelError> {
        if !self.family.stacks {
            return Ok(None);
        }
        let low_start = self.vector("hrm.z_l_init", &[config.d_model])?;
        let runs = (0..config.layers.len()).map(|run| self.run(config, run));
        Ok(Some(Stacks { low_start, runs: runs.collect::<Result<_, _>>()? }))
    }

    /// A run of a layer has the layer's biases. Its factors are those under the number of the run,
    /// as in llama.cpp; only those of NVFP4 matrices are the layer's.
    fn run(&mut self, config: &Config, run: usize) -> Result<[After; 4], ModelError> {
        let layer = &config.layers[run];
        let [d_q, d_k] = [layer.n_heads, layer.n_kv_heads].map(|n| n * layer.head_dim);
        let d_v = layer.n_kv_heads * layer.value_dim;
        let [q, k, v] = self.after_qkv(layer.block, [d_q, d_k, d_v])?;
        let output = self.after(&format!("blk.{}.attn_output", layer.block), config.d_model)?;
        let mut all = [q, k, v, output];
        let parts = ["attn_q", "attn_k", "attn_v", "attn_output"];
        for (after, part) in all.iter_mut().zip(parts) {
            let fused = format!("blk.{}.attn_qkv", layer.block);
            let is_fused = part != "attn_output" && self.has(&format!("{fused}.weight"));
            let part = if is_fused { "attn_qkv" } else { part };
            if !is_nvfp4(self.gguf, &format!("blk.{}.{part}", layer.block)) {
                after.scale = self.number(&format!("blk.{run}.{part}.scale"))?;
            }
        }
        Ok(all)
    }
}
