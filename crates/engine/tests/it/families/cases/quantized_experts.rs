//! Mixtures of experts in quantized files.

use kelvin_kernels::format::Format;

use super::*;

const N_EXPERTS: (&str, super::super::build::Key) = ("expert_count", U(8));
const N_USED: (&str, super::super::build::Key) = ("expert_used_count", U(3));
const WIDTH_256: (&str, super::super::build::Key) = ("expert_feed_forward_length", U(256));

/// As files of gpt-oss are: experts in MXFP4, other matrices in Q8_0.
fn mxfp4(name: &str) -> Format {
    match name {
        name if is_float(name) => Format::F32,
        name if name.contains("_exps") => Format::MXFP4,
        _ => Format::Q8_0,
    }
}

/// As Q4_K_M files are, with some matrices in Q6_K.
fn q4_k(name: &str) -> Format {
    match name {
        name if is_float(name) => Format::F32,
        name if name.contains("down") || name.contains("output") => Format::Q6_K,
        _ => Format::Q4_K,
    }
}

fn iq4_xs(name: &str) -> Format {
    match name {
        name if is_float(name) => Format::F32,
        name if name.contains("down") => Format::IQ4_NL,
        _ => Format::IQ4_XS,
    }
}

/// llama.cpp's quantizer leaves norms, biases and routers as they are.
fn is_float(name: &str) -> bool {
    !name.ends_with(".weight") || name.contains("norm") || name.contains("ffn_gate_inp")
}

const fn quantized(case: Case, format_of: fn(&str) -> Format) -> Case {
    Case { format_of: Some(format_of), sizes: WIDE, ..case }
}

/// Mixtures of experts in quantized files.
pub const CASES: &[Case] = &[
    // Every expert is used: llama.cpp rounds the scale of activations to f16, and where two experts
    // are as good, that selects another one.
    quantized(
        case(
            "gpt-oss.mxfp4",
            &[
                RMS,
                N_EXPERTS,
                ("expert_used_count", U(8)),
                WIDTH_256,
                ("attention.sliding_window", U(20)),
            ],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output+ attn_sinks post_attention_norm
        ffn_gate_inp+ ffn_gate_exps+ ffn_up_exps+ ffn_down_exps+",
        ),
        mxfp4,
    ),
    quantized(
        case(
            "qwen3moe.q4_k_m",
            &[RMS, N_EXPERTS, N_USED, WIDTH_256],
            "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps",
        ),
        q4_k,
    ),
    quantized(
        case(
            "qwen2moe.iq4_experts",
            &[RMS, N_EXPERTS, N_USED, WIDTH_256, ("expert_shared_feed_forward_length", U(256))],
            "token_embd output_norm output |
        attn_norm attn_q+ attn_k+ attn_v+ attn_output ffn_norm ffn_gate_inp ffn_gate_exps
        ffn_up_exps ffn_down_exps ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        ),
        iq4_xs,
    ),
];
