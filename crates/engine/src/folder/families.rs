//! The families that a folder may hold, as data: what transformers calls a model, what GGUF calls
//! it, and which tensor becomes which. A new family is a row.

use super::{
    config::{self, Config},
    error::{FolderError, wrong},
    family::{Family, Key, Kind, KvHeads, Rotated, Window},
    json,
    names::*,
};

const SILU: &[&str] = &["silu", "swish"];
const GELU: &[&str] = &["gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu"];
const RELU_SQUARED: &[&str] = &["relu2"];
const RMS: (&[&str], &str) =
    (&["rms_norm_eps", "layer_norm_epsilon", "norm_eps"], "attention.layer_norm_rms_epsilon");
const LAYER: (&[&str], &str) = (
    &["layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps"],
    "attention.layer_norm_epsilon",
);
const IMAGES: &[&str] = &[
    "vision_tower.",
    "multi_modal_projector.",
    "model.vision_tower.",
    "model.multi_modal_projector.",
];

const fn key(gguf: &'static str, hf: &'static str, kind: Kind) -> Key {
    Key { gguf, hf, kind }
}

const LLAMA: Family = Family {
    names: &["LlamaForCausalLM", "LLaMAForCausalLM", "MistralForCausalLM"],
    gguf: "llama",
    activations: SILU,
    epsilon: RMS,
    usual_epsilon: None,
    kv_heads: KvHeads::Said,
    usual: &[],
    keys: &[],
    tensors: &[WHOLE, NORMS, PAIRED, GATED],
    rotated: Rotated::Share(1.0),
    window: Window::Always,
    norms_less_one: false,
    tied: false,
    context: None,
    skipped: &[],
};

const QWEN2: Family = Family {
    names: &["Qwen2ForCausalLM"],
    gguf: "qwen2",
    tensors: &[WHOLE, NORMS, QKV, GATED],
    window: Window::IfUsed,
    ..LLAMA
};

const GEMMA: Family = Family {
    names: &["GemmaForCausalLM"],
    gguf: "gemma",
    activations: GELU,
    tensors: &[WHOLE, NORMS, QKV, GATED],
    window: Window::Never,
    norms_less_one: true,
    tied: true,
    ..LLAMA
};

const STARCODER: Family = Family {
    names: &["Starcoder2ForCausalLM"],
    gguf: "starcoder2",
    activations: GELU,
    epsilon: LAYER,
    tensors: &[WHOLE, NORMS, QKV, STARCODER2],
    window: Window::Bound,
    ..LLAMA
};

const COHERE2: Family = Family {
    names: &["Cohere2ForCausalLM"],
    gguf: "cohere2",
    epsilon: LAYER,
    keys: &[key("logit_scale", "logit_scale", Kind::F32)],
    tensors: &[WHOLE, COHERE, QKV, GATED],
    window: Window::AllBut(4),
    tied: true,
    ..LLAMA
};

