//! Loads the weights of each layer. Every shape is checked against the config. The family's row
//! says which tensors there are.

use std::{collections::HashSet, ops::Range};

mod adapters;
mod attention;
mod dense;
mod experts;
mod hyper;
mod latent;
mod layer;
mod layer_embedding;
mod linear;
mod ngrams;
mod recurrent;
mod shared_key;
mod stacks;
mod streams;
mod time_mix;

use kelvin_kernels::{matrix::WeightMatrix, memory::Arena, pool::Pool};

use super::{
    config::{Config, LayerConfig, RecurrentConfig},
    error::ModelError,
    families::{self, Family, Presence, refuse_unread},
};
use crate::{
    TokenId,
    gguf::{Gguf, TensorInfo},
};
pub(super) use adapters::{Adapters, SwitchTable};
pub(super) use attention::{Attention, Projections};
pub(super) use dense::Dense;
pub(super) use experts::{Experts, Narrow};
pub(super) use hyper::{Hyper, KeptSums, StreamGates, StreamWeights};
pub(super) use latent::{Latent, Spread};
pub(super) use layer::Layer;
pub(super) use layer_embedding::{LayerEmbedding, OfLayer};
pub(super) use ngrams::Ngrams;
pub(super) use recurrent::{Heads, Recurrent, Selective};
pub(super) use shared_key::{Compressor, SharedKey};
pub(super) use stacks::Stacks;
pub(super) use streams::{LayerStreams, N_STREAMS, Streams};
pub(super) use time_mix::{ChannelMix, LowRank, TimeMix, Version};

/// Everything a model learned.
#[derive(Debug)]
pub(super) struct Weights {
    /// vocab_size × d_model.
    pub(super) embedding: WeightMatrix,
    /// d_model.
    pub(super) embedding_norm: Option<Norm>,
    /// ctx_len × d_model: learned positions, added to the embedding.
    pub(super) positions: Option<WeightMatrix>,
    /// The embedding that each layer has besides.
    pub(super) layer_embedding: Option<LayerEmbedding>,
    /// What makes the other streams, and the last one of all of them.
    pub(super) streams: Option<Streams>,
    /// What one layer reads by the last tokens.
    pub(super) ngrams: Option<Ngrams>,
    /// What tokens mean to adapters.
    pub(super) switch: Option<SwitchTable>,
    /// What the output reads of several streams.
    pub(super) hyper_head: Option<Hyper>,
    /// What two stacks of layers by turns have.
    pub(super) stacks: Option<Stacks>,
    /// By their number in the file; none for a block that isn't run.
    pub(super) blocks: Vec<Option<Layer>>,
    /// d_model; none where what the output reads of several streams has norms.
    pub(super) output_norm: Option<Norm>,
    /// vocab_size × d_model; none where the embedding serves ("tied").
    pub(super) output: Option<WeightMatrix>,
    /// vocab_size.
    pub(super) output_bias: Option<Vec<f32>>,
    /// Half as many as numbers turn: divides the rotary angles.
    pub(super) rope_factors: Option<Vec<f32>>,
}

/// A norm's weights and, where the file has one, its bias.
#[derive(Debug)]
pub(super) struct Norm {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Option<Vec<f32>>,
}

/// What becomes of a product with a matrix: a factor, and a number for each row to be added.
#[derive(Debug, Default, Clone)]
pub(super) struct After {
    pub(super) scale: Option<f32>,
    pub(super) bias: Option<Vec<f32>>,
}

impl After {
    /// Whether it changes anything.
    pub(super) fn is_nothing(&self) -> bool {
        self.scale.is_none() && self.bias.is_none()
    }

    /// One multiplication and one addition for each number, so no bit depends on how rows are
    /// spread over threads and instructions.
    pub(super) fn apply(&self, row: &mut [f32]) {
        if let Some(scale) = self.scale {
            row.iter_mut().for_each(|x| *x *= scale);
        }
        if let Some(bias) = &self.bias {
            row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
        }
    }
}

