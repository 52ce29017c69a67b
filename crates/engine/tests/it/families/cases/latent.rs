//! Cases of families with latent attention.

use super::*;

const RANKS: (&str, super::super::build::Key) = ("attention.kv_lora_rank", U(32));
const VALUES: (&str, super::super::build::Key) = ("attention.value_length", U(12));
const N_EXPERTS: (&str, super::super::build::Key) = ("expert_count", U(8));
const N_USED: (&str, super::super::build::Key) = ("expert_used_count", U(3));
const WIDTH: (&str, super::super::build::Key) = ("expert_feed_forward_length", U(40));
const Q_RANK: (&str, super::super::build::Key) = ("attention.q_lora_rank", U(24));
/// The shared expert is two of the others.
const TWO_SHARED: (&str, super::super::build::Key) = ("expert_shared_count", U(2));
/// Widths of files whose heads have matrices of their own.
const CACHED_VALUES: (&str, super::super::build::Key) = ("attention.value_length", U(32));
const KEY: (&str, super::super::build::Key) = ("attention.key_length_mla", U(24));
const VALUE: (&str, super::super::build::Key) = ("attention.value_length_mla", U(12));
const INDEX_HEADS: (&str, super::super::build::Key) = ("attention.indexer.head_count", U(2));
const INDEX_WIDTH: (&str, super::super::build::Key) = ("attention.indexer.key_length", U(64));
const SELECTED: (&str, super::super::build::Key) = ("attention.indexer.top_k", U(2048));
const ABSORBED: Sizes = Sizes { n_kv_heads: 1, head_dim: 40, ..WITH_EXPERTS };
const WITH_EXPERTS: Sizes = Sizes { d_shared: 80, ..LATENT };
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
    sized(
        case(
            "deepseek2.plain",
            &[RMS, RANKS, VALUES, Q_RANK, N_EXPERTS, N_USED, WIDTH, TWO_SHARED],
            "token_embd output_norm |
        attn_norm attn_q_a attn_q_a_norm attn_q_b attn_kv_a_mqa attn_kv_a_norm attn_kv_b
        attn_output:latent ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps
        ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        WITH_EXPERTS,
    ),
    // As files of DeepSeek V3 and GLM 4.7 Flash are.
    sized(
        case(
            "deepseek2.full",
            &[
                RMS,
                RANKS,
                CACHED_VALUES,
                KEY,
                VALUE,
                Q_RANK,
                N_EXPERTS,
                N_USED,
                WIDTH,
                TWO_SHARED,
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.5)),
                ("expert_gating_func", U(2)),
                ("expert_group_count", U(4)),
                ("expert_group_used_count", U(2)),
                ("leading_dense_block_count", U(1)),
                ("block_count", U(3)),
                ("nextn_predict_layers", U(1)),
                ("rope.scaling.type", S("yarn")),
                ("rope.scaling.factor", F(40.0)),
                ("rope.scaling.original_context_length", U(24)),
                ("rope.scaling.yarn_log_multiplier", F(0.1)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp nextn.eh_proj nextn.enorm
        nextn.hnorm nextn.shared_head_norm",
        ),
        Sizes { n_layers: 3, ..ABSORBED },
    ),
    // Models of 27 layers make queries of the stream itself, as DeepSeek V2 Lite does.
    sized(
        case(
            "deepseek2.lite",
            &[
                RMS,
                RANKS,
                CACHED_VALUES,
                KEY,
                VALUE,
                ("expert_count", U(4)),
                ("expert_used_count", U(2)),
                WIDTH,
                TWO_SHARED,
                ("leading_dense_block_count", U(1)),
                ("rope.scaling.type", S("yarn")),
                ("rope.scaling.factor", F(40.0)),
                ("rope.scaling.original_context_length", U(24)),
                ("rope.scaling.yarn_log_multiplier", F(0.0707)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b
        attn_output:latent ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b
        attn_output:latent ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps
        ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_layers: 27, d_model: 32, n_experts: 4, ..ABSORBED },
    ),
    // As files of Mistral Large 3 are, with both halves of experts in one tensor.
    sized(
        case(
            "deepseek2.temperature",
            &[
                RMS,
                RANKS,
                VALUES,
                Q_RANK,
                N_EXPERTS,
                N_USED,
                WIDTH,
                TWO_SHARED,
                ("attention.temperature_scale", F(0.1)),
                ("attention.temperature_length", U(20)),
                ("rope.scaling.type", S("yarn")),
                ("rope.scaling.factor", F(16.0)),
                ("rope.scaling.original_context_length", U(24)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q_a attn_q_a_norm attn_q_b attn_kv_a_mqa attn_kv_a_norm attn_kv_b
        attn_output:latent ffn_norm ffn_gate_inp ffn_gate_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp",
        ),
        WITH_EXPERTS,
    ),
    // Scaled without YaRN.
    sized(
        case(
            "deepseek2.linear",
            &[
                RMS,
                RANKS,
                VALUES,
                Q_RANK,
                N_EXPERTS,
                N_USED,
                WIDTH,
                TWO_SHARED,
                ("rope.scaling.type", S("linear")),
                ("rope.scaling.factor", F(4.0)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q_a attn_q_a_norm attn_q_b attn_kv_a_mqa attn_kv_a_norm attn_kv_b
        attn_output:latent ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps
        ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        WITH_EXPERTS,
    ),
    sized(
        case(
            "mistral4.plain",
            &[RMS, RANKS, CACHED_VALUES, KEY, VALUE, Q_RANK, N_EXPERTS, N_USED, WIDTH, TWO_SHARED],
            "token_embd output_norm |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps
        ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        ABSORBED,
    ),
    sized(
        case(
            "mistral4.full",
            &[
                RMS,
                RANKS,
                CACHED_VALUES,
                KEY,
                VALUE,
                Q_RANK,
                N_EXPERTS,
                N_USED,
                WIDTH,
                TWO_SHARED,
                ("leading_dense_block_count", U(1)),
                ("expert_weights_norm", B(true)),
                ("attention.temperature_scale", F(0.1)),
                ("attention.temperature_length", U(20)),
                ("rope.scaling.type", S("yarn")),
                ("rope.scaling.factor", F(16.0)),
                ("rope.scaling.original_context_length", U(24)),
                ("rope.scaling.yarn_log_multiplier", F(0.05)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        ABSORBED,
    ),
    sized(
        case(
            "deepseek2-ocr.plain",
            &[RMS, N_EXPERTS, N_USED, WIDTH, TWO_SHARED],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_kv_heads: 4, d_shared: 80, ..SIZES },
    ),
    sized(
        case(
            "deepseek2-ocr.full",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                TWO_SHARED,
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(1.5)),
                ("expert_gating_func", U(2)),
                ("leading_dense_block_count", U(1)),
                ("rope.freq_base", F(10000.0)),
            ],
            "token_embd output_norm output |
        attn_norm attn_qkv+ attn_output ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_qkv+ attn_output ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_kv_heads: 4, d_shared: 80, ..SIZES },
    ),
    // llama.cpp ends its process on files of fewer layers, all of which rotate.
    sized(
        case(
            "llama4.plain",
            &[RMS, N_EXPERTS, N_USED, WIDTH, ("interleave_moe_layer_step", U(1))],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_layers: 4, d_shared: 40, ..SIZES },
    ),
    // The fourth layer doesn't rotate.
    sized(
        case(
            "llama4.full",
            &[
                RMS,
                N_EXPERTS,
                ("expert_used_count", U(1)),
                WIDTH,
                ("interleave_moe_layer_step", U(2)),
                ("rope.freq_base", F(5e5)),
            ],
            "token_embd output_norm output rope_freqs |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_qkv attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 5, d_shared: 40, ..SIZES },
    ),
    sized(
        case(
            "deepseek32.plain",
            &[
                RMS,
                RANKS,
                CACHED_VALUES,
                KEY,
                VALUE,
                Q_RANK,
                N_EXPERTS,
                N_USED,
                WIDTH,
                TWO_SHARED,
                INDEX_HEADS,
                INDEX_WIDTH,
                SELECTED,
                ("expert_gating_func", U(2)),
            ],
            "token_embd output_norm |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent indexer.k_norm+ indexer.proj indexer.attn_k indexer.attn_q_b
        ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp
        ffn_down_shexp",
        ),
        ABSORBED,
    ),
    sized(
        case(
            "deepseek32.full",
            &[
                RMS,
                RANKS,
                CACHED_VALUES,
                KEY,
                VALUE,
                Q_RANK,
                N_EXPERTS,
                N_USED,
                WIDTH,
                TWO_SHARED,
                INDEX_HEADS,
                INDEX_WIDTH,
                SELECTED,
                ("expert_gating_func", U(2)),
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.5)),
                ("leading_dense_block_count", U(1)),
                ("rope.scaling.yarn_log_multiplier", F(0.1)),
                ("rope.scaling.type", S("yarn")),
                ("rope.scaling.factor", F(40.0)),
                ("rope.scaling.original_context_length", U(24)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent indexer.k_norm+ indexer.proj indexer.attn_k indexer.attn_q_b
        ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent indexer.k_norm+ indexer.proj indexer.attn_k indexer.attn_q_b
        ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp",
        ),
        ABSORBED,
    ),
    sized(
        case(
            "glm-dsa.plain",
            &[
                RMS,
                RANKS,
                CACHED_VALUES,
                KEY,
                VALUE,
                Q_RANK,
                N_EXPERTS,
                N_USED,
                WIDTH,
                TWO_SHARED,
                INDEX_HEADS,
                INDEX_WIDTH,
                SELECTED,
            ],
            "token_embd output_norm |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent indexer.k_norm+ indexer.proj indexer.attn_k indexer.attn_q_b
        ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp
        ffn_down_shexp",
        ),
        ABSORBED,
    ),
    sized(
        case(
            "glm-dsa.full",
            &[
                RMS,
                RANKS,
                CACHED_VALUES,
                KEY,
                VALUE,
                Q_RANK,
                N_EXPERTS,
                N_USED,
                WIDTH,
                TWO_SHARED,
                INDEX_HEADS,
                INDEX_WIDTH,
                SELECTED,
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.5)),
                ("leading_dense_block_count", U(1)),
                ("rope.freq_base", F(1e6)),
                ("rope.scaling.type", S("yarn")),
                ("rope.scaling.factor", F(40.0)),
                ("rope.scaling.original_context_length", U(24)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent indexer.k_norm+ indexer.proj indexer.attn_k indexer.attn_q_b
        ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_output:latent indexer.k_norm+ indexer.proj indexer.attn_k indexer.attn_q_b
        ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp",
        ),
        ABSORBED,
    ),
];
