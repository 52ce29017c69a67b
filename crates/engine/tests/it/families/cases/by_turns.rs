//! Cases of families with stacks of layers by turns, networks that experts share, tokens that are
//! never made, latent attention in windows, and several streams.

use super::*;

type Keyed = (&'static str, super::super::build::Key);

const STACKS: [Keyed; 3] =
    [("hrm.layers_per_stack", U(2)), ("hrm.h_cycles", U(2)), ("hrm.l_cycles", U(2))];
/// Twelve runs of four layers.
const TWELVE: Sizes = Sizes { n_layers: 12, ..SIZES };
const N_EXPERTS: Keyed = ("expert_count", U(8));
const N_USED: Keyed = ("expert_used_count", U(3));
const PAIRS: Keyed = ("experts_per_group", U(2));
const PAIR_WIDTH: Keyed = ("expert_chunk_feed_forward_length", U(24));
const PAIR_SCALE: Keyed = ("expert_group_scale", F(0.7));
const WIDTH: Keyed = ("expert_feed_forward_length", U(40));
const ONE_SHARED: Keyed = ("expert_shared_count", U(1));
const SIGMOID: Keyed = ("expert_gating_func", U(2));
const DENSE: Keyed = ("leading_dense_block_count", U(1));
const KV_RANK: Keyed = ("attention.kv_lora_rank", U(32));
const Q_RANK: Keyed = ("attention.q_lora_rank", U(24));
const VALUES: Keyed = ("attention.value_length", U(32));
const MLA_KEYS: Keyed = ("attention.key_length_mla", U(24));
const MLA_VALUES: Keyed = ("attention.value_length_mla", U(12));
const LOCAL: [Keyed; 5] = [
    ("attention.kv_lora_rank_swa", U(40)),
    ("attention.key_length_mla_swa", U(20)),
    ("attention.value_length_mla_swa", U(10)),
    ("attention.key_length_swa", U(48)),
    ("attention.value_length_swa", U(40)),
];
const INDEX: [Keyed; 4] = [
    ("attention.indexer.head_count", U(2)),
    ("attention.indexer.key_length", U(64)),
    ("attention.indexer.top_k", U(2048)),
    ("attention.indexer.types", Bs(&[false, true])),
];
const HYPER: [Keyed; 3] = [
    ("hyper_connection.count", U(4)),
    ("hyper_connection.epsilon", F(1e-6)),
    ("hyper_connection.magnitude", F(2.0)),
];
const LATENT: Sizes = Sizes { n_kv_heads: 1, rope_dim: 8, head_dim: 40, d_shared: 40, ..SIZES };
const IMAGES: Sizes = Sizes { vocab_size: 8250, ..SMALL };

/// Cases of such families.
pub const CASES: &[Case] = &[
    sized(
        case(
            "hrm_text.plain",
            &[RMS, ("hrm.layers_per_stack", U(1)), ("hrm.h_cycles", U(1)), ("hrm.l_cycles", U(1))],
            "token_embd hrm.z_l_init! |
        attn_q attn_k attn_v attn_gate attn_output ffn_gate ffn_up ffn_down",
        ),
        SIZES,
    ),
    sized(
        case(
            "hrm_text.full",
            &[
                RMS,
                STACKS[0],
                STACKS[1],
                STACKS[2],
                ("hrm.prefix_lm", B(false)),
                ("embedding_scale", F(3.0)),
                ("rope.freq_base", F(1e6)),
            ],
            "token_embd hrm.z_l_init! output |
        attn_qkv attn_gate attn_output ffn_gate ffn_up ffn_down |
        attn_qkv attn_gate attn_output ffn_gate ffn_up ffn_down |
        attn_qkv attn_gate attn_output ffn_gate ffn_up ffn_down |
        attn_qkv attn_gate attn_output ffn_gate ffn_up ffn_down |",
        ),
        TWELVE,
    ),
    // Factors of matrices have the number of the run, not that of the layer.
    sized(
        case(
            "hrm_text.scales",
            &[RMS, STACKS[0], STACKS[1], STACKS[2]],
            "token_embd hrm.z_l_init! output |
        attn_q* attn_k* attn_v* attn_gate attn_output* ffn_gate ffn_up ffn_down |
        attn_q* attn_q- attn_k* attn_k- attn_v* attn_v- attn_gate attn_output* ffn_gate ffn_up
        ffn_down |
        attn_q* attn_k* attn_v* attn_gate attn_output* ffn_gate ffn_up ffn_down |
        attn_q* attn_k* attn_v* attn_gate attn_output* ffn_gate ffn_up ffn_down |
        attn_q# attn_k# attn_v# attn_output#",
        ),
        TWELVE,
    ),
    case(
        "k2-horizon.plain",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    // Norms of eight parts of the stream; gates of attention and their factor.
    case(
        "k2-horizon.full",
        &[RMS, ("attention.group_norm_groups", U(8)), ("rope.freq_base", F(1e6))],
        "token_embd output_norm output |
        attn_norm attn_q* attn_k* attn_v* attn_q_norm:whole attn_k_norm:whole attn_gate*
        attn_output* ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "k2-horizon.experts",
            &[
                RMS,
                ("attention.group_norm_groups", U(4)),
                N_EXPERTS,
                N_USED,
                WIDTH,
                DENSE,
                ("expert_shared_count", U(2)),
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.5)),
            ],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm:each attn_k_norm:each attn_gate attn_output
        ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q attn_k attn_v attn_q_norm:each attn_k_norm:each attn_gate attn_output
        ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { d_shared: 80, ..SIZES },
    ),
    // Values of attention that experts make.
    case(
        "k2-horizon.values",
        &[
            RMS,
            ("attention.group_norm_groups", U(8)),
            ("attention.value_expert_count", U(6)),
            ("attention.value_expert_used_count", U(2)),
            N_EXPERTS,
            N_USED,
            WIDTH,
            DENSE,
            ("expert_weights_norm", B(true)),
            ("expert_weights_scale", F(1.5)),
        ],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_gate attn_output ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q attn_k attn_v_gate+ attn_v_exps attn_gate attn_output ffn_norm
        ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps",
    ),
    case(
        "grovemoe.plain",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            ("expert_feed_forward_length", U(40)),
            PAIRS,
            PAIR_WIDTH,
            PAIR_SCALE,
        ],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_chexps ffn_up_chexps ffn_down_chexps",
    ),
    case(
        "grovemoe.full",
        &[
            RMS,
            N_EXPERTS,
            N_USED,
            ("expert_feed_forward_length", U(40)),
            PAIRS,
            PAIR_WIDTH,
            PAIR_SCALE,
            ("rope.freq_base", F(1e6)),
        ],
        "token_embd output_norm output |
        attn_norm attn_qkv attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_chexps ffn_up_chexps ffn_down_chexps",
    ),
    sized(
        case(
            "chameleon.plain",
            &[RMS],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_q_norm:each attn_k_norm:each attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
        ),
        IMAGES,
    ),
    sized(
        case(
            "chameleon.full",
            &[RMS, ("swin_norm", B(false)), ("rope.freq_base", F(1e6))],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm:each+ attn_k_norm:each+ attn_output ffn_norm
        ffn_gate ffn_up ffn_down",
        ),
        IMAGES,
    ),
    sized(
        case(
            "dots3note.plain",
            &[
                RMS,
                KV_RANK,
                Q_RANK,
                VALUES,
                MLA_KEYS,
                MLA_VALUES,
                LOCAL[0],
                LOCAL[1],
                LOCAL[2],
                LOCAL[3],
                LOCAL[4],
                INDEX[0],
                INDEX[1],
                INDEX[2],
                INDEX[3],
                N_EXPERTS,
                N_USED,
                WIDTH,
                ONE_SHARED,
                SIGMOID,
                DENSE,
                ("attention.sliding_window", U(9)),
                ("attention.sliding_window_pattern", Bs(&[true, false])),
                ("rope.freq_base_swa", F(1e4)),
            ],
            "token_embd output_norm |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:local attn_kv_a_mqa:local attn_kv_a_norm:local
        attn_k_norm:rotated attn_k_b:local attn_v_b:local attn_gate:head attn_output:local ffn_norm
        ffn_gate ffn_up ffn_down |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm
        attn_k_norm:rotated attn_k_b attn_v_b attn_gate:head attn_output:latent indexer.k_norm+
        indexer.proj indexer.attn_k indexer.attn_q_b ffn_norm ffn_gate_inp exp_probs_b-
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        LATENT,
    ),
    sized(
        case(
            "dots3note.full",
            &[
                RMS,
                KV_RANK,
                Q_RANK,
                VALUES,
                MLA_KEYS,
                MLA_VALUES,
                LOCAL[0],
                LOCAL[1],
                LOCAL[2],
                LOCAL[3],
                LOCAL[4],
                INDEX[0],
                INDEX[1],
                INDEX[2],
                INDEX[3],
                N_EXPERTS,
                N_USED,
                WIDTH,
                ONE_SHARED,
                SIGMOID,
                DENSE,
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.5)),
                ("attention.sliding_window", U(9)),
                ("attention.sliding_window_pattern", Bs(&[true, false])),
                ("rope.freq_base_swa", F(1e5)),
                ("rope.freq_base", F(1e7)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:local attn_kv_a_mqa:local attn_kv_a_norm:local
        attn_k_norm:rotated attn_k_b:local attn_v_b:local attn_gate:head attn_output:local ffn_norm
        ffn_gate ffn_up ffn_down |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm
        attn_k_norm:rotated attn_k_b attn_v_b attn_gate:head attn_output:latent indexer.k_norm+
        indexer.proj indexer.attn_k indexer.attn_q_b ffn_norm ffn_gate_inp exp_probs_b-
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        LATENT,
    ),
    sized(
        case(
            "hy_v4.plain",
            &[
                RMS, KV_RANK, Q_RANK, VALUES, MLA_KEYS, MLA_VALUES, HYPER[0], HYPER[1], HYPER[2],
                N_EXPERTS, N_USED, WIDTH, ONE_SHARED, SIGMOID, DENSE,
            ],
            "token_embd output_norm output output_hc_fn output_hc_base output_hc_scale |
        attn_norm attn_sinks attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm
        attn_k_b attn_v_b attn_gate:values attn_output:latent hc_attn_fn hc_attn_base hc_attn_scale
        hc_ffn_fn hc_ffn_base hc_ffn_scale ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_sinks attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm
        attn_k_b attn_v_b attn_gate:values attn_output:latent hc_attn_fn hc_attn_base hc_attn_scale
        hc_ffn_fn hc_ffn_base hc_ffn_scale ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        LATENT,
    ),
    sized(
        case(
            "hy_v4.full",
            &[
                RMS,
                KV_RANK,
                Q_RANK,
                VALUES,
                MLA_KEYS,
                MLA_VALUES,
                HYPER[0],
                HYPER[1],
                HYPER[2],
                N_EXPERTS,
                N_USED,
                WIDTH,
                ONE_SHARED,
                SIGMOID,
                DENSE,
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.5)),
                ("swiglu_clamp_exp", F(0.6)),
                ("rope.freq_base", F(1e6)),
            ],
            "token_embd output_norm output output_hc_fn output_hc_base output_hc_scale |
        attn_norm attn_sinks attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm
        attn_k_b attn_v_b attn_gate:values attn_output:latent hc_attn_fn hc_attn_base hc_attn_scale
        hc_ffn_fn hc_ffn_base hc_ffn_scale ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_sinks attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm
        attn_k_b attn_v_b attn_gate:values attn_output:latent hc_attn_fn hc_attn_base hc_attn_scale
        hc_ffn_fn hc_ffn_base hc_ffn_scale ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        LATENT,
    ),
];
