//! A model file's tensors in, the matrices and vectors of each layer out, every shape checked
//! against the config.

use std::collections::HashSet;

use kelvin_kernels::{matrix::WeightMatrix, memory::Arena, pool::Pool};

use super::{Config, ModelError, families::refuse_unread};
use crate::gguf::{Gguf, TensorInfo};

/// Everything a model learned.
#[derive(Debug)]
pub(super) struct Weights {
    /// vocab_size × d_model.
    pub(super) embedding: WeightMatrix,
    pub(super) layers: Vec<Layer>,
    /// d_model.
    pub(super) output_norm: Vec<f32>,
    /// vocab_size × d_model; none where the embedding serves ("tied").
    pub(super) output: Option<WeightMatrix>,
    /// rope_dim / 2: divides the rotary angles.
    pub(super) rope_factors: Option<Vec<f32>>,
}

/// One block. Matrices are rows (outputs) × columns (inputs).
#[derive(Debug)]
pub(super) struct Layer {
    /// d_model.
    pub(super) attention_norm: Vec<f32>,
    /// n_heads·head_dim × d_model.
    pub(super) q: WeightMatrix,
    /// n_kv_heads·head_dim × d_model.
    pub(super) k: WeightMatrix,
    /// n_kv_heads·head_dim × d_model.
    pub(super) v: WeightMatrix,
    /// head_dim each, where the family has them.
    pub(super) qk_norms: Option<[Vec<f32>; 2]>,
    /// d_model × n_heads·head_dim.
    pub(super) attention_output: WeightMatrix,
    /// d_model each, after attention and after feed-forward, where the family has them.
    pub(super) post_norms: Option<[Vec<f32>; 2]>,
    /// d_model.
    pub(super) ffn_norm: Vec<f32>,
    /// d_ff × d_model.
    pub(super) gate: WeightMatrix,
    /// d_ff × d_model.
    pub(super) up: WeightMatrix,
    /// d_model × d_ff.
    pub(super) down: WeightMatrix,
    /// Added to the products with these matrices.
    pub(super) biases: Biases,
}

/// The biases of one block: one number for each row of a matrix, none where the file has no bias
/// for it.
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
        let total = gguf.tensors.iter().map(|tensor| tensor.n_bytes as u64).sum();
        let arena = Arena::new();
        let mut loader =
            Loader { gguf, pool, arena, taken: HashSet::new(), done: 0, total, progress };
        let (d_model, d_ff) = (config.d_model, config.d_ff);
        let (d_q, d_kv) = (config.n_heads * config.head_dim, config.n_kv_heads * config.head_dim);
        let embedding = loader.matrix("token_embd.weight", config.vocab_size, d_model)?;
        let mut layers = Vec::new();
        for i in 0..config.n_layers {
            let mut layer = InLayer { loader: &mut loader, i };
            layers.push(Layer {
                attention_norm: layer.vector("attn_norm", d_model)?,
                q: layer.matrix("attn_q", d_q, d_model)?,
                k: layer.matrix("attn_k", d_kv, d_model)?,
                v: layer.matrix("attn_v", d_kv, d_model)?,
                qk_norms: layer.vectors(
                    config.qk_norm,
                    ["attn_q_norm", "attn_k_norm"],
                    config.head_dim,
                )?,
                attention_output: layer.matrix("attn_output", d_model, d_q)?,
                post_norms: layer.vectors(
                    config.post_norms,
                    ["post_attention_norm", "post_ffw_norm"],
                    d_model,
                )?,
                ffn_norm: layer.vector("ffn_norm", d_model)?,
                gate: layer.matrix("ffn_gate", d_ff, d_model)?,
                up: layer.matrix("ffn_up", d_ff, d_model)?,
                down: layer.matrix("ffn_down", d_model, d_ff)?,
                biases: Biases {
                    q: layer.bias("attn_q", d_q)?,
                    k: layer.bias("attn_k", d_kv)?,
                    v: layer.bias("attn_v", d_kv)?,
                    attention_output: layer.bias("attn_output", d_model)?,
                    gate: layer.bias("ffn_gate", d_ff)?,
                    up: layer.bias("ffn_up", d_ff)?,
                    down: layer.bias("ffn_down", d_model)?,
                },
            });
        }
        let output = match gguf.tensor("output.weight") {
            Some(_) => Some(loader.matrix("output.weight", config.vocab_size, d_model)?),
            None => None,
        };
        let rope_factors = match gguf.tensor("rope_freqs.weight") {
            Some(_) => Some(loader.rope_factors(config.rope_dim / 2)?),
            None => None,
        };
        let output_norm = loader.vector("output_norm.weight", d_model)?;
        // The table of families says what is read. Should it ever say more than is done here, the
        // file is refused now.
        refuse_unread(gguf, &config.architecture, |_, name| loader.taken.contains(name))?;
        (loader.progress)(total, total);
        Ok(Weights { embedding, layers, output_norm, output, rope_factors })
    }

    pub(super) fn n_bytes(&self) -> usize {
        let layers = self.layers.iter().flat_map(|l| {
            [&l.q, &l.k, &l.v, &l.attention_output, &l.gate, &l.up, &l.down]
                .map(WeightMatrix::n_bytes)
        });
        self.embedding.n_bytes()
            + self.output.as_ref().map_or(0, WeightMatrix::n_bytes)
            + layers.sum::<usize>()
    }
}

