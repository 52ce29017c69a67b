//! The weights of several streams in the place of one (hyper-connections, arXiv 2409.19606).

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{HyperConfig, ModelError},
    Loader,
};

/// What makes the weights by which streams are read and added to.
#[derive(Debug)]
pub(crate) struct Hyper {
    /// n_streams, or twice as many × n_streams·d_model.
    pub(crate) mix: WeightMatrix,
    /// One for each row.
    pub(crate) base: Vec<f32>,
    /// One for what reads, one for what adds.
    pub(crate) scale: Vec<f32>,
    /// n_streams·d_model ones, for the norm of the streams.
    pub(crate) ones: Vec<f32>,
}

impl Loader<'_> {
    /// Those that begin with `name`; `n_parts` is 2 where something is added.
    pub(super) fn hyper(
        &mut self,
        name: &str,
        hyper: &HyperConfig,
        n_parts: usize,
        d_model: usize,
    ) -> Result<Hyper, ModelError> {
        let (rows, width) = (n_parts * hyper.n_streams, hyper.n_streams * d_model);
        Ok(Hyper {
            mix: self.matrix(&format!("{name}_fn.weight"), rows, width)?,
            base: self.vector(&format!("{name}_base.weight"), &[rows])?,
            scale: self.vector(&format!("{name}_scale.weight"), &[n_parts])?,
            ones: vec![1.0; width],
        })
    }
}
