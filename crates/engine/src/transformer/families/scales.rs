//! Which matrices' products are multiplied with a number that the file has beside the matrix. NVFP4
//! files have such numbers, and there every matrix needs its own. Beside a matrix of another format
//! a number counts where llama.cpp 0.6.0's graph of the family reads it (the third argument of
//! `build_lora_mm`, and what `build_ffn` and `build_moe_ffn` get, in `src/models/`).

use kelvin_kernels::format::Format;

use super::{Family, in_layer, is_among};
use crate::gguf::Gguf;

/// Of queries, keys and values.
const QKV_SCALES: &[&str] =
    &["blk.*.attn_qkv.scale", "blk.*.attn_q.scale", "blk.*.attn_k.scale", "blk.*.attn_v.scale"];
/// Likewise, where `attn_qkv` is of another part.
const APART_SCALES: &[&str] = &["blk.*.attn_q.scale", "blk.*.attn_k.scale", "blk.*.attn_v.scale"];
const OUTPUT_SCALE: &[&str] = &["blk.*.attn_output.scale"];
const DENSE_SCALES: &[&str] =
    &["blk.*.ffn_gate.scale", "blk.*.ffn_up.scale", "blk.*.ffn_down.scale"];
const DOWN_SCALE: &[&str] = &["blk.*.ffn_down.scale"];
const GATE_SCALE: &[&str] = &["blk.*.attn_gate.scale"];
/// One number for each expert.
const EXPERT_SCALES: &[&str] =
    &["blk.*.ffn_gate_exps.scale", "blk.*.ffn_up_exps.scale", "blk.*.ffn_down_exps.scale"];
/// Of the expert that all tokens share.
const SHARED_SCALES: &[&str] =
    &["blk.*.ffn_gate_shexp.scale", "blk.*.ffn_up_shexp.scale", "blk.*.ffn_down_shexp.scale"];
/// Of recurrent layers with the delta rule.
const DELTA_SCALES: &[&str] = &[
    "blk.*.attn_gate.scale",
    "blk.*.ssm_beta.scale",
    "blk.*.ssm_alpha.scale",
    "blk.*.ssm_out.scale",
];
const MAMBA_SCALES: &[&str] = &["blk.*.ssm_in.scale", "blk.*.ssm_out.scale"];

/// What rows say of scales: the groups that are read.
pub(super) type Scales = &'static [&'static [&'static str]];

pub(super) const OF_ATTENTION: Scales = &[QKV_SCALES, OUTPUT_SCALE];
pub(super) const OF_GATED_ATTENTION: Scales = &[QKV_SCALES, OUTPUT_SCALE, GATE_SCALE];
pub(super) const OF_ATTENTION_OUTPUT: Scales = &[OUTPUT_SCALE];
pub(super) const OF_ATTENTION_AND_DOWN: Scales = &[QKV_SCALES, OUTPUT_SCALE, DOWN_SCALE];
pub(super) const OF_DENSE: Scales = &[QKV_SCALES, OUTPUT_SCALE, DENSE_SCALES];
pub(super) const OF_EXPERTS: Scales = &[QKV_SCALES, OUTPUT_SCALE, EXPERT_SCALES];
pub(super) const OF_DENSE_AND_EXPERTS: Scales =
    &[QKV_SCALES, OUTPUT_SCALE, DENSE_SCALES, EXPERT_SCALES];
pub(super) const OF_ALL_FEED_FORWARD: Scales =
    &[QKV_SCALES, OUTPUT_SCALE, DENSE_SCALES, EXPERT_SCALES, SHARED_SCALES];
pub(super) const OF_LATENT_AND_ALL_FEED_FORWARD: Scales =
    &[OUTPUT_SCALE, DENSE_SCALES, EXPERT_SCALES, SHARED_SCALES];
pub(super) const OF_DELTA_AND_DENSE: Scales =
    &[QKV_SCALES, OUTPUT_SCALE, DELTA_SCALES, DENSE_SCALES];
pub(super) const OF_DELTA_AND_EXPERTS: Scales =
    &[QKV_SCALES, OUTPUT_SCALE, DELTA_SCALES, EXPERT_SCALES, SHARED_SCALES];
pub(super) const OF_APART_AND_EXPERTS: Scales =
    &[APART_SCALES, OUTPUT_SCALE, EXPERT_SCALES, SHARED_SCALES];
pub(super) const OF_MAMBA: Scales = &[MAMBA_SCALES];
pub(super) const OF_MAMBA_AND_ATTENTION: Scales = &[QKV_SCALES, OUTPUT_SCALE, MAMBA_SCALES];
pub(super) const OF_MAMBA_AND_ALL: Scales =
    &[QKV_SCALES, OUTPUT_SCALE, MAMBA_SCALES, DENSE_SCALES, EXPERT_SCALES, SHARED_SCALES];

/// All groups.
const ALL: Scales = &[
    QKV_SCALES,
    OUTPUT_SCALE,
    DENSE_SCALES,
    EXPERT_SCALES,
    SHARED_SCALES,
    DELTA_SCALES,
    MAMBA_SCALES,
];

/// Whether a matrix, by its name without `.weight`, is NVFP4.
pub(in super::super) fn is_nvfp4(gguf: &Gguf, matrix: &str) -> bool {
    let tensor = gguf.tensor(&format!("{matrix}.weight"));
    tensor.is_some_and(|tensor| tensor.format == Format::NVFP4)
}

/// Whether a name is that of a matrix's scale in some family.
pub(super) fn is_scale(name: &str) -> bool {
    is_in(ALL, name)
}

fn is_in(groups: &[&[&str]], name: &str) -> bool {
    groups.iter().any(|group| is_among(group, name))
}

impl Family {
    /// Whether the engine reads the scale called `name`, in a layer that has experts or none.
    pub(super) fn reads_scale(&self, name: &str, has_experts: bool, gguf: &Gguf) -> bool {
        let Some(matrix) = name.strip_suffix(".scale") else { return false };
        let of_experts = is_in(&[EXPERT_SCALES, SHARED_SCALES], name);
        if of_experts && !has_experts {
            return false;
        }
        let every = &[QKV_SCALES, OUTPUT_SCALE, DENSE_SCALES, EXPERT_SCALES, SHARED_SCALES];
        if is_nvfp4(gguf, matrix) && is_in(every, name) {
            return true;
        }
        let layer = in_layer(name).map_or("", |(layer, _)| layer);
        let is_without = self.without_scales.iter().any(|part| {
            let part = part.strip_prefix("blk.*.").unwrap_or(part);
            gguf.tensor(&format!("blk.{layer}.{part}")).is_some()
        });
        !is_without && is_in(self.scales, name)
    }

    /// Whether `name` is the scale of a matrix that has effect without it.
    pub(super) fn is_idle_scale(&self, name: &str, gguf: &Gguf) -> bool {
        let matrix = name.strip_suffix(".scale").filter(|_| is_scale(name));
        matrix.is_some_and(|matrix| {
            let is_read = self.presence(&format!("{matrix}.weight"), gguf).is_some();
            is_read && !is_nvfp4(gguf, matrix) && self.presence(name, gguf).is_none()
        })
    }
}