impl Weights {
    pub(super) fn load(
        gguf: &Gguf,
        config: &Config,
        pool: &Pool,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Weights, ModelError> {
        let family = families::find(&config.architecture).expect("the config is of a family");
        let total = gguf.tensors.iter().map(|tensor| tensor.n_bytes as u64).sum();
        let arena = Arena::new();
        let taken = HashSet::new();
        let mut loader = Loader { gguf, family, pool, arena, taken, done: 0, total, progress };
        let (d_model, vocab_size) = (config.d_model, config.vocab_size);
        let embedding = loader.matrix("token_embd.weight", vocab_size, d_model)?;
        let embedding_norm = match family.output_norm {
            "token_embd_norm" => None,
            _ => loader.norm("token_embd_norm", &[d_model])?,
        };
        let positions = match loader.has("position_embd.weight") {
            true => Some(loader.matrix("position_embd.weight", config.ctx_len, d_model)?),
            false => None,
        };
        let layer_embedding = match config.layer_embedding {
            0 => None,
            _ => Some(loader.layer_embedding(config)?),
        };
        let streams = config.streams.then(|| loader.streams(config)).transpose()?;
        let hyper_head = loader.hyper_head(config)?;
        let ngrams = config.ngrams.as_ref();
        let ngrams = ngrams.map(|ngrams| loader.ngrams(config, ngrams)).transpose()?;
        let stacks = loader.stacks(config)?;
        let blocks = loader.blocks(config)?;
        let output = match loader.has("output.weight") {
            true => Some(loader.matrix("output.weight", vocab_size, d_model)?),
            false => None,
        };
        let output_bias = loader.vector_if("output.bias", &[vocab_size])?;
        let half = if family.half_rotary { config.ropes[0].dim } else { config.ropes[0].dim / 2 };
        let llama3 = loader.rope_factors("rope_freqs.weight", half)?;
        let short = loader.rope_factors("rope_factors_short.weight", half)?;
        // Texts are no longer than the original context, so the long factors are only checked.
        loader.rope_factors("rope_factors_long.weight", half)?;
        let rope_factors = llama3.or(short);
        let output_norm = match family.output_norm {
            "" => None,
            name => {
                let norm = loader.norm(name, &[d_model])?;
                Some(norm.ok_or_else(|| missing(&format!("{name}.weight"), &[d_model]))?)
            }
        };
        // The table of families says what is read. Should it ever say more than is done here, the
        // file is refused now.
        let is_known =
            |_, name: &str| loader.taken.contains(name) || family.unused(name, gguf).is_some();
        refuse_unread(gguf, &config.architecture, is_known)?;
        (loader.progress)(total, total);
        Ok(Weights {
            embedding,
            embedding_norm,
            positions,
            layer_embedding,
            streams,
            ngrams,
            switch: config.switch.as_ref().map(|switch| SwitchTable::new(config, switch)),
            hyper_head,
            stacks,
            blocks,
            output_norm,
            output,
            output_bias,
            rope_factors,
        })
    }

    pub(super) fn n_bytes(&self) -> usize {
        let blocks = self.blocks.iter().flatten().flat_map(|block| {
            let dense = block.dense.iter().flat_map(Dense::matrices);
            let ffn = dense.chain(block.mixture().into_iter().flat_map(Experts::matrices));
            let attention = block.attention.iter().flat_map(Attention::matrices);
            let streams = block.streams.iter().flat_map(LayerStreams::matrices);
            let streams = streams.chain(block.recurrent.iter().flat_map(Recurrent::matrices));
            let mixes = block.time_mix.iter().flat_map(TimeMix::matrices);
            let mixes = mixes.chain(block.channel_mix.iter().flat_map(ChannelMix::matrices));
            let hyper = block.hyper.iter().flatten().flat_map(Hyper::matrices);
            let streams = streams.chain(mixes).chain(hyper);
            let parts = block.embedding.iter().flat_map(OfLayer::matrices).chain(streams);
            ffn.chain(attention).chain(parts)
        });
        let each_layer = self.layer_embedding.iter().flat_map(LayerEmbedding::matrices);
        let streams = self.streams.iter().flat_map(Streams::matrices);
        let streams = streams.chain(self.hyper_head.iter().flat_map(Hyper::matrices));
        let streams = streams.chain(self.ngrams.iter().flat_map(Ngrams::matrices));
        let whole = self.output.iter().chain(&self.positions).chain(each_layer).chain(streams);
        self.embedding.n_bytes() + whole.chain(blocks).map(WeightMatrix::n_bytes).sum::<usize>()
    }

    /// Whose embedding a token has.
    pub(super) fn embedded(&self, token: TokenId) -> usize {
        let switch = self.switch.as_ref();
        switch.map_or(token.index(), |switch| switch.embedded[token.index()] as usize)
    }

    /// The weights of a layer.
    pub(super) fn of(&self, layer: &LayerConfig) -> &Layer {
        self.blocks[layer.block].as_ref().expect("the config names blocks that are loaded")
    }
}

struct Loader<'a> {
    gguf: &'a Gguf,
    family: &'static Family,
    pool: &'a Pool,
    arena: Arena,
    /// The names of the tensors that were read.
    taken: HashSet<&'a str>,
    done: u64,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

fn missing(name: &str, expected: &[usize]) -> ModelError {
    ModelError::Tensor {
        name: name.to_string(),
        expected: expected.to_vec(),
        found: "no tensor of this name".to_string(),
    }
}

impl<'a> Loader<'a> {
    /// The blocks that are run. Of others, tensors are passed over.
    fn blocks(&mut self, config: &Config) -> Result<Vec<Option<Layer>>, ModelError> {
        let n_blocks = config.layers.iter().map(|layer| layer.block + 1).max().unwrap_or(0);
        let mut blocks: Vec<Option<Layer>> = (0..n_blocks).map(|_| None).collect();
        for (i, layer) in config.layers.iter().enumerate() {
            if blocks[layer.block].is_none() {
                blocks[layer.block] = Some(self.layer(config, i)?);
            }
        }
        let runs = |block: &str| config.layers.iter().any(|l| l.block.to_string() == block);
        for tensor in &self.gguf.tensors {
            let rest = tensor.name.strip_prefix("blk.").and_then(|rest| rest.split_once('.'));
            if rest.is_some_and(|(block, _)| !runs(block)) {
                self.report(tensor);
            }
        }
        Ok(blocks)
    }

