//! Opens an engine from a model's name and the flags that say how it runs.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use kelvin_engine::{
    Engine, EngineError, TokenId,
    batch::{
        Batch, BatchOptions, Budget, GenerateError, Observer, Request, RequestId, check_prompt,
        next_logits,
    },
    generate::Ends,
    source::{self, Quantize},
    tokenizer::Tokenizer,
    transformer::{CacheFormat, ModelOptions, PAGE},
};
use kelvin_kernels::isa::Isa;
use kelvin_models::{catalogue::Reference, fetch, verify};
use kelvin_sampling::Sampler;
use kelvin_views::{escape, token};
use serde::Serialize;

use super::{
    args::{LengthArgs, ModelArgs, NamedModelArgs},
    failure::usage,
    form::Asked,
    memory,
};
use crate::terminal::{
    self,
    download::Terminal,
    late::{Counted, LateBar},
};

/// An open model and how it is to run.
#[derive(Debug)]
pub(crate) struct Session {
    /// The model.
    pub(crate) engine: Engine,
    /// Which file it is.
    pub(crate) file: ModelFile,
    /// Where it lies.
    path: PathBuf,
    /// Into what its weights were packed when they were read.
    quantize: Option<Quantize>,
    /// How keys and values are kept.
    pub(crate) cache: CacheFormat,
    /// Tokens of the context, if fewer than the model's own.
    pub(crate) context: Option<usize>,
}

/// Which file a model came from, as JSON says it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ModelFile {
    /// As it was typed.
    pub(crate) model: String,
    /// Of the file, without its directory: two machines print the same.
    pub(crate) file: String,
    /// In bytes.
    pub(crate) size: u64,
    /// If the catalogue knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
}

/// Where the file of a model is that can write, fetched if it has a name and isn't here.
pub(crate) fn locate(args: &NamedModelArgs) -> anyhow::Result<(Reference, PathBuf)> {
    let reference = Reference::writer(&args.model)?;
    let path = fetch::ensure(&reference, args.fetch.permissions(), &Terminal)?;
    Ok((reference, path))
}

/// Refuses no threads at all.
pub(crate) fn check_threads(n: Option<usize>) -> anyhow::Result<()> {
    match n {
        Some(0) => Err(usage("--threads is 0: give at least 1, or leave it out for every core")),
        _ => Ok(()),
    }
}

/// Opens the model, fetching it if it has a name and isn't here.
pub(crate) fn open(args: &ModelArgs) -> anyhow::Result<Session> {
    let named = |name: &String| Isa::named(name).map_err(|error| usage(format!("--isa: {error}")));
    let isa = args.isa.as_ref().map(named).transpose()?;
    check_threads(args.threads)?;
    if args.ctx_size == Some(0) {
        return Err(usage(
            "--ctx-size is 0: give at least 1, or leave it out for all that the model has",
        ));
    }
    let (reference, path) = locate(&args.named)?;
    let options = ModelOptions { threads: args.threads.unwrap_or(0), isa };
    let quantize = args.quantize;
    let engine = load(&path, quantize, &options)?;
    warn(&engine.tokenizer);
    let own = engine.model.config.ctx_len;
    if let Some(asked) = args.ctx_size.filter(|&asked| asked > own) {
        terminal::note(&format!(
            "hint: --ctx-size is {asked}, but the model was trained for {own} tokens and {own} it \
             gets"
        ));
    }
    let sha256 = match &reference {
        Reference::Named(entry) => entry.sha256.clone(),
        _ => None,
    };
    let name = path
        .file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let size = engine.file_bytes;
    Ok(Session {
        engine,
        file: ModelFile { model: args.named.model.clone(), file: name, size, sha256 },
        path,
        quantize,
        cache: args.cache_type,
        context: args.ctx_size,
    })
}

/// Tells people what the file's vocabulary leaves open.
pub(crate) fn warn(tokenizer: &Tokenizer) {
    for warning in tokenizer.warnings() {
        terminal::note(&escape::printable(&format!("warning: {warning}")));
    }
}

/// Pages of texts that share a prompt: each has one that it shares in part, and those of its own.
fn pages(n_prompt: usize, n_texts: usize, n_new: usize) -> usize {
    let own = n_new.div_ceil(PAGE).saturating_add(1);
    n_prompt.div_ceil(PAGE).saturating_add(n_texts.saturating_mul(own))
}

/// Shows how far a prompt has been read.
struct Reading(LateBar);

impl Observer for Reading {
    fn prompt(&mut self, _: RequestId, done: usize, total: usize) -> ControlFlow<()> {
        self.0.set(done as u64, total as u64);
        ControlFlow::Continue(())
    }
}

