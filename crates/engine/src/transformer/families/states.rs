//! Families with recurrent layers of other kinds than `recurrent`'s: Mamba, linear attention, RWKV.

use kelvin_kernels::{gate::Activation::Silu, rope::Pairing};

use super::{
    super::{NormKind, QkNorm, RecurrentKind},
    AttentionGate, ExpertRules, ExpertWidth, Family,
    FeedForward::FusedGate,
    Gating, GatingRule, Layers, Limited, Normalized, RecurrentLayers, RecurrentRules, Residual,
    Rotary, Scale, ScoreScale, Sections, SharedWidth,
    expert_rules::MIXTURE,
    keys,
    keys::*,
    recurrent_rules::rules,
    rms_norm::LLAMA,
    scales::{OF_ATTENTION_OUTPUT, OF_MAMBA, OF_MAMBA_AND_ATTENTION},
    tensors,
    tensors::*,
};

const JAMBA: Family = Family {
    architecture: "jamba",
    recurrent: Some(rules(RecurrentKind::Mamba, RecurrentLayers::WithoutKeys)),
    rotary: Rotary::Never,
    experts: Some(ExpertRules {
        may_be_dense: true,
        by_tensors: true,
        normalized: Normalized::Never,
        ..MIXTURE
    }),
    required: &[
        EMBEDDING,
        ATTENTION_NORM,
        ATTENTION_OUTPUT,
        tensors::MAMBA,
        CONVOLUTION_BIAS,
        MAMBA_NORMS,
        FFN_NORM,
        GATED,
    ],
    optional: &[QKV, QKV_BIASES, OUTPUT],
    scales: OF_MAMBA_AND_ATTENTION,
    keys: &[
        keys::MAMBA,
        NO_STATE_GROUPS,
        EXPERT_WIDTH_SAID,
        SOFTMAX_ROUTER,
        RMS_NORM,
        NO_ROTARY,
        NO_SCALES,
    ],
    ..LLAMA
};

/// Experts with a bias for selection and one that all tokens share, after some dense layers.
pub(super) const KIMI_MIXTURE: ExpertRules = ExpertRules {
    gating: GatingRule::Key(Gating::Softmax),
    width: ExpertWidth::Key,
    shared: SharedWidth::KeyOrCount(1),
    required: &[EXPERTS, SHARED_EXPERT, SELECTION_BIAS],
    ..MIXTURE
};

/// The delta rule with a decay for each row, by turns with latent attention that isn't rotated.
pub(super) const KIMI_LINEAR: Family = Family {
    architecture: "kimi-linear",
    latent: true,
    rotary: Rotary::Never,
    score_scale: ScoreScale::LatentHead,
    recurrent: Some(rules(RecurrentKind::KimiDelta, RecurrentLayers::WithoutKeys)),
    experts: Some(KIMI_MIXTURE),
    required: &[
        EMBEDDING,
        OUTPUT,
        ATTENTION_NORM,
        SPLIT_QKV,
        tensors::LATENT,
        ABSORBED,
        ATTENTION_OUTPUT,
        KIMI_DELTA,
        KIMI_GATE_LOW,
        KIMI_SPREAD,
        FFN_NORM,
        GATED,
    ],
    optional: &[FUSED_QKV],
    scales: OF_ATTENTION_OUTPUT,
    without_scales: &["blk.*.ssm_beta.weight"],
    idle: &[QKV_BIASES],
    keys: &[
        keys::LATENT,
        LATENT_QUERIES_SAID,
        LATENT_HEADS,
        KIMI_STATE,
        EXPERT_WIDTH,
        SHARED_COUNT,
        DENSE_LEAD,
        EXPERT_WEIGHTS_SCALE,
        NORMALIZED,
        EXPERT_GATING,
        RMS_NORM,
        SHARED_KEY_PART,
        NO_ROTARY,
        NO_SCALES,
    ],
    ..LLAMA
};

/// Norms with biases, and feed-forward that sees the token before.
const RWKV7: Family = Family {
    architecture: "rwkv7",
    norm: NormKind::Layer,
    ffn_norms: &["attn_norm_2"],
    layers: Layers::OfOnePart,
    rotary: Rotary::Never,
    recurrent: Some(RecurrentRules {
        mixes_ffn: true,
        ..rules(RecurrentKind::Rwkv7, RecurrentLayers::All)
    }),
    required: &[
        EMBEDDING,
        EMBEDDING_NORM,
        OUTPUT_NORM_BIAS,
        OUTPUT,
        ATTENTION_NORM,
        ATTENTION_NORM_BIAS,
        ATTENTION_NORM_2,
        tensors::RWKV,
        tensors::RWKV7,
        RWKV7_GATE,
        HEAD_NORM,
        CHANNEL_MIX,
    ],
    optional: &[],
    keys: &[RWKV7_RANKS, TWO_SHIFTS, LAYER_NORM, NO_ROTARY, NO_SCALES],
    ..LLAMA
};

const ARWKV7: Family = Family {
    architecture: "arwkv7",
    norm: NormKind::Rms,
    ffn_norms: &["ffn_norm"],
    recurrent: Some(rules(RecurrentKind::Rwkv7, RecurrentLayers::All)),
    required: &[EMBEDDING, OUTPUT, ATTENTION_NORM, tensors::RWKV, tensors::RWKV7, FFN_NORM, GATED],
    optional: &[RWKV7_GATE, HEAD_NORM],
    keys: &[RWKV7_RANKS, ONE_SHIFT, RMS_NORM, NO_ROTARY, NO_SCALES],
    ..RWKV7
};

