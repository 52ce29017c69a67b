//! Cases with factors beside matrices, as NVFP4 files have them: of recurrent layers, attention,
//! feed-forward and experts. llama.cpp 0.6.0 doesn't multiply with those of every matrix; a family's
//! row says with which.

use super::*;

type Keyed = (&'static str, super::super::build::Key);

const KERNEL: Keyed = ("ssm.conv_kernel", U(4));
const HEADS: Keyed = ("ssm.time_step_rank", U(4));
const GROUPS: Keyed = ("ssm.group_count", U(2));
const RANK: Keyed = ("ssm.time_step_rank", U(10));
const DELTA_INNER: Keyed = ("ssm.inner_size", U(160));
const DELTA_STATE: Keyed = ("ssm.state_size", U(40));
const INNER: Keyed = ("ssm.inner_size", U(128));
const STATE: Keyed = ("ssm.state_size", U(16));
const SECOND_ATTENDS: Keyed = ("full_attention_interval", U(2));
const SECOND_HAS_KEYS: Keyed = ("attention.head_count_kv", Is(&[0, 2]));
const SECTIONS: Keyed = ("rope.dimension_sections", Is(&[3, 3, 2, 0]));
const EPSILON: Keyed = ("attention.layer_norm_epsilon", F(3e-3));
const FOUR_HEADS: Keyed = ("attention.head_count", U(4));
const N_EXPERTS: Keyed = ("expert_count", U(8));
const N_USED: Keyed = ("expert_used_count", U(3));
const WIDTH: Keyed = ("expert_feed_forward_length", U(40));
const SHARED: Keyed = ("expert_shared_feed_forward_length", U(56));
/// A recurrent layer, one with attention, and one with feed-forward.
const ONE_PART: Sizes = Sizes {
    n_layers: 3,
    rope_dim: 0,
    each: &[
        Each { n_heads: 0, n_kv_heads: 0, head_dim: 16, d_ff: 0 },
        Each { n_heads: 4, n_kv_heads: 2, head_dim: 16, d_ff: 0 },
        Each { n_heads: 0, n_kv_heads: 0, head_dim: 16, d_ff: 88 },
    ],
    ..SIZES
};

/// Such cases.
pub const CASES: &[Case] = &[
    case(
        "qwen35moe.scales",
        &[
            RMS,
            KERNEL,
            HEADS,
            GROUPS,
            DELTA_INNER,
            DELTA_STATE,
            SECOND_ATTENDS,
            SECTIONS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            SHARED,
        ],
        "token_embd output_norm |
        attn_norm attn_qkv:delta* attn_gate:delta* ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_beta*
        ssm_alpha* ssm_norm:delta ssm_out:delta* post_attention_norm ffn_gate_inp ffn_gate_exps*
        ffn_up_exps* ffn_down_exps* ffn_gate_inp_shexp ffn_gate_shexp* ffn_up_shexp*
        ffn_down_shexp* |
        attn_norm attn_q:gated* attn_k* attn_v* attn_q_norm attn_k_norm attn_output*
        post_attention_norm ffn_gate_inp ffn_gate_exps* ffn_up_exps* ffn_down_exps*
        ffn_gate_inp_shexp ffn_gate_shexp* ffn_up_shexp* ffn_down_shexp*",
    ),
    case(
        "qwen4exp.scales",
        &[
            RMS,
            KERNEL,
            HEADS,
            GROUPS,
            DELTA_INNER,
            DELTA_STATE,
            SECOND_ATTENDS,
            SECTIONS,
            ("hyper_connection.count", U(4)),
            ("hyper_connection.low_rank", U(24)),
            ("attention.indexer.head_count", U(2)),
            ("attention.indexer.key_length", U(64)),
            ("attention.indexer.top_k", U(2048)),
            N_EXPERTS,
            N_USED,
            WIDTH,
            SHARED,
        ],
        "token_embd output_hc_norm output_hc_down output_hc_up |
        hc_attn_norm hc_attn_down hc_attn_up hc_attn_inject hc_ffn_norm hc_ffn_down hc_ffn_up
        hc_ffn_inject attn_qkv:delta* attn_gate:delta* ssm_conv1d:delta ssm_dt:delta- ssm_a:delta!
        ssm_beta* ssm_alpha* ssm_norm:delta ssm_out:delta* ffn_gate_inp ffn_gate_exps* ffn_up_exps*
        ffn_down_exps* ffn_gate_inp_shexp ffn_gate_shexp* ffn_up_shexp* ffn_down_shexp* |
        hc_attn_norm hc_attn_down hc_attn_up hc_attn_inject hc_ffn_norm hc_ffn_down hc_ffn_up
        hc_ffn_inject attn_q:gated* attn_k* attn_v* attn_q_norm attn_k_norm attn_output*
        indexer.q_proj indexer.k_proj indexer.q_norm indexer.k_norm ffn_gate_inp ffn_gate_exps*
        ffn_up_exps* ffn_down_exps* ffn_gate_inp_shexp ffn_gate_shexp* ffn_up_shexp*
        ffn_down_shexp*",
    ),
    case(
        "falcon-h1.scales",
        &[RMS, KERNEL, HEADS, GROUPS, INNER, STATE],
        "token_embd output_norm |
        attn_norm attn_q* attn_k* attn_v* attn_output* ssm_in* ssm_conv1d+ ssm_dt- ssm_a! ssm_d!
        ssm_norm ssm_out* ffn_norm! ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "nemotron_h.scales",
            &[EPSILON, KERNEL, HEADS, GROUPS, INNER, STATE, FOUR_HEADS],
            "token_embd output_norm |
            attn_norm:kept ssm_in* ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out* |
            attn_norm attn_q* attn_k* attn_v* attn_output* |
            attn_norm:kept ffn_up* ffn_down*",
        ),
        ONE_PART,
    ),
    sized(
        case(
            "nemotron_h_moe.scales",
            &[
                EPSILON, KERNEL, HEADS, GROUPS, INNER, STATE, FOUR_HEADS, N_EXPERTS, N_USED, WIDTH,
                SHARED,
            ],
            "token_embd output_norm |
            attn_norm:kept ssm_in* ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out* |
            attn_norm attn_q* attn_k* attn_v* attn_output* |
            attn_norm:kept ffn_gate_inp exp_probs_b- ffn_up_exps* ffn_down_exps* ffn_up_shexp*
            ffn_down_shexp*",
        ),
        ONE_PART,
    ),
    case(
        "granitehybrid.scales",
        &[RMS, KERNEL, HEADS, GROUPS, INNER, STATE, SECOND_HAS_KEYS],
        "token_embd output_norm |
        attn_norm ssm_in* ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out* ffn_norm ffn_gate
        ffn_up ffn_down |
        attn_norm attn_q* attn_k* attn_v* attn_output* ffn_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "jamba.scales",
            &[RMS, KERNEL, INNER, STATE, RANK, SECOND_HAS_KEYS],
            "token_embd output_norm |
            attn_norm ssm_in:mamba* ssm_conv1d:mamba+ ssm_x:mamba ssm_dt_norm ssm_b_norm ssm_c_norm
            ssm_dt:mamba+ ssm_a:mamba! ssm_d:mamba! ssm_out* ffn_norm ffn_gate ffn_up ffn_down |
            attn_norm attn_q* attn_k* attn_v* attn_output* ffn_norm ffn_gate ffn_up ffn_down",
        ),
        Sizes { rope_dim: 0, ..SIZES },
    ),
    // The factor of a feed-forward matrix multiplies its bias as well, one of attention doesn't.
    case(
        "llama.scales",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_q* attn_q- attn_k* attn_k- attn_v* attn_v- attn_output* attn_output-
        ffn_norm ffn_gate* ffn_gate- ffn_up* ffn_up- ffn_down* ffn_down-",
    ),
    // Only attention's are read.
    case(
        "qwen2.scales",
        &[RMS],
        "token_embd output_norm |
        attn_norm attn_q* attn_q- attn_k* attn_k- attn_v* attn_v- attn_output* ffn_norm ffn_gate*
        ffn_up* ffn_down*",
    ),
    sized(
        case(
            "afmoe.scales",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("expert_gating_func", U(2)),
                ("expert_shared_count", U(2)),
                ("leading_dense_block_count", U(1)),
                ("attention.sliding_window", U(20)),
            ],
            "token_embd output_norm output |
            attn_norm attn_q* attn_k* attn_v* attn_q_norm attn_k_norm attn_gate* attn_output*
            post_attention_norm ffn_norm ffn_gate* ffn_up* ffn_down* post_ffw_norm |
            attn_norm attn_q* attn_k* attn_v* attn_q_norm attn_k_norm attn_gate* attn_output*
            post_attention_norm ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps* ffn_up_exps*
            ffn_down_exps* ffn_gate_shexp* ffn_up_shexp* ffn_down_shexp* post_ffw_norm",
        ),
        Sizes { d_shared: 80, ..SIZES },
    ),
    // Only those of the output of latent attention are read.
    sized(
        case(
            "kimi-linear.scales",
            &[
                RMS,
                KERNEL,
                ("kda.head_dim", U(16)),
                ("attention.kv_lora_rank", U(32)),
                ("attention.value_length", U(32)),
                ("attention.key_length_mla", U(24)),
                ("attention.value_length_mla", U(12)),
                ("attention.head_count_kv", Is(&[0, 1])),
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("expert_shared_count", U(1)),
                ("expert_gating_func", U(2)),
                ("leading_dense_block_count", U(1)),
            ],
            "token_embd output_norm output |
            attn_norm attn_q:kimi* attn_k:kimi* attn_v:kimi* ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v
            ssm_f_a ssm_f_b ssm_g_a ssm_g_b ssm_beta* ssm_a:kimi! ssm_dt:kimi- ssm_norm:kimi
            attn_output:kimi* ffn_norm ffn_gate* ffn_up* ffn_down* |
            attn_norm attn_q:absorbed* attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b
            attn_output:latent* ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps* ffn_up_exps*
            ffn_down_exps* ffn_gate_shexp* ffn_up_shexp* ffn_down_shexp*",
        ),
        Sizes { n_kv_heads: 1, rope_dim: 8, head_dim: 40, d_shared: 40, ..SIZES },
    ),
];