fn load(path: &Path, quantize: Option<Quantize>, options: &ModelOptions) -> anyhow::Result<Engine> {
    let mut bar = LateBar::new(Counted::Bytes);
    let engine = source::open(path, quantize)
        .map_err(EngineError::from)
        .and_then(|gguf| Engine::load(gguf, options, &mut |done, total| bar.set(done, total)));
    engine.with_context(|| format!("can't use {}", path.display()))
}

impl Session {
    /// An empty batch.
    pub(crate) fn batch(&self, budget: Budget) -> Batch {
        Batch::new(&self.engine, BatchOptions { cache: self.cache, ..BatchOptions::new(budget) })
    }

    /// Room for one text of up to `n_tokens` tokens and what the prefix cache keeps of the last.
    pub(crate) fn batch_for_one(&self, n_tokens: usize) -> Batch {
        self.batch(Budget::for_texts(1, n_tokens.min(self.limit()) + PAGE))
    }

    /// What is asked of the engine: a text for each sampler, held to a form if there is one.
    pub(crate) fn request(
        &self,
        prompt: Vec<TokenId>,
        samplers: Vec<Sampler>,
        length: &LengthArgs,
        form: Option<&Asked>,
    ) -> anyhow::Result<Request> {
        let constraint = form.map(|form| form.constraint(&self.engine.tokenizer)).transpose()?;
        let mut request = Request::new(prompt, samplers);
        for draft in &mut request.drafts {
            draft.constraint = constraint.as_ref().map(|constraint| constraint.fork());
        }
        request.ends = Ends {
            max_tokens: length.max_tokens,
            limit: self.limit(),
            ignore_end: length.ignore_end,
            texts: length.stop.clone(),
            ..Ends::default()
        };
        Ok(request)
    }

    /// Refuses what can't be done, before anything is shown of it: a prompt that can't be
    /// continued, and so many texts of so many tokens that there may not be memory for all of them.
    /// Running out of it in the midst can't be caught. Otherwise returns the room that they need.
    pub(crate) fn check(
        &self,
        prompt: &[TokenId],
        n_texts: usize,
        max_tokens: usize,
    ) -> anyhow::Result<Budget> {
        let limit = check_prompt(&self.engine, prompt, self.context)?;
        let n_new = max_tokens.min(limit - prompt.len());
        let n_pages = pages(prompt.len(), n_texts, n_new);
        let page_bytes = self.engine.model.config.page_bytes(self.cache) as u64;
        let bytes = (n_pages as u64).saturating_mul(page_bytes);
        match memory::available() {
            Some(free) if bytes > free => Err(anyhow!(
                "the keys and values of {} with up to {} each may take {} MB, but {} MB of memory \
                 are free: ask for fewer",
                terminal::counted(n_texts, "text"),
                terminal::counted(n_new, "new token"),
                bytes.div_ceil(1_000_000),
                free.div_ceil(1_000_000)
            )),
            _ => Ok(Budget { n_texts, n_pages }),
        }
    }

    /// The file's SHA-256: the catalogue's, which was checked when the file was fetched, or
    /// computed now. Of several files it is a hash over their hashes.
    pub(crate) fn sha256(&self) -> anyhow::Result<String> {
        match &self.file.sha256 {
            Some(known) => Ok(known.clone()),
            None => verify::sha256_of_model(&self.engine.files, self.quantize.map(Quantize::name))
                .with_context(|| format!("can't read {}", self.path.display())),
        }
    }

    /// How many tokens a text may have.
    pub(crate) fn limit(&self) -> usize {
        self.context.unwrap_or(usize::MAX).min(self.engine.model.config.ctx_len)
    }

    /// The raw logits of what comes after `tokens`. What the batch's prefix cache has of them isn't
    /// read again, but for the last token.
    pub(crate) fn read(&self, batch: &mut Batch, tokens: &[TokenId]) -> anyhow::Result<Vec<f32>> {
        let (len, limit) = (tokens.len(), self.limit());
        if len > limit {
            return Err(GenerateError::PromptTooLong { len, limit }.into());
        }
        let mut bar = Reading(LateBar::new(Counted::Tokens));
        let logits = next_logits(&self.engine, batch, tokens.to_vec(), &mut bar)?;
        Ok(logits.expect("the bar breaks nothing off"))
    }

    /// What a token says on its own, as people see it.
    pub(crate) fn shown(&self, token: TokenId) -> String {
        token::shown(&self.engine, token)
    }

    /// A token's text for JSON.
    pub(crate) fn text(&self, token: TokenId) -> String {
        token::text(&self.engine, token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_share_the_pages_of_their_prompt() {
        assert_eq!(pages(PAGE, 1, PAGE), 3);
        assert_eq!(pages(10 * PAGE, 512, 128), 10 + 512 * (128 / PAGE + 1));
        assert_eq!(pages(1, usize::MAX, usize::MAX), usize::MAX);
    }
}
