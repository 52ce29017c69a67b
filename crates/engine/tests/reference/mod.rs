//! The truth, for tests: tokens in, logits out, by the plainest code that can be read in one
//! sitting. Every weight is expanded to f32, every sum is f64 in sequence, nothing is cached and
//! nothing is shared with the engine but the reader. Layouts from llama.cpp's
//! `src/models/llama.cpp` and `gemma3.cpp`; papers: RoPE arXiv 2104.09864, GQA 2305.13245.

#![allow(dead_code, unreachable_pub, reason = "each test takes what it needs of it")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod dequantize;
pub mod quantized;
pub mod run;

use kelvin_engine::gguf::Gguf;

/// One vector for each token.
pub type Rows = Vec<Vec<f64>>;

/// The plain implementation of the model in a file.
pub struct Reference {
    gguf: Gguf,
    arch: String,
    rope_factors: Option<Vec<f32>>,
}

impl Reference {
    pub fn new(gguf: Gguf) -> Reference {
        let arch = gguf.metadata.str("general.architecture").unwrap().unwrap().to_string();
        assert!(
            arch == "llama" || arch == "gemma3",
            "the reference knows llama and gemma3, not {arch}"
        );
        let rope_factors =
            gguf.tensor("rope_freqs.weight").is_some().then(|| vector(&gguf, "rope_freqs.weight"));
        Reference { gguf, arch, rope_factors }
    }

    /// The logits after each of the last `n_wanted` tokens.
    pub fn logits(&self, tokens: &[u32], n_wanted: usize) -> Rows {
        let gemma = self.arch == "gemma3";
        let d_model = self.int("embedding_length").unwrap();
        let embeddings = self.gguf.tensor("token_embd.weight").unwrap();
        let mut bytes = Vec::new();
        self.gguf.read_tensor(embeddings, &mut bytes).unwrap();
        let row_bytes = bytes.len() / embeddings.shape[1];
        let mut x: Rows = Vec::new();
        for &token in tokens {
            let row = &bytes[token as usize * row_bytes..][..row_bytes];
            let scale = if gemma { (d_model as f32).sqrt() as f64 } else { 1.0 };
            x.push(
                dequantize::row(embeddings.format, row).iter().map(|&w| w as f64 * scale).collect(),
            );
        }

        for layer in 0..self.int("block_count").unwrap() {
            let name = |part: &str| format!("blk.{layer}.{part}.weight");
            let mut y = self.attention(layer, &self.norm(&x, &name("attn_norm")));
            if gemma {
                y = self.norm(&y, &name("post_attention_norm"));
            }
            add(&mut x, &y);
            let z = self.norm(&x, &name("ffn_norm"));
            let mut gate = self.matmul(&z, &name("ffn_gate"));
            let up = self.matmul(&z, &name("ffn_up"));
            for (g, u) in gate.iter_mut().flatten().zip(up.iter().flatten()) {
                *g = if gemma { gelu(*g) } else { *g / (1.0 + (-*g).exp()) } * u;
            }
            let mut y = self.matmul(&gate, &name("ffn_down"));
            if gemma {
                y = self.norm(&y, &name("post_ffw_norm"));
            }
            add(&mut x, &y);
        }

        let wanted = self.norm(&x[x.len() - n_wanted..], "output_norm.weight");
        let tied = self.gguf.tensor("output.weight").is_none();
        self.matmul(&wanted, if tied { "token_embd.weight" } else { "output.weight" })
    }

    fn attention(&self, layer: usize, x: &[Vec<f64>]) -> Rows {
        let gemma = self.arch == "gemma3";
        let name = |part: &str| format!("blk.{layer}.{part}.weight");
        let n_heads = self.int("attention.head_count").unwrap();
        let n_kv_heads = self.int("attention.head_count_kv").unwrap_or(n_heads);
        let head_dim = self
            .int("attention.key_length")
            .unwrap_or(self.int("embedding_length").unwrap() / n_heads);
        let global = !gemma || (layer + 1).is_multiple_of(6);
        let base = if global { self.float("rope.freq_base").unwrap_or(10_000.0) } else { 10_000.0 };
        let window = self
            .int("attention.sliding_window")
            .filter(|&w| w > 0 && (!gemma || !global))
            .unwrap_or(usize::MAX);

        let mut q = self.matmul(x, &name("attn_q"));
        let mut k = self.matmul(x, &name("attn_k"));
        let v = self.matmul(x, &name("attn_v"));
        for (rows, norm) in [(&mut q, "attn_q_norm"), (&mut k, "attn_k_norm")] {
            for (pos, row) in rows.iter_mut().enumerate() {
                for head in row.chunks_mut(head_dim) {
                    if gemma {
                        head.copy_from_slice(&self.norm(&[head.to_vec()], &name(norm))[0]);
                    }
                    self.rotate(head, pos, base as f64);
                }
            }
        }

        let mut out = vec![vec![0.0; n_heads * head_dim]; x.len()];
        for (pos, out) in out.iter_mut().enumerate() {
            for h in 0..n_heads {
                let kv = h / (n_heads / n_kv_heads) * head_dim
                    ..(h / (n_heads / n_kv_heads) + 1) * head_dim;
                let query = &q[pos][h * head_dim..][..head_dim];
                let first = (pos + 1).saturating_sub(window);
                let scores: Vec<f64> = (first..=pos)
                    .map(|p| dot(query, &k[p][kv.clone()]) / (head_dim as f64).sqrt())
                    .collect();
                let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = scores.iter().map(|s| (s - max).exp()).sum();
                for (p, s) in (first..=pos).zip(&scores) {
                    let weight = (s - max).exp() / sum;
                    out[h * head_dim..]
                        .iter_mut()
                        .zip(&v[p][kv.clone()])
                        .for_each(|(o, value)| *o += weight * value);
                }
            }
        }
        self.matmul(&out, &name("attn_output"))
    }

