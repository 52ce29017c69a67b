//! What each family's folder looks like, written independently of the table under test: the tiny
//! GGUF file of a case is turned into the folder that transformers would have for it.

use kelvin_testkit::tiny::{Meta, Sizes, TinyModel};
use serde_json::{Map, Value, json};

use super::build::{Folder, tokenizer};
use crate::families::{build::Case, cases::cases};

/// One family: the case of its GGUF file, transformers' name, the names of tensors, and what else
/// config.json says. After `~` stands how a tensor differs: `q` and `k` have heads by halves, `t`
/// is transposed, `h` has queries, keys and values by head, `e` is one vector for each head.
pub(super) struct Row {
    pub(super) case: &'static str,
    hf: &'static str,
    layer: &'static str,
    names: &'static str,
    more: fn() -> Value,
}

const ATTENTION: &str = "attn_q=self_attn.q_proj attn_k=self_attn.k_proj attn_v=self_attn.v_proj attn_output=self_attn.o_proj ";
const PAIRED: &str = "attn_q=self_attn.q_proj~q attn_k=self_attn.k_proj~k attn_v=self_attn.v_proj attn_output=self_attn.o_proj ";
const WHOLE: &str = "token_embd=model.embed_tokens output_norm=model.norm output=lm_head ";
const NORMS: &str = "attn_norm=input_layernorm ffn_norm=post_attention_layernorm ";
const GATED: &str = "ffn_gate=mlp.gate_proj ffn_up=mlp.up_proj ffn_down=mlp.down_proj ";
const QK: &str = "attn_q_norm=self_attn.q_norm attn_k_norm=self_attn.k_norm ";
const LATE: &str =
    "post_attention_norm=post_attention_layernorm post_ffw_norm=post_feedforward_layernorm ";

fn none() -> Value {
    json!({})
}

fn names_of(row: &Row) -> String {
    let mut names = row.names.to_string();
    for (sign, group) in [
        ("WHOLE", WHOLE),
        ("NORMS", NORMS),
        ("ATTENTION", ATTENTION),
        ("PAIRED", PAIRED),
        ("GATED", GATED),
        ("QK", QK),
        ("LATE", LATE),
    ] {
        names = names.replace(sign, group);
    }
    names
}

const fn row(
    case: &'static str,
    hf: &'static str,
    names: &'static str,
    more: fn() -> Value,
) -> Row {
    Row { case, hf, layer: "model.layers.{}.", names, more }
}

