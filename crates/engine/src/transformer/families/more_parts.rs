//! Families whose blocks have parts that Llama's haven't: a gate of attention's output, norms
//! inside of attention and feed-forward, scales of layers, layers that are run several times.

use kelvin_kernels::{
    gate::Activation::{GeluTanh, Silu},
    rope::Pairing,
};

use super::{
    super::QkNorm,
    AttentionGate, Family,
    FeedForward::Gated,
    LayerScale, Layers, LogitScale, Rotary, Scale, WindowRotary, Windows, keys,
    keys::*,
    rms_norm::{GRANITE, LLAMA},
    scales::{OF_ATTENTION_AND_DOWN, OF_DENSE},
    tensors,
    tensors::*,
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        architecture: "bitnet",
        pairing: Pairing::Halves,
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            SPLIT_QKV,
            ATTENTION_OUTPUT,
            SUB_NORMS,
            FFN_NORM,
            GATED,
        ],
        optional: &[],
        scales: OF_DENSE,
        ..LLAMA
    },
    Family {
        architecture: "nanbeige",
        optional: &[QKV, QKV_BIASES, OUTPUT, ROPE_FACTORS],
        scales: OF_DENSE,
        keys: &[LOOPS, RMS_NORM, ROTARY, NO_SCALES],
        ..LLAMA
    },
    // Its norms have no weights. Each layer adds some of the embedding to the stream.
    Family {
        architecture: "talkie",
        unweighted_norms: &[
            "token_embd_norm",
            "attn_norm",
            "attn_k_norm",
            "ffn_norm",
            "output_norm",
        ],
        qk_norm: QkNorm::ScaleOfHead,
        norm_after_rotation: true,
        pairing: Pairing::Halves,
        layer_scale: LayerScale::Embedding,
        logit_scale: LogitScale::Times(Scale::Key),
        required: &[TOKEN_EMBEDDING, OUTPUT, Q_NORM, ATTENTION_OUTPUT, GATED, LAYER_SCALE],
        optional: &[QKV, QKV_BIASES],
        scales: OF_ATTENTION_AND_DOWN,
        keys: &[LOGIT_SCALE, RMS_NORM, ROTARY, NO_SCALES],
        ..LLAMA
    },
    Family {
        architecture: "spark2_5",
        feed_forward: Gated(GeluTanh),
        attention_gate: AttentionGate::EachHead,
        pairing: Pairing::Halves,
        windows: Windows::Listed(WindowRotary::Same),
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_GATE, ATTENTION_OUTPUT, FFN_NORM, GATED],
        keys: &[RMS_NORM, ROTARY, WINDOW_PATTERN, WINDOW_BASE, NO_SCALES],
        layers: Layers::OfSeveralSizes,
        ..LLAMA
    },
    Family {
        architecture: "muse-glimmer",
        feed_forward: Gated(Silu),
        post_norms: true,
        post_norm_eps: Some(1e-8),
        unweighted_norms: &["token_embd_norm"],
        rotary: Rotary::InWindows,
        windows: Windows::Pattern {
            every: 4,
            default: 0,
            layers: 0,
            rotary: WindowRotary::Unscaled,
        },
        logit_scale: LogitScale::Times(Scale::Key),
        logit_cap: 30.0,
        required: &[
            EMBEDDING,
            OUTPUT,
            ATTENTION_NORM,
            QK_NORMS,
            ATTENTION_GATE,
            ATTENTION_OUTPUT,
            POST_ATTENTION_NORM,
            FFN_NORM,
            GATED,
            POST_FFN_NORM,
        ],
        optional: &[QKV, QKV_BIASES],
        keys: &[LOGIT_SCALE, LOGIT_CAP, RMS_NORM, ROTARY, WINDOW_PATTERN, WINDOW_BASE, NO_SCALES],
        ..LLAMA
    },
    // Granite with adapters that tokens switch on.
    Family {
        architecture: "graniteswitch",
        experts: None,
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            FUSED_QKV,
            ATTENTION_OUTPUT,
            FFN_NORM,
            GATED,
            tensors::ADAPTERS,
        ],
        optional: &[OUTPUT],
        scales: &[],
        keys: &[
            keys::ADAPTERS,
            EMBEDDING_SCALE,
            RESIDUAL_SCALE,
            LOGIT_SCALE,
            ATTENTION_SCALE,
            ROTARY_SWITCH,
            RMS_NORM,
            ROTARY,
            NO_SCALES,
        ],
        ..GRANITE
    },
];
