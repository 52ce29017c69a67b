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
pub(super) const QUERIES_AND_KEYS: &[&str] = &["blk.*.attn_q.weight", "blk.*.attn_k.weight"];
pub(super) const VALUES: &[&str] = &["blk.*.attn_v.weight"];
/// Values of attention that experts make.
pub(super) const VALUE_EXPERTS: &[&str] =
    &["blk.*.attn_v_gate.weight", "blk.*.attn_v_gate.bias", "blk.*.attn_v_exps.weight"];
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
/// The norm of feed-forward's output as Grok 1 has it.
pub(super) const LAYER_OUTPUT_NORM: &[&str] = &["blk.*.layer_output_norm.weight"];

/// A feed-forward layer with a gate.
pub(super) const GATED: &[&str] =
    &["blk.*.ffn_gate.weight", "blk.*.ffn_up.weight", "blk.*.ffn_down.weight"];
/// A feed-forward layer with a gate, and the scales of its matrices.
pub(super) const GATED_AND_SCALES: &[&str] = &[
    "blk.*.ffn_gate.weight",
    "blk.*.ffn_up.weight",
    "blk.*.ffn_down.weight",
    "blk.*.ffn_gate.scale",
    "blk.*.ffn_up.scale",
    "blk.*.ffn_down.scale",
];
/// A feed-forward layer without one, or with gate and up in one tensor.
pub(super) const PLAIN: &[&str] = &["blk.*.ffn_up.weight", "blk.*.ffn_down.weight"];
pub(super) const GATE_BIAS: &[&str] = &["blk.*.ffn_gate.bias"];
pub(super) const UP_DOWN_BIASES: &[&str] = &["blk.*.ffn_up.bias", "blk.*.ffn_down.bias"];

/// What activations of the feed-forward layer are divided by, as AWQ's files have it.
pub(super) const ACTIVATION_SCALES: &[&str] = &["blk.*.ffn.act.scales"];

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
/// Latent attention: what keys and values are made of, and queries likewise.
pub(super) const LATENT: &[&str] = &["blk.*.attn_kv_a_mqa.weight", "blk.*.attn_kv_a_norm.weight"];
/// What makes keys and values of all heads.
pub(super) const EXPANDED: &[&str] = &["blk.*.attn_kv_b.weight"];
/// Likewise, each head's by themselves.
pub(super) const ABSORBED: &[&str] = &["blk.*.attn_k_b.weight", "blk.*.attn_v_b.weight"];
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
/// What scores a text in the place of making one.
pub(super) const CLASSIFIER: &[&str] = &["cls.output.weight", "cls.output.bias"];

