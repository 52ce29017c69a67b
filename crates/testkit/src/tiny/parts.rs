//! Makes the keys and the random tensors of a tiny model from its sizes and a list of names.

use super::{Meta, Random, TinyModel};

/// A file's sizes.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub n_layers: usize,
    pub d_model: usize,
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
    pub d_ff: usize,
    pub vocab_size: usize,
    /// 0: the file says nothing of rotary embeddings.
    pub rope_dim: usize,
    pub ctx_len: usize,
    /// Width of the embedding for each layer.
    pub layer_embedding: usize,
    pub n_experts: usize,
    /// Width of an expert.
    pub d_expert: usize,
    /// Width of the expert that all tokens share.
    pub d_shared: usize,
    /// `feed_forward_length` is so many times d_ff.
    pub ffn_times: usize,
    /// What each layer has; empty where layers are alike.
    pub each: &'static [Each],
}

/// The sizes of one layer of several kinds.
#[derive(Clone, Copy)]
pub struct Each {
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
    pub d_ff: usize,
}

impl Sizes {
    fn layer(&self, i: usize) -> Each {
        let Sizes { n_heads, n_kv_heads, head_dim, d_ff, .. } = *self;
        self.each.get(i).copied().unwrap_or(Each { n_heads, n_kv_heads, head_dim, d_ff })
    }
}

impl TinyModel {
    /// A file of an architecture with its sizes and no tensors.
    pub fn of_sizes(arch: &str, s: &Sizes) -> TinyModel {
        let mut model = TinyModel { metadata: Vec::new(), tensors: Vec::new() };
        model.metadata.push(("general.architecture".into(), Meta::Str(arch.into())));
        let size = |of: fn(&Each) -> usize, all: usize| match s.each {
            [] => Meta::U32(all as u32),
            each => Meta::I32s(each.iter().map(|layer| of(layer) as i32).collect()),
        };
        let one = |n: usize| Meta::U32(n as u32);
        for (key, value) in [
            ("block_count", one(s.n_layers)),
            ("context_length", one(s.ctx_len)),
            ("embedding_length", one(s.d_model)),
            ("feed_forward_length", size(|layer| layer.d_ff, s.ffn_times * s.d_ff)),
            ("attention.head_count", size(|layer| layer.n_heads, s.n_heads)),
            ("attention.head_count_kv", size(|layer| layer.n_kv_heads, s.n_kv_heads)),
            ("attention.key_length", one(s.head_dim)),
            ("attention.value_length", one(s.head_dim)),
        ] {
            model.set(key, value);
        }
        if s.rope_dim > 0 {
            model.set("rope.dimension_count", one(s.rope_dim));
        }
        model.set("vocab_size", one(s.vocab_size));
        model
    }

    /// Adds tensors: those of the whole, `|`, those of each layer; or those of the first layers,
    /// each after a `|`, the last list being that of all others. `+` means that there is a bias as
    /// well, `-` that there is nothing else, `*` a scale, `!` that the name ends without `.weight`;
    /// after `:` stands which of several shapes. What a layer doesn't have is left out.
    pub fn add_tensors(&mut self, random: &mut Random, sizes: &Sizes, list: &str) {
        let (whole, layers) = list.split_once('|').expect("lists of the whole and of layers");
        let layers: Vec<&str> = layers.split('|').collect();
        whole.split_whitespace().for_each(|spec| self.add_tensor(random, sizes, None, spec));
        for i in 0..sizes.n_layers {
            let layer = layers[i.min(layers.len() - 1)];
            layer.split_whitespace().for_each(|spec| self.add_tensor(random, sizes, Some(i), spec));
        }
    }

    fn add_tensor(&mut self, random: &mut Random, sizes: &Sizes, layer: Option<usize>, spec: &str) {
        let (spec, mark) = match spec.chars().last() {
            Some(mark @ ('+' | '-' | '*' | '!')) => (&spec[..spec.len() - 1], mark),
            _ => (spec, ' '),
        };
        let (name, form) = spec.split_once(':').unwrap_or((spec, ""));
        let each = sizes.layer(layer.unwrap_or(0));
        let has_attention = each.n_heads > 0 || !name.starts_with("attn_");
        let has_ffn = each.d_ff > 0 || !name.starts_with("ffn_");
        let shape = shape(sizes, &each, name, form);
        if layer.is_some() && !(has_attention && has_ffn && shape.iter().all(|n| *n > 0)) {
            return;
        }
        let prefix = layer.map_or(String::new(), |i| format!("blk.{i}."));
        let rows = match shape.as_slice() {
            _ if name.contains("norm") => shape.clone(),
            [_, rows, n_experts] => vec![*rows, *n_experts],
            shape => vec![shape[shape.len() - 1]],
        };
        let ending = if mark == '!' { "" } else { ".weight" };
        if mark != '-' {
            let weights = numbers(random, name, &shape);
            self.tensors.push((format!("{prefix}{name}{ending}"), shape, weights));
        }
        if mark == '+' || mark == '-' {
            let n = rows.iter().product();
            let bias = (0..n).map(|_| 0.5 * random.next()).collect();
            self.tensors.push((format!("{prefix}{name}.bias"), rows, bias));
        }
        if mark == '*' {
            let scale = vec![1.0 + 0.3 * random.next()];
            self.tensors.push((format!("{prefix}{name}.scale"), vec![1], scale));
        }
    }
}

