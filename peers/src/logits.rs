//! Tokens or a text in, llama.cpp's logits after every token out: the largest few as a table, or
//! all of them as a file.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::engines::llama::{Llama, Mode, Size};

/// What to read, how, and what to show.
pub struct Request {
    pub mode: Mode,
    pub threads: usize,
    /// How many of the largest to return at each position.
    pub top: usize,
    /// Only after the last token.
    pub last: bool,
    /// Where all logits go: rows of f32, little-endian, one after each token.
    pub out: Option<PathBuf>,
}

/// What the model says after one token.
#[derive(Serialize)]
pub struct Row {
    pub pos: usize,
    pub token: u32,
    pub top: Vec<(u32, f32)>,
}

/// The prompt's tokens: those of a file (numbers apart by blanks or commas, brackets allowed) or
/// those of a text.
pub enum Input {
    Prompt(String),
    TokensFile(PathBuf),
}

/// Runs llama.cpp on `input`.
pub fn logits(model: &Path, input: &Input, request: &Request) -> Result<Vec<Row>> {
    let tokens = match input {
        Input::TokensFile(path) => read_tokens(path)?,
        Input::Prompt(text) => {
            let size = Size { n_ctx: 256, n_sequences: 1 };
            Llama::load(model, request.mode, 1, size)?.tokenize(text)
        }
    };
    ensure!(!tokens.is_empty(), "there are no tokens to read");
    let size = Size { n_ctx: tokens.len(), n_sequences: 1 };
    let mut llama = Llama::load(model, request.mode, request.threads, size)?;
    let mut out = match &request.out {
        Some(path) => Some(BufWriter::new(
            File::create(path).with_context(|| format!("{}: can't create", path.display()))?,
        )),
        None => None,
    };
    let mut rows = Vec::new();
    let mut failure = Ok(());
    llama.rows(&tokens, |row| {
        let pos = rows.len();
        let wanted = !request.last || pos + 1 == tokens.len();
        if let Some(out) = out.as_mut().filter(|_| wanted && failure.is_ok()) {
            failure = row.iter().try_for_each(|x| out.write_all(&x.to_le_bytes()));
        }
        let top = if wanted { largest(row, request.top) } else { Vec::new() };
        rows.push(Row { pos, token: tokens[pos], top });
    })?;
    failure.context("can't write the logits")?;
    if let Some(mut out) = out {
        out.flush()?;
    }
    if request.last {
        rows.drain(..rows.len() - 1);
    }
    Ok(rows)
}

/// The `n` largest with their places, largest first.
fn largest(row: &[f32], n: usize) -> Vec<(u32, f32)> {
    let mut all: Vec<(u32, f32)> = (0..).zip(row.iter().copied()).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(n);
    all
}

fn read_tokens(path: &Path) -> Result<Vec<u32>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("{}: can't read", path.display()))?;
    text.split(|c: char| c.is_whitespace() || ",[]".contains(c))
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.parse().with_context(|| format!("{}: {word:?} is no token id", path.display()))
        })
        .collect()
}
