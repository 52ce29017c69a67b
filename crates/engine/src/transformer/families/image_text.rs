//! Models that read images as well: what they make of text. The part that turns an image into
//! embeddings is a file of its own.

use kelvin_kernels::rope::Pairing;

use super::{
    Family, Sections,
    keys::*,
    rms_norm::{HUNYUAN, LLAMA, QWEN3},
    scales::OF_ATTENTION_OUTPUT,
    tensors::*,
};

const QWEN2VL: Family = Family {
    architecture: "qwen2vl",
    pairing: Pairing::Halves,
    sections: Sections::Blocks,
    optional: &[QKV, QKV_BIASES, OUTPUT],
    idle: &[OUTPUT_BIAS],
    keys: &[SECTIONS, RMS_NORM, ROTARY, NO_SCALES],
    ..LLAMA
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    QWEN2VL,
    Family {
        architecture: "paddleocr",
        optional: &[QKV, QKV_BIASES, ATTENTION_OUTPUT_BIAS, OUTPUT],
        idle: &[],
        keys: &[DENSE_ALONE, SECTIONS, RMS_NORM, ROTARY, NO_SCALES],
        ..QWEN2VL
    },
    Family {
        architecture: "qwen3vl",
        sections: Sections::Interleaved,
        idle: &[CLASSIFIER],
        keys: &[SECTIONS, IMAGE_LAYERS, RMS_NORM, ROTARY, NO_SCALES],
        ..QWEN3
    },
    Family {
        architecture: "hunyuan_vl",
        sections: Sections::BlocksIfAny,
        keys: &[SECTIONS, ROTARY_ALPHA, ONE_EXPERT, RMS_NORM, ROTARY, NO_SCALES],
        ..HUNYUAN
    },
    // The matrices for places of an image are there, and text uses none of them.
    Family {
        architecture: "cogvlm",
        pairing: Pairing::Halves,
        required: &[EMBEDDING, ATTENTION_NORM, FUSED_QKV, ATTENTION_OUTPUT, FFN_NORM, GATED],
        optional: &[OUTPUT],
        scales: OF_ATTENTION_OUTPUT,
        unused: IMAGE_MATRICES,
        idle: &[ROPE_FACTORS],
        keys: &[PLAIN_ROTARY, RMS_NORM, NO_SCALES],
        ..LLAMA
    },
];
