//! Names of tensors that the rows of families are put together from: GGUF's, and transformers'.

use super::rule::{Made, Part, Rule};

const fn rule(gguf: &'static str, hf: &'static str) -> Rule {
    Rule { gguf, hf, made: Made::Copied }
}

const fn made(gguf: &'static str, hf: &'static str, made: Made) -> Rule {
    Rule { gguf, hf, made }
}

pub(super) const WHOLE: &[Rule] = &[
    rule("token_embd", "model.embed_tokens"),
    rule("output_norm", "model.norm"),
    rule("output", "lm_head"),
];
pub(super) const QKV: &[Rule] = &[
    rule("blk.{}.attn_q", "model.layers.{}.self_attn.q_proj"),
    rule("blk.{}.attn_k", "model.layers.{}.self_attn.k_proj"),
    rule("blk.{}.attn_v", "model.layers.{}.self_attn.v_proj"),
    rule("blk.{}.attn_output", "model.layers.{}.self_attn.o_proj"),
];
pub(super) const PAIRED: &[Rule] = &[
    made("blk.{}.attn_q", "model.layers.{}.self_attn.q_proj", Made::PairedQueries),
    made("blk.{}.attn_k", "model.layers.{}.self_attn.k_proj", Made::PairedKeys),
    rule("blk.{}.attn_v", "model.layers.{}.self_attn.v_proj"),
    rule("blk.{}.attn_output", "model.layers.{}.self_attn.o_proj"),
];
pub(super) const QK_NORMS: &[Rule] = &[
    rule("blk.{}.attn_q_norm", "model.layers.{}.self_attn.q_norm"),
    rule("blk.{}.attn_k_norm", "model.layers.{}.self_attn.k_norm"),
];
pub(super) const NORMS: &[Rule] = &[
    rule("blk.{}.attn_norm", "model.layers.{}.input_layernorm"),
    rule("blk.{}.ffn_norm", "model.layers.{}.post_attention_layernorm"),
];
pub(super) const GATED: &[Rule] = &[
    rule("blk.{}.ffn_gate", "model.layers.{}.mlp.gate_proj"),
    rule("blk.{}.ffn_up", "model.layers.{}.mlp.up_proj"),
    rule("blk.{}.ffn_down", "model.layers.{}.mlp.down_proj"),
];
pub(super) const FUSED_GATE: &[Rule] = &[
    rule("blk.{}.ffn_up", "model.layers.{}.mlp.gate_up_proj"),
    rule("blk.{}.ffn_down", "model.layers.{}.mlp.down_proj"),
];
pub(super) const EXPERTS: &[Rule] = &[
    rule("blk.{}.ffn_gate_inp", "model.layers.{}.mlp.gate"),
    made("blk.{}.ffn_gate_exps", "model.layers.{}.mlp.experts.{e}.gate_proj", Made::Experts),
    made("blk.{}.ffn_up_exps", "model.layers.{}.mlp.experts.{e}.up_proj", Made::Experts),
    made("blk.{}.ffn_down_exps", "model.layers.{}.mlp.experts.{e}.down_proj", Made::Experts),
];
/// Gemma 2 and 3: norms before and after each half of a block.
pub(super) const FOUR_NORMS: &[Rule] = &[
    rule("blk.{}.attn_norm", "model.layers.{}.input_layernorm"),
    rule("blk.{}.post_attention_norm", "model.layers.{}.post_attention_layernorm"),
    rule("blk.{}.ffn_norm", "model.layers.{}.pre_feedforward_layernorm"),
    rule("blk.{}.post_ffw_norm", "model.layers.{}.post_feedforward_layernorm"),
];
/// OLMo 2 and EXAONE 4: norms after each half.
pub(super) const LATE_NORMS: &[Rule] = &[
    rule("blk.{}.post_attention_norm", "model.layers.{}.post_attention_layernorm"),
    rule("blk.{}.post_ffw_norm", "model.layers.{}.post_feedforward_layernorm"),
];
/// Seed-OSS: GGUF calls feed-forward's norm as others call that of attention's output.
pub(super) const SEED_NORMS: &[Rule] = &[
    rule("blk.{}.attn_norm", "model.layers.{}.input_layernorm"),
    rule("blk.{}.post_attention_norm", "model.layers.{}.post_attention_layernorm"),
];
pub(super) const HUNYUAN_NORMS: &[Rule] = &[
    rule("blk.{}.attn_q_norm", "model.layers.{}.self_attn.query_layernorm"),
    rule("blk.{}.attn_k_norm", "model.layers.{}.self_attn.key_layernorm"),
];
pub(super) const GLM4_NORMS: &[Rule] = &[
    rule("blk.{}.attn_norm", "model.layers.{}.input_layernorm"),
    rule("blk.{}.post_attention_norm", "model.layers.{}.post_self_attn_layernorm"),
    rule("blk.{}.ffn_norm", "model.layers.{}.post_attention_layernorm"),
    rule("blk.{}.post_ffw_norm", "model.layers.{}.post_mlp_layernorm"),
];
pub(super) const PHI3: &[Rule] = &[
    rule("blk.{}.attn_qkv", "model.layers.{}.self_attn.qkv_proj"),
    rule("blk.{}.attn_output", "model.layers.{}.self_attn.o_proj"),
];
pub(super) const PHI2: &[Rule] = &[
    rule("token_embd", "model.embed_tokens"),
    rule("output_norm", "model.final_layernorm"),
    rule("output", "lm_head"),
    rule("blk.{}.attn_q", "model.layers.{}.self_attn.q_proj"),
    rule("blk.{}.attn_k", "model.layers.{}.self_attn.k_proj"),
    rule("blk.{}.attn_v", "model.layers.{}.self_attn.v_proj"),
    rule("blk.{}.attn_output", "model.layers.{}.self_attn.dense"),
    rule("blk.{}.attn_norm", "model.layers.{}.input_layernorm"),
    rule("blk.{}.ffn_up", "model.layers.{}.mlp.fc1"),
    rule("blk.{}.ffn_down", "model.layers.{}.mlp.fc2"),
];
pub(super) const STABLELM: &[Rule] = &[
    made("blk.{}.attn_q_norm", "model.layers.{}.self_attn.q_layernorm.norms.{e}", Made::QueryHeads),
    made("blk.{}.attn_k_norm", "model.layers.{}.self_attn.k_layernorm.norms.{e}", Made::KeyHeads),
];
pub(super) const STARCODER2: &[Rule] = &[
    rule("blk.{}.ffn_up", "model.layers.{}.mlp.c_fc"),
    rule("blk.{}.ffn_down", "model.layers.{}.mlp.c_proj"),
];
pub(super) const UNGATED: &[Rule] = &[
    rule("blk.{}.ffn_up", "model.layers.{}.mlp.up_proj"),
    rule("blk.{}.ffn_down", "model.layers.{}.mlp.down_proj"),
];
pub(super) const COHERE: &[Rule] = &[rule("blk.{}.attn_norm", "model.layers.{}.input_layernorm")];
pub(super) const GPT2: &[Rule] = &[
    rule("token_embd", "transformer.wte"),
    rule("position_embd", "transformer.wpe"),
    rule("output_norm", "transformer.ln_f"),
    rule("output", "lm_head"),
    rule("blk.{}.attn_norm", "transformer.h.{}.ln_1"),
    made("blk.{}.attn_qkv", "transformer.h.{}.attn.c_attn", Made::Transposed),
    made("blk.{}.attn_output", "transformer.h.{}.attn.c_proj", Made::Transposed),
    rule("blk.{}.ffn_norm", "transformer.h.{}.ln_2"),
    made("blk.{}.ffn_up", "transformer.h.{}.mlp.c_fc", Made::Transposed),
    made("blk.{}.ffn_down", "transformer.h.{}.mlp.c_proj", Made::Transposed),
];
pub(super) const GPT_NEOX: &[Rule] = &[
    rule("token_embd", "gpt_neox.embed_in"),
    rule("output_norm", "gpt_neox.final_layer_norm"),
    rule("output", "embed_out"),
    rule("blk.{}.attn_norm", "gpt_neox.layers.{}.input_layernorm"),
    made("blk.{}.attn_qkv", "gpt_neox.layers.{}.attention.query_key_value", Made::FusedByHead),
    rule("blk.{}.attn_output", "gpt_neox.layers.{}.attention.dense"),
    rule("blk.{}.ffn_norm", "gpt_neox.layers.{}.post_attention_layernorm"),
    rule("blk.{}.ffn_up", "gpt_neox.layers.{}.mlp.dense_h_to_4h"),
    rule("blk.{}.ffn_down", "gpt_neox.layers.{}.mlp.dense_4h_to_h"),
];
pub(super) const BLOOM: &[Rule] = &[
    rule("token_embd", "transformer.word_embeddings"),
    rule("token_embd_norm", "transformer.word_embeddings_layernorm"),
    rule("output_norm", "transformer.ln_f"),
    rule("output", "lm_head"),
    rule("blk.{}.attn_norm", "transformer.h.{}.input_layernorm"),
    made("blk.{}.attn_qkv", "transformer.h.{}.self_attention.query_key_value", Made::FusedByHead),
    rule("blk.{}.attn_output", "transformer.h.{}.self_attention.dense"),
    rule("blk.{}.ffn_norm", "transformer.h.{}.post_attention_layernorm"),
    rule("blk.{}.ffn_up", "transformer.h.{}.mlp.dense_h_to_4h"),
    rule("blk.{}.ffn_down", "transformer.h.{}.mlp.dense_4h_to_h"),
];
/// Apertus: norms before each half, and the parameters of its activation.
pub(super) const APERTUS: &[Rule] = &[
    rule("blk.{}.attn_norm", "model.layers.{}.attention_layernorm"),
    rule("blk.{}.ffn_norm", "model.layers.{}.feedforward_layernorm"),
    made("{}xielu.alpha_p", "model.layers.{}.mlp.act_fn.alpha_p", Made::Parameter),
    made("{}xielu.alpha_n", "model.layers.{}.mlp.act_fn.alpha_n", Made::Parameter),
    made("{}xielu.beta", "model.layers.{}.mlp.act_fn.beta", Made::Parameter),
    made("{}xielu.eps", "model.layers.{}.mlp.act_fn.eps", Made::Parameter),
];
pub(super) const EXAONE: &[Rule] = &[
    rule("token_embd", "transformer.wte"),
    rule("output_norm", "transformer.ln_f"),
    rule("output", "lm_head"),
    rule("blk.{}.attn_norm", "transformer.h.{}.ln_1"),
    rule("blk.{}.attn_q", "transformer.h.{}.attn.attention.q_proj"),
    rule("blk.{}.attn_k", "transformer.h.{}.attn.attention.k_proj"),
    rule("blk.{}.attn_v", "transformer.h.{}.attn.attention.v_proj"),
    rule("blk.{}.attn_output", "transformer.h.{}.attn.attention.out_proj"),
    rule("blk.{}.ffn_norm", "transformer.h.{}.ln_2"),
    rule("blk.{}.ffn_gate", "transformer.h.{}.mlp.c_fc_0"),
    rule("blk.{}.ffn_up", "transformer.h.{}.mlp.c_fc_1"),
    rule("blk.{}.ffn_down", "transformer.h.{}.mlp.c_proj"),
];
pub(super) const INTERNLM2: &[Rule] = &[
    rule("token_embd", "model.tok_embeddings"),
    rule("output_norm", "model.norm"),
    rule("output", "output"),
    rule("blk.{}.attn_norm", "model.layers.{}.attention_norm"),
    made("blk.{}.attn_q", "model.layers.{}.attention.wqkv", Made::Grouped(Part::Queries)),
    made("blk.{}.attn_k", "model.layers.{}.attention.wqkv", Made::Grouped(Part::Keys)),
    made("blk.{}.attn_v", "model.layers.{}.attention.wqkv", Made::Grouped(Part::Values)),
    rule("blk.{}.attn_output", "model.layers.{}.attention.wo"),
    rule("blk.{}.ffn_norm", "model.layers.{}.ffn_norm"),
    rule("blk.{}.ffn_gate", "model.layers.{}.feed_forward.w1"),
    rule("blk.{}.ffn_up", "model.layers.{}.feed_forward.w3"),
    rule("blk.{}.ffn_down", "model.layers.{}.feed_forward.w2"),
];
pub(super) const FALCON: &[Rule] = &[
    rule("token_embd", "transformer.word_embeddings"),
    rule("output_norm", "transformer.ln_f"),
    rule("output", "lm_head"),
    rule("blk.{}.attn_norm", "transformer.h.{}.input_layernorm"),
    // The largest ones have a norm for each half of a block.
    rule("blk.{}.attn_norm", "transformer.h.{}.ln_mlp"),
    rule("blk.{}.attn_norm_2", "transformer.h.{}.ln_attn"),
    made("blk.{}.attn_qkv", "transformer.h.{}.self_attention.query_key_value", Made::FusedByHead),
    rule("blk.{}.attn_output", "transformer.h.{}.self_attention.dense"),
    rule("blk.{}.ffn_up", "transformer.h.{}.mlp.dense_h_to_4h"),
    rule("blk.{}.ffn_down", "transformer.h.{}.mlp.dense_4h_to_h"),
];
pub(super) const MPT: &[Rule] = &[
    rule("token_embd", "transformer.wte"),
    rule("position_embd", "transformer.wpe"),
    rule("output_norm", "transformer.norm_f"),
    rule("output", "lm_head"),
    rule("blk.{}.attn_norm", "transformer.blocks.{}.norm_1"),
    rule("blk.{}.attn_qkv", "transformer.blocks.{}.attn.Wqkv"),
    rule("blk.{}.attn_output", "transformer.blocks.{}.attn.out_proj"),
    rule("blk.{}.ffn_norm", "transformer.blocks.{}.norm_2"),
    rule("blk.{}.ffn_up", "transformer.blocks.{}.ffn.up_proj"),
    rule("blk.{}.ffn_down", "transformer.blocks.{}.ffn.down_proj"),
];
/// DeciLM: a matrix in attention's place.
pub(super) const LINEAR: &[Rule] =
    &[rule("blk.{}.attn_output", "model.layers.{}.self_attn.linear_attn")];
