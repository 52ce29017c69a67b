//! Cases of families whose blocks have further parts.

use super::*;

/// Cases of families whose blocks have further parts.
pub const CASES: &[Case] = &[
    case(
        "bitnet.plain",
        &[RMS],
        "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_sub_norm
        attn_output ffn_norm ffn_gate ffn_up ffn_sub_norm ffn_down",
    ),
    sized(
        case(
            "bitnet.full",
            &[RMS],
            "token_embd output_norm | attn_norm attn_q* attn_k* attn_v* attn_sub_norm
        attn_output* ffn_norm ffn_gate* ffn_up* ffn_sub_norm ffn_down*",
        ),
        FULL_HEADS,
    ),
    case(
        "nanbeige.plain",
        &[RMS],
        "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "nanbeige.full",
            &[RMS, ("num_loops", U(2))],
            "token_embd output_norm output rope_freqs | attn_norm attn_q+ attn_k+ attn_v+
        attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        WIDE_HEADS,
    ),
    case(
        "nanbeige.skip",
        &[RMS, ("num_loops", U(3)), ("skip_loop_final_norm", B(true))],
        "token_embd output_norm output | attn_norm attn_q attn_k attn_v attn_output
        ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "talkie.plain",
        &[RMS, ("logit_scale", F(0.5))],
        "token_embd output | attn_q attn_k attn_v attn_q_norm:scale attn_output
        ffn_gate ffn_up ffn_down layer_output_scale",
    ),
    sized(
        case(
            "talkie.full",
            &[RMS, ("logit_scale", F(2.0)), ("rope.freq_base", F(1e6))],
            "token_embd output | attn_q+ attn_k+ attn_v+ attn_q_norm:scale attn_output
        ffn_gate ffn_up ffn_down layer_output_scale",
        ),
        FULL_HEADS,
    ),
    case(
        "spark2_5.plain",
        &[
            RMS,
            ("attention.sliding_window", U(9)),
            ("attention.sliding_window_pattern", Bs(&[true, false])),
        ],
        "token_embd output_norm | attn_norm attn_q attn_k attn_v attn_gate:head
        attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "spark2_5.full",
            &[
                RMS,
                ("attention.sliding_window", U(9)),
                ("attention.sliding_window_pattern", Bs(&[true, true, false, true])),
                ("rope.freq_base_swa", F(700.0)),
                ("rope.freq_base", F(1e6)),
            ],
            "token_embd output_norm output | attn_norm attn_q+ attn_k+ attn_v+
        attn_gate:head attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 4, ..SIZES },
    ),
    sized(
        case(
            "muse-glimmer.plain",
            &[RMS, ("attention.sliding_window", U(9)), ("logit_scale", F(0.5))],
            "token_embd output_norm output | attn_norm attn_q attn_k attn_v attn_q_norm
        attn_k_norm attn_gate attn_output post_attention_norm ffn_norm ffn_gate ffn_up
        ffn_down post_ffw_norm",
        ),
        Sizes { n_layers: 4, ..SIZES },
    ),
    sized(
        case(
            "muse-glimmer.full",
            &[
                RMS,
                ("attention.sliding_window", U(9)),
                ("logit_scale", F(0.5)),
                ("final_logit_softcapping", F(3.0)),
                ("rope.freq_base_swa", F(700.0)),
                ("attention.sliding_window_pattern", Bs(&[true, false, true])),
            ],
            "token_embd output_norm output | attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm
        attn_k_norm attn_gate attn_output post_attention_norm ffn_norm ffn_gate ffn_up
        ffn_down post_ffw_norm",
        ),
        Sizes { n_layers: 3, ..WIDE_HEADS },
    ),
];
