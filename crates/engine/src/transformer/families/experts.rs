//! Families with mixtures of experts. `llama` stands in `rms_norm`: its files may have experts.

use kelvin_kernels::{
    gate::Activation::{ClampedSilu, Silu},
    rope::Pairing,
};

use super::{
    super::{NormKind, QkNorm},
    ExpertRules, ExpertWidth, Family,
    FeedForward::Gated,
    Gating, GatingRule, Normalized, Rotary, Sections, SharedWidth, WindowRotary, Windows,
    expert_rules::{MIXTURE, OPTIONAL_MIXTURE},
    keys::*,
    rms_norm::{GRANITE, LLAMA, QWEN3},
    scales::OF_EXPERTS,
    tensors::*,
};

/// DeepSeek's: some shared experts as one network, dense layers first.
const SHARED: ExpertRules = ExpertRules {
    width: ExpertWidth::Key,
    shared: SharedWidth::Count,
    required: &[EXPERTS, SHARED_EXPERT],
    ..MIXTURE
};

/// What the file says of its router: DeepSeek 3's kind.
pub(super) const SAID: ExpertRules = ExpertRules {
    gating: GatingRule::Key(Gating::Sigmoid),
    normalized: Normalized::Key,
    optional: &[SELECTION_BIAS],
    ..SHARED
};

pub(super) const QWEN3MOE: Family = Family {
    architecture: "qwen3moe",
    experts: Some(ExpertRules { width: ExpertWidth::KeyOrShare, ..MIXTURE }),
    keys: &[RMS_NORM, ROTARY, EXPERT_WIDTH, NORMALIZED, SOFTMAX_ROUTER, NO_SCALES],
    ..QWEN3
};

const DEEPSEEK: Family = Family {
    architecture: "deepseek",
    experts: Some(ExpertRules { normalized: Normalized::Never, ..SHARED }),
    optional: &[QKV, QKV_BIASES, ATTENTION_OUTPUT_BIAS, OUTPUT],
    keys: &[
        RMS_NORM,
        ROTARY,
        EXPERT_WIDTH,
        SHARED_COUNT,
        DENSE_LEAD,
        EXPERT_WEIGHTS_SCALE,
        SOFTMAX_ROUTER,
        NO_SCALES,
    ],
    ..LLAMA
};

