//! Cases of families with mixtures of experts.

use super::*;

const N_EXPERTS: (&str, super::super::build::Key) = ("expert_count", U(8));
const N_USED: (&str, super::super::build::Key) = ("expert_used_count", U(3));
const WIDTH: (&str, super::super::build::Key) = ("expert_feed_forward_length", U(40));
const SHARED: (&str, super::super::build::Key) = ("expert_shared_feed_forward_length", U(56));
/// Experts as wide as `feed_forward_length` says.
const SAME: Sizes = Sizes { d_expert: 88, d_shared: 88, ..SIZES };
/// The shared expert is two of the others.
const TWO_SHARED: Sizes = Sizes { d_shared: 80, ..SIZES };

/// Families with mixtures of experts.
pub const CASES: &[Case] = &[
    sized(
        case(
            "llama.experts",
            &[RMS, N_EXPERTS, N_USED],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output+ ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps",
        ),
        SAME,
    ),
    sized(
        case(
            "llama.ungated_experts",
            &[RMS, N_EXPERTS, ("expert_used_count", U(1))],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_up_exps
        ffn_down_exps",
        ),
        SAME,
    ),
    case(
        "qwen2moe.plain",
        &[RMS, N_EXPERTS, N_USED, WIDTH, SHARED],
        "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
    ),
    sized(
        case(
            "qwen2moe.full",
            &[RMS, N_EXPERTS, ("expert_used_count", U(4)), ("rope.freq_base", F(1e6))],
            "token_embd output_norm output |
        attn_norm attn_qkv+ attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { d_expert: 22, d_shared: 88, ..SIZES },
    ),
    sized(
        case(
            "qwen3moe.plain",
            &[RMS, N_EXPERTS, N_USED, WIDTH],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        WIDE_HEADS,
    ),
    case(
        "qwen3moe.full",
        &[RMS, N_EXPERTS, N_USED, WIDTH, ("rope.freq_base", F(1e6))],
        "token_embd output_norm output |
        attn_norm attn_qkv+ attn_q_norm attn_k_norm attn_output ffn_norm
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
    ),
    case(
        "qwen3moe.groups",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            ("expert_group_count", U(4)),
            ("expert_group_used_count", U(2)),
        ],
        "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
    ),
    sized(
        case(
            "olmoe.plain",
            &[RMS, N_EXPERTS, N_USED],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm:whole attn_k_norm:whole attn_output ffn_norm
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        Sizes { n_kv_heads: 4, ..SAME },
    ),
    sized(
        case(
            "olmoe.full",
            &[RMS, N_EXPERTS, N_USED, ("rope.freq_base", F(5e4))],
            "token_embd output_norm output |
        attn_norm attn_qkv+ attn_q_norm:whole attn_k_norm:whole attn_output ffn_norm
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        Sizes { n_kv_heads: 4, ..SAME },
    ),
    sized(
        case(
            "granitemoe.plain",
            &[RMS, N_EXPERTS, N_USED, ("logit_scale", F(6.0))],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps",
        ),
        SAME,
    ),
    sized(
        case(
            "granitemoe.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                SHARED,
                ("logit_scale", F(6.0)),
                ("embedding_scale", F(12.0)),
                ("residual_scale", F(0.22)),
                ("attention.scale", F(0.1)),
            ],
            "token_embd output_norm output rope_freqs |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output+ ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { d_expert: 88, ..SIZES },
    ),
    sized(
        case(
            "phimoe.plain",
            &[RMS, N_EXPERTS, N_USED],
            "token_embd output_norm+ output+ |
        attn_norm+ attn_q attn_k attn_v attn_output+ ffn_norm+ ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps",
        ),
        SAME,
    ),
    sized(
        case(
            "phimoe.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                ("rope.scaling.attn_factor", F(1.19)),
                ("rope.scaling.original_context_length", U(256)),
            ],
            "token_embd output_norm+ output+ rope_factors_short rope_factors_long |
        attn_norm+ attn_qkv+ attn_output+ ffn_norm+ ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps",
        ),
        SAME,
    ),
    case(
        "ernie4_5-moe.plain",
        &[RMS, N_EXPERTS, N_USED, WIDTH, ("interleave_moe_layer_step", U(1))],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps",
    ),
    case(
        "ernie4_5-moe.full",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            SHARED,
            ("interleave_moe_layer_step", U(1)),
            ("leading_dense_block_count", U(1)),
            ("rope.freq_base", F(5e5)),
        ],
        "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate_inp exp_probs_b-
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
    ),
    sized(
        case(
            "gpt-oss.plain",
            &[RMS, N_EXPERTS, N_USED, WIDTH, ("attention.sliding_window", U(9))],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_output+ attn_sinks post_attention_norm ffn_gate_inp+
        ffn_gate_exps+ ffn_up_exps+ ffn_down_exps+",
        ),
        WIDE_HEADS,
    ),
    case(
        "gpt-oss.full",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            ("attention.sliding_window", U(20)),
            ("rope.freq_base", F(150_000.0)),
            ("rope.scaling.type", S("yarn")),
            ("rope.scaling.factor", F(32.0)),
            ("rope.scaling.original_context_length", U(24)),
        ],
        "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output+ attn_sinks post_attention_norm
        ffn_gate_inp+ ffn_gate_exps+ ffn_up_exps+ ffn_down_exps+",
    ),
    sized(
        case(
            "glm4moe.plain",
            &[RMS, N_EXPERTS, N_USED, WIDTH, ("expert_shared_count", U(2))],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output post_attention_norm ffn_gate_inp exp_probs_b-
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        TWO_SHARED,
    ),
    sized(
        case(
            "glm4moe.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("expert_shared_count", U(2)),
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(1.5)),
                ("expert_gating_func", U(2)),
                ("leading_dense_block_count", U(1)),
                ("block_count", U(3)),
                ("nextn_predict_layers", U(1)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output post_attention_norm
        ffn_gate ffn_up ffn_down |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output post_attention_norm
        ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output post_attention_norm
        ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp nextn.eh_proj nextn.enorm nextn.hnorm nextn.shared_head_norm",
        ),
        Sizes { n_layers: 3, rope_dim: 8, ..TWO_SHARED },
    ),
    case(
        "bailingmoe2.plain",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            SHARED,
            ("expert_shared_count", U(1)),
            ("expert_gating_func", U(1)),
        ],
        "token_embd output_norm output |
        attn_norm attn_qkv attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
    ),
    sized(
        case(
            "bailingmoe2.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("expert_shared_count", U(2)),
                ("expert_gating_func", U(2)),
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.5)),
                ("expert_group_count", U(4)),
                ("expert_group_used_count", U(2)),
                ("leading_dense_block_count", U(1)),
            ],
            "token_embd output_norm output |
        attn_norm attn_qkv attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_qkv attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp exp_probs_b-
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { rope_dim: 8, ..TWO_SHARED },
    ),
    sized(
        case(
            "deepseek.plain",
            &[RMS, N_EXPERTS, N_USED, WIDTH, ("expert_shared_count", U(2))],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        TWO_SHARED,
    ),
    sized(
        case(
            "deepseek.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("expert_shared_count", U(2)),
                ("expert_weights_scale", F(1.3)),
                ("leading_dense_block_count", U(1)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        TWO_SHARED,
    ),
    sized(
        case(
            "dots1.plain",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("expert_shared_count", U(2)),
                ("expert_gating_func", U(1)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_kv_heads: 4, ..TWO_SHARED },
    ),
    sized(
        case(
            "dots1.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("expert_shared_count", U(2)),
                ("expert_gating_func", U(2)),
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.5)),
                ("leading_dense_block_count", U(1)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate
        ffn_up ffn_down |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp
        ffn_down_shexp",
        ),
        Sizes { n_kv_heads: 4, ..TWO_SHARED },
    ),
    sized(
        case(
            "hunyuan-moe.plain",
            &[RMS, N_EXPERTS, N_USED, ("expert_feed_forward_length", U(88))],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        SAME,
    ),
    sized(
        case(
            "hunyuan-moe.full",
            &[RMS, N_EXPERTS, N_USED, SHARED, ("expert_feed_forward_length", U(88))],
            "token_embd output_norm output |
        attn_norm attn_qkv+ attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { d_expert: 88, ..SIZES },
    ),
    sized(
        case(
            "bailingmoe.plain",
            &[RMS, N_EXPERTS, N_USED, WIDTH, ("expert_shared_count", U(2))],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        TWO_SHARED,
    ),
    sized(
        case(
            "bailingmoe.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("expert_shared_count", U(2)),
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(1.3)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        TWO_SHARED,
    ),
    sized(
        case(
            "minimax-m2.plain",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                ("expert_feed_forward_length", U(88)),
                ("expert_gating_func", U(2)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm:whole attn_k_norm:whole attn_output ffn_norm
        ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        Sizes { rope_dim: 8, ..SAME },
    ),
    sized(
        case(
            "minimax-m2.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                ("expert_feed_forward_length", U(88)),
                ("expert_gating_func", U(2)),
                ("rope.freq_base", F(5e6)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm:whole attn_k_norm:whole attn_output ffn_norm
        ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        Sizes { rope_dim: 12, n_kv_heads: 4, ..SAME },
    ),
    sized(
        case(
            "dbrx.plain",
            &[LAYER, N_EXPERTS, N_USED, ("attention.clamp_kqv", F(8.0))],
            "token_embd output_norm output |
        attn_norm attn_qkv attn_output attn_output_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps",
        ),
        SAME,
    ),
    sized(
        case(
            "dbrx.full",
            &[
                LAYER,
                N_EXPERTS,
                N_USED,
                ("attention.clamp_kqv", F(1.0)),
                ("rope.freq_base", F(5e5)),
            ],
            "token_embd output_norm output |
        attn_norm attn_qkv attn_output attn_output_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps",
        ),
        SAME,
    ),
];
