//! Further families with mixtures of experts.

use kelvin_kernels::{gate::Activation::Relu, rope::Pairing};

use super::{
    ExpertRules, ExpertWidth, Family,
    FeedForward::Gated,
    Gating, GatingRule, Normalized, Rotary, Scale, Sections, SharedWidth, WindowRotary, Windows,
    expert_rules::MIXTURE,
    experts::{QWEN3MOE, SAID},
    keys::*,
    rms_norm::QWEN3,
    scales::{OF_ALL_FEED_FORWARD, OF_EXPERTS},
    tensors::*,
};

/// Norms of each head's queries and keys; all that a router can say is read.
const EXAONE_MOE: Family = Family {
    architecture: "exaone-moe",
    rotary: Rotary::InWindows,
    windows: Windows::Pattern { every: 4, default: 128, layers: 0, rotary: WindowRotary::Same },
    experts: Some(ExpertRules { shared: SharedWidth::KeyOrExpert, ..SAID }),
    required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, QK_NORMS, ATTENTION_OUTPUT, FFN_NORM, GATED],
    optional: &[QKV, QKV_BIASES, ROPE_FACTORS],
    keys: &[
        RMS_NORM,
        ROTARY,
        WINDOW_PATTERN,
        EXPERT_WIDTH,
        SHARED_WIDTH,
        SHARED_COUNT_SAID,
        DENSE_LEAD,
        EXPERT_WEIGHTS_SCALE,
        EXPERT_WEIGHTS_NORM,
        EXPERT_GATING,
        PREDICTING_LAYERS,
        NO_SCALES,
    ],
    ..QWEN3
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        architecture: "qwen3vlmoe",
        sections: Sections::Interleaved,
        keys: &[
            SECTIONS,
            IMAGE_LAYERS,
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH,
            NORMALIZED,
            SOFTMAX_ROUTER,
            NO_SCALES,
        ],
        ..QWEN3MOE
    },
    EXAONE_MOE,
    Family {
        architecture: "afmoe",
        post_norms: true,
        rotary: Rotary::AllBut(4),
        windows: Windows::Pattern { every: 4, default: 0, layers: 0, rotary: WindowRotary::Same },
        embedding_scale: Scale::SqrtWidth,
        experts: Some(ExpertRules {
            required: &[EXPERTS, SELECTION_BIAS],
            optional: &[SHARED_EXPERT],
            ..SAID
        }),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            QK_NORMS,
            ATTENTION_GATE,
            ATTENTION_OUTPUT,
            POST_ATTENTION_NORM,
            FFN_NORM,
            GATED,
            POST_FFN_NORM,
        ],
        optional: &[QKV, QKV_BIASES, OUTPUT],
        keys: &[
            RMS_NORM,
            ROTARY,
            WINDOW_PATTERN,
            WINDOW_BASE,
            EXPERT_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            NO_SCALES,
        ],
        ..EXAONE_MOE
    },
    Family {
        architecture: "mellum",
        windows: Windows::Pattern {
            every: 4,
            default: 0,
            layers: 0,
            rotary: WindowRotary::Unscaled,
        },
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, QK_NORMS, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[QKV, QKV_BIASES],
        scales: OF_EXPERTS,
        keys: &[
            RMS_NORM,
            ROTARY,
            WINDOW_PATTERN,
            EXPERT_WIDTH,
            NORMALIZED,
            SOFTMAX_ROUTER,
            NO_SCALES,
        ],
        ..QWEN3MOE
    },
    Family {
        architecture: "hy_v3",
        rotary: Rotary::EveryLayer,
        windows: Windows::Never,
        experts: Some(ExpertRules {
            by_tensors: true,
            width: ExpertWidth::KeyOrShare,
            shared: SharedWidth::KeyOrExpert,
            required: &[ROUTER, EXPERT_DOWN, SHARED_EXPERT],
            optional: &[GATE_AND_UP_EXPERTS, BARE_SELECTION_BIAS],
            ..SAID
        }),
        required: &[EMBEDDING, ATTENTION_NORM, QK_NORMS, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[QKV, QKV_BIASES, OUTPUT],
        scales: OF_ALL_FEED_FORWARD,
        // A layer that has a router reads no dense network.
        idle: &[GATED_AND_SCALES],
        keys: &[
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH,
            SHARED_WIDTH,
            SHARED_COUNT_SAID,
            DENSE_LEAD_SAID,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            PREDICTING_LAYERS,
            NO_SCALES,
        ],
        ..EXAONE_MOE
    },
    Family {
        architecture: "smallthinker",
        feed_forward: Gated(Relu),
        pairing: Pairing::Halves,
        rotary: Rotary::Windowed,
        windows: Windows::AllButFirstOf { every: 4, window: 4096, rotary: WindowRotary::Same },
        experts: Some(ExpertRules {
            gating: GatingRule::Key(Gating::Softmax),
            normalized: Normalized::Always,
            width: ExpertWidth::Key,
            routes_stream: true,
            ..MIXTURE
        }),
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM],
        optional: &[QKV, QKV_BIASES, OUTPUT],
        keys: &[
            RMS_NORM,
            ROTARY,
            WINDOW_PATTERN,
            WINDOW_BASE,
            EXPERT_WIDTH,
            EXPERT_GATING,
            NORMALIZED,
            NO_SCALES,
        ],
        ..super::rms_norm::LLAMA
    },
];
