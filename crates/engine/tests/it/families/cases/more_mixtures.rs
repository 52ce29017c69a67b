//! Cases of mixtures of experts with parts that few others have.

use super::*;

const N_EXPERTS: (&str, super::super::build::Key) = ("expert_count", U(8));
const N_USED: (&str, super::super::build::Key) = ("expert_used_count", U(3));
const WIDTH: (&str, super::super::build::Key) = ("expert_feed_forward_length", U(40));
const SHARED: (&str, super::super::build::Key) = ("expert_shared_feed_forward_length", U(56));
const NARROW: (&str, super::super::build::Key) = ("attention.value_length", U(12));
const WINDOW: (&str, super::super::build::Key) = ("attention.sliding_window", U(9));
const NO_LEAD: (&str, super::super::build::Key) = ("leading_dense_block_count", U(0));
const LEAD: (&str, super::super::build::Key) = ("leading_dense_block_count", U(1));
/// Experts as wide as `feed_forward_length` says.
const SAME: Sizes = Sizes { d_expert: 88, ..SIZES };

const fn each(n_heads: usize, n_kv_heads: usize) -> Each {
    Each { n_heads, n_kv_heads, head_dim: 16, d_ff: 88 }
}

/// Cases of mixtures of experts with parts that few others have.
pub const CASES: &[Case] = &[
    case(
        "mimo2.plain",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            NARROW,
            WINDOW,
            ("attention.sliding_window_pattern", Bs(&[true, false])),
        ],
        "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v:narrow attn_output:latent ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps",
    ),
    sized(
        case(
            "mimo2.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                NARROW,
                WINDOW,
                ("attention.sliding_window_pattern", Bs(&[false, true, true])),
                ("attention.value_scale", F(0.7)),
                ("rope.freq_base", F(5e5)),
                ("rope.freq_base_swa", F(2e4)),
            ],
            "token_embd output_norm output |
        attn_norm attn_qkv:narrow attn_output:latent ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_qkv:narrow attn_sinks attn_output:latent ffn_norm ffn_gate_inp exp_probs_b-
        ffn_gate_exps ffn_up_exps ffn_down_exps |
        attn_norm attn_q attn_k attn_v:narrow attn_sinks attn_output:latent ffn_norm ffn_gate_inp
        exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        Sizes { n_layers: 3, rope_dim: 8, each: &[each(4, 1), each(4, 2), each(4, 2)], ..SIZES },
    ),
    case(
        "step35.plain",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            SHARED,
            WINDOW,
            ("attention.sliding_window_pattern", Bs(&[true, false])),
        ],
        "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
    ),
    sized(
        case(
            "step35.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                SHARED,
                WINDOW,
                ("attention.sliding_window_pattern", Bs(&[false, true, true])),
                ("rope.freq_base", F(5e5)),
                ("rope.freq_base_swa", F(2e4)),
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(3.0)),
                ("swiglu_clamp_exp", Fs(&[0.0, 0.8, 0.0])),
                ("swiglu_clamp_shexp", Fs(&[0.7, 0.0, 0.9])),
            ],
            "token_embd output_norm output rope_freqs |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_gate:head attn_output ffn_norm
        ffn_gate ffn_up ffn_down |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_gate:head attn_output ffn_norm
        ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_layers: 3, each: &[each(4, 2), each(6, 2), each(6, 2)], ..SIZES },
    ),
    case(
        "laguna.plain",
        &[RMS, N_EXPERTS, N_USED, WIDTH, SHARED, NO_LEAD],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_gate attn_output ffn_norm
        ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp",
    ),
    sized(
        case(
            "laguna.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                SHARED,
                LEAD,
                WINDOW,
                ("rope.dimension_count_swa", U(16)),
                ("rope.freq_base", F(5e5)),
                ("rope.freq_base_swa", F(2e4)),
                ("rope.scaling.type", S("yarn")),
                ("rope.scaling.factor", F(16.0)),
                ("rope.scaling.original_context_length", U(24)),
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.5)),
                ("expert_gating_func", U(2)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_gate:head attn_output
        ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_qkv attn_q_norm attn_k_norm attn_gate:head attn_output
        ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp",
        ),
        Sizes {
            n_layers: 5,
            rope_dim: 8,
            each: &[each(4, 2), each(6, 2), each(6, 2), each(6, 2), each(4, 2)],
            ..SIZES
        },
    ),
    case(
        "cohere2moe.plain",
        &[LAYER, N_EXPERTS, N_USED, WIDTH, WINDOW, NO_LEAD, ("logit_scale", F(0.25))],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps",
    ),
    sized(
        case(
            "cohere2moe.full",
            &[
                LAYER,
                N_EXPERTS,
                N_USED,
                WIDTH,
                SHARED,
                WINDOW,
                LEAD,
                ("logit_scale", F(0.25)),
                ("rope.freq_base", F(5e4)),
                ("rope.freq_base_swa", F(2e4)),
                ("expert_shared_count", U(1)),
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(1.5)),
                ("expert_gating_func", U(2)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_gate ffn_up ffn_down |
        attn_norm attn_qkv attn_output ffn_gate_inp ffn_gate_up_exps ffn_down_exps
        ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_layers: 5, ..SIZES },
    ),
    case(
        "cohere2moe.rms",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            WINDOW,
            NO_LEAD,
            ("logit_scale", F(0.25)),
            ("expert_gating_func", U(1)),
        ],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps",
    ),
    sized(
        case(
            "grok.plain",
            &[RMS, N_EXPERTS, N_USED],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output attn_output_norm ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps post_ffw_norm",
        ),
        SAME,
    ),
    case(
        "grok.full",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            ("embedding_scale", F(8.0)),
            ("logit_scale", F(0.6)),
            ("attention.output_scale", F(0.2)),
            ("attn_logit_softcapping", F(5.0)),
            ("router_logit_softcapping", F(30.0)),
            ("final_logit_softcapping", F(3.0)),
        ],
        "token_embd output_norm output |
        attn_norm attn_qkv+ attn_output attn_output_norm ffn_norm ffn_gate ffn_up ffn_down
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps layer_output_norm",
    ),
    sized(
        case(
            "arctic.plain",
            &[RMS, N_EXPERTS, N_USED],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate:square ffn_up:square
        ffn_down:square ffn_norm_exps ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        SAME,
    ),
    sized(
        case(
            "arctic.full",
            &[RMS, N_EXPERTS, N_USED, ("rope.freq_base", F(5e4))],
            "token_embd output_norm output |
        attn_norm attn_qkv+ attn_output ffn_norm ffn_gate:square ffn_up:square
        ffn_down:square ffn_norm_exps ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        SAME,
    ),
    case(
        "maple.plain",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            WINDOW,
            ("attention.sliding_window_pattern", Bs(&[true, false])),
            ("swiglu_clamp_exp", F(0.8)),
        ],
        "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps",
    ),
    sized(
        case(
            "maple.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                WINDOW,
                ("attention.sliding_window_pattern", Bs(&[true, false, true])),
                ("rope.freq_base", F(5e5)),
                ("rope.freq_base_swa", F(2e4)),
                ("swiglu_clamp_exp", Fs(&[0.8, 0.0, 0.6])),
            ],
            "token_embd output_norm output |
        attn_norm attn_qkv+ attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        Sizes { n_layers: 3, head_dim: 24, rope_dim: 16, ..SIZES },
    ),
    // As NVFP4 files have them.
    case(
        "qwen3moe.scaled",
        &[RMS, N_EXPERTS, N_USED, WIDTH],
        "token_embd output_norm output |
        attn_norm attn_q* attn_k* attn_v* attn_q_norm attn_k_norm attn_output* ffn_norm
        ffn_gate_inp ffn_gate_exps* ffn_up_exps* ffn_down_exps*",
    ),
    case(
        "hy_v3.scaled",
        &[RMS, N_EXPERTS, N_USED, WIDTH, SHARED],
        "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps* ffn_up_exps* ffn_down_exps* ffn_gate_shexp* ffn_up_shexp*
        ffn_down_shexp*",
    ),
    sized(
        case(
            "minimax-m3.plain",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("expert_shared_count", U(1)),
                ("expert_gating_func", U(2)),
                ("attention.indexer.head_count", U(2)),
                ("attention.indexer.key_length", U(64)),
                ("attention.indexer.top_k", U(16)),
                ("attention.indexer.block_size", U(128)),
                ("attention.indexer.local_blocks", U(1)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp
        ffn_down_shexp indexer.q_proj indexer.k_proj indexer.q_norm indexer.k_norm",
        ),
        Sizes { d_shared: 40, ..SIZES },
    ),
    sized(
        case(
            "minimax-m3.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("expert_shared_count", U(1)),
                ("expert_gating_func", U(2)),
                ("attention.indexer.head_count", U(2)),
                ("attention.indexer.key_length", U(64)),
                ("attention.indexer.top_k", U(16)),
                ("attention.indexer.block_size", U(128)),
                ("attention.indexer.local_blocks", U(1)),
                LEAD,
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.0)),
                ("rope.freq_base", F(5e6)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate
        ffn_up ffn_down |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp
        ffn_down_shexp indexer.q_proj indexer.k_proj indexer.q_norm indexer.k_norm",
        ),
        Sizes { d_shared: 40, rope_dim: 8, ..SIZES },
    ),
];