pub(super) const ROWS: &[Row] = &[
    row("llama.plain", "LlamaForCausalLM", "WHOLE NORMS PAIRED GATED", none),
    row(
        "llama.linear",
        "MistralForCausalLM",
        "WHOLE NORMS PAIRED GATED",
        || json!({ "rope_scaling": { "type": "linear", "factor": 4.0 }, "sliding_window": null }),
    ),
    row(
        "qwen2.plain",
        "Qwen2ForCausalLM",
        "WHOLE NORMS ATTENTION GATED",
        || json!({ "sliding_window": 7, "use_sliding_window": false, "tie_word_embeddings": true }),
    ),
    row(
        "qwen3.full",
        "Qwen3ForCausalLM",
        "WHOLE NORMS ATTENTION GATED QK",
        || json!({ "rope_parameters": { "rope_type": "default", "rope_theta": 1e6 } }),
    ),
    row(
        "gemma.plain",
        "GemmaForCausalLM",
        "WHOLE NORMS ATTENTION GATED",
        || json!({ "hidden_activation": "gelu_pytorch_tanh" }),
    ),
    row(
        "gemma2.plain",
        "Gemma2ForCausalLM",
        "WHOLE ATTENTION GATED attn_norm=input_layernorm post_attention_norm=post_attention_layernorm ffn_norm=pre_feedforward_layernorm post_ffw_norm=post_feedforward_layernorm",
        || {
            json!({ "hidden_activation": "gelu_pytorch_tanh", "sliding_window": 4096,
                "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
                "query_pre_attn_scalar": 24 })
        },
    ),
    row(
        "gemma3.plain",
        "Gemma3ForCausalLM",
        "WHOLE ATTENTION GATED QK attn_norm=input_layernorm post_attention_norm=post_attention_layernorm ffn_norm=pre_feedforward_layernorm post_ffw_norm=post_feedforward_layernorm",
        || json!({ "hidden_activation": "gelu_pytorch_tanh" }),
    ),
    row(
        "phi3.full",
        "Phi3ForCausalLM",
        "WHOLE NORMS attn_qkv=self_attn.qkv_proj attn_output=self_attn.o_proj ffn_up=mlp.gate_up_proj ffn_down=mlp.down_proj",
        none,
    ),
    row(
        "phi2.plain",
        "PhiForCausalLM",
        "token_embd=model.embed_tokens output_norm=model.final_layernorm output=lm_head attn_norm=input_layernorm attn_q=self_attn.q_proj attn_k=self_attn.k_proj attn_v=self_attn.v_proj attn_output=self_attn.dense ffn_up=mlp.fc1 ffn_down=mlp.fc2",
        || json!({ "hidden_act": "gelu_new" }),
    ),
    row("mistral3.plain", "Ministral3ForCausalLM", "WHOLE NORMS PAIRED GATED", none),
    row(
        "minicpm.plain",
        "MiniCPMForCausalLM",
        "WHOLE NORMS PAIRED GATED",
        || json!({ "scale_emb": 12, "scale_depth": 1.4, "dim_model_base": 16 }),
    ),
    row(
        "apertus.plain",
        "ApertusForCausalLM",
        "WHOLE ATTENTION QK attn_norm=attention_layernorm ffn_norm=feedforward_layernorm ffn_up=mlp.up_proj ffn_down=mlp.down_proj",
        || json!({ "hidden_act": "xielu" }),
    ),
    row("olmo2.plain", "Olmo2ForCausalLM", "WHOLE ATTENTION GATED QK LATE", none),
    row(
        "smollm3.plain",
        "SmolLM3ForCausalLM",
        "WHOLE NORMS PAIRED GATED",
        || json!({ "no_rope_layers": [1, 1, 1, 0, 1, 1, 1, 0] }),
    ),
    row(
        "granite.plain",
        "GraniteForCausalLM",
        "WHOLE NORMS PAIRED GATED",
        || json!({ "logits_scaling": 1.0 }),
    ),
    row(
        "starcoder2.full",
        "Starcoder2ForCausalLM",
        "WHOLE NORMS ATTENTION ffn_up=mlp.c_fc ffn_down=mlp.c_proj",
        || json!({ "hidden_act": "gelu_pytorch_tanh" }),
    ),
    Row {
        case: "gpt2.plain",
        hf: "GPT2LMHeadModel",
        layer: "transformer.h.{}.",
        names: "token_embd=transformer.wte position_embd=transformer.wpe output_norm=transformer.ln_f output=lm_head attn_norm=ln_1 attn_qkv=attn.c_attn~t attn_output=attn.c_proj~t ffn_norm=ln_2 ffn_up=mlp.c_fc~t ffn_down=mlp.c_proj~t",
        more: || json!({ "activation_function": "gelu_new" }),
    },
    Row {
        case: "bloom.full",
        hf: "BloomForCausalLM",
        layer: "transformer.h.{}.",
        names: "token_embd=transformer.word_embeddings token_embd_norm=transformer.word_embeddings_layernorm output_norm=transformer.ln_f output=lm_head attn_norm=input_layernorm attn_qkv=self_attention.query_key_value~h attn_output=self_attention.dense ffn_norm=post_attention_layernorm ffn_up=mlp.dense_h_to_4h ffn_down=mlp.dense_4h_to_h",
        more: || json!({ "tie_word_embeddings": false }),
    },
    Row {
        case: "gptneox.full",
        hf: "GPTNeoXForCausalLM",
        layer: "gpt_neox.layers.{}.",
        names: "token_embd=gpt_neox.embed_in output_norm=gpt_neox.final_layer_norm output=embed_out attn_norm=input_layernorm attn_qkv=attention.query_key_value~h attn_output=attention.dense ffn_norm=post_attention_layernorm ffn_up=mlp.dense_h_to_4h ffn_down=mlp.dense_4h_to_h",
        more: || json!({ "hidden_act": "gelu", "use_parallel_residual": true }),
    },
    row(
        "stablelm.full",
        "StableLmForCausalLM",
        "WHOLE NORMS ATTENTION GATED attn_q_norm=self_attn.q_layernorm.norms.{e}~e attn_k_norm=self_attn.k_layernorm.norms.{e}~e",
        none,
    ),
    row(
        "command-r.full",
        "CohereForCausalLM",
        "WHOLE ATTENTION GATED QK attn_norm=input_layernorm",
        || json!({ "logit_scale": 0.0625 }),
    ),
    row(
        "cohere2.plain",
        "Cohere2ForCausalLM",
        "WHOLE ATTENTION GATED attn_norm=input_layernorm",
        none,
    ),
    row(
        "glm4.plain",
        "Glm4ForCausalLM",
        "WHOLE ATTENTION attn_norm=input_layernorm post_attention_norm=post_self_attn_layernorm ffn_norm=post_attention_layernorm post_ffw_norm=post_mlp_layernorm ffn_up=mlp.gate_up_proj ffn_down=mlp.down_proj",
        none,
    ),
    Row {
        case: "exaone.plain",
        hf: "ExaoneForCausalLM",
        layer: "transformer.h.{}.",
        names: "token_embd=transformer.wte output_norm=transformer.ln_f output=lm_head attn_norm=ln_1 attn_q=attn.attention.q_proj attn_k=attn.attention.k_proj attn_v=attn.attention.v_proj attn_output=attn.attention.out_proj ffn_norm=ln_2 ffn_gate=mlp.c_fc_0 ffn_up=mlp.c_fc_1 ffn_down=mlp.c_proj",
        more: || json!({ "activation_function": "silu" }),
    },
    row("exaone4.plain", "Exaone4ForCausalLM", "WHOLE ATTENTION GATED QK LATE", none),
    row(
        "internlm2.full",
        "InternLM2ForCausalLM",
        "token_embd=model.tok_embeddings output_norm=model.norm output=output attn_norm=attention_norm attn_q=attention.wqkv~g attn_output=attention.wo ffn_norm=ffn_norm ffn_gate=feed_forward.w1 ffn_up=feed_forward.w3 ffn_down=feed_forward.w2",
        none,
    ),
    row(
        "arcee.plain",
        "ArceeForCausalLM",
        "WHOLE NORMS PAIRED ffn_up=mlp.up_proj ffn_down=mlp.down_proj",
        || json!({ "hidden_act": "relu2" }),
    ),
    row(
        "seed_oss.full",
        "SeedOssForCausalLM",
        "WHOLE ATTENTION GATED attn_norm=input_layernorm post_attention_norm=post_attention_layernorm",
        || json!({ "attention_bias": true, "residual_dropout": 0.1 }),
    ),
    row(
        "ernie4_5.plain",
        "Ernie4_5ForCausalLM",
        "WHOLE NORMS ATTENTION GATED",
        || json!({ "use_bias": false }),
    ),
    row(
        "nemotron.plain",
        "NemotronForCausalLM",
        "WHOLE NORMS ATTENTION ffn_up=mlp.up_proj ffn_down=mlp.down_proj",
        || json!({ "hidden_act": "relu2" }),
    ),
    row(
        "hunyuan-dense.full",
        "HunYuanDenseV1ForCausalLM",
        "WHOLE NORMS ATTENTION GATED attn_q_norm=self_attn.query_layernorm attn_k_norm=self_attn.key_layernorm",
        || json!({ "rope_scaling": { "type": "dynamic", "factor": 1.0, "alpha": 50.0 } }),
    ),
];

