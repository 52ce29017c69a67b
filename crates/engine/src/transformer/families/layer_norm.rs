//! Families with LayerNorm. A row says what differs from a plain Llama.

use kelvin_kernels::{
    gate::Activation::{GeluTanh, ReluSquared},
    rope::Pairing,
};

use super::{
    super::{NormKind, QkNorm},
    Family,
    FeedForward::Plain,
    LogitScale, Residual, Rotary, Scale, WindowRotary, Windows,
    keys::*,
    rms_norm::LLAMA,
    scales::OF_DENSE,
    tensors::*,
};

/// LayerNorm with biases, GELU without a gate, biases everywhere, halves rotated.
pub(super) const STARCODER2: Family = Family {
    architecture: "starcoder2",
    norm: NormKind::Layer,
    feed_forward: Plain(GeluTanh),
    pairing: Pairing::Halves,
    required: &[
        EMBEDDING,
        OUTPUT_NORM_BIAS,
        ATTENTION_NORM,
        ATTENTION_NORM_BIAS,
        ATTENTION_OUTPUT,
        ATTENTION_OUTPUT_BIAS,
        FFN_NORM,
        FFN_NORM_BIAS,
        PLAIN,
        UP_DOWN_BIASES,
    ],
    keys: &[LAYER_NORM, ROTARY, NO_SCALES],
    ..LLAMA
};

/// StarCoder 2 with one tensor for queries, keys and values, and learned positions.
pub(super) const GPT2: Family = Family {
    architecture: "gpt2",
    rotary: Rotary::Never,
    required: &[
        EMBEDDING,
        POSITIONS,
        OUTPUT_NORM_BIAS,
        ATTENTION_NORM,
        ATTENTION_NORM_BIAS,
        FUSED_QKV,
        FUSED_QKV_BIAS,
        ATTENTION_OUTPUT,
        ATTENTION_OUTPUT_BIAS,
        FFN_NORM,
        FFN_NORM_BIAS,
        PLAIN,
        UP_DOWN_BIASES,
    ],
    optional: &[OUTPUT],
    keys: &[LAYER_NORM, NO_ROTARY, NO_SCALES],
    ..STARCODER2
};