const GLM4MOE: Family = Family {
    architecture: "glm4moe",
    ffn_norms: &["post_attention_norm"],
    pairing: Pairing::Halves,
    experts: Some(ExpertRules {
        width: ExpertWidth::KeyOrShare,
        required: &[EXPERTS, SELECTION_BIAS],
        optional: &[SHARED_EXPERT],
        ..SAID
    }),
    required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, POST_ATTENTION_NORM, GATED],
    optional: &[QKV, QKV_BIASES, QK_NORMS, OUTPUT],
    sections: Sections::BlocksIfAny,
    keys: &[
        SECTIONS,
        RMS_NORM,
        ROTARY,
        EXPERT_WIDTH,
        SHARED_COUNT,
        DENSE_LEAD,
        EXPERT_WEIGHTS_SCALE,
        EXPERT_WEIGHTS_NORM,
        EXPERT_GATING,
        PREDICTING_LAYERS,
        NO_SCALES,
    ],
    ..LLAMA
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        architecture: "qwen2moe",
        pairing: Pairing::Halves,
        experts: Some(ExpertRules {
            normalized: Normalized::Never,
            width: ExpertWidth::KeyOrShare,
            shared: SharedWidth::KeyOrFeedForward,
            required: &[EXPERTS, SHARED_EXPERT, SHARED_EXPERT_GATE],
            ..MIXTURE
        }),
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[QKV, QKV_BIASES],
        keys: &[
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH,
            SHARED_WIDTH,
            SHARED_COUNT_SAID,
            SOFTMAX_ROUTER,
            NO_SCALES,
        ],
        ..LLAMA
    },
    Family { scales: OF_EXPERTS, ..QWEN3MOE },
    Family {
        architecture: "olmoe",
        qk_norm: QkNorm::Whole,
        pairing: Pairing::Halves,
        experts: Some(ExpertRules { normalized: Normalized::Never, ..MIXTURE }),
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, QK_NORMS, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[QKV, QKV_BIASES],
        keys: &[RMS_NORM, ROTARY, SOFTMAX_ROUTER, NO_SCALES],
        ..LLAMA
    },
    Family {
        architecture: "granitemoe",
        rotary: Rotary::EveryLayer,
        experts: Some(OPTIONAL_MIXTURE),
        keys: &[
            EMBEDDING_SCALE,
            RESIDUAL_SCALE,
            LOGIT_SCALE,
            ATTENTION_SCALE,
            RMS_NORM,
            ROTARY,
            SHARED_WIDTH,
            SHARED_COUNT_SAID,
            NORMALIZED,
            SOFTMAX_ROUTER,
        ],
        ..GRANITE
    },
    Family {
        architecture: "phimoe",
        pairing: Pairing::Halves,
        experts: Some(MIXTURE),
        required: &[
            EMBEDDING,
            OUTPUT,
            OUTPUT_BIAS,
            OUTPUT_NORM_BIAS,
            ATTENTION_NORM,
            ATTENTION_NORM_BIAS,
            ATTENTION_OUTPUT,
            ATTENTION_OUTPUT_BIAS,
            FFN_NORM,
            FFN_NORM_BIAS,
            GATED,
        ],
        optional: &[QKV, QKV_BIASES, LONG_ROPE_FACTORS],
        keys: &[RMS_NORM, ROTARY, NORMALIZED, SOFTMAX_ROUTER, NO_SCALES],
        ..LLAMA
    },
    Family {
        architecture: "ernie4_5-moe",
        experts: Some(ExpertRules {
            width: ExpertWidth::Key,
            shared: SharedWidth::Key,
            required: &[UNGATED_EXPERTS],
            optional: &[EXPERT_GATES, SELECTION_BIAS, SHARED_EXPERT],
            ..MIXTURE
        }),
        idle: &[ATTENTION_OUTPUT_BIAS],
        keys: &[
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH,
            SHARED_WIDTH,
            SHARED_COUNT_SAID,
            DENSE_LEAD,
            INTERLEAVED,
            NO_SECTIONS,
            NORMALIZED,
            SOFTMAX_ROUTER,
            NO_SCALES,
        ],
        ..LLAMA
    },
    Family {
        architecture: "gpt-oss",
        ffn_norms: &["post_attention_norm"],
        pairing: Pairing::Halves,
        feed_forward: Gated(ClampedSilu),
        windows: Windows::Pattern { every: 2, default: 0, layers: 0, rotary: WindowRotary::Same },
        experts: Some(ExpertRules {
            gating: GatingRule::Is(Gating::SoftmaxOfSelected),
            normalized: Normalized::Never,
            width: ExpertWidth::Key,
            required: &[EXPERTS, EXPERT_BIASES],
            ..MIXTURE
        }),
        required: &[
            EMBEDDING,
            OUTPUT,
            ATTENTION_NORM,
            ATTENTION_OUTPUT,
            ATTENTION_OUTPUT_BIAS,
            SINKS,
            POST_ATTENTION_NORM,
        ],
        optional: &[QKV, QKV_BIASES],
        keys: &[
            RMS_NORM,
            ROTARY,
            WINDOW_PATTERN,
            WINDOW_BASE,
            EXPERT_WIDTH,
            SOFTMAX_OF_SELECTED,
            NO_SCALES,
        ],
        ..LLAMA
    },
    GLM4MOE,
    Family {
        architecture: "bailingmoe2",
        ffn_norms: &["ffn_norm"],
        experts: Some(ExpertRules { shared: SharedWidth::CountOfKey, ..SAID }),
        required: &[
            EMBEDDING,
            OUTPUT,
            ATTENTION_NORM,
            FUSED_QKV,
            QK_NORMS,
            ATTENTION_OUTPUT,
            FFN_NORM,
            GATED,
        ],
        optional: &[ATTENTION_OUTPUT_BIAS],
        sections: Sections::None,
        keys: &[
            RMS_NORM,
            ROTARY,
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
        ..GLM4MOE
    },
    DEEPSEEK,
    Family {
        architecture: "dots1",
        pairing: Pairing::Halves,
        experts: Some(SAID),
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, QK_NORMS, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[QKV, QKV_BIASES],
        keys: &[
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
        ..LLAMA
    },
    Family {
        architecture: "hunyuan-moe",
        norm_after_rotation: true,
        experts: Some(ExpertRules {
            shared: SharedWidth::KeyOrFeedForward,
            required: &[EXPERTS, SHARED_EXPERT],
            ..MIXTURE
        }),
        keys: &[
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH_SAID,
            SHARED_WIDTH,
            SHARED_COUNT_SAID,
            NORMALIZED,
            SOFTMAX_ROUTER,
            NO_SCALES,
        ],
        ..QWEN3
    },
    Family {
        architecture: "bailingmoe",
        experts: Some(ExpertRules { normalized: Normalized::Key, ..SHARED }),
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, GATED],
        keys: &[
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH,
            SHARED_COUNT,
            NO_DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            SOFTMAX_ROUTER,
            NO_SCALES,
        ],
        ..DEEPSEEK
    },
    Family {
        architecture: "minimax-m2",
        qk_norm: QkNorm::Whole,
        pairing: Pairing::Halves,
        experts: Some(ExpertRules {
            gating: GatingRule::Key(Gating::Sigmoid),
            required: &[EXPERTS, SELECTION_BIAS],
            ..MIXTURE
        }),
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, QK_NORMS, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[QKV, QKV_BIASES],
        keys: &[RMS_NORM, ROTARY, EXPERT_WIDTH_SAID, EXPERT_GATING, NORMALIZED, NO_SCALES],
        ..LLAMA
    },
    Family {
        architecture: "dbrx",
        norm: NormKind::Layer,
        ffn_norms: &["attn_output_norm"],
        feed_forward: Gated(Silu),
        pairing: Pairing::Halves,
        experts: Some(MIXTURE),
        required: &[
            EMBEDDING,
            OUTPUT,
            ATTENTION_NORM,
            FUSED_QKV,
            ATTENTION_OUTPUT,
            ATTENTION_OUTPUT_NORM,
        ],
        optional: &[],
        keys: &[CLAMP, LAYER_NORM, ROTARY, NORMALIZED, SOFTMAX_ROUTER, NO_SCALES],
        ..LLAMA
    },
];
