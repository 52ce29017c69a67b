//! Cases of families with recurrent layers and several streams.

use super::*;

type Keyed = (&'static str, super::super::build::Key);

const KERNEL: Keyed = ("ssm.conv_kernel", U(4));
const KIMI_HEAD: Keyed = ("kda.head_dim", U(16));
const BOUND: Keyed = ("kda.gate_lower_bound", F(-5.0));
const KV_RANK: Keyed = ("attention.kv_lora_rank", U(32));
const Q_RANK: Keyed = ("attention.q_lora_rank", U(24));
const VALUES: Keyed = ("attention.value_length", U(32));
const MLA_KEYS: Keyed = ("attention.key_length_mla", U(24));
const MLA_VALUES: Keyed = ("attention.value_length_mla", U(12));
const ATTENDS: Keyed = ("attention.head_count_kv", Is(&[0, 1]));
const THIRD_TOO: Keyed = ("attention.head_count_kv", Is(&[0, 1, 0]));
const N_EXPERTS: Keyed = ("expert_count", U(8));
const N_USED: Keyed = ("expert_used_count", U(3));
const WIDTH: Keyed = ("expert_feed_forward_length", U(40));
const ONE_SHARED: Keyed = ("expert_shared_count", U(1));
const SIGMOID: Keyed = ("expert_gating_func", U(2));
const DENSE: Keyed = ("leading_dense_block_count", U(1));
const SCALED: Keyed = ("expert_weights_scale", F(2.5));
const DIVIDED: Keyed = ("expert_weights_norm", B(true));
const NO_ROTARY: Keyed = ("rope.dimension_count", U(0));
const STREAMS: Keyed = ("hyper_connection.count", U(4));
const EPS: Keyed = ("hyper_connection.epsilon", F(1e-6));
const ROUNDS: Keyed = ("hyper_connection.sinkhorn_iterations", U(3));
const RANK: Keyed = ("hyper_connection.low_rank", U(24));
const INDEX: [Keyed; 4] = [
    ("attention.indexer.head_count", U(2)),
    ("attention.indexer.key_length", U(64)),
    ("attention.indexer.top_k", U(2048)),
    ("attention.indexer.kpool", U(4)),
];
const GATE_CAP: Keyed = ("activation.situ_beta", F(1.5));
const UP_CAP: Keyed = ("activation.situ_linear_beta", F(2.0));
const HEADS: Keyed = ("ssm.time_step_rank", U(4));
const GROUPS: Keyed = ("ssm.group_count", U(2));
const DELTA_INNER: Keyed = ("ssm.inner_size", U(160));
const DELTA_STATE: Keyed = ("ssm.state_size", U(40));
const SECOND_ATTENDS: Keyed = ("full_attention_interval", U(2));
const SECTIONS: Keyed = ("rope.dimension_sections", Is(&[3, 3, 2, 0]));
const SHARED: Keyed = ("expert_shared_feed_forward_length", U(56));

/// Keys of latent attention have no part that all heads share.
const BARE: Sizes = Sizes { n_kv_heads: 1, rope_dim: 0, head_dim: 32, d_shared: 40, ..SIZES };
const LATENT: Sizes = Sizes { n_kv_heads: 1, rope_dim: 8, head_dim: 40, d_shared: 40, ..SIZES };

/// Cases of such families.
pub const CASES: &[Case] = &[
    case(
        "qwen4exp.plain",
        &[
            RMS,
            KERNEL,
            DELTA_INNER,
            DELTA_STATE,
            HEADS,
            GROUPS,
            SECOND_ATTENDS,
            SECTIONS,
            STREAMS,
            RANK,
            INDEX[0],
            INDEX[1],
            INDEX[2],
            N_EXPERTS,
            N_USED,
            WIDTH,
            SHARED,
        ],
        "token_embd output_hc_norm output_hc_down output_hc_up |
        hc_attn_norm hc_attn_down hc_attn_up hc_attn_inject hc_ffn_norm hc_ffn_down hc_ffn_up
        hc_ffn_inject attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt:delta- ssm_a:delta!
        ssm_beta ssm_alpha ssm_norm:delta ssm_out:delta ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        hc_attn_norm hc_attn_down hc_attn_up hc_attn_inject hc_ffn_norm hc_ffn_down hc_ffn_up
        hc_ffn_inject attn_q:gated attn_k attn_v attn_q_norm attn_k_norm attn_output indexer.q_proj
        indexer.k_proj indexer.q_norm indexer.k_norm ffn_gate_inp ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
    ),
    sized(
        case(
            "qwen4exp.full",
            &[
                RMS,
                KERNEL,
                DELTA_INNER,
                DELTA_STATE,
                HEADS,
                GROUPS,
                ("attention.recurrent_layers", Bs(&[true, false, true])),
                SECTIONS,
                STREAMS,
                RANK,
                INDEX[0],
                INDEX[1],
                INDEX[2],
                ("attention.compress_ratios", Is(&[0, 4, 0])),
                N_EXPERTS,
                N_USED,
                WIDTH,
                SHARED,
                ("rope.freq_base", F(1e6)),
                ("ple.layers", Is(&[2])),
                ("ple.ngram_size", U(3)),
                ("ple.heads_per_ngram", U(2)),
                ("ple.conv_kernel", U(3)),
                ("ple.layer_multipliers", Us(&[7_000_001, 0x7ABC_DEF0_1234_5677, 31])),
                ("ple.head_offsets", Us(&[0, 20, 43, 70])),
                ("ple.head_vocab_sizes", Us(&[19, 23, 27, 26])),
                ("ple.eos_token_id", U(83)),
                ("ple.image_token_id", U(9)),
                ("embedding_length_per_layer_input", U(16)),
            ],
            "token_embd output_hc_norm:flat output_hc_down output_hc_up output
        per_layer_token_embd:ngrams |
        hc_attn_norm hc_attn_down hc_attn_up hc_attn_inject hc_ffn_norm hc_ffn_down hc_ffn_up
        hc_ffn_inject attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt:delta- ssm_a:delta!
        ssm_beta ssm_alpha ssm_norm:delta ssm_out:delta ffn_gate_inp ffn_gate_up_exps
        ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        hc_attn_norm:flat hc_attn_down hc_attn_up hc_attn_inject hc_ffn_norm hc_ffn_down hc_ffn_up
        hc_ffn_inject attn_q:gated attn_k attn_v attn_q_norm attn_k_norm attn_output indexer.q_proj
        indexer.k_proj indexer.q_norm indexer.k_norm ffn_gate_inp ffn_gate_up_exps
        ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        ple_key ple_value ple_norm_key ple_norm_query ple_norm_conv ple_conv1d
        hc_attn_norm hc_attn_down hc_attn_up hc_attn_inject hc_ffn_norm hc_ffn_down hc_ffn_up
        hc_ffn_inject attn_qkv:delta attn_gate:delta ssm_conv1d:delta ssm_dt:delta- ssm_a:delta!
        ssm_beta ssm_alpha ssm_norm:delta ssm_out:delta ffn_gate_inp ffn_gate_up_exps
        ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_layers: 3, ..SIZES },
    ),
    sized(
        case(
            "glm5-next.plain",
            &[
                RMS, KERNEL, KIMI_HEAD, KV_RANK, Q_RANK, VALUES, MLA_KEYS, MLA_VALUES, ATTENDS,
                NO_ROTARY, STREAMS, EPS, ROUNDS, INDEX[0], INDEX[1], INDEX[2], INDEX[3], N_EXPERTS,
                N_USED, WIDTH, ONE_SHARED, DENSE,
            ],
            "token_embd output_norm output |
        attn_norm hc_attn_fn:mixed hc_attn_base:mixed hc_attn_scale:mixed hc_ffn_fn:mixed
        hc_ffn_base:mixed hc_ffn_scale:mixed attn_q:kimi attn_k:kimi attn_v:kimi ssm_conv1d_q
        ssm_conv1d_k ssm_conv1d_v ssm_f_a ssm_f_b ssm_g_a ssm_g_b ssm_beta ssm_a:flat!
        ssm_dt:kimi- ssm_norm:kimi attn_output:kimi ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm hc_attn_fn:mixed hc_attn_base:mixed hc_attn_scale:mixed hc_ffn_fn:mixed
        hc_ffn_base:mixed hc_ffn_scale:mixed attn_q_a attn_q_a_norm attn_q_b:absorbed
        attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b attn_output:latent indexer.k_norm+
        indexer.proj indexer.attn_k indexer.attn_q_b indexer_compressor_gate
        indexer_compressor_ape ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        BARE,
    ),
    sized(
        case(
            "glm5-next.full",
            &[
                RMS,
                KERNEL,
                KIMI_HEAD,
                BOUND,
                KV_RANK,
                Q_RANK,
                VALUES,
                MLA_KEYS,
                MLA_VALUES,
                THIRD_TOO,
                NO_ROTARY,
                STREAMS,
                EPS,
                ("hyper_connection.sinkhorn_iterations", U(20)),
                INDEX[0],
                INDEX[1],
                INDEX[2],
                INDEX[3],
                ("attention.indexer.kpool_select_tail", B(true)),
                N_EXPERTS,
                N_USED,
                WIDTH,
                ONE_SHARED,
                SIGMOID,
                DENSE,
                SCALED,
                DIVIDED,
                ("swiglu_clamp_exp", F(0.6)),
            ],
            "token_embd output_norm output |
        attn_norm hc_attn_fn:mixed hc_attn_base:mixed hc_attn_scale:mixed hc_ffn_fn:mixed
        hc_ffn_base:mixed hc_ffn_scale:mixed attn_q:kimi attn_k:kimi attn_v:kimi
        ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v ssm_f_a ssm_f_b ssm_g_a ssm_g_b ssm_beta ssm_a:flat! ssm_dt:kimi- ssm_norm:kimi
        attn_output:kimi ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm hc_attn_fn:mixed hc_attn_base:mixed hc_attn_scale:mixed hc_ffn_fn:mixed
        hc_ffn_base:mixed hc_ffn_scale:mixed attn_q_a attn_q_a_norm attn_q_b:absorbed
        attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b attn_output:latent indexer.k_norm+
        indexer.proj indexer.attn_k indexer.attn_q_b indexer_compressor_gate
        indexer_compressor_ape ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp |
        attn_norm hc_attn_fn:mixed hc_attn_base:mixed hc_attn_scale:mixed hc_ffn_fn:mixed
        hc_ffn_base:mixed hc_ffn_scale:mixed attn_q:kimi attn_k:kimi attn_v:kimi
        ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v ssm_f_a ssm_f_b ssm_g_a ssm_g_b ssm_beta ssm_a:flat! ssm_dt:kimi- ssm_norm:kimi
        attn_output:kimi ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps
        ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_layers: 3, ..BARE },
    ),
    sized(
        case(
            "kimi-k3.plain",
            &[
                RMS,
                KERNEL,
                KIMI_HEAD,
                KV_RANK,
                VALUES,
                MLA_KEYS,
                MLA_VALUES,
                ATTENDS,
                ("attn_res.block_size", U(0)),
                GATE_CAP,
                ("activation.situ_linear_beta", F(0.0)),
                N_EXPERTS,
                N_USED,
                WIDTH,
                ONE_SHARED,
                SIGMOID,
                DENSE,
            ],
            "token_embd output_norm output |
        attn_norm attn_q:kimi attn_k:kimi attn_v:kimi ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v
        ssm_f_a ssm_f_b ssm_g ssm_beta ssm_a:flat! ssm_dt:kimi- ssm_norm:kimi attn_output:kimi
        ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_q:absorbed attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b attn_output:latent
        ffn_norm ffn_gate_inp exp_probs_b- ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        LATENT,
    ),
    sized(
        case(
            "kimi-k3.full",
            &[
                RMS,
                KERNEL,
                KIMI_HEAD,
                BOUND,
                KV_RANK,
                Q_RANK,
                VALUES,
                MLA_KEYS,
                MLA_VALUES,
                ("attention.head_count_kv", Is(&[0, 1, 0, 0])),
                ("attn_res.block_size", U(2)),
                ("expert_latent_length", U(48)),
                GATE_CAP,
                UP_CAP,
                N_EXPERTS,
                N_USED,
                WIDTH,
                ONE_SHARED,
                SIGMOID,
                DENSE,
                SCALED,
                DIVIDED,
            ],
            "token_embd output_norm output output_res_score |
        attn_norm attn_res_score ffn_res_score attn_q:kimi attn_k:kimi attn_v:kimi
        ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v ssm_f_a ssm_f_b ssm_g ssm_beta ssm_a:flat! ssm_dt:kimi- ssm_norm:kimi
        attn_output:kimi ffn_norm ffn_gate ffn_up ffn_down |
        attn_norm attn_res_score ffn_res_score attn_q_a attn_q_a_norm attn_q_b:absorbed
        attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b attn_gate:values attn_output:latent ffn_norm
        ffn_gate_inp exp_probs_b- ffn_routed_down ffn_routed_up ffn_routed_norm
        ffn_gate_exps:narrow ffn_up_exps:narrow ffn_down_exps:narrow ffn_gate_shexp ffn_up_shexp
        ffn_down_shexp |
        attn_norm attn_res_score ffn_res_score attn_q:kimi attn_k:kimi attn_v:kimi
        ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v ssm_f_a ssm_f_b ssm_g ssm_beta ssm_a:flat! ssm_dt:kimi- ssm_norm:kimi
        attn_output:kimi ffn_norm ffn_gate_inp exp_probs_b- ffn_routed_down ffn_routed_up
        ffn_routed_norm ffn_gate_exps:narrow ffn_up_exps:narrow ffn_down_exps:narrow ffn_gate_shexp
        ffn_up_shexp ffn_down_shexp",
        ),
        Sizes { n_layers: 4, ..LATENT },
    ),
];
