//! Buffers of a step, and of the parts of layers that have buffers of their own. The next step, or
//! layer, reuses them.

use kelvin_kernels::{activations::Activations, attention::Span, matmul::ExpertRows};

use super::{Turns, sequence::Row};

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

/// Buffers of mixtures, reused by the next layer.
#[derive(Debug, Default)]
pub(super) struct ExpertScratch {
    /// n × n_experts: the router's outputs.
    pub(super) router: Vec<f32>,
    /// n: the shared expert's gate.
    pub(super) shared_gate: Vec<f32>,
    /// n × n_used, in the order of selection.
    pub(super) selected: Vec<Selected>,
    /// The rows of each expert that has some, in the order of experts.
    pub(super) groups: Vec<ExpertRows>,
    /// n × n_used: the row of `input` that a selected expert reads.
    pub(super) row_of: Vec<usize>,
    /// For each row of `input`, its place in `selected`.
    pub(super) place_of: Vec<usize>,
    /// n · n_used × d_model, later d_ff: rows by expert.
    pub(super) input: Activations,
    /// n · n_used × d_ff, later d_model.
    pub(super) gate: Vec<f32>,
    /// n · n_used × d_ff.
    pub(super) up: Vec<f32>,
    /// n × d_model: the sum of the selected experts, while the shared one is computed.
    pub(super) sum: Vec<f32>,
    /// n × d_model: what the shared expert reads, where the others read a narrower stream.
    pub(super) wide: Vec<f32>,
    /// Bytes of experts' weights that the step has read.
    pub(super) n_bytes: usize,
}

/// An expert that a token goes through.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Selected {
    pub(super) expert: usize,
    pub(super) weight: f32,
}

/// Buffers of recurrent layers, reused by the next one.
#[derive(Debug, Default)]
pub(super) struct RecurrentScratch {
    /// n × channels: what goes into the convolution.
    pub(super) mixed: Vec<f32>,
    /// n × channels: what comes out of it.
    pub(super) convolved: Vec<f32>,
    /// n × n_heads·value_dim or channels: the gate of the output.
    pub(super) gate: Vec<f32>,
    /// n × n_heads (Mamba: channels): how much of a token a head takes in; of short convolutions
    /// the input's gate.
    pub(super) rate: Vec<f32>,
    /// n × n_heads (KDA: n_heads·key_dim): what is left of a head's matrix.
    pub(super) decay: Vec<f32>,
    /// n × n_heads·value_dim: what heads read.
    pub(super) read: Vec<f32>,
    /// n × width of `Selective::low`: what keys, queries and steps are made of. KDA: what decays
    /// are made of.
    pub(super) low: Vec<f32>,
}

/// Buffers of RWKV's layers, reused by the next one. All are n × d_model unless they say otherwise.
#[derive(Debug, Default)]
pub(super) struct MixScratch {
    /// The norm of the stream.
    pub(super) now: Vec<f32>,
    /// That of the token before, less it.
    pub(super) shift: Vec<f32>,
    pub(super) receptance: Vec<f32>,
    pub(super) key: Vec<f32>,
    pub(super) value: Vec<f32>,
    pub(super) decay: Vec<f32>,
    pub(super) rate: Vec<f32>,
    pub(super) gate: Vec<f32>,
    /// n × the rank of a product of two matrices, or of five.
    pub(super) low: Vec<f32>,
    /// What a product of low rank makes.
    pub(super) spread: Vec<f32>,
    /// What reads in the heads' matrices, and what writes.
    pub(super) reads: Vec<f32>,
    pub(super) writes: Vec<f32>,
    /// The values of the first layer.
    pub(super) first_values: Vec<f32>,
    /// What heads read.
    pub(super) read: Vec<f32>,
}

/// Buffers of adapters.
#[derive(Debug, Default)]
pub(super) struct AdapterScratch {
    /// n: the adapter of each row.
    pub(super) of_row: Vec<usize>,
    /// The rows of each adapter that has some, in the order of adapters.
    pub(super) groups: Vec<ExpertRows>,
    /// n: the rows in the order of groups.
    pub(super) order: Vec<usize>,
    /// n × columns of a matrix, later the rank: rows in that order.
    pub(super) input: Activations,
    /// n × rank, later rows of a matrix.
    pub(super) made: Vec<f32>,
}

/// Buffers of compressed keys, reused by the next layer.
#[derive(Debug, Default)]
pub(super) struct CompressScratch {
    /// n × rows of the compressor each: what tokens make, and their scores.
    pub(super) keys: Vec<f32>,
    pub(super) scores: Vec<f32>,
    /// The compressed keys of the batch's sequences, one sequence after the other, in pages
    /// `[head_dim][PAGE]`.
    pub(super) pages: Vec<f32>,
    /// Where each sequence's pages begin, and where they end.
    pub(super) starts: Vec<usize>,
}
