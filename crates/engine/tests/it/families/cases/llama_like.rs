//! Cases of further families that are much like Llama.

use super::*;

/// Cases of further families that are much like Llama.
pub const CASES: &[Case] = &[
    sized(
        case(
            "xverse.plain",
            &[RMS],
            "token_embd output_norm output | attn_norm attn_q attn_k attn_v attn_output
        ffn_norm ffn_gate ffn_up ffn_down",
        ),
        FULL_HEADS,
    ),
    case(
        "xverse.full",
        &[RMS, ("rope.freq_base", F(500_000.0))],
        "token_embd output_norm output | attn_norm attn_q+ attn_k+ attn_v+ attn_output
        ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "baichuan.plain",
            &[RMS],
            "token_embd output_norm output | attn_norm attn_q attn_k attn_v attn_output
        ffn_norm ffn_gate ffn_up ffn_down",
        ),
        FULL_HEADS,
    ),
    sized(
        case(
            "baichuan.rotated",
            &[RMS],
            "token_embd output_norm output | attn_norm attn_qkv attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 32, ..SMALL },
    ),
    sized(
        case(
            "baichuan.alibi",
            &[RMS],
            "token_embd output_norm output | attn_norm attn_q+ attn_k+ attn_v+ attn_output
        ffn_norm ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 40, ..SMALL },
    ),
    sized(
        case(
            "refact.plain",
            &[RMS],
            "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_kv_heads: 1, ..NO_ROPE },
    ),
    sized(
        case(
            "refact.full",
            &[RMS],
            "token_embd output_norm output | attn_norm attn_qkv+ attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_heads: 6, n_kv_heads: 6, d_model: 96, ..NO_ROPE },
    ),
    sized(
        case(
            "qwen.plain",
            &[RMS],
            "token_embd output_norm output | attn_norm attn_qkv+ attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
        ),
        Sizes { ffn_times: 2, ..FULL_HEADS },
    ),
    sized(
        case(
            "qwen.full",
            &[RMS, ("rope.freq_base", F(1e6)), ("rope.scaling.factor", F(2.0))],
            "token_embd output_norm output | attn_norm attn_qkv+ attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
        ),
        Sizes { ffn_times: 2, ..FULL_HEADS },
    ),
    case(
        "plamo.plain",
        &[RMS],
        "token_embd output_norm output | attn_norm attn_q attn_k attn_v attn_output
        ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "plamo.full",
            &[RMS],
            "token_embd output_norm output | attn_norm attn_qkv+ attn_output ffn_gate
        ffn_up ffn_down",
        ),
        FULL_HEADS,
    ),
    sized(
        case(
            "maincoder.plain",
            &[RMS],
            "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_q_norm
        attn_k_norm attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        WIDE_HEADS,
    ),
    case(
        "maincoder.full",
        &[RMS],
        "token_embd output_norm output | attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm
        attn_k_norm attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "pangu-embedded.plain",
            &[RMS],
            "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_output+ ffn_norm
        ffn_gate ffn_up ffn_down",
        ),
        WIDE_HEADS,
    ),
    case(
        "pangu-embedded.full",
        &[RMS],
        "token_embd output_norm output | attn_norm attn_q+ attn_k+ attn_v+ attn_output+
        ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "chatglm.plain",
            &[RMS],
            "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_output ffn_norm
        ffn_up:fused ffn_down",
        ),
        Sizes { rope_dim: 8, ..SIZES },
    ),
    sized(
        case(
            "chatglm.full",
            &[RMS],
            "token_embd output_norm output | attn_norm attn_qkv+ attn_output ffn_norm
        ffn_up:fused ffn_down",
        ),
        Sizes { rope_dim: 8, n_kv_heads: 1, ..SIZES },
    ),
];
