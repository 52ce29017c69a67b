//! `sweep`: generates the table of texts of a recipe and stores it in the database.

pub(super) mod args;
pub(super) mod plan;
pub(super) mod view;

use std::{
    io::{BufRead, IsTerminal},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use kelvin_engine::{TokenId, transformer::CacheFormat};
use kelvin_lab::{
    Recipe, Store,
    recipe::{Draft, Origin, Template},
    run::Source,
    store::RunId,
    sweep::{self, missing},
    worker::{Local, Worker},
};
use kelvin_models::catalogue::Reference;

use crate::{
    cli::shared::{
        args::{ModelArgs, PromptArgs},
        failure::{Interrupted, usage},
        prompt::{self, Otherwise},
        session::{self, Session},
    },
    interrupt,
    remote::{Manners, Remote},
    terminal,
};
use args::{DbArgs, SweepArgs};
use view::Reporter;

/// From here on somebody may have multiplied more than they meant to.
const MANY_TEXTS: usize = 1_000_000;

/// Runs the verb.
pub(crate) fn run(args: &SweepArgs) -> anyhow::Result<()> {
    session::check_threads(args.threads)?;
    let recipe = recipe(args)?;
    if !args.plan && !args.yes {
        confirm(&recipe)?;
    }
    let path = place(&args.db)?;
    // Before the model is loaded, which takes longer than finding out that nothing can be kept.
    let store = if args.plan { store_to_plan(&path)? } else { Some(Store::open(&path)?) };
    with_worker(args, &recipe, |worker| go(args, &recipe, store, worker))
}

/// Opens the model of a recipe, or a way to its server, and hands that over.
pub(crate) fn with_worker<T>(
    args: &SweepArgs,
    recipe: &Recipe,
    work: impl FnOnce(&mut dyn Worker) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    match &recipe.origin {
        Origin::Model(_) => {
            let session = session::open(&model_args(args, recipe))?;
            let prompts = prompts(&session, recipe)?;
            let source =
                Source::Local { model: session.file.model.clone(), sha256: session.sha256()? };
            work(&mut Local::new(
                &session.engine,
                source,
                prompts,
                recipe.length.context,
                args.width,
            )?)
        }
        Origin::Server { .. } => work(&mut Remote::new(recipe, manners(args)?).map_err(usage)?),
    }
}

/// How a server is spoken to. A key is sent only if its variable is named, so that no other
/// server's is given away.
fn manners(args: &SweepArgs) -> anyhow::Result<Manners> {
    let key = args.key_env.as_ref().map(|name| {
        let key = std::env::var(name).ok().filter(|key| !key.is_empty());
        key.ok_or_else(|| {
            usage(format!("--key-env: the environment variable {name} is empty or not set"))
        })
    });
    if args.requests == 0 {
        return Err(usage("--requests is 0, but at least 1 is needed"));
    }
    let timeout = Duration::from_secs(args.timeout.max(1));
    let patience = args.patience.map(Duration::from_secs);
    Ok(Manners { key: key.transpose()?, n_requests: args.requests, timeout, patience })
}

fn go(
    args: &SweepArgs,
    recipe: &Recipe,
    store: Option<Store>,
    worker: &mut dyn Worker,
) -> anyhow::Result<()> {
    match store {
        Some(mut store) if !args.plan => {
            let run = store.begin(recipe, worker.source(), env!("CARGO_PKG_VERSION"))?;
            fill(args, recipe, run, &mut store, worker)
        }
        store => plan::show(recipe, store.as_ref(), worker, args.json),
    }
}

fn fill(
    args: &SweepArgs,
    recipe: &Recipe,
    run: RunId,
    store: &mut Store,
    worker: &mut dyn Worker,
) -> anyhow::Result<()> {
    let n_missing = missing(recipe, &store.present(run)?).len();
    let header = view::Header::new(run, recipe, worker.source(), n_missing);
    let guard = interrupt::Guard::new();
    let mut reporter = Reporter::new(header, recipe.length.max_tokens, args.json, &guard)?;
    let swept = sweep::sweep(recipe, run, store, worker, &mut reporter);
    let printed = reporter.finish();
    let swept = swept?;
    printed?;
    view::end(run, &swept, args.json)?;
    if swept.n_missing > 0 { Err(Interrupted.into()) } else { Ok(()) }
}

/// What the flags and the file mean.
fn recipe(args: &SweepArgs) -> anyhow::Result<Recipe> {
    let recipe = draft(args)?.resolve().map_err(|error| usage(error.to_string()))?;
    check_judge(&recipe)?;
    Ok(recipe)
}

/// Refuses a judge that can't be meant now rather than when the texts are there.
pub(crate) fn check_judge(recipe: &Recipe) -> anyhow::Result<()> {
    let Some(judge) = recipe.evaluation.judge() else { return Ok(()) };
    Reference::writer(judge).map(drop).map_err(|error| usage(format!("judge: {error}")))
}

/// What was typed: flags over the file over the environment.
pub(crate) fn draft(args: &SweepArgs) -> anyhow::Result<Draft> {
    let file = args
        .recipe
        .as_deref()
        .map(Draft::read)
        .transpose()
        .map_err(|error| usage(error.to_string()))?;
    let template = match (args.raw, args.chat || args.system.is_some() || args.date.is_some()) {
        (true, _) => Some("raw"),
        (false, true) => Some("chat"),
        (false, false) => None,
    };
    let cache = args.cache_type.map(CacheFormat::name);
    let date = match &args.date {
        Some(typed) => Some(prompt::day(Some(typed))?.date()),
        None => None,
    };
    let flags = Draft {
        model: args.model.clone(),
        server: args.server.clone(),
        speaks: args.speaks.clone(),
        prompts: args.prompt.clone(),
        prompt_file: args.prompts.clone(),
        prompt_column: args.prompt_column.clone(),
        template: template.map(str::to_string),
        system: args.system.clone(),
        date,
        special: args.special.then_some(true),
        temp: args.temp.clone(),
        sampler: args.sampler.clone(),
        profile: args.profile.clone(),
        stages: args.stages.stages(),
        samples: args.samples,
        seed: args.seed,
        max_tokens: args.max_tokens,
        stop: args.stop.clone(),
        ignore_end: args.ignore_end.then_some(true),
        context: args.ctx_size,
        cache: cache.map(str::to_string),
        record: args.record.clone(),
        metrics: args.metrics.clone(),
        judge: args.judge.clone(),
    };
    let environment = Draft { model: std::env::var("KELVIN_MODEL").ok(), ..Draft::default() };
    Ok(flags.or(file.unwrap_or_default()).or(environment))
}

fn confirm(recipe: &Recipe) -> anyhow::Result<()> {
    let n = recipe.n_texts();
    if n < MANY_TEXTS {
        return Ok(());
    }
    let size = format!(
        "{} × {} × {} are {}",
        view::counted(recipe.prompts.len(), "prompt"),
        view::counted(recipe.chains.len(), "chain"),
        view::counted(recipe.samples, "sample"),
        view::counted(n, "text"),
    );
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(usage(format!("{size}: --plan shows what that takes, --yes begins it")));
    }
    asked(&format!("{size}. Begin?"))
}

