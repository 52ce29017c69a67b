//! A model's name and how it is run in, an open engine out.

use std::path::{Path, PathBuf};

use anyhow::Context;
use kelvin_engine::{
    Engine, TokenId,
    generate::{GenerateError, Request, check_prompt},
    transformer::{Append, CacheFormat, ModelOptions, Scratch, Sequence, Want},
};
use kelvin_kernels::isa::Isa;
use kelvin_sampling::Sampler;
use serde::Serialize;

use super::{
    args::{CacheType, LengthArgs, ModelArgs, NamedModelArgs},
    failure::usage,
    form::Asked,
};
use crate::{
    models::{catalogue::Reference, fetch, verify},
    terminal::{
        self,
        late::{Counted, LateBar},
    },
    views::token,
};

/// Prompt tokens that one step reads.
pub(crate) const CHUNK: usize = 256;

/// An open model and how it is to run.
#[derive(Debug)]
pub(crate) struct Session {
    /// The model.
    pub(crate) engine: Engine,
    /// Which file it is.
    pub(crate) file: ModelFile,
    /// Where it lies.
    path: PathBuf,
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
    let path = fetch::ensure(&reference, args.fetch.permissions())?;
    Ok((reference, path))
}

/// Opens the model, fetching it if it has a name and isn't here.
pub(crate) fn open(args: &ModelArgs) -> anyhow::Result<Session> {
    let named = |name: &String| Isa::named(name).map_err(|error| usage(format!("--isa: {error}")));
    let isa = args.isa.as_ref().map(named).transpose()?;
    if args.threads == Some(0) {
        return Err(usage("--threads is 0: give at least 1, or leave it out for every core"));
    }
    if args.ctx_size == Some(0) {
        return Err(usage("--ctx-size is 0: give at least 1, or leave it out for all that the model has"));
    }
    let (reference, path) = locate(&args.named)?;
    let options = ModelOptions { threads: args.threads.unwrap_or(0), isa };
    let engine = load(&path, &options)?;
    let own = engine.model.config.ctx_len;
    if let Some(asked) = args.ctx_size.filter(|&asked| asked > own) {
        terminal::note(&format!(
            "hint: --ctx-size is {asked}, but the model was trained for {own} tokens and {own} it gets"
        ));
    }
    let sha256 = match &reference {
        Reference::Named(entry) => entry.sha256.clone(),
        _ => None,
    };
    let name = path
        .file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let size = path.metadata().with_context(|| format!("can't read {}", path.display()))?.len();
    let cache = match args.cache_type {
        CacheType::F16 => CacheFormat::F16,
        CacheType::F32 => CacheFormat::F32,
    };
    Ok(Session {
        engine,
        file: ModelFile { model: args.named.model.clone(), file: name, size, sha256 },
        path,
        cache,
        context: args.ctx_size,
    })
}

fn load(path: &Path, options: &ModelOptions) -> anyhow::Result<Engine> {
    let mut bar = LateBar::new(Counted::Bytes);
    let engine = Engine::open(path, options, &mut |done, total| bar.set(done, total));
    engine.with_context(|| format!("can't use {}", path.display()))
}

impl Session {
    /// An empty sequence.
    pub(crate) fn sequence(&self) -> Sequence {
        self.engine.model.sequence(self.cache)
    }

    /// What is asked of the engine: a text for each sampler, held to a form if there is one.
    pub(crate) fn request(
        &self,
        samplers: Vec<Sampler>,
        length: &LengthArgs,
        form: Option<&Asked>,
    ) -> anyhow::Result<Request> {
        let constraint = form.map(|form| form.constraint(&self.engine.tokenizer)).transpose()?;
        Ok(Request {
            max_tokens: length.max_tokens,
            stop: length.stop.clone(),
            ignore_end: length.ignore_end,
            chunk: CHUNK,
            context: self.context,
            constraint,
            ..Request::new(samplers)
        })
    }

    /// Refuses a prompt that can't be continued, before anything is shown of it.
    pub(crate) fn check_prompt(&self, tokens: &[TokenId]) -> anyhow::Result<()> {
        check_prompt(&self.engine, tokens, self.context)?;
        Ok(())
    }

    /// The file's SHA-256: the catalogue's, which was checked when the file was fetched, or computed now.
    pub(crate) fn sha256(&self) -> anyhow::Result<String> {
        match &self.file.sha256 {
            Some(known) => Ok(known.clone()),
            None => verify::sha256(&self.path).with_context(|| format!("can't read {}", self.path.display())),
        }
    }

    /// How many tokens a text may have.
    pub(crate) fn limit(&self) -> usize {
        self.context.unwrap_or(usize::MAX).min(self.engine.model.config.ctx_len)
    }

    /// Makes `sequence` hold `tokens` and returns the raw logits of what comes next. What it holds of them
    /// already isn't read again, but for the last token.
    pub(crate) fn read(&self, sequence: &mut Sequence, tokens: &[TokenId]) -> anyhow::Result<Vec<f32>> {
        let limit = self.limit();
        let Some((last, head)) = tokens.split_last() else { return Err(GenerateError::EmptyPrompt.into()) };
        if tokens.len() > limit {
            return Err(GenerateError::PromptTooLong { len: tokens.len(), limit }.into());
        }
        let shared = sequence.tokens().iter().zip(head).take_while(|(a, b)| a == b).count();
        sequence.truncate(shared);
        let mut scratch = Scratch::default();
        let mut bar = LateBar::new(Counted::Tokens);
        for chunk in head[shared..].chunks(CHUNK) {
            bar.set(sequence.len() as u64, tokens.len() as u64);
            self.engine
                .model
                .forward(&mut [Append { sequence, tokens: chunk, want: Want::None }], &mut scratch)?;
        }
        let mut batch = [Append { sequence, tokens: std::slice::from_ref(last), want: Want::Last }];
        Ok(self.engine.model.forward(&mut batch, &mut scratch)?.row(0).to_vec())
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