/// The rows.
const FAMILIES: &[Family] = &[
    LLAMA,
    QWEN2,
    Family {
        names: &["Qwen3ForCausalLM"],
        gguf: "qwen3",
        tensors: &[WHOLE, NORMS, QKV, QK_NORMS, GATED],
        ..QWEN2
    },
    Family {
        names: &["Qwen3MoeForCausalLM"],
        gguf: "qwen3moe",
        keys: &[
            key("expert_count", "num_experts", Kind::U32),
            key("expert_used_count", "num_experts_per_tok", Kind::U32),
            key("expert_feed_forward_length", "moe_intermediate_size", Kind::U32),
        ],
        tensors: &[WHOLE, NORMS, QKV, QK_NORMS, EXPERTS],
        ..QWEN2
    },
    GEMMA,
    Family {
        names: &["Gemma2ForCausalLM"],
        gguf: "gemma2",
        keys: &[
            key("attn_logit_softcapping", "attn_logit_softcapping", Kind::F32),
            key("final_logit_softcapping", "final_logit_softcapping", Kind::F32),
        ],
        tensors: &[WHOLE, FOUR_NORMS, QKV, GATED],
        window: Window::AllBut(2),
        ..GEMMA
    },
    Family {
        names: &["Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"],
        gguf: "gemma3",
        tensors: &[WHOLE, FOUR_NORMS, QKV, QK_NORMS, GATED],
        window: Window::AllBut(6),
        skipped: IMAGES,
        ..GEMMA
    },
    Family {
        names: &["Phi3ForCausalLM"],
        gguf: "phi3",
        tensors: &[WHOLE, NORMS, PHI3, FUSED_GATE],
        ..LLAMA
    },
    Family {
        names: &["PhiForCausalLM"],
        gguf: "phi2",
        activations: GELU,
        epsilon: LAYER,
        tensors: &[PHI2],
        rotated: Rotated::Share(0.5),
        window: Window::Never,
        ..LLAMA
    },
    Family {
        names: &["Olmo2ForCausalLM", "Olmo3ForCausalLM"],
        gguf: "olmo2",
        tensors: &[WHOLE, LATE_NORMS, QKV, QK_NORMS, GATED],
        window: Window::Listed,
        ..LLAMA
    },
    // Images are another part of Mistral3ForConditionalGeneration.
    Family {
        names: &["Ministral3ForCausalLM", "Mistral3ForConditionalGeneration"],
        gguf: "mistral3",
        window: Window::Never,
        skipped: IMAGES,
        ..LLAMA
    },
    Family {
        names: &["MiniCPMForCausalLM"],
        gguf: "minicpm",
        keys: &[
            key("embedding_scale", "scale_emb", Kind::F32),
            key("residual_scale", "scale_depth", Kind::Made(|depth, n, _| depth / n.sqrt())),
            key("logit_scale", "dim_model_base", Kind::Made(|base, _, width| width / base)),
        ],
        window: Window::Never,
        ..LLAMA
    },
    Family {
        names: &["ApertusForCausalLM"],
        gguf: "apertus",
        activations: &["xielu"],
        tensors: &[WHOLE, APERTUS, QKV, QK_NORMS, UNGATED],
        window: Window::Never,
        ..LLAMA
    },
    Family { names: &["SmolLM3ForCausalLM"], gguf: "smollm3", window: Window::IfUsed, ..LLAMA },
    Family {
        names: &["GraniteForCausalLM"],
        gguf: "granite",
        keys: &[
            key("attention.scale", "attention_multiplier", Kind::F32),
            key("embedding_scale", "embedding_multiplier", Kind::F32),
            key("residual_scale", "residual_multiplier", Kind::F32),
            key("logit_scale", "logits_scaling", Kind::F32),
        ],
        window: Window::Never,
        ..LLAMA
    },
    STARCODER,
    Family {
        names: &["GPT2LMHeadModel"],
        gguf: "gpt2",
        tensors: &[GPT2],
        tied: true,
        rotated: Rotated::None,
        window: Window::Never,
        ..STARCODER
    },
    Family {
        names: &["BloomForCausalLM"],
        gguf: "bloom",
        tensors: &[BLOOM],
        tied: true,
        rotated: Rotated::None,
        window: Window::Never,
        // ALiBi ends nowhere; this is how long the texts were that Bloom learned from.
        context: Some(2048),
        ..STARCODER
    },
    Family {
        names: &["FalconForCausalLM", "RWForCausalLM"],
        gguf: "falcon",
        kv_heads: KvHeads::Falcon,
        usual: &[
            ("alibi", &[0.0], "attention biased by distance (ALiBi)"),
            ("parallel_attn", &[1.0], "attention before the feed-forward layer, not beside it"),
        ],
        tensors: &[FALCON],
        tied: true,
        window: Window::Never,
        context: Some(2048),
        ..STARCODER
    },
    Family {
        names: &["MPTForCausalLM", "MptForCausalLM"],
        gguf: "mpt",
        // Not in the files of its makers.
        usual_epsilon: Some(1e-5),
        usual: &[
            ("qk_ln", &[0.0], "norms of queries and keys"),
            ("qk_gn", &[0.0], "norms of queries and keys"),
            ("prefix_lm", &[0.0], "attention to tokens that come later"),
            ("rope", &[0.0], "a rotary embedding"),
            ("softmax_scale", &[], "another scale of attention scores"),
            ("logit_scale", &[], "scaled logits"),
        ],
        keys: &[
            key("attention.clamp_kqv", "clip_qkv", Kind::F32),
            key("attention.max_alibi_bias", "alibi_bias_max", Kind::IfNot("alibi", 8.0)),
        ],
        tensors: &[MPT],
        tied: true,
        rotated: Rotated::None,
        window: Window::Never,
        context: Some(2048),
        ..STARCODER
    },
    Family {
        names: &["DeciLMForCausalLM"],
        gguf: "deci",
        kv_heads: KvHeads::ByLayer,
        tensors: &[WHOLE, NORMS, PAIRED, LINEAR, GATED],
        window: Window::Never,
        ..LLAMA
    },
    Family {
        names: &["GPTNeoXForCausalLM"],
        gguf: "gptneox",
        keys: &[key("use_parallel_residual", "use_parallel_residual", Kind::BoolOr(true))],
        tensors: &[GPT_NEOX],
        rotated: Rotated::Share(0.25),
        window: Window::Never,
        ..STARCODER
    },
    Family {
        names: &["StableLmForCausalLM", "StableLMEpochForCausalLM"],
        gguf: "stablelm",
        epsilon: LAYER,
        keys: &[key("use_parallel_residual", "use_parallel_residual", Kind::BoolOr(false))],
        tensors: &[WHOLE, NORMS, QKV, STABLELM, GATED],
        rotated: Rotated::Share(0.25),
        window: Window::Never,
        ..LLAMA
    },
    COHERE2,
    Family {
        names: &["CohereForCausalLM"],
        gguf: "command-r",
        tensors: &[WHOLE, COHERE, QKV, QK_NORMS, GATED],
        window: Window::Never,
        ..COHERE2
    },
    Family {
        names: &["Glm4ForCausalLM"],
        gguf: "glm4",
        tensors: &[WHOLE, GLM4_NORMS, QKV, FUSED_GATE],
        rotated: Rotated::Share(0.5),
        window: Window::Never,
        ..LLAMA
    },
    Family {
        names: &["ExaoneForCausalLM"],
        gguf: "exaone",
        tensors: &[EXAONE],
        window: Window::Never,
        ..LLAMA
    },
    Family {
        names: &["Exaone4ForCausalLM"],
        gguf: "exaone4",
        tensors: &[WHOLE, LATE_NORMS, QKV, QK_NORMS, GATED],
        window: Window::Listed,
        ..LLAMA
    },
    Family {
        names: &["InternLM2ForCausalLM"],
        gguf: "internlm2",
        tensors: &[INTERNLM2],
        window: Window::Never,
        ..LLAMA
    },
    Family {
        names: &["ArceeForCausalLM"],
        gguf: "arcee",
        activations: RELU_SQUARED,
        tensors: &[WHOLE, NORMS, PAIRED, UNGATED],
        window: Window::Never,
        ..LLAMA
    },
    Family {
        names: &["SeedOssForCausalLM"],
        gguf: "seed_oss",
        tensors: &[WHOLE, SEED_NORMS, QKV, GATED],
        window: Window::Never,
        ..LLAMA
    },
    // Neighbours turn together there as in GGUF.
    Family {
        names: &["Ernie4_5ForCausalLM", "Ernie4_5_ForCausalLM"],
        gguf: "ernie4_5",
        tensors: &[WHOLE, NORMS, QKV, GATED],
        window: Window::Never,
        tied: true,
        ..LLAMA
    },
    Family {
        names: &["NemotronForCausalLM"],
        gguf: "nemotron",
        activations: RELU_SQUARED,
        epsilon: LAYER,
        tensors: &[WHOLE, NORMS, QKV, UNGATED],
        rotated: Rotated::Share(0.5),
        window: Window::Never,
        norms_less_one: true,
        ..LLAMA
    },
    Family {
        names: &["HunYuanDenseV1ForCausalLM"],
        gguf: "hunyuan-dense",
        tensors: &[WHOLE, NORMS, QKV, HUNYUAN_NORMS, GATED],
        window: Window::Never,
        ..LLAMA
    },
];

