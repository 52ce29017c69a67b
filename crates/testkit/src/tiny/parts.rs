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
    /// well, `-` that there is nothing else, `*` a scale, `#` that alone, `!` that the name ends
    /// without `.weight`; after `:` stands which of several shapes. What a layer doesn't have is
    /// left out.
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
            Some(mark @ ('+' | '-' | '*' | '#' | '!')) => (&spec[..spec.len() - 1], mark),
            _ => (spec, ' '),
        };
        let (name, form) = spec.split_once(':').unwrap_or((spec, ""));
        let each = sizes.layer(layer.unwrap_or(0));
        let has_attention = each.n_heads > 0 || !name.starts_with("attn_") || form == "kept";
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
        let n_experts = (shape.len() == 3).then(|| shape[2]);
        let ending = if mark == '!' { "" } else { ".weight" };
        if mark != '-' && mark != '#' {
            let weights = numbers(random, name, &shape);
            self.tensors.push((format!("{prefix}{name}{ending}"), shape, weights));
        }
        if mark == '+' || mark == '-' {
            let n = rows.iter().product();
            let bias = (0..n).map(|_| 0.5 * random.next()).collect();
            self.tensors.push((format!("{prefix}{name}.bias"), rows, bias));
        }
        if mark == '*' || mark == '#' {
            let n = n_experts.unwrap_or(1);
            let scale = (0..n).map(|_| 1.0 + 0.3 * random.next()).collect();
            self.tensors.push((format!("{prefix}{name}.scale"), vec![n], scale));
        }
    }
}

/// Widths of a head under the delta rule, of four of them, and of what the convolution sees.
const DELTA_WIDTH: usize = 40;
const DELTA_INNER: usize = 4 * DELTA_WIDTH;
const DELTA_CHANNELS: usize = DELTA_INNER + 4 * DELTA_WIDTH;

/// Of a layer with a state of another kind: `recurrent::shape`'s names.
mod states {
    use super::{Each, Sizes};

    /// Mamba: twice the model's width, steps of rank 10; PLaMo 2's are of rank 64, for 4 heads.
    /// Kimi's delta rule: 4 heads of 16. RWKV: heads of 16, ranks of 16, 24, 8 and 32.
    pub(super) fn shape(s: &Sizes, layer: &Each, name: &str, form: &str) -> Option<Vec<usize>> {
        let d = s.d_model;
        Some(match (name, form) {
            ("ssm_in", "mamba") => vec![d, 4 * d],
            ("ssm_conv1d", "mamba") => vec![4, 2 * d],
            ("ssm_x", "mamba") => vec![2 * d, 10 + 32],
            ("ssm_x", _) => vec![2 * d, 64 + 32],
            ("ssm_dt", "mamba") => vec![10, 2 * d],
            ("ssm_dt", "plamo") => vec![64, 4],
            ("ssm_a", "mamba") => vec![16, 2 * d],
            ("ssm_d", "mamba") => vec![2 * d],
            ("ssm_a" | "ssm_d", "plamo") => vec![4],
            ("ssm_dt_norm", "plamo") => vec![64],
            ("ssm_dt_norm", _) => vec![10],
            ("ssm_b_norm" | "ssm_c_norm", _) => vec![16],
            ("ssm_conv1d_q" | "ssm_conv1d_k" | "ssm_conv1d_v", _) => vec![4, 1, 64],
            ("attn_q" | "attn_k" | "attn_v", "kimi") => vec![d, 64],
            ("attn_qkv", "kimi") => vec![d, 3 * 64],
            ("ssm_f_a" | "ssm_g_a", "whole") => vec![d, 64],
            ("ssm_f_a" | "ssm_g_a", _) => vec![d, 16],
            ("ssm_f_b" | "ssm_g_b", _) => vec![16, 64],
            ("ssm_a", "kimi") => vec![1, 4],
            ("ssm_dt", "kimi") => vec![64],
            ("ssm_norm", "kimi") => vec![16],
            ("attn_output", "kimi") => vec![64, d],
            ("attn_qkv", "lightning") => vec![d, 3 * layer.n_heads * layer.head_dim],
            ("attn_norm_2", "heads") => vec![layer.n_heads * layer.head_dim],
            ("time_mix_w1", "six") => vec![d, 5 * 24],
            ("time_mix_w2", "six") => vec![24, d, 5],
            ("time_mix_lerp_fused", "five") => vec![d, 1, 1, 5],
            ("time_mix_lerp_fused", _) => vec![d, 1, 1, 6],
            ("time_mix_decay_w1" | "time_mix_w1", _) => vec![d, 16],
            ("time_mix_decay_w2" | "time_mix_w2", _) => vec![16, d],
            ("time_mix_first", _) => vec![16, d / 16],
            ("time_mix_a1", _) | ("time_mix_v1", "first") => vec![d, 24],
            ("time_mix_a2", _) | ("time_mix_v2", "first") => vec![24, d],
            ("time_mix_v1", _) => vec![d, 8],
            ("time_mix_v2", _) => vec![8, d],
            ("time_mix_g1", _) => vec![d, 32],
            ("time_mix_g2", _) => vec![32, d],
            ("time_mix_key" | "time_mix_value", "shared") => vec![d, 2 * 16],
            ("time_mix_key" | "time_mix_value", _) => vec![d, d],
            ("time_mix_receptance" | "time_mix_gate" | "time_mix_output", _) => vec![d, d],
            // Latent attention of layers with a window: a rank of 40, keys of 20, values of 10.
            ("attn_q_b", "local") => vec![24, 20 * layer.n_heads],
            ("attn_kv_a_mqa", "local") => vec![d, 40 + s.rope_dim],
            ("attn_kv_a_norm", "local") => vec![40],
            ("attn_k_b", "local") => vec![20 - s.rope_dim, 40, layer.n_heads],
            ("attn_v_b", "local") => vec![40, 10, layer.n_heads],
            ("attn_output", "local") => vec![10 * layer.n_heads, d],
            ("attn_k_norm", "rotated") => vec![s.rope_dim],
            ("attn_gate", "values") => vec![d, 12 * layer.n_heads],
            ("ffn_gate_chexps" | "ffn_up_chexps", _) => vec![d, 24, 4],
            ("ffn_down_chexps", _) => vec![24, d, 4],
            ("hrm.z_l_init", _) => vec![d],
            ("channel_mix_receptance", _) => vec![d, d],
            ("channel_mix_key", _) => vec![d, layer.d_ff],
            ("channel_mix_value", _) => vec![layer.d_ff, d],
            (name, _) if name.contains("_lerp_") => vec![d, 1, 1],
            (name, _) if name.starts_with("time_mix_") => vec![d],
            _ => return None,
        })
    }
}

