//! Cases of families that read images as well.

use super::*;

/// Cases of families that read images as well.
pub const CASES: &[Case] = &[
    case(
        "qwen2vl.plain",
        &[RMS, ("rope.dimension_sections", Is(&[2, 3, 3, 0]))],
        "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
    ),
    case(
        "qwen2vl.full",
        &[RMS, ("rope.dimension_sections", Is(&[2, 2, 2, 2])), ("rope.freq_base", F(1e6))],
        "token_embd output_norm output | attn_norm attn_q+ attn_k+ attn_v+ attn_output
        ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "paddleocr.plain",
        &[RMS, ("rope.dimension_sections", Is(&[2, 3, 3, 0]))],
        "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
    ),
    case(
        "paddleocr.full",
        &[RMS, ("rope.dimension_sections", Is(&[1, 1, 1, 1]))],
        "token_embd output_norm output | attn_norm attn_q+ attn_k+ attn_v+ attn_output+
        ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "qwen3vl.plain",
        &[RMS, ("rope.dimension_sections", Is(&[4, 2, 2, 0]))],
        "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_q_norm
        attn_k_norm attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "qwen3vl.full",
            &[
                RMS,
                ("rope.dimension_sections", Is(&[2, 2, 2, 2])),
                ("rope.freq_base", F(5e6)),
                ("n_deepstack_layers", U(1)),
            ],
            "token_embd output_norm output | attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm
        attn_k_norm attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        WIDE_HEADS,
    ),
    case(
        "hunyuan_vl.plain",
        &[RMS],
        "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_q_norm
        attn_k_norm attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "hunyuan_vl.full",
        &[RMS, ("rope.dimension_sections", Is(&[2, 2, 2, 2])), ("rope.scaling.alpha", F(50.0))],
        "token_embd output_norm output | attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm
        attn_k_norm attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "cogvlm.plain",
            &[RMS],
            "token_embd output_norm | attn_norm attn_qkv attn_output ffn_norm ffn_gate
        ffn_up ffn_down vis_attn_qkv vis_attn_output vis_gate vis_up vis_down",
        ),
        FULL_HEADS,
    ),
    sized(
        case(
            "cogvlm.full",
            &[RMS],
            "token_embd output_norm output | attn_norm attn_qkv attn_output ffn_norm
        ffn_gate ffn_up ffn_down vis_attn_qkv vis_attn_output vis_gate vis_up vis_down",
        ),
        FULL_HEADS,
    ),
    case(
        "glm4.sections",
        &[RMS, ("rope.dimension_sections", Is(&[2, 3, 3, 0]))],
        "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_output
        post_attention_norm ffn_norm ffn_up:fused ffn_down post_ffw_norm",
    ),
];
