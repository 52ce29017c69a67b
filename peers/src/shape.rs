//! A shape in, a model file of the llama family, or of Qwen3's mixtures of experts, with random
//! weights out: every tensor, format and size as llama.cpp's Q4_K_M mix has them, so that speed and
//! memory are a real model's; the text is noise. Written as a stream, in memory of a few MiB.

use std::path::Path;

use anyhow::Result;
use half::f16;

use crate::{
    format::Format,
    gguf::{Entry, Tensor, Writer},
    random::Random,
};

/// llama.cpp's number for Q4_K_M.
const FILE_TYPE_Q4_K_M: u32 = 15;
const NORM_EPSILON: f32 = 1e-5;

/// A model in numbers. Widths are multiples of 256.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub n_layers: u64,
    pub d_model: u64,
    pub n_heads: u64,
    pub n_kv_heads: u64,
    pub head_dim: u64,
    pub d_ff: u64,
    pub vocab_size: u64,
    pub context: u32,
    pub window: Option<u32>,
    pub rope_base: f32,
    /// With it the model is one of Qwen3's mixtures, with norms of each head's queries and keys.
    pub experts: Option<Experts>,
}

/// The experts of a layer.
#[derive(Debug, Clone, Copy)]
pub struct Experts {
    pub n: u64,
    /// Those that a token goes through.
    pub n_used: u64,
    pub d_ff: u64,
}

/// What a tensor's numbers look like.
#[derive(Clone, Copy)]
enum Weights {
    /// Around one.
    Norm,
    /// Mean 0 and this standard deviation.
    Matrix(f32),
}

/// Writes a model of this shape, `vocabulary` being its `tokenizer.*` entries. Returns the file's
/// size in bytes.
pub fn write(
    to: &Path,
    shape: &Shape,
    name: &str,
    vocabulary: Vec<Entry>,
    seed: u64,
) -> Result<u64> {
    let mut entries = metadata(shape, name);
    entries.extend(vocabulary);
    let plan = plan(shape);
    let tensors: Vec<Tensor> = plan.iter().map(|(tensor, _)| tensor.clone()).collect();
    let mut writer = Writer::create(to, &entries, &tensors)?;
    for (i, (tensor, weights)) in plan.iter().enumerate() {
        write_tensor(&mut writer, tensor, *weights, &mut Random::new(seed, i as u64))?;
    }
    writer.finish()?;
    Ok(to.metadata()?.len())
}

fn metadata(shape: &Shape, name: &str) -> Vec<Entry> {
    let architecture = if shape.experts.is_some() { "qwen3moe" } else { "llama" };
    let name_of = |key: &str| format!("{architecture}.{key}");
    let number = |key: &str, value: u64| Entry::u32(&name_of(key), value as u32);
    let mut entries = vec![
        Entry::str("general.architecture", architecture),
        Entry::str("general.type", "model"),
        Entry::str("general.name", name),
        Entry::u32("general.file_type", FILE_TYPE_Q4_K_M),
        Entry::u32("general.quantization_version", 2),
        number("block_count", shape.n_layers),
        number("context_length", u64::from(shape.context)),
        number("embedding_length", shape.d_model),
        number("feed_forward_length", shape.d_ff),
        number("attention.head_count", shape.n_heads),
        number("attention.head_count_kv", shape.n_kv_heads),
        number("attention.key_length", shape.head_dim),
        number("attention.value_length", shape.head_dim),
        Entry::f32(&name_of("attention.layer_norm_rms_epsilon"), NORM_EPSILON),
        number("rope.dimension_count", shape.head_dim),
        Entry::f32(&name_of("rope.freq_base"), shape.rope_base),
        number("vocab_size", shape.vocab_size),
    ];
    if let Some(Experts { n, n_used, d_ff }) = shape.experts {
        entries.push(number("expert_count", n));
        entries.push(number("expert_used_count", n_used));
        entries.push(number("expert_feed_forward_length", d_ff));
    }
    entries.extend(shape.window.map(|n| number("attention.sliding_window", u64::from(n))));
    entries
}

