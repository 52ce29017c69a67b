//! Cases of families whose layers differ in size.

use super::*;

const fn each(n_heads: usize, n_kv_heads: usize, head_dim: usize, d_ff: usize) -> Each {
    Each { n_heads, n_kv_heads, head_dim, d_ff }
}

/// Layers with a window have narrower heads.
const GEMMA4_LAYERS: &[Each] =
    &[each(4, 2, 16, 88), each(4, 1, 24, 88), each(4, 2, 16, 96), each(4, 1, 24, 88)];
const SHARED_LAYERS: &[Each] = &[
    each(4, 2, 16, 88),
    each(4, 2, 16, 88),
    each(4, 2, 24, 88),
    each(4, 2, 16, 176),
    each(4, 2, 24, 176),
];

/// Cases of families whose layers differ in size.
pub const CASES: &[Case] = &[
    sized(
        case(
            "deci.plain",
            &[RMS],
            "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
        ),
        WIDE_HEADS,
    ),
    sized(
        case(
            "deci.full",
            &[RMS],
            "token_embd output_norm output rope_freqs | attn_norm attn_q+ attn_k+ attn_v+
        attn_output+ ffn_norm ffn_gate+ ffn_up+ ffn_down+",
        ),
        Sizes {
            n_layers: 3,
            each: &[each(4, 2, 16, 88), each(4, 1, 16, 40), each(4, 4, 16, 120)],
            ..SIZES
        },
    ),
    sized(
        case(
            "deci.parts",
            &[RMS],
            "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
        ),
        Sizes {
            n_layers: 5,
            each: &[
                each(4, 2, 16, 88),
                each(0, 0, 16, 40),
                each(4, 0, 16, 88),
                each(0, 0, 16, 0),
                each(4, 1, 16, 88),
            ],
            ..SIZES
        },
    ),
    sized(
        case(
            "openelm.plain",
            &[RMS],
            "token_embd output_norm | attn_norm attn_qkv attn_q_norm attn_k_norm
        attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        WIDE_HEADS,
    ),
    sized(
        case(
            "openelm.full",
            &[RMS],
            "token_embd output_norm | attn_norm attn_qkv attn_q_norm attn_k_norm
        attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        Sizes {
            n_layers: 3,
            each: &[each(3, 1, 16, 40), each(4, 2, 16, 88), each(6, 3, 16, 120)],
            ..SIZES
        },
    ),
    case(
        "plamo3.plain",
        &[RMS],
        "token_embd output_norm | attn_norm attn_qkv attn_q_norm attn_k_norm
        attn_output post_attention_norm! ffn_norm ffn_up:fused ffn_down post_ffw_norm!",
    ),
    sized(
        case(
            "plamo3.full",
            &[
                RMS,
                ("attention.sliding_window", U(9)),
                ("attention.sliding_window_pattern", U(3)),
                ("rope.freq_base", F(1e6)),
                ("rope.freq_base_swa", F(700.0)),
            ],
            "token_embd output_norm output | attn_norm attn_qkv attn_q_norm attn_k_norm
        attn_output post_attention_norm! ffn_norm ffn_up:fused ffn_down post_ffw_norm!",
        ),
        Sizes { n_layers: 4, ..WIDE_HEADS },
    ),
    case(
        "gemma4.plain",
        &[
            RMS,
            ("attention.sliding_window", U(9)),
            ("attention.sliding_window_pattern", Bs(&[true, false])),
            ("embedding_length_per_layer_input", U(0)),
            ("attention.key_length_swa", U(16)),
            ("attention.value_length_swa", U(16)),
            ("rope.freq_base", F(1e6)),
        ],
        "token_embd output_norm rope_freqs | attn_norm attn_q attn_k attn_v attn_q_norm
        attn_k_norm attn_output post_attention_norm ffn_norm ffn_gate ffn_up ffn_down
        post_ffw_norm",
    ),
    sized(
        case(
            "gemma4.full",
            &[
                RMS,
                ("attention.sliding_window", U(9)),
                ("attention.sliding_window_pattern", Bs(&[true, false, true, false])),
                ("embedding_length_per_layer_input", U(16)),
                ("attention.key_length_swa", U(16)),
                ("attention.value_length_swa", U(16)),
                ("rope.dimension_count_swa", U(16)),
                ("rope.freq_base", F(1e6)),
                ("final_logit_softcapping", F(5.0)),
            ],
            "token_embd output_norm output rope_freqs per_layer_token_embd
        per_layer_model_proj per_layer_proj_norm | attn_norm attn_q attn_k attn_v
        attn_q_norm attn_k_norm attn_output post_attention_norm ffn_norm ffn_gate
        ffn_up ffn_down post_ffw_norm layer_output_scale inp_gate proj post_norm",
        ),
        Sizes {
            n_layers: 4,
            each: GEMMA4_LAYERS,
            head_dim: 24,
            rope_dim: 24,
            layer_embedding: 16,
            ..SIZES
        },
    ),
    sized(
        case(
            "gemma4.shared",
            &[
                RMS,
                ("attention.sliding_window", U(9)),
                ("attention.sliding_window_pattern", Bs(&[true, true, false, true, false])),
                ("embedding_length_per_layer_input", U(16)),
                ("attention.key_length_swa", U(16)),
                ("attention.value_length_swa", U(16)),
                ("rope.dimension_count_swa", U(16)),
                ("rope.freq_base", F(1e6)),
                ("attention.shared_kv_layers", U(2)),
            ],
            "token_embd output_norm rope_freqs per_layer_token_embd per_layer_model_proj
        per_layer_proj_norm | attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm
        attn_output post_attention_norm ffn_norm ffn_gate ffn_up ffn_down
        post_ffw_norm layer_output_scale inp_gate proj post_norm",
        ),
        Sizes {
            n_layers: 5,
            each: SHARED_LAYERS,
            head_dim: 24,
            rope_dim: 24,
            layer_embedding: 16,
            ..SIZES
        },
    ),
    sized(
        case(
            "gemma4.keys",
            &[
                RMS,
                ("attention.sliding_window", U(9)),
                ("attention.sliding_window_pattern", Bs(&[true, false, true, false])),
                ("embedding_length_per_layer_input", U(0)),
                ("attention.key_length_swa", U(16)),
                ("attention.value_length_swa", U(16)),
                ("rope.dimension_count_swa", U(16)),
                ("rope.freq_base", F(1e6)),
            ],
            "token_embd output_norm rope_freqs | attn_norm attn_q attn_k attn_q_norm
        attn_k_norm attn_output post_attention_norm ffn_norm ffn_gate ffn_up ffn_down
        post_ffw_norm",
        ),
        Sizes { n_layers: 4, each: GEMMA4_LAYERS, head_dim: 24, rope_dim: 24, ..SIZES },
    ),
];
