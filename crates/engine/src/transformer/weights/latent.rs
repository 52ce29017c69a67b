//! The weights of latent attention (MLA, arXiv 2405.04434): a token's keys and values are made of
//! few numbers, and a part of its keys, which is rotated, serves all heads.

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{Config, LatentConfig, ModelError},
    Attention, Loader, Norm, missing,
};

/// What makes queries, keys and values.
#[derive(Debug)]
pub(crate) struct Latent {
    /// q_rank × d_model, and a norm of q_rank; none where queries are made of the stream.
    pub(crate) q_low: Option<(WeightMatrix, Norm)>,
    /// n_heads·head_dim × q_rank or d_model.
    pub(crate) q: WeightMatrix,
    /// kv_rank + rotated part of a key × d_model.
    pub(crate) kv_low: WeightMatrix,
    /// kv_rank.
    pub(crate) kv_norm: Norm,
    /// n_heads·(rest of a key + value_dim) × kv_rank.
    pub(crate) kv: WeightMatrix,
}

impl Latent {
    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        let low = self.q_low.iter().map(|(matrix, _)| matrix);
        low.chain([&self.q, &self.kv_low, &self.kv])
    }
}

impl Loader<'_> {
    /// The attention of layer `i`, whose norm is read.
    pub(super) fn latent_attention(
        &mut self,
        config: &Config,
        latent: &LatentConfig,
        i: usize,
        norm: Option<Norm>,
    ) -> Result<Attention, ModelError> {
        let (layer, d_model, rotated) = (&config.layers[i], config.d_model, config.ropes[0].dim);
        let name = |part: &str| format!("blk.{}.{part}", layer.block);
        let (n_heads, d_q) = (layer.n_heads, layer.n_heads * layer.head_dim);
        let LatentConfig { q_rank, kv_rank, value_dim } = *latent;
        let mut needed = |part: &str, len: usize| {
            let name = name(part);
            let norm = self.norm(&name, &[len])?;
            norm.ok_or_else(|| missing(&format!("{name}.weight"), &[len]))
        };
        let q_norm = q_rank.map(|rank| needed("attn_q_a_norm", rank)).transpose()?;
        let kv_norm = needed("attn_kv_a_norm", kv_rank)?;
        let (q_low, q) = match q_rank.zip(q_norm) {
            Some((rank, norm)) => {
                let low = self.matrix(&name("attn_q_a.weight"), rank, d_model)?;
                (Some((low, norm)), self.matrix(&name("attn_q_b.weight"), d_q, rank)?)
            }
            None => (None, self.matrix(&name("attn_q.weight"), d_q, d_model)?),
        };
        let kv_rows = n_heads * (layer.head_dim - rotated + value_dim);
        let latent = Latent {
            q_low,
            q,
            kv_low: self.matrix(&name("attn_kv_a_mqa.weight"), kv_rank + rotated, d_model)?,
            kv_norm,
            kv: self.matrix(&name("attn_kv_b.weight"), kv_rows, kv_rank)?,
        };
        Ok(Attention {
            norm,
            projections: None,
            latent: Some(latent),
            head_norms: [None, None, None],
            gate: None,
            sub_norm: None,
            sinks: Vec::new(),
            output: self.matrix(&name("attn_output.weight"), d_model, n_heads * value_dim)?,
            post_norm: None,
            after: self.after(&name("attn_output"), d_model)?,
        })
    }
}
