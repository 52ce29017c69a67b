//! Writes very small GGUF files of random F32 weights, on which the reference and the engine are
//! compared without a download. It has its own writer, so the reader is tested on files that it
//! didn't make.

mod parts;

pub use parts::{Each, Sizes};

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

/// The last token of a model that speaks.
pub const POISON: char = '☠';

/// So that no two files of one run of the tests have one name.
static N_WRITTEN: AtomicUsize = AtomicUsize::new(0);

/// A metadata value as this writer knows it.
#[derive(Clone)]
pub enum Meta {
    U32(u32),
    F32(f32),
    Bool(bool),
    Str(String),
    I32s(Vec<i32>),
    U64s(Vec<u64>),
    F32s(Vec<f32>),
    Strs(Vec<String>),
    Bools(Vec<bool>),
}

/// A file to be written; tests change its parts before they do.
#[derive(Clone)]
pub struct TinyModel {
    pub metadata: Vec<(String, Meta)>,
    /// Name, shape with the innermost dimension first, numbers.
    pub tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

/// What differs between the tiny models.
pub struct Shape {
    pub arch: &'static str,
    pub n_layers: usize,
    pub d_model: usize,
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
    pub d_ff: usize,
    pub vocab_size: usize,
    pub window: Option<usize>,
    pub rope_factors: bool,
    pub tied: bool,
}

/// Grouped queries and a window shorter than the text, like Mistral 7B. Sizes are no multiples of a
/// vector's lanes.
pub const MISTRAL_LIKE: Shape = Shape {
    arch: "llama",
    n_layers: 3,
    d_model: 64,
    n_heads: 4,
    n_kv_heads: 2,
    head_dim: 16,
    d_ff: 88,
    vocab_size: 101,
    window: Some(7),
    rope_factors: false,
    tied: false,
};

/// Frequencies scaled by a tensor, and the embeddings as the output layer, like Llama 3.2.
pub const LLAMA3_LIKE: Shape = Shape {
    n_heads: 8,
    n_kv_heads: 2,
    head_dim: 8,
    window: None,
    rope_factors: true,
    tied: true,
    ..MISTRAL_LIKE
};

/// Seven layers, so that one is global; heads wider than the model divided by their number.
pub const GEMMA3_LIKE: Shape = Shape {
    arch: "gemma3",
    n_layers: 7,
    d_model: 48,
    n_heads: 3,
    n_kv_heads: 1,
    head_dim: 32,
    d_ff: 72,
    vocab_size: 131,
    window: Some(6),
    rope_factors: false,
    tied: true,
};

impl TinyModel {
    pub fn new(shape: &Shape) -> TinyModel {
        let gemma = shape.arch == "gemma3";
        let sizes = Sizes {
            n_layers: shape.n_layers,
            d_model: shape.d_model,
            n_heads: shape.n_heads,
            n_kv_heads: shape.n_kv_heads,
            head_dim: shape.head_dim,
            d_ff: shape.d_ff,
            vocab_size: shape.vocab_size,
            rope_dim: shape.head_dim,
            ctx_len: 256,
            layer_embedding: 0,
            n_experts: 0,
            d_expert: 0,
            d_shared: 0,
            ffn_times: 1,
            each: &[],
        };
        let mut model = TinyModel::of_sizes(shape.arch, &sizes);
        if let Some(window) = shape.window {
            model.set("attention.sliding_window", Meta::U32(window as u32));
        }
        model.set("attention.layer_norm_rms_epsilon", Meta::F32(1e-5));
        model.set("rope.freq_base", Meta::F32(if gemma { 1e6 } else { 10_000.0 }));
        let when = |is_there: bool, names: &'static str| if is_there { names } else { "" };
        let tensors = format!(
            "token_embd output_norm {} {} |
            attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down {}",
            when(!shape.tied, "output"),
            when(shape.rope_factors, "rope_freqs"),
            when(gemma, "attn_q_norm attn_k_norm post_attention_norm post_ffw_norm"),
        );
        model.add_tensors(&mut Random(0x9E37_79B9_7F4A_7C15), &sizes, &tensors);
        model
    }

    /// With a bias on the named matrices of every layer: numbers as large as the products that they
    /// are added to.
    pub fn biased(mut self, matrices: &[&str]) -> TinyModel {
        let mut random = Random(0x5851_F42D_4C95_7F2D);
        let is_biased =
            |name: &str| matrices.iter().any(|matrix| name.ends_with(&format!(".{matrix}.weight")));
        let weights: Vec<(String, usize)> = (self.tensors.iter())
            .filter(|(name, ..)| is_biased(name))
            .map(|(name, shape, _)| (name.replace(".weight", ".bias"), shape[1]))
            .collect();
        for (name, len) in weights {
            self.tensors.push((name, vec![len], (0..len).map(|_| 2.0 * random.next()).collect()));
        }
        self
    }

