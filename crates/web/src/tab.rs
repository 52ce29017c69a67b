//! Opens a model for a tab: with as many threads as its host has, and room for what a tab's memory
//! holds.

use std::{path::Path, time::Duration};

use anyhow::Context;
use kelvin_engine::{
    Engine,
    batch::Guesses,
    chat::{Day, render_on_this_stack},
    transformer::{CacheFormat, ModelOptions, PAGE},
};
use kelvin_kernels::isa::Isa;
use kelvin_server::{Budget, Local, Options};
use serde::Deserialize;

/// Tokens that a text may have by default: a tab has less memory than a machine.
const CONTEXT: usize = 4096;
/// Tokens whose keys and values are stored by default, besides those of the longest text.
const MORE_TOKENS: usize = 4096;
/// Texts at once: as many as the studio has columns.
const TEXTS: usize = 16;
/// Prompts that may wait.
const QUEUE: usize = 64;

/// Which model, and how it runs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Opening {
    /// The path of the GGUF file, as the host shows it.
    path: String,
    /// The model's name in answers.
    name: String,
    /// The file's SHA-256, if it is known.
    sha256: Option<String>,
    /// Tokens that a text may have.
    context: Option<usize>,
    /// The instruction set: `simd128` or `scalar`.
    isa: Option<String>,
    /// The date for chat templates, as YYYY-MM-DD.
    date: Option<String>,
    /// Threads, this one included; one by default. The module for wasm32-wasip1 has no others.
    threads: Option<usize>,
}

/// Opens a model. `opening` is the JSON of an [`Opening`].
pub(crate) fn open(opening: &[u8]) -> anyhow::Result<Local> {
    let opening: Opening = serde_json::from_slice(opening).context("the options can't be read")?;
    // Requests are answered on this thread, which `./check-wasm` links with a large stack.
    render_on_this_stack();
    let isa = opening.isa.as_deref().map(Isa::named).transpose()?;
    let options = ModelOptions { threads: opening.threads.unwrap_or(1), isa };
    let engine = Engine::open(Path::new(&opening.path), &options, &mut |_, _| ())?;
    let limit = opening.context.unwrap_or(CONTEXT).clamp(1, engine.model.config.ctx_len);
    let room = Budget { n_texts: TEXTS, n_pages: (limit + MORE_TOKENS).div_ceil(PAGE) + 1 };
    let options = Options {
        names: vec![opening.name],
        sha256: opening.sha256,
        calibration: None,
        cache: CacheFormat::default(),
        guesses: Guesses::default(),
        draft_model: None,
        limit,
        room,
        queue: QUEUE,
        key: None,
        day: Day::read(opening.date.as_deref())?,
        starts_recommended: false,
        origins: Vec::new(),
        connections: 1,
        patience: Duration::MAX,
        drain: Duration::ZERO,
        menu: Default::default(),
        sessions: None,
    };
    Local::new(engine, options)
}
