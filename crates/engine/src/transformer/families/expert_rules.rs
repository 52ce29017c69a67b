//! What a family's row says about its mixture of experts, and which layers have one.

use super::Family;
use crate::gguf::Metadata;

/// The mixture of experts of a family.
#[derive(Debug)]
pub(in super::super) struct ExpertRules {
    /// Files of the family may have no experts at all: then every layer is dense.
    pub(in super::super) may_be_dense: bool,
    pub(in super::super) gating: GatingRule,
    /// The weights of a token's experts are divided by their sum.
    pub(in super::super) normalized: Normalized,
    /// An expert's weight multiplies its input, not its output.
    pub(in super::super) weighs_input: bool,
    /// The router reads the stream before attention, without a norm.
    pub(in super::super) routes_stream: bool,
    pub(in super::super) width: ExpertWidth,
    pub(in super::super) shared: SharedWidth,
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
}

/// Where a family's gating is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum GatingRule {
    Is(Gating),
    /// `expert_gating_func`; this one where the file says none.
    Key(Gating),
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
    /// `expert_shared_count` times `expert_shared_feed_forward_length`, or an expert's width
    /// without it.
    CountOfKey,
    /// `expert_shared_feed_forward_length`; without it an expert's width.
    KeyOrExpert,
}

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
    pub(in super::super) fn has_experts(&self, metadata: &Metadata, i: u32) -> bool {
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