/// Whether llama.cpp's Q4_K_M spends six bits on layer `layer`'s values and down projection (its
/// `use_more_bits`).
fn more_bits(layer: u64, n_layers: u64) -> bool {
    let first = n_layers / 8;
    !(first..7 * first).contains(&layer) || (layer - first) % 3 == 2
}

/// Every tensor in file order. Standard deviations keep each product's output near 1, as trained
/// models do.
fn plan(shape: &Shape) -> Vec<(Tensor, Weights)> {
    let &Shape { n_layers, d_model, n_heads, n_kv_heads, head_dim, d_ff, vocab_size, .. } = shape;
    let mut plan = Vec::new();
    let mut add = |name: String, shape: &[u64], format: Format, gain: f32| {
        let weights = match shape {
            [n_in, _] | [n_in, _, _] => Weights::Matrix(gain / (*n_in as f32).sqrt()),
            _ => Weights::Norm,
        };
        let tensor = Tensor { name, shape: shape.into(), format, offset: 0 };
        plan.push((tensor, weights));
    };
    let (q4, q6) = (Format::Q4_K, Format::Q6_K);
    let kv = n_kv_heads * head_dim;
    // Rows of embeddings are looked up rather than multiplied: a gain of 64 makes their numbers
    // near 1.
    add("token_embd.weight".into(), &[d_model, vocab_size], q4, 64.0);
    for layer in 0..n_layers {
        let wide = if more_bits(layer, n_layers) { q6 } else { q4 };
        let mut block = |name: &str, shape: &[u64], format| {
            add(format!("blk.{layer}.{name}.weight"), shape, format, 1.0);
        };
        block("attn_norm", &[d_model], Format::F32);
        block("attn_q", &[d_model, n_heads * head_dim], q4);
        block("attn_k", &[d_model, kv], q4);
        block("attn_v", &[d_model, kv], wide);
        block("attn_output", &[n_heads * head_dim, d_model], q4);
        block("ffn_norm", &[d_model], Format::F32);
        match shape.experts {
            None => {
                block("ffn_gate", &[d_model, d_ff], q4);
                block("ffn_up", &[d_model, d_ff], q4);
                block("ffn_down", &[d_ff, d_model], wide);
            }
            Some(Experts { n, d_ff, .. }) => {
                block("attn_q_norm", &[head_dim], Format::F32);
                block("attn_k_norm", &[head_dim], Format::F32);
                block("ffn_gate_inp", &[d_model, n], Format::F32);
                block("ffn_gate_exps", &[d_model, d_ff, n], q4);
                block("ffn_up_exps", &[d_model, d_ff, n], q4);
                block("ffn_down_exps", &[d_ff, d_model, n], wide);
            }
        }
    }
    add("output_norm.weight".into(), &[d_model], Format::F32, 1.0);
    // Logits of standard deviation 3: a distribution with a top, like that of a trained model.
    add("output.weight".into(), &[d_model, vocab_size], q6, 3.0);
    plan
}

fn write_tensor(
    writer: &mut Writer,
    tensor: &Tensor,
    weights: Weights,
    random: &mut Random,
) -> Result<()> {
    let block_bytes = tensor.format.block_bytes();
    let n_blocks = (tensor.n_bytes()? / block_bytes as u64) as usize;
    let mut chunk = vec![0u8; block_bytes * 4096];
    let mut done = 0;
    while done < n_blocks {
        let n = 4096.min(n_blocks - done);
        let bytes = &mut chunk[..n * block_bytes];
        match (weights, tensor.format) {
            (Weights::Norm, Format::F32) => {
                for b in bytes.chunks_exact_mut(4) {
                    b.copy_from_slice(&(0.9 + 0.2 * random.uniform()).to_le_bytes());
                }
            }
            (Weights::Matrix(std), Format::F32) => {
                // Evenly spread numbers of this standard deviation.
                for b in bytes.chunks_exact_mut(4) {
                    let x = (2.0 * random.uniform() - 1.0) * std * 3f32.sqrt();
                    b.copy_from_slice(&x.to_le_bytes());
                }
            }
            (Weights::Matrix(std), Format::Q4_K) => {
                random.fill(bytes);
                bytes.chunks_exact_mut(block_bytes).for_each(|b| scale_q4_k(b, std, random));
            }
            (Weights::Matrix(std), Format::Q6_K) => {
                random.fill(bytes);
                bytes.chunks_exact_mut(block_bytes).for_each(|b| scale_q6_k(b, std, random));
            }
            (_, format) => unreachable!("the plan asks for no other format: {format:?}"),
        }
        writer.write(bytes)?;
        done += n;
    }
    Ok(())
}