    /// The weights of layer `i`.
    fn layer(&mut self, config: &Config, i: usize) -> Result<Layer, ModelError> {
        let family = self.family;
        let layer = &config.layers[i];
        let (d_model, d_ff, block) = (config.d_model, layer.d_ff, layer.block);
        let name = |part: &str| format!("blk.{block}.{part}");
        let attention = match layer.n_heads {
            0 => None,
            _ => Some(self.attention(config, i)?),
        };
        let of_layer = config.recurrent.as_ref().filter(|_| layer.recurrent.is_some());
        let is_rwkv = of_layer.is_some_and(RecurrentConfig::is_rwkv);
        let recurrent = match of_layer {
            Some(recurrent) if !is_rwkv => Some(self.recurrent(config, recurrent, i)?),
            _ => None,
        };
        let (time_mix, channel_mix) = match of_layer {
            Some(c) if is_rwkv => (
                Some(self.time_mix(config, c, i)?),
                match c.mixes_ffn {
                    true => Some(self.channel_mix(c.kind, block, d_ff, d_model)?),
                    false => None,
                },
            ),
            _ => (None, None),
        };
        let post_ffn_norm =
            self.post_norm(&["post_ffw_norm", "layer_output_norm"], block, d_model)?;
        let ffn_norm = self.first_norm(family.ffn_norms, block, d_model)?;
        let mixture = config.experts.as_ref().filter(|_| layer.experts);
        let is_early = mixture.is_some_and(|mixture| mixture.before_attention);
        let experts = mixture.map(|mixture| self.experts(config, mixture, block)).transpose()?;
        let has_dense = d_ff > 0 && channel_mix.is_none();
        let dense = match has_dense && (experts.is_none() || is_early) {
            true => Some(self.dense(config, block, d_ff)?),
            false => None,
        };
        let (experts, early_experts) = match experts {
            Some(experts) if is_early => {
                let name = name("ffn_norm_exps");
                let norm = self.norm(&name, &[d_model])?;
                let norm = norm.ok_or_else(|| missing(&format!("{name}.weight"), &[d_model]))?;
                (None, Some((norm, experts)))
            }
            experts => (experts, None),
        };
        Ok(Layer {
            attention,
            recurrent,
            time_mix,
            channel_mix,
            ffn_norm,
            dense,
            experts,
            early_experts,
            post_ffn_norm,
            embedding: match config.layer_embedding {
                0 => None,
                _ => Some(self.embedding_of_layer(config, block)?),
            },
            scale: match of_layer.map_or(0, |c| c.halved_every) {
                every if every > 0 && (i + 1).is_multiple_of(every) => Some(0.5),
                _ => self.number(&name("layer_output_scale.weight"))?,
            },
            streams: config.streams.then(|| self.layer_streams(config, block)).transpose()?,
            hyper: self.hyper_halves(config, i)?,
        })
    }

