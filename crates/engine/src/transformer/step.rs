//! The input and output of a step: tokens for the sequences of a batch, rows of logits, and scratch
//! buffers.

use kelvin_kernels::{activations::Activations, attention::Span, matmul::ExpertRows};

use super::{
    Sequence, Turns,
    experts::ExpertScratch,
    forward::{AdapterScratch, CompressScratch, MixScratch, RecurrentScratch},
    sequence::Row,
};
use crate::TokenId;

/// Tokens to append to one sequence of a batch.
#[derive(Debug)]
pub struct Append<'a> {
    /// Where they go. A sequence occurs once in a batch.
    pub sequence: &'a mut Sequence,
    /// At least one.
    pub tokens: &'a [TokenId],
    /// Whose logits are wanted.
    pub want: Want,
}

/// After which of the appended tokens logits are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// None: more of the prompt follows.
    None,
    /// The last one.
    Last,
    /// Each.
    All,
}

/// The logits that a step gave: rows of vocab_size numbers, in the order of the batch.
#[derive(Debug, Clone, Copy)]
pub struct Logits<'a> {
    pub(super) data: &'a [f32],
    pub(super) vocab_size: usize,
}

impl<'a> Logits<'a> {
    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.data.len() / self.vocab_size
    }

    /// Row `i`: one number for each token of the vocabulary.
    pub fn row(&self, i: usize) -> &'a [f32] {
        &self.data[i * self.vocab_size..(i + 1) * self.vocab_size]
    }
}

/// Buffers of a step, reused by the next one.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The residual stream: n × d_model.
    pub(super) x: Vec<f32>,
    /// What the next product reads.
    pub(super) input: Activations,
    /// n × n_heads·head_dim.
    pub(super) q: Vec<f32>,
    /// n × n_kv_heads·head_dim each.
    pub(super) k: Vec<f32>,
    pub(super) v: Vec<f32>,
    /// n × d_ff each.
    pub(super) gate: Vec<f32>,
    pub(super) up: Vec<f32>,
    /// n × n_heads or n_heads·value_dim: the gates of attention's output.
    pub(super) head_gates: Vec<f32>,
    /// n × d_model: the embedding, where layers add some of it to the stream.
    pub(super) embedding: Vec<f32>,
    /// n × 4, or as many as the file says, × d_model: the streams, where there are several.
    pub(super) streams: Vec<f32>,
    /// n × 2 × as many: the weights by which a half of a layer reads them and adds to them.
    pub(super) stream_weights: Vec<f32>,
    /// n × d_model each: what two stacks of layers made.
    pub(super) high: Vec<f32>,
    pub(super) low: Vec<f32>,
    /// n × d_model: what a layer's low-rank layer made.
    pub(super) low_rank: Vec<f32>,
    /// The rows of each head, where heads have matrices of their own.
    pub(super) head_rows: Vec<ExpertRows>,
    /// n × n_layers × layer_embedding: the embedding for each layer.
    pub(super) layer_embedding: Vec<f32>,
    pub(super) experts: ExpertScratch,
    pub(super) recurrent: RecurrentScratch,
    pub(super) mix: MixScratch,
    pub(super) adapters: AdapterScratch,
    pub(super) compressed: CompressScratch,
    /// n × d_model: what a layer's half adds to the stream.
    pub(super) delta: Vec<f32>,
    /// n × d_model: what attention adds in a parallel layer, until feed-forward has seen the
    /// stream.
    pub(super) beside: Vec<f32>,
    /// For each kind of rotary embedding: dim/2 cosines and as many sines for each position up
    /// to the furthest so far.
    pub(super) angles: Vec<Vec<f32>>,
    /// Whose angles these are.
    pub(super) turns: Vec<Turns>,
    /// The positions that each row sees in the layer at hand.
    pub(super) spans: Vec<Span>,
    /// The rows of the step.
    pub(super) rows: Vec<Row>,
    /// Which of them have logits that are wanted.
    pub(super) wanted: Vec<usize>,
    pub(super) logits: Vec<f32>,
}

impl Scratch {
    /// Bytes of experts' weights that the last step read: those of every expert that a token of the
    /// step went through, in each layer once.
    pub fn expert_bytes(&self) -> usize {
        self.experts.n_bytes
    }
}
