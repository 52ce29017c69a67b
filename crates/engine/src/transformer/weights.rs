//! Loads the weights of each layer. Every shape is checked against the config. The family's row
//! says which tensors there are.

use std::{collections::HashSet, ops::Range};

use kelvin_kernels::{matrix::WeightMatrix, memory::Arena, pool::Pool};

use super::{
    Config, ModelError, QkNorm,
    families::{self, Family, FeedForward, Presence, refuse_unread},
};
use crate::gguf::{Gguf, TensorInfo};

/// Everything a model learned.
#[derive(Debug)]
pub(super) struct Weights {
    /// vocab_size × d_model.
    pub(super) embedding: WeightMatrix,
    /// d_model.
    pub(super) embedding_norm: Option<Norm>,
    /// ctx_len × d_model: learned positions, added to the embedding.
    pub(super) positions: Option<WeightMatrix>,
    pub(super) layers: Vec<Layer>,
    /// d_model.
    pub(super) output_norm: Norm,
    /// vocab_size × d_model; none where the embedding serves ("tied").
    pub(super) output: Option<WeightMatrix>,
    /// vocab_size.
    pub(super) output_bias: Option<Vec<f32>>,
    /// rope_dim / 2: divides the rotary angles.
    pub(super) rope_factors: Option<Vec<f32>>,
}

/// A norm's weights and, where the file has one, its bias.
#[derive(Debug)]
pub(super) struct Norm {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Option<Vec<f32>>,
}

/// One block. Matrices are rows (outputs) × columns (inputs). Norms, biases and the gate are there
/// where the file has them.
#[derive(Debug)]
pub(super) struct Layer {
    /// d_model.
    pub(super) attention_norm: Option<Norm>,
    /// n_heads·head_dim × d_model.
    pub(super) q: WeightMatrix,
    /// n_kv_heads·head_dim × d_model.
    pub(super) k: WeightMatrix,
    /// n_kv_heads·head_dim × d_model.
    pub(super) v: WeightMatrix,
    /// For queries and for keys: head_dim, or all heads' widths.
    pub(super) qk_norms: [Option<Norm>; 2],
    /// d_model × n_heads·head_dim.
    pub(super) attention_output: WeightMatrix,
    /// d_model.
    pub(super) post_attention_norm: Option<Norm>,
    /// d_model.
    pub(super) ffn_norm: Option<Norm>,
    /// d_ff × d_model.
    pub(super) gate: Option<WeightMatrix>,
    /// d_ff × d_model.
    pub(super) up: WeightMatrix,
    /// d_model × d_ff.
    pub(super) down: WeightMatrix,
    /// d_model.
    pub(super) post_ffn_norm: Option<Norm>,
    /// Added to the products with these matrices.
    pub(super) biases: Biases,
}

/// The biases of one block: one number for each row of a matrix.
#[derive(Debug)]
pub(super) struct Biases {
    pub(super) q: Option<Vec<f32>>,
    pub(super) k: Option<Vec<f32>>,
    pub(super) v: Option<Vec<f32>>,
    pub(super) attention_output: Option<Vec<f32>>,
    pub(super) gate: Option<Vec<f32>>,
    pub(super) up: Option<Vec<f32>>,
    pub(super) down: Option<Vec<f32>>,
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
        let embedding_norm = loader.norm("token_embd_norm", &[d_model])?;
        let positions = match loader.has("position_embd.weight") {
            true => Some(loader.matrix("position_embd.weight", config.ctx_len, d_model)?),
            false => None,
        };
        let layers =
            (0..config.n_layers).map(|i| loader.layer(config, i)).collect::<Result<_, _>>()?;
        let output = match loader.has("output.weight") {
            true => Some(loader.matrix("output.weight", vocab_size, d_model)?),
            false => None,
        };
        let output_bias = loader.vector_if("output.bias", &[vocab_size])?;
        let half = config.rope_dim / 2;
        let llama3 = loader.rope_factors("rope_freqs.weight", half)?;
        let short = loader.rope_factors("rope_factors_short.weight", half)?;
        // Texts are no longer than the original context, so the long factors are only checked.
        loader.rope_factors("rope_factors_long.weight", half)?;
        let rope_factors = llama3.or(short);
        let output_norm = loader.norm("output_norm", &[d_model])?;
        let output_norm = output_norm.ok_or_else(|| missing("output_norm.weight", &[d_model]))?;
        // The table of families says what is read. Should it ever say more than is done here, the
        // file is refused now.
        refuse_unread(gguf, &config.architecture, |_, name| loader.taken.contains(name))?;
        (loader.progress)(total, total);
        Ok(Weights {
            embedding,
            embedding_norm,
            positions,
            layers,
            output_norm,
            output,
            output_bias,
            rope_factors,
        })
    }

    pub(super) fn n_bytes(&self) -> usize {
        let layers = self.layers.iter().flat_map(|l| {
            let gate = l.gate.as_ref();
            [&l.q, &l.k, &l.v, &l.attention_output, &l.up, &l.down].into_iter().chain(gate)
        });
        let optional = self.output.iter().chain(&self.positions);
        self.embedding.n_bytes() + optional.chain(layers).map(WeightMatrix::n_bytes).sum::<usize>()
    }
}

impl Layer {
    /// The matrices that attention begins with.
    pub(super) fn attention_input(&self) -> [&WeightMatrix; 3] {
        [&self.q, &self.k, &self.v]
    }

