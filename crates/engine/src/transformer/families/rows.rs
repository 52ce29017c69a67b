//! The table of model families. A row says what differs from a plain Llama.

use kelvin_kernels::{
    gate::Activation::{GeluTanh, ReluSquared, Silu},
    rope::Pairing,
};

use super::{
    super::{NormKind, QkNorm},
    Family,
    FeedForward::{FusedGate, Gated, Plain, Xielu},
    LogitScale, Residual, Rotary, Scale, ScoreScale, WindowRotary, Windows,
    keys::*,
    tensors::*,
};

/// A decoder as Llama's is. Its output may be tied; it has no bias.
const LLAMA: Family = Family {
    architecture: "llama",
    norm: NormKind::Rms,
    attention_norms: &["attn_norm"],
    ffn_norms: &["ffn_norm"],
    post_norms: false,
    residual: Residual::Sequential,
    feed_forward: Gated(Silu),
    qk_norm: QkNorm::Head,
    norm_after_rotation: false,
    pairing: Pairing::Adjacent,
    rotary: Rotary::EveryLayer,
    windows: Windows::Never,
    alibi: 0.0,
    embedding_scale: Scale::One,
    residual_scale: Scale::One,
    logit_scale: LogitScale::Times(Scale::One),
    score_scale: ScoreScale::Head,
    score_cap: 0.0,
    logit_cap: 0.0,
    required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, GATED],
    optional: &[QKV, QKV_BIASES, OUTPUT],
    keys: &[SHAPES, RMS_NORM, ROTARY, NOT_DONE, NO_SCALES, NO_EXPERTS, UNUSED],
    bare_keys: &[],
};

/// Llama with halves rotated and a norm of each head's queries and keys.
const QWEN3: Family = Family {
    architecture: "qwen3",
    pairing: Pairing::Halves,
    required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, QK_NORMS, FFN_NORM, GATED],
    ..LLAMA
};

/// LayerNorm with biases, GELU without a gate, biases everywhere, halves rotated.
const STARCODER2: Family = Family {
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
    keys: &[SHAPES, LAYER_NORM, ROTARY, NOT_DONE, NO_SCALES, NO_EXPERTS, UNUSED],
    ..LLAMA
};

/// StarCoder 2 with one tensor for queries, keys and values, and learned positions.
const GPT2: Family = Family {
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
    keys: &[SHAPES, LAYER_NORM, NO_ROTARY, NOT_DONE, NO_SCALES, NO_EXPERTS, UNUSED],
    ..STARCODER2
};

const GEMMA: Family = Family {
    architecture: "gemma",
    feed_forward: Gated(GeluTanh),
    pairing: Pairing::Halves,
    embedding_scale: Scale::SqrtWidth,
    optional: &[QKV, QKV_BIASES],
    keys: &[SHAPES, RMS_NORM, ROTARY, NOT_DONE, NO_EXPERTS, UNUSED],
    ..LLAMA
};

/// Norms before and after each half of a block, caps, every other layer local.
const GEMMA2: Family = Family {
    architecture: "gemma2",
    post_norms: true,
    windows: Windows::Pattern { every: 2, default: 4096, layers: 0, rotary: WindowRotary::Same },
    score_scale: ScoreScale::SharedWidthAt(46),
    score_cap: 50.0,
    logit_cap: 30.0,
    required: &[
        EMBEDDING,
        ATTENTION_NORM,
        ATTENTION_OUTPUT,
        POST_ATTENTION_NORM,
        FFN_NORM,
        GATED,
        POST_FFN_NORM,
    ],
    keys: &[
        SCORE_CAP,
        LOGIT_CAP,
        SHAPES,
        RMS_NORM,
        ROTARY,
        WINDOW_PATTERN,
        WINDOW_BASE,
        NOT_DONE,
        NO_EXPERTS,
        UNUSED,
    ],
    ..GEMMA
};

const GRANITE: Family = Family {
    architecture: "granite",
    rotary: Rotary::Switched,
    embedding_scale: Scale::Key,
    residual_scale: Scale::Key,
    logit_scale: LogitScale::DividedBy(Scale::Key),
    score_scale: ScoreScale::Key,
    optional: &[
        QKV,
        QKV_BIASES,
        ATTENTION_OUTPUT_BIAS,
        GATE_BIAS,
        UP_DOWN_BIASES,
        OUTPUT,
        ROPE_FACTORS,
        LONG_ROPE_FACTORS,
    ],
    keys: &[
        EMBEDDING_SCALE,
        RESIDUAL_SCALE,
        LOGIT_SCALE,
        ATTENTION_SCALE,
        ROTARY_SWITCH,
        SHAPES,
        RMS_NORM,
        ROTARY,
        NOT_DONE,
        NO_SCALES,
        NO_EXPERTS,
        UNUSED,
    ],
    ..LLAMA
};

