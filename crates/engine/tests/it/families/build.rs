//! A family's case in, a tiny model file of random F32 weights out: numbers come from the case's
//! name, so a file is the same everywhere.

#![allow(dead_code, unreachable_pub, reason = "the test and the example take what they need")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use kelvin_testkit::tiny::{Meta, Random, TinyModel};

/// A file to be made.
pub struct Case {
    /// `ARCHITECTURE.VARIANT`.
    pub name: &'static str,
    /// Tensors of the whole, `|`, tensors of each layer. `+` means that there is a bias as well;
    /// after `:` stands which of several shapes.
    pub tensors: &'static str,
    /// Hyperparameters after `ARCH.`, besides the sizes; names with a leading `=` are whole.
    pub keys: &'static [(&'static str, Key)],
    pub sizes: Sizes,
}

/// A hyperparameter's value.
#[derive(Clone, Copy)]
pub enum Key {
    U(u32),
    F(f32),
    B(bool),
    S(&'static str),
    Fs(&'static [f32]),
    Is(&'static [i32]),
}

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
    pub rope_dim: usize,
}

pub const SIZES: Sizes = Sizes {
    n_layers: 2,
    d_model: 64,
    n_heads: 4,
    n_kv_heads: 2,
    head_dim: 16,
    d_ff: 88,
    vocab_size: 250,
    rope_dim: 16,
};
pub const CTX_LEN: usize = 96;

impl Case {
    pub fn arch(&self) -> &'static str {
        self.name.split_once('.').unwrap().0
    }

    pub fn model(&self) -> TinyModel {
        let s = &self.sizes;
        let mut model = TinyModel { metadata: Vec::new(), tensors: Vec::new() };
        model.metadata.push(("general.architecture".into(), Meta::Str(self.arch().into())));
        for (key, value) in [
            ("block_count", s.n_layers),
            ("context_length", CTX_LEN),
            ("embedding_length", s.d_model),
            ("feed_forward_length", s.d_ff),
            ("attention.head_count", s.n_heads),
            ("attention.head_count_kv", s.n_kv_heads),
            ("attention.key_length", s.head_dim),
            ("attention.value_length", s.head_dim),
            ("vocab_size", s.vocab_size),
        ] {
            model.set(key, Meta::U32(value as u32));
        }
        if s.rope_dim > 0 {
            model.set("rope.dimension_count", Meta::U32(s.rope_dim as u32));
        }
        for (key, value) in self.keys {
            let value = value.meta();
            match key.strip_prefix('=') {
                Some(whole) => model.metadata.push((whole.into(), value)),
                None => model.set(key, value),
            }
        }
        model.metadata.push(("tokenizer.ggml.model".into(), Meta::Str("none".into())));
        let seed = self.name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        let mut random = Random(seed);
        let (whole, layer) = self.tensors.split_once('|').unwrap();
        let mut add = |prefix: &str, spec: &str| {
            let (spec, biased) = spec.strip_suffix('+').map_or((spec, false), |spec| (spec, true));
            let (name, form) = spec.split_once(':').unwrap_or((spec, ""));
            let shape = self.shape(name, form);
            let rows =
                if name.contains("norm") { shape.clone() } else { vec![shape[shape.len() - 1]] };
            model.tensors.push((
                format!("{prefix}{name}.weight"),
                shape.clone(),
                numbers(&mut random, name, &shape),
            ));
            if biased {
                let n = rows.iter().product();
                let bias = (0..n).map(|_| 0.5 * random.next()).collect();
                model.tensors.push((format!("{prefix}{name}.bias"), rows, bias));
            }
        };
        whole.split_whitespace().for_each(|spec| add("", spec));
        for i in 0..s.n_layers {
            layer.split_whitespace().for_each(|spec| add(&format!("blk.{i}."), spec));
        }
        model
    }

    fn shape(&self, name: &str, form: &str) -> Vec<usize> {
        let s = &self.sizes;
        let [q, kv] = [s.n_heads, s.n_kv_heads].map(|n| n * s.head_dim);
        match name {
            "token_embd" | "output" => vec![s.d_model, s.vocab_size],
            "position_embd" => vec![s.d_model, CTX_LEN],
            "rope_freqs" | "rope_factors_short" | "rope_factors_long" => vec![s.rope_dim / 2],
            "attn_q" => vec![s.d_model, q],
            "attn_k" | "attn_v" => vec![s.d_model, kv],
            "attn_qkv" => vec![s.d_model, q + 2 * kv],
            "attn_output" => vec![q, s.d_model],
            "attn_q_norm" | "attn_k_norm" => {
                let n_heads = if name == "attn_q_norm" { s.n_heads } else { s.n_kv_heads };
                match form {
                    "each" => vec![s.head_dim, n_heads],
                    "whole" => vec![n_heads * s.head_dim],
                    _ => vec![s.head_dim],
                }
            }
            "ffn_gate" => vec![s.d_model, s.d_ff],
            "ffn_up" if form == "fused" => vec![s.d_model, 2 * s.d_ff],
            "ffn_up" => vec![s.d_model, s.d_ff],
            "ffn_down" => vec![s.d_ff, s.d_model],
            name if name.contains("norm") => vec![s.d_model],
            other => panic!("no shape for {other}"),
        }
    }
}

/// Norm weights and factors lie around one; rows of a matrix have a norm of about 1.7, so that no
/// layer dies or explodes.
fn numbers(random: &mut Random, name: &str, shape: &[usize]) -> Vec<f32> {
    let is_matrix = shape.len() > 1 && !name.contains("norm");
    let (middle, spread) =
        if is_matrix { (0.0, 3.0 / (shape[0] as f32).sqrt()) } else { (1.0, 0.3) };
    (0..shape.iter().product()).map(|_| middle + spread * random.next()).collect()
}

impl Key {
    fn meta(self) -> Meta {
        match self {
            Key::U(x) => Meta::U32(x),
            Key::F(x) => Meta::F32(x),
            Key::B(x) => Meta::Bool(x),
            Key::S(x) => Meta::Str(x.into()),
            Key::Fs(x) => Meta::F32s(x.to_vec()),
            Key::Is(x) => Meta::I32s(x.to_vec()),
        }
    }
}
