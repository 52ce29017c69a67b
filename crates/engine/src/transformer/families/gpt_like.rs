//! Further families with LayerNorm.

use kelvin_kernels::{
    gate::Activation::{ReluSquared, Silu},
    rope::Pairing,
};

use super::{
    super::NormKind,
    Family,
    FeedForward::{Gated, Plain},
    Rotary, ScoreScale,
    keys::*,
    layer_norm::{GPT2, STARCODER2},
    rms_norm::LLAMA,
    tensors::*,
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    Family { architecture: "starcoder", ..GPT2 },
    Family {
        architecture: "codeshell",
        required: &[
            EMBEDDING,
            OUTPUT,
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
        optional: &[QKV, QKV_BIASES],
        ..STARCODER2
    },
    Family {
        architecture: "orion",
        feed_forward: Gated(Silu),
        required: &[
            EMBEDDING,
            OUTPUT,
            OUTPUT_NORM_BIAS,
            ATTENTION_NORM,
            ATTENTION_NORM_BIAS,
            ATTENTION_OUTPUT,
            FFN_NORM,
            FFN_NORM_BIAS,
            GATED,
        ],
        optional: &[QKV, QKV_BIASES],
        ..STARCODER2
    },
    // The first OLMo: its norms have no weights.
    Family {
        architecture: "olmo",
        norm: NormKind::Layer,
        unweighted_norms: &["attn_norm", "ffn_norm", "output_norm"],
        pairing: Pairing::Adjacent,
        required: &[TOKEN_EMBEDDING, ATTENTION_OUTPUT, GATED],
        keys: &[CLAMP, LAYER_NORM, ROTARY, NO_SCALES],
        ..LLAMA
    },
    Family {
        architecture: "jais",
        feed_forward: Gated(Silu),
        rotary: Rotary::Never,
        score_scale: ScoreScale::HeadWhole,
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
            GATED,
            GATE_BIAS,
            UP_DOWN_BIASES,
        ],
        optional: &[],
        keys: &[ALIBI, LAYER_NORM, NO_ROTARY, NO_SCALES],
        ..GPT2
    },
    Family { architecture: "jais2", feed_forward: Plain(ReluSquared), ..STARCODER2 },
];