    /// The factor and the bias of the matrix of this name.
    fn after(&mut self, name: &str, rows: usize) -> Result<After, ModelError> {
        let scale = self.number(&format!("{name}.scale"))?;
        Ok(After { scale, bias: self.vector_if(&format!("{name}.bias"), &[rows])? })
    }

    /// A tensor of one number, if it's to be read.
    fn number(&mut self, name: &str) -> Result<Option<f32>, ModelError> {
        Ok(self.vector_if(name, &[1])?.map(|numbers| numbers[0]))
    }

    /// Whether a tensor is to be read: the family reads it, and the file has it or is at fault.
    fn has(&self, name: &str) -> bool {
        match self.family.presence(name, self.gguf) {
            None => false,
            Some(Presence::Required) => true,
            Some(Presence::Optional) => self.gguf.tensor(name).is_some(),
        }
    }

    fn matrix(&mut self, name: &str, rows: usize, cols: usize) -> Result<WeightMatrix, ModelError> {
        self.rows(name, 0..rows, rows, cols)
    }

    /// Some rows of a matrix of `n_rows`.
    fn rows(
        &mut self,
        name: &str,
        rows: Range<usize>,
        n_rows: usize,
        cols: usize,
    ) -> Result<WeightMatrix, ModelError> {
        let info = self.find(name, &[cols, n_rows])?;
        let before = rows.start * (info.n_bytes / n_rows);
        let read = |at: usize, out: &mut [u8]| Ok(self.gguf.read_part(info, before + at, out)?);
        let (arena, format) = (&mut self.arena, info.format);
        let packed = WeightMatrix::read(self.pool, arena, format, rows.len(), cols, &read);
        self.report(info);
        packed
    }

    fn vector(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let info = self.find(name, shape)?;
        let (mut bytes, mut vector) = (Vec::new(), vec![0.0; shape.iter().product()]);
        self.gguf.read_tensor(info, &mut bytes)?;
        info.format.dequantize(&bytes, &mut vector);
        self.report(info);
        Ok(vector)
    }

    /// A tensor of integers.
    fn integers(&mut self, name: &str, shape: &[usize]) -> Result<Vec<i32>, ModelError> {
        let info = self.table(name, shape)?;
        if !info.is_table {
            return Err(ModelError::Tensor {
                name: name.to_string(),
                expected: shape.to_vec(),
                found: format!("numbers of type {}, expected I32", info.format_name()),
            });
        }
        let mut bytes = Vec::new();
        self.gguf.read_tensor(info, &mut bytes)?;
        self.report(info);
        Ok(bytes.as_chunks::<4>().0.iter().map(|x| i32::from_le_bytes(*x)).collect())
    }

