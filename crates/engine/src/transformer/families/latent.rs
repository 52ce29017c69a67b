//! Families with latent attention (MLA, arXiv 2405.04434).

use kelvin_kernels::{gate::Activation::ReluSquared, rope::Pairing};

use super::{
    Family, FeedForward::Plain, LogitScale, Scale, keys, keys::*, rms_norm::LLAMA, tensors,
    tensors::*,
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        architecture: "minicpm3",
        latent: true,
        pairing: Pairing::Halves,
        embedding_scale: Scale::KeyOr(|_, _| 12.0),
        residual_scale: Scale::KeyOr(|n_layers, _| 1.4 / (n_layers as f64).sqrt()),
        logit_scale: LogitScale::Times(Scale::KeyOr(|_, d_model| 256.0 / d_model as f64)),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            tensors::LATENT,
            tensors::LATENT_QUERIES,
            ATTENTION_OUTPUT,
            FFN_NORM,
            GATED,
        ],
        optional: &[OUTPUT, LONG_ROPE_FACTORS],
        keys: &[keys::LATENT, keys::LATENT_QUERIES, RMS_NORM, ROTARY],
        ..LLAMA
    },
    Family {
        architecture: "plm",
        latent: true,
        feed_forward: Plain(ReluSquared),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            tensors::LATENT,
            QUERIES,
            ATTENTION_OUTPUT,
            FFN_NORM,
            PLAIN,
        ],
        optional: &[],
        keys: &[keys::LATENT, RMS_NORM, ROTARY, NO_SCALES],
        ..LLAMA
    },
];
