//! Families whose attention reads compressed keys.

use super::{
    ExpertRules, ExpertWidth, Family, Gating, GatingRule, Limited, Normalized, SharedWidth,
    Windows, expert_rules::MIXTURE, keys, keys::*, rms_norm::LLAMA, tensors, tensors::*,
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    // DeepSeek V4: a window of keys that all heads share and, before it, keys of 4 or 128 tokens
    // each; several streams that are mixed; the first layers' experts are said by the token. In
    // long texts attention selects among keys of 4 tokens.
    Family {
        architecture: "deepseek4",
        windows: Windows::EveryLayer,
        experts: Some(ExpertRules {
            gating: GatingRule::Is(Gating::RootOfSoftplus),
            normalized: Normalized::Key,
            width: ExpertWidth::Key,
            shared: SharedWidth::Count,
            limited: Limited::InputsOfAll,
            required: &[EXPERTS, SHARED_EXPERT, SELECTION_BIAS],
            optional: &[EXPERTS_BY_TOKEN],
            ..MIXTURE
        }),
        required: &[
            EMBEDDING,
            OUTPUT,
            ATTENTION_NORM,
            SINKS,
            tensors::LATENT_QUERIES,
            tensors::SHARED_KEY,
            HYPER_HEAD,
            HYPER_LAYERS,
            FFN_NORM,
        ],
        optional: &[COMPRESSOR],
        scales: &[],
        unused: COMPRESSED_INDEXER,
        unused_because: "selects compressed keys, of which texts are short enough to see all, or \
                         concerns images",
        keys: &[
            keys::LATENT_QUERIES,
            WINDOWS_SAID,
            keys::SHARED_KEY,
            POOLED,
            INDEXER_KEYS,
            HYPER_MIXED,
            BY_TOKEN,
            EXPERT_WIDTH,
            SHARED_COUNT,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            ROOT_OF_SOFTPLUS,
            LIMITS,
            SHARED_LIMITS,
            PREDICTING_LAYERS,
            RMS_NORM,
            ROTARY,
            NO_SCALES,
        ],
        ..LLAMA
    },
];