    fn vector_if(&mut self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, ModelError> {
        if self.has(name) { self.vector(name, shape).map(Some) } else { Ok(None) }
    }

    /// The norm of this name without `.weight`, if it's to be read. One without weights has ones.
    fn norm(&mut self, name: &str, shape: &[usize]) -> Result<Option<Norm>, ModelError> {
        let last = name.rsplit('.').next().unwrap_or(name);
        if self.family.unweighted_norms.contains(&last) {
            return Ok(Some(Norm { weight: vec![1.0; shape.iter().product()], bias: None }));
        }
        let weight = match self.vector_if(&format!("{name}.weight"), shape)? {
            None => self.vector_if(name, shape)?,
            weight => weight,
        };
        let Some(weight) = weight else { return Ok(None) };
        Ok(Some(Norm { weight, bias: self.vector_if(&format!("{name}.bias"), shape)? }))
    }

    /// The norm after one half of a block, where the family has such norms: the first of some that
    /// the file has.
    fn post_norm(
        &mut self,
        names: &[&str],
        i: usize,
        d_model: usize,
    ) -> Result<Option<Norm>, ModelError> {
        if !self.family.post_norms {
            return Ok(None);
        }
        match self.first_norm(names, i, d_model)? {
            None => Err(missing(&format!("blk.{i}.{}.weight", names[0]), &[d_model])),
            norm => Ok(norm),
        }
    }

    /// The first norm of some that the file has.
    fn first_norm(
        &mut self,
        names: &[&str],
        i: usize,
        d_model: usize,
    ) -> Result<Option<Norm>, ModelError> {
        for name in names {
            if let Some(norm) = self.norm(&format!("blk.{i}.{name}"), &[d_model])? {
                return Ok(Some(norm));
            }
        }
        Ok(None)
    }

    fn rope_factors(&mut self, name: &str, len: usize) -> Result<Option<Vec<f32>>, ModelError> {
        let Some(factors) = self.vector_if(name, &[len])? else {
            return Ok(None);
        };
        match factors.iter().find(|factor| **factor == 0.0 || !factor.is_finite()) {
            None => Ok(Some(factors)),
            Some(bad) => Err(ModelError::Tensor {
                name: name.to_string(),
                expected: vec![len],
                found: format!("the factor {bad}, which divides no angle"),
            }),
        }
    }

    /// The tensor of the shape that is expected, innermost dimension first; further dimensions of 1
    /// are allowed.
    fn find(&self, name: &str, expected: &[usize]) -> Result<&'a TensorInfo, ModelError> {
        let info = self.table(name, expected)?;
        if info.is_table {
            return Err(ModelError::Tensor {
                name: name.to_string(),
                expected: expected.to_vec(),
                found: "integers (I32) in the place of weights".to_string(),
            });
        }
        Ok(info)
    }

    /// As [`Loader::find`], of a tensor of integers as well.
    fn table(&self, name: &str, expected: &[usize]) -> Result<&'a TensorInfo, ModelError> {
        let info = self.gguf.tensor(name).ok_or_else(|| missing(name, expected))?;
        let size = |shape: &[usize], i: usize| shape.get(i).copied().unwrap_or(1);
        let n = info.shape.len().max(expected.len());
        if (0..n).any(|i| size(&info.shape, i) != size(expected, i)) {
            return Err(ModelError::Tensor {
                name: name.to_string(),
                expected: expected.to_vec(),
                found: format!("{:?}", info.shape),
            });
        }
        Ok(info)
    }

    /// Counts a tensor, once however often parts of it are read.
    fn report(&mut self, info: &'a TensorInfo) {
        if self.taken.insert(&info.name) {
            self.done += info.n_bytes as u64;
            (self.progress)(self.done, self.total);
        }
    }
}
