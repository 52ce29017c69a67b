//! Cases of families with recurrent layers.

use super::*;

type Keyed = (&'static str, super::super::build::Key);

const TAPS: Keyed = ("shortconv.l_cache", U(3));
const KERNEL: Keyed = ("ssm.conv_kernel", U(4));
const HEADS: Keyed = ("ssm.time_step_rank", U(4));
const GROUPS: Keyed = ("ssm.group_count", U(2));
const DELTA_INNER: Keyed = ("ssm.inner_size", U(160));
const DELTA_STATE: Keyed = ("ssm.state_size", U(40));
const MAMBA_INNER: Keyed = ("ssm.inner_size", U(128));
const MAMBA_STATE: Keyed = ("ssm.state_size", U(16));
const SECOND_ATTENDS: Keyed = ("full_attention_interval", U(2));
const SECTIONS: Keyed = ("rope.dimension_sections", Is(&[3, 3, 2, 0]));
const N_EXPERTS: Keyed = ("expert_count", U(8));
const N_USED: Keyed = ("expert_used_count", U(3));
const WIDTH: Keyed = ("expert_feed_forward_length", U(40));
const SHARED: Keyed = ("expert_shared_feed_forward_length", U(56));
const SIGMOID: Keyed = ("expert_gating_func", U(2));

const EPSILON: Keyed = ("attention.layer_norm_epsilon", F(3e-3));
const FOUR_HEADS: Keyed = ("attention.head_count", U(4));
/// Layers that have a recurrent part alone.
const NO_OTHERS: Sizes = Sizes { n_heads: 0, n_kv_heads: 0, d_ff: 0, rope_dim: 0, ..SIZES };
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

/// Cases of families with recurrent layers.
pub const CASES: &[Case] = &[
    case(
        "lfm2.plain",
        &[RMS, TAPS, ("attention.head_count_kv", Is(&[0, 2]))],
        "token_embd token_embd_norm |
        attn_norm shortconv.conv shortconv.in_proj shortconv.out_proj ffn_norm ffn_gate ffn_up
        ffn_down |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate ffn_up
        ffn_down",
    ),
    sized(
        case(
            "lfm2.full",
            &[
                RMS,
                TAPS,
                ("attention.head_count_kv", Is(&[0, 2, 0])),
                ("attention.sliding_window", U(9)),
                ("rope.freq_base", F(1e6)),
            ],
            "token_embd token_embd_norm output |
        attn_norm shortconv.conv shortconv.in_proj shortconv.out_proj ffn_norm ffn_gate ffn_up
        ffn_down |
        attn_norm attn_qkv attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm shortconv.conv shortconv.in_proj shortconv.out_proj ffn_norm ffn_gate ffn_up
        ffn_down",
        ),
        Sizes { n_layers: 3, ..SIZES },
    ),
    case(
        "lfm2moe.plain",
        &[
            RMS,
            TAPS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            SIGMOID,
            ("attention.head_count_kv", Is(&[0, 2])),
        ],
        "token_embd token_embd_norm |
        attn_norm shortconv.conv shortconv.in_proj shortconv.out_proj ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps exp_probs_b- |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps exp_probs_b-",
    ),
    sized(
        case(
            "lfm2moe.full",
            &[
                RMS,
                TAPS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                SIGMOID,
                ("leading_dense_block_count", U(1)),
                ("attention.head_count_kv", Is(&[0, 2, 0])),
            ],
            "token_embd token_embd_norm output |
        attn_norm shortconv.conv shortconv.in_proj shortconv.out_proj ffn_norm ffn_gate ffn_up
        ffn_down |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps exp_probs_b- |
        attn_norm shortconv.conv shortconv.in_proj shortconv.out_proj ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps exp_probs_b-",
        ),
        Sizes { n_layers: 3, ..SIZES },
    ),
    case(
        "qwen35.plain",
        &[RMS, KERNEL, HEADS, GROUPS, DELTA_INNER, DELTA_STATE, SECOND_ATTENDS, SECTIONS],
        "token_embd output_norm |
        attn_norm attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_beta
        ssm_alpha ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q:gated attn_k attn_v attn_q_norm attn_k_norm attn_output
        post_attention_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "qwen35.scales",
        &[RMS, KERNEL, HEADS, GROUPS, DELTA_INNER, DELTA_STATE, SECOND_ATTENDS, SECTIONS],
        "token_embd output_norm |
        attn_norm attn_qkv:delta* attn_gate:delta* ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_beta*
        ssm_alpha* ssm_norm:delta ssm_out:delta* post_attention_norm ffn_gate* ffn_up* ffn_down* |
        attn_norm attn_q:gated* attn_k* attn_v* attn_q_norm attn_k_norm attn_output*
        post_attention_norm ffn_gate ffn_up ffn_down",
    ),
    sized(
        case(
            "qwen35.full",
            &[
                RMS,
                KERNEL,
                HEADS,
                GROUPS,
                DELTA_INNER,
                DELTA_STATE,
                SECTIONS,
                ("rope.freq_base", F(1e7)),
                ("attention.recurrent_layers", Bs(&[true, false, true])),
            ],
            "token_embd output_norm output |
        attn_norm attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_beta
        ssm_alpha ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q:gated attn_k attn_v attn_q_norm attn_k_norm attn_output
        post_attention_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_beta
        ssm_alpha ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 3, head_dim: 24, rope_dim: 16, ..SIZES },
    ),
    // Without a list, three layers of four are recurrent.
    sized(
        case(
            "qwen35.fourth",
            &[RMS, KERNEL, HEADS, GROUPS, DELTA_INNER, DELTA_STATE, SECTIONS],
            "token_embd output_norm |
        attn_norm attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_beta
        ssm_alpha ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_beta
        ssm_alpha ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_beta
        ssm_alpha ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q:gated attn_k attn_v attn_q_norm attn_k_norm attn_output
        post_attention_norm ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 4, ..SIZES },
    ),
    case(
        "qwen35moe.plain",
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
        attn_norm attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_beta
        ssm_alpha ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm attn_q:gated attn_k attn_v attn_q_norm attn_k_norm attn_output
        post_attention_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_inp_shexp
        ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
    ),
    case(
        "qwen35moe.full",
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
            ("rope.freq_base", F(1e7)),
        ],
        "token_embd output_norm output |
        attn_norm attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_beta
        ssm_alpha ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate_inp ffn_gate_up_exps
        ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm attn_q:gated attn_k attn_v attn_q_norm attn_k_norm attn_output
        post_attention_norm ffn_gate_inp ffn_gate_up_exps ffn_down_exps ffn_gate_inp_shexp
        ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
    ),
    case(
        "qwen3next.plain",
        &[
            RMS,
            KERNEL,
            HEADS,
            GROUPS,
            DELTA_INNER,
            DELTA_STATE,
            SECOND_ATTENDS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            SHARED,
        ],
        "token_embd output_norm |
        attn_norm attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_ba
        ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm attn_q:gated attn_k attn_v attn_q_norm attn_k_norm attn_output
        post_attention_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_inp_shexp
        ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
    ),
    case(
        "qwen3next.full",
        &[
            RMS,
            KERNEL,
            HEADS,
            GROUPS,
            DELTA_INNER,
            DELTA_STATE,
            SECOND_ATTENDS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            SHARED,
            ("rope.dimension_count", U(8)),
            ("rope.freq_base", F(1e7)),
        ],
        "token_embd output_norm output |
        attn_norm attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_ba
        ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate_inp ffn_gate_up_exps
        ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm attn_q:gated attn_k attn_v attn_q_norm attn_k_norm attn_output
        post_attention_norm ffn_gate_inp ffn_gate_up_exps ffn_down_exps ffn_gate_inp_shexp
        ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
    ),
    // As older files have it, with one matrix for queries, keys, values and gate.
    case(
        "qwen3next.fused",
        &[
            RMS,
            KERNEL,
            HEADS,
            GROUPS,
            DELTA_INNER,
            DELTA_STATE,
            SECOND_ATTENDS,
            N_EXPERTS,
            N_USED,
            WIDTH,
            SHARED,
        ],
        "token_embd output_norm output |
        attn_norm ssm_in:delta ssm_conv1d:delta ssm_dt- ssm_a:delta! ssm_ba
        ssm_norm:delta ssm_out:delta post_attention_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm attn_q:gated attn_k attn_v attn_q_norm attn_k_norm attn_output
        post_attention_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_inp_shexp
        ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
    ),
    case(
        "falcon-h1.plain",
        &[RMS, KERNEL, HEADS, GROUPS, MAMBA_INNER, MAMBA_STATE],
        "token_embd output_norm |
        attn_norm attn_q attn_k attn_v attn_output ssm_in ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_out
        ffn_norm! ffn_gate ffn_up ffn_down",
    ),
    case(
        "falcon-h1.full",
        &[RMS, KERNEL, HEADS, GROUPS, MAMBA_INNER, MAMBA_STATE, ("rope.freq_base", F(1e11))],
        "token_embd output_norm output |
        attn_norm attn_qkv attn_output ssm_in ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out
        ffn_norm! ffn_gate+ ffn_up+ ffn_down+",
    ),
    sized(
        case(
            "mamba2.plain",
            &[RMS, KERNEL, HEADS, GROUPS, MAMBA_INNER, MAMBA_STATE],
            "token_embd output_norm |
        attn_norm:kept ssm_in ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out",
        ),
        NO_OTHERS,
    ),
    sized(
        case(
            "mamba2.scales",
            &[RMS, KERNEL, HEADS, GROUPS, MAMBA_INNER, MAMBA_STATE],
            "token_embd output_norm |
        attn_norm:kept ssm_in* ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out*",
        ),
        NO_OTHERS,
    ),
    sized(
        case(
            "mamba2.full",
            &[RMS, KERNEL, HEADS, GROUPS, MAMBA_INNER, MAMBA_STATE],
            "token_embd output_norm output |
        attn_norm:kept ssm_in ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out",
        ),
        NO_OTHERS,
    ),
    sized(
        case(
            "nemotron_h.plain",
            &[EPSILON, KERNEL, HEADS, GROUPS, MAMBA_INNER, MAMBA_STATE, FOUR_HEADS],
            "token_embd output_norm |
        attn_norm:kept ssm_in ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out |
        attn_norm attn_q attn_k attn_v attn_output |
        attn_norm:kept ffn_up ffn_down",
        ),
        ONE_PART,
    ),
    sized(
        case(
            "nemotron_h.full",
            &[RMS, EPSILON, KERNEL, HEADS, GROUPS, MAMBA_INNER, MAMBA_STATE, FOUR_HEADS],
            "token_embd output_norm output |
        attn_norm:kept ssm_in ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out |
        attn_norm attn_qkv+ attn_output+ |
        attn_norm:kept ffn_up+ ffn_down+",
        ),
        ONE_PART,
    ),
    sized(
        case(
            "nemotron_h_moe.plain",
            &[
                EPSILON,
                KERNEL,
                HEADS,
                GROUPS,
                MAMBA_INNER,
                MAMBA_STATE,
                FOUR_HEADS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                SHARED,
            ],
            "token_embd output_norm |
        attn_norm:kept ssm_in ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out |
        attn_norm attn_q attn_k attn_v attn_output |
        attn_norm:kept ffn_gate_inp exp_probs_b- ffn_up_exps ffn_down_exps ffn_up_shexp
        ffn_down_shexp",
        ),
        ONE_PART,
    ),
    sized(
        case(
            "nemotron_h_moe.full",
            &[
                RMS,
                EPSILON,
                KERNEL,
                HEADS,
                GROUPS,
                MAMBA_INNER,
                MAMBA_STATE,
                FOUR_HEADS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                SHARED,
                ("expert_weights_norm", B(true)),
                ("expert_weights_scale", F(2.5)),
            ],
            "token_embd output_norm output |
        attn_norm:kept ssm_in ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out |
        attn_norm attn_qkv+ attn_output+ |
        attn_norm:kept ffn_gate_inp exp_probs_b- ffn_up_exps ffn_down_exps ffn_up_shexp
        ffn_down_shexp",
        ),
        ONE_PART,
    ),
    case(
        "granitehybrid.plain",
        &[
            RMS,
            KERNEL,
            HEADS,
            GROUPS,
            MAMBA_INNER,
            MAMBA_STATE,
            ("attention.head_count_kv", Is(&[0, 2])),
        ],
        "token_embd output_norm |
        attn_norm ssm_in ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out ffn_norm ffn_gate ffn_up
        ffn_down |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ),
    case(
        "granitehybrid.full",
        &[
            RMS,
            KERNEL,
            HEADS,
            GROUPS,
            MAMBA_INNER,
            MAMBA_STATE,
            ("attention.head_count_kv", Is(&[0, 2])),
            ("logit_scale", F(6.0)),
            ("residual_scale", F(0.22)),
            ("embedding_scale", F(12.0)),
            ("attention.scale", F(0.1)),
        ],
        "token_embd output_norm output |
        attn_norm ssm_in ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out ffn_norm ffn_gate+ ffn_up+
        ffn_down+ |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output+ ffn_norm ffn_gate+ ffn_up+ ffn_down+",
    ),
    sized(
        case(
            "granitehybrid.experts",
            &[
                RMS,
                KERNEL,
                HEADS,
                GROUPS,
                MAMBA_INNER,
                MAMBA_STATE,
                N_EXPERTS,
                N_USED,
                SHARED,
                ("attention.head_count_kv", Is(&[0, 2])),
                ("rope.scaling.finetuned", B(false)),
            ],
            "token_embd output_norm output |
        attn_norm ssm_in ssm_conv1d+ ssm_dt- ssm_a! ssm_d! ssm_norm ssm_out ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { d_expert: 88, ..SIZES },
    ),
];
