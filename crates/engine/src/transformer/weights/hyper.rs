//! The weights of several streams in the place of one.

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{Config, HyperConfig, HyperRule, ModelError},
    Loader,
};

/// What a half of a layer, or the output, reads of several streams, and how a half adds to them.
#[derive(Debug)]
pub(crate) enum Hyper {
    Weighted(StreamWeights),
    Gated(StreamGates),
    Kept(KeptSums),
    /// Their mean.
    Mean,
}

/// What makes the weights by which streams are read, added to and mixed.
#[derive(Debug)]
pub(crate) struct StreamWeights {
    /// n_streams for each part × n_streams·d_model; those that mix are n_streams parts.
    pub(crate) mix: WeightMatrix,
    /// One for each row.
    pub(crate) base: Vec<f32>,
    /// One for what reads, one for what adds, one for what mixes.
    pub(crate) scale: Vec<f32>,
    /// n_streams·d_model ones, for the norm of the streams.
    pub(crate) ones: Vec<f32>,
}

/// What makes a gate for each number of each stream.
#[derive(Debug)]
pub(crate) struct StreamGates {
    /// n_streams × d_model: the norms of the streams.
    pub(crate) norms: Vec<f32>,
    /// rank × n_streams·d_model.
    pub(crate) down: WeightMatrix,
    /// n_streams·d_model × rank.
    pub(crate) up: WeightMatrix,
    /// n_streams × n_streams·d_model: makes the weights of what is added; none for the output.
    pub(crate) inject: Option<WeightMatrix>,
}

/// What weighs the stream and kept sums of it.
#[derive(Debug)]
pub(crate) struct KeptSums {
    /// d_model: the weight is made of the product of a norm with this.
    pub(crate) score: Vec<f32>,
    /// How many were kept before.
    pub(crate) n_kept: usize,
    /// The stream is kept as well, once it is read, and begins anew.
    pub(crate) keeps: bool,
}

impl Hyper {
    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        let list = match self {
            Hyper::Weighted(weights) => [Some(&weights.mix), None, None],
            Hyper::Gated(gates) => [Some(&gates.down), Some(&gates.up), gates.inject.as_ref()],
            Hyper::Kept(_) | Hyper::Mean => [None, None, None],
        };
        list.into_iter().flatten()
    }
}

impl Loader<'_> {
    /// What the output reads.
    pub(super) fn hyper_head(&mut self, config: &Config) -> Result<Option<Hyper>, ModelError> {
        let (Some(hyper), d_model) = (&config.hyper, config.d_model) else { return Ok(None) };
        Ok(Some(match hyper.rule {
            HyperRule::Kept { every } => Hyper::Kept(KeptSums {
                score: self.vector("output_res_score.weight", &[d_model])?,
                n_kept: config.n_layers.div_ceil(every),
                keeps: false,
            }),
            HyperRule::Gated { rank } => {
                Hyper::Gated(self.gates("output_hc", [hyper.n_streams, rank, d_model], false)?)
            }
            _ if !self.has("output_hc_fn.weight") => Hyper::Mean,
            _ => Hyper::Weighted(self.stream_weights("output_hc", hyper, [1, 1], d_model)?),
        }))
    }

    /// What both halves of layer `i` read.
    pub(super) fn hyper_halves(
        &mut self,
        config: &Config,
        i: usize,
    ) -> Result<Option<[Hyper; 2]>, ModelError> {
        let (Some(hyper), d_model) = (&config.hyper, config.d_model) else { return Ok(None) };
        let n = hyper.n_streams;
        let mut half = |part: &str, second: usize| {
            let name = format!("blk.{}.{part}", config.layers[i].block);
            Ok::<_, ModelError>(match hyper.rule {
                HyperRule::Kept { every } => Hyper::Kept(KeptSums {
                    score: self.vector(&format!("{name}_res_score.weight"), &[d_model])?,
                    n_kept: (i + second).div_ceil(every),
                    keeps: second == 0 && i.is_multiple_of(every),
                }),
                HyperRule::Gated { rank } => {
                    Hyper::Gated(self.gates(&name, [n, rank, d_model], true)?)
                }
                HyperRule::Weighted { .. } => {
                    Hyper::Weighted(self.stream_weights(&name, hyper, [2, 2], d_model)?)
                }
                HyperRule::Mixed { .. } => {
                    Hyper::Weighted(self.stream_weights(&name, hyper, [2 + n, 3], d_model)?)
                }
            })
        };
        let parts = match hyper.rule {
            HyperRule::Kept { .. } => ["attn", "ffn"],
            _ => ["hc_attn", "hc_ffn"],
        };
        Ok(Some([half(parts[0], 0)?, half(parts[1], 1)?]))
    }

    /// Weights of streams: so many parts of rows, and so many scales.
    fn stream_weights(
        &mut self,
        name: &str,
        hyper: &HyperConfig,
        [n_parts, n_scales]: [usize; 2],
        d_model: usize,
    ) -> Result<StreamWeights, ModelError> {
        let (rows, width) = (n_parts * hyper.n_streams, hyper.n_streams * d_model);
        Ok(StreamWeights {
            mix: self.matrix(&format!("{name}_fn.weight"), rows, width)?,
            base: self.vector(&format!("{name}_base.weight"), &[rows])?,
            scale: self.vector(&format!("{name}_scale.weight"), &[n_scales])?,
            ones: vec![1.0; width],
        })
    }

    fn gates(
        &mut self,
        name: &str,
        [n_streams, rank, d_model]: [usize; 3],
        adds: bool,
    ) -> Result<StreamGates, ModelError> {
        let (width, inject) = (n_streams * d_model, format!("{name}_inject.weight"));
        Ok(StreamGates {
            norms: self.vector_of_streams(&format!("{name}_norm.weight"), n_streams, d_model)?,
            down: self.matrix(&format!("{name}_down.weight"), rank, width)?,
            up: self.matrix(&format!("{name}_up.weight"), width, rank)?,
            inject: adds.then(|| self.matrix(&inject, n_streams, width)).transpose()?,
        })
    }
}
