//! The weights of an embedding that each layer has besides the model's (Gemma 4's per-layer
//! embedding).

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{Config, ModelError},
    Loader, Norm, missing,
};

/// What is done once for all layers. Widths: `layer_embedding` for each block of the file.
#[derive(Debug)]
pub(crate) struct LayerEmbedding {
    /// vocab_size × n_blocks·width.
    pub(crate) tokens: WeightMatrix,
    /// n_blocks·width × d_model.
    pub(crate) projection: WeightMatrix,
    /// width.
    pub(crate) norm: Norm,
}

/// What is done in each layer.
#[derive(Debug)]
pub(crate) struct OfLayer {
    /// width × d_model.
    pub(crate) gate: WeightMatrix,
    /// d_model × width.
    pub(crate) projection: WeightMatrix,
    /// d_model.
    pub(crate) norm: Norm,
}

impl LayerEmbedding {
    pub(super) fn matrices(&self) -> [&WeightMatrix; 2] {
        [&self.tokens, &self.projection]
    }
}

impl OfLayer {
    pub(super) fn matrices(&self) -> [&WeightMatrix; 2] {
        [&self.gate, &self.projection]
    }
}

impl Loader<'_> {
    pub(super) fn layer_embedding(
        &mut self,
        config: &Config,
    ) -> Result<LayerEmbedding, ModelError> {
        let (width, d_model) = (config.layer_embedding, config.d_model);
        let all = width * config.n_layers;
        Ok(LayerEmbedding {
            tokens: self.matrix("per_layer_token_embd.weight", config.vocab_size, all)?,
            projection: self.matrix("per_layer_model_proj.weight", all, d_model)?,
            norm: self.needed_norm("per_layer_proj_norm", width)?,
        })
    }

    pub(super) fn embedding_of_layer(
        &mut self,
        config: &Config,
        block: usize,
    ) -> Result<OfLayer, ModelError> {
        let (width, d_model) = (config.layer_embedding, config.d_model);
        let name = |part: &str| format!("blk.{block}.{part}");
        Ok(OfLayer {
            gate: self.matrix(&name("inp_gate.weight"), width, d_model)?,
            projection: self.matrix(&name("proj.weight"), d_model, width)?,
            norm: self.needed_norm(&name("post_norm"), d_model)?,
        })
    }

    pub(super) fn needed_norm(&mut self, name: &str, len: usize) -> Result<Norm, ModelError> {
        let norm = self.norm(name, &[len])?;
        norm.ok_or_else(|| missing(&format!("{name}.weight"), &[len]))
    }
}