    /// The matrices that feed-forward begins with: up, and the gate if there is one.
    pub(super) fn ffn_input(&self) -> ([&WeightMatrix; 2], usize) {
        match &self.gate {
            Some(gate) => ([gate, &self.up], 2),
            None => ([&self.up, &self.up], 1),
        }
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
    fn layer(&mut self, config: &Config, i: usize) -> Result<Layer, ModelError> {
        let family = self.family;
        let (d_model, d_ff) = (config.d_model, config.d_ff);
        let [d_q, d_kv] = [config.n_heads, config.n_kv_heads].map(|n| n * config.head_dim);
        let name = |part: &str| format!("blk.{i}.{part}");
        let weight = |part: &str| format!("blk.{i}.{part}.weight");
        let bias = |part: &str| format!("blk.{i}.{part}.bias");
        let attention_norm = self.first_norm(family.attention_norms, i, d_model)?;
        let widths = [d_q, d_kv, d_kv];
        let [q, k, v] = self.qkv(i, widths, d_model)?;
        let [q_bias, k_bias, v_bias] = self.qkv_biases(i, widths)?;
        let norm_shape = |n_heads: usize| match family.qk_norm {
            QkNorm::Head => vec![config.head_dim],
            QkNorm::EachHead => vec![config.head_dim, n_heads],
            QkNorm::Whole => vec![n_heads * config.head_dim],
        };
        let qk_norms = [
            self.norm(&name("attn_q_norm"), &norm_shape(config.n_heads))?,
            self.norm(&name("attn_k_norm"), &norm_shape(config.n_kv_heads))?,
        ];
        let attention_output = self.matrix(&weight("attn_output"), d_model, d_q)?;
        let mut post_norm = |part: &str| match family.post_norms {
            true => self.norm(&name(part), &[d_model]),
            false => Ok(None),
        };
        let post_attention_norm = post_norm("post_attention_norm")?;
        let post_ffn_norm = post_norm("post_ffw_norm")?;
        let ffn_norm = self.first_norm(family.ffn_norms, i, d_model)?;
        let up = weight("ffn_up");
        let (gate, up) = match family.feed_forward {
            FeedForward::Gated(_) => {
                let gate = self.matrix(&weight("ffn_gate"), d_ff, d_model)?;
                (Some(gate), self.matrix(&up, d_ff, d_model)?)
            }
            FeedForward::FusedGate(_) => {
                let gate = self.rows(&up, 0..d_ff, 2 * d_ff, d_model)?;
                (Some(gate), self.rows(&up, d_ff..2 * d_ff, 2 * d_ff, d_model)?)
            }
            FeedForward::Plain(_) | FeedForward::Xielu => (None, self.matrix(&up, d_ff, d_model)?),
        };
        Ok(Layer {
            attention_norm,
            q,
            k,
            v,
            qk_norms,
            attention_output,
            post_attention_norm,
            ffn_norm,
            gate,
            up,
            down: self.matrix(&weight("ffn_down"), d_model, d_ff)?,
            post_ffn_norm,
            biases: Biases {
                q: q_bias,
                k: k_bias,
                v: v_bias,
                attention_output: self.vector_if(&bias("attn_output"), &[d_model])?,
                gate: self.vector_if(&bias("ffn_gate"), &[d_ff])?,
                up: self.vector_if(&bias("ffn_up"), &[d_ff])?,
                down: self.vector_if(&bias("ffn_down"), &[d_model])?,
            },
        })
    }

    /// Queries, keys and values: parts of one tensor, or three.
    fn qkv(
        &mut self,
        i: usize,
        [q, k, v]: [usize; 3],
        d_model: usize,
    ) -> Result<[WeightMatrix; 3], ModelError> {
        let fused = format!("blk.{i}.attn_qkv.weight");
        if self.has(&fused) {
            let n = q + k + v;
            return Ok([
                self.rows(&fused, 0..q, n, d_model)?,
                self.rows(&fused, q..q + k, n, d_model)?,
                self.rows(&fused, q + k..n, n, d_model)?,
            ]);
        }
        let name = |part: &str| format!("blk.{i}.{part}.weight");
        Ok([
            self.matrix(&name("attn_q"), q, d_model)?,
            self.matrix(&name("attn_k"), k, d_model)?,
            self.matrix(&name("attn_v"), v, d_model)?,
        ])
    }

    fn qkv_biases(
        &mut self,
        i: usize,
        [q, k, v]: [usize; 3],
    ) -> Result<[Option<Vec<f32>>; 3], ModelError> {
        let name = |part: &str| format!("blk.{i}.{part}.bias");
        if let Some(fused) = self.vector_if(&name("attn_qkv"), &[q + k + v])? {
            return Ok([&fused[..q], &fused[q..q + k], &fused[q + k..]].map(|x| Some(x.to_vec())));
        }
        Ok([
            self.vector_if(&name("attn_q"), &[q])?,
            self.vector_if(&name("attn_k"), &[k])?,
            self.vector_if(&name("attn_v"), &[v])?,
        ])
    }

    /// Whether a tensor is to be read: the family reads it, and the file has it or is at fault.
    fn has(&self, name: &str) -> bool {
        match self.family.presence(name) {
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

    fn vector_if(&mut self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, ModelError> {
        if self.has(name) { self.vector(name, shape).map(Some) } else { Ok(None) }
    }

    /// The norm of this name without `.weight`, if it's to be read.
    fn norm(&mut self, name: &str, shape: &[usize]) -> Result<Option<Norm>, ModelError> {
        let Some(weight) = self.vector_if(&format!("{name}.weight"), shape)? else {
            return Ok(None);
        };
        Ok(Some(Norm { weight, bias: self.vector_if(&format!("{name}.bias"), shape)? }))
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
        match factors.iter().find(|factor| !(**factor > 0.0 && factor.is_finite())) {
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
        let info = self.gguf.tensor(name).ok_or_else(|| missing(name, expected))?;
        let mut shape = info.shape.as_slice();
        while let [rest @ .., 1] = shape
            && rest.len() >= expected.len()
        {
            shape = rest;
        }
        if shape != expected {
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
