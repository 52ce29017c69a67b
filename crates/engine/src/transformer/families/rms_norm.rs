//! Families with root-mean-square norms. A row says what differs from a plain Llama.

use kelvin_kernels::{
    gate::Activation::{GeluTanh, ReluSquared, Silu},
    rope::Pairing,
};

use super::{
    super::{NormKind, QkNorm},
    AttentionGate, ExpertRules, Family,
    FeedForward::{FusedGate, Gated, Plain, Xielu},
    LayerScale, Layers, LogitScale, Residual, Rotary, Scale, ScoreScale, Sections, SharedWidth,
    WindowRotary, Windows, YarnLog,
    expert_rules::OPTIONAL_MIXTURE,
    keys::*,
    scales::{OF_ATTENTION, OF_DENSE, OF_DENSE_AND_EXPERTS},
    tensors::*,
};

/// A decoder as Llama's is. Its output may be tied; it has no bias.
pub(super) const LLAMA: Family = Family {
    architecture: "llama",
    norm: NormKind::Rms,
    norm_by_key: false,
    norm_parts: false,
    attention_norms: &["attn_norm"],
    ffn_norms: &["ffn_norm"],
    post_norms: false,
    post_norm_eps: None,
    unweighted_norms: &[],
    residual: Residual::Sequential,
    feed_forward: Gated(Silu),
    experts: None,
    recurrent: None,
    output_norm: "output_norm",
    ffn_divisor: 1,
    attention_gate: AttentionGate::EachNumber,
    layer_scale: LayerScale::Stream,
    layers: Layers::Alike,
    narrow_values: false,
    keys_as_values: false,
    own_caches: 0,
    latent: false,
    streams: false,
    stacks: false,
    image_tokens: 0..0,
    qk_norm: QkNorm::Head,
    norm_after_rotation: false,
    qk_layer_norm: false,
    rotated_norms: None,
    pairing: Pairing::Adjacent,
    rotary: Rotary::EveryLayer,
    half_rotary: false,
    yarn_log: YarnLog::Whole,
    yarn_beta_fast: 32.0,
    sections: Sections::None,
    windows: Windows::Never,
    temperature: None,
    alibi: 0.0,
    alibi_layers: 0,
    embedding_scale: Scale::One,
    residual_scale: Scale::One,
    logit_scale: LogitScale::Times(Scale::One),
    score_scale: ScoreScale::Head,
    score_cap: 0.0,
    logit_cap: 0.0,
    required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, GATED],
    optional: &[QKV, QKV_BIASES, OUTPUT],
    scales: OF_ATTENTION,
    without_scales: &[],
    unused: &[],
    unused_because: "concerns images; text needs none",
    idle: &[],
    selects: &[],
    may_see_all: false,
    keys: &[RMS_NORM, ROTARY, NO_SCALES],
    bare_keys: &[],
};

/// Llama with halves rotated and a norm of each head's queries and keys.
pub(super) const QWEN3: Family = Family {
    architecture: "qwen3",
    pairing: Pairing::Halves,
    required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, QK_NORMS, FFN_NORM, GATED],
    ..LLAMA
};

const GEMMA: Family = Family {
    architecture: "gemma",
    feed_forward: Gated(GeluTanh),
    pairing: Pairing::Halves,
    embedding_scale: Scale::SqrtWidth,
    optional: &[QKV, QKV_BIASES],
    keys: &[RMS_NORM, ROTARY],
    ..LLAMA
};

/// Norms before and after each half of a block, caps, every other layer local.
pub(super) const GEMMA2: Family = Family {
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
        ATTENTION_SCALE_SAID,
        RMS_NORM,
        ROTARY,
        WINDOW_PATTERN,
        WINDOW_BASE,
    ],
    ..GEMMA
};

pub(super) const GRANITE: Family = Family {
    architecture: "granite",
    rotary: Rotary::Switched,
    experts: Some(OPTIONAL_MIXTURE),
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
        IMAGE_LAYERS,
        RMS_NORM,
        ROTARY,
        NO_SCALES,
        SHARED_WIDTH,
        SHARED_COUNT_SAID,
        NORMALIZED,
        SOFTMAX_ROUTER,
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
    keys: &[RMS_NORM, ROTARY, WINDOW_PATTERN, NO_SCALES],
    ..LLAMA
};

