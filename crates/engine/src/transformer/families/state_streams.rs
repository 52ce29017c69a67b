//! Families with recurrent layers and several streams in the place of one.

use super::{
    super::RecurrentKind,
    AttentionGate, ExpertRules, Family, Gating, GatingRule, Limited, Normalized, RecurrentLayers,
    RecurrentRules, SharedWidth, keys,
    keys::*,
    recurrent::QWEN35MOE,
    recurrent_rules::rules,
    states::{KIMI_LINEAR, KIMI_MIXTURE},
    tensors,
    tensors::*,
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    // Qwen 3.5's layers, whose norms are those of several streams. One layer reads a table by the
    // last tokens; attention selects means of some positions in long texts.
    Family {
        architecture: "qwen4exp",
        attention_norms: &[],
        ffn_norms: &[],
        output_norm: "",
        selects: &["attention.indexer.top_k"],
        recurrent: Some(RecurrentRules {
            in_turn: true,
            logistic_gate: true,
            ..rules(RecurrentKind::DeltaNet, RecurrentLayers::AllButEach(4))
        }),
        required: &[
            TOKEN_EMBEDDING,
            HYPER_GATES,
            SPLIT_QKV,
            QK_NORMS,
            ATTENTION_OUTPUT,
            DELTA_NET,
            RATES,
        ],
        optional: &[FUSED_QKV, NGRAM_TABLE, OUTPUT],
        unused: INDEXER,
        unused_because: "selects positions; texts are short enough to see all",
        idle: &[QKV_BIASES],
        keys: &[
            STATE,
            RECURRENT_LAYERS,
            SECTIONS,
            HYPER_GATED,
            POOLED,
            INDEXER_KEYS,
            NGRAMS,
            PREDICTING_LAYERS,
            EXPERT_WIDTH,
            SHARED_WIDTH,
            NORMALIZED,
            SOFTMAX_ROUTER,
            RMS_NORM,
            ROTARY,
            NO_SCALES,
        ],
        ..QWEN35MOE
    },
    // Kimi's delta rule by turns with latent attention, four streams that are mixed. What selects
    // positions goes over means of some.
    Family {
        architecture: "glm5-next",
        selects: &["attention.indexer.top_k"],
        recurrent: Some(RecurrentRules {
            key_eps: Some(1e-6),
            ..rules(RecurrentKind::KimiDelta, RecurrentLayers::WithoutKeys)
        }),
        experts: Some(ExpertRules {
            gating: GatingRule::Key(Gating::Sigmoid),
            normalized: Normalized::Key,
            shared: SharedWidth::Count,
            limited: Limited::InputsOfAll,
            ..KIMI_MIXTURE
        }),
        required: &[
            EMBEDDING,
            OUTPUT,
            ATTENTION_NORM,
            SPLIT_QKV,
            tensors::LATENT,
            tensors::LATENT_QUERIES,
            ABSORBED,
            ATTENTION_OUTPUT,
            KIMI_DELTA,
            KIMI_GATE_LOW,
            KIMI_SPREAD,
            HYPER_LAYERS,
            FFN_NORM,
            GATED,
        ],
        optional: &[],
        scales: &[],
        unused: POOLED_INDEXER,
        unused_because: "selects positions; texts are short enough to see all",
        keys: &[
            keys::LATENT,
            keys::LATENT_QUERIES,
            LATENT_HEADS,
            KIMI_STATE,
            KIMI_BOUND,
            HYPER_MIXED,
            POOLED_TAIL,
            INDEXER_KEYS,
            EXPERT_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            LIMITS,
            SHARED_LIMITS,
            PREDICTING_LAYERS,
            RMS_NORM,
            SHARED_KEY_PART,
            NO_ROTARY,
            NO_SCALES,
        ],
        ..KIMI_LINEAR
    },
    // Kimi's delta rule with one matrix for its gate, sums of the stream that are kept, and experts
    // of a narrower stream.
    Family {
        architecture: "kimi-k3",
        attention_gate: AttentionGate::EachNumber,
        experts: Some(ExpertRules {
            normalized: Normalized::Key,
            shared: SharedWidth::CountIfThere,
            required: &[EXPERTS, SELECTION_BIAS],
            optional: &[LATENT_EXPERTS, SHARED_EXPERT],
            ..KIMI_MIXTURE
        }),
        required: &[
            EMBEDDING,
            OUTPUT,
            ATTENTION_NORM,
            SPLIT_QKV,
            tensors::LATENT,
            ABSORBED,
            ATTENTION_OUTPUT,
            KIMI_DELTA,
            KIMI_WHOLE_GATE,
            KIMI_DECAYS,
            FFN_NORM,
            GATED,
        ],
        optional: &[tensors::LATENT_QUERIES, ATTENTION_GATE, KEPT_SUMS],
        scales: &[],
        keys: &[
            keys::LATENT,
            keys::LATENT_QUERIES,
            LATENT_HEADS,
            KIMI_STATE,
            KIMI_BOUND,
            KEPT,
            SATURATING,
            EXPERT_WIDTH,
            LATENT_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            RMS_NORM,
            SHARED_KEY_PART,
            NO_ROTARY,
            NO_SCALES,
        ],
        ..KIMI_LINEAR
    },
];
