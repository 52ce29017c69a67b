//! Groups of tensor names that the rows of families are put together from. In a name, `blk.*.`
//! stands for every layer of the file.

pub(super) const EMBEDDING: &[&str] = &["token_embd.weight", "output_norm.weight"];
pub(super) const OUTPUT: &[&str] = &["output.weight"];
pub(super) const OUTPUT_BIAS: &[&str] = &["output.bias"];
pub(super) const OUTPUT_NORM_BIAS: &[&str] = &["output_norm.bias"];
/// The embedding alone, of families whose norms have no weights.
pub(super) const TOKEN_EMBEDDING: &[&str] = &["token_embd.weight"];
/// Bloom's norm of the embedding.
pub(super) const EMBEDDING_NORM: &[&str] = &["token_embd_norm.weight", "token_embd_norm.bias"];
/// Learned positions.
pub(super) const POSITIONS: &[&str] = &["position_embd.weight"];

/// Queries, keys and values: three matrices, or one that holds them one below the other.
pub(super) const QKV: &[&str] =
    &["blk.*.attn_qkv.weight", "blk.*.attn_q.weight", "blk.*.attn_k.weight", "blk.*.attn_v.weight"];
pub(super) const FUSED_QKV: &[&str] = &["blk.*.attn_qkv.weight"];
/// Queries, keys and values in three matrices.
pub(super) const SPLIT_QKV: &[&str] =
    &["blk.*.attn_q.weight", "blk.*.attn_k.weight", "blk.*.attn_v.weight"];
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

/// Weighs attention's output.
pub(super) const ATTENTION_GATE: &[&str] = &["blk.*.attn_gate.weight"];
pub(super) const Q_NORM: &[&str] = &["blk.*.attn_q_norm.weight"];
/// Norms between heads and attention's output matrix, and before feed-forward's last matrix.
pub(super) const SUB_NORMS: &[&str] = &["blk.*.attn_sub_norm.weight", "blk.*.ffn_sub_norm.weight"];
/// One number for each layer.
pub(super) const LAYER_SCALE: &[&str] = &["blk.*.layer_output_scale.weight"];
/// PLaMo 3's norms after each half of a block, whose names don't end as others do.
pub(super) const BARE_POST_NORMS: &[&str] = &["blk.*.post_attention_norm", "blk.*.post_ffw_norm"];
/// Gemma 4's embedding for each layer.
pub(super) const LAYER_EMBEDDING: &[&str] = &[
    "per_layer_token_embd.weight",
    "per_layer_model_proj.weight",
    "per_layer_proj_norm.weight",
    "blk.*.inp_gate.weight",
    "blk.*.proj.weight",
    "blk.*.post_norm.weight",
];
/// Gemma 3n's four streams and its low-rank layer.
pub(super) const STREAMS: &[&str] = &[
    "altup_proj.weight",
    "altup_unembd_proj.weight",
    "blk.*.altup_correct_coef.weight",
    "blk.*.altup_correct_scale.weight",
    "blk.*.altup_predict_coef.weight",
    "blk.*.altup_router.weight",
    "blk.*.altup_router_norm.weight",
    "blk.*.laurel_l.weight",
    "blk.*.laurel_r.weight",
    "blk.*.laurel_post_norm.weight",
];
/// Latent attention: keys and values of few numbers, and queries likewise.
pub(super) const LATENT: &[&str] =
    &["blk.*.attn_kv_a_mqa.weight", "blk.*.attn_kv_a_norm.weight", "blk.*.attn_kv_b.weight"];
pub(super) const LATENT_QUERIES: &[&str] =
    &["blk.*.attn_q_a.weight", "blk.*.attn_q_a_norm.weight", "blk.*.attn_q_b.weight"];
pub(super) const QUERIES: &[&str] = &["blk.*.attn_q.weight"];
/// CogVLM's matrices for the places of an image.
pub(super) const IMAGE_MATRICES: &[&str] = &[
    "blk.*.vis_attn_qkv.weight",
    "blk.*.vis_attn_output.weight",
    "blk.*.vis_gate.weight",
    "blk.*.vis_up.weight",
    "blk.*.vis_down.weight",
];
/// One number for each matrix, which multiplies its products.
pub(super) const SCALES: &[&str] = &[
    "blk.*.attn_qkv.scale",
    "blk.*.attn_q.scale",
    "blk.*.attn_k.scale",
    "blk.*.attn_v.scale",
    "blk.*.attn_output.scale",
    "blk.*.ffn_gate.scale",
    "blk.*.ffn_up.scale",
    "blk.*.ffn_down.scale",
];

/// Factors of Llama 3's scaling.
pub(super) const ROPE_FACTORS: &[&str] = &["rope_freqs.weight"];
/// LongRoPE's two sets of factors.
pub(super) const LONG_ROPE_FACTORS: &[&str] =
    &["rope_factors_short.weight", "rope_factors_long.weight"];

/// A router and the experts that it selects from.
pub(super) const EXPERTS: &[&str] = &[
    "blk.*.ffn_gate_inp.weight",
    "blk.*.ffn_gate_exps.weight",
    "blk.*.ffn_up_exps.weight",
    "blk.*.ffn_down_exps.weight",
];
/// A router and experts that may have a gate or none.
pub(super) const UNGATED_EXPERTS: &[&str] =
    &["blk.*.ffn_gate_inp.weight", "blk.*.ffn_up_exps.weight", "blk.*.ffn_down_exps.weight"];
pub(super) const EXPERT_GATES: &[&str] = &["blk.*.ffn_gate_exps.weight"];
pub(super) const EXPERT_BIASES: &[&str] = &[
    "blk.*.ffn_gate_inp.bias",
    "blk.*.ffn_gate_exps.bias",
    "blk.*.ffn_up_exps.bias",
    "blk.*.ffn_down_exps.bias",
];
pub(super) const ROUTER: &[&str] = &["blk.*.ffn_gate_inp.weight"];
pub(super) const EXPERT_DOWN: &[&str] = &["blk.*.ffn_down_exps.weight"];
/// Gate and up of all experts: two tensors, or one that holds them one below the other.
pub(super) const GATE_AND_UP_EXPERTS: &[&str] =
    &["blk.*.ffn_gate_up_exps.weight", "blk.*.ffn_gate_exps.weight", "blk.*.ffn_up_exps.weight"];
/// The bias for selection as HunYuan 3's files call it.
pub(super) const BARE_SELECTION_BIAS: &[&str] = &["blk.*.exp_probs_b"];
/// Added to experts' weights for selection alone.
pub(super) const SELECTION_BIAS: &[&str] = &["blk.*.exp_probs_b.bias"];
/// The expert that all tokens go through.
pub(super) const SHARED_EXPERT: &[&str] =
    &["blk.*.ffn_gate_shexp.weight", "blk.*.ffn_up_shexp.weight", "blk.*.ffn_down_shexp.weight"];
pub(super) const SHARED_EXPERT_GATE: &[&str] = &["blk.*.ffn_gate_inp_shexp.weight"];
pub(super) const SINKS: &[&str] = &["blk.*.attn_sinks.weight"];
/// Grok's norm of attention's output; in DBRX the feed-forward layer's norm.
pub(super) const ATTENTION_OUTPUT_NORM: &[&str] = &["blk.*.attn_output_norm.weight"];
