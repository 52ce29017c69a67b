//! Cases of families whose attention reads compressed keys.

use super::*;

type Keyed = (&'static str, super::super::build::Key);

const Q_RANK: Keyed = ("attention.q_lora_rank", U(24));
const GROUPS: Keyed = ("attention.output_group_count", U(2));
const OUT_RANK: Keyed = ("attention.output_lora_rank", U(12));
const BASE: Keyed = ("attention.compress_rope_freq_base", F(160_000.0));
const WINDOW: Keyed = ("attention.sliding_window", U(16));
const INDEX: [Keyed; 3] = [
    ("attention.indexer.head_count", U(2)),
    ("attention.indexer.key_length", U(64)),
    ("attention.indexer.top_k", U(512)),
];
const STREAMS: Keyed = ("hyper_connection.count", U(4));
const EPS: Keyed = ("hyper_connection.epsilon", F(1e-6));
const ROUNDS: Keyed = ("hyper_connection.sinkhorn_iterations", U(20));
const N_EXPERTS: Keyed = ("expert_count", U(8));
const N_USED: Keyed = ("expert_used_count", U(3));
const WIDTH: Keyed = ("expert_feed_forward_length", U(40));
const ONE_SHARED: Keyed = ("expert_shared_count", U(1));
const ROUTER: Keyed = ("expert_gating_func", U(4));
const YARN: [Keyed; 3] = [
    ("rope.scaling.type", S("yarn")),
    ("rope.scaling.factor", F(16.0)),
    ("rope.scaling.original_context_length", U(24)),
];
const SHARED_KEYS: Sizes = Sizes { n_kv_heads: 1, rope_dim: 8, d_shared: 40, ..SIZES };

/// All kinds of layers: without compressed keys and with experts by the token, with keys of 4
/// tokens, and with keys of 128.
const FULL: Case = sized(
    case(
        "deepseek4.full",
        &[
            RMS,
            Q_RANK,
            GROUPS,
            OUT_RANK,
            BASE,
            WINDOW,
            INDEX[0],
            INDEX[1],
            INDEX[2],
            ("attention.compress_ratios", Is(&[0, 4, 128])),
            STREAMS,
            EPS,
            ROUNDS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            ONE_SHARED,
            ROUTER,
            ("expert_weights_scale", F(1.5)),
            ("expert_weights_norm", B(true)),
            ("hash_layer_count", U(1)),
            ("swiglu_clamp_exp", Fs(&[0.6, 0.5, 10.0])),
            ("swiglu_clamp_shexp", Fs(&[0.0, 0.7, 10.0])),
            YARN[0],
            YARN[1],
            YARN[2],
        ],
        "token_embd output_norm output output_hc_fn output_hc_base output_hc_scale |
        attn_norm attn_sinks attn_q_a attn_q_a_norm attn_q_b attn_kv attn_kv_a_norm:shared
        attn_output_a attn_output_b hc_attn_fn:mixed hc_attn_base:mixed hc_attn_scale:mixed
        hc_ffn_fn:mixed hc_ffn_base:mixed hc_ffn_scale:mixed ffn_norm ffn_gate_inp ffn_gate_tid2eid
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm attn_sinks attn_q_a attn_q_a_norm attn_q_b attn_kv attn_kv_a_norm:shared
        attn_output_a attn_output_b attn_compressor_kv:four attn_compressor_gate:four
        attn_compressor_ape:four attn_compressor_norm indexer.proj indexer.attn_q_b
        indexer_compressor_kv:four indexer_compressor_gate:four indexer_compressor_ape:four
        indexer_compressor_norm hc_attn_fn:mixed hc_attn_base:mixed hc_attn_scale:mixed
        hc_ffn_fn:mixed hc_ffn_base:mixed hc_ffn_scale:mixed ffn_norm ffn_gate_inp exp_probs_b-
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm attn_sinks attn_q_a attn_q_a_norm attn_q_b attn_kv attn_kv_a_norm:shared
        attn_output_a attn_output_b attn_compressor_kv attn_compressor_gate attn_compressor_ape
        attn_compressor_norm hc_attn_fn:mixed hc_attn_base:mixed hc_attn_scale:mixed
        hc_ffn_fn:mixed hc_ffn_base:mixed hc_ffn_scale:mixed ffn_norm ffn_gate_inp exp_probs_b-
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
    ),
    Sizes { n_layers: 3, ..SHARED_KEYS },
);

/// Cases of such families. llama.cpp ends its process on files without keys of 4 tokens.
pub const CASES: &[Case] = &[
    sized(
        case(
            "deepseek4.plain",
            &[
                RMS,
                Q_RANK,
                GROUPS,
                OUT_RANK,
                BASE,
                WINDOW,
                INDEX[0],
                INDEX[1],
                INDEX[2],
                ("attention.compress_ratios", Is(&[0, 4])),
                STREAMS,
                EPS,
                ROUNDS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ONE_SHARED,
                ROUTER,
                ("expert_weights_scale", F(1.0)),
                ("expert_weights_norm", B(false)),
                ("hash_layer_count", U(0)),
                ("swiglu_clamp_exp", F(0.0)),
            ],
            "token_embd output_norm output output_hc_fn output_hc_base output_hc_scale |
            attn_norm attn_sinks attn_q_a attn_q_a_norm attn_q_b attn_kv attn_kv_a_norm:shared
            attn_output_a attn_output_b hc_attn_fn:mixed hc_attn_base:mixed hc_attn_scale:mixed
            hc_ffn_fn:mixed hc_ffn_base:mixed hc_ffn_scale:mixed ffn_norm ffn_gate_inp exp_probs_b-
            ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
            attn_norm attn_sinks attn_q_a attn_q_a_norm attn_q_b attn_kv attn_kv_a_norm:shared
            attn_output_a attn_output_b attn_compressor_kv:four attn_compressor_gate:four
            attn_compressor_ape:four attn_compressor_norm indexer.proj indexer.attn_q_b
            indexer_compressor_kv:four indexer_compressor_gate:four indexer_compressor_ape:four
            indexer_compressor_norm hc_attn_fn:mixed hc_attn_base:mixed hc_attn_scale:mixed
            hc_ffn_fn:mixed hc_ffn_base:mixed hc_ffn_scale:mixed ffn_norm ffn_gate_inp exp_probs_b-
            ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        SHARED_KEYS,
    ),
    FULL,
    // More keys of 4 tokens than a page holds, and one of 128.
    Case { name: "deepseek4.long", sizes: Sizes { ctx_len: LONG_CONTEXT, ..FULL.sizes }, ..FULL },
];