struct Loader<'a> {
    gguf: &'a Gguf,
    pool: &'a Pool,
    arena: Arena,
    /// The names of the tensors that were read.
    taken: HashSet<&'a str>,
    done: u64,
    total: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl<'a> Loader<'a> {
    fn matrix(&mut self, name: &str, rows: usize, cols: usize) -> Result<WeightMatrix, ModelError> {
        let info = self.find(name, &[cols, rows])?;
        let read = |at: usize, out: &mut [u8]| Ok(self.gguf.read_part(info, at, out)?);
        let packed = WeightMatrix::read(self.pool, &mut self.arena, info.format, rows, cols, &read);
        self.report(info);
        packed
    }

    fn vector(&mut self, name: &str, len: usize) -> Result<Vec<f32>, ModelError> {
        let info = self.find(name, &[len])?;
        let (mut bytes, mut vector) = (Vec::new(), vec![0.0; len]);
        self.gguf.read_tensor(info, &mut bytes)?;
        info.format.dequantize(&bytes, &mut vector);
        self.report(info);
        Ok(vector)
    }

    fn rope_factors(&mut self, len: usize) -> Result<Vec<f32>, ModelError> {
        let name = "rope_freqs.weight";
        let factors = self.vector(name, len)?;
        match factors.iter().find(|factor| !(**factor > 0.0 && factor.is_finite())) {
            None => Ok(factors),
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
        let wrong = |found: String| ModelError::Tensor {
            name: name.to_string(),
            expected: expected.to_vec(),
            found,
        };
        let info =
            self.gguf.tensor(name).ok_or_else(|| wrong("no tensor of this name".to_string()))?;
        let mut shape = info.shape.as_slice();
        while let [rest @ .., 1] = shape
            && rest.len() >= expected.len()
        {
            shape = rest;
        }
        if shape != expected {
            return Err(wrong(format!("{:?}", info.shape)));
        }
        Ok(info)
    }

    fn report(&mut self, info: &'a TensorInfo) {
        self.taken.insert(&info.name);
        self.done += info.n_bytes as u64;
        (self.progress)(self.done, self.total);
    }
}

/// Names the tensors of one layer: `blk.I.NAME.weight`.
struct InLayer<'a, 'b> {
    loader: &'a mut Loader<'b>,
    i: usize,
}

impl InLayer<'_, '_> {
    fn matrix(&mut self, name: &str, rows: usize, cols: usize) -> Result<WeightMatrix, ModelError> {
        self.loader.matrix(&format!("blk.{}.{name}.weight", self.i), rows, cols)
    }

    fn vector(&mut self, name: &str, len: usize) -> Result<Vec<f32>, ModelError> {
        self.loader.vector(&format!("blk.{}.{name}.weight", self.i), len)
    }

    /// A vector that a file may have: `blk.I.NAME.bias`.
    fn bias(&mut self, name: &str, len: usize) -> Result<Option<Vec<f32>>, ModelError> {
        let name = format!("blk.{}.{name}.bias", self.i);
        match self.loader.gguf.tensor(&name) {
            Some(_) => self.loader.vector(&name, len).map(Some),
            None => Ok(None),
        }
    }

    fn vectors(
        &mut self,
        has: bool,
        names: [&str; 2],
        len: usize,
    ) -> Result<Option<[Vec<f32>; 2]>, ModelError> {
        if !has {
            return Ok(None);
        }
        Ok(Some([self.vector(names[0], len)?, self.vector(names[1], len)?]))
    }
}
