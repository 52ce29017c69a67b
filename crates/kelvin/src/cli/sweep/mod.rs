//! `sweep`: generates the table of texts of a recipe and stores it in the database.

pub(super) mod args;
pub(super) mod plan;
mod ray;
pub(super) mod view;

use std::{
    io::{BufRead, IsTerminal},
    path::{Path, PathBuf},
};

use anyhow::Context;
use kelvin_engine::{TokenId, transformer::CacheFormat};
use kelvin_lab::{
    Column, Recipe, Store,
    proof::{ids, resume},
    recipe::{Draft, Origin},
    run::Source,
    store::RunId,
    sweep::{self, missing},
    worker::{Local, Worker},
};
use kelvin_models::catalogue::Reference;

use crate::{
    cli::shared::{
        args::ModelArgs,
        failure::{Interrupted, usage},
        prompt,
        proof::{self, ProofFile},
        scores,
        session::{self, Session},
    },
    interrupt,
    remote::{Manners, Remote},
    terminal,
};
use args::{DbArgs, SweepArgs, SweepVerbArgs};
pub use ray::start_ray_with;
use view::Reporter;

/// From this number of texts on, a sweep asks for confirmation.
const MANY_TEXTS: usize = 1_000_000;

/// Runs the verb.
pub(crate) fn run(verb: &SweepVerbArgs) -> anyhow::Result<()> {
    let args = &verb.sweep;
    session::check_threads(args.threads)?;
    let proof = verb.proof.checked()?;
    let recipe = recipe(args)?;
    if proof.is_some() && recipe.spread {
        return Err(usage("--spread has no --proof"));
    }
    if proof.is_some() && recipe.chains.iter().any(|column| column.texts().is_some()) {
        return Err(usage(
            "--proof holds the logits of tokens that are drawn one by one, so it doesn't combine \
             with a temperature of texts",
        ));
    }
    if !args.plan && !args.yes {
        confirm(&recipe)?;
    }
    let path = place(&args.db)?;
    if let Some(address) = &verb.ray.ray {
        return ray::run(verb, address, &recipe, &path);
    }
    // The database is opened first: loading a model takes longer than finding out that it can't be
    // written.
    let store = if args.plan { store_to_plan(&path)? } else { Some(Store::open(&path)?) };
    let proof = proof.filter(|_| !args.plan);
    with_worker(args, &recipe, proof, |worker, proof| go(args, &recipe, store, worker, proof))
}