/// The GGUF model and its folder.
pub(super) fn both(row: &Row) -> (TinyModel, Folder) {
    let case = cases().find(|case| case.name == row.case);
    let case = case.unwrap_or_else(|| panic!("no case {}", row.case));
    let mut model = case.model();
    let less_one = row.hf.starts_with("Gemma") || row.hf.starts_with("Nemotron");
    if less_one {
        // Norms are stored less one, which isn't exact for every number.
        for (name, _, numbers) in &mut model.tensors {
            if name.ends_with("norm.weight") {
                numbers.iter_mut().for_each(|x| *x = (*x - 1.0) + 1.0);
            }
        }
    }
    let names = names_of(row);
    let mut tensors = Vec::new();
    for (name, shape, numbers) in &model.tensors {
        let (part, suffix) = name.rsplit_once('.').unwrap();
        let (layer, part) = match part.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) {
            Some((layer, part)) => (Some(layer), part),
            None => (None, part),
        };
        if row.case.starts_with("internlm2") && (part == "attn_k" || part == "attn_v") {
            continue;
        }
        if part.starts_with("rope_") {
            continue;
        }
        let found =
            names.split_whitespace().find_map(|pair| pair.strip_prefix(&format!("{part}=")));
        let found = found.unwrap_or_else(|| panic!("{}: no name for {part}", row.case));
        let (hf, how) = found.split_once('~').unwrap_or((found, ""));
        let start = layer.map(|layer| row.layer.replace("{}", layer)).unwrap_or_default();
        let hf = format!("{start}{hf}.{suffix}");
        let shape: Vec<usize> = shape.iter().rev().copied().collect();
        let stored = Stored { case, model: &model, name, how };
        stored.push(hf, shape, numbers, &mut tensors);
    }
    if less_one {
        for (_, _, numbers) in tensors.iter_mut().filter(|(name, ..)| name.ends_with("norm.weight"))
        {
            numbers.iter_mut().for_each(|x| *x -= 1.0);
        }
    }
    if row.case.starts_with("apertus") {
        tensors.extend(xielu(case, &model));
    }
    let folder = Folder {
        config: config(row, case, &model),
        tokenizer: tokenizer(case.sizes.vocab_size),
        files: vec![("tokenizer_config.json".into(), r#"{"eos_token": "</s>"}"#.into())],
        tensors,
    };
    (model, folder)
}

/// Apertus has the parameters of its activation in tensors, two of them without sizes.
fn xielu(case: &Case, model: &TinyModel) -> Tensors {
    let mut tensors = Vec::new();
    for (key, value) in &model.metadata {
        if let (Some(name), Meta::F32(x)) = (key.strip_prefix("xielu."), value) {
            let shape = if name.starts_with("alpha") { vec![1] } else { vec![] };
            tensors.extend((0..case.sizes.n_layers).map(|i| {
                let name = format!("model.layers.{i}.mlp.act_fn.{name}");
                (name, shape.clone(), vec![*x])
            }));
        }
    }
    tensors
}

struct Stored<'a> {
    case: &'a Case,
    model: &'a TinyModel,
    name: &'a str,
    how: &'a str,
}

