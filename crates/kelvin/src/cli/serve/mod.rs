//! `serve`: serves an OpenAI-compatible API and the studio.

pub(super) mod args;

use std::{io::IsTerminal, net::SocketAddr, time::Duration};

use anyhow::{Context, anyhow};
use kelvin_engine::{chat::Day, transformer::PAGE};
use kelvin_lab::text_file;
use kelvin_server::{Budget, Key, Origin};

use crate::{
    cli::shared::{
        failure::usage,
        memory, options, prompt,
        session::{self, Session},
    },
    interrupt::Guard,
    terminal,
};
use args::ServeArgs;

/// Tokens of the page budget for each text of --parallel, beyond one whole context: running texts
/// and the prefix cache.
const TOKENS_A_TEXT: usize = 4096;
const MAX_PARALLEL: usize = 256;
const MAX_KEY_BYTES: u64 = 4096;

/// Runs the verb.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    check(args)?;
    let day = prompt::day(Some(&args.date))?;
    let key = key(args)?;
    let session = session::open(&args.model)?;
    let recommended =
        if args.recommended { Some(options::recommended(&session.engine)?) } else { None };
    let limit = session.limit();
    let page_bytes = session.engine.model.config.page_bytes(session.cache);
    let n_pages = pages(args, limit, page_bytes)?;
    let room = Budget { n_texts: args.parallel, n_pages };
    let names = names(&session);
    let name = names[0].clone();
    let is_open = key.is_none();
    let options = kelvin_server::Options {
        names,
        cache: session.cache,
        limit,
        room,
        queue: args.queue,
        key,
        day: day.clone(),
        starts_recommended: args.recommended,
        origins: args.allow_origin.clone(),
        connections: args.connections,
        patience: Duration::from_secs(args.patience),
        drain: Duration::from_secs(args.drain),
    };
    log_to_stderr();
    let asks_date =
        matches!(&session.engine.template, Some(Ok(template)) if template.may_ask_date());
    let guard = Guard::new();
    let interrupted = || guard.requested();
    kelvin_server::serve(session.engine, &args.host, args.port, options, &interrupted, |address| {
        if is_open {
            warn_of_no_key(address, args);
        }
        terminal::note(&format!(
            "In a browser that is the studio; clients of OpenAI's API take http://{address}/v1 as \
             their base URL. Ctrl-C ends it."
        ));
        if let Some(chain) = recommended.and_then(|recommended| recommended.chain) {
            terminal::note(&format!(
                "Requests that name no sampler and no profile start from what the model file \
                 recommends: {chain}"
            ));
        }
        if asks_date {
            let date = match &day {
                Day::Today => format!("today, {} now (UTC)", day.date()),
                Day::Named(date) => date.clone(),
            };
            terminal::note(&format!(
                "The chat template asks for the date and is told: {date}; --date YYYY-MM-DD fixes \
                 it."
            ));
        }
        terminal::print(&format!(
            "{name} on http://{address}\nroom for {} texts at once, of {} tokens in all ({} MB)\n",
            room.n_texts,
            room.n_tokens(),
            (n_pages * page_bytes).div_ceil(1_000_000)
        ))
    })
}

/// Refuses numbers with which nobody could be served.
fn check(args: &ServeArgs) -> anyhow::Result<()> {
    if !(1..=MAX_PARALLEL).contains(&args.parallel) {
        return Err(usage(format!(
            "--parallel is {}, but 1 to {MAX_PARALLEL} texts can be continued at once",
            args.parallel
        )));
    }
    if args.queue == 0 {
        return Err(usage("--queue is 0, but a prompt has to wait somewhere: give at least 1"));
    }
    if args.patience == 0 {
        return Err(usage("--patience is 0, but a client needs some time: give at least 1"));
    }
    if args.connections == 0 {
        return Err(usage("--connections is 0, but a client needs one: give at least 1"));
    }
    Ok(())
}

/// The names that the model goes by; the first is its own.
fn names(session: &Session) -> Vec<String> {
    let (model, file) = (&session.file.model, &session.file.file);
    if model.contains(std::path::is_separator) && !model.contains(':') {
        // A path says more of this machine than clients need to know.
        vec![file.clone()]
    } else if model == file {
        vec![model.clone()]
    } else {
        vec![model.clone(), file.clone()]
    }
}

/// Says who can use a server without a key.
fn warn_of_no_key(address: SocketAddr, args: &ServeArgs) {
    if !address.ip().is_loopback() {
        terminal::note(
            "hint: others can reach this address and no API key is set (KELVIN_API_KEY)",
        );
    }
    if args.allow_origin.contains(&Origin::Any) {
        terminal::note(
            "hint: every page that a browser here shows can use this server, and no API key is \
             set (KELVIN_API_KEY)",
        );
    }
}

/// The page budget: as many tokens as requested, or some for each text; at least a whole context,
/// and at most what fits into memory.
fn pages(args: &ServeArgs, limit: usize, page_bytes: usize) -> anyhow::Result<usize> {
    let of = |n_tokens: usize| n_tokens.div_ceil(PAGE);
    // A text that is as long as can be may begin within a page that others hold.
    let least = of(limit) + 1;
    let free = memory::available().map(|bytes| (bytes / page_bytes as u64) as usize);
    let megabytes = |n_pages: usize| (n_pages * page_bytes).div_ceil(1_000_000);
    let n_pages = match args.room {
        Some(asked) if asked < limit => {
            return Err(usage(format!(
                "--room is {asked}, but one text may have {limit} tokens: give at least as many, \
                 or a smaller --ctx-size"
            )));
        }
        Some(asked) => of(asked).max(least),
        None => {
            let wanted = of(limit + args.parallel * TOKENS_A_TEXT.min(limit));
            wanted.min(free.map_or(wanted, |free| free / 2)).max(least)
        }
    };
    match free {
        Some(free) if n_pages > free => Err(anyhow!(
            "keys and values of {} tokens take {} MB, but {} MB of memory are free: give a smaller {}",
            n_pages * PAGE,
            megabytes(n_pages),
            megabytes(free),
            if args.room.is_some() { "--room" } else { "--ctx-size" },
        )),
        _ => Ok(n_pages),
    }
}

/// The key that clients have to send, if one is set.
fn key(args: &ServeArgs) -> anyhow::Result<Option<Key>> {
    let text = match &args.api_key_file {
        Some(path) => {
            let text = text_file::read(path, MAX_KEY_BYTES);
            Some(text.context("the API key can't be read from its file")?)
        }
        None => std::env::var("KELVIN_API_KEY").ok(),
    };
    match text.as_deref().map(str::trim) {
        Some("") => Err(usage(
            "the API key is empty: give one, or leave KELVIN_API_KEY and --api-key-file out",
        )),
        text => Ok(text.map(Key::new)),
    }
}

/// One line for each event, for people and for programs.
fn log_to_stderr() {
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false);
    // Only a second subscriber could fail, and there is none.
    let _ = log.try_init();
}