/// Opens the recipe's model, or the connection to its server, and the reproduction file, and calls
/// `work` with that worker and the file.
pub(crate) fn with_worker<T>(
    args: &SweepArgs,
    recipe: &Recipe,
    proof: Option<&Path>,
    work: impl FnOnce(&mut dyn Worker, Option<ProofFile>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    match &recipe.origin {
        Origin::Model(_) => {
            let model = model_args(args, recipe);
            let session = session::open(&model)?.drafting(&args.drafts.draft, &model)?;
            for chain in recipe.chains.iter().filter_map(Column::chain) {
                session.bind(chain)?;
            }
            let prompts = prompts(&session, recipe)?;
            let proof = proof.map(|path| {
                let head = proof::head(&session, recipe.clone(), None, ids(&prompts))?;
                Ok::<_, anyhow::Error>(resume(path, head)?)
            });
            let proof = proof.transpose()?;
            let source =
                Source::Local { model: session.file.model.clone(), sha256: session.sha256()? };
            let (context, width) = (recipe.length.context, args.width);
            let local = Local::new(&session.engine, source, prompts, context, width)?;
            let draft_model = session.draft_model.clone();
            let local = local.guessing(session.guesses).drafting_with(draft_model);
            let mut local = local.proving(proof.is_some());
            work(&mut local, proof)
        }
        Origin::Server { .. } if proof.is_some() => {
            Err(usage("--proof needs a model on this machine: a server doesn't tell its logits"))
        }
        Origin::Server { .. } => {
            work(&mut Remote::new(recipe, manners(args)?).map_err(usage)?, None)
        }
    }
}

/// How requests to a server are made. An API key is sent only if `--key-env` names its variable, so
/// that no other server gets it.
fn manners(args: &SweepArgs) -> anyhow::Result<Manners> {
    Manners::new(args.key_env.as_deref(), args.requests, args.timeout, args.patience).map_err(usage)
}

fn go(
    args: &SweepArgs,
    recipe: &Recipe,
    store: Option<Store>,
    worker: &mut dyn Worker,
    proof: Option<ProofFile>,
) -> anyhow::Result<()> {
    match store {
        Some(mut store) if !args.plan => {
            let run = store.begin(recipe, worker.source(), env!("CARGO_PKG_VERSION"))?;
            fill(args, recipe, run, &mut store, (worker, proof))
        }
        store => plan::show(recipe, store.as_ref(), worker, args.json),
    }
}

fn fill(
    args: &SweepArgs,
    recipe: &Recipe,
    run: RunId,
    store: &mut Store,
    (worker, proof): (&mut dyn Worker, Option<ProofFile>),
) -> anyhow::Result<()> {
    let missing = missing(recipe, &store.present(run)?);
    let header = view::Header::new(run, recipe, worker.source(), missing.len());
    let guard = interrupt::Guard::new();
    let mut reporter = Reporter::new(header, recipe, &missing, args.json, &guard)?;
    reporter.proof = proof;
    let swept = sweep::sweep(recipe, run, store, worker, &mut reporter);
    let proved = reporter.finish();
    let swept = swept?;
    let (n_proved, n_stored) = (proved?, swept.n_before + swept.n_new);
    if let Some(n) = n_proved.filter(|&n| n < n_stored) {
        terminal::note(&format!(
            "note: --proof has {n} of the {n_stored} texts: the others were stored without it"
        ));
    }
    view::end(run, &swept, args.json)?;
    if swept.n_missing > 0 {
        return Err(Interrupted.into());
    }
    scores::run_commands(store, run, &recipe.scores, &guard)
}

/// The recipe of the flags and the file.
fn recipe(args: &SweepArgs) -> anyhow::Result<Recipe> {
    let recipe = draft(args)?.resolve().map_err(|error| usage(error.to_string()))?;
    check_judge(&recipe)?;
    Ok(recipe)
}

/// Refuses an unknown judge before any text is generated.
pub(crate) fn check_judge(recipe: &Recipe) -> anyhow::Result<()> {
    let Some(judge) = recipe.evaluation.judge() else { return Ok(()) };
    Reference::writer(judge).map(drop).map_err(|error| usage(format!("judge: {error}")))
}

/// The settings: flags first, then the file, then the environment.
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
        temp: args.heat.temp.clone(),
        sampler: args.sampler.clone(),
        profile: args.profile.clone(),
        stages: args.stages.stages(),
        text_temperature: args.texts.typed().map(str::to_string),
        text: args.texts.how(),
        samples: args.samples,
        spread: args.spread.then_some(true),
        seed: args.seed,
        max_tokens: args.max_tokens,
        stop: args.stop.clone(),
        ban_string: args.bans.ban_string.clone(),
        think: args.bans.think,
        ignore_end: args.ignore_end.then_some(true),
        context: args.ctx_size,
        cache: cache.map(str::to_string),
        record: args.record.clone(),
        scores: scores::read(&args.score)?,
        metrics: args.metrics.clone(),
        judge: args.judge.clone(),
        ..Draft::default()
    };
    Ok(flags.or(file.unwrap_or_default()).or_environment())
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

/// Asks for confirmation; any answer but yes is an error.
pub(crate) fn asked(question: &str) -> anyhow::Result<()> {
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("reading your answer failed")?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(usage("nothing was done")),
    }
}

/// The path of the database.
pub(crate) fn place(args: &DbArgs) -> anyhow::Result<PathBuf> {
    match &args.db {
        Some(path) if path.as_os_str().is_empty() => Err(usage("--db is empty: give a file")),
        Some(path) => Ok(path.clone()),
        None => Store::usual_path()
            .context("there is no folder for data on this machine: name the database with --db"),
    }
}

/// The database for a plan, which creates no file.
fn store_to_plan(path: &Path) -> anyhow::Result<Option<Store>> {
    if path.exists() { Ok(Some(Store::open_to_read(path)?)) } else { Ok(None) }
}

fn model_args(args: &SweepArgs, recipe: &Recipe) -> ModelArgs {
    let (Origin::Model(model) | Origin::Server { model, .. }) = &recipe.origin;
    let mut args = ModelArgs::of(model, args.fetch, args.threads);
    args.engine.ctx_size = recipe.length.context;
    args.engine.cache_type = recipe.length.cache;
    args
}

/// The tokens of every prompt, with `compare`'s rules for templates.
pub(crate) fn prompts(session: &Session, recipe: &Recipe) -> anyhow::Result<Vec<Vec<TokenId>>> {
    let (engine, framing) = (&session.engine, &recipe.framing);
    let mut bar = terminal::late::LateBar::new(terminal::late::Counted::Prompts);
    let mut all = Vec::with_capacity(recipe.prompts.len());
    for (i, given) in recipe.prompts.iter().enumerate() {
        bar.set(i as u64, recipe.prompts.len() as u64);
        let framed = framing.read_for_recipe(engine, &given.text).map_err(prompt::explained);
        let framed = framed.with_context(|| format!("prompt {}", i + 1))?;
        prompt::note_unreadable(&engine.tokenizer, &framed.text, framed.is_chat || framing.special);
        all.push(framed.tokens);
    }
    Ok(all)
}
