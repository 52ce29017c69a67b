//! Loads the weights of a layer's mixture of experts. A tensor of the file holds the matrices of
//! all experts one after another.

use std::ops::Range;

use kelvin_kernels::{format::Format, matrix::WeightMatrix};

use super::{Dense, Loader, Norm};
use crate::transformer::{Config, ExpertConfig, ModelError, families::DenseBeside};

/// How the names of gates end.
const GATES: &str = ".ffn_gate_exps.weight";

/// The mixture of experts of one block. Matrices are rows (outputs) × columns (inputs).
#[derive(Debug)]
pub(in super::super) struct Experts {
    /// n_experts × d_model; none in a second mixture.
    pub(in super::super) router: Option<WeightMatrix>,
    /// The second mixture, which reads what this one makes.
    pub(in super::super) grouped: Option<Box<Experts>>,
    /// n_experts.
    pub(in super::super) router_bias: Option<Vec<f32>>,
    /// n_experts: added to weights for selection alone.
    pub(in super::super) selection_bias: Option<Vec<f32>>,
    /// vocab_size × n_used: the experts that a token goes through, in layers that don't select.
    pub(in super::super) by_token: Option<Vec<u32>>,
    /// For each expert d_ff × d_model; empty where experts have no gate.
    pub(in super::super) gate: Vec<WeightMatrix>,
    /// For each expert d_ff × d_model.
    pub(in super::super) up: Vec<WeightMatrix>,
    /// For each expert d_model × d_ff; empty where an expert has one matrix.
    pub(in super::super) down: Vec<WeightMatrix>,
    /// n_experts × d_ff.
    pub(in super::super) gate_bias: Option<Vec<f32>>,
    /// n_experts × d_ff.
    pub(in super::super) up_bias: Option<Vec<f32>>,
    /// n_experts × d_model.
    pub(in super::super) down_bias: Option<Vec<f32>>,
    /// n_experts each: multiply the products of an expert's gate, up and down matrix.
    pub(in super::super) scales: [Option<Vec<f32>>; 3],
    /// What leads the stream to experts of a narrower one, and back.
    pub(in super::super) narrow: Option<Narrow>,
    /// The network that all tokens go through besides.
    pub(in super::super) shared: Option<Dense>,
    /// 1 × d_model: its output is multiplied with the logistic function of this.
    pub(in super::super) shared_gate: Option<WeightMatrix>,
}

/// A narrower stream, which experts read and make.
#[derive(Debug)]
pub(in super::super) struct Narrow {
    /// Its width × d_model.
    pub(in super::super) down: WeightMatrix,
    /// Its width.
    pub(in super::super) norm: Option<Norm>,
    /// d_model × its width.
    pub(in super::super) up: WeightMatrix,
}

impl Experts {
    /// The matrices that a layer of experts begins with: the router, and the shared expert's.
    pub(in super::super) fn input(&self) -> impl Iterator<Item = &WeightMatrix> {
        let shared = self.shared.iter().flat_map(Dense::input);
        self.router.iter().chain(&self.shared_gate).chain(shared)
    }

    /// The matrices of one expert.
    pub(in super::super) fn of_expert(&self, expert: usize) -> impl Iterator<Item = &WeightMatrix> {
        let down = self.down.get(expert);
        self.gate.get(expert).into_iter().chain([&self.up[expert]]).chain(down)
    }

    /// All matrices.
    pub(in super::super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        let experts = (0..self.up.len()).flat_map(|expert| self.of_expert(expert));
        let shared = self.shared.iter().flat_map(Dense::matrices);
        let grouped = self
            .grouped
            .iter()
            .flat_map(|grouped| (0..grouped.up.len()).flat_map(|expert| grouped.of_expert(expert)));
        let narrow = self.narrow.iter().flat_map(|narrow| [&narrow.down, &narrow.up]);
        let experts = experts.chain(shared).chain(narrow);
        experts.chain(&self.shared_gate).chain(&self.router).chain(grouped)
    }
}

