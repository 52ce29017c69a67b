//! Families with recurrent layers, most of them beside layers with attention.

use kelvin_kernels::{gate::Activation::ReluSquared, rope::Pairing};

use super::{
    super::RecurrentKind,
    AttentionGate, ExpertRules, ExpertWidth, Family,
    FeedForward::Plain,
    Gating, GatingRule, Layers, Normalized, RecurrentLayers, RecurrentRules, Rotary, Sections,
    SharedWidth, Windows,
    expert_rules::MIXTURE,
    keys,
    keys::*,
    recurrent_rules::rules,
    rms_norm::{GRANITE, LLAMA, QWEN3},
    scales::{
        OF_APART_AND_EXPERTS, OF_DELTA_AND_DENSE, OF_DELTA_AND_EXPERTS, OF_MAMBA, OF_MAMBA_AND_ALL,
        OF_MAMBA_AND_ATTENTION,
    },
    tensors,
    tensors::*,
};

/// Convolutions over few tokens, and attention in the layers that have key-value heads.
const LFM2: Family = Family {
    architecture: "lfm2",
    output_norm: "token_embd_norm",
    recurrent: Some(rules(RecurrentKind::ShortConvolution, RecurrentLayers::WithoutKeys)),
    windows: Windows::EveryLayer,
    required: &[
        LFM2_EMBEDDING,
        ATTENTION_NORM,
        ATTENTION_OUTPUT,
        QK_NORMS,
        tensors::SHORT_CONVOLUTION,
        FFN_NORM,
        GATED,
    ],
    optional: &[QKV, QKV_BIASES, OUTPUT],
    keys: &[NO_DENSE_LEAD, WINDOWS_SAID, keys::SHORT_CONVOLUTION, RMS_NORM, ROTARY, NO_SCALES],
    ..QWEN3
};

/// Three layers of four under the gated delta rule, the fourth with a gate of attention's output.
const QWEN35: Family = Family {
    architecture: "qwen35",
    ffn_norms: &["post_attention_norm"],
    attention_gate: AttentionGate::InQueries,
    recurrent: Some(RecurrentRules {
        in_turn: true,
        ..rules(RecurrentKind::DeltaNet, RecurrentLayers::AllButEach(4))
    }),
    sections: Sections::Interleaved,
    required: &[
        EMBEDDING,
        ATTENTION_NORM,
        SPLIT_QKV,
        QK_NORMS,
        ATTENTION_OUTPUT,
        DELTA_NET,
        RATES,
        POST_ATTENTION_NORM,
        GATED,
    ],
    optional: &[FUSED_QKV, QKV_BIASES, OUTPUT],
    scales: OF_DELTA_AND_DENSE,
    idle: &[CLASSIFIER],
    keys: &[STATE, RECURRENT_LAYERS, SECTIONS, PREDICTING_LAYERS, RMS_NORM, ROTARY, NO_SCALES],
    ..QWEN3
};

/// Experts and one that all tokens share, with a gate.
const QWEN35_MIXTURE: ExpertRules = ExpertRules {
    width: ExpertWidth::KeyOrShare,
    shared: SharedWidth::KeyOrFeedForward,
    required: &[ROUTER, EXPERT_DOWN, SHARED_EXPERT, SHARED_EXPERT_GATE],
    optional: &[GATE_AND_UP_EXPERTS],
    ..MIXTURE
};

pub(super) const QWEN35MOE: Family = Family {
    architecture: "qwen35moe",
    experts: Some(QWEN35_MIXTURE),
    required: &[
        EMBEDDING,
        ATTENTION_NORM,
        SPLIT_QKV,
        QK_NORMS,
        ATTENTION_OUTPUT,
        DELTA_NET,
        RATES,
        POST_ATTENTION_NORM,
    ],
    scales: OF_DELTA_AND_EXPERTS,
    idle: &[],
    keys: &[
        STATE,
        RECURRENT_LAYERS,
        SECTIONS,
        PREDICTING_LAYERS,
        EXPERT_WIDTH,
        SHARED_WIDTH,
        NORMALIZED,
        SOFTMAX_ROUTER,
        RMS_NORM,
        ROTARY,
        NO_SCALES,
    ],
    ..QWEN35
};

const MAMBA2_HEADS: RecurrentRules = rules(RecurrentKind::Mamba2, RecurrentLayers::WithoutKeys);

