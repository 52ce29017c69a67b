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
    // Token 213 comes before 207, so the mean of adapters is 1, then 1.5.
    case(
        "graniteswitch.plain",
        &[
            RMS,
            ("logit_scale", F(2.0)),
            ("adapters.count", U(2)),
            ("adapters.lora_rank", U(8)),
            ("adapters.token_ids_activate", Is(&[213, 207])),
            ("adapters.token_ids_substitute", Is(&[5, 213])),
        ],
        SWITCHED,
    ),
    // Tokens that switch nothing on count, too.
    sized(
        case(
            "graniteswitch.full",
            &[
                RMS,
                ("logit_scale", F(2.0)),
                ("embedding_scale", F(3.0)),
                ("residual_scale", F(0.6)),
                ("attention.scale", F(0.3)),
                ("rope.freq_base", F(1e6)),
                ("rope.scaling.finetuned", B(true)),
                ("adapters.count", U(2)),
                ("adapters.lora_rank", U(8)),
                ("adapters.router_gain", F(1.0)),
                ("adapters.token_ids_activate", Is(&[64, 233])),
                ("adapters.token_ids_substitute", Is(&[1, 2])),
            ],
            SWITCHED_OUTPUT,
        ),
        Sizes { n_layers: 3, ..WIDE_HEADS },
    ),
];

const SWITCHED: &str = "token_embd output_norm | attn_norm attn_qkv attn_output attn_q.lora_a!
        attn_q.lora_b! attn_k.lora_a! attn_k.lora_b! attn_v.lora_a! attn_v.lora_b!
        attn_output.lora_a! attn_output.lora_b! ffn_norm ffn_gate ffn_up ffn_down ffn_gate.lora_a!
        ffn_gate.lora_b! ffn_up.lora_a! ffn_up.lora_b! ffn_down.lora_a! ffn_down.lora_b!";
const SWITCHED_OUTPUT: &str = "token_embd output_norm output | attn_norm attn_qkv attn_output
        attn_q.lora_a! attn_q.lora_b! attn_k.lora_a! attn_k.lora_b! attn_v.lora_a! attn_v.lora_b!
        attn_output.lora_a! attn_output.lora_b! ffn_norm ffn_gate ffn_up ffn_down ffn_gate.lora_a!
        ffn_gate.lora_b! ffn_up.lora_a! ffn_up.lora_b! ffn_down.lora_a! ffn_down.lora_b!";