/// Of layers that read several streams, or adapters that tokens switch on.
mod streams {
    use super::{Each, Sizes};

    /// Four streams, with gates of rank 24. Experts may read a stream of 48 numbers. N-grams have
    /// four rows of a table of 97, with a convolution of 3 taps. Adapters have a rank of 8, and
    /// there are two beside the one of all other tokens.
    pub(super) fn shape(s: &Sizes, layer: &Each, name: &str, form: &str) -> Option<Vec<usize>> {
        let (d, q, kv) = (s.d_model, layer.n_heads, layer.n_kv_heads);
        let [q, kv] = [q, kv].map(|n| n * layer.head_dim);
        Some(match (name, form) {
            ("hc_attn_fn" | "hc_ffn_fn", "mixed") => vec![4 * d, 24],
            ("hc_attn_base" | "hc_ffn_base", "mixed") => vec![24],
            ("hc_attn_scale" | "hc_ffn_scale", "mixed") => vec![3],
            ("hc_attn_fn" | "hc_ffn_fn", _) => vec![4 * d, 8],
            ("hc_attn_base" | "hc_ffn_base", _) => vec![8],
            ("hc_attn_scale" | "hc_ffn_scale", _) => vec![2],
            ("output_hc_fn", _) => vec![4 * d, 4],
            ("output_hc_base", _) => vec![4],
            ("output_hc_scale", _) => vec![1],
            ("hc_attn_norm" | "hc_ffn_norm" | "output_hc_norm", "flat") => vec![4 * d],
            ("hc_attn_norm" | "hc_ffn_norm" | "output_hc_norm", _) => vec![d, 4],
            ("hc_attn_down" | "hc_ffn_down" | "output_hc_down", _) => vec![4 * d, 24],
            ("hc_attn_up" | "hc_ffn_up" | "output_hc_up", _) => vec![24, 4 * d],
            ("hc_attn_inject" | "hc_ffn_inject", _) => vec![4 * d, 4],
            // Keys that all heads share, two groups of rank 12, and keys of 4 or 128 tokens.
            ("attn_kv", _) => vec![d, layer.head_dim],
            ("attn_kv_a_norm", "shared") => vec![layer.head_dim],
            ("attn_output_a", _) => vec![q / 2, 2 * 12],
            ("attn_output_b", _) => vec![2 * 12, d],
            ("attn_compressor_kv" | "attn_compressor_gate", "four") => vec![d, 2 * layer.head_dim],
            ("attn_compressor_kv" | "attn_compressor_gate", _) => vec![d, layer.head_dim],
            ("attn_compressor_ape", "four") => vec![2 * layer.head_dim, 4],
            ("attn_compressor_ape", _) => vec![layer.head_dim, 128],
            ("attn_compressor_norm", _) => vec![layer.head_dim],
            ("indexer_compressor_kv" | "indexer_compressor_gate", "four") => vec![d, 128],
            ("indexer_compressor_ape", "four") => vec![128, 4],
            ("indexer_compressor_norm", _) => vec![64],
            ("ffn_gate_tid2eid", _) => vec![3, s.vocab_size],
            ("ffn_routed_down", _) => vec![d, 48],
            ("ffn_routed_up", _) => vec![48, d],
            ("ffn_routed_norm", _) => vec![48],
            ("ffn_gate_exps" | "ffn_up_exps", "narrow") => vec![48, s.d_expert, s.n_experts],
            ("ffn_down_exps", "narrow") => vec![s.d_expert, 48, s.n_experts],
            ("ssm_g", _) => vec![d, 64],
            ("ssm_a", "flat") => vec![4],
            ("indexer_compressor_gate", _) => vec![d, 64],
            ("indexer_compressor_ape", _) => vec![64, 4],
            ("per_layer_token_embd", "ngrams") => vec![16, 97],
            ("ple_key", _) => vec![d, 4 * d],
            ("ple_value", _) => vec![d, d],
            ("ple_norm_key" | "ple_norm_query" | "ple_norm_conv", _) => vec![d, 4],
            ("ple_conv1d", _) => vec![3, 4 * d],
            ("attn_q.lora_a" | "attn_k.lora_a" | "attn_v.lora_a", _) => vec![d, 8, 3],
            ("ffn_gate.lora_a" | "ffn_up.lora_a", _) => vec![d, 8, 3],
            ("attn_output.lora_a", _) => vec![q, 8, 3],
            ("ffn_down.lora_a", _) => vec![layer.d_ff, 8, 3],
            ("attn_q.lora_b", _) => vec![8, q, 3],
            ("attn_k.lora_b" | "attn_v.lora_b", _) => vec![8, kv, 3],
            ("attn_output.lora_b" | "ffn_down.lora_b", _) => vec![8, d, 3],
            ("ffn_gate.lora_b" | "ffn_up.lora_b", _) => vec![8, layer.d_ff, 3],
            (name, _) if name.ends_with("res_score") => vec![d],
            _ => return None,
        })
    }
}

