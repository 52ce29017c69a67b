//! Cases of families with recurrent layers of other kinds: Mamba, linear attention, RWKV.

use super::*;

type Keyed = (&'static str, super::super::build::Key);

const KERNEL: Keyed = ("ssm.conv_kernel", U(4));
const INNER: Keyed = ("ssm.inner_size", U(128));
const STATE: Keyed = ("ssm.state_size", U(16));
const RANK: Keyed = ("ssm.time_step_rank", U(10));
const HEADS: Keyed = ("ssm.time_step_rank", U(4));
const NO_GROUPS: Keyed = ("ssm.group_count", U(0));
const SECOND_ATTENDS: Keyed = ("attention.head_count_kv", Is(&[0, 2]));
const THIRD_TOO: Keyed = ("attention.head_count_kv", Is(&[0, 2, 0]));
const N_EXPERTS: Keyed = ("expert_count", U(8));
const N_USED: Keyed = ("expert_used_count", U(3));
const WIDTH: Keyed = ("expert_feed_forward_length", U(40));
const ONE_SHARED: Keyed = ("expert_shared_count", U(1));
const SIGMOID: Keyed = ("expert_gating_func", U(2));
const DENSE: Keyed = ("leading_dense_block_count", U(1));
const KV_RANK: Keyed = ("attention.kv_lora_rank", U(32));
const Q_RANK: Keyed = ("attention.q_lora_rank", U(24));
const VALUES: Keyed = ("attention.value_length", U(32));
const MLA_KEYS: Keyed = ("attention.key_length_mla", U(24));
const MLA_VALUES: Keyed = ("attention.value_length_mla", U(12));
const KIMI_HEAD: Keyed = ("kda.head_dim", U(16));
const ATTENDS: Keyed = ("attention.head_count_kv", Is(&[0, 1]));
const RESIDUAL: Keyed = ("residual_scale", F(0.7));
const HEAD_SIZE: Keyed = ("wkv.head_size", U(16));
/// llama.cpp computes RWKV 7's heads in vectors of up to 64 numbers.
const WIDE_HEADS_OF_RWKV: Keyed = ("wkv.head_size", U(64));
const DECAY: Keyed = ("attention.decay_lora_rank", U(16));
const RATES: Keyed = ("attention.iclr_lora_rank", U(24));
const FIRST_VALUES: Keyed = ("attention.value_residual_mix_lora_rank", U(8));
const GATE: Keyed = ("attention.gate_lora_rank", U(32));
const MIX: Keyed = ("time_mix_extra_dim", U(24));
const MIX_DECAY: Keyed = ("time_decay_extra_dim", U(16));
const TWO_SHIFTS: Keyed = ("token_shift_count", U(2));
const ONE_SHIFT: Keyed = ("token_shift_count", U(1));

/// Layers that have a recurrent part alone.
const ALONE: Sizes = Sizes { n_heads: 0, n_kv_heads: 0, d_ff: 0, rope_dim: 0, ..SIZES };
/// Beside feed-forward.
const NO_HEADS: Sizes = Sizes { n_heads: 0, n_kv_heads: 0, rope_dim: 0, ..SIZES };
const WIDE_RWKV: Sizes = Sizes { d_model: 128, ..NO_HEADS };
const NO_ROTARY: Sizes = Sizes { rope_dim: 0, ..SIZES };
const LATENT: Sizes = Sizes { n_kv_heads: 1, rope_dim: 8, head_dim: 40, d_shared: 40, ..SIZES };

/// Cases of families with such layers.
pub const CASES: &[Case] = &[
    sized(
        case(
            "mamba.plain",
            &[RMS, KERNEL, INNER, STATE, RANK],
            "token_embd output_norm |
        attn_norm:kept ssm_in:mamba ssm_conv1d:mamba+ ssm_x:mamba ssm_dt:mamba+ ssm_a:mamba!
        ssm_d:mamba! ssm_out",
        ),
        ALONE,
    ),
    sized(
        case(
            "mamba.scales",
            &[RMS, KERNEL, INNER, STATE, RANK],
            "token_embd output_norm |
        attn_norm:kept ssm_in:mamba* ssm_conv1d:mamba+ ssm_x:mamba ssm_dt:mamba+ ssm_a:mamba!
        ssm_d:mamba! ssm_out*",
        ),
        ALONE,
    ),
    sized(
        case(
            "mamba.full",
            &[RMS, KERNEL, INNER, STATE, RANK, ("ssm.dt_b_c_rms", B(true))],
            "token_embd output_norm output |
        attn_norm:kept ssm_in:mamba ssm_conv1d:mamba+ ssm_x:mamba ssm_dt:mamba+ ssm_a:mamba!
        ssm_d:mamba! ssm_out",
        ),
        Sizes { n_layers: 3, ..ALONE },
    ),
    sized(
        case(
            "jamba.plain",
            &[RMS, KERNEL, INNER, STATE, RANK, SECOND_ATTENDS],
            "token_embd output_norm |
        attn_norm ssm_in:mamba ssm_conv1d:mamba+ ssm_x:mamba ssm_dt_norm ssm_b_norm ssm_c_norm
        ssm_dt:mamba+ ssm_a:mamba! ssm_d:mamba! ssm_out ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        NO_ROTARY,
    ),
    sized(
        case(
            "jamba.full",
            &[RMS, KERNEL, INNER, STATE, RANK, THIRD_TOO, N_EXPERTS, N_USED],
            "token_embd output_norm output |
        attn_norm ssm_in:mamba ssm_conv1d:mamba+ ssm_x:mamba ssm_dt_norm ssm_b_norm ssm_c_norm
        ssm_dt:mamba+ ssm_a:mamba! ssm_d:mamba! ssm_out ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_qkv attn_output ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps |
        attn_norm ssm_in:mamba ssm_conv1d:mamba+ ssm_x:mamba ssm_dt_norm ssm_b_norm ssm_c_norm
        ssm_dt:mamba+ ssm_a:mamba! ssm_d:mamba! ssm_out ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps",
        ),
        Sizes { n_layers: 3, d_expert: 88, ..NO_ROTARY },
    ),
    case(
        "plamo2.plain",
        &[RMS, KERNEL, INNER, STATE, HEADS, NO_GROUPS, SECOND_ATTENDS],
        "token_embd output_norm |
        attn_norm ssm_in:mamba ssm_conv1d:mamba ssm_x ssm_dt:plamo+ ssm_a:plamo! ssm_d:plamo!
        ssm_dt_norm:plamo! ssm_b_norm! ssm_c_norm! ssm_out post_attention_norm! ffn_norm
        ffn_up:fused ffn_down post_ffw_norm! |
        attn_norm attn_qkv attn_q_norm:each attn_k_norm:each attn_output post_attention_norm!
        ffn_norm ffn_up:fused ffn_down post_ffw_norm!",
    ),
    sized(
        case(
            "plamo2.full",
            &[RMS, KERNEL, INNER, STATE, HEADS, NO_GROUPS, THIRD_TOO, ("rope.freq_base", F(1e6))],
            "token_embd output_norm output |
        attn_norm ssm_in:mamba ssm_conv1d:mamba ssm_x ssm_dt:plamo+ ssm_a:plamo! ssm_d:plamo!
        ssm_dt_norm:plamo! ssm_b_norm! ssm_c_norm! ssm_out post_attention_norm! ffn_norm
        ffn_up:fused ffn_down post_ffw_norm! |
        attn_norm attn_qkv attn_q_norm:each attn_k_norm:each attn_output post_attention_norm!
        ffn_norm ffn_up:fused ffn_down post_ffw_norm! |
        attn_norm ssm_in:mamba ssm_conv1d:mamba ssm_x ssm_dt:plamo+ ssm_a:plamo! ssm_d:plamo!
        ssm_dt_norm:plamo! ssm_b_norm! ssm_c_norm! ssm_out post_attention_norm! ffn_norm
        ffn_up:fused ffn_down post_ffw_norm!",
        ),
        Sizes { n_layers: 3, ..SIZES },
    ),
    sized(
        case(
            "kimi-linear.plain",
            &[
                RMS, KERNEL, KIMI_HEAD, KV_RANK, VALUES, MLA_KEYS, MLA_VALUES, ATTENDS, N_EXPERTS,
                N_USED, WIDTH, ONE_SHARED, SIGMOID, DENSE,
            ],
            "token_embd output_norm output |
        attn_norm attn_q:kimi attn_k:kimi attn_v:kimi ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v
        ssm_f_a ssm_f_b ssm_g_a ssm_g_b ssm_beta ssm_a:kimi! ssm_dt:kimi- ssm_norm:kimi
        attn_output:kimi ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b attn_output:latent
        ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp",
        ),
        LATENT,
    ),
    sized(
        case(
            "kimi-linear.full",
            &[
                RMS,
                KERNEL,
                KIMI_HEAD,
                KV_RANK,
                VALUES,
                MLA_KEYS,
                MLA_VALUES,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ONE_SHARED,
                SIGMOID,
                DENSE,
                ("attention.head_count_kv", Is(&[0, 1, 0])),
                ("expert_weights_scale", F(2.5)),
            ],
            "token_embd output_norm output |
        attn_norm attn_qkv:kimi ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v ssm_f_a ssm_f_b ssm_g_a
        ssm_g_b ssm_beta ssm_a:kimi! ssm_dt:kimi- ssm_norm:kimi attn_output:kimi ffn_norm ffn_gate
        ffn_up ffn_down |
        attn_norm attn_q:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b attn_output:latent
        ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp |
        attn_norm attn_qkv:kimi ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v ssm_f_a ssm_f_b ssm_g_a
        ssm_g_b ssm_beta ssm_a:kimi! ssm_dt:kimi- ssm_norm:kimi attn_output:kimi ffn_norm
        ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_layers: 3, ..LATENT },
    ),
    sized(
        case(
            "bailingmoe3.plain",
            &[
                RMS,
                KERNEL,
                KIMI_HEAD,
                KV_RANK,
                VALUES,
                MLA_KEYS,
                MLA_VALUES,
                ATTENDS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ONE_SHARED,
                SIGMOID,
                DENSE,
                ("kda.gate_lower_bound", F(-5.0)),
            ],
            "token_embd output_norm |
        attn_norm attn_q:kimi attn_k:kimi attn_v:kimi ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v
        ssm_f_a:whole ssm_g_a:whole ssm_beta ssm_a:kimi! ssm_dt:kimi- ssm_norm:kimi
        attn_output:kimi ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b attn_gate:head
        attn_output:latent ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        LATENT,
    ),
    sized(
        case(
            "bailingmoe3.full",
            &[
                RMS,
                KERNEL,
                KIMI_HEAD,
                KV_RANK,
                Q_RANK,
                VALUES,
                MLA_KEYS,
                MLA_VALUES,
                ATTENDS,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ONE_SHARED,
                SIGMOID,
                DENSE,
                ("kda.gate_lower_bound", F(-5.0)),
                ("kda.safe_gate", B(true)),
                ("expert_weights_scale", F(2.5)),
                ("expert_weights_norm", B(true)),
                ("swiglu_clamp_exp", F(0.6)),
                ("swiglu_clamp_shexp", F(0.5)),
                ("rope.freq_base", F(1e6)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q:kimi attn_k:kimi attn_v:kimi ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v
        ssm_f_a:whole ssm_g_a:whole ssm_beta ssm_a:kimi! ssm_dt:kimi- ssm_norm:kimi
        attn_output:kimi ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q_a attn_q_a_norm attn_q_b:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b
        attn_v_b attn_gate:head attn_output:latent ffn_norm ffn_gate_inp exp_probs_b-
        ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        LATENT,
    ),
    sized(
        case(
            "minimax-01.plain",
            &[RMS, RESIDUAL, N_EXPERTS, N_USED, ("full_attention_interval", U(2))],
            "token_embd output_norm |
        attn_norm attn_norm_2:heads attn_qkv:lightning attn_gate attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps |
        attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps",
        ),
        Sizes { d_expert: 88, ..SIZES },
    ),
    sized(
        case(
            "minimax-01.full",
            &[
                RMS,
                RESIDUAL,
                N_EXPERTS,
                N_USED,
                ("attention.recurrent_layers", Bs(&[true, false, true])),
                ("rope.freq_base", F(1e7)),
            ],
            "token_embd output_norm output |
        attn_norm attn_norm_2:heads attn_qkv:lightning attn_gate attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps |
        attn_norm attn_qkv attn_output ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps |
        attn_norm attn_norm_2:heads attn_qkv:lightning attn_gate attn_output ffn_norm ffn_gate_inp
        ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        Sizes { n_layers: 3, d_expert: 88, head_dim: 24, rope_dim: 16, ..SIZES },
    ),
    sized(
        case("rwkv7.plain", &[LAYER, WIDE_HEADS_OF_RWKV, DECAY, RATES, FIRST_VALUES, GATE], SEVEN),
        WIDE_RWKV,
    ),
    sized(
        case(
            "rwkv7.full",
            &[LAYER, WIDE_HEADS_OF_RWKV, DECAY, RATES, FIRST_VALUES, GATE, TWO_SHIFTS],
            SEVEN,
        ),
        Sizes { n_layers: 3, ..WIDE_RWKV },
    ),
    sized(
        case(
            "arwkv7.plain",
            &[RMS, WIDE_HEADS_OF_RWKV, DECAY, RATES, FIRST_VALUES, ONE_SHIFT],
            "token_embd output_norm output |
        attn_norm:kept time_mix_lerp_fused:five time_mix_w0 time_mix_w1 time_mix_w2 time_mix_a0
        time_mix_a1 time_mix_a2 time_mix_v0 time_mix_v1:first time_mix_v2:first time_mix_k_k
        time_mix_k_a time_mix_r_k time_mix_receptance time_mix_key time_mix_value time_mix_output
        ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm:kept time_mix_lerp_fused:five time_mix_w0 time_mix_w1 time_mix_w2 time_mix_a0
        time_mix_a1 time_mix_a2 time_mix_v0 time_mix_v1 time_mix_v2 time_mix_k_k time_mix_k_a
        time_mix_r_k time_mix_receptance time_mix_key time_mix_value time_mix_output ffn_norm
        ffn_gate ffn_up ffn_down",
        ),
        WIDE_RWKV,
    ),
    sized(
        case(
            "arwkv7.full",
            &[RMS, WIDE_HEADS_OF_RWKV, DECAY, RATES, FIRST_VALUES, GATE, ONE_SHIFT],
            "token_embd output_norm output |
        attn_norm:kept time_mix_lerp_fused time_mix_w0 time_mix_w1 time_mix_w2 time_mix_a0
        time_mix_a1 time_mix_a2 time_mix_v0 time_mix_v1:first time_mix_v2:first time_mix_g1
        time_mix_g2 time_mix_k_k time_mix_k_a time_mix_r_k time_mix_receptance time_mix_key
        time_mix_value time_mix_ln+ time_mix_output ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm:kept time_mix_lerp_fused time_mix_w0 time_mix_w1 time_mix_w2 time_mix_a0
        time_mix_a1 time_mix_a2 time_mix_v0 time_mix_v1 time_mix_v2 time_mix_g1 time_mix_g2
        time_mix_k_k time_mix_k_a time_mix_r_k time_mix_receptance time_mix_key time_mix_value
        time_mix_ln+ time_mix_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        Sizes { n_layers: 3, ..WIDE_RWKV },
    ),
    sized(
        case(
            "rwkv6.plain",
            &[LAYER, HEAD_SIZE, MIX, MIX_DECAY],
            "token_embd token_embd_norm+ output_norm+ output |
        attn_norm:kept+ attn_norm_2:kept+ time_mix_w1:six time_mix_w2:six time_mix_lerp_x
        time_mix_lerp_w time_mix_lerp_k time_mix_lerp_v time_mix_lerp_r time_mix_lerp_g
        time_mix_first time_mix_decay time_mix_decay_w1 time_mix_decay_w2 time_mix_key
        time_mix_value time_mix_receptance time_mix_gate time_mix_ln+ time_mix_output
        channel_mix_lerp_k channel_mix_lerp_r channel_mix_key channel_mix_value
        channel_mix_receptance",
        ),
        NO_HEADS,
    ),
    sized(
        case(
            "rwkv6.full",
            &[LAYER, HEAD_SIZE, MIX, MIX_DECAY, TWO_SHIFTS, ("rescale_every_n_layers", U(2))],
            "token_embd token_embd_norm+ output_norm+ output |
        attn_norm:kept+ attn_norm_2:kept+ time_mix_w1:six time_mix_w2:six time_mix_lerp_x
        time_mix_lerp_fused:five time_mix_first time_mix_decay time_mix_decay_w1 time_mix_decay_w2
        time_mix_key time_mix_value time_mix_receptance time_mix_gate time_mix_ln+ time_mix_output
        channel_mix_lerp_k channel_mix_lerp_r channel_mix_key channel_mix_value
        channel_mix_receptance",
        ),
        Sizes { n_layers: 3, ..NO_HEADS },
    ),
    sized(
        case(
            "rwkv6qwen2.plain",
            &[RMS, HEAD_SIZE, MIX, MIX_DECAY, ONE_SHIFT],
            "token_embd output_norm output |
        attn_norm:kept time_mix_w1:six time_mix_w2:six time_mix_lerp_x time_mix_lerp_fused:five
        time_mix_decay time_mix_decay_w1 time_mix_decay_w2 time_mix_key time_mix_value
        time_mix_receptance time_mix_gate time_mix_output ffn_norm ffn_gate ffn_up ffn_down",
        ),
        NO_HEADS,
    ),
    sized(
        case(
            "rwkv6qwen2.full",
            &[RMS, HEAD_SIZE, MIX, MIX_DECAY, ONE_SHIFT, ("attention.head_count_kv", U(2))],
            "token_embd output_norm+ output |
        attn_norm:kept time_mix_w1:six time_mix_w2:six time_mix_lerp_x time_mix_lerp_fused:five
        time_mix_decay time_mix_decay_w1 time_mix_decay_w2 time_mix_key:shared+
        time_mix_value:shared+ time_mix_receptance+ time_mix_gate time_mix_output ffn_norm ffn_gate
        ffn_up ffn_down",
        ),
        NO_HEADS,
    ),
];

/// RWKV 7's tensors.
const SEVEN: &str = "token_embd token_embd_norm+ output_norm+ output |
        attn_norm:kept+ attn_norm_2:kept+ time_mix_lerp_fused time_mix_w0 time_mix_w1 time_mix_w2
        time_mix_a0 time_mix_a1 time_mix_a2 time_mix_v0 time_mix_v1:first time_mix_v2:first
        time_mix_g1 time_mix_g2 time_mix_k_k time_mix_k_a time_mix_r_k time_mix_receptance
        time_mix_key time_mix_value time_mix_ln+ time_mix_output channel_mix_lerp_k channel_mix_key
        channel_mix_value |
        attn_norm:kept+ attn_norm_2:kept+ time_mix_lerp_fused time_mix_w0 time_mix_w1 time_mix_w2
        time_mix_a0 time_mix_a1 time_mix_a2 time_mix_v0 time_mix_v1 time_mix_v2 time_mix_g1
        time_mix_g2 time_mix_k_k time_mix_k_a time_mix_r_k time_mix_receptance time_mix_key
        time_mix_value time_mix_ln+ time_mix_output channel_mix_lerp_k channel_mix_key
        channel_mix_value";
