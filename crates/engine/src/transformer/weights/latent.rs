//! The weights of latent attention (MLA, arXiv 2405.04434): a token's keys and values are made of
//! few numbers, and a part of its keys, which is rotated, serves all heads.

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{Config, LatentConfig, LayerConfig, ModelError},
    Loader, Norm, missing,
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
    /// The rotated part of a key.
    pub(crate) key_norm: Option<Norm>,
    pub(crate) spread: Spread,
}

/// What makes keys and values of all heads.
#[derive(Debug)]
pub(crate) enum Spread {
    /// n_heads·(rest of a key + value_dim) × kv_rank.
    Expanded(WeightMatrix),
    /// All heads attend to what keys and values are made of.
    Absorbed {
        /// For each head kv_rank × rest of a key: leads queries there.
        keys: Vec<WeightMatrix>,
        /// For each head value_dim × kv_rank.
        values: Vec<WeightMatrix>,
    },
}

impl Latent {
    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        let low = self.q_low.iter().map(|(matrix, _)| matrix);
        low.chain([&self.q, &self.kv_low]).chain(self.spread.matrices())
    }
}

impl Spread {
    /// What a product with them begins with, to be prefetched.
    pub(crate) fn first(&self) -> Option<&WeightMatrix> {
        self.matrices().next()
    }

    fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        let (one, keys, values) = match self {
            Spread::Expanded(matrix) => (Some(matrix), [].as_slice(), [].as_slice()),
            Spread::Absorbed { keys, values } => (None, keys.as_slice(), values.as_slice()),
        };
        one.into_iter().chain(keys).chain(values)
    }
}

impl Loader<'_> {
    /// What makes queries, keys and values of a layer.
    pub(super) fn latent(
        &mut self,
        config: &Config,
        latent: &LatentConfig,
        layer: &LayerConfig,
    ) -> Result<Latent, ModelError> {
        let (d_model, rotated) = (config.d_model, config.ropes[0].dim);
        let name = |part: &str| format!("blk.{}.{part}", layer.block);
        let LatentConfig { q_rank, kv_rank, key_dim, value_dim, absorbed } = *latent;
        let (n_heads, d_q, own) = (layer.n_heads, layer.n_heads * key_dim, key_dim - rotated);
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
        let spread = match absorbed {
            true => {
                let [keys, values] = ["attn_k_b.weight", "attn_v_b.weight"].map(name);
                let keys = self.expert_rows(&keys, n_heads, 0..kv_rank, kv_rank, own)?;
                let values =
                    self.expert_rows(&values, n_heads, 0..value_dim, value_dim, kv_rank)?;
                Spread::Absorbed { keys, values }
            }
            false => {
                let rows = n_heads * (own + value_dim);
                Spread::Expanded(self.matrix(&name("attn_kv_b.weight"), rows, kv_rank)?)
            }
        };
        Ok(Latent {
            q_low,
            q,
            kv_low: self.matrix(&name("attn_kv_a_mqa.weight"), kv_rank + rotated, d_model)?,
            kv_norm,
            key_norm: self.norm(&name("attn_k_norm"), &[rotated])?,
            spread,
        })
    }
}
