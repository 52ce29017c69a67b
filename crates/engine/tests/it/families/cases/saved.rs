//! Cases of what files have that llama.cpp saves from a model in memory, and others rarely.

use super::*;

type Keyed = (&'static str, super::super::build::Key);

const KERNEL: Keyed = ("ssm.conv_kernel", U(4));
const N_EXPERTS: Keyed = ("expert_count", U(8));
const N_USED: Keyed = ("expert_used_count", U(3));
const WIDTH: Keyed = ("expert_feed_forward_length", U(40));
const DELTA: [Keyed; 5] = [
    KERNEL,
    ("ssm.time_step_rank", U(4)),
    ("ssm.group_count", U(2)),
    ("ssm.inner_size", U(160)),
    ("ssm.state_size", U(40)),
];

/// Cases.
pub const CASES: &[Case] = &[
    // Activations are divided by numbers; a norm of keys says nothing without one of queries.
    sized(
        case(
            "mpt.divided",
            &[LAYER, ("attention.max_alibi_bias", F(8.0))],
            "token_embd output_norm |
        attn_norm attn_qkv attn_k_norm:whole+ attn_output ffn_norm ffn_up ffn.act.scales! ffn_down",
        ),
        NO_ROPE,
    ),
    // Queries and their gate have one bias.
    case(
        "qwen35.biased",
        &[
            RMS,
            DELTA[0],
            DELTA[1],
            DELTA[2],
            DELTA[3],
            DELTA[4],
            ("full_attention_interval", U(2)),
            ("rope.dimension_sections", Is(&[3, 3, 2, 0])),
        ],
        "token_embd output_norm |
        attn_norm attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_beta
        ssm_alpha ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q:gated+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output
        post_attention_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "lfm2.biased",
            &[
                RMS,
                ("shortconv.l_cache", U(3)),
                ("attention.head_count_kv", Is(&[0, 2])),
                ("attention.recurrent_layers", Bs(&[true, false])),
                ("leading_dense_block_count", U(2)),
            ],
            "token_embd token_embd_norm |
        attn_norm shortconv.conv shortconv.in_proj shortconv.out_proj ffn_norm ffn_gate ffn_up
        ffn_down |
        attn_norm attn_q+ attn_k+ attn_v+ attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate
        ffn_up ffn_down",
        ),
        SIZES,
    ),
    sized(
        case(
            "minicpm.experts",
            &[RMS, N_EXPERTS, N_USED],
            "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps",
        ),
        Sizes { d_expert: 88, ..SIZES },
    ),
    // Biases that the graph doesn't read, and a dense network beside a router.
    sized(
        case(
            "mimo2.idle",
            &[
                RMS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ("attention.sliding_window", U(9)),
                ("attention.sliding_window_pattern", Bs(&[true, false])),
            ],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate ffn_up ffn_down
        ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        SIZES,
    ),
    case(
        "refact.idle",
        &[RMS],
        "token_embd output_norm rope_freqs |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output+ ffn_norm ffn_gate+ ffn_up+ ffn_down+",
    ),
    case(
        "ernie4_5.idle",
        &[RMS, N_EXPERTS, N_USED, ("rope.dimension_sections", Is(&[3, 3, 2, 0]))],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output+ ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "qwen2vl.exact",
        &[
            ("attention.layer_norm_rms_epsilon", F(0.0)),
            ("rope.dimension_sections", Is(&[3, 3, 2, 0])),
        ],
        "token_embd output_norm |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
];
