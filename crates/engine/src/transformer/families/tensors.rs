//! Groups of tensor names that the rows of families are put together from. In a name, `blk.*.`
//! stands for every layer of the file.

pub(super) const EMBEDDING: &[&str] = &["token_embd.weight", "output_norm.weight"];
pub(super) const OUTPUT: &[&str] = &["output.weight"];
pub(super) const OUTPUT_BIAS: &[&str] = &["output.bias"];
pub(super) const OUTPUT_NORM_BIAS: &[&str] = &["output_norm.bias"];
/// Bloom's norm of the embedding.
pub(super) const EMBEDDING_NORM: &[&str] = &["token_embd_norm.weight", "token_embd_norm.bias"];
/// Learned positions.
pub(super) const POSITIONS: &[&str] = &["position_embd.weight"];

/// Queries, keys and values: three matrices, or one that holds them one below the other.
pub(super) const QKV: &[&str] =
    &["blk.*.attn_qkv.weight", "blk.*.attn_q.weight", "blk.*.attn_k.weight", "blk.*.attn_v.weight"];
pub(super) const FUSED_QKV: &[&str] = &["blk.*.attn_qkv.weight"];
pub(super) const QKV_BIASES: &[&str] =
    &["blk.*.attn_qkv.bias", "blk.*.attn_q.bias", "blk.*.attn_k.bias", "blk.*.attn_v.bias"];
pub(super) const FUSED_QKV_BIAS: &[&str] = &["blk.*.attn_qkv.bias"];
pub(super) const ATTENTION_OUTPUT: &[&str] = &["blk.*.attn_output.weight"];
pub(super) const ATTENTION_OUTPUT_BIAS: &[&str] = &["blk.*.attn_output.bias"];
pub(super) const QK_NORMS: &[&str] = &["blk.*.attn_q_norm.weight", "blk.*.attn_k_norm.weight"];

pub(super) const ATTENTION_NORM: &[&str] = &["blk.*.attn_norm.weight"];
pub(super) const ATTENTION_NORM_BIAS: &[&str] = &["blk.*.attn_norm.bias"];
/// Falcon 40B's norm of attention; the other one is the feed-forward layer's there.
pub(super) const ATTENTION_NORM_2: &[&str] =
    &["blk.*.attn_norm_2.weight", "blk.*.attn_norm_2.bias"];
pub(super) const FFN_NORM: &[&str] = &["blk.*.ffn_norm.weight"];
pub(super) const FFN_NORM_BIAS: &[&str] = &["blk.*.ffn_norm.bias"];
pub(super) const POST_ATTENTION_NORM: &[&str] = &["blk.*.post_attention_norm.weight"];
pub(super) const POST_FFN_NORM: &[&str] = &["blk.*.post_ffw_norm.weight"];

/// A feed-forward layer with a gate.
pub(super) const GATED: &[&str] =
    &["blk.*.ffn_gate.weight", "blk.*.ffn_up.weight", "blk.*.ffn_down.weight"];
/// A feed-forward layer without one, or with gate and up in one tensor.
pub(super) const PLAIN: &[&str] = &["blk.*.ffn_up.weight", "blk.*.ffn_down.weight"];
pub(super) const GATE_BIAS: &[&str] = &["blk.*.ffn_gate.bias"];
pub(super) const UP_DOWN_BIASES: &[&str] = &["blk.*.ffn_up.bias", "blk.*.ffn_down.bias"];

/// Factors of Llama 3's scaling.
pub(super) const ROPE_FACTORS: &[&str] = &["rope_freqs.weight"];
/// LongRoPE's two sets of factors.
pub(super) const LONG_ROPE_FACTORS: &[&str] =
    &["rope_factors_short.weight", "rope_factors_long.weight"];