/// Queries and keys are rotated before their norm.
pub(super) const HUNYUAN: Family = Family {
    architecture: "hunyuan-dense",
    norm_after_rotation: true,
    keys: &[ROTARY_ALPHA, ONE_EXPERT, NO_SECTIONS, RMS_NORM, ROTARY, NO_SCALES],
    ..QWEN3
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        windows: Windows::EveryLayer,
        experts: Some(OPTIONAL_MIXTURE),
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
        scales: OF_DENSE_AND_EXPERTS,
        keys: &[RMS_NORM, ROTARY, SHARED_COUNT_SAID, NORMALIZED, SOFTMAX_ROUTER, NO_SCALES],
        ..LLAMA
    },
    Family {
        architecture: "mistral3",
        score_scale: ScoreScale::Head,
        experts: Some(OPTIONAL_MIXTURE),
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
        scales: OF_DENSE_AND_EXPERTS,
        keys: &[
            TEMPERATURE,
            RMS_NORM,
            ROTARY,
            NO_SCALES,
            SHARED_COUNT_SAID,
            NORMALIZED,
            SOFTMAX_ROUTER,
        ],
        ..LLAMA
    },
    Family {
        architecture: "qwen2",
        pairing: Pairing::Halves,
        optional: &[QKV, QKV_BIASES, OUTPUT, OUTPUT_BIAS],
        ..LLAMA
    },
    Family { scales: OF_DENSE, idle: &[CLASSIFIER], ..QWEN3 },
    Family {
        architecture: "phi3",
        feed_forward: FusedGate(Silu),
        pairing: Pairing::Halves,
        windows: Windows::EveryLayer,
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, PLAIN],
        optional: &[QKV, QKV_BIASES, OUTPUT, LONG_ROPE_FACTORS],
        ..LLAMA
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
        keys: &[ATTENTION_SCALE_SAID, LOGIT_CAP, RMS_NORM, ROTARY, WINDOW_PATTERN, WINDOW_BASE],
        ..GEMMA2
    },
    GRANITE,
    Family {
        architecture: "minicpm",
        experts: Some(ExpertRules {
            shared: SharedWidth::None,
            optional: &[EXPERT_GATES],
            ..OPTIONAL_MIXTURE
        }),
        rotary: Rotary::EveryLayer,
        embedding_scale: Scale::KeyOr(|_, _| 12.0),
        residual_scale: Scale::KeyOr(|n_layers, _| 1.4 / (n_layers as f64).sqrt()),
        logit_scale: LogitScale::DividedBy(Scale::KeyOr(|_, d_model| 256.0 / d_model as f64)),
        score_scale: ScoreScale::Head,
        keys: &[
            EMBEDDING_SCALE,
            RESIDUAL_SCALE,
            LOGIT_SCALE,
            RMS_NORM,
            ROTARY,
            NO_SCALES,
            NORMALIZED,
            SOFTMAX_ROUTER,
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
        sections: Sections::BlocksIfAny,
        keys: &[SECTIONS, RMS_NORM, ROTARY, NO_SCALES],
        ..LLAMA
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
    Family {
        architecture: "ernie4_5",
        idle: &[ATTENTION_OUTPUT_BIAS],
        keys: &[DENSE_ALONE, NO_SECTIONS, RMS_NORM, ROTARY, NO_SCALES],
        ..LLAMA
    },
    HUNYUAN,
    Family {
        architecture: "apertus",
        feed_forward: Xielu,
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, QK_NORMS, ATTENTION_OUTPUT, FFN_NORM, PLAIN],
        optional: &[QKV, QKV_BIASES, ATTENTION_OUTPUT_BIAS, ROPE_FACTORS, LONG_ROPE_FACTORS],
        bare_keys: XIELU,
        ..QWEN3
    },
];