/// A tensor's shape, innermost dimension first.
fn shape(s: &Sizes, layer: &Each, name: &str, form: &str) -> Vec<usize> {
    let [q, kv] = [layer.n_heads, layer.n_kv_heads].map(|n| n * layer.head_dim);
    let all_layers = s.layer_embedding * s.n_layers;
    let of_part = streams::shape(s, layer, name, form);
    if let Some(shape) = of_part.or_else(|| states::shape(s, layer, name, form)) {
        return shape;
    }
    match name {
        "token_embd" | "output" => vec![s.d_model, s.vocab_size],
        "position_embd" => vec![s.d_model, s.ctx_len],
        "rope_freqs" | "rope_factors_short" | "rope_factors_long" => vec![s.rope_dim / 2],
        "attn_q" if form == "absorbed" => vec![s.d_model, 24 * layer.n_heads],
        // A layer without key-value heads has a matrix in attention's place.
        "attn_q" if kv == 0 => vec![0, 0],
        "attn_q" if form == "gated" => vec![s.d_model, 2 * q],
        "attn_qkv" if form == "delta" => vec![s.d_model, DELTA_CHANNELS],
        "attn_gate" if form == "delta" => vec![s.d_model, DELTA_INNER],
        "attn_q" => vec![s.d_model, q],
        // Values of 12 numbers beside wider keys.
        "attn_v" if form == "narrow" => vec![s.d_model, 12 * layer.n_kv_heads],
        "attn_qkv" if form == "narrow" => vec![s.d_model, q + kv + 12 * layer.n_kv_heads],
        "attn_k" | "attn_v" => vec![s.d_model, kv],
        "attn_qkv" | "vis_attn_qkv" => vec![s.d_model, q + 2 * kv],
        "attn_v_gate" => vec![s.d_model, 6],
        "attn_v_exps" => vec![s.d_model, kv, 6],
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
        "ffn_sub_norm" | "ffn.act.scales" => vec![layer.d_ff],
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
        "ffn_gate" | "ffn_up" | "ffn_down" if form == "square" => vec![s.d_model, s.d_model],
        "ffn_gate" | "ffn_up" | "vis_gate" | "vis_up" => vec![s.d_model, layer.d_ff],
        "ffn_down" | "vis_down" => vec![layer.d_ff, s.d_model],
        "layer_output_scale" => vec![1],
        "per_layer_token_embd" => vec![all_layers, s.vocab_size],
        "per_layer_model_proj" => vec![s.d_model, all_layers],
        "per_layer_proj_norm" => vec![s.layer_embedding],
        "inp_gate" => vec![s.d_model, s.layer_embedding],
        "proj" => vec![s.layer_embedding, s.d_model],
        // Latent attention: a rank of 24 for queries, of 32 for keys and values of 12 numbers. Of
        // the absorbed kind, keys have 24 numbers.
        "attn_k_b" => vec![24 - s.rope_dim, 32, layer.n_heads],
        "attn_v_b" => vec![32, 12, layer.n_heads],
        "attn_q_b" if form == "absorbed" => vec![24, 24 * layer.n_heads],
        "attn_q_a" => vec![s.d_model, 24],
        "attn_q_a_norm" => vec![24],
        "attn_q_b" => vec![24, q],
        "attn_kv_a_mqa" => vec![s.d_model, 32 + s.rope_dim],
        "attn_kv_a_norm" => vec![32],
        "attn_kv_b" => vec![32, layer.n_heads * (layer.head_dim - s.rope_dim + 12)],
        "shortconv.conv" => vec![3, s.d_model],
        "shortconv.in_proj" => vec![s.d_model, 3 * s.d_model],
        "shortconv.out_proj" => vec![s.d_model, s.d_model],
        // Recurrent states of four heads in two groups. Under the delta rule their matrices are 40
        // × 40; those of Mamba 2 have 16 rows, and together twice the model's width.
        "ssm_conv1d" if form == "delta" => vec![4, DELTA_CHANNELS],
        "ssm_norm" if form == "delta" => vec![DELTA_WIDTH],
        "ssm_out" if form == "delta" => vec![DELTA_INNER, s.d_model],
        "ssm_a" if form == "delta" => vec![4],
        "ssm_beta" | "ssm_alpha" => vec![s.d_model, 4],
        "ssm_ba" => vec![s.d_model, 8],
        "ssm_in" if form == "delta" => vec![s.d_model, DELTA_CHANNELS + DELTA_INNER],
        "ssm_in" => vec![s.d_model, 4 * s.d_model + 4 * 16 + 4],
        "ssm_conv1d" => vec![4, 2 * s.d_model + 4 * 16],
        "ssm_norm" => vec![s.d_model, 2],
        "ssm_out" => vec![2 * s.d_model, s.d_model],
        "ssm_dt" | "ssm_a" | "ssm_d" => vec![1, 4],
        // What selects positions: 2 heads of 64 numbers, which llama.cpp wants at least.
        "indexer.proj" => vec![s.d_model, 2],
        "indexer.q_proj" => vec![s.d_model, 128],
        "indexer.attn_q_b" => vec![24, 128],
        "indexer.attn_k" | "indexer.k_proj" => vec![s.d_model, 64],
        "indexer.k_norm" | "indexer.q_norm" => vec![64],
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
    if name == "ffn_gate_tid2eid" {
        // Three experts of eight, none of them twice.
        let first: Vec<u32> = (0..shape[1]).map(|_| random.token(9) % 8).collect();
        return first.iter().flat_map(|e| [*e, e + 3, e + 6].map(|e| (e % 8) as f32)).collect();
    }
    let is_matrix = shape.len() > 1 && !name.contains("norm");
    let (middle, spread) = match name {
        // Streams that feed on each other heavily would let rounding grow from layer to layer.
        "altup_correct_coef" | "altup_predict_coef" => (0.0, 0.1),
        // What heads forget of their states in a step.
        "ssm_a" => (-0.4, 0.3),
        "hc_attn_base" | "hc_ffn_base" | "output_hc_base" => (-1.0, 0.5),
        "time_mix_w0" | "time_mix_decay" => (-0.5, 0.8),
        "time_mix_a0" | "time_mix_v0" | "time_mix_r_k" => (0.0, 0.5),
        name if name.contains("_lerp_") || name == "time_mix_first" => (0.5, 0.4),
        "ffn_gate_inp_shexp" | "attn_sinks" | "exp_probs_b" => (0.0, 0.4),
        name if name.ends_with("res_score") => (0.0, 0.5),
        _ if is_matrix => (0.0, 3.0 / (shape[0] as f32).sqrt()),
        _ => (1.0, 0.3),
    };
    (0..shape.iter().product()).map(|_| middle + spread * random.next()).collect()
}