/// Attention and feed-forward side by side on one LayerNorm without a bias; the output is tied.
const COMMAND_R: Family = Family {
    architecture: "command-r",
    norm: NormKind::Layer,
    ffn_norms: &["attn_norm"],
    residual: Residual::Parallel,
    qk_norm: QkNorm::EachHead,
    logit_scale: LogitScale::Times(Scale::Key),
    required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, GATED],
    optional: &[QKV, QKV_BIASES, QK_NORMS],
    keys: &[LOGIT_SCALE, LAYER_NORM, ROTARY, NO_SCALES],
    ..LLAMA
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        architecture: "phi2",
        ffn_norms: &["attn_norm"],
        residual: Residual::Parallel,
        required: &[
            EMBEDDING,
            OUTPUT,
            OUTPUT_BIAS,
            OUTPUT_NORM_BIAS,
            ATTENTION_NORM,
            ATTENTION_NORM_BIAS,
            ATTENTION_OUTPUT,
            ATTENTION_OUTPUT_BIAS,
            PLAIN,
            UP_DOWN_BIASES,
        ],
        optional: &[QKV, QKV_BIASES],
        ..STARCODER2
    },
    Family {
        architecture: "stablelm",
        norm: NormKind::Layer,
        ffn_norms: &["ffn_norm", "attn_norm"],
        residual: Residual::ByNorm,
        qk_norm: QkNorm::EachHead,
        pairing: Pairing::Halves,
        required: &[
            EMBEDDING,
            OUTPUT,
            OUTPUT_NORM_BIAS,
            ATTENTION_NORM,
            ATTENTION_NORM_BIAS,
            ATTENTION_OUTPUT,
            GATED,
        ],
        optional: &[QKV, QKV_BIASES, QK_NORMS, FFN_NORM, FFN_NORM_BIAS],
        keys: &[PARALLEL_BY_TENSORS, LAYER_NORM, ROTARY, NO_SCALES],
        ..LLAMA
    },
    STARCODER2,
    GPT2,
    Family {
        architecture: "gptneox",
        residual: Residual::ByKey,
        rotary: Rotary::EveryLayer,
        required: &[
            EMBEDDING,
            OUTPUT,
            OUTPUT_NORM_BIAS,
            ATTENTION_NORM,
            ATTENTION_NORM_BIAS,
            FUSED_QKV,
            FUSED_QKV_BIAS,
            ATTENTION_OUTPUT,
            ATTENTION_OUTPUT_BIAS,
            FFN_NORM,
            FFN_NORM_BIAS,
            PLAIN,
            UP_DOWN_BIASES,
        ],
        optional: &[],
        keys: &[PARALLEL, LAYER_NORM, ROTARY, NO_SCALES],
        ..GPT2
    },
    Family {
        architecture: "bloom",
        alibi: 8.0,
        required: &[
            EMBEDDING,
            EMBEDDING_NORM,
            OUTPUT_NORM_BIAS,
            ATTENTION_NORM,
            ATTENTION_NORM_BIAS,
            FUSED_QKV,
            FUSED_QKV_BIAS,
            ATTENTION_OUTPUT,
            ATTENTION_OUTPUT_BIAS,
            FFN_NORM,
            FFN_NORM_BIAS,
            PLAIN,
            UP_DOWN_BIASES,
        ],
        keys: &[ALIBI_OF_BLOOM, LAYER_NORM, NO_ROTARY, NO_SCALES],
        ..GPT2
    },
    Family {
        architecture: "mpt",
        required: &[EMBEDDING, ATTENTION_NORM, FUSED_QKV, ATTENTION_OUTPUT, FFN_NORM, PLAIN],
        optional: &[
            OUTPUT,
            POSITIONS,
            OUTPUT_NORM_BIAS,
            ATTENTION_NORM_BIAS,
            FUSED_QKV_BIAS,
            ATTENTION_OUTPUT_BIAS,
            FFN_NORM_BIAS,
            UP_DOWN_BIASES,
            ACTIVATION_SCALES,
        ],
        // Without a norm of queries llama.cpp reads none of keys.
        idle: &[K_NORM, K_NORM_BIAS],
        keys: &[ALIBI, CLAMP, LAYER_NORM, NO_ROTARY, NO_SCALES],
        ..GPT2
    },
    Family {
        architecture: "falcon",
        attention_norms: &["attn_norm_2", "attn_norm"],
        ffn_norms: &["attn_norm"],
        residual: Residual::Parallel,
        rotary: Rotary::EveryLayer,
        required: &[
            EMBEDDING,
            OUTPUT_NORM_BIAS,
            ATTENTION_NORM,
            ATTENTION_NORM_BIAS,
            FUSED_QKV,
            ATTENTION_OUTPUT,
            PLAIN,
        ],
        optional: &[OUTPUT, ATTENTION_NORM_2],
        keys: &[LAYER_NORM, ROTARY, NO_SCALES],
        ..GPT2
    },
    COMMAND_R,
    Family {
        architecture: "cohere2",
        rotary: Rotary::Windowed,
        windows: Windows::Pattern { every: 4, default: 0, layers: 0, rotary: WindowRotary::Same },
        optional: &[QKV, QKV_BIASES],
        scales: OF_DENSE,
        keys: &[LOGIT_SCALE, LAYER_NORM, ROTARY, WINDOW_PATTERN, NO_SCALES, NO_SCALES],
        ..COMMAND_R
    },
    Family {
        architecture: "nemotron",
        feed_forward: Plain(ReluSquared),
        required: &[
            EMBEDDING,
            OUTPUT,
            OUTPUT_NORM_BIAS,
            ATTENTION_NORM,
            ATTENTION_NORM_BIAS,
            ATTENTION_OUTPUT,
            FFN_NORM,
            FFN_NORM_BIAS,
            PLAIN,
        ],
        optional: &[QKV, QKV_BIASES, ATTENTION_OUTPUT_BIAS, UP_DOWN_BIASES],
        ..STARCODER2
    },
];
