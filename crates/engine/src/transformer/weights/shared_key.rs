//! The weights of attention to shared keys (DeepSeek V4): one key of each token serves all heads
//! and is its value as well, and a compressor makes keys of several tokens.

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{LayerConfig, ModelError, SharedKeyConfig},
    Loader, Norm,
};

/// What makes queries and keys, and what becomes of what heads find.
#[derive(Debug)]
pub(crate) struct SharedKey {
    /// q_rank × d_model.
    pub(crate) q_low: WeightMatrix,
    /// q_rank.
    pub(crate) q_norm: Norm,
    /// n_heads·head_dim × q_rank.
    pub(crate) q: WeightMatrix,
    /// head_dim ones, for the norm of each head's queries.
    pub(crate) ones: Norm,
    /// head_dim × d_model.
    pub(crate) key: WeightMatrix,
    /// head_dim.
    pub(crate) key_norm: Norm,
    /// For each group out_rank × the width of its heads.
    pub(crate) groups: Vec<WeightMatrix>,
    /// None in layers without compressed keys.
    pub(crate) compressor: Option<Compressor>,
}

/// What makes a key of several tokens: a mean of what each makes, every number by the softmax of
/// its scores.
#[derive(Debug)]
pub(crate) struct Compressor {
    /// head_dim × d_model. Of the kind that overlaps: first head_dim rows for the key after a
    /// token's own, then as many for its own.
    pub(crate) keys: WeightMatrix,
    /// Likewise.
    pub(crate) scores: WeightMatrix,
    /// Tokens of a key × rows: added to scores by a token's place among them.
    pub(crate) places: Vec<f32>,
    /// head_dim.
    pub(crate) norm: Norm,
}

impl SharedKey {
    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        [&self.q_low, &self.q, &self.key].into_iter().chain(&self.groups).chain(self.compressing())
    }

    /// The compressor's matrices.
    pub(crate) fn compressing(&self) -> impl Iterator<Item = &WeightMatrix> {
        self.compressor.iter().flat_map(|c| [&c.keys, &c.scores])
    }
}

impl Loader<'_> {
    /// What makes queries and keys of a layer, and what becomes of what heads find.
    pub(super) fn shared_key(
        &mut self,
        shared: &SharedKeyConfig,
        layer: &LayerConfig,
        d_model: usize,
    ) -> Result<SharedKey, ModelError> {
        let (n_heads, head_dim) = (layer.n_heads, layer.head_dim);
        let SharedKeyConfig { q_rank, out_groups, out_rank } = *shared;
        let (d_q, width) = (n_heads * head_dim, layer.compressor_width());
        let name = |part: &str| format!("blk.{}.{part}", layer.block);
        let compressor = match layer.compressed {
            0 => None,
            ratio => Some(Compressor {
                keys: self.matrix(&name("attn_compressor_kv.weight"), width, d_model)?,
                scores: self.matrix(&name("attn_compressor_gate.weight"), width, d_model)?,
                places: self.vector(&name("attn_compressor_ape.weight"), &[width, ratio])?,
                norm: self.needed_norm(&name("attn_compressor_norm"), head_dim)?,
            }),
        };
        let low = name("attn_output_a.weight");
        // Groups stand one below the other, or in a third dimension.
        let is_deep = self.gguf.tensor(&low).is_some_and(|info| info.shape.len() == 3);
        let group = |loader: &mut Self, group: usize| {
            let rows = group * out_rank..(group + 1) * out_rank;
            loader.rows(&low, rows, out_groups * out_rank, d_q / out_groups)
        };
        let groups = match is_deep {
            true => self.expert_rows(&low, out_groups, 0..out_rank, out_rank, d_q / out_groups)?,
            false => (0..out_groups).map(|i| group(self, i)).collect::<Result<_, ModelError>>()?,
        };
        Ok(SharedKey {
            q_low: self.matrix(&name("attn_q_a.weight"), q_rank, d_model)?,
            q_norm: self.needed_norm(&name("attn_q_a_norm"), q_rank)?,
            q: self.matrix(&name("attn_q_b.weight"), d_q, q_rank)?,
            ones: Norm { weight: vec![1.0; head_dim], bias: None },
            key: self.matrix(&name("attn_kv.weight"), head_dim, d_model)?,
            key_norm: self.needed_norm(&name("attn_kv_a_norm"), head_dim)?,
            groups,
            compressor,
        })
    }
}
