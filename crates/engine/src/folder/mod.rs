//! Opens a Hugging Face folder as if it were a GGUF file: `config.json` becomes metadata,
//! `tokenizer.json` a vocabulary, and `*.safetensors` become tensors under GGUF's names. One path
//! leads into the engine, and writing a GGUF file from a folder is writing out what this makes.
//!
//! A folder is untrusted like any model file: sizes are bounded before anything is read, offsets
//! lie inside their file, an index names files of the folder only, and pickles are never opened.
//!
//! Names of configuration keys and of tensors: transformers' `models/*/configuration_*.py` and
//! `modeling_*.py`; what they become: llama.cpp's `conversion/` and gguf-py's
//! `tensor_mapping.py`.

mod config;
mod data;
mod error;
mod families;
mod family;
mod heads;
mod json;
mod keys;
mod names;
mod order;
mod pre;
mod rope;
mod rule;
mod shards;
mod tensors;
mod tokenizer;

pub use error::FolderError;

use std::path::{Path, PathBuf};

use kelvin_kernels::format::Format;

use crate::gguf::{Gguf, GgufError, Metadata, Value};
use config::Config;
use data::FolderData;
use heads::Heads;
use tokenizer::Vocabulary;

/// Into which format the matrices of a folder are packed while they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantize {
    /// Q8_0: 8.5 bits per weight.
    Q8_0,
    /// Q4_K: 4.5 bits per weight; the output matrix is Q8_0.
    Q4K,
}

impl Quantize {
    /// Every choice.
    pub const ALL: [Quantize; 2] = [Quantize::Q8_0, Quantize::Q4K];

    /// The name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Quantize::Q8_0 => "q8_0",
            Quantize::Q4K => "q4_k",
        }
    }
}

/// Opens a folder. Matrices stay in the format that they have, F32, F16 or BF16, or are packed as
/// `quantize` says when they are read.
///
/// # Errors
/// A file that is missing or damaged, a family that isn't known, a configuration that the engine
/// wouldn't follow, a tensor that nothing would read.
pub(crate) fn open(folder: &Path, quantize: Option<Quantize>) -> Result<Gguf, GgufError> {
    let config = Config::read(folder)?;
    let family = families::find(&config)?;
    let shards = shards::open(folder)?;
    let heads = Heads::of(&config, family)?;
    let mut entries = keys::of(&config, family, &heads, folder)?;
    let extra = rope::apply(&config, family, &mut entries)?;
    let made = tensors::make(&config, family, &heads, &shards, extra, quantize)?;
    let n_rows = made.n_tokens();
    for (key, stored) in &made.parameters {
        entries.push((key.to_string(), Value::FloatArray(shards.numbers(stored)?)));
    }
    let vocabulary = Vocabulary::read(folder, &config, n_rows)?;
    entries.extend(vocabulary.entries);
    push_formats(&mut entries, made.infos.iter().map(|info| info.format));
    let metadata: Metadata = entries.into_iter().collect();
    let mut paths: Vec<PathBuf> = vec![folder.join(config::FILE)];
    paths.extend(vocabulary.paths);
    paths.extend(shards.paths());
    let data = FolderData::new(made.recipes, shards);
    Ok(Gguf::assembled(metadata, made.infos, paths, Box::new(data)))
}

/// Says what most weights are stored in, by llama.cpp's numbers of file types (`llama_ftype`).
fn push_formats(entries: &mut Vec<(String, Value)>, formats: impl Iterator<Item = Format>) {
    let formats: Vec<Format> = formats.collect();
    let has = |format: Format| formats.contains(&format);
    let file_type = [
        (Format::Q4_K, 14),
        (Format::Q8_0, 7),
        (Format::BF16, 32),
        (Format::F16, 1),
        (Format::F32, 0),
    ];
    let number = file_type.iter().find(|(format, _)| has(*format)).map_or(0, |(_, number)| *number);
    entries.push(("general.file_type".to_string(), Value::U32(number)));
    if has(Format::Q8_0) || has(Format::Q4_K) {
        entries.push(("general.quantization_version".to_string(), Value::U32(2)));
    }
}