impl Loader<'_> {
    /// The mixture of a block.
    pub(super) fn experts(
        &mut self,
        config: &Config,
        mixture: &ExpertConfig,
        block: usize,
    ) -> Result<Experts, ModelError> {
        let (d_model, n, d_ff) = (config.d_model, mixture.n_experts, mixture.d_ff);
        let d_stream = mixture.d_stream;
        let weight = |part: &str| format!("blk.{block}.{part}.weight");
        let bias = |part: &str| format!("blk.{block}.{part}.bias");
        let fused = weight("ffn_gate_up_exps");
        let router = self.matrix(&weight("ffn_gate_inp"), n, d_model)?;
        let (gate, up) = if self.has(&fused) {
            let gate = self.expert_rows(&fused, n, 0..d_ff, 2 * d_ff, d_stream)?;
            (gate, self.expert_rows(&fused, n, d_ff..2 * d_ff, 2 * d_ff, d_stream)?)
        } else {
            // Experts have gates in all layers or in none: one that is missing is an error.
            let has_gates = self.gguf.tensors.iter().any(|t| t.name.ends_with(GATES));
            let gate = match has_gates || self.has(&weight("ffn_gate_exps")) {
                true => self.expert_rows(&weight("ffn_gate_exps"), n, 0..d_ff, d_ff, d_stream)?,
                false => Vec::new(),
            };
            (gate, self.expert_rows(&weight("ffn_up_exps"), n, 0..d_ff, d_ff, d_stream)?)
        };
        let down = self.expert_rows(&weight("ffn_down_exps"), n, 0..d_stream, d_stream, d_ff)?;
        let is_dense = self.family.experts.as_ref().map(|rules| rules.dense);
        let ending = if is_dense == Some(DenseBeside::Shared) { "" } else { "_shexp" };
        let shared = match mixture.d_shared {
            0 => None,
            width => Some(self.shared_expert(block, ending, width, d_model)?),
        };
        let shared_gate = match self.vector_if(&weight("ffn_gate_inp_shexp"), &[d_model])? {
            None => None,
            Some(row) => {
                let bytes: Vec<u8> = row.iter().flat_map(|x| x.to_le_bytes()).collect();
                Some(WeightMatrix::new(self.pool, Format::F32, 1, d_model, &bytes)?)
            }
        };
        Ok(Experts {
            router: Some(router),
            grouped: match &mixture.grouped {
                Some(grouped) => {
                    let n = n / grouped.n_sharing;
                    Some(Box::new(self.grouped_experts(block, n, grouped.d_ff, d_model)?))
                }
                None => None,
            },
            router_bias: self.vector_if(&bias("ffn_gate_inp"), &[n])?,
            selection_bias: match block < mixture.n_by_token {
                true => None,
                false => self.selection_bias(block, n)?,
            },
            by_token: match block < mixture.n_by_token {
                true => Some(self.experts_of_tokens(config, mixture, block)?),
                false => None,
            },
            gate,
            up,
            down,
            gate_bias: self.vector_if(&bias("ffn_gate_exps"), &[d_ff, n])?,
            up_bias: self.vector_if(&bias("ffn_up_exps"), &[d_ff, n])?,
            down_bias: self.vector_if(&bias("ffn_down_exps"), &[d_stream, n])?,
            scales: [
                self.vector_if(&format!("blk.{block}.ffn_gate_exps.scale"), &[n])?,
                self.vector_if(&format!("blk.{block}.ffn_up_exps.scale"), &[n])?,
                self.vector_if(&format!("blk.{block}.ffn_down_exps.scale"), &[n])?,
            ],
            narrow: match mixture.is_narrow {
                false => None,
                true => Some(Narrow {
                    down: self.matrix(&weight("ffn_routed_down"), d_stream, d_model)?,
                    norm: self.norm(&format!("blk.{block}.ffn_routed_norm"), &[d_stream])?,
                    up: self.matrix(&weight("ffn_routed_up"), d_model, d_stream)?,
                }),
            },
            shared,
            shared_gate,
        })
    }

    fn selection_bias(&mut self, block: usize, n: usize) -> Result<Option<Vec<f32>>, ModelError> {
        let name = format!("blk.{block}.exp_probs_b");
        match self.vector_if(&format!("{name}.bias"), &[n])? {
            None => self.vector_if(&name, &[n]),
            bias => Ok(bias),
        }
    }

    /// The experts that each token goes through.
    fn experts_of_tokens(
        &mut self,
        config: &Config,
        mixture: &ExpertConfig,
        block: usize,
    ) -> Result<Vec<u32>, ModelError> {
        let shape = [mixture.n_used, config.vocab_size];
        let name = format!("blk.{block}.ffn_gate_tid2eid.weight");
        let table = self.integers(&name, &shape)?;
        let expert = |x: &i32| u32::try_from(*x).ok().filter(|x| (*x as usize) < mixture.n_experts);
        let wrong = |x: &i32| ModelError::Tensor {
            name: name.clone(),
            expected: shape.to_vec(),
            found: format!("{x}, which is none of {} experts", mixture.n_experts),
        };
        table.iter().map(|x| expert(x).ok_or_else(|| wrong(x))).collect()
    }

    /// The networks that experts share.
    fn grouped_experts(
        &mut self,
        block: usize,
        n: usize,
        d_ff: usize,
        d_model: usize,
    ) -> Result<Experts, ModelError> {
        let name = |part: &str| format!("blk.{block}.{part}_chexps.weight");
        Ok(Experts {
            router: None,
            grouped: None,
            router_bias: None,
            selection_bias: None,
            by_token: None,
            gate: self.expert_rows(&name("ffn_gate"), n, 0..d_ff, d_ff, d_model)?,
            up: self.expert_rows(&name("ffn_up"), n, 0..d_ff, d_ff, d_model)?,
            down: self.expert_rows(&name("ffn_down"), n, 0..d_model, d_model, d_ff)?,
            gate_bias: None,
            up_bias: None,
            down_bias: None,
            scales: [None, None, None],
            narrow: None,
            shared: None,
            shared_gate: None,
        })
    }

    /// The mixture that makes values of attention in a block.
    pub(super) fn value_experts(
        &mut self,
        mixture: &ExpertConfig,
        block: usize,
    ) -> Result<Experts, ModelError> {
        let &ExpertConfig { n_experts: n, d_ff: d_v, d_stream: d_model, .. } = mixture;
        let name = |part: &str| format!("blk.{block}.attn_v_{part}");
        Ok(Experts {
            router: Some(self.matrix(&name("gate.weight"), n, d_model)?),
            grouped: None,
            router_bias: None,
            selection_bias: self.vector_if(&name("gate.bias"), &[n])?,
            by_token: None,
            gate: Vec::new(),
            up: self.expert_rows(&name("exps.weight"), n, 0..d_v, d_v, d_model)?,
            down: Vec::new(),
            gate_bias: None,
            up_bias: None,
            down_bias: None,
            scales: [None, None, None],
            narrow: None,
            shared: None,
            shared_gate: None,
        })
    }

    /// Some rows of each expert's, or each head's, matrix of `n_rows`: one matrix for each.
    pub(super) fn expert_rows(
        &mut self,
        name: &str,
        n_experts: usize,
        rows: Range<usize>,
        n_rows: usize,
        cols: usize,
    ) -> Result<Vec<WeightMatrix>, ModelError> {
        let info = self.find(name, &[cols, n_rows, n_experts])?;
        let row_bytes = info.n_bytes / (n_rows * n_experts);
        let mut matrix = |expert: usize| {
            let before = (expert * n_rows + rows.start) * row_bytes;
            let read =
                |at: usize, out: &mut [u8]| Ok(self.gguf.read_part(info, before + at, out)?);
            let (arena, format) = (&mut self.arena, info.format);
            WeightMatrix::read(self.pool, arena, format, rows.len(), cols, &read)
        };
        let matrices = (0..n_experts).map(&mut matrix).collect::<Result<_, ModelError>>();
        self.report(info);
        matrices
    }
}
