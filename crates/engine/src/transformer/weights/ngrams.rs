//! The weights of what one layer reads by n-grams.

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{Config, ModelError, NgramConfig},
    Loader,
    recurrent::by_tap,
};

/// The table and what becomes of its rows. Norms have weights for each stream.
#[derive(Debug)]
pub(crate) struct Ngrams {
    /// n_rows × width.
    pub(crate) table: WeightMatrix,
    /// n_streams·d_model × d_model: what the streams are compared with.
    pub(crate) key: WeightMatrix,
    /// d_model × d_model: what they get.
    pub(crate) value: WeightMatrix,
    /// n_streams × d_model each: of keys, of the streams, of what goes into the convolution.
    pub(crate) norms: [Vec<f32>; 3],
    /// taps × n_streams·d_model, those of the current token last.
    pub(crate) taps: Vec<f32>,
}

impl Ngrams {
    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        [&self.table, &self.key, &self.value].into_iter()
    }
}

impl Loader<'_> {
    pub(super) fn ngrams(
        &mut self,
        config: &Config,
        ngrams: &NgramConfig,
    ) -> Result<Ngrams, ModelError> {
        let d_model = config.d_model;
        let n_streams = config.hyper.as_ref().map_or(1, |hyper| hyper.n_streams);
        let width = n_streams * d_model;
        let name = |part: &str| format!("blk.{}.{part}.weight", ngrams.layer);
        let mut norm = |part: &str| self.vector_of_streams(&name(part), n_streams, d_model);
        let norms = [norm("ple_norm_key")?, norm("ple_norm_query")?, norm("ple_norm_conv")?];
        let taps = self.vector(&name("ple_conv1d"), &[ngrams.taps, width])?;
        Ok(Ngrams {
            table: self.matrix("per_layer_token_embd.weight", ngrams.n_rows, ngrams.width)?,
            key: self.matrix(&name("ple_key"), width, d_model)?,
            value: self.matrix(&name("ple_value"), d_model, d_model)?,
            norms,
            taps: by_tap(&taps, ngrams.taps),
        })
    }

    /// A number for each of the model's width and each stream, which may lie in one row.
    pub(super) fn vector_of_streams(
        &mut self,
        name: &str,
        n_streams: usize,
        d_model: usize,
    ) -> Result<Vec<f32>, ModelError> {
        let is_flat = self.gguf.tensor(name).is_some_and(|norm| norm.shape.len() == 1);
        match is_flat {
            true => self.vector(name, &[n_streams * d_model]),
            false => self.vector(name, &[d_model, n_streams]),
        }
    }
}