type Tensors = Vec<(String, Vec<usize>, Vec<f32>)>;

impl Stored<'_> {
    fn push(&self, hf: String, shape: Vec<usize>, numbers: &[f32], out: &mut Tensors) {
        let Sizes { n_heads, n_kv_heads, head_dim, .. } = self.case.sizes;
        let width = numbers.len() / shape[0];
        let rows: Vec<&[f32]> = numbers.chunks(width).collect();
        let pick = |order: Vec<usize>| order.iter().flat_map(|&row| rows[row].to_vec()).collect();
        let halves = |n_heads: usize| -> Vec<usize> {
            // Row i of a half lies at 2i, that of the other half beside it.
            let of_head = |head: usize| {
                let half = head_dim / 2;
                (0..head_dim).map(move |i| head * head_dim + i % half * 2 + i / half)
            };
            (0..n_heads).flat_map(of_head).collect()
        };
        let numbers: Vec<f32> = match self.how {
            "x" => {
                for (e, expert) in numbers.chunks(shape[1] * shape[2]).enumerate() {
                    let name = hf.replace("{e}", &e.to_string());
                    out.push((name, shape[1..].to_vec(), expert.to_vec()));
                }
                return;
            }
            "q" => pick(halves(n_heads)),
            "k" => pick(halves(n_kv_heads)),
            "t" if shape.len() == 2 => {
                let turned = (0..numbers.len()).map(|i| rows[i % shape[0]][i / shape[0]]).collect();
                out.push((hf, vec![shape[1], shape[0]], turned));
                return;
            }
            "h" => {
                let place =
                    |head: usize, part: usize, i: usize| (part * n_heads + head) * head_dim + i;
                let mut order = Vec::new();
                for head in 0..n_heads {
                    for part in 0..3 {
                        order.extend((0..head_dim).map(|i| place(head, part, i)));
                    }
                }
                pick(order)
            }
            "e" => {
                for (e, row) in rows.iter().enumerate() {
                    out.push((hf.replace("{e}", &e.to_string()), vec![head_dim], row.to_vec()));
                }
                return;
            }
            "g" => {
                let other = |part: &str| {
                    let name = self.name.replace("attn_q", part);
                    &self.model.tensors.iter().find(|(found, ..)| *found == name).unwrap().2
                };
                let (k, v): (Vec<f32>, Vec<f32>) =
                    (other("attn_k").clone(), other("attn_v").clone());
                let q: Vec<f32> = pick(halves(n_heads));
                let k_rows: Vec<&[f32]> = k.chunks(width).collect();
                let k: Vec<f32> =
                    halves(n_kv_heads).iter().flat_map(|&row| k_rows[row].to_vec()).collect();
                let (shared, head) = (n_heads / n_kv_heads, head_dim * width);
                let mut all = Vec::new();
                for group in 0..n_kv_heads {
                    all.extend(&q[group * shared * head..][..shared * head]);
                    all.extend(&k[group * head..][..head]);
                    all.extend(&v[group * head..][..head]);
                }
                let n_rows = (n_heads + 2 * n_kv_heads) * head_dim;
                let shape = if shape.len() == 1 { vec![n_rows] } else { vec![n_rows, width] };
                out.push((hf, shape, all));
                return;
            }
            _ => numbers.to_vec(),
        };
        out.push((hf, shape, numbers));
    }
}

