//! Opens an engine from a model's name and the flags that say how it runs.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use kelvin_engine::{
    Engine, EngineError, TokenId,
    batch::{
        Batch, BatchOptions, Budget, DraftModel, GenerateError, Guesses, Observer, Request,
        RequestId, check_prompt, next_logits,
    },
    generate::{Ends, banned_strings},
    source::{self, Quantize},
    tokenizer::Tokenizer,
    transformer::{CacheFormat, ModelOptions, PAGE},
};
use kelvin_kernels::isa::Isa;
use kelvin_models::{catalogue::Reference, fetch, verify};
use kelvin_sampling::{Chain, ChainError, Sampler};
use kelvin_views::{escape, token};
use serde::Serialize;

use super::{
    args::{BanArgs, EngineArgs, LengthArgs, ModelArgs, NamedModelArgs},
    drafts::DraftFrom,
    failure::usage,
    form::Asked,
    memory,
};
use crate::terminal::{
    self,
    download::Terminal,
    late::{Counted, LateBar},
};

/// What to expect of an instruction set without kernels of its own.
const SLOW: &str = "hint: the scalar kernels compute, with the same texts, more than 100 times \
    slower than others; fast ones need AVX2 with FMA and F16C on x86-64, or aarch64";

/// An open model, and how it runs.
#[derive(Debug)]
pub(crate) struct Session {
    /// The model.
    pub(crate) engine: Engine,
    /// The model's file.
    pub(crate) file: ModelFile,
    /// The path of the file.
    path: PathBuf,
    /// The format that a folder's weights were packed into.
    pub(crate) quantize: Option<Quantize>,
    /// The format of the KV cache.
    pub(crate) cache: CacheFormat,
    /// Tokens of the context, if fewer than the model's own.
    pub(crate) context: Option<usize>,
    /// Which tokens a step reads before they are drawn.
    pub(crate) guesses: Guesses,
    /// A smaller model that guesses as well.
    pub(crate) draft_model: Option<DraftModel>,
}

/// The file of a model, for JSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ModelFile {
    /// The model as given.
    pub(crate) model: String,
    /// The file's name without its directory, so that two machines print equal bytes.
    pub(crate) file: String,
    /// The size in bytes.
    pub(crate) size: u64,
    /// The hash, if the catalogue has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
}

/// The path of a model that generates text. A named model is fetched if it isn't here.
pub(crate) fn locate(args: &NamedModelArgs) -> anyhow::Result<(Reference, PathBuf)> {
    let reference = Reference::writer(&args.model)?;
    let path = fetch::ensure(&reference, args.fetch.permissions(), &Terminal)?;
    Ok((reference, path))
}

/// Refuses 0 threads.
pub(crate) fn check_threads(n: Option<usize>) -> anyhow::Result<()> {
    match n {
        Some(0) => Err(usage("--threads is 0: give at least 1, or leave it out for every core")),
        _ => Ok(()),
    }
}

/// How a model runs, by the flags.
fn options(how: &EngineArgs) -> anyhow::Result<ModelOptions> {
    let named = |name: &String| Isa::named(name).map_err(|error| usage(format!("--isa: {error}")));
    let isa = how.isa.as_ref().map(named).transpose()?;
    check_threads(how.threads)?;
    Ok(ModelOptions { threads: how.threads.unwrap_or(0), isa })
}

/// Opens the model. A named model is fetched if it isn't here.
pub(crate) fn open(args: &ModelArgs) -> anyhow::Result<Session> {
    let ModelArgs { named: args, engine: how } = args;
    let options = options(how)?;
    if how.ctx_size == Some(0) {
        return Err(usage(
            "--ctx-size is 0: give at least 1, or leave it out for all that the model has",
        ));
    }
    let (reference, path) = locate(args)?;
    let quantize = how.quantize;
    if options.isa.unwrap_or_else(Isa::best) == Isa::SCALAR {
        terminal::note(SLOW);
    }
    let engine = load(&path, quantize, &options)?;
    warn(&engine.tokenizer);
    let own = engine.model.config.ctx_len;
    if let Some(asked) = how.ctx_size.filter(|&asked| asked > own) {
        terminal::note(&format!(
            "hint: --ctx-size is {asked}, but the model was trained for {own} tokens, so the context \
             has {own}"
        ));
    }
    let sha256 = reference.sha256().map(str::to_string);
    let name = path
        .file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let size = engine.file_bytes;
    Ok(Session {
        engine,
        file: ModelFile { model: args.model.clone(), file: name, size, sha256 },
        path,
        quantize,
        cache: how.cache_type,
        context: how.ctx_size,
        guesses: Guesses::default(),
        draft_model: None,
    })
}

/// Prints the warnings about the file's vocabulary.
pub(crate) fn warn(tokenizer: &Tokenizer) {
    for warning in tokenizer.warnings() {
        terminal::note(&escape::printable(&format!("warning: {warning}")));
    }
}

/// Pages of `n_texts` texts that share a prompt. Each text has a copy of the prompt's partly filled
/// page, and pages of its own.
fn pages(n_prompt: usize, n_texts: usize, n_new: usize) -> usize {
    let own = n_new.div_ceil(PAGE).saturating_add(1);
    n_prompt.div_ceil(PAGE).saturating_add(n_texts.saturating_mul(own))
}

