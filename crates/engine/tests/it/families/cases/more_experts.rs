//! Cases of further families with mixtures of experts.

use super::*;

const N_EXPERTS: (&str, super::super::build::Key) = ("expert_count", U(8));
const N_USED: (&str, super::super::build::Key) = ("expert_used_count", U(3));
const WIDTH: (&str, super::super::build::Key) = ("expert_feed_forward_length", U(40));
const SHARED: (&str, super::super::build::Key) = ("expert_shared_feed_forward_length", U(56));
const SIGMOID: (&str, super::super::build::Key) = ("expert_gating_func", U(2));

/// Further families with mixtures of experts.
pub const CASES: &[Case] = &[
    sized(
        case(
            "mistral3.experts",
            &[RMS, N_EXPERTS, N_USED, ("attention.temperature_scale", F(0.1))],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps",
        ),
        Sizes { d_expert: 88, ..SIZES },
    ),
    sized(
        case(
            "granite.experts",
            &[RMS, N_EXPERTS, N_USED, SHARED, ("logit_scale", F(6.0)), ("residual_scale", F(0.3))],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { d_expert: 88, ..SIZES },
    ),
    case(
        "qwen3vlmoe.plain",
        &[RMS, N_EXPERTS, N_USED, WIDTH, ("rope.dimension_sections", Is(&[4, 2, 2, 0]))],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
    ),
    case(
        "qwen3vlmoe.full",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            ("rope.dimension_sections", Is(&[3, 3, 2, 0])),
            ("rope.freq_base", F(5e6)),
        ],
        "token_embd output_norm output |
        attn_norm attn_qkv+ attn_q_norm attn_k_norm attn_output ffn_norm
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
    ),
    sized(
        case(
            "exaone-moe.plain",
            &[RMS, N_EXPERTS, N_USED, WIDTH, SIGMOID, ("attention.sliding_window", U(9))],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { d_shared: 40, n_layers: 4, ..SIZES },
    ),
    sized(
        case(
            "exaone-moe.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                SIGMOID,
                SHARED,
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.5)),
                ("leading_dense_block_count", U(1)),
                ("attention.sliding_window", U(20)),
                ("rope.freq_base", F(1e6)),
            ],
            "token_embd output_norm output rope_freqs |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate
        ffn_up ffn_down |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output ffn_norm
        ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_layers: 4, ..SIZES },
    ),
    sized(
        case(
            "afmoe.plain",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("expert_shared_count", U(0)),
                ("attention.sliding_window", U(9)),
            ],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_gate attn_output
        post_attention_norm ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps
        ffn_down_exps post_ffw_norm",
        ),
        Sizes { n_layers: 4, ..SIZES },
    ),
    sized(
        case(
            "afmoe.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                SIGMOID,
                ("expert_shared_count", U(2)),
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.8)),
                ("leading_dense_block_count", U(1)),
                ("attention.sliding_window", U(20)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_gate attn_output
        post_attention_norm ffn_norm ffn_gate ffn_up ffn_down post_ffw_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_gate attn_output
        post_attention_norm ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp post_ffw_norm",
        ),
        Sizes { n_layers: 4, d_shared: 80, ..SIZES },
    ),
    case(
        "mellum.plain",
        &[RMS, N_EXPERTS, N_USED, WIDTH],
        "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
    ),
    sized(
        case(
            "mellum.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("attention.sliding_window", U(20)),
                ("rope.freq_base", F(5e5)),
                ("rope.scaling.type", S("yarn")),
                ("rope.scaling.factor", F(8.0)),
                ("rope.scaling.original_context_length", U(24)),
            ],
            "token_embd output_norm output |
        attn_norm attn_qkv+ attn_q_norm attn_k_norm attn_output ffn_norm
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        Sizes { n_layers: 4, ..SIZES },
    ),
    sized(
        case(
            "hy_v3.plain",
            &[RMS, N_EXPERTS, N_USED, WIDTH],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { d_shared: 40, ..SIZES },
    ),
    case(
        "hy_v3.full",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            SIGMOID,
            SHARED,
            ("expert_weights_norm", B(true)),
            ("expert_weights_scale", F(2.5)),
            ("leading_dense_block_count", U(1)),
        ],
        "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate
        ffn_up ffn_down |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output ffn_norm
        ffn_gate_inp exp_probs_b! ffn_gate_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp
        ffn_down_shexp",
    ),
    case(
        "smallthinker.plain",
        &[RMS, N_EXPERTS, N_USED, WIDTH, ("expert_gating_func", U(1))],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps",
    ),
    sized(
        case(
            "smallthinker.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                SIGMOID,
                ("attention.sliding_window", U(20)),
                ("rope.freq_base", F(1.5e6)),
            ],
            "token_embd output_norm output |
        attn_norm attn_qkv+ attn_output ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps",
        ),
        Sizes { n_layers: 5, ..SIZES },
    ),
];
