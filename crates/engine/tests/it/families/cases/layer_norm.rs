//! Cases of families with LayerNorm.

use super::*;

/// Families with LayerNorm.
pub const CASES: &[Case] = &[
    sized(
        case(
            "phi2.plain",
            &[LAYER],
            "token_embd output_norm+ output+ |
        attn_norm+ attn_q attn_k attn_v attn_output+ ffn_up+ ffn_down+",
        ),
        Sizes { rope_dim: 8, ..SIZES },
    ),
    sized(
        case(
            "phi2.full",
            &[LAYER],
            "token_embd output_norm+ output+ |
        attn_norm+ attn_qkv+ attn_output+ ffn_up+ ffn_down+",
        ),
        Sizes { rope_dim: 8, ..FULL_HEADS },
    ),
    sized(
        case(
            "stablelm.plain",
            &[LAYER, ("use_parallel_residual", B(true))],
            "token_embd output_norm+ output |
        attn_norm+ attn_q attn_k attn_v attn_output ffn_gate ffn_up ffn_down",
        ),
        Sizes { rope_dim: 4, ..SIZES },
    ),
    sized(
        case(
            "stablelm.full",
            &[LAYER, ("use_parallel_residual", B(false))],
            "token_embd output_norm+ output |
        attn_norm+ attn_q+ attn_k+ attn_v+ attn_q_norm:each attn_k_norm:each attn_output ffn_norm+
        ffn_gate ffn_up ffn_down",
        ),
        Sizes { rope_dim: 4, ..SIZES },
    ),
    case(
        "starcoder2.plain",
        &[LAYER],
        "token_embd output_norm+ |
        attn_norm+ attn_q attn_k attn_v attn_output+ ffn_norm+ ffn_up+ ffn_down+",
    ),
    case(
        "starcoder2.full",
        &[LAYER],
        "token_embd output_norm+ output |
        attn_norm+ attn_q+ attn_k+ attn_v+ attn_output+ ffn_norm+ ffn_up+ ffn_down+",
    ),
    sized(
        case(
            "gpt2.plain",
            &[LAYER],
            "token_embd position_embd output_norm+ |
        attn_norm+ attn_qkv+ attn_output+ ffn_norm+ ffn_up+ ffn_down+",
        ),
        NO_ROPE,
    ),
    sized(
        case(
            "gpt2.full",
            &[LAYER],
            "token_embd position_embd output_norm+ output |
        attn_norm+ attn_qkv+ attn_output+ ffn_norm+ ffn_up+ ffn_down+",
        ),
        NO_ROPE,
    ),
    sized(
        case(
            "gptneox.plain",
            &[LAYER, ("use_parallel_residual", B(false))],
            "token_embd output_norm+ output |
        attn_norm+ attn_qkv+ attn_output+ ffn_norm+ ffn_up+ ffn_down+",
        ),
        Sizes { rope_dim: 4, ..FULL_HEADS },
    ),
    sized(
        case(
            "gptneox.full",
            &[LAYER, ("use_parallel_residual", B(true))],
            "token_embd output_norm+ output |
        attn_norm+ attn_qkv+ attn_output+ ffn_norm+ ffn_up+ ffn_down+",
        ),
        Sizes { rope_dim: 4, ..FULL_HEADS },
    ),
    sized(
        case(
            "bloom.plain",
            &[LAYER],
            "token_embd token_embd_norm+ output_norm+ |
        attn_norm+ attn_qkv+ attn_output+ ffn_norm+ ffn_up+ ffn_down+",
        ),
        NO_ROPE,
    ),
    sized(
        case(
            "bloom.full",
            &[LAYER],
            "token_embd token_embd_norm+ output_norm+ output |
        attn_norm+ attn_qkv+ attn_output+ ffn_norm+ ffn_up+ ffn_down+",
        ),
        Sizes { n_heads: 6, n_kv_heads: 6, d_model: 96, ..NO_ROPE },
    ),
    sized(
        case(
            "mpt.plain",
            &[LAYER],
            "token_embd output_norm |
        attn_norm attn_qkv attn_output ffn_norm ffn_up ffn_down",
        ),
        NO_ROPE,
    ),
    sized(
        case(
            "mpt.full",
            &[LAYER, ("attention.max_alibi_bias", F(6.0)), ("attention.clamp_kqv", F(0.8))],
            "token_embd position_embd output_norm+ output |
        attn_norm+ attn_qkv+ attn_output+ ffn_norm+ ffn_up+ ffn_down+",
        ),
        NO_ROPE,
    ),
    sized(
        case(
            "falcon.plain",
            &[LAYER],
            "token_embd output_norm+ |
        attn_norm+ attn_qkv attn_output ffn_up ffn_down",
        ),
        Sizes { n_kv_heads: 1, ..SIZES },
    ),
    case(
        "falcon.full",
        &[LAYER],
        "token_embd output_norm+ output |
        attn_norm+ attn_norm_2+ attn_qkv attn_output ffn_up ffn_down",
    ),
    case(
        "command-r.plain",
        &[LAYER],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "command-r.full",
            &[LAYER, ("logit_scale", F(0.0625))],
            "token_embd output_norm |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm:each attn_k_norm:each attn_output
        ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 64, d_model: 32, n_heads: 2, n_kv_heads: 1, d_ff: 40, ..SIZES },
    ),
    sized(
        case(
            "cohere2.plain",
            &[LAYER, ("logit_scale", F(0.25)), ("attention.sliding_window", U(13))],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 4, ..SIZES },
    ),
    sized(
        case(
            "cohere2.full",
            &[
                LAYER,
                ("logit_scale", F(0.0625)),
                ("attention.sliding_window", U(7)),
                ("attention.sliding_window_pattern", U(2)),
                ("rope.freq_base", F(50_000.0)),
            ],
            "token_embd output_norm |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 5, ..SIZES },
    ),
    sized(
        case(
            "nemotron.plain",
            &[LAYER],
            "token_embd output_norm+ output |
        attn_norm+ attn_q attn_k attn_v attn_output ffn_norm+ ffn_up ffn_down",
        ),
        Sizes { rope_dim: 8, ..SIZES },
    ),
    sized(
        case(
            "nemotron.full",
            &[LAYER],
            "token_embd output_norm+ output |
        attn_norm+ attn_q+ attn_k+ attn_v+ attn_output+ ffn_norm+ ffn_up+ ffn_down+",
        ),
        Sizes { rope_dim: 8, ..SIZES },
    ),
];