/// Each layer has one part, with a norm before it.
const NEMOTRON_H: Family = Family {
    architecture: "nemotron_h",
    layers: Layers::OfOnePart,
    feed_forward: Plain(ReluSquared),
    recurrent: Some(RecurrentRules { layers: RecurrentLayers::WithoutOthers, ..MAMBA2_HEADS }),
    ffn_norms: &["attn_norm"],
    rotary: Rotary::Never,
    required: &[
        EMBEDDING,
        ATTENTION_NORM,
        ATTENTION_OUTPUT,
        tensors::MAMBA2,
        CONVOLUTION_BIAS,
        STATE_NORM,
        PLAIN,
    ],
    optional: &[QKV, QKV_BIASES, ATTENTION_OUTPUT_BIAS, UP_DOWN_BIASES, OUTPUT],
    scales: OF_MAMBA_AND_ALL,
    keys: &[STATE, EITHER_EPSILON, NO_ROTARY, NO_SCALES],
    ..LLAMA
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    LFM2,
    Family {
        architecture: "lfm2moe",
        experts: Some(ExpertRules {
            gating: GatingRule::Key(Gating::Sigmoid),
            width: ExpertWidth::Key,
            required: &[EXPERTS, SELECTION_BIAS],
            ..MIXTURE
        }),
        windows: Windows::Never,
        keys: &[
            keys::SHORT_CONVOLUTION,
            EXPERT_WIDTH,
            EXPERT_GATING,
            DENSE_LEAD,
            RMS_NORM,
            ROTARY,
            NO_SCALES,
        ],
        ..LFM2
    },
    QWEN35,
    QWEN35MOE,
    Family {
        architecture: "qwen3next",
        recurrent: Some(rules(RecurrentKind::DeltaNet, RecurrentLayers::AllButEach(4))),
        sections: Sections::None,
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            SPLIT_QKV,
            QK_NORMS,
            ATTENTION_OUTPUT,
            DELTA_NET,
            FUSED_RATES,
            POST_ATTENTION_NORM,
        ],
        optional: &[FUSED_QKV, QKV_BIASES, FUSED_DELTA, OUTPUT],
        scales: OF_APART_AND_EXPERTS,
        // Where both are there, llama.cpp reads the newer files' matrices.
        idle: &[FUSED_DELTA],
        keys: &[
            STATE,
            RECURRENT_LAYERS,
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
    // Heads of Mamba 2 beside those of attention, in every layer.
    Family {
        architecture: "falcon-h1",
        pairing: Pairing::Halves,
        recurrent: Some(RecurrentRules {
            layers: RecurrentLayers::BesideAttention,
            ..MAMBA2_HEADS
        }),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            ATTENTION_OUTPUT,
            tensors::MAMBA2,
            CONVOLUTION_BIAS,
            BARE_FFN_NORM,
            GATED,
        ],
        optional: &[QKV, QKV_BIASES, STATE_NORM, GATE_BIAS, UP_DOWN_BIASES, OUTPUT],
        scales: OF_MAMBA_AND_ATTENTION,
        idle: &[ATTENTION_OUTPUT_BIAS, ROPE_FACTORS],
        keys: &[STATE, RMS_NORM, ROTARY, NO_SCALES],
        ..LLAMA
    },
    // Mamba 2 alone.
    Family {
        architecture: "mamba2",
        layers: Layers::OfOnePart,
        recurrent: Some(RecurrentRules { layers: RecurrentLayers::All, ..MAMBA2_HEADS }),
        ffn_norms: &[],
        rotary: Rotary::Never,
        required: &[EMBEDDING, ATTENTION_NORM, tensors::MAMBA2, CONVOLUTION_BIAS, STATE_NORM],
        optional: &[OUTPUT],
        scales: OF_MAMBA,
        keys: &[NO_FEED_FORWARD, STATE, RMS_NORM, NO_ROTARY, NO_SCALES],
        ..LLAMA
    },
    NEMOTRON_H,
    Family {
        architecture: "nemotron_h_moe",
        experts: Some(ExpertRules {
            may_be_dense: true,
            gating: GatingRule::Is(Gating::Sigmoid),
            normalized: Normalized::Key,
            width: ExpertWidth::KeyOrShare,
            shared: SharedWidth::Key,
            required: &[UNGATED_EXPERTS, SELECTION_BIAS, UNGATED_SHARED_EXPERT],
            ..MIXTURE
        }),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            ATTENTION_OUTPUT,
            tensors::MAMBA2,
            CONVOLUTION_BIAS,
            STATE_NORM,
            PLAIN,
        ],
        optional: &[QKV, QKV_BIASES, ATTENTION_OUTPUT_BIAS, UP_DOWN_BIASES, OUTPUT],
        keys: &[
            STATE,
            EITHER_EPSILON,
            EXPERT_WIDTH,
            SHARED_WIDTH,
            SHARED_COUNT_SAID,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            SIGMOID_ROUTER,
            NO_LATENT_EXPERTS,
            NO_ROTARY,
            NO_SCALES,
        ],
        ..NEMOTRON_H
    },
    // Granite with Mamba 2 in the layers that have no key-value heads.
    Family {
        architecture: "granitehybrid",
        layers: Layers::OfSeveralSizes,
        recurrent: Some(MAMBA2_HEADS),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            ATTENTION_OUTPUT,
            tensors::MAMBA2,
            CONVOLUTION_BIAS,
            STATE_NORM,
            FFN_NORM,
            GATED,
        ],
        optional: &[
            QKV,
            QKV_BIASES,
            ATTENTION_OUTPUT_BIAS,
            GATE_BIAS,
            UP_DOWN_BIASES,
            OUTPUT,
            ROPE_FACTORS,
        ],
        scales: OF_MAMBA_AND_ATTENTION,
        keys: &[
            STATE,
            EMBEDDING_SCALE,
            RESIDUAL_SCALE,
            LOGIT_SCALE,
            ATTENTION_SCALE,
            ROTARY_SWITCH,
            RMS_NORM,
            ROTARY,
            NO_SCALES,
            SHARED_WIDTH,
            SHARED_COUNT_SAID,
            NORMALIZED,
            SOFTMAX_ROUTER,
        ],
        ..GRANITE
    },
];
