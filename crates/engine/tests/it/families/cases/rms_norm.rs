//! Cases of families with RMS norm.

use super::*;

/// Families with RMS norm.
pub const CASES: &[Case] = &[
    case(
        "llama.plain",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "llama.full",
        &[RMS, ("rope.freq_base", F(500_000.0))],
        "token_embd output_norm output rope_freqs |
        attn_norm attn_qkv+ attn_output+ ffn_norm ffn_gate+ ffn_up+ ffn_down+",
    ),
    case(
        "llama.linear",
        &[RMS, ("rope.scaling.type", S("linear")), ("rope.scaling.factor", F(4.0))],
        "token_embd output_norm |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "llama.longrope",
        &[
            RMS,
            ("rope.scaling.type", S("longrope")),
            ("rope.scaling.attn_factor", F(1.19)),
            ("rope.scaling.original_context_length", U(256)),
        ],
        "token_embd output_norm output rope_factors_short rope_factors_long |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "llama.scaled",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_qkv* attn_output* ffn_norm ffn_gate* ffn_up* ffn_down*",
    ),
    case(
        "mistral3.plain",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "mistral3.full",
        &[
            RMS,
            ("rope.freq_base", F(1e6)),
            ("attention.temperature_scale", F(0.1)),
            ("rope.scaling.type", S("yarn")),
            ("rope.scaling.factor", F(16.0)),
            ("rope.scaling.original_context_length", U(16)),
            ("rope.scaling.yarn_beta_fast", F(2.0)),
            ("rope.scaling.yarn_beta_slow", F(0.5)),
            ("rope.scaling.yarn_log_multiplier", F(0.7)),
        ],
        "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output+ ffn_norm ffn_gate+ ffn_up+ ffn_down+",
    ),
    case(
        "qwen2.plain",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "qwen2.full",
        &[RMS, ("rope.freq_base", F(1e6))],
        "token_embd output_norm output+ |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "qwen2.yarn",
        &[
            RMS,
            ("rope.freq_base", F(1e6)),
            ("rope.scaling.type", S("yarn")),
            ("rope.scaling.factor", F(4.0)),
            ("rope.scaling.original_context_length", U(1024)),
        ],
        "token_embd output_norm output |
        attn_norm attn_qkv+ attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "qwen3.plain",
            &[RMS],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate
        ffn_up ffn_down",
        ),
        WIDE_HEADS,
    ),
    case(
        "qwen3.full",
        &[RMS, ("rope.freq_base", F(1e6))],
        "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate
        ffn_up ffn_down",
    ),
    case(
        "phi3.plain",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_up:fused ffn_down",
    ),
    sized(
        case(
            "phi3.full",
            &[
                RMS,
                ("rope.scaling.attn_factor", F(1.19)),
                ("rope.scaling.original_context_length", U(256)),
            ],
            "token_embd output_norm output rope_factors_short rope_factors_long |
        attn_norm attn_qkv+ attn_output ffn_norm ffn_up:fused ffn_down",
        ),
        Sizes { rope_dim: 12, ..SIZES },
    ),
    sized(
        case(
            "gemma.plain",
            &[RMS],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_kv_heads: 1, ..WIDE_HEADS },
    ),
    case(
        "gemma.full",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_qkv+ attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "gemma2.plain",
            &[RMS],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output post_attention_norm ffn_norm ffn_gate ffn_up
        ffn_down post_ffw_norm",
        ),
        WIDE_HEADS,
    ),
    sized(
        case(
            "gemma2.full",
            &[
                RMS,
                ("attention.sliding_window", U(11)),
                ("attn_logit_softcapping", F(2.5)),
                ("final_logit_softcapping", F(4.0)),
                ("attention.sliding_window_pattern", U(3)),
                ("rope.freq_base_swa", F(700.0)),
            ],
            "token_embd output_norm |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output post_attention_norm ffn_norm ffn_gate ffn_up
        ffn_down post_ffw_norm",
        ),
        Sizes { n_layers: 4, ..SIZES },
    ),
    sized(
        case(
            "gemma3.plain",
            &[RMS, ("rope.freq_base", F(1e6))],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output post_attention_norm
        ffn_norm ffn_gate ffn_up ffn_down post_ffw_norm",
        ),
        WIDE_HEADS,
    ),
    sized(
        case(
            "gemma3.full",
            &[
                RMS,
                ("rope.freq_base", F(1e6)),
                ("attention.sliding_window", U(9)),
                ("final_logit_softcapping", F(5.0)),
                ("rope.scaling.type", S("linear")),
                ("rope.scaling.factor", F(8.0)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output post_attention_norm
        ffn_norm ffn_gate ffn_up ffn_down post_ffw_norm",
        ),
        Sizes { n_layers: 7, ..SIZES },
    ),
    case(
        "granite.plain",
        &[RMS, ("logit_scale", F(1.0))],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "granite.full",
        &[
            RMS,
            ("logit_scale", F(3.0)),
            ("residual_scale", F(0.22)),
            ("embedding_scale", F(12.0)),
            ("attention.scale", F(0.1)),
        ],
        "token_embd output_norm output rope_freqs |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output+ ffn_norm ffn_gate+ ffn_up+ ffn_down+",
    ),
    case(
        "granite.unrotated",
        &[RMS, ("logit_scale", F(8.0)), ("rope.scaling.finetuned", B(false))],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "minicpm.plain",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "minicpm.full",
        &[RMS, ("logit_scale", F(2.0)), ("residual_scale", F(0.5)), ("embedding_scale", F(6.0))],
        "token_embd output_norm output rope_freqs |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output+ ffn_norm ffn_gate+ ffn_up+ ffn_down+",
    ),
    case(
        "olmo2.plain",
        &[RMS],
        "token_embd output_norm output |
        attn_q attn_k attn_v attn_q_norm:whole attn_k_norm:whole attn_output post_attention_norm
        ffn_gate ffn_up ffn_down post_ffw_norm",
    ),
    sized(
        case(
            "olmo2.full",
            &[
                RMS,
                ("attention.sliding_window", U(10)),
                ("rope.freq_base", F(500_000.0)),
                ("rope.scaling.type", S("yarn")),
                ("rope.scaling.factor", F(8.0)),
                ("rope.scaling.original_context_length", U(64)),
                ("rope.scaling.attn_factor", F(1.2)),
            ],
            "token_embd output_norm output |
        attn_q+ attn_k+ attn_v+ attn_q_norm:whole attn_k_norm:whole attn_output
        post_attention_norm ffn_gate ffn_up ffn_down post_ffw_norm",
        ),
        Sizes { n_layers: 5, ..SIZES },
    ),
    case(
        "exaone4.plain",
        &[RMS],
        "token_embd output_norm |
        attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output post_attention_norm
        ffn_gate ffn_up ffn_down post_ffw_norm",
    ),
    sized(
        case(
            "exaone4.full",
            &[RMS, ("attention.sliding_window", U(12))],
            "token_embd output_norm output rope_freqs |
        attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output post_attention_norm
        ffn_gate ffn_up ffn_down post_ffw_norm",
        ),
        Sizes { n_layers: 64, d_model: 32, n_heads: 2, n_kv_heads: 1, d_ff: 40, ..SIZES },
    ),
    sized(
        case(
            "smollm3.plain",
            &[RMS],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 5, ..SIZES },
    ),
    sized(
        case(
            "smollm3.full",
            &[RMS, ("rope.freq_base", F(5e6))],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 8, ..SIZES },
    ),
    sized(
        case(
            "glm4.plain",
            &[RMS],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output post_attention_norm ffn_norm ffn_up:fused
        ffn_down post_ffw_norm",
        ),
        Sizes { rope_dim: 8, ..SIZES },
    ),
    sized(
        case(
            "glm4.full",
            &[RMS],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output post_attention_norm ffn_norm ffn_up:fused
        ffn_down post_ffw_norm",
        ),
        Sizes { rope_dim: 12, ..WIDE_HEADS },
    ),
    case(
        "exaone.plain",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "exaone.full",
        &[RMS],
        "token_embd output_norm output rope_freqs |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "internlm2.plain",
        &[RMS],
        "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "internlm2.full",
        &[RMS, ("rope.freq_base", F(1e6))],
        "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "arcee.plain",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_up ffn_down",
    ),
    case(
        "arcee.full",
        &[
            RMS,
            ("rope.scaling.type", S("yarn")),
            ("rope.scaling.factor", F(20.0)),
            ("rope.scaling.original_context_length", U(32)),
        ],
        "token_embd output_norm output rope_freqs |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_up ffn_down",
    ),
    sized(
        case(
            "seed_oss.plain",
            &[RMS],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output post_attention_norm ffn_gate ffn_up ffn_down",
        ),
        WIDE_HEADS,
    ),
    case(
        "seed_oss.full",
        &[RMS],
        "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output post_attention_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "ernie4_5.plain",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "ernie4_5.full",
            &[RMS, ("rope.freq_base", F(500_000.0))],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        WIDE_HEADS,
    ),
    case(
        "hunyuan-dense.plain",
        &[RMS, ("expert_count", U(1))],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate
        ffn_up ffn_down",
    ),
    case(
        "hunyuan-dense.full",
        &[RMS, ("rope.scaling.alpha", F(50.0))],
        "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate
        ffn_up ffn_down",
    ),
    case(
        "apertus.plain",
        &[
            RMS,
            ("=xielu.alpha_p", F(0.7)),
            ("=xielu.alpha_n", F(0.4)),
            ("=xielu.beta", F(0.5)),
            ("=xielu.eps", F(-1e-6)),
        ],
        "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_up
        ffn_down",
    ),
    case(
        "apertus.full",
        &[
            RMS,
            ("=xielu.alpha_p", Fs(&[0.7, 1.1])),
            ("=xielu.alpha_n", Fs(&[0.4, -0.3])),
            ("=xielu.beta", Fs(&[0.5, 0.6])),
            ("=xielu.eps", Fs(&[-1e-6, -1e-6])),
        ],
        "token_embd output_norm output rope_freqs |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output+ ffn_norm ffn_up
        ffn_down",
    ),
];
