//! Families with latent attention (MLA, arXiv 2405.04434).

use kelvin_kernels::{gate::Activation::ReluSquared, rope::Pairing};

use super::{
    AttentionGate, ExpertRules, Family,
    FeedForward::Plain,
    Gating, GatingRule, Layers, LogitScale, Scale, ScoreScale, WindowRotary, Windows, YarnLog,
    experts::SAID,
    keys,
    keys::*,
    rms_norm::LLAMA,
    scales::{OF_ATTENTION_OUTPUT, OF_LATENT_AND_ALL_FEED_FORWARD},
    tensors,
    tensors::*,
};

/// DeepSeek's files from before `expert_gating_func` have a softmax; GLM 4.7 Flash's don't.
const ROUTING: ExpertRules = ExpertRules {
    gating: GatingRule::KeyOr(|n_layers, vocab_size| match (n_layers, vocab_size) {
        (47 | 48, 154_880) => Gating::Sigmoid,
        _ => Gating::Softmax,
    }),
    required: &[ROUTER, EXPERT_DOWN, SHARED_EXPERT],
    optional: &[GATE_AND_UP_EXPERTS, SELECTION_BIAS],
    ..SAID
};

/// DeepSeek V2, V3 and R1, Kimi K2, GLM 4.7 Flash: queries may be made of the stream itself, and
/// heads have one matrix for keys and values, or each its own.
const DEEPSEEK2: Family = Family {
    architecture: "deepseek2",
    latent: true,
    yarn_log: YarnLog::TenthOfBoth,
    score_scale: ScoreScale::Yarn,
    experts: Some(ROUTING),
    required: &[EMBEDDING, ATTENTION_NORM, tensors::LATENT, ATTENTION_OUTPUT, FFN_NORM, GATED],
    optional: &[EXPANDED, ABSORBED, tensors::LATENT_QUERIES, QUERIES, OUTPUT],
    scales: OF_ATTENTION_OUTPUT,
    keys: &[
        keys::LATENT,
        keys::LATENT_QUERIES,
        LATENT_HEADS,
        TEMPERATURE,
        TEMPERATURE_LENGTH,
        RMS_NORM,
        ROTARY,
        EXPERT_WIDTH,
        SHARED_COUNT,
        DENSE_LEAD,
        EXPERT_WEIGHTS_SCALE,
        EXPERT_WEIGHTS_NORM,
        EXPERT_GATING,
        PREDICTING_LAYERS,
        NO_SCALES,
    ],
    ..LLAMA
};

/// Experts of models whose attention selects positions.
const SELECTING: ExpertRules = ExpertRules {
    gating: GatingRule::Key(Gating::Softmax),
    required: &[EXPERTS, SHARED_EXPERT],
    optional: &[SELECTION_BIAS],
    ..ROUTING
};

