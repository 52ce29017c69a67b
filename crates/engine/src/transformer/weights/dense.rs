//! Loads the weights of feed-forward networks that all tokens go through.

use kelvin_kernels::matrix::WeightMatrix;

use super::{Adapters, After, Loader, Norm};
use crate::transformer::{
    Config, ModelError,
    families::{FeedForward, is_nvfp4},
};

/// Layers with sparse activations, from the first on, in families of several streams.
const SPARSE_LAYERS: usize = 10;

/// A feed-forward network.
#[derive(Debug)]
pub(in super::super) struct Dense {
    /// d_ff × d_model.
    pub(in super::super) gate: Option<WeightMatrix>,
    /// d_ff × d_model.
    pub(in super::super) up: WeightMatrix,
    /// Only gates far above their mean count.
    pub(in super::super) sparse: bool,
    /// d_ff: what activations are divided by.
    pub(in super::super) divisors: Option<Vec<f32>>,
    /// d_ff.
    pub(in super::super) sub_norm: Option<Norm>,
    /// d_model × d_ff.
    pub(in super::super) down: WeightMatrix,
    /// What is done with the products of these matrices.
    pub(in super::super) after: AfterFeedForward,
    /// The adapters of gate, up and down.
    pub(in super::super) adapters: Option<[Adapters; 3]>,
}

/// For each matrix of a feed-forward network.
#[derive(Debug, Default)]
pub(in super::super) struct AfterFeedForward {
    pub(in super::super) gate: After,
    pub(in super::super) up: After,
    pub(in super::super) down: After,
}

impl Dense {
    /// The matrices that it begins with: the gate, if there is one, and up.
    pub(in super::super) fn input(&self) -> impl Iterator<Item = &WeightMatrix> {
        self.gate.iter().chain([&self.up])
    }

    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        let adapters = self.adapters.iter().flatten().flat_map(Adapters::matrices);
        self.input().chain([&self.down]).chain(adapters)
    }
}

impl Loader<'_> {
    /// The feed-forward network of all tokens.
    pub(super) fn dense(
        &mut self,
        config: &Config,
        block: usize,
        d_ff: usize,
    ) -> Result<Dense, ModelError> {
        let d_model = config.d_model;
        let name = |part: &str| format!("blk.{block}.{part}");
        let up = name("ffn_up.weight");
        let (gate, up) = match self.family.feed_forward {
            FeedForward::Gated(_) => {
                let gate = self.matrix(&name("ffn_gate.weight"), d_ff, d_model)?;
                (Some(gate), self.matrix(&up, d_ff, d_model)?)
            }
            FeedForward::FusedGate(_) => {
                let gate = self.rows(&up, 0..d_ff, 2 * d_ff, d_model)?;
                (Some(gate), self.rows(&up, d_ff..2 * d_ff, 2 * d_ff, d_model)?)
            }
            FeedForward::Plain(_) | FeedForward::Xielu => (None, self.matrix(&up, d_ff, d_model)?),
        };
        Ok(Dense {
            gate,
            up,
            sparse: self.family.streams && block < SPARSE_LAYERS,
            divisors: self.vector_if(&name("ffn.act.scales"), &[d_ff])?,
            sub_norm: self.norm(&name("ffn_sub_norm"), &[d_ff])?,
            down: self.matrix(&name("ffn_down.weight"), d_model, d_ff)?,
            after: self.after_feed_forward(block, d_ff, d_model)?,
            adapters: self.adapters(
                config,
                block,
                [
                    ("ffn_gate", d_ff, d_model),
                    ("ffn_up", d_ff, d_model),
                    ("ffn_down", d_model, d_ff),
                ],
            )?,
        })
    }

    fn after_feed_forward(
        &mut self,
        block: usize,
        d_ff: usize,
        d_model: usize,
    ) -> Result<AfterFeedForward, ModelError> {
        let name = |part: &str| format!("blk.{block}.{part}");
        let (gate, up) = match self.family.feed_forward {
            // One matrix: first the rows of the gate.
            FeedForward::FusedGate(_) => {
                let After { scale, bias } = self.after_of_network(&name("ffn_up"), 2 * d_ff)?;
                let halves = bias.map(|mut gate| {
                    let up = gate.split_off(d_ff);
                    (gate, up)
                });
                let (gate, up) = halves.unzip();
                (After { scale, bias: gate }, After { scale, bias: up })
            }
            _ => (
                self.after_of_network(&name("ffn_gate"), d_ff)?,
                self.after_of_network(&name("ffn_up"), d_ff)?,
            ),
        };
        Ok(AfterFeedForward { gate, up, down: self.after_of_network(&name("ffn_down"), d_model)? })
    }

    /// The factor and the bias of the matrix of this name. llama.cpp multiplies the sum with its
    /// bias (`build_ffn`); only where products of NVFP4 weights lack the factor it is theirs alone.
    fn after_of_network(&mut self, name: &str, rows: usize) -> Result<After, ModelError> {
        let mut after = self.after(name, rows)?;
        if let (Some(scale), Some(bias)) = (after.scale, &mut after.bias)
            && !is_nvfp4(self.gguf, name)
        {
            bias.iter_mut().for_each(|bias| *bias *= scale);
        }
        Ok(after)
    }

    /// The network that all tokens go through.
    pub(super) fn shared_expert(
        &mut self,
        block: usize,
        ending: &str,
        width: usize,
        d_model: usize,
    ) -> Result<Dense, ModelError> {
        let name = |part: &str| format!("blk.{block}.{part}{ending}");
        let [gate, up, down] = ["ffn_gate", "ffn_up", "ffn_down"].map(name);
        let weight = |name: &str| format!("{name}.weight");
        let gate_matrix = match self.family.feed_forward {
            FeedForward::Plain(_) => None,
            _ => Some(self.matrix(&weight(&gate), width, d_model)?),
        };
        Ok(Dense {
            sparse: false,
            gate: gate_matrix,
            up: self.matrix(&weight(&up), width, d_model)?,
            divisors: None,
            sub_norm: None,
            down: self.matrix(&weight(&down), d_model, width)?,
            after: AfterFeedForward {
                gate: self.after_of_network(&gate, width)?,
                up: self.after_of_network(&up, width)?,
                down: self.after_of_network(&down, d_model)?,
            },
            adapters: None,
        })
    }
}