/// The rows.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        architecture: "mamba",
        layers: Layers::OfOnePart,
        recurrent: Some(rules(RecurrentKind::Mamba, RecurrentLayers::All)),
        ffn_norms: &[],
        rotary: Rotary::Never,
        required: &[EMBEDDING, ATTENTION_NORM, tensors::MAMBA, CONVOLUTION_BIAS],
        optional: &[OUTPUT],
        scales: OF_MAMBA,
        keys: &[
            NO_FEED_FORWARD,
            keys::MAMBA,
            NO_STATE_GROUPS,
            UNIT_NORMS,
            RMS_NORM,
            NO_ROTARY,
            NO_SCALES,
        ],
        ..LLAMA
    },
    JAMBA,
    // Mamba's selection for Mamba 2's heads, by turns with attention.
    Family {
        architecture: "plamo2",
        feed_forward: FusedGate(Silu),
        post_norms: true,
        qk_norm: QkNorm::EachHead,
        pairing: Pairing::Halves,
        recurrent: Some(rules(RecurrentKind::SelectiveHeads, RecurrentLayers::WithoutKeys)),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            FUSED_QKV,
            QK_NORMS,
            ATTENTION_OUTPUT,
            tensors::MAMBA,
            BARE_MAMBA_NORMS,
            BARE_POST_NORMS,
            FFN_NORM,
            PLAIN,
        ],
        optional: &[OUTPUT],
        scales: OF_ATTENTION_OUTPUT,
        keys: &[keys::MAMBA, ONE_STATE_GROUP, RMS_NORM, ROTARY, NO_SCALES],
        ..LLAMA
    },
    KIMI_LINEAR,
    // Kimi's with one matrix for the decays, latent attention that rotates and has a gate.
    Family {
        architecture: "bailingmoe3",
        rotary: Rotary::EveryLayer,
        attention_gate: AttentionGate::EachHead,
        experts: Some(ExpertRules {
            normalized: Normalized::Key,
            limited: Limited::Outputs,
            ..KIMI_MIXTURE
        }),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            tensors::LATENT,
            ABSORBED,
            ATTENTION_GATE,
            ATTENTION_OUTPUT,
            KIMI_DELTA,
            KIMI_GATE_LOW,
            FFN_NORM,
            GATED,
        ],
        optional: &[SPLIT_QKV, FUSED_QKV, tensors::LATENT_QUERIES, OUTPUT],
        scales: &[],
        sections: Sections::BlocksIfAny,
        keys: &[
            SECTIONS,
            keys::LATENT,
            keys::LATENT_QUERIES,
            LATENT_HEADS,
            KIMI_STATE,
            KIMI_GATE,
            EXPERT_WIDTH,
            SHARED_WIDTH,
            SHARED_COUNT,
            DENSE_LEAD,
            EXPERT_WEIGHTS_SCALE,
            EXPERT_WEIGHTS_NORM,
            EXPERT_GATING,
            LIMITS,
            SHARED_LIMITS,
            PREDICTING_LAYERS,
            RMS_NORM,
            ROTARY,
            NO_SCALES,
        ],
        ..KIMI_LINEAR
    },
    // Decaying matrices, and attention in every eighth layer. Halves add to norms.
    Family {
        architecture: "minimax-01",
        residual: Residual::Normed,
        residual_scale: Scale::Key,
        pairing: Pairing::Halves,
        recurrent: Some(rules(RecurrentKind::Lightning, RecurrentLayers::AllButEach(8))),
        experts: Some(MIXTURE),
        required: &[
            EMBEDDING,
            ATTENTION_NORM,
            SPLIT_QKV,
            ATTENTION_OUTPUT,
            LIGHTNING_NORM,
            FFN_NORM,
        ],
        optional: &[FUSED_QKV, QKV_BIASES, ATTENTION_GATE, OUTPUT],
        without_scales: &["blk.*.attn_qkv.weight"],
        keys: &[
            RECURRENT_LAYERS,
            RESIDUAL_SCALE,
            EXPERT_WIDTH_SAID,
            NORMALIZED,
            SOFTMAX_ROUTER,
            RMS_NORM,
            ROTARY,
            NO_SCALES,
        ],
        ..LLAMA
    },
    RWKV7,
    ARWKV7,
    Family {
        architecture: "rwkv6",
        recurrent: Some(RecurrentRules {
            mixes_ffn: true,
            ..rules(RecurrentKind::Rwkv6, RecurrentLayers::All)
        }),
        required: &[
            EMBEDDING,
            EMBEDDING_NORM,
            OUTPUT_NORM_BIAS,
            OUTPUT,
            ATTENTION_NORM,
            ATTENTION_NORM_BIAS,
            ATTENTION_NORM_2,
            tensors::RWKV,
            tensors::RWKV6,
            RWKV6_BONUS,
            HEAD_NORM,
            CHANNEL_MIX,
            CHANNEL_RECEPTANCE,
        ],
        optional: &[RWKV_SHARES, RWKV6_SHARES],
        keys: &[RWKV6_RANKS, HALVED, TWO_SHIFTS, LAYER_NORM, NO_ROTARY, NO_SCALES],
        ..RWKV7
    },
    // Gated linear attention in the place of RWKV 6's, in Qwen 2's layers.
    Family {
        architecture: "rwkv6qwen2",
        recurrent: Some(rules(RecurrentKind::Rwkv6, RecurrentLayers::All)),
        required: &[
            EMBEDDING,
            OUTPUT,
            ATTENTION_NORM,
            tensors::RWKV,
            tensors::RWKV6,
            RWKV_SHARES,
            FFN_NORM,
            GATED,
        ],
        optional: &[OUTPUT_NORM_BIAS, RWKV_BIASES],
        keys: &[RWKV6_RANKS, NEVER_HALVED, ONE_SHIFT, RMS_NORM, NO_ROTARY, NO_SCALES],
        ..ARWKV7
    },
];