/// DeepSeek V3.2: attention selects positions in long texts.
const DEEPSEEK32: Family = Family {
    architecture: "deepseek32",
    yarn_log: YarnLog::Tenth,
    selects: &["attention.indexer.top_k"],
    experts: Some(SELECTING),
    required: &[
        EMBEDDING,
        ATTENTION_NORM,
        tensors::LATENT,
        tensors::LATENT_QUERIES,
        ABSORBED,
        ATTENTION_OUTPUT,
        FFN_NORM,
        GATED,
    ],
    optional: &[OUTPUT],
    scales: OF_LATENT_AND_ALL_FEED_FORWARD,
    unused: INDEXER,
    unused_because: "selects positions; texts are short enough to see all",
    keys: &[
        keys::LATENT,
        keys::LATENT_QUERIES,
        LATENT_HEADS,
        INDEXER_KEYS,
        NO_SECTIONS,
        RMS_NORM,
        ROTARY,
        EXPERT_WIDTH,
        SHARED_COUNT,
        DENSE_LEAD,
        EXPERT_WEIGHTS_SCALE,
        EXPERT_WEIGHTS_NORM,
        EXPERT_GATING,
        PREDICTING_LAYERS,
        NO_SCALES,
    ],
    ..DEEPSEEK2
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
            EXPANDED,
            tensors::LATENT_QUERIES,
            ATTENTION_OUTPUT,
            FFN_NORM,
            GATED,
        ],
        optional: &[OUTPUT, LONG_ROPE_FACTORS],
        scales: OF_ATTENTION_OUTPUT,
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
            EXPANDED,
            QUERIES,
            ATTENTION_OUTPUT,
            FFN_NORM,
            PLAIN,
        ],
        optional: &[],
        scales: OF_ATTENTION_OUTPUT,
        keys: &[keys::LATENT, RMS_NORM, ROTARY, NO_SCALES],
        ..LLAMA
    },
    DEEPSEEK2,
    DEEPSEEK32,
    // What selects positions serves several layers, which changes nothing where all are seen.
    Family {
        architecture: "glm-dsa",
        experts: Some(ExpertRules { gating: GatingRule::Key(Gating::Sigmoid), ..SELECTING }),
        keys: &[
            keys::LATENT,
            keys::LATENT_QUERIES,
            LATENT_HEADS,
            INDEXER_KEYS,
            NO_YARN_LOG,
            NO_SECTIONS,
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            PREDICTING_LAYERS,
            NO_SCALES,
        ],
        ..DEEPSEEK32
    },
    // Layers with a window have widths of their own; all have a gate for each head.
    Family {
        architecture: "dots3note",
        layers: Layers::OfSeveralSizes,
        windows: Windows::Listed(WindowRotary::Same),
        attention_gate: AttentionGate::EachHead,
        score_scale: ScoreScale::LatentHead,
        experts: Some(ExpertRules {
            gating: GatingRule::Key(Gating::Softmax),
            required: &[EXPERTS, SHARED_EXPERT, SELECTION_BIAS],
            optional: &[],
            ..SELECTING
        }),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            tensors::LATENT,
            tensors::LATENT_QUERIES,
            K_NORM,
            ABSORBED,
            ATTENTION_GATE,
            ATTENTION_OUTPUT,
            FFN_NORM,
            GATED,
        ],
        keys: &[
            keys::LATENT,
            keys::LATENT_QUERIES,
            LATENT_HEADS,
            LATENT_WINDOWS,
            WINDOW_PATTERN,
            WINDOW_BASE,
            INDEXER_KEYS,
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            PREDICTING_LAYERS,
            NO_SCALES,
        ],
        ..DEEPSEEK32
    },
    // Several streams, attention sinks, and a gate for each number of attention's output.
    Family {
        architecture: "hy_v4",
        may_see_all: true,
        score_scale: ScoreScale::LatentHead,
        experts: Some(ExpertRules {
            gating: GatingRule::Key(Gating::Softmax),
            required: &[EXPERTS, SHARED_EXPERT],
            optional: &[SELECTION_BIAS],
            ..SELECTING
        }),
        required: &[
            EMBEDDING,
            OUTPUT,
            HYPER_HEAD,
            ATTENTION_NORM,
            SINKS,
            tensors::LATENT,
            tensors::LATENT_QUERIES,
            ABSORBED,
            ATTENTION_GATE,
            ATTENTION_OUTPUT,
            HYPER_LAYERS,
            FFN_NORM,
            GATED,
        ],
        optional: &[],
        scales: &[],
        keys: &[
            keys::LATENT,
            keys::LATENT_QUERIES,
            LATENT_HEADS,
            HYPER,
            INDEXER_KEYS,
            RMS_NORM,
            ROTARY,
            EXPERT_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            LIMITS,
            PREDICTING_LAYERS,
            NO_SCALES,
        ],
        ..DEEPSEEK32
    },
    Family { architecture: "mistral4", yarn_log: YarnLog::Tenth, ..DEEPSEEK2 },
    // Plain attention beside DeepSeek's experts. What reads images is another file.
    Family {
        architecture: "deepseek2-ocr",
        pairing: Pairing::Halves,
        experts: Some(ExpertRules { gating: GatingRule::Key(Gating::Softmax), ..ROUTING }),
        optional: &[QKV, QKV_BIASES, OUTPUT],
        keys: &[
            RMS_NORM,
            PLAIN_ROTARY,
            EXPERT_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            NO_SCALES,
        ],
        ..LLAMA
    },
];