fn config(row: &Row, case: &Case, model: &TinyModel) -> Value {
    let s = &case.sizes;
    let find = |key: &str| {
        let key = format!("{}.{key}", case.arch());
        model.metadata.iter().find(|(found, _)| *found == key).map(|(_, value)| value)
    };
    let mut config: Map<String, Value> = serde_json::from_value(json!({
        "architectures": [row.hf],
        "num_hidden_layers": s.n_layers,
        "hidden_size": s.d_model,
        "num_attention_heads": s.n_heads,
        "num_key_value_heads": s.n_kv_heads,
        "head_dim": s.head_dim,
        "intermediate_size": s.d_ff,
        "max_position_embeddings": s.ctx_len,
        "vocab_size": s.vocab_size,
        "rms_norm_eps": 1e-5,
        "layer_norm_eps": 1e-5,
        "partial_rotary_factor": s.rope_dim as f64 / s.head_dim as f64,
        "use_cache": true,
    }))
    .unwrap();
    for (key, hf) in [
        ("rope.freq_base", "rope_theta"),
        ("attention.sliding_window", "sliding_window"),
        ("logit_scale", "logit_scale"),
        ("final_logit_softcapping", "final_logit_softcapping"),
    ] {
        match find(key) {
            Some(Meta::F32(x)) => config.insert(hf.into(), json!(x)),
            Some(Meta::U32(x)) => config.insert(hf.into(), json!(x)),
            _ => None,
        };
    }
    let list = |name: &str| {
        let found = model.tensors.iter().find(|(found, ..)| found == name);
        found.map(|(_, _, numbers)| numbers.clone())
    };
    if let (Some(short), Some(long)) =
        (list("rope_factors_short.weight"), list("rope_factors_long.weight"))
    {
        config.insert(
            "rope_scaling".into(),
            json!({ "type": "longrope", "short_factor": short, "long_factor": long,
                "attention_factor": 1.19 }),
        );
        config.insert("original_max_position_embeddings".into(), json!(256));
    }
    for (key, value) in (row.more)().as_object().unwrap() {
        config.insert(key.clone(), value.clone());
    }
    Value::Object(config)
}