    /// Turns pairs of numbers by an angle that grows with the position: neighbours (2i, 2i+1) in
    /// llama files, whose weights are permuted for it, and (i, i + n/2) in gemma3's.
    fn rotate(&self, head: &mut [f64], pos: usize, base: f64) {
        let n = self.int("rope.dimension_count").unwrap_or(head.len());
        for i in 0..n / 2 {
            let factor = self.rope_factors.as_ref().map_or(1.0, |f| f[i] as f64);
            let angle = pos as f64 * base.powf(-2.0 * i as f64 / n as f64) / factor;
            let (a, b) = if self.arch == "gemma3" { (i, i + n / 2) } else { (2 * i, 2 * i + 1) };
            let (x, y) = (head[a], head[b]);
            head[a] = x * angle.cos() - y * angle.sin();
            head[b] = x * angle.sin() + y * angle.cos();
        }
    }

    /// Root-mean-square norm (arXiv 1910.07467), with the weights as they are in the file.
    fn norm(&self, x: &[Vec<f64>], name: &str) -> Rows {
        let weights = vector(&self.gguf, name);
        let eps = self.float("attention.layer_norm_rms_epsilon").unwrap() as f64;
        let norm_row = |row: &Vec<f64>| {
            let scale = 1.0 / (dot(row, row) / row.len() as f64 + eps).sqrt();
            row.iter().zip(&weights).map(|(x, &w)| x * scale * w as f64).collect()
        };
        x.iter().map(norm_row).collect()
    }

    /// Every row of `x` times the matrix, and its bias if the file has one: all tokens for one row
    /// of weights at a time, k in sequence.
    fn matmul(&self, x: &[Vec<f64>], name: &str) -> Rows {
        let info = self.gguf.tensor(name).unwrap_or_else(|| panic!("no tensor {name}"));
        let (n_in, n_out, n) = (info.shape[0], info.shape[1], x.len());
        let mut bytes = Vec::new();
        self.gguf.read_tensor(info, &mut bytes).unwrap();
        let columns: Vec<f64> = (0..n_in).flat_map(|k| x.iter().map(move |row| row[k])).collect();
        let mut out = vec![Vec::with_capacity(n_out); n];
        for row in bytes.chunks(bytes.len() / n_out) {
            let mut sums = vec![0.0f64; n];
            for (w, column) in dequantize::row(info.format, row).into_iter().zip(columns.chunks(n))
            {
                sums.iter_mut().zip(column).for_each(|(sum, x)| *sum += w as f64 * x);
            }
            out.iter_mut().zip(&sums).for_each(|(out, &sum)| out.push(sum));
        }
        let bias = name.replace(".weight", ".bias");
        if self.gguf.tensor(&bias).is_some() {
            let bias = vector(&self.gguf, &bias);
            let pairs = out.iter_mut().flat_map(|row| row.iter_mut().zip(&bias));
            pairs.for_each(|(x, &bias)| *x += f64::from(bias));
        }
        out
    }

    fn int(&self, key: &str) -> Option<usize> {
        self.gguf.metadata.u32(&format!("{}.{key}", self.arch)).unwrap().map(|v| v as usize)
    }

    fn float(&self, key: &str) -> Option<f32> {
        self.gguf.metadata.f32(&format!("{}.{key}", self.arch)).unwrap()
    }
}

fn vector(gguf: &Gguf, name: &str) -> Vec<f32> {
    let info = gguf.tensor(name).unwrap_or_else(|| panic!("no tensor {name}"));
    let mut bytes = Vec::new();
    gguf.read_tensor(info, &mut bytes).unwrap();
    dequantize::row(info.format, &bytes)
}

fn add(x: &mut Rows, y: &Rows) {
    x.iter_mut().flatten().zip(y.iter().flatten()).for_each(|(x, y)| *x += y);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The tanh approximation of arXiv 1606.08415, which gemma uses.
fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + (std::f64::consts::FRAC_2_PI.sqrt() * (x + 0.044715 * x * x * x)).tanh())
}
