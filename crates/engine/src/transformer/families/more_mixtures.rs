//! Mixtures of experts with parts that few others have.

use kelvin_kernels::{
    gate::Activation::{ClampedSilu, GeluTanh},
    rope::Pairing,
};

use super::{
    super::QkNorm,
    AttentionGate, DenseBeside, ExpertRules, ExpertWidth, Family,
    FeedForward::Gated,
    Gating, GatingRule, Layers, Limited, LogitScale, Residual, Rotary, Scale, ScoreScale,
    SharedWidth, WindowRotary, Windows,
    expert_rules::MIXTURE,
    experts::{QWEN3MOE, SAID},
    keys::*,
    rms_norm::{LLAMA, QWEN3},
    scales::{OF_ALL_FEED_FORWARD, OF_ATTENTION_OUTPUT, OF_GATED_ATTENTION},
    tensors::*,
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    // Experts share networks in groups, which read what the experts made.
    Family {
        architecture: "grovemoe",
        experts: Some(ExpertRules {
            width: ExpertWidth::KeyOrShare,
            grouped: true,
            required: &[EXPERTS, GROUPED_EXPERTS],
            ..MIXTURE
        }),
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, QK_NORMS, FFN_NORM],
        keys: &[RMS_NORM, ROTARY, EXPERT_WIDTH, GROUPED, NORMALIZED, SOFTMAX_ROUTER, NO_SCALES],
        ..QWEN3
    },
    // Values are narrower than keys. A layer's tensors say whether it has experts.
    Family {
        architecture: "mimo2",
        pairing: Pairing::Halves,
        layers: Layers::OfSeveralSizes,
        narrow_values: true,
        windows: Windows::Listed(WindowRotary::Base(10_000.0)),
        experts: Some(ExpertRules {
            by_tensors: true,
            gating: GatingRule::Is(Gating::Sigmoid),
            width: ExpertWidth::Key,
            optional: &[SELECTION_BIAS],
            ..MIXTURE
        }),
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[QKV, SINKS],
        scales: OF_ATTENTION_OUTPUT,
        // A layer that has a router reads no dense network.
        idle: &[GATED_AND_SCALES, QKV_BIASES],
        keys: &[
            VALUE_SCALE,
            RMS_NORM,
            ROTARY,
            WINDOW_PATTERN,
            WINDOW_BASE,
            EXPERT_WIDTH,
            DENSE_LEAD_SAID,
            NORMALIZED,
            SIGMOID_ROUTER,
            PREDICTING_LAYERS,
            NO_SCALES,
        ],
        ..LLAMA
    },
    // Limits of activations, a gate for each head, half as many numbers turn without a window.
    Family {
        architecture: "step35",
        layers: Layers::OfSeveralSizes,
        narrow_values: true,
        attention_gate: AttentionGate::EachHead,
        half_rotary: true,
        windows: Windows::Listed(WindowRotary::Base(10_000.0)),
        experts: Some(ExpertRules {
            by_tensors: true,
            shared: SharedWidth::Key,
            limited: Limited::Outputs,
            ..SAID
        }),
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[QKV, QKV_BIASES, QK_NORMS, ATTENTION_GATE, ROPE_FACTORS],
        keys: &[
            RMS_NORM,
            ROTARY,
            WINDOW_PATTERN,
            WINDOW_BASE,
            WINDOW_DIMENSIONS,
            EXPERT_WIDTH,
            SHARED_WIDTH,
            SHARED_COUNT_SAID,
            DENSE_LEAD_SAID,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            LIMITS,
            SHARED_LIMITS,
            PREDICTING_LAYERS,
            NO_SCALES,
        ],
        ..QWEN3
    },
    // Layers with a window have other heads and turn without scaling; softplus gates of attention.
    Family {
        architecture: "laguna",
        layers: Layers::OfSeveralSizes,
        attention_gate: AttentionGate::Softplus,
        windows: Windows::AllButFirstOf { every: 4, window: 0, rotary: WindowRotary::Unscaled },
        experts: Some(ExpertRules {
            shared: SharedWidth::KeyOrCount(1),
            required: &[EXPERTS, SELECTION_BIAS, SHARED_EXPERT],
            optional: &[],
            ..SAID
        }),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            QK_NORMS,
            ATTENTION_GATE,
            ATTENTION_OUTPUT,
            FFN_NORM,
            GATED,
        ],
        keys: &[
            RMS_NORM,
            ROTARY,
            WINDOW_PATTERN,
            WINDOW_BASE,
            WINDOW_DIMENSIONS,
            EXPERT_WIDTH,
            SHARED_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            NO_SCALES,
        ],
        ..QWEN3
    },
    // Norms of parts of the stream; gates of attention that grow as powers of two; values that
    // experts make.
    Family {
        architecture: "k2-horizon",
        pairing: Pairing::Halves,
        norm_parts: true,
        qk_norm: QkNorm::EachHead,
        attention_gate: AttentionGate::SoftplusOfTwo,
        experts: Some(ExpertRules {
            may_be_dense: true,
            width: ExpertWidth::Key,
            shared: SharedWidth::KeyOrCount(0),
            required: &[EXPERTS],
            optional: &[SELECTION_BIAS, SHARED_EXPERT, VALUE_EXPERTS],
            ..SAID
        }),
        required: &[EMBEDDING, ATTENTION_NORM, QUERIES_AND_KEYS, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[VALUES, QK_NORMS, ATTENTION_GATE, OUTPUT],
        scales: OF_GATED_ATTENTION,
        keys: &[
            NORM_PARTS,
            VALUES_OF_EXPERTS,
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH,
            SHARED_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            NO_SCALES,
        ],
        ..LLAMA
    },
    // Attention and experts side by side; the mean of selected and shared experts.
    Family {
        architecture: "cohere2moe",
        norm_by_key: true,
        ffn_norms: &["attn_norm"],
        residual: Residual::Parallel,
        rotary: Rotary::InWindowsOrLead,
        windows: Windows::AllButFirstOf { every: 4, window: 0, rotary: WindowRotary::Same },
        logit_scale: LogitScale::Times(Scale::Key),
        experts: Some(ExpertRules {
            width: ExpertWidth::KeyOrFeedForward,
            shared: SharedWidth::KeyOrCount(0),
            shared_scale: 0.5,
            required: &[ROUTER, EXPERT_DOWN],
            optional: &[GATE_AND_UP_EXPERTS, SHARED_EXPERT],
            ..SAID
        }),
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, GATED],
        scales: OF_ALL_FEED_FORWARD,
        keys: &[
            LOGIT_SCALE,
            EITHER_NORM,
            ROTARY,
            WINDOW_PATTERN,
            WINDOW_BASE_SAID,
            EXPERT_WIDTH,
            SHARED_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            PREDICTING_LAYERS,
            NO_SCALES,
        ],
        ..LLAMA
    },
    // Norms after each half, caps of scores; the dense network is a shared expert.
    Family {
        architecture: "grok",
        post_norms: true,
        feed_forward: Gated(GeluTanh),
        pairing: Pairing::Halves,
        yarn_beta_fast: 8.0,
        embedding_scale: Scale::KeyOr(|_, _| 78.383_671_769_061_69),
        logit_scale: LogitScale::Times(Scale::KeyOr(|_, _| 0.577_350_269_189_625_7)),
        score_scale: ScoreScale::OutputKey(0.088_388_347_648_318_45),
        score_cap: 30.0,
        experts: Some(ExpertRules {
            dense: DenseBeside::Shared,
            width: ExpertWidth::KeyOrFeedForward,
            shared_scale: std::f32::consts::FRAC_1_SQRT_2,
            required: &[UNGATED_EXPERTS],
            optional: &[EXPERT_GATES],
            ..MIXTURE
        }),
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, ATTENTION_OUTPUT_NORM, FFN_NORM],
        optional: &[QKV, QKV_BIASES, GATED, POST_FFN_NORM, LAYER_OUTPUT_NORM, OUTPUT],
        keys: &[
            GROK,
            EMBEDDING_SCALE,
            LOGIT_SCALE,
            SCORE_CAP,
            LOGIT_CAP,
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH,
            NORMALIZED,
            SOFTMAX_ROUTER,
            NO_SCALES,
        ],
        ..LLAMA
    },
    // Experts read the stream before attention, beside a dense network after it.
    Family {
        architecture: "arctic",
        experts: Some(ExpertRules {
            dense: DenseBeside::AfterAttention,
            required: &[EXPERTS, EXPERTS_NORM],
            ..MIXTURE
        }),
        keys: &[RMS_NORM, ROTARY, NORMALIZED, SOFTMAX_ROUTER, NO_SCALES],
        ..LLAMA
    },
    // Limits of activations; layers without a window don't rotate.
    Family {
        architecture: "maple",
        rotary: Rotary::InWindows,
        windows: Windows::Listed(WindowRotary::Same),
        experts: Some(ExpertRules { width: ExpertWidth::Key, ..MIXTURE }),
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, QK_NORMS, ATTENTION_OUTPUT, FFN_NORM],
        optional: &[QKV, QKV_BIASES],
        keys: &[
            RMS_NORM,
            ROTARY,
            WINDOW_PATTERN,
            WINDOW_BASE,
            WINDOW_DIMENSIONS,
            EXPERT_WIDTH,
            LIMITS,
            NORMALIZED,
            SOFTMAX_ROUTER,
            NO_SCALES,
        ],
        ..QWEN3MOE
    },
    // Attention selects blocks of positions in long texts.
    Family {
        architecture: "minimax-m3",
        feed_forward: Gated(ClampedSilu),
        selects: &["attention.indexer.top_k", "attention.indexer.block_size"],
        experts: Some(ExpertRules {
            required: &[EXPERTS, SELECTION_BIAS, SHARED_EXPERT],
            optional: &[],
            ..SAID
        }),
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, QK_NORMS, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[QKV, QKV_BIASES],
        unused: INDEXER,
        unused_because: "selects positions; texts are short enough to see all",
        keys: &[
            INDEXER_KEYS,
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            NO_SCALES,
        ],
        ..QWEN3
    },
];