/// Shows the progress of prefill.
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
    /// The session, with drafts. `model` says how the session's model was opened: a draft model
    /// runs in the same way.
    pub(crate) fn drafting(self, from: &DraftFrom, model: &ModelArgs) -> anyhow::Result<Session> {
        let name = match from {
            DraftFrom::Texts(guesses) => return Ok(Session { guesses: *guesses, ..self }),
            DraftFrom::Model(name) => name,
        };
        let named = NamedModelArgs { model: name.clone(), fetch: model.named.fetch };
        let located = locate(&named);
        let (_, path) = located.context("--draft takes off, lookup, auto or a model")?;
        let draft = load(&path, None, &options(&model.engine)?)?;
        let checked = DraftModel::new(&self.engine, draft);
        let draft_model = Some(checked.map_err(|error| usage(format!("--draft {name}: {error}")))?);
        Ok(Session { guesses: Guesses::Auto, draft_model, ..self })
    }

    /// An empty batch.
    pub(crate) fn batch(&self, budget: Budget) -> Batch {
        let (engine, cache, guesses) = (&self.engine, self.cache, self.guesses);
        let options = BatchOptions { cache, guesses, ..BatchOptions::new(budget) };
        match &self.draft_model {
            Some(model) => Batch::new(engine, options).drafting_with(model.clone()),
            None => Batch::new(engine, options),
        }
    }

    /// Bytes of keys, values and recurrent states, those of a draft model included.
    pub(crate) fn n_bytes(&self, budget: Budget) -> usize {
        let drafts = self.draft_model.iter().map(DraftModel::engine);
        let all = [&self.engine].into_iter().chain(drafts);
        all.map(|engine| budget.n_bytes(&engine.model.config, self.cache)).sum()
    }

    /// A chain for the model: with what its texts and places mean in its vocabulary.
    pub(crate) fn bind(&self, chain: &Chain) -> anyhow::Result<Chain> {
        self.engine.bind(chain).map_err(|error| match error {
            // The stage's name says more: it may have a flag of its own.
            ChainError::UnknownToken { .. } => usage(error.to_string()),
            _ => usage(format!("--sampler: {error}")),
        })
    }

    /// A batch for one text of up to `n_tokens` tokens, and its entries in the prefix cache.
    pub(crate) fn batch_for_one(&self, n_tokens: usize) -> Batch {
        self.batch(Budget::for_texts(1, n_tokens.min(self.limit()) + PAGE))
    }

    /// A request to the engine: a text for each sampler, in the requested form if there is one.
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
            ignore_end: length.ignore_end,
            texts: length.stop.clone(),
            ..self.ends(&length.bans, false)?
        };
        Ok(request)
    }

    /// What texts may not say, and how long they may think; their thoughts apart or not.
    pub(crate) fn ends(&self, bans: &BanArgs, apart: bool) -> anyhow::Result<Ends> {
        let wrong =
            |flag: &str, problem: &dyn std::fmt::Display| usage(format!("{flag}: {problem}"));
        let banned = banned_strings(&bans.ban_string);
        let thoughts = self.engine.thoughts(bans.think, apart);
        Ok(Ends {
            limit: self.limit(),
            banned: banned.map_err(|problem| wrong("--ban-string", &problem))?,
            thoughts: thoughts.map_err(|problem| wrong("--think", &problem))?,
            ..Ends::default()
        })
    }

    /// Returns the page budget of `n_texts` texts. Refuses a prompt that can't be continued, and
    /// texts that may need more memory than is free: running out of memory later can't be handled.
    pub(crate) fn check(
        &self,
        prompt: &[TokenId],
        n_texts: usize,
        max_tokens: usize,
    ) -> anyhow::Result<Budget> {
        let limit = check_prompt(&self.engine, prompt, self.context)?;
        let n_new = max_tokens.min(limit - prompt.len());
        let budget = Budget { n_texts, n_pages: pages(prompt.len(), n_texts, n_new) };
        let bytes = self.n_bytes(budget) as u64;
        match memory::available() {
            Some(free) if bytes > free => Err(anyhow!(
                "the keys and values of {} with up to {} each may take {} MB, but {} MB of memory \
                 are free: ask for fewer",
                terminal::counted(n_texts, "text"),
                terminal::counted(n_new, "new token"),
                bytes.div_ceil(1_000_000),
                free.div_ceil(1_000_000)
            )),
            _ => Ok(budget),
        }
    }

    /// The file's SHA-256: the catalogue's, which was checked when the file was fetched, or
    /// computed now. For several files, a hash over their hashes.
    pub(crate) fn sha256(&self) -> anyhow::Result<String> {
        match &self.file.sha256 {
            Some(known) => Ok(known.clone()),
            None => verify::sha256_of_model(&self.engine.files, self.quantize.map(Quantize::name))
                .with_context(|| format!("can't read {}", self.path.display())),
        }
    }

    /// Maximum tokens of a text.
    pub(crate) fn limit(&self) -> usize {
        self.context.unwrap_or(usize::MAX).min(self.engine.model.config.ctx_len)
    }

    /// The raw next-token logits after `tokens`. Tokens in the batch's prefix cache aren't read
    /// again, the last one excepted.
    pub(crate) fn read(&self, batch: &mut Batch, tokens: &[TokenId]) -> anyhow::Result<Vec<f32>> {
        let (len, limit) = (tokens.len(), self.limit());
        if len > limit {
            return Err(GenerateError::PromptTooLong { len, limit }.into());
        }
        let mut bar = Reading(LateBar::new(Counted::Tokens));
        let logits = next_logits(&self.engine, batch, tokens.to_vec(), &mut bar)?;
        Ok(logits.expect("the bar breaks nothing off"))
    }

    /// A token's text for people.
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
