//! Families whose layers differ in heads, in the width of the feed-forward layer, or in whether
//! they have these at all.

use kelvin_kernels::rope::Pairing;

use super::{
    super::QkNorm,
    Family,
    FeedForward::FusedGate,
    Layers, Rotary, Scale, ScoreScale, WindowRotary, Windows,
    keys::*,
    rms_norm::{GEMMA2, GRANITE, LLAMA, QWEN3},
    scales::{OF_ATTENTION_OUTPUT, OF_DENSE_AND_EXPERTS},
    tensors::*,
};
use kelvin_kernels::gate::Activation::Silu;

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    // Two stacks of layers by turns, whose norms have no weights.
    Family {
        architecture: "hrm_text",
        stacks: true,
        pairing: Pairing::Halves,
        unweighted_norms: &["attn_norm", "ffn_norm", "output_norm"],
        embedding_scale: Scale::Key,
        required: &[TOKEN_EMBEDDING, LOW_START, ATTENTION_GATE, ATTENTION_OUTPUT, GATED],
        optional: &[QKV, QKV_BIASES, OUTPUT],
        keys: &[STACKS, EMBEDDING_SCALE, RMS_NORM, ROTARY, NO_SCALES],
        ..LLAMA
    },
    // LayerNorms of heads beside other norms. Of its tokens, text needs none that make an image.
    Family {
        architecture: "chameleon",
        qk_norm: QkNorm::EachHead,
        qk_layer_norm: true,
        image_tokens: 4..8196,
        required: &[EMBEDDING, ATTENTION_NORM, QK_NORMS, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[QKV, QKV_BIASES, QK_NORM_BIASES, OUTPUT],
        keys: &[NORMS_BEFORE, RMS_NORM, ROTARY, NO_SCALES],
        ..LLAMA
    },
    // A layer without key-value heads has a matrix in attention's place, a layer without heads
    // nothing.
    Family {
        architecture: "deci",
        layers: Layers::WithoutParts,
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, FFN_NORM, GATED],
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
        architecture: "openelm",
        layers: Layers::OfSeveralSizes,
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            FUSED_QKV,
            QK_NORMS,
            ATTENTION_OUTPUT,
            FFN_NORM,
            GATED,
        ],
        optional: &[],
        scales: OF_ATTENTION_OUTPUT,
        ..QWEN3
    },
    Family {
        architecture: "plamo3",
        layers: Layers::OfSeveralSizes,
        feed_forward: FusedGate(Silu),
        post_norms: true,
        windows: Windows::Pattern {
            every: 8,
            default: 0,
            layers: 0,
            rotary: WindowRotary::Base(10_000.0),
        },
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            FUSED_QKV,
            QK_NORMS,
            ATTENTION_OUTPUT,
            BARE_POST_NORMS,
            FFN_NORM,
            PLAIN,
        ],
        optional: &[OUTPUT],
        scales: OF_ATTENTION_OUTPUT,
        keys: &[RMS_NORM, ROTARY, WINDOW_PATTERN, WINDOW_BASE, NO_SCALES],
        ..QWEN3
    },
    // Layers with a window have heads of another width. The last layers may read keys and values of
    // earlier ones, and small models have an embedding for each layer.
    Family {
        architecture: "gemma4",
        pairing: Pairing::Halves,
        layers: Layers::OfSeveralSizes,
        keys_as_values: true,
        unweighted_norms: &["attn_v_norm"],
        windows: Windows::Listed(WindowRotary::Base(10_000.0)),
        score_scale: ScoreScale::One,
        score_cap: 0.0,
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            QK_NORMS,
            ATTENTION_OUTPUT,
            POST_ATTENTION_NORM,
            FFN_NORM,
            GATED,
            POST_FFN_NORM,
            ROPE_FACTORS,
        ],
        optional: &[QKV, OUTPUT, LAYER_SCALE, LAYER_EMBEDDING],
        scales: OF_DENSE_AND_EXPERTS,
        keys: &[
            LOGIT_CAP,
            WINDOW_HEADS,
            SHARED_CACHE,
            LAYER_EMBEDDING_WIDTH,
            RMS_NORM,
            ROTARY,
            WINDOW_PATTERN,
            WINDOW_BASE,
        ],
        ..GEMMA2
    },
    // Four streams, of which one goes through a layer; a low-rank layer beside attention; sparse
    // activations in the first layers.
    Family {
        architecture: "gemma3n",
        pairing: Pairing::Halves,
        own_caches: 20,
        streams: true,
        unweighted_norms: &["attn_v_norm"],
        windows: Windows::Pattern {
            every: 5,
            default: 0,
            layers: 0,
            rotary: WindowRotary::Base(10_000.0),
        },
        score_scale: ScoreScale::One,
        score_cap: 0.0,
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            QK_NORMS,
            ATTENTION_OUTPUT,
            POST_ATTENTION_NORM,
            FFN_NORM,
            GATED,
            POST_FFN_NORM,
            LAYER_EMBEDDING,
            STREAMS,
        ],
        optional: &[QKV, OUTPUT],
        keys: &[GEMMA_3N, RMS_NORM, ROTARY, WINDOW_PATTERN, WINDOW_BASE],
        ..GEMMA2
    },
    // Granite with windows, sinks and layers that don't rotate.
    Family {
        architecture: "granite_swa",
        experts: None,
        rotary: Rotary::Listed,
        windows: Windows::Listed(WindowRotary::Same),
        required: &[EMBEDDING, ATTENTION_NORM, ATTENTION_OUTPUT, SINKS, FFN_NORM, GATED],
        keys: &[
            EMBEDDING_SCALE,
            RESIDUAL_SCALE,
            LOGIT_SCALE,
            ATTENTION_SCALE,
            ROTARY_PATTERN,
            IMAGE_LAYERS,
            RMS_NORM,
            ROTARY,
            WINDOW_PATTERN,
            NO_SCALES,
        ],
        ..GRANITE
    },
];