/// A tensor's shape, innermost dimension first.
fn shape(s: &Sizes, layer: &Each, name: &str, form: &str) -> Vec<usize> {
    let [q, kv] = [layer.n_heads, layer.n_kv_heads].map(|n| n * layer.head_dim);
    let all_layers = s.layer_embedding * s.n_layers;
    match name {
        "token_embd" | "output" => vec![s.d_model, s.vocab_size],
        "position_embd" => vec![s.d_model, s.ctx_len],
        "rope_freqs" | "rope_factors_short" | "rope_factors_long" => vec![s.rope_dim / 2],
        // A layer without key-value heads has a matrix in attention's place.
        "attn_q" if kv == 0 => vec![0, 0],
        "attn_q" => vec![s.d_model, q],
        "attn_k" | "attn_v" => vec![s.d_model, kv],
        "attn_qkv" | "vis_attn_qkv" => vec![s.d_model, q + 2 * kv],
        "attn_gate" if form == "head" => vec![s.d_model, layer.n_heads],
        "attn_gate" => vec![s.d_model, q],
        "attn_output" if form == "latent" => vec![12 * layer.n_heads, s.d_model],
        "attn_output" if kv == 0 => vec![s.d_model, s.d_model],
        "attn_output" | "vis_attn_output" => vec![q, s.d_model],
        "attn_q_norm" | "attn_k_norm" => {
            let n_heads = if name == "attn_q_norm" { layer.n_heads } else { layer.n_kv_heads };
            match form {
                "each" => vec![layer.head_dim, n_heads],
                "whole" => vec![n_heads * layer.head_dim],
                "scale" => vec![1, n_heads],
                _ => vec![layer.head_dim],
            }
        }
        "attn_sub_norm" => vec![q],
        "attn_sinks" => vec![layer.n_heads],
        "ffn_sub_norm" => vec![layer.d_ff],
        "exp_probs_b" => vec![s.n_experts],
        "ffn_gate_inp" => vec![s.d_model, s.n_experts],
        "ffn_gate_inp_shexp" => vec![s.d_model],
        "ffn_gate_exps" | "ffn_up_exps" => vec![s.d_model, s.d_expert, s.n_experts],
        "ffn_gate_up_exps" => vec![s.d_model, 2 * s.d_expert, s.n_experts],
        "ffn_down_exps" => vec![s.d_expert, s.d_model, s.n_experts],
        "ffn_gate_shexp" | "ffn_up_shexp" => vec![s.d_model, s.d_shared],
        "ffn_down_shexp" => vec![s.d_shared, s.d_model],
        "nextn.eh_proj" => vec![2 * s.d_model, s.d_model],
        "ffn_up" if form == "fused" => vec![s.d_model, 2 * layer.d_ff],
        "ffn_gate" | "ffn_up" | "vis_gate" | "vis_up" => vec![s.d_model, layer.d_ff],
        "ffn_down" | "vis_down" => vec![layer.d_ff, s.d_model],
        "layer_output_scale" => vec![1],
        "per_layer_token_embd" => vec![all_layers, s.vocab_size],
        "per_layer_model_proj" => vec![s.d_model, all_layers],
        "per_layer_proj_norm" => vec![s.layer_embedding],
        "inp_gate" => vec![s.d_model, s.layer_embedding],
        "proj" => vec![s.layer_embedding, s.d_model],
        // Latent attention: a rank of 24 for queries, of 32 for keys and values of 12 numbers.
        "attn_q_a" => vec![s.d_model, 24],
        "attn_q_a_norm" => vec![24],
        "attn_q_b" => vec![24, q],
        "attn_kv_a_mqa" => vec![s.d_model, 32 + s.rope_dim],
        "attn_kv_a_norm" => vec![32],
        "attn_kv_b" => vec![32, layer.n_heads * (layer.head_dim - s.rope_dim + 12)],
        "altup_proj" | "altup_unembd_proj" => vec![s.d_model, s.d_model, 3],
        "altup_correct_coef" => vec![4, 4],
        "altup_predict_coef" => vec![4, 16],
        "altup_router" => vec![s.d_model, 4],
        "altup_correct_scale" => vec![s.d_model],
        "laurel_l" => vec![s.d_model, 64],
        "laurel_r" => vec![64, s.d_model],
        name if name.contains("norm") => vec![s.d_model],
        other => panic!("no shape for {other}"),
    }
}

/// Norm weights and factors lie around one; rows of a matrix have a norm of about 1.7, so that no
/// layer dies or explodes.
fn numbers(random: &mut Random, name: &str, shape: &[usize]) -> Vec<f32> {
    let is_matrix = shape.len() > 1 && !name.contains("norm");
    let (middle, spread) = match name {
        // Streams that feed on each other heavily would let rounding grow from layer to layer.
        "altup_correct_coef" | "altup_predict_coef" => (0.0, 0.1),
        "ffn_gate_inp_shexp" | "attn_sinks" | "exp_probs_b" => (0.0, 0.4),
        _ if is_matrix => (0.0, 3.0 / (shape[0] as f32).sqrt()),
        _ => (1.0, 0.3),
    };
    (0..shape.iter().product()).map(|_| middle + spread * random.next()).collect()
}
