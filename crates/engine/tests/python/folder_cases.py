"""The cases of folder_models.py: configurations, by name."""

N_TOKENS = 96
TOKENS = [(i * 37 + 11) % 90 for i in range(40)]
# Places of the logits that are kept: positions, and every so-manieth token.
POSITIONS, STEP = (0, 7, 23, 39), 9

SIZES = {
    "vocab_size": N_TOKENS,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 96,
    "max_position_embeddings": 256,
    "bos_token_id": 94,
    "eos_token_id": 95,
}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}


def longrope(n):
    return {
        "type": "longrope",
        "short_factor": [1.0 + 0.125 * i for i in range(n)],
        "long_factor": [1.0 + 0.5 * i for i in range(n)],
    }


def case(architecture, kind, **keys):
    return {"architectures": [architecture], "model_type": kind} | SIZES | keys


GPT = {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": N_TOKENS, "bos_token_id": 94, "eos_token_id": 95}

CASES = {
    "llama": case("LlamaForCausalLM", "llama", rms_norm_eps=1e-5, rope_theta=500000.0, tie_word_embeddings=False),
    "llama.biases": case(
        "LlamaForCausalLM", "llama", rms_norm_eps=1e-6, attention_bias=True, mlp_bias=True, head_dim=24, tie_word_embeddings=True
    ),
    "llama.llama3": case("LlamaForCausalLM", "llama", rms_norm_eps=1e-5, rope_theta=500000.0, rope_scaling=LLAMA3),
    "llama.linear": case("LlamaForCausalLM", "llama", rms_norm_eps=1e-5, rope_scaling={"type": "linear", "factor": 2.0}),
    "llama.yarn": case("LlamaForCausalLM", "llama", rms_norm_eps=1e-5, rope_scaling=YARN),
    "llama.dynamic": case("LlamaForCausalLM", "llama", rms_norm_eps=1e-5, rope_scaling={"type": "dynamic", "factor": 2.0}),
    "mistral": case("MistralForCausalLM", "mistral", rms_norm_eps=1e-5, sliding_window=9, head_dim=32, rope_theta=1e6),
    "ministral3": case(
        "Ministral3ForCausalLM",
        "ministral3",
        rms_norm_eps=1e-5,
        head_dim=32,
        rope_parameters=YARN
        | {"rope_theta": 1e6, "type": "yarn", "mscale": 1.0, "mscale_all_dim": 1.0, "beta_fast": 32.0, "beta_slow": 1.0, "llama_4_scaling_beta": 0.1, "original_max_position_embeddings": 16},
    ),
    "qwen2": case("Qwen2ForCausalLM", "qwen2", rms_norm_eps=1e-6, rope_theta=1e6, tie_word_embeddings=True, use_sliding_window=False),
    "qwen2.yarn": case("Qwen2ForCausalLM", "qwen2", rms_norm_eps=1e-6, rope_theta=1e6, rope_scaling=YARN),
    "qwen3": case("Qwen3ForCausalLM", "qwen3", rms_norm_eps=1e-6, rope_theta=1e6, head_dim=32),
    "qwen3.bias": case("Qwen3ForCausalLM", "qwen3", rms_norm_eps=1e-6, attention_bias=True, tie_word_embeddings=True),
    "qwen3moe": case(
        "Qwen3MoeForCausalLM",
        "qwen3_moe",
        rms_norm_eps=1e-6,
        head_dim=32,
        num_experts=5,
        num_experts_per_tok=2,
        moe_intermediate_size=48,
        norm_topk_prob=True,
        decoder_sparse_step=1,
    ),
    "gemma": case("GemmaForCausalLM", "gemma", rms_norm_eps=1e-6, head_dim=32, hidden_activation="gelu_pytorch_tanh"),
    "gemma2": case(
        "Gemma2ForCausalLM",
        "gemma2",
        rms_norm_eps=1e-6,
        head_dim=32,
        query_pre_attn_scalar=32,
        sliding_window=9,
        attn_logit_softcapping=50.0,
        final_logit_softcapping=30.0,
        hidden_activation="gelu_pytorch_tanh",
    ),
    "gemma3": case(
        "Gemma3ForCausalLM",
        "gemma3_text",
        rms_norm_eps=1e-6,
        head_dim=32,
        num_hidden_layers=7,
        query_pre_attn_scalar=32,
        sliding_window=9,
        rope_theta=1e6,
        rope_local_base_freq=10000.0,
        hidden_activation="gelu_pytorch_tanh",
    ),
    "gemma3.linear": case(
        "Gemma3ForCausalLM",
        "gemma3_text",
        rms_norm_eps=1e-6,
        head_dim=32,
        num_hidden_layers=6,
        query_pre_attn_scalar=32,
        sliding_window=9,
        rope_theta=1e6,
        rope_local_base_freq=10000.0,
        rope_scaling={"rope_type": "linear", "factor": 8.0},
        hidden_activation="gelu_pytorch_tanh",
    ),
    "phi2": case("PhiForCausalLM", "phi", layer_norm_eps=1e-5, num_key_value_heads=4, partial_rotary_factor=0.5, hidden_act="gelu_new"),
    "phi3": case("Phi3ForCausalLM", "phi3", rms_norm_eps=1e-5, sliding_window=9, pad_token_id=0, rope_theta=10000.0, original_max_position_embeddings=256),
    "phi3.longrope": case(
        "Phi3ForCausalLM",
        "phi3",
        rms_norm_eps=1e-5,
        pad_token_id=0,
        sliding_window=200,
        original_max_position_embeddings=64,
        rope_scaling=longrope(8),
    ),
    "phi4mini": case(
        "Phi3ForCausalLM",
        "phi3",
        rms_norm_eps=1e-5,
        pad_token_id=0,
        partial_rotary_factor=0.75,
        original_max_position_embeddings=64,
        rope_scaling=longrope(6),
        sliding_window=256,
        tie_word_embeddings=True,
    ),
    "olmo2": case("Olmo2ForCausalLM", "olmo2", rms_norm_eps=1e-6, rope_theta=500000.0, pad_token_id=0),
    "olmo3": case(
        "Olmo3ForCausalLM",
        "olmo3",
        rms_norm_eps=1e-6,
        rope_theta=500000.0,
        num_hidden_layers=4,
        sliding_window=9,
        layer_types=["sliding_attention"] * 3 + ["full_attention"],
        pad_token_id=0,
    ),
    "olmo3.yarn": case(
        "Olmo3ForCausalLM",
        "olmo3",
        rms_norm_eps=1e-6,
        rope_theta=500000.0,
        num_hidden_layers=4,
        sliding_window=9,
        layer_types=["sliding_attention"] * 3 + ["full_attention"],
        pad_token_id=0,
        rope_scaling=YARN | {"attention_factor": 1.2, "beta_fast": 32, "beta_slow": 1},
    ),
    "smollm3": case(
        "SmolLM3ForCausalLM",
        "smollm3",
        rms_norm_eps=1e-6,
        rope_theta=5e6,
        num_hidden_layers=4,
        no_rope_layer_interval=4,
        no_rope_layers=[1, 1, 1, 0],
        use_sliding_window=False,
        pad_token_id=0,
        tie_word_embeddings=True,
    ),
    "granite": case(
        "GraniteForCausalLM",
        "granite",
        rms_norm_eps=1e-5,
        attention_multiplier=0.0625,
        embedding_multiplier=12.0,
        residual_multiplier=0.22,
        logits_scaling=8.0,
        attention_bias=False,
        tie_word_embeddings=True,
    ),
    "granite.biases": case(
        "GraniteForCausalLM", "granite", rms_norm_eps=1e-5, attention_multiplier=0.25, attention_bias=True, mlp_bias=True
    ),
    "starcoder2": case(
        "Starcoder2ForCausalLM", "starcoder2", norm_epsilon=1e-5, sliding_window=9, use_bias=True, rope_theta=1e5, tie_word_embeddings=True
    ),
    "gpt2": GPT | {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_positions": 128, "layer_norm_epsilon": 1e-5},
    "gpt2.inner": GPT
    | {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_positions": 128,
        "n_ctx": 128,
        "n_inner": 80,
        "layer_norm_epsilon": 1e-6,
        "activation_function": "gelu",
        "tie_word_embeddings": False,
    },
    "bloom": {
        "architectures": ["BloomForCausalLM"],
        "model_type": "bloom",
        "vocab_size": N_TOKENS,
        "hidden_size": 96,
        "n_layer": 2,
        "n_head": 6,
        "layer_norm_epsilon": 1e-5,
        "seq_length": 2048,
        "bos_token_id": 94,
        "eos_token_id": 95,
    },
    "gptneox": case(
        "GPTNeoXForCausalLM", "gpt_neox", layer_norm_eps=1e-5, num_key_value_heads=None, rotary_pct=0.25, use_parallel_residual=True, hidden_act="gelu"
    ),
    "gptneox.sequential": case(
        "GPTNeoXForCausalLM",
        "gpt_neox",
        layer_norm_eps=1e-5,
        rotary_pct=1.0,
        rotary_emb_base=20000,
        use_parallel_residual=False,
        hidden_act="gelu_fast",
        tie_word_embeddings=False,
    ),
    "stablelm": case(
        "StableLmForCausalLM", "stablelm", layer_norm_eps=1e-5, partial_rotary_factor=0.25, use_qkv_bias=True, use_parallel_residual=False
    ),
    "stablelm.norms": case(
        "StableLmForCausalLM",
        "stablelm",
        layer_norm_eps=1e-5,
        partial_rotary_factor=0.25,
        qk_layernorm=True,
        use_parallel_residual=True,
        use_qkv_bias=False,
    ),
    "cohere": case("CohereForCausalLM", "cohere", layer_norm_eps=1e-5, logit_scale=0.0625, rope_theta=8e6, pad_token_id=0),
    "cohere.norms": case("CohereForCausalLM", "cohere", layer_norm_eps=1e-5, logit_scale=0.25, use_qk_norm=True, pad_token_id=0),
    "cohere2": case(
        "Cohere2ForCausalLM",
        "cohere2",
        layer_norm_eps=1e-5,
        logit_scale=0.25,
        rope_theta=50000.0,
        sliding_window=9,
        sliding_window_pattern=4,
        num_hidden_layers=5,
        head_dim=32,
        pad_token_id=0,
    ),
    "glm4": case(
        "Glm4ForCausalLM", "glm4", rms_norm_eps=1e-5, partial_rotary_factor=0.5, head_dim=32, attention_bias=True, pad_token_id=0
    ),
    "exaone4": case(
        "Exaone4ForCausalLM",
        "exaone4",
        rms_norm_eps=1e-5,
        rope_theta=1e6,
        num_hidden_layers=4,
        sliding_window=9,
        sliding_window_pattern="LLLG",
        layer_types=["sliding_attention"] * 3 + ["full_attention"],
        rope_scaling=LLAMA3,
    ),
    "exaone4.small": case(
        "Exaone4ForCausalLM", "exaone4", rms_norm_eps=1e-5, rope_theta=1e6, sliding_window=None, layer_types=["full_attention"] * 2, tie_word_embeddings=True
    ),
    "arcee": case("ArceeForCausalLM", "arcee", rms_norm_eps=1e-5, hidden_act="relu2", rope_scaling=YARN),
    "apertus": case("ApertusForCausalLM", "apertus", rms_norm_eps=1e-5, rope_theta=12e6, rope_scaling=LLAMA3, hidden_act="xielu"),
    "seed_oss": case("SeedOssForCausalLM", "seed_oss", rms_norm_eps=1e-6, rope_theta=1e7, head_dim=24, attention_bias=True, attention_out_bias=False),
    "ernie4_5": case("Ernie4_5ForCausalLM", "ernie4_5", rms_norm_eps=1e-5, head_dim=24, rope_theta=500000.0, use_bias=False),
    "ernie4_5.bias": case("Ernie4_5ForCausalLM", "ernie4_5", rms_norm_eps=1e-5, use_bias=True, tie_word_embeddings=False),
    "nemotron": case("NemotronForCausalLM", "nemotron", norm_eps=1e-5, partial_rotary_factor=0.5, hidden_act="relu2", head_dim=16),
    "hunyuan": case(
        "HunYuanDenseV1ForCausalLM",
        "hunyuan_v1_dense",
        rms_norm_eps=1e-5,
        head_dim=32,
        rope_scaling={"type": "dynamic", "factor": 1.0, "alpha": 1000.0, "beta_fast": 32, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0},
        tie_word_embeddings=True,
    ),
    "falcon.7b": {
        "architectures": ["FalconForCausalLM"],
        "model_type": "falcon",
        "vocab_size": N_TOKENS,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "layer_norm_epsilon": 1e-5,
        "multi_query": True,
        "parallel_attn": True,
        "new_decoder_architecture": False,
        "alibi": False,
        "bias": False,
        "bos_token_id": 94,
        "eos_token_id": 95,
    },
    "falcon.40b": {
        "architectures": ["FalconForCausalLM"],
        "model_type": "falcon",
        "vocab_size": N_TOKENS,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_kv_heads": 2,
        "layer_norm_epsilon": 1e-5,
        "new_decoder_architecture": True,
        "alibi": False,
        "bias": False,
        "tie_word_embeddings": False,
        "bos_token_id": 94,
        "eos_token_id": 95,
    },
    "falcon.11b": {
        "architectures": ["FalconForCausalLM"],
        "model_type": "falcon",
        "vocab_size": N_TOKENS,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_kv_heads": 2,
        "num_ln_in_parallel_attn": 1,
        "layer_norm_epsilon": 1e-5,
        "new_decoder_architecture": True,
        "rope_theta": 500042.0,
        "max_position_embeddings": 8192,
        "ffn_hidden_size": 96,
        "alibi": False,
        "bias": False,
        "bos_token_id": 94,
        "eos_token_id": 95,
    },
    "mpt": {
        "architectures": ["MptForCausalLM"],
        "model_type": "mpt",
        "vocab_size": N_TOKENS,
        "d_model": 64,
        "n_heads": 4,
        "n_layers": 2,
        "expansion_ratio": 4,
        "max_seq_len": 128,
        "no_bias": True,
        "attn_config": {"alibi": True, "alibi_bias_max": 8, "attn_type": "multihead_attention", "clip_qkv": None, "softmax_scale": None},
    },
    "mpt.clipped": {
        "architectures": ["MPTForCausalLM"],
        "model_type": "mpt",
        "vocab_size": N_TOKENS,
        "d_model": 96,
        "n_heads": 6,
        "n_layers": 2,
        "expansion_ratio": 4,
        "max_seq_len": 128,
        "no_bias": True,
        "attn_config": {"alibi": True, "alibi_bias_max": 16, "clip_qkv": 0.5, "softmax_scale": None},
    },
}


def blocks(n_layers, attention, ffn):
    """Names and shapes of the tensors of a Llama whose layers may lack parts."""
    tensors = {"model.embed_tokens.weight": [N_TOKENS, 64], "lm_head.weight": [N_TOKENS, 64], "model.norm.weight": [64]}
    for i in range(n_layers):
        start = f"model.layers.{i}."
        kv = attention[i]
        if kv != "none":
            tensors[start + "input_layernorm.weight"] = [64]
        if kv == "linear":
            tensors[start + "self_attn.linear_attn.weight"] = [64, 64]
        elif kv != "none":
            for name, rows in (("q", 64), ("k", 16 * kv), ("v", 16 * kv), ("o", 64)):
                tensors[start + f"self_attn.{name}_proj.weight"] = [rows, 64]
        if ffn[i]:
            tensors[start + "post_attention_layernorm.weight"] = [64]
            for name in ("gate", "up"):
                tensors[start + f"mlp.{name}_proj.weight"] = [ffn[i], 64]
            tensors[start + "mlp.down_proj.weight"] = [64, ffn[i]]
    return tensors


def block(sharing, times, linear=False):
    attention = {"n_heads_in_group": sharing, "no_op": sharing is None and not linear, "replace_with_linear": linear}
    attention |= {"num_sink_tokens": None, "sparsify": None, "window_length": None}
    return {"attention": attention, "ffn": {"ffn_mult": times, "no_op": times is None, "replace_with_linear": False, "sparsify": None}}


def exaone():
    tensors = {"transformer.wte.weight": [N_TOKENS, 64], "transformer.ln_f.weight": [64], "lm_head.weight": [N_TOKENS, 64]}
    for i in range(2):
        start = f"transformer.h.{i}."
        tensors |= {start + "ln_1.weight": [64], start + "ln_2.weight": [64]}
        for name, rows in (("q_proj", 64), ("k_proj", 32), ("v_proj", 32), ("out_proj", 64)):
            tensors[start + f"attn.attention.{name}.weight"] = [rows, 64]
        tensors |= {start + "mlp.c_fc_0.weight": [96, 64], start + "mlp.c_fc_1.weight": [96, 64], start + "mlp.c_proj.weight": [64, 96]}
    return tensors


def internlm2():
    tensors = {"model.tok_embeddings.weight": [N_TOKENS, 64], "model.norm.weight": [64], "output.weight": [N_TOKENS, 64]}
    for i in range(2):
        start = f"model.layers.{i}."
        tensors |= {start + "attention_norm.weight": [64], start + "ffn_norm.weight": [64]}
        tensors |= {start + "attention.wqkv.weight": [128, 64], start + "attention.wo.weight": [64, 64]}
        tensors |= {start + "feed_forward.w1.weight": [96, 64], start + "feed_forward.w3.weight": [96, 64]}
        tensors[start + "feed_forward.w2.weight"] = [64, 96]
    return tensors


# What transformers has no code for: configuration, names and shapes.
REMOTE = {
    "deci.blocks": (
        case(
            "DeciLMForCausalLM",
            "nemotron-nas",
            rms_norm_eps=1e-5,
            num_hidden_layers=5,
            num_key_value_heads=None,
            intermediate_size=None,
            rope_theta=500000.0,
            rope_scaling=LLAMA3 | {"original_max_position_embeddings": 8192},
            tie_word_embeddings=False,
            block_configs=[block(2, 5.25), block(None, 1.0, True), block(None, 7.0), block(None, None), block(4, 1.3125)],
        ),
        blocks(5, [2, "linear", "none", "none", 1], [256, 256, 512, 0, 256]),
    ),
    "deci.7b": (
        case(
            "DeciLMForCausalLM",
            "deci",
            rms_norm_eps=1e-5,
            num_hidden_layers=3,
            num_key_value_heads_per_layer=[4, 2, 1],
            rope_theta=10000.0,
            tie_word_embeddings=False,
        ),
        blocks(3, [4, 2, 1], [96] * 3),
    ),
    "minicpm": (
        case(
            "MiniCPMForCausalLM",
            "minicpm",
            rms_norm_eps=1e-5,
            scale_emb=12,
            scale_depth=1.4,
            dim_model_base=16,
            tie_word_embeddings=False,
        ),
        blocks(2, [2, 2], [96, 96]),
    ),
    "minicpm.longrope": (
        case(
            "MiniCPMForCausalLM",
            "minicpm",
            rms_norm_eps=1e-5,
            scale_emb=12,
            scale_depth=1.4,
            dim_model_base=16,
            tie_word_embeddings=False,
            rope_scaling=longrope(8) | {"original_max_position_embeddings": 256},
        ),
        blocks(2, [2, 2], [96, 96]),
    ),
    "exaone": (
        case("ExaoneForCausalLM", "exaone", num_layers=2, rms_norm_eps=1e-5, layer_norm_epsilon=1e-5, activation_function="silu", rope_theta=1e6, rope_scaling=LLAMA3),
        exaone(),
    ),
    "internlm2": (case("InternLM2ForCausalLM", "internlm2", rms_norm_eps=1e-5, rope_theta=1e6, bias=False, hidden_act="silu"), internlm2()),
}

# Run in a process of its own: llama.cpp's converter, with a vocabulary of numbered tokens.
