"""The cases of families that transformers has no code for: their configurations, and the shapes of
their tensors, by name (folder_models.py)."""

from folder_cases import LLAMA3, N_TOKENS, case, longrope


def blocks(n_layers, attention, ffn):
    """Names and shapes of the tensors of a Llama whose layers may lack parts."""
    tensors = {
        "model.embed_tokens.weight": [N_TOKENS, 64],
        "lm_head.weight": [N_TOKENS, 64],
        "model.norm.weight": [64],
    }
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
    attention = {
        "n_heads_in_group": sharing,
        "no_op": sharing is None and not linear,
        "replace_with_linear": linear,
    }
    attention |= {"num_sink_tokens": None, "sparsify": None, "window_length": None}
    return {
        "attention": attention,
        "ffn": {"ffn_mult": times, "no_op": times is None, "replace_with_linear": False, "sparsify": None},
    }


def exaone():
    tensors = {
        "transformer.wte.weight": [N_TOKENS, 64],
        "transformer.ln_f.weight": [64],
        "lm_head.weight": [N_TOKENS, 64],
    }
    for i in range(2):
        start = f"transformer.h.{i}."
        tensors |= {start + "ln_1.weight": [64], start + "ln_2.weight": [64]}
        for name, rows in (("q_proj", 64), ("k_proj", 32), ("v_proj", 32), ("out_proj", 64)):
            tensors[start + f"attn.attention.{name}.weight"] = [rows, 64]
        tensors |= {
            start + "mlp.c_fc_0.weight": [96, 64],
            start + "mlp.c_fc_1.weight": [96, 64],
            start + "mlp.c_proj.weight": [64, 96],
        }
    return tensors


def internlm2():
    tensors = {
        "model.tok_embeddings.weight": [N_TOKENS, 64],
        "model.norm.weight": [64],
        "output.weight": [N_TOKENS, 64],
    }
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
            block_configs=[
                block(2, 5.25),
                block(None, 1.0, True),
                block(None, 7.0),
                block(None, None),
                block(4, 1.3125),
            ],
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
        case(
            "ExaoneForCausalLM",
            "exaone",
            num_layers=2,
            rms_norm_eps=1e-5,
            layer_norm_epsilon=1e-5,
            activation_function="silu",
            rope_theta=1e6,
            rope_scaling=LLAMA3,
        ),
        exaone(),
    ),
    "internlm2": (
        case(
            "InternLM2ForCausalLM",
            "internlm2",
            rms_norm_eps=1e-5,
            rope_theta=1e6,
            bias=False,
            hidden_act="silu",
        ),
        internlm2(),
    ),
}

# Run in a process of its own: llama.cpp's converter, with a vocabulary of numbered tokens.
