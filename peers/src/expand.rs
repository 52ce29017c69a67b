//! A quantized model file in, the same model with every number as F32 out: the truth that quantized
//! arithmetic is measured against, since ggml rounds no activations where the weights are F32.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::{
    dequantize::dequantize,
    format::Format,
    gguf::{Entry, Reader, Tensor, Writer},
};

/// How many numbers are expanded at a time; every block length divides it.
const CHUNK: u64 = 1 << 20;
const FILE_TYPE_KEY: &str = "general.file_type";

/// Writes `to` and returns how many numbers it holds.
pub fn expand(from: &Path, to: &Path) -> Result<u64> {
    ensure!(
        from.canonicalize()? != to.canonicalize().unwrap_or_default(),
        "{} can't be expanded onto itself",
        from.display()
    );
    let mut reader = Reader::open(from)?;
    let mut entries = reader.header.entries.clone();
    entries.retain(|e| e.key != FILE_TYPE_KEY);
    // 0 is llama.cpp's number for "all F32".
    entries.push(Entry::u32(FILE_TYPE_KEY, 0));
    let tensors = reader.header.tensors.clone();
    let expanded: Vec<Tensor> =
        tensors.iter().map(|t| Tensor { format: Format::F32, ..t.clone() }).collect();
    let mut writer = Writer::create(to, &entries, &expanded)?;
    let mut n_total = 0;
    for tensor in &tensors {
        let n_numbers = tensor.n_numbers();
        let mut done = 0;
        while done < n_numbers {
            let n = CHUNK.min(n_numbers - done);
            let mut bytes = vec![0; tensor.format.bytes_of(n)? as usize];
            reader.read(tensor, tensor.format.bytes_of(done)?, &mut bytes)?;
            let mut numbers = vec![0f32; n as usize];
            dequantize(tensor.format, &bytes, &mut numbers);
            let out: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            writer.write(&out)?;
            done += n;
        }
        n_total += n_numbers;
    }
    writer.finish()?;
    Ok(n_total)
}