/// Standard deviation of a number drawn evenly from 0..=15, and from -32..=31.
const STD_OF_16: f32 = 4.61;
const STD_OF_64: f32 = 18.47;

/// Gives a block of random bits scales that make its numbers have mean 0 and standard deviation
/// `std`: every sub-block with a scale of 32 to 63, and as a minimum the same number, worth 7.5 of
/// the scale's steps.
fn scale_q4_k(block: &mut [u8], std: f32, random: &mut Random) {
    let d = std / (STD_OF_16 * 47.5);
    block[0..2].copy_from_slice(&f16::from_f32(d).to_le_bytes());
    block[2..4].copy_from_slice(&f16::from_f32(d * 7.5).to_le_bytes());
    let bits = random.next_u64();
    let mut packed = [0u8; 12];
    for j in 0..8 {
        let scale = 32 + (bits >> (5 * j) & 31) as u8;
        if j < 4 {
            packed[j] |= scale;
            packed[j + 4] |= scale;
        } else {
            packed[j + 4] = scale & 15 | (scale & 15) << 4;
            packed[j - 4] |= scale >> 4 << 6;
            packed[j] |= scale >> 4 << 6;
        }
    }
    block[4..16].copy_from_slice(&packed);
}

/// The same for 6-bit blocks: signed scales of 64 to 127, half of them negative.
fn scale_q6_k(block: &mut [u8], std: f32, random: &mut Random) {
    let (low, high) = (random.next_u64(), random.next_u64());
    for j in 0..16 {
        let size = 64 + ((if j < 8 { low } else { high }) >> (7 * (j % 8)) & 63) as i8;
        let negative = high >> (56 + j % 8) & 1 == 1;
        block[192 + j] = (if negative { -size } else { size }).cast_unsigned();
    }
    let d = std / (STD_OF_64 * 95.5);
    block[208..210].copy_from_slice(&f16::from_f32(d).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dequantize::dequantize;

    #[test]
    fn random_blocks_have_the_spread_that_was_asked_for() {
        for (format, scale) in [
            (Format::Q4_K, scale_q4_k as fn(&mut [u8], f32, &mut Random)),
            (Format::Q6_K, scale_q6_k),
        ] {
            let mut random = Random::new(1, 2);
            let mut bytes = vec![0; 1000 * format.block_bytes()];
            random.fill(&mut bytes);
            for block in bytes.chunks_exact_mut(format.block_bytes()) {
                scale(block, 1.0 / 64.0, &mut random);
            }
            let mut numbers = vec![0f32; 256_000];
            dequantize(format, &bytes, &mut numbers);
            let mean = numbers.iter().sum::<f32>() / 256e3;
            let square = numbers.iter().map(|x| x * x).sum::<f32>() / 256e3;
            assert!(mean.abs() < 5e-4, "{format:?}: mean {mean}");
            let std = square.sqrt() * 64.0;
            assert!((0.95..1.05).contains(&std), "{format:?}: spread {std}");
        }
    }

    #[test]
    fn the_mix_is_that_of_the_real_file() {
        let shape = crate::mistral::SHAPE;
        let plan = plan(&shape);
        let n_bytes: u64 = plan.iter().map(|(t, _)| t.n_bytes().unwrap()).sum();
        assert_eq!(plan.len(), 291);
        // mistral-7b-v0.1.Q4_K_M.gguf has 4,368,438,944 bytes, its header of about 0.7 MiB
        // included.
        assert!((4_367_000_000..4_368_438_944).contains(&n_bytes), "{n_bytes}");
        assert_eq!((0..32).filter(|&l| more_bits(l, 32)).count(), 16);
    }
}