    /// With a tokenizer, for whose vocabulary [`MISTRAL_LIKE`] has the size, and a chat template. A
    /// token is a character, so a text has as many as characters, with a BOS and SentencePiece's
    /// space in front.
    pub fn speaking(mut self) -> TinyModel {
        let mut tokens: Vec<String> = ["<unk>", "<s>", "</s>"].map(String::from).into();
        tokens.extend(('!'..='~').chain(['\u{2581}', '\n', 'é', POISON]).map(String::from));
        let kinds: Vec<i32> =
            (0..tokens.len()).map(|id| [2, 3, 3].get(id).copied().unwrap_or(1)).collect();
        let template = "{% for message in messages %}{{ message.content }}\n{% endfor %}";
        for (key, value) in [
            ("tokenizer.ggml.model", Meta::Str("llama".into())),
            ("tokenizer.ggml.scores", Meta::F32s(vec![0.0; tokens.len()])),
            ("tokenizer.ggml.token_type", Meta::I32s(kinds)),
            ("tokenizer.ggml.tokens", Meta::Strs(tokens)),
            ("tokenizer.chat_template", Meta::Str(template.into())),
        ] {
            self.metadata.push((key.into(), value));
        }
        self
    }

    /// With sampling settings that the file recommends: a temperature of 0.6, a top-k of 20 and a
    /// top-p of 0.95.
    pub fn recommending(mut self) -> TinyModel {
        for (key, value) in
            [("temp", Meta::F32(0.6)), ("top_k", Meta::U32(20)), ("top_p", Meta::F32(0.95))]
        {
            self.metadata.push((format!("general.sampling.{key}"), value));
        }
        self
    }

    /// Makes the last token's embedding NaN: whoever reads it gets no logits.
    pub fn poisoned(mut self) -> TinyModel {
        let (_, shape, numbers) = &mut self.tensors[0];
        let last = numbers.len() - shape[0];
        numbers[last..].fill(f32::NAN);
        self
    }

    /// Sets an architecture's key, e.g. `block_count`, in place of what it was.
    pub fn set(&mut self, key: &str, value: Meta) {
        let Some((_, Meta::Str(arch))) = self.metadata.first() else {
            panic!("the architecture comes first")
        };
        let key = format!("{arch}.{key}");
        self.metadata.retain(|(k, _)| *k != key);
        self.metadata.push((key, value));
    }

    /// Writes the file to a place of its own in the folder for temporary files.
    pub fn write(&self) -> PathBuf {
        self.write_in(&std::env::temp_dir())
    }

    /// Writes the file, GGUF version 3, to a place of its own in a folder.
    pub fn write_in(&self, folder: &Path) -> PathBuf {
        let mut file = b"GGUF".to_vec();
        file.extend(3u32.to_le_bytes());
        file.extend((self.tensors.len() as u64).to_le_bytes());
        file.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            push_string(&mut file, key);
            match value {
                Meta::U32(v) => file.extend([4u32.to_le_bytes(), v.to_le_bytes()].concat()),
                Meta::F32(v) => file.extend([6u32.to_le_bytes(), v.to_le_bytes()].concat()),
                Meta::Bool(v) => file.extend([&7u32.to_le_bytes()[..], &[u8::from(*v)]].concat()),
                Meta::Str(v) => {
                    file.extend(8u32.to_le_bytes());
                    push_string(&mut file, v);
                }
                Meta::I32s(v) => {
                    push_array(&mut file, 5, v, |file, v| file.extend(v.to_le_bytes()))
                }
                Meta::U64s(v) => {
                    push_array(&mut file, 10, v, |file, v| file.extend(v.to_le_bytes()))
                }
                Meta::F32s(v) => {
                    push_array(&mut file, 6, v, |file, v| file.extend(v.to_le_bytes()))
                }
                Meta::Strs(v) => push_array(&mut file, 8, v, |file, v| push_string(file, v)),
                Meta::Bools(v) => push_array(&mut file, 7, v, |file, v| file.push(u8::from(*v))),
            }
        }
        let mut data: Vec<u8> = Vec::new();
        for (name, shape, values) in &self.tensors {
            push_string(&mut file, name);
            file.extend((shape.len() as u32).to_le_bytes());
            shape.iter().for_each(|&n| file.extend((n as u64).to_le_bytes()));
            let is_table = name.ends_with("tid2eid.weight");
            file.extend(if is_table { 26u32 } else { 0 }.to_le_bytes()); // I32 or F32
            file.extend((data.len() as u64).to_le_bytes());
            match is_table {
                true => data.extend(values.iter().flat_map(|v| (*v as i32).to_le_bytes())),
                false => data.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            }
            data.resize(data.len().next_multiple_of(32), 0);
        }
        file.resize(file.len().next_multiple_of(32), 0);
        file.extend(data);
        let number = N_WRITTEN.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("kelvin-tiny-{}-{number}.gguf", std::process::id()));
        fs::write(&path, file).unwrap();
        path
    }
}

fn push_string(file: &mut Vec<u8>, text: &str) {
    file.extend((text.len() as u64).to_le_bytes());
    file.extend(text.as_bytes());
}

fn push_array<T>(file: &mut Vec<u8>, kind: u32, items: &[T], push: impl Fn(&mut Vec<u8>, &T)) {
    file.extend([9u32.to_le_bytes(), kind.to_le_bytes()].concat());
    file.extend((items.len() as u64).to_le_bytes());
    items.iter().for_each(|item| push(file, item));
}

/// Marsaglia's xorshift, the same numbers everywhere.
pub struct Random(pub u64);

impl Random {
    /// Uniform in -1 … 1.
    #[allow(clippy::should_implement_trait, reason = "it never ends, and tests call it alone")]
    pub fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// A token of a vocabulary.
    pub fn token(&mut self, vocab_size: usize) -> u32 {
        ((self.next() + 1.0) / 2.0 * (vocab_size - 1) as f32) as u32
    }
}
