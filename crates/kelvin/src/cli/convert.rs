//! `convert`: writes a Hugging Face folder, or the parts of a split model, as one GGUF file.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args as ClapArgs;
use kelvin_engine::{
    gguf::Gguf,
    source::{self, Quantize},
    tokenizer::Tokenizer,
    transformer::Config,
};
use kelvin_models::megabytes;

use super::shared::{args::quantize_formats, failure::usage, session, whole_file};
use crate::terminal::{
    self,
    late::{Counted, LateBar},
};

/// `convert`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin convert ./Qwen3-0.6B -o qwen3-0.6b-f16.gguf
  kelvin convert ./Qwen3-0.6B --quantize q4_k -o qwen3-0.6b-q4_k.gguf
  kelvin convert big-00001-of-00003.gguf -o big.gguf

A folder has config.json, tokenizer.json and *.safetensors. Weights keep the format that they
have (F32, F16, BF16) unless --quantize packs them. Pickles (.bin, .pt) are never opened.")]
pub(crate) struct ConvertArgs {
    /// A Hugging Face folder, or any part of a split GGUF model
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The GGUF file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Pack the matrices of a folder
    #[arg(long, value_name = "FORMAT", value_parser = quantize_formats())]
    quantize: Option<Quantize>,
}

/// Runs the verb.
pub(crate) fn run(args: &ConvertArgs) -> anyhow::Result<()> {
    let ConvertArgs { model, output, quantize } = args;
    let context = || format!("can't use {}", model.display());
    let gguf = source::open(model, *quantize).with_context(context)?;
    if gguf.paths().iter().any(|path| is_same(path, output)) {
        return Err(usage(format!("--output is {}, which is read", output.display())));
    }
    check(&gguf).with_context(context)?;
    let mut bar = LateBar::new(Counted::Bytes);
    whole_file::replace(output, |out| {
        Ok(gguf.write(out, &mut |done, total| bar.set(done, total))?)
    })?;
    drop(bar);
    let size = output.metadata().map(|file| file.len()).unwrap_or_default();
    terminal::print(&format!("{} ({})\n", output.display(), megabytes(size)))
}

/// Refuses a model that this engine can't run, before anything is written.
fn check(gguf: &Gguf) -> anyhow::Result<()> {
    Config::from_gguf(gguf)?;
    let tokenizer = Tokenizer::from_metadata(&gguf.metadata)?;
    session::warn(&tokenizer);
    Ok(())
}

fn is_same(path: &Path, other: &Path) -> bool {
    match (path.canonicalize(), other.canonicalize()) {
        (Ok(path), Ok(other)) => path == other,
        _ => false,
    }
}
