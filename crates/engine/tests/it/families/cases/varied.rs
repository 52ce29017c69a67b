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

/// Gemma 3n has an embedding of 256 numbers for each layer. Few layers: the streams let the rounding
/// of the GELU table of llama.cpp grow from layer to layer.
const THIN: Sizes = Sizes {
    d_model: 32,
    n_heads: 2,
    n_kv_heads: 1,
    d_ff: 40,
    vocab_size: 100,
    layer_embedding: 256,
    ..SIZES
};

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
    sized(
        case(
            "gemma4.shared_scales",
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
        per_layer_proj_norm | attn_norm attn_q* attn_k* attn_v* attn_q_norm attn_k_norm
        attn_output* post_attention_norm ffn_norm ffn_gate* ffn_up* ffn_down*
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
            "gemma4.keys_scales",
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
            "token_embd output_norm rope_freqs | attn_norm attn_q* attn_k* attn_q_norm
        attn_k_norm attn_output* post_attention_norm ffn_norm ffn_gate ffn_up ffn_down
        post_ffw_norm",
        ),
        Sizes { n_layers: 4, each: GEMMA4_LAYERS, head_dim: 24, rope_dim: 24, ..SIZES },
    ),
    sized(
        case(
            "gemma3n.plain",
            &[RMS, ("attention.sliding_window", U(9)), ("rope.freq_base", F(1e6))],
            "token_embd output_norm altup_proj altup_unembd_proj per_layer_token_embd
        per_layer_model_proj per_layer_proj_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output post_attention_norm ffn_norm
        ffn_gate ffn_up ffn_down post_ffw_norm inp_gate proj post_norm altup_correct_coef
        altup_correct_scale altup_predict_coef altup_router altup_router_norm laurel_l laurel_r
        laurel_post_norm",
        ),
        Sizes { n_layers: 3, ..THIN },
    ),
    sized(
        case(
            "gemma3n.full",
            &[
                RMS,
                ("attention.sliding_window", U(9)),
                ("attention.sliding_window_pattern", U(4)),
                ("rope.freq_base_swa", F(700.0)),
                ("altup.num_inputs", U(4)),
                ("altup.active_idx", U(0)),
                ("embedding_length_per_layer_input", U(256)),
            ],
            "token_embd output_norm output altup_proj altup_unembd_proj per_layer_token_embd
        per_layer_model_proj per_layer_proj_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output post_attention_norm ffn_norm
        ffn_gate ffn_up ffn_down post_ffw_norm inp_gate proj post_norm altup_correct_coef
        altup_correct_scale altup_predict_coef altup_router altup_router_norm laurel_l laurel_r
        laurel_post_norm",
        ),
        Sizes { n_layers: 2, ..THIN },
    ),
    case(
        "granite_swa.plain",
        &[
            RMS,
            ("logit_scale", F(1.0)),
            ("attention.sliding_window", U(9)),
            ("attention.sliding_window_pattern", Bs(&[true, false])),
        ],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_sinks attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "granite_swa.full",
            &[
                RMS,
                ("logit_scale", F(3.0)),
                ("residual_scale", F(0.22)),
                ("embedding_scale", F(12.0)),
                ("attention.scale", F(0.1)),
                ("attention.sliding_window", U(9)),
                ("attention.sliding_window_pattern", Bs(&[true, false, true])),
                ("attention.rope_pattern", Bs(&[true, false, false])),
            ],
            "token_embd output_norm output rope_freqs |
        attn_norm attn_q+ attn_k+ attn_v+ attn_sinks attn_output+ ffn_norm ffn_gate+ ffn_up+
        ffn_down+",
        ),
        Sizes { n_layers: 3, ..SIZES },
    ),
];
