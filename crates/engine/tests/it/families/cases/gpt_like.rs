//! Cases of further families with LayerNorm.

use super::*;

/// Cases of further families with LayerNorm.
pub const CASES: &[Case] = &[
    sized(
        case(
            "starcoder.plain",
            &[LAYER],
            "token_embd position_embd output_norm+ | attn_norm+ attn_qkv+ attn_output+
        ffn_norm+ ffn_up+ ffn_down+",
        ),
        Sizes { n_kv_heads: 1, ..NO_ROPE },
    ),
    sized(
        case(
            "starcoder.full",
            &[LAYER],
            "token_embd position_embd output_norm+ output | attn_norm+ attn_qkv+
        attn_output+ ffn_norm+ ffn_up+ ffn_down+",
        ),
        NO_ROPE,
    ),
    case(
        "codeshell.plain",
        &[LAYER],
        "token_embd output_norm+ output | attn_norm+ attn_q attn_k attn_v attn_output+
        ffn_norm+ ffn_up+ ffn_down+",
    ),
    case(
        "codeshell.full",
        &[LAYER, ("rope.scaling.factor", F(4.0))],
        "token_embd output_norm+ output | attn_norm+ attn_qkv+ attn_output+ ffn_norm+
        ffn_up+ ffn_down+",
    ),
    case(
        "orion.plain",
        &[LAYER],
        "token_embd output_norm+ output | attn_norm+ attn_q attn_k attn_v attn_output
        ffn_norm+ ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "orion.full",
            &[LAYER],
            "token_embd output_norm+ output | attn_norm+ attn_q+ attn_k+ attn_v+
        attn_output ffn_norm+ ffn_gate ffn_up ffn_down",
        ),
        FULL_HEADS,
    ),
    case(
        "olmo.plain",
        &[LAYER],
        "token_embd | attn_q attn_k attn_v attn_output ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "olmo.full",
            &[LAYER, ("attention.clamp_kqv", F(0.8))],
            "token_embd output | attn_q+ attn_k+ attn_v+ attn_output ffn_gate ffn_up
        ffn_down",
        ),
        FULL_HEADS,
    ),
    sized(
        case(
            "jais.plain",
            &[LAYER],
            "token_embd output_norm+ output | attn_norm+ attn_qkv+ attn_output+ ffn_norm+
        ffn_gate+ ffn_up+ ffn_down+",
        ),
        NO_ROPE,
    ),
    sized(
        case(
            "jais.full",
            &[LAYER, ("attention.max_alibi_bias", F(8.0))],
            "token_embd output_norm+ output | attn_norm+ attn_qkv+ attn_output+ ffn_norm+
        ffn_gate+ ffn_up+ ffn_down+",
        ),
        NO_ROPE,
    ),
    case(
        "jais2.plain",
        &[LAYER],
        "token_embd output_norm+ | attn_norm+ attn_q attn_k attn_v attn_output+
        ffn_norm+ ffn_up+ ffn_down+",
    ),
    sized(
        case(
            "jais2.full",
            &[LAYER],
            "token_embd output_norm+ output | attn_norm+ attn_q+ attn_k+ attn_v+
        attn_output+ ffn_norm+ ffn_up+ ffn_down+",
        ),
        WIDE_HEADS,
    ),
];
