//! Further families with root-mean-square norms, all of whose blocks are much like Llama's.

use kelvin_kernels::rope::Pairing;

use super::{
    Family,
    FeedForward::FusedGate,
    Residual, Rotary,
    keys::*,
    rms_norm::{HUNYUAN, LLAMA},
    tensors::*,
};
use kelvin_kernels::gate::Activation::Silu;

/// Llama with an output matrix of its own.
const XVERSE: Family = Family {
    architecture: "xverse",
    required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, GATED],
    optional: &[QKV, QKV_BIASES],
    ..LLAMA
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    XVERSE,
    // llama.cpp tells Baichuan's models apart by their layers: those of 7B rotate, those of 13B
    // have ALiBi.
    Family {
        architecture: "baichuan",
        rotary: Rotary::InModelsOf(32),
        alibi: 8.0,
        alibi_layers: 40,
        keys: &[ALIBI_OF_BLOOM, RMS_NORM, ROTARY, NO_SCALES],
        ..XVERSE
    },
    Family {
        architecture: "refact",
        rotary: Rotary::Never,
        alibi: 8.0,
        idle: &[ATTENTION_OUTPUT_BIAS, GATE_BIAS, UP_DOWN_BIASES, ROPE_FACTORS],
        keys: &[ALIBI_OF_BLOOM, RMS_NORM, NO_ROTARY, NO_SCALES],
        ..LLAMA
    },
    // The first Qwen: its files count gate and up together.
    Family {
        architecture: "qwen",
        pairing: Pairing::Halves,
        ffn_divisor: 2,
        required: &[
            EMBEDDING,
            OUTPUT,
            ATTENTION_NORM,
            FUSED_QKV,
            FUSED_QKV_BIAS,
            ATTENTION_OUTPUT,
            FFN_NORM,
            GATED,
        ],
        optional: &[],
        ..LLAMA
    },
    Family {
        architecture: "plamo",
        ffn_norms: &["attn_norm"],
        residual: Residual::Parallel,
        pairing: Pairing::Halves,
        required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, ATTENTION_OUTPUT, GATED],
        ..XVERSE
    },
    Family { architecture: "maincoder", pairing: Pairing::Adjacent, keys: LLAMA.keys, ..HUNYUAN },
    Family {
        architecture: "pangu-embedded",
        pairing: Pairing::Halves,
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            ATTENTION_OUTPUT,
            ATTENTION_OUTPUT_BIAS,
            FFN_NORM,
            GATED,
        ],
        idle: &[ROPE_FACTORS],
        ..LLAMA
    },
    Family {
        architecture: "chatglm",
        feed_forward: FusedGate(Silu),
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, PLAIN],
        ..LLAMA
    },
];
