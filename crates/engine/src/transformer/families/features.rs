//! What rows of the table of families choose from.

use kelvin_kernels::gate::Activation;

use super::super::kinds::GateCurve;

/// How attention and feed-forward are added to the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Residual {
    /// Feed-forward sees what attention added.
    Sequential,
    /// Both see the same stream.
    Parallel,
    /// As `use_parallel_residual` says.
    ByKey,
    /// Parallel in layers without the first of `ffn_norms`.
    ByNorm,
    /// Sequential; each half adds to the norm that it reads, times `residual_scale`.
    Normed,
}

/// A feed-forward layer's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum FeedForward {
    /// activation(gate) · up.
    Gated(Activation),
    /// Gate and up projections stacked in one tensor.
    FusedGate(Activation),
    /// activation(up).
    Plain(Activation),
    /// xielu(up), with parameters for each layer.
    Xielu,
}

/// How layers may differ in head counts and in the feed-forward layer's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Layers {
    Alike,
    OfSeveralSizes,
    /// Of several sizes, 0 included: a layer without key-value heads has a matrix in attention's
    /// place, one without heads nothing; one without feed-forward isn't run at all.
    WithoutParts,
    /// Each has one part: attention, a recurrent part or feed-forward; sizes of others are 0.
    OfOnePart,
}

/// What a gate of attention's output has a number for: sigmoid(gate · input) multiplies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum AttentionGate {
    EachHead,
    EachNumber,
    /// A number for each of attention's, whose rows follow those of each head's queries.
    InQueries,
    /// For each head or each number, by the matrix's shape; softplus(gate · input) multiplies.
    Softplus,
    /// A number for each of attention's; log2(1 + 2^(gate · input)) multiplies.
    SoftplusOfTwo,
}

impl AttentionGate {
    /// What becomes of its products.
    pub(in super::super) fn curve(self) -> GateCurve {
        match self {
            AttentionGate::Softplus => GateCurve::Softplus,
            AttentionGate::SoftplusOfTwo => GateCurve::SoftplusOfTwo,
            _ => GateCurve::Logistic,
        }
    }
}

/// What a layer's `layer_output_scale` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum LayerScale {
    /// Multiplies the stream.
    Stream,
    /// Multiplies the embedding, which is added to the stream.
    Embedding,
}

/// How `rope.dimension_sections` shares pairs out among the coordinates of an image. For text, the
/// first three coordinates are the position and the fourth is 0, so its pairs don't turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Sections {
    /// There is one coordinate.
    None,
    /// One after the other.
    Blocks,
    /// One after the other if the file has sections; pairs are halves then.
    BlocksIfAny,
    /// The first three in turn.
    Interleaved,
}

/// Which layers rotate queries and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Rotary {
    Never,
    EveryLayer,
    /// All but each so-manieth.
    AllBut(usize),
    /// Those with a window; all if no layer has one.
    Windowed,
    /// All, unless `rope.scaling.finetuned` is false.
    Switched,
    /// Those with a window.
    InWindows,
    /// Those with a window, and the dense ones before layers with experts.
    InWindowsOrLead,
    /// Those that `attention.rope_pattern` lists; all without it.
    Listed,
    /// All, in models of so many layers; none in others.
    InModelsOf(usize),
}

/// What `rope.scaling.yarn_log_multiplier` says: the factor m of YaRN's magnitude 0.1·m·ln(s) + 1
/// at a scaling by s. The magnitude of m = 1 is divided by that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum YarnLog {
    /// m.
    Whole,
    /// A tenth of m.
    Tenth,
    /// A tenth of m, and m is the factor of both magnitudes, so they cancel.
    TenthOfBoth,
}

/// Which layers see only a window of positions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) enum Windows {
    /// None: a window that the file asks for has to be longer than any text.
    Never,
    /// All, if the file names a window.
    EveryLayer,
    /// All but the first of each so many, if the file names a window. The window is this one
    /// whatever it says; 0: the file's.
    AllButFirstOf { every: usize, window: usize, rotary: WindowRotary },
    /// Those that the file's pattern lists; a file has to have both.
    Listed(WindowRotary),
    /// All but each so-manieth, unless the file says another pattern. A window is a chunk of this
    /// length: it begins at the last multiple of it.
    Chunks { every: usize, len: usize },
    /// All but each so-manieth, unless the file says another pattern.
    Pattern {
        every: usize,
        /// The window, unless the file says another; 0 is none.
        default: usize,
        /// Only models of so many layers have windows; 0: all.
        layers: usize,
        rotary: WindowRotary,
    },
}

/// How layers with a window rotate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) enum WindowRotary {
    /// As the others do, with `rope.freq_base_swa` if the family reads it and the file has it.
    Same,
    /// As the others do, but without scaling, and with `rope.freq_base_swa` likewise.
    Unscaled,
    /// Without scaling, with this base unless the file has `rope.freq_base_swa`.
    Base(f64),
}

/// A scale that a file may set.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Scale {
    One,
    /// sqrt(d_model).
    SqrtWidth,
    /// What the file says; 0 or nothing is 1.
    Key,
    /// What the file says; without it a function of n_layers and d_model.
    KeyOr(fn(usize, usize) -> f64),
}

/// How logits are scaled.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum LogitScale {
    Times(Scale),
    DividedBy(Scale),
}

/// The scale of attention scores.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum ScoreScale {
    /// 1/sqrt(head_dim).
    Head,
    /// 1/head_dim.
    HeadWhole,
    /// 1.
    One,
    /// What the file says; 0 or nothing is 1/sqrt(head_dim).
    Key,
    /// What `attention.output_scale` says, or this.
    OutputKey(f64),
    /// 1/sqrt(d_model / n_heads) in the model of so many layers, 1/sqrt(head_dim) in the others.
    SharedWidthAt(usize),
    /// 1/sqrt(width of a head's keys), times the square of YaRN's magnitude.
    Yarn,
    /// 1/sqrt(width of a head's keys) of latent attention.
    LatentHead,
}
