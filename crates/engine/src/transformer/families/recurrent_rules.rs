//! What a family's row says about recurrent layers.

use super::super::RecurrentKind;

/// The recurrent part of a family's layers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct RecurrentRules {
    pub(in super::super) kind: RecurrentKind,
    pub(in super::super) layers: RecurrentLayers,
    /// Heads take the groups of keys in turn; otherwise neighbours share one.
    pub(in super::super) in_turn: bool,
    /// Feed-forward sees the token before, too, and has no dense network (RWKV).
    pub(in super::super) mixes_ffn: bool,
    /// Added to the squared length of queries and keys under the delta rule, where it isn't the
    /// epsilon of norms.
    pub(in super::super) key_eps: Option<f32>,
    /// The gate of the delta rule's output is a logistic function, not SiLU.
    pub(in super::super) logistic_gate: bool,
}

/// Layers of a kind, with nothing that others don't have.
pub(super) const fn rules(kind: RecurrentKind, layers: RecurrentLayers) -> RecurrentRules {
    RecurrentRules {
        kind,
        layers,
        in_turn: false,
        mixes_ffn: false,
        key_eps: None,
        logistic_gate: false,
    }
}

/// Which layers are recurrent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum RecurrentLayers {
    /// Those without key-value heads.
    WithoutKeys,
    /// Those that `attention.recurrent_layers` lists; without it all but each so-manieth, as
    /// `full_attention_interval` says.
    AllButEach(usize),
    /// Those without key-value heads and without feed-forward.
    WithoutOthers,
    /// Every layer, and every layer has attention as well.
    BesideAttention,
    /// Every layer.
    All,
}
