//! Models that read images as well: what they make of text. The part that turns an image into
//! embeddings is a file of its own.

use kelvin_kernels::rope::Pairing;

use super::{
    Family, Sections,
    keys::*,
    rms_norm::{HUNYUAN, LLAMA, QWEN3},
    tensors::*,
};

const QWEN2VL: Family = Family {
    architecture: "qwen2vl",
    pairing: Pairing::Halves,
    sections: Sections::Blocks,
    optional: &[QKV, QKV_BIASES, OUTPUT],
    keys: &[SECTIONS, SHAPES, RMS_NORM, ROTARY, NOT_DONE, NO_SCALES, NO_EXPERTS, UNUSED],
    ..LLAMA
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    QWEN2VL,
    Family {
        architecture: "paddleocr",
        optional: &[QKV, QKV_BIASES, ATTENTION_OUTPUT_BIAS, OUTPUT],
        ..QWEN2VL
    },
    Family {
        architecture: "qwen3vl",
        sections: Sections::Interleaved,
        keys: &[
            SECTIONS,
            IMAGE_LAYERS,
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
        architecture: "hunyuan_vl",
        sections: Sections::BlocksIfAny,
        keys: &[
            SECTIONS,
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
        ..HUNYUAN
    },
    // The matrices for places of an image are there, and text uses none of them.
    Family {
        architecture: "cogvlm",
        pairing: Pairing::Halves,
        required: &[EMBEDDING, ATTENTION_NORM, FUSED_QKV, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[OUTPUT],
        unused: IMAGE_MATRICES,
        keys: &[PLAIN_ROTARY, SHAPES, RMS_NORM, NOT_DONE, NO_SCALES, NO_EXPERTS, UNUSED],
        ..LLAMA
    },
];
