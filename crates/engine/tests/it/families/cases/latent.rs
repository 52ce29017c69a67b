//! Cases of families with latent attention.

use super::*;

const RANKS: (&str, super::super::build::Key) = ("attention.kv_lora_rank", U(32));
const VALUES: (&str, super::super::build::Key) = ("attention.value_length", U(12));
const LATENT: Sizes = Sizes { n_kv_heads: 4, rope_dim: 8, head_dim: 24, ..SIZES };

/// Cases of families with latent attention.
pub const CASES: &[Case] = &[
    sized(
        case(
            "minicpm3.plain",
            &[RMS, RANKS, VALUES, ("attention.q_lora_rank", U(24))],
            "token_embd output_norm |
        attn_norm attn_q_a attn_q_a_norm attn_q_b attn_kv_a_mqa attn_kv_a_norm attn_kv_b
        attn_output:latent ffn_norm ffn_gate ffn_up ffn_down",
        ),
        LATENT,
    ),
    sized(
        case(
            "minicpm3.full",
            &[
                RMS,
                RANKS,
                VALUES,
                ("attention.q_lora_rank", U(24)),
                ("rope.scaling.type", S("longrope")),
                ("rope.scaling.attn_factor", F(1.19)),
                ("rope.scaling.original_context_length", U(256)),
            ],
            "token_embd output_norm output rope_factors_short rope_factors_long |
        attn_norm attn_q_a attn_q_a_norm attn_q_b attn_kv_a_mqa attn_kv_a_norm attn_kv_b
        attn_output:latent ffn_norm ffn_gate ffn_up ffn_down",
        ),
        LATENT,
    ),
    sized(
        case(
            "plm.plain",
            &[RMS, RANKS, VALUES],
            "token_embd output_norm |
        attn_norm attn_q attn_kv_a_mqa attn_kv_a_norm attn_kv_b attn_output:latent ffn_norm ffn_up
        ffn_down",
        ),
        LATENT,
    ),
    sized(
        case(
            "plm.full",
            &[RMS, RANKS, VALUES, ("rope.freq_base", F(1e6))],
            "token_embd output_norm |
        attn_norm attn_q attn_kv_a_mqa attn_kv_a_norm attn_kv_b attn_output:latent ffn_norm ffn_up
        ffn_down",
        ),
        LATENT,
    ),
];