/// What selects positions for attention: DeepSeek's, then MiniMax's.
pub(super) const INDEXER: &[&str] = &[
    "blk.*.indexer.k_norm.weight",
    "blk.*.indexer.k_norm.bias",
    "blk.*.indexer.proj.weight",
    "blk.*.indexer.attn_k.weight",
    "blk.*.indexer.attn_q_b.weight",
    "blk.*.indexer.q_proj.weight",
    "blk.*.indexer.k_proj.weight",
    "blk.*.indexer.q_norm.weight",
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
/// Arctic's norm of what experts read.
pub(super) const EXPERTS_NORM: &[&str] = &["blk.*.ffn_norm_exps.weight"];
pub(super) const SINKS: &[&str] = &["blk.*.attn_sinks.weight"];
/// Grok's norm of attention's output; in DBRX the feed-forward layer's norm.
pub(super) const ATTENTION_OUTPUT_NORM: &[&str] = &["blk.*.attn_output_norm.weight"];

/// LFM2's layers of short convolutions.
pub(super) const SHORT_CONVOLUTION: &[&str] = &[
    "blk.*.shortconv.conv.weight",
    "blk.*.shortconv.in_proj.weight",
    "blk.*.shortconv.out_proj.weight",
];
/// The norm before the output as LFM2's files call it.
pub(super) const LFM2_EMBEDDING: &[&str] = &["token_embd.weight", "token_embd_norm.weight"];
/// A convolution and the heads of the gated delta rule.
pub(super) const DELTA_NET: &[&str] = &[
    "blk.*.attn_gate.weight",
    "blk.*.ssm_conv1d.weight",
    "blk.*.ssm_dt.bias",
    "blk.*.ssm_a",
    "blk.*.ssm_norm.weight",
    "blk.*.ssm_out.weight",
];
/// Queries, keys, values and the gate of the delta rule in one matrix, as older files have it.
pub(super) const FUSED_DELTA: &[&str] = &["blk.*.ssm_in.weight"];
/// What makes the delta rule's rates and what heads forget: one matrix, or two.
pub(super) const FUSED_RATES: &[&str] = &["blk.*.ssm_ba.weight"];
pub(super) const RATES: &[&str] = &["blk.*.ssm_beta.weight", "blk.*.ssm_alpha.weight"];
/// A convolution and the heads of Mamba 2.
pub(super) const MAMBA2: &[&str] = &[
    "blk.*.ssm_in.weight",
    "blk.*.ssm_conv1d.weight",
    "blk.*.ssm_dt.bias",
    "blk.*.ssm_a",
    "blk.*.ssm_d",
    "blk.*.ssm_out.weight",
];
pub(super) const CONVOLUTION_BIAS: &[&str] = &["blk.*.ssm_conv1d.bias"];
pub(super) const STATE_NORM: &[&str] = &["blk.*.ssm_norm.weight"];
/// PLaMo's and Falcon H1's norm whose name doesn't end as others do.
pub(super) const BARE_FFN_NORM: &[&str] = &["blk.*.ffn_norm"];
/// The expert that all tokens go through, without a gate.
pub(super) const UNGATED_SHARED_EXPERT: &[&str] =
    &["blk.*.ffn_up_shexp.weight", "blk.*.ffn_down_shexp.weight"];

/// Mamba: what makes steps, keys and queries of the convolution's output besides.
pub(super) const MAMBA: &[&str] = &[
    "blk.*.ssm_in.weight",
    "blk.*.ssm_conv1d.weight",
    "blk.*.ssm_x.weight",
    "blk.*.ssm_dt.weight",
    "blk.*.ssm_dt.bias",
    "blk.*.ssm_a",
    "blk.*.ssm_d",
    "blk.*.ssm_out.weight",
];
/// Norms of what steps are made of, keys and queries.
pub(super) const MAMBA_NORMS: &[&str] =
    &["blk.*.ssm_dt_norm.weight", "blk.*.ssm_b_norm.weight", "blk.*.ssm_c_norm.weight"];
/// Likewise, as PLaMo 2's files call them.
pub(super) const BARE_MAMBA_NORMS: &[&str] =
    &["blk.*.ssm_dt_norm", "blk.*.ssm_b_norm", "blk.*.ssm_c_norm"];
/// Kimi's delta rule.
pub(super) const KIMI_DELTA: &[&str] = &[
    "blk.*.ssm_conv1d_q.weight",
    "blk.*.ssm_conv1d_k.weight",
    "blk.*.ssm_conv1d_v.weight",
    "blk.*.ssm_f_a.weight",
    "blk.*.ssm_beta.weight",
    "blk.*.ssm_a",
    "blk.*.ssm_dt.bias",
    "blk.*.ssm_norm.weight",
];
/// The first or only matrix of its gate, by two names.
pub(super) const KIMI_GATE_LOW: &[&str] = &["blk.*.ssm_g_a.weight"];
pub(super) const KIMI_WHOLE_GATE: &[&str] = &["blk.*.ssm_g.weight"];
/// The second matrix of its decays alone.
pub(super) const KIMI_DECAYS: &[&str] = &["blk.*.ssm_f_b.weight"];
/// The second matrices of its decays and its gate.
pub(super) const KIMI_SPREAD: &[&str] = &["blk.*.ssm_f_b.weight", "blk.*.ssm_g_b.weight"];
/// MiniMax 01's norm of what heads read.
pub(super) const LIGHTNING_NORM: &[&str] = &["blk.*.attn_norm_2.weight"];

/// What all of RWKV's layers have.
pub(super) const RWKV: &[&str] = &[
    "blk.*.time_mix_w1.weight",
    "blk.*.time_mix_w2.weight",
    "blk.*.time_mix_receptance.weight",
    "blk.*.time_mix_key.weight",
    "blk.*.time_mix_value.weight",
    "blk.*.time_mix_output.weight",
];
pub(super) const RWKV7: &[&str] = &[
    "blk.*.time_mix_w0.weight",
    "blk.*.time_mix_a0.weight",
    "blk.*.time_mix_a1.weight",
    "blk.*.time_mix_a2.weight",
    "blk.*.time_mix_v0.weight",
    "blk.*.time_mix_v1.weight",
    "blk.*.time_mix_v2.weight",
    "blk.*.time_mix_lerp_fused.weight",
    "blk.*.time_mix_k_k.weight",
    "blk.*.time_mix_k_a.weight",
    "blk.*.time_mix_r_k.weight",
];
pub(super) const RWKV7_GATE: &[&str] = &["blk.*.time_mix_g1.weight", "blk.*.time_mix_g2.weight"];
pub(super) const RWKV6: &[&str] = &[
    "blk.*.time_mix_lerp_x.weight",
    "blk.*.time_mix_decay.weight",
    "blk.*.time_mix_decay_w1.weight",
    "blk.*.time_mix_decay_w2.weight",
    "blk.*.time_mix_gate.weight",
];
/// The weight of a token's own value.
pub(super) const RWKV6_BONUS: &[&str] = &["blk.*.time_mix_first.weight"];
/// Shares of the token before: one tensor, or one for each input.
pub(super) const RWKV_SHARES: &[&str] = &["blk.*.time_mix_lerp_fused.weight"];
pub(super) const RWKV6_SHARES: &[&str] = &[
    "blk.*.time_mix_lerp_w.weight",
    "blk.*.time_mix_lerp_k.weight",
    "blk.*.time_mix_lerp_v.weight",
    "blk.*.time_mix_lerp_r.weight",
    "blk.*.time_mix_lerp_g.weight",
];
pub(super) const RWKV_BIASES: &[&str] =
    &["blk.*.time_mix_key.bias", "blk.*.time_mix_value.bias", "blk.*.time_mix_receptance.bias"];
/// The norm of what each head reads.
pub(super) const HEAD_NORM: &[&str] = &["blk.*.time_mix_ln.weight", "blk.*.time_mix_ln.bias"];
/// RWKV's feed-forward network.
pub(super) const CHANNEL_MIX: &[&str] = &[
    "blk.*.channel_mix_lerp_k.weight",
    "blk.*.channel_mix_key.weight",
    "blk.*.channel_mix_value.weight",
];
pub(super) const CHANNEL_RECEPTANCE: &[&str] =
    &["blk.*.channel_mix_lerp_r.weight", "blk.*.channel_mix_receptance.weight"];

/// What the low one of two stacks of layers begins with.
pub(super) const LOW_START: &[&str] = &["hrm.z_l_init"];
pub(super) const QK_NORM_BIASES: &[&str] = &["blk.*.attn_q_norm.bias", "blk.*.attn_k_norm.bias"];
/// Networks that neighbouring experts share.
pub(super) const GROUPED_EXPERTS: &[&str] =
    &["blk.*.ffn_gate_chexps.weight", "blk.*.ffn_up_chexps.weight", "blk.*.ffn_down_chexps.weight"];
pub(super) const K_NORM: &[&str] = &["blk.*.attn_k_norm.weight"];
pub(super) const K_NORM_BIAS: &[&str] = &["blk.*.attn_k_norm.bias"];
/// Gates of several streams' numbers, and the weights of what is added to them.
pub(super) const HYPER_GATES: &[&str] = &[
    "output_hc_norm.weight",
    "output_hc_down.weight",
    "output_hc_up.weight",
    "blk.*.hc_attn_norm.weight",
    "blk.*.hc_attn_down.weight",
    "blk.*.hc_attn_up.weight",
    "blk.*.hc_attn_inject.weight",
    "blk.*.hc_ffn_norm.weight",
    "blk.*.hc_ffn_down.weight",
    "blk.*.hc_ffn_up.weight",
    "blk.*.hc_ffn_inject.weight",
];
/// What one layer reads by the last tokens.
pub(super) const NGRAM_TABLE: &[&str] = &[
    "per_layer_token_embd.weight",
    "blk.*.ple_key.weight",
    "blk.*.ple_value.weight",
    "blk.*.ple_norm_key.weight",
    "blk.*.ple_norm_query.weight",
    "blk.*.ple_norm_conv.weight",
    "blk.*.ple_conv1d.weight",
];
/// Adapters that tokens switch on.
pub(super) const ADAPTERS: &[&str] = &[
    "blk.*.attn_q.lora_a",
    "blk.*.attn_q.lora_b",
    "blk.*.attn_k.lora_a",
    "blk.*.attn_k.lora_b",
    "blk.*.attn_v.lora_a",
    "blk.*.attn_v.lora_b",
    "blk.*.attn_output.lora_a",
    "blk.*.attn_output.lora_b",
    "blk.*.ffn_gate.lora_a",
    "blk.*.ffn_gate.lora_b",
    "blk.*.ffn_up.lora_a",
    "blk.*.ffn_up.lora_b",
    "blk.*.ffn_down.lora_a",
    "blk.*.ffn_down.lora_b",
];
/// What weighs the stream and sums of it that are kept.
pub(super) const KEPT_SUMS: &[&str] =
    &["output_res_score.weight", "blk.*.attn_res_score.weight", "blk.*.ffn_res_score.weight"];
/// What leads the stream to experts of a narrower one, and back.
pub(super) const LATENT_EXPERTS: &[&str] =
    &["blk.*.ffn_routed_down.weight", "blk.*.ffn_routed_up.weight", "blk.*.ffn_routed_norm.weight"];
/// What selects means of some positions for attention.
pub(super) const POOLED_INDEXER: &[&str] = &[
    "blk.*.indexer.k_norm.weight",
    "blk.*.indexer.k_norm.bias",
    "blk.*.indexer.proj.weight",
    "blk.*.indexer.attn_k.weight",
    "blk.*.indexer.attn_q_b.weight",
    "blk.*.indexer_compressor_gate.weight",
    "blk.*.indexer_compressor_ape.weight",
];
/// What the output reads of several streams.
pub(super) const HYPER_HEAD: &[&str] =
    &["output_hc_fn.weight", "output_hc_base.weight", "output_hc_scale.weight"];
/// What the halves of a layer read of several streams and add to them.
pub(super) const HYPER_LAYERS: &[&str] = &[
    "blk.*.hc_attn_fn.weight",
    "blk.*.hc_attn_base.weight",
    "blk.*.hc_attn_scale.weight",
    "blk.*.hc_ffn_fn.weight",
    "blk.*.hc_ffn_base.weight",
    "blk.*.hc_ffn_scale.weight",
];
/// What makes one key of a token for all heads, and what becomes of what heads find.
pub(super) const SHARED_KEY: &[&str] = &[
    "blk.*.attn_kv.weight",
    "blk.*.attn_kv_a_norm.weight",
    "blk.*.attn_output_a.weight",
    "blk.*.attn_output_b.weight",
];
/// What makes a key of several tokens, in layers that read such.
pub(super) const COMPRESSOR: &[&str] = &[
    "blk.*.attn_compressor_kv.weight",
    "blk.*.attn_compressor_gate.weight",
    "blk.*.attn_compressor_ape.weight",
    "blk.*.attn_compressor_norm.weight",
];
/// What selects among these, and a bias for places of images.
pub(super) const COMPRESSED_INDEXER: &[&str] = &[
    "blk.*.indexer.proj.weight",
    "blk.*.indexer.attn_q_b.weight",
    "blk.*.indexer_compressor_kv.weight",
    "blk.*.indexer_compressor_gate.weight",
    "blk.*.indexer_compressor_ape.weight",
    "blk.*.indexer_compressor_norm.weight",
    "blk.*.exp_probs_b_vl.bias",
];
/// The experts of each token.
pub(super) const EXPERTS_BY_TOKEN: &[&str] = &["blk.*.ffn_gate_tid2eid.weight"];