/// No norm before a half of a block, one after each; a norm over all queries and one over all keys.
const OLMO2: Family = Family {
    architecture: "olmo2",
    attention_norms: &[],
    ffn_norms: &[],
    post_norms: true,
    qk_norm: QkNorm::Whole,
    pairing: Pairing::Halves,
    windows: Windows::Pattern { every: 4, default: 0, layers: 0, rotary: WindowRotary::Unscaled },
    required: &[
        EMBEDDING,
        OUTPUT,
        QK_NORMS,
        ATTENTION_OUTPUT,
        POST_ATTENTION_NORM,
        GATED,
        POST_FFN_NORM,
    ],
    optional: &[QKV, QKV_BIASES],
    keys: &[SHAPES, RMS_NORM, ROTARY, WINDOW_PATTERN, NOT_DONE, NO_SCALES, NO_EXPERTS, UNUSED],
    ..LLAMA
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
    keys: &[LOGIT_SCALE, SHAPES, LAYER_NORM, ROTARY, NOT_DONE, NO_SCALES, NO_EXPERTS, UNUSED],
    ..LLAMA
};

/// Every family that can be run.
pub(in super::super) const FAMILIES: &[Family] = &[
    Family {
        windows: Windows::EveryLayer,
        optional: &[
            QKV,
            QKV_BIASES,
            ATTENTION_OUTPUT_BIAS,
            GATE_BIAS,
            UP_DOWN_BIASES,
            OUTPUT,
            ROPE_FACTORS,
            LONG_ROPE_FACTORS,
        ],
        ..LLAMA
    },
    Family {
        architecture: "mistral3",
        score_scale: ScoreScale::Head,
        optional: &[
            QKV,
            QKV_BIASES,
            ATTENTION_OUTPUT_BIAS,
            GATE_BIAS,
            UP_DOWN_BIASES,
            OUTPUT,
            ROPE_FACTORS,
            LONG_ROPE_FACTORS,
        ],
        keys: &[TEMPERATURE, SHAPES, RMS_NORM, ROTARY, NOT_DONE, NO_SCALES, NO_EXPERTS, UNUSED],
        ..LLAMA
    },
    Family {
        architecture: "qwen2",
        pairing: Pairing::Halves,
        optional: &[QKV, QKV_BIASES, OUTPUT, OUTPUT_BIAS],
        ..LLAMA
    },
    QWEN3,
    Family {
        architecture: "phi3",
        feed_forward: FusedGate(Silu),
        pairing: Pairing::Halves,
        windows: Windows::EveryLayer,
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, PLAIN],
        optional: &[QKV, QKV_BIASES, OUTPUT, LONG_ROPE_FACTORS],
        ..LLAMA
    },
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
    GEMMA,
    GEMMA2,
    Family {
        architecture: "gemma3",
        windows: Windows::Pattern {
            every: 6,
            default: 0,
            layers: 0,
            rotary: WindowRotary::Base(10_000.0),
        },
        score_scale: ScoreScale::SharedWidthAt(62),
        score_cap: 0.0,
        logit_cap: 0.0,
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            QK_NORMS,
            ATTENTION_OUTPUT,
            POST_ATTENTION_NORM,
            FFN_NORM,
            GATED,
            POST_FFN_NORM,
        ],
        optional: &[QKV, QKV_BIASES, ATTENTION_OUTPUT_BIAS, OUTPUT],
        keys: &[
            LOGIT_CAP,
            SHAPES,
            RMS_NORM,
            ROTARY,
            WINDOW_PATTERN,
            WINDOW_BASE,
            NOT_DONE,
            NO_EXPERTS,
            UNUSED,
        ],
        ..GEMMA2
    },
    GRANITE,
    Family {
        architecture: "minicpm",
        rotary: Rotary::EveryLayer,
        embedding_scale: Scale::KeyOr(|_, _| 12.0),
        residual_scale: Scale::KeyOr(|n_layers, _| 1.4 / (n_layers as f64).sqrt()),
        logit_scale: LogitScale::DividedBy(Scale::KeyOr(|_, d_model| 256.0 / d_model as f64)),
        score_scale: ScoreScale::Head,
        keys: &[
            EMBEDDING_SCALE,
            RESIDUAL_SCALE,
            LOGIT_SCALE,
            SHAPES,
            RMS_NORM,
            ROTARY,
            NOT_DONE,
            NO_SCALES,
            UNUSED,
        ],
        ..GRANITE
    },
    OLMO2,
    Family {
        architecture: "exaone4",
        qk_norm: QkNorm::Head,
        rotary: Rotary::Windowed,
        windows: Windows::Pattern {
            every: 4,
            default: 4096,
            layers: 64,
            rotary: WindowRotary::Same,
        },
        required: &[
            EMBEDDING,
            QK_NORMS,
            ATTENTION_OUTPUT,
            POST_ATTENTION_NORM,
            GATED,
            POST_FFN_NORM,
        ],
        optional: &[QKV, QKV_BIASES, OUTPUT, ROPE_FACTORS],
        ..OLMO2
    },
    Family { architecture: "smollm3", rotary: Rotary::AllBut(4), ..LLAMA },
    Family {
        architecture: "glm4",
        post_norms: true,
        feed_forward: FusedGate(Silu),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            ATTENTION_OUTPUT,
            POST_ATTENTION_NORM,
            FFN_NORM,
            PLAIN,
            POST_FFN_NORM,
        ],
        ..LLAMA
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
        keys: &[
            PARALLEL_BY_TENSORS,
            SHAPES,
            LAYER_NORM,
            ROTARY,
            NOT_DONE,
            NO_SCALES,
            NO_EXPERTS,
            UNUSED,
        ],
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
        keys: &[PARALLEL, SHAPES, LAYER_NORM, ROTARY, NOT_DONE, NO_SCALES, NO_EXPERTS, UNUSED],
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
        keys: &[
            ALIBI_OF_BLOOM,
            SHAPES,
            LAYER_NORM,
            NO_ROTARY,
            NOT_DONE,
            NO_SCALES,
            NO_EXPERTS,
            UNUSED,
        ],
        ..GPT2
    },
    Family {
        architecture: "mpt",
        qk_norm: QkNorm::Whole,
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
            QK_NORMS,
            QK_NORM_BIASES,
        ],
        keys: &[
            ALIBI, CLAMP, SHAPES, LAYER_NORM, NO_ROTARY, NOT_DONE, NO_SCALES, NO_EXPERTS, UNUSED,
        ],
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
        keys: &[SHAPES, LAYER_NORM, ROTARY, NOT_DONE, NO_SCALES, NO_EXPERTS, UNUSED],
        ..GPT2
    },
    COMMAND_R,
    Family {
        architecture: "cohere2",
        rotary: Rotary::Windowed,
        windows: Windows::Pattern { every: 4, default: 0, layers: 0, rotary: WindowRotary::Same },
        optional: &[QKV, QKV_BIASES],
        keys: &[
            LOGIT_SCALE,
            SHAPES,
            LAYER_NORM,
            ROTARY,
            WINDOW_PATTERN,
            NOT_DONE,
            NO_SCALES,
            NO_SCALES,
            NO_EXPERTS,
            UNUSED,
        ],
        ..COMMAND_R
    },
    Family {
        architecture: "exaone",
        pairing: Pairing::Halves,
        optional: &[QKV, QKV_BIASES, OUTPUT, ROPE_FACTORS],
        ..LLAMA
    },
    Family {
        architecture: "internlm2",
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[QKV, QKV_BIASES],
        ..LLAMA
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
    Family {
        architecture: "arcee",
        feed_forward: Plain(ReluSquared),
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, PLAIN],
        optional: &[QKV, QKV_BIASES, OUTPUT, ROPE_FACTORS],
        ..LLAMA
    },
    Family {
        architecture: "seed_oss",
        ffn_norms: &["post_attention_norm"],
        pairing: Pairing::Halves,
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, POST_ATTENTION_NORM, GATED],
        ..LLAMA
    },
    Family { architecture: "ernie4_5", ..LLAMA },
    Family {
        architecture: "hunyuan-dense",
        norm_after_rotation: true,
        keys: &[
            ROTARY_ALPHA,
            ONE_EXPERT,
            SHAPES,
            RMS_NORM,
            ROTARY,
            NOT_DONE,
            NO_SCALES,
            NO_EXPERTS,
            UNUSED,
        ],
        ..QWEN3
    },
    Family {
        architecture: "apertus",
        feed_forward: Xielu,
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, QK_NORMS, ATTENTION_OUTPUT, FFN_NORM, PLAIN],
        optional: &[QKV, QKV_BIASES, ATTENTION_OUTPUT_BIAS, ROPE_FACTORS, LONG_ROPE_FACTORS],
        bare_keys: XIELU,
        ..QWEN3
    },
];