/// Asks a person; anything but yes is no.
pub(crate) fn asked(question: &str) -> anyhow::Result<()> {
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("reading your answer failed")?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(usage("nothing was done")),
    }
}

/// The database that is meant.
pub(crate) fn place(args: &DbArgs) -> anyhow::Result<PathBuf> {
    match &args.db {
        Some(path) if path.as_os_str().is_empty() => Err(usage("--db is empty: give a file")),
        Some(path) => Ok(path.clone()),
        None => {
            let folder = dirs::data_dir().context(
                "there is no folder for data on this machine: name the database with --db",
            )?;
            Ok(folder.join("kelvin").join("runs.db"))
        }
    }
}

/// What a plan can learn from; it makes no file.
fn store_to_plan(path: &Path) -> anyhow::Result<Option<Store>> {
    if path.exists() { Ok(Some(Store::open_to_read(path)?)) } else { Ok(None) }
}

fn model_args(args: &SweepArgs, recipe: &Recipe) -> ModelArgs {
    let (Origin::Model(model) | Origin::Server { model, .. }) = &recipe.origin;
    ModelArgs {
        ctx_size: recipe.length.context,
        cache_type: recipe.length.cache,
        ..ModelArgs::of(model, args.fetch, args.threads)
    }
}

/// Every prompt as the model reads it, just as `compare` would have it.
pub(crate) fn prompts(session: &Session, recipe: &Recipe) -> anyhow::Result<Vec<Vec<TokenId>>> {
    let framing = &recipe.framing;
    let args = PromptArgs {
        prompt: None,
        prompt_flag: None,
        file: None,
        escape: false,
        special: framing.special,
        system: framing.system.clone(),
        raw: framing.template == Template::Raw,
        chat: framing.template == Template::Chat,
        date: framing.date.clone(),
    };
    let mut bar = terminal::late::LateBar::new(terminal::late::Counted::Prompts);
    let mut all = Vec::with_capacity(recipe.prompts.len());
    for (i, prompt) in recipe.prompts.iter().enumerate() {
        bar.set(i as u64, recipe.prompts.len() as u64);
        let prepared =
            prompt::prepare(&session.engine, prompt.text.clone(), &args, Otherwise::TemplateIfAny);
        let prepared = prepared.with_context(|| format!("prompt {}", i + 1))?;
        if prepared.date.is_some() && framing.date.is_none() {
            return Err(usage(
                "the model's chat template asks for the date, which belongs to the recipe: give \
                 --date YYYY-MM-DD or --date today",
            ));
        }
        all.push(prepared.tokens());
    }
    Ok(all)
}