/// The row of a configuration's family.
pub(super) fn find(config: &Config) -> Result<&'static Family, FolderError> {
    let supported = || {
        let all = FAMILIES.iter().flat_map(|family| family.names.iter().copied());
        all.collect::<Vec<_>>().join(", ")
    };
    let Some(found) = config.architecture() else {
        return wrong(
            config::FILE,
            format!("lacks \"architectures\", which names the model; supported: {}", supported()),
        );
    };
    let Some(family) = FAMILIES.iter().find(|family| family.names.contains(&found)) else {
        return wrong(
            config::FILE,
            format!("the architecture {found:?} isn't supported; supported: {}", supported()),
        );
    };
    let names = ["hidden_activation", "hidden_act", "activation_function", "activation"];
    if let Some((name, value)) = config.first(&names)
        && !value.as_str().is_some_and(|act| family.activations.contains(&act))
    {
        return wrong(
            config::FILE,
            format!(
                "{name:?} is {}, expected {} for {found}",
                json::shown(value),
                family.activations.join(" or ")
            ),
        );
    }
    Ok(family)
}

/// Endings of tensors that old checkpoints have and no arithmetic needs: masks and angles, which
/// are computed.
const IGNORED: &[&str] = &[
    ".rotary_emb.inv_freq",
    ".attn.bias",
    ".attn.masked_bias",
    ".attention.bias",
    ".attention.masked_bias",
];

/// Whether a tensor of a checkpoint says nothing.
pub(super) fn is_ignored(name: &str) -> bool {
    IGNORED.iter().any(|ending| name.ends_with(ending))
}
