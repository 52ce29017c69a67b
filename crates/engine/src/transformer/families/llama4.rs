//! Llama 4: chunks of positions, layers that don't rotate, a temperature, dense layers between
//! those with experts.

use super::{
    super::PositionTemperature, ExpertRules, ExpertWidth, Family, Gating, GatingRule, Normalized,
    Rotary, SharedWidth, Windows, expert_rules::MIXTURE, keys::*, rms_norm::LLAMA, tensors::*,
};

/// Positions of a chunk, whatever the file says.
const CHUNK: usize = 8192;

/// The rows.
pub(super) const FAMILIES: &[Family] = &[Family {
    architecture: "llama4",
    unweighted_norms: &["attn_q_norm", "attn_k_norm"],
    norm_after_rotation: true,
    // The model of 128 experts has no norm of queries and keys.
    rotated_norms: Some(128),
    rotary: Rotary::AllBut(4),
    windows: Windows::Chunks { every: 4, len: CHUNK },
    temperature: Some(PositionTemperature { scale: 0.1, floor: CHUNK, offset: 1, unrotated: true }),
    experts: Some(ExpertRules {
        gating: GatingRule::Is(Gating::SigmoidOfSelected),
        normalized: Normalized::Never,
        weighs_input: true,
        width: ExpertWidth::Key,
        shared: SharedWidth::KeyOrExpert,
        required: &[EXPERTS, SHARED_EXPERT],
        ..MIXTURE
    }),
    optional: &[QKV, QKV_BIASES, OUTPUT, ROPE_FACTORS],
    keys: &[
        TEMPERATURE_SAID,
        RMS_NORM,
        ROTARY,
        WINDOW_PATTERN,
        WINDOW_BASE,
        EXPERT_WIDTH,
        INTERLEAVED,
        SHARED_COUNT_SAID,
        SIGMOID_ROUTER,
        NO_SCALES,
    ],
    ..LLAMA
}];
