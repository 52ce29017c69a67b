//! What differs from layer to layer.

use kelvin_kernels::gate::{Limit, Xielu};

/// Widths of latent attention (MLA, arXiv 2405.04434).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatentConfig {
    /// What queries are made of; none if of the stream itself.
    pub q_rank: Option<usize>,
    /// What keys and values are made of.
    pub kv_rank: usize,
    /// Width of a head's keys.
    pub key_dim: usize,
    /// Width of a head's values.
    pub value_dim: usize,
    /// All heads attend to what keys and values are made of. Matrices of each head lead queries
    /// there, and what attention finds to values.
    pub absorbed: bool,
}

/// What differs from layer to layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerConfig {
    /// The block of the file whose weights it has.
    pub block: usize,
    /// Query heads; 0: no attention.
    pub n_heads: usize,
    /// Key-value heads; 0: a matrix in the place of attention.
    pub n_kv_heads: usize,
    /// Width of a head's queries and keys.
    pub head_dim: usize,
    /// Width of a head's values, at most head_dim.
    pub value_dim: usize,
    /// Width of the feed-forward layer.
    pub d_ff: usize,
    /// The layer whose keys and values it reads: its own number, if it has some.
    pub cache: usize,
    /// Position q sees position k if q - k < window; none means all that came before (arXiv
    /// 2004.05150).
    pub window: Option<usize>,
    /// Tokens that a compressed key stands for, which is seen besides; 0: there are none.
    pub compressed: usize,
    /// Index into `ropes`; none where queries and keys aren't rotated.
    pub rope: Option<usize>,
    /// Attention and feed-forward see the same stream.
    pub parallel: bool,
    /// Feed-forward is a mixture of experts.
    pub experts: bool,
    /// Which of the recurrent layers it is, if it is one; without query heads it has no attention.
    pub recurrent: Option<usize>,
    /// Bounds the gated activation of experts.
    pub expert_limit: Option<Limit>,
    /// Bounds that of a dense network and of a shared expert.
    pub dense_limit: Option<Limit>,
    /// The feed-forward layer's activation, where each layer has its own.
    pub xielu: Option<Xielu>,
    /// The stream gets the output's norm after it: the blocks are run again.
    pub loop_norm: bool,
    /// The first layer of a stack: the stream is the sum of what both stacks made.
    pub joins: bool,
    /// The last layer of a stack, which keeps the norm of the stream.
    pub leaves: Option<StackLevel>,
}

/// Which of two stacks (HRM, arXiv 2506.21734).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackLevel {
    /// The one that runs several times for each turn of the other.
    Low,
    /// The one whose stream makes the logits.
    High,
}
