//! A model file in, the same model with its most frequent quantized format replaced by another one
//! out, so that formats can be compared in speed on one model. ggml quantizes what our own code
//! expanded; what is lost adds up, so the texts of such a file say little.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, ensure};

use crate::{
    dequantize::dequantize,
    engines::llama,
    format::Format,
    gguf::{Reader, Tensor, Writer},
};

/// Writes `to`, whose tensors of the format that takes most bytes in `from` are of `format`, and
/// returns how many numbers those hold. Rows that aren't whole blocks of `format` stay as they are.
pub fn requantize(from: &Path, to: &Path, format: Format) -> Result<u64> {
    ensure!(
        from.canonicalize()? != to.canonicalize().unwrap_or_default(),
        "{} can't be written onto itself",
        from.display()
    );
    let mut reader = Reader::open(from)?;
    let tensors = reader.header.tensors.clone();
    let most = most_frequent(&tensors)?;
    let is_changed = |tensor: &Tensor| {
        tensor.format == most && tensor.shape[0].is_multiple_of(format.block_len() as u64)
    };
    let changed: Vec<Tensor> = tensors
        .iter()
        .map(|t| if is_changed(t) { Tensor { format, ..t.clone() } } else { t.clone() })
        .collect();
    let mut writer = Writer::create(to, &reader.header.entries, &changed)?;
    let mut n_total = 0;
    for tensor in &tensors {
        // Row by row, so that memory holds no more than a row of each kind.
        let row = tensor.shape[0];
        let row_bytes = tensor.format.bytes_of(row)?;
        for at in 0..tensor.n_numbers() / row {
            let mut bytes = vec![0; row_bytes as usize];
            reader.read(tensor, at * row_bytes, &mut bytes)?;
            if is_changed(tensor) {
                let mut numbers = vec![0f32; row as usize];
                dequantize(tensor.format, &bytes, &mut numbers);
                bytes = llama::from_float(format, &numbers);
                n_total += row;
            }
            writer.write(&bytes)?;
        }
    }
    writer.finish()?;
    Ok(n_total)
}

/// The quantized format that takes most bytes.
fn most_frequent(tensors: &[Tensor]) -> Result<Format> {
    let mut bytes = BTreeMap::<u32, u64>::new();
    for tensor in tensors.iter().filter(|t| t.format.block_len() > 1) {
        *bytes.entry(tensor.format.number()).or_default() += tensor.n_bytes()?;
    }
    let (number, _) =
        bytes.into_iter().max_by_key(|&(_, n)| n).context("the file has no quantized tensor")?;
    Format::from_number(number)
}
