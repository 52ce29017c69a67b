//! The weights of four streams in the place of one (AltUp, arXiv 2301.13310) and of a low-rank
//! layer beside attention (LAuReL, arXiv 2411.07501), as Gemma 3n has them.

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{Config, ModelError},
    Loader, Norm, missing,
};

/// How many streams there are, the first of which goes through the layers.
pub(crate) const N_STREAMS: usize = 4;
/// The low-rank layer's width.
const RANK: usize = 64;

/// What is done before the first layer and after the last.
#[derive(Debug)]
pub(crate) struct Streams {
    /// d_model × d_model: make the other streams of the first.
    pub(crate) spread: [WeightMatrix; N_STREAMS - 1],
    /// d_model × d_model: take the other streams back.
    pub(crate) gather: [WeightMatrix; N_STREAMS - 1],
}

/// What is done in each layer.
#[derive(Debug)]
pub(crate) struct LayerStreams {
    /// d_model.
    pub(crate) router_norm: Norm,
    /// N_STREAMS × d_model.
    pub(crate) router: Vec<f32>,
    /// N_STREAMS · N_STREAMS × N_STREAMS: from the router's numbers to the coefficients of the
    /// streams that a layer begins with.
    pub(crate) predict: Vec<f32>,
    /// N_STREAMS × N_STREAMS: how much each stream takes of what the layer did.
    pub(crate) correct: Vec<f32>,
    /// d_model.
    pub(crate) correct_scale: Vec<f32>,
    /// RANK × d_model.
    pub(crate) low: WeightMatrix,
    /// d_model × RANK.
    pub(crate) high: WeightMatrix,
    /// d_model.
    pub(crate) low_rank_norm: Norm,
}

impl Streams {
    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        self.spread.iter().chain(&self.gather)
    }
}

impl LayerStreams {
    pub(super) fn matrices(&self) -> [&WeightMatrix; 2] {
        [&self.low, &self.high]
    }
}

impl Loader<'_> {
    pub(super) fn streams(&mut self, config: &Config) -> Result<Streams, ModelError> {
        let mut three = |name: &str| -> Result<[WeightMatrix; N_STREAMS - 1], ModelError> {
            let mut read = |i: usize| self.slice(name, i, N_STREAMS - 1, config.d_model);
            Ok([read(0)?, read(1)?, read(2)?])
        };
        Ok(Streams {
            spread: three("altup_proj.weight")?,
            gather: three("altup_unembd_proj.weight")?,
        })
    }

    /// Matrix `i` of `n` square ones in one tensor.
    fn slice(
        &mut self,
        name: &str,
        i: usize,
        n: usize,
        width: usize,
    ) -> Result<WeightMatrix, ModelError> {
        let info = self.find(name, &[width, width, n])?;
        let before = i * (info.n_bytes / n);
        let read = |at: usize, out: &mut [u8]| Ok(self.gguf.read_part(info, before + at, out)?);
        let (arena, format) = (&mut self.arena, info.format);
        let packed = WeightMatrix::read(self.pool, arena, format, width, width, &read);
        self.report(info);
        packed
    }

    pub(super) fn layer_streams(
        &mut self,
        config: &Config,
        block: usize,
    ) -> Result<LayerStreams, ModelError> {
        let d_model = config.d_model;
        let name = |part: &str| format!("blk.{block}.{part}");
        let mut norm = |part: &str| {
            let name = name(part);
            let norm = self.norm(&name, &[d_model])?;
            norm.ok_or_else(|| missing(&format!("{name}.weight"), &[d_model]))
        };
        let (router_norm, low_rank_norm) = (norm("altup_router_norm")?, norm("laurel_post_norm")?);
        let n = N_STREAMS;
        Ok(LayerStreams {
            router_norm,
            router: self.vector(&name("altup_router.weight"), &[d_model, n])?,
            predict: self.vector(&name("altup_predict_coef.weight"), &[n, n * n])?,
            correct: self.vector(&name("altup_correct_coef.weight"), &[n, n])?,
            correct_scale: self.vector(&name("altup_correct_scale.weight"), &[d_model])?,
            low: self.matrix(&name("laurel_l.weight"), RANK, d_model)?,
            high: self.matrix(&name("laurel_r.weight"), d_model, RANK)?,
            low_rank_norm,
        })
    }
}
