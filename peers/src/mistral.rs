//! Mistral 7B's shape with random weights, since the real ones can't be had everywhere: every tensor, format and size as
//! in `mistral-7b-v0.1.Q4_K_M.gguf` (Jiang et al. 2023, arXiv 2310.06825), so that speed and memory are the real
//! model's; the text is noise. Written as a stream, in memory of a few MiB.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use half::f16;

use crate::{
    format::Format,
    gguf::{Entry, Header, Tensor, Writer},
    random::Random,
};

const N_LAYERS: u64 = 32;
const D_MODEL: u64 = 4096;
const N_HEADS: u64 = 32;
const N_KV_HEADS: u64 = 8;
const HEAD_DIM: u64 = 128;
const D_FF: u64 = 14336;
/// Version 0.1: this vocabulary, a window of 4096 and a rotary base of 10,000. Version 0.3 has 32,768, none, and a million.
const VOCAB_SIZE: u64 = 32000;
const WINDOW: u32 = 4096;
const CONTEXT: u32 = 32768;
const ROPE_BASE: f32 = 10_000.0;
const NORM_EPSILON: f32 = 1e-5;
/// llama.cpp's number for Q4_K_M.
const FILE_TYPE_Q4_K_M: u32 = 15;

/// What a tensor's numbers look like.
#[derive(Clone, Copy)]
enum Weights {
    /// Around one.
    Norm,
    /// Mean 0 and this standard deviation.
    Matrix(f32),
}

/// Writes the model, its vocabulary (`tokenizer.*`) taken from the GGUF file `vocab`. Returns the file's size in bytes.
pub fn write(to: &Path, vocab: &Path, seed: u64) -> Result<u64> {
    let mut entries = metadata(seed);
    entries.extend(vocabulary(vocab)?);
    let plan = plan();
    let tensors: Vec<Tensor> = plan.iter().map(|(tensor, _)| tensor.clone()).collect();
    let mut writer = Writer::create(to, &entries, &tensors)?;
    for (i, (tensor, weights)) in plan.iter().enumerate() {
        write_tensor(&mut writer, tensor, *weights, &mut Random::new(seed, i as u64))?;
    }
    writer.finish()?;
    Ok(to.metadata()?.len())
}

fn metadata(seed: u64) -> Vec<Entry> {
    vec![
        Entry::str("general.architecture", "llama"),
        Entry::str("general.type", "model"),
        Entry::str("general.name", &format!("Mistral 7B v0.1, its shape, random weights of seed {seed}")),
        Entry::u32("general.file_type", FILE_TYPE_Q4_K_M),
        Entry::u32("general.quantization_version", 2),
        Entry::u32("llama.block_count", N_LAYERS as u32),
        Entry::u32("llama.context_length", CONTEXT),
        Entry::u32("llama.embedding_length", D_MODEL as u32),
        Entry::u32("llama.feed_forward_length", D_FF as u32),
        Entry::u32("llama.attention.head_count", N_HEADS as u32),
        Entry::u32("llama.attention.head_count_kv", N_KV_HEADS as u32),
        Entry::u32("llama.attention.sliding_window", WINDOW),
        Entry::f32("llama.attention.layer_norm_rms_epsilon", NORM_EPSILON),
        Entry::u32("llama.rope.dimension_count", HEAD_DIM as u32),
        Entry::f32("llama.rope.freq_base", ROPE_BASE),
        Entry::u32("llama.vocab_size", VOCAB_SIZE as u32),
    ]
}

fn vocabulary(path: &Path) -> Result<Vec<Entry>> {
    let header = Header::read(path)?;
    let tokens = header
        .entry("tokenizer.ggml.tokens")
        .with_context(|| format!("{}: it has no tokenizer.ggml.tokens", path.display()))?;
    let n = tokens.array_len()?;
    ensure!(n == VOCAB_SIZE, "{}: {n} tokens, but Mistral 7B v0.1 has {VOCAB_SIZE}", path.display());
    Ok(header.entries.into_iter().filter(|e| e.key.starts_with("tokenizer.")).collect())
}

/// Whether llama.cpp's Q4_K_M spends six bits on layer `layer`'s values and down projection (its `use_more_bits`).
fn more_bits(layer: u64) -> bool {
    let first = N_LAYERS / 8;
    !(first..7 * first).contains(&layer) || (layer - first) % 3 == 2
}

/// Every tensor in file order. Standard deviations keep each product's output near 1, as trained models do.
fn plan() -> Vec<(Tensor, Weights)> {
    let mut plan = Vec::new();
    let mut add = |name: String, shape: &[u64], format: Format, gain: f32| {
        let weights = match shape {
            [n_in, _] => Weights::Matrix(gain / (*n_in as f32).sqrt()),
            _ => Weights::Norm,
        };
        let tensor = Tensor { name, shape: shape.into(), format, offset: 0 };
        plan.push((tensor, weights));
    };
    let (q4, q6) = (Format::Q4_K, Format::Q6_K);
    let kv = N_KV_HEADS * HEAD_DIM;
    // Rows of embeddings are looked up rather than multiplied: a gain of 64 makes their numbers near 1.
    add("token_embd.weight".into(), &[D_MODEL, VOCAB_SIZE], q4, 64.0);
    for layer in 0..N_LAYERS {
        let wide = if more_bits(layer) { q6 } else { q4 };
        let mut block = |name: &str, shape: &[u64], format| {
            add(format!("blk.{layer}.{name}.weight"), shape, format, 1.0);
        };
        block("attn_norm", &[D_MODEL], Format::F32);
        block("attn_q", &[D_MODEL, N_HEADS * HEAD_DIM], q4);
        block("attn_k", &[D_MODEL, kv], q4);
        block("attn_v", &[D_MODEL, kv], wide);
        block("attn_output", &[N_HEADS * HEAD_DIM, D_MODEL], q4);
        block("ffn_norm", &[D_MODEL], Format::F32);
        block("ffn_gate", &[D_MODEL, D_FF], q4);
        block("ffn_up", &[D_MODEL, D_FF], q4);
        block("ffn_down", &[D_FF, D_MODEL], wide);
    }
    add("output_norm.weight".into(), &[D_MODEL], Format::F32, 1.0);
    // Logits of standard deviation 3: a distribution with a top, like that of a trained model.
    add("output.weight".into(), &[D_MODEL, VOCAB_SIZE], q6, 3.0);
    plan
}

fn write_tensor(writer: &mut Writer, tensor: &Tensor, weights: Weights, random: &mut Random) -> Result<()> {
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

/// Gives a block of random bits scales that make its numbers have mean 0 and standard deviation `std`: every sub-block
/// with a scale of 32 to 63, and as a minimum the same number, worth 7.5 of the scale's steps.
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
        for (format, scale) in
            [(Format::Q4_K, scale_q4_k as fn(&mut [u8], f32, &mut Random)), (Format::Q6_K, scale_q6_k)]
        {
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
        let plan = plan();
        let n_bytes: u64 = plan.iter().map(|(t, _)| t.n_bytes().unwrap()).sum();
        assert_eq!(plan.len(), 291);
        // mistral-7b-v0.1.Q4_K_M.gguf has 4,368,438,944 bytes, its header of about 0.7 MiB included.
        assert!((4_367_000_000..4_368_438_944).contains(&n_bytes), "{n_bytes}");
        assert_eq!((0..N_LAYERS).filter(|&l| more_bits(l)).count(), 16);
    }
}
