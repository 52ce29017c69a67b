//! What a family's row says about its mixture of experts, and which layers have one.

use super::{
    Family,
    tensors::{EXPERT_GATES, EXPERTS, SHARED_EXPERT, UNGATED_EXPERTS},
};
use crate::gguf::{Gguf, Metadata};

/// The mixture of experts of a family.
#[derive(Debug)]
pub(in super::super) struct ExpertRules {
    /// Files of the family may have no experts at all: then every layer is dense.
    pub(in super::super) may_be_dense: bool,
    /// A layer has experts if the file has tensors of them.
    pub(in super::super) by_tensors: bool,
    pub(in super::super) dense: DenseBeside,
    pub(in super::super) gating: GatingRule,
    /// The weights of a token's experts are divided by their sum.
    pub(in super::super) normalized: Normalized,
    /// An expert's weight multiplies its input, not its output.
    pub(in super::super) weighs_input: bool,
    /// The router reads the stream before attention, without a norm.
    pub(in super::super) routes_stream: bool,
    pub(in super::super) width: ExpertWidth,
    pub(in super::super) shared: SharedWidth,
    /// What the sum of experts is multiplied with where one of them is shared.
    pub(in super::super) shared_scale: f32,
    /// A second mixture reads what the first one made: experts share one of its networks in groups
    /// of neighbours.
    pub(in super::super) grouped: bool,
    /// What `swiglu_clamp_exp` bounds.
    pub(in super::super) limited: Limited,
    /// Tensors of layers with experts, as [`Family::required`].
    pub(in super::super) required: &'static [&'static [&'static str]],
    /// Tensors of layers with experts, as [`Family::optional`].
    pub(in super::super) optional: &'static [&'static [&'static str]],
}

/// How a router's outputs become the weights of experts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gating {
    /// Softmax over all experts, then selection.
    Softmax,
    /// The logistic function of each output, then selection.
    Sigmoid,
    /// Selection by the outputs, then softmax over the selected.
    SoftmaxOfSelected,
    /// Selection by the outputs, then the logistic function of each.
    SigmoidOfSelected,
    /// The square root of ln(1 + e^x) of each output x, then selection.
    RootOfSoftplus,
}

/// Where a family's gating is said.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum GatingRule {
    Is(Gating),
    /// `expert_gating_func`; this one where the file says none.
    Key(Gating),
    /// `expert_gating_func`; without it a function of n_layers and vocab_size.
    KeyOr(fn(usize, usize) -> Gating),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Normalized {
    Always,
    Never,
    /// As `expert_weights_norm` says; without it they aren't.
    Key,
}

/// The width of an expert's feed-forward network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum ExpertWidth {
    /// `feed_forward_length`.
    FeedForward,
    /// `expert_feed_forward_length`.
    Key,
    /// `expert_feed_forward_length`; without it `feed_forward_length` / `expert_used_count`.
    KeyOrShare,
    /// `expert_feed_forward_length`; without it `feed_forward_length`.
    KeyOrFeedForward,
}

/// What the dense network's tensors are in a layer with experts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum DenseBeside {
    /// Not there.
    Nothing,
    /// The expert that all tokens share, where a file has it.
    Shared,
    /// What follows attention, as wide as the stream. The experts read the norm `ffn_norm_exps` of
    /// the stream before attention.
    AfterAttention,
}

/// What a limit of gated activations bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Limited {
    /// What the activation gets.
    Inputs,
    /// Likewise, in the networks beside experts as well unless the file says otherwise.
    InputsOfAll,
    /// What it gives.
    Outputs,
}

/// The width of the expert that all tokens share; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum SharedWidth {
    None,
    /// `expert_shared_feed_forward_length`; none without it.
    Key,
    /// `expert_shared_feed_forward_length`; without it `feed_forward_length`.
    KeyOrFeedForward,
    /// `expert_shared_count` times an expert's width.
    Count,
    /// Likewise, once at least, if the file has one.
    CountIfThere,
    /// `expert_shared_count` times `expert_shared_feed_forward_length`, or an expert's width
    /// without it.
    CountOfKey,
    /// `expert_shared_feed_forward_length`; without it an expert's width.
    KeyOrExpert,
    /// `expert_shared_feed_forward_length`; without it `expert_shared_count` times an expert's
    /// width. Without a count there are so many; 0 is none.
    KeyOrCount(usize),
}

/// Softmax over all experts; the weights of the selected are divided by their sum.
pub(super) const MIXTURE: ExpertRules = ExpertRules {
    may_be_dense: false,
    by_tensors: false,
    dense: DenseBeside::Nothing,
    gating: GatingRule::Is(Gating::Softmax),
    normalized: Normalized::Always,
    weighs_input: false,
    routes_stream: false,
    width: ExpertWidth::FeedForward,
    shared: SharedWidth::None,
    shared_scale: 1.0,
    grouped: false,
    limited: Limited::Inputs,
    required: &[EXPERTS],
    optional: &[],
};

/// Mixtral's and Granite's: experts may be absent, and a file says whether all tokens share one.
pub(super) const OPTIONAL_MIXTURE: ExpertRules = ExpertRules {
    may_be_dense: true,
    shared: SharedWidth::Key,
    required: &[UNGATED_EXPERTS],
    optional: &[EXPERT_GATES, SHARED_EXPERT],
    ..MIXTURE
};

/// The dense feed-forward network's tensors, which a layer with experts doesn't have.
const DENSE: [&str; 9] = [
    "ffn_gate.weight",
    "ffn_up.weight",
    "ffn_down.weight",
    "ffn_gate.bias",
    "ffn_up.bias",
    "ffn_down.bias",
    "ffn_gate.scale",
    "ffn_up.scale",
    "ffn_down.scale",
];

/// Tensors that every mixture has.
const MIXTURE_TENSORS: [&str; 3] = ["ffn_gate_inp", "ffn_up_exps", "ffn_down_exps"];

/// Whether the rest of a tensor's name after `blk.LAYER.` belongs to the dense network.
pub(super) fn is_dense(part: &str) -> bool {
    DENSE.contains(&part)
}

impl Family {
    /// Layers at the end of a file that predict several tokens at once, which making text doesn't
    /// need.
    pub(in super::super) fn n_predicting_layers(&self, metadata: &Metadata) -> u32 {
        self.count(metadata, "nextn_predict_layers").unwrap_or(0)
    }

    /// Whether layer `i` has experts, by what the file says. Wrong values are told elsewhere.
    pub(in super::super) fn has_experts(&self, gguf: &Gguf, i: u32) -> bool {
        let metadata = &gguf.metadata;
        if self.experts.as_ref().is_some_and(|rules| rules.by_tensors) {
            let has = |part: &&str| gguf.tensor(&format!("blk.{i}.{part}.weight")).is_some();
            return MIXTURE_TENSORS.iter().any(has);
        }
        let is_mixture = self.experts.as_ref().is_some_and(|rules| {
            !rules.may_be_dense || self.count(metadata, "expert_count").unwrap_or(0) > 0
        });
        let step = self.count(metadata, "interleave_moe_layer_step").unwrap_or(1);
        is_mixture
            && i >= self.count(metadata, "leading_dense_block_count").unwrap_or(0)
            && step > 0
            && (i + 1).is_multiple_of(step)
    }

    /// A count that the family reads, if the file has it.
    fn count(&self, metadata: &Metadata, key: &str) -> Option<u32> {
        if !self.reads_key(key) {
            return None;
        }
        metadata.u32(&format!("{}.{key}", self.architecture)).ok().flatten()
    }
}
