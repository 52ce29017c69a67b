//! `serve`: serves an OpenAI-compatible API and the studio. `studio` is `serve --open`, or writes
//! the studio as a static page.

pub(super) mod args;
mod menu;
mod still;

use std::{
    fs,
    io::IsTerminal,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow};
use kelvin_engine::{chat::Day, transformer::PAGE};
use kelvin_lab::text_file;
use kelvin_server::{Budget, Key, Menu, Origin};
use kelvin_views::escape;

use crate::{
    cli::shared::{
        decisions,
        failure::usage,
        memory, options, prompt,
        session::{self, Session},
    },
    interrupt::Guard,
    terminal,
};
use args::{ServeArgs, StudioArgs};
use menu::Choice;

/// Page budget in tokens for each text of --parallel, besides one whole context. Running texts and
/// the prefix cache share it.
const TOKENS_A_TEXT: usize = 4096;
const MAX_PARALLEL: usize = 256;
const MAX_KEY_BYTES: u64 = 4096;

/// Runs the verb.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    serve(args, args.open)
}

/// Runs the verb `studio`, which is `serve --open`, or writes the studio into a folder.
pub(crate) fn studio(args: &StudioArgs) -> anyhow::Result<()> {
    match &args.folder {
        Some(folder) => still::write(folder, args),
        None => serve(&args.serve, true),
    }
}

fn serve(args: &ServeArgs, opens: bool) -> anyhow::Result<()> {
    check(args)?;
    let fixed = Fixed { day: prompt::day(Some(&args.date))?, key: key(args)?, opens };
    if let Some(folder) = &args.sessions {
        if folder.exists() && !folder.is_dir() {
            return Err(usage(format!(
                "--sessions is {}, which is a file, but a folder was expected: sessions are files \
                 in it",
                folder.display()
            )));
        }
        fs::create_dir_all(folder)
            .with_context(|| format!("--sessions: can't make the folder {}", folder.display()))?;
    }
    let first = session::open(&args.model)?.drafting(&args.drafts.draft, &args.model)?;
    let served = Choice { name: names(&first)[0].clone(), model: args.model.named.model.clone() };
    let choices = match menu::is_offered(args, fixed.key.is_some()) {
        true => menu::choices(served.clone()),
        false => Vec::new(),
    };
    let mut turn = Turn { served, before: None, port: args.port, is_first: true, problem: None };
    let mut next = Some(first);
    log_to_stderr();
    loop {
        let session = match next.take() {
            Some(first) => Ok(first),
            None => ending_on_signal(|| reopened(args, &turn.served)),
        };
        let served =
            session.and_then(|session| served_once(args, &fixed, session, &choices, &mut turn));
        match (served, turn.before.take()) {
            // Asked to end meanwhile: no other model is opened.
            _ if kelvin_server::terminations() > 0 => return Ok(()),
            (Ok(Some(chosen)), _) => {
                terminal::note(&format!("opening {}", escape::printable(&chosen.name)));
                turn.before = Some(std::mem::replace(&mut turn.served, chosen));
            }
            // A model of the menu that can't be served gives way to the one before.
            (Err(error), Some(before)) => {
                let problem = format!("{} can't be opened: {error:#}", turn.served.name);
                terminal::note(&escape::printable(&problem));
                (turn.served, turn.problem) = (before, Some(problem));
            }
            (served, _) => return served.map(drop),
        }
    }
}

/// Does what a signal may not wait for: SIGTERM ends the process meanwhile; nothing is served.
fn ending_on_signal<T>(work: impl FnOnce() -> T) -> T {
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::SeqCst) {
                if kelvin_server::terminations() > 0 {
                    std::process::exit(0);
                }
                thread::sleep(Duration::from_millis(50));
            }
        });
        let made = work();
        is_done.store(true, Ordering::SeqCst);
        made
    })
}

/// What is the same for every model that is served.
struct Fixed {
    day: Day,
    key: Option<Key>,
    /// Whether a browser is opened.
    opens: bool,
}

/// A model that is served, and where.
struct Turn {
    served: Choice,
    /// The one before, until this one is served.
    before: Option<Choice>,
    /// The port; 0 before the first turn if any will do.
    port: u16,
    is_first: bool,
    /// Why the model that was chosen last isn't served.
    problem: Option<String>,
}

/// Opens a model of the menu, with the flags of the first one.
fn reopened(args: &ServeArgs, choice: &Choice) -> anyhow::Result<Session> {
    let mut model = args.model.clone();
    model.named.model = choice.model.clone();
    session::open(&model)?.drafting(&args.drafts.draft, &model)
}

/// Serves a model until the end, or until another one of the menu is chosen, which it returns.
fn served_once(
    args: &ServeArgs,
    fixed: &Fixed,
    session: Session,
    choices: &[Choice],
    turn: &mut Turn,
) -> anyhow::Result<Option<Choice>> {
    let recommended =
        if args.recommended { Some(options::recommended(&session.engine)?) } else { None };
    let limit = session.limit();
    let room = |n_pages: usize| Budget { n_texts: args.parallel, n_pages };
    let n_bytes = |n_pages: usize| session.n_bytes(room(n_pages));
    let room = room(pages(args, limit, &n_bytes)?);
    let room_bytes = n_bytes(room.n_pages);
    let menu = match choices {
        [] | [_] => Menu::default(),
        all => Menu::new(all.iter().map(|one| one.name.clone()).collect(), turn.problem.take()),
    };
    let names = names(&session);
    let name = names[0].clone();
    let options = kelvin_server::Options {
        names,
        sha256: session.file.sha256.clone(),
        calibration: decisions::calibration(&session, args.calibration.as_deref())?,
        cache: session.cache,
        guesses: session.guesses,
        draft_model: session.draft_model.clone(),
        limit,
        room,
        queue: args.queue,
        key: fixed.key.clone(),
        day: fixed.day.clone(),
        starts_recommended: args.recommended,
        origins: args.allow_origin.clone(),
        connections: args.connections,
        patience: Duration::from_secs(args.patience),
        drain: Duration::from_secs(args.drain),
        menu: menu.clone(),
        sessions: args.sessions.clone(),
    };
    let asks_date =
        matches!(&session.engine.template, Some(Ok(template)) if template.may_ask_date());
    let guard = Guard::new();
    let ends = || guard.requested() || menu.chosen().is_some();
    let port = turn.port;
    kelvin_server::serve(session.engine, &args.host, port, options, &ends, |address| {
        (turn.port, turn.before) = (address.port(), None);
        if std::mem::take(&mut turn.is_first) {
            welcome(&name, address, room, room_bytes, fixed.opens)?;
            if fixed.opens {
                open(address);
            }
            if fixed.key.is_none() {
                warn_of_no_key(address, args);
            }
        } else {
            // Nobody may read standard output any more.
            terminal::note(&format!("{name} on http://{address}"));
        }
        if let Some(chain) = recommended.and_then(|recommended| recommended.chain) {
            terminal::note(&format!(
                "Requests that name no sampler and no profile start from what the model file \
                 recommends: {chain}"
            ));
        }
        if asks_date {
            note_date(&fixed.day);
        }
        Ok(())
    })?;
    if guard.requested() {
        return Ok(None);
    }
    Ok(menu.chosen().and_then(|chosen| choices.iter().find(|one| one.name == chosen).cloned()))
}

/// Notes which date chat templates get.
fn note_date(day: &Day) {
    let date = match day {
        Day::Today => format!("today, {} now (UTC)", day.date()),
        Day::Named(date) => date.clone(),
    };
    terminal::note(&format!(
        "The chat template asks for the date: {date}; --date YYYY-MM-DD fixes it."
    ));
}

/// The first lines: the address and what to do with it.
fn welcome(
    name: &str,
    address: SocketAddr,
    room: Budget,
    room_bytes: usize,
    opens: bool,
) -> anyhow::Result<()> {
    terminal::print(&format!(
        "{name} on http://{address}\nOpen it in a browser: that is the studio{}. Clients of \
         OpenAI's API take http://{address}/v1 as their base URL. Ctrl-C ends it.\nroom for {} \
         texts at once, of {} tokens in all ({} MB)\n",
        if opens { " (a browser is being opened)" } else { "" },
        room.n_texts,
        room.n_tokens(),
        room_bytes.div_ceil(1_000_000)
    ))
}

/// Opens the studio in a browser. An unspecified address (`0.0.0.0`) is opened as `localhost`.
fn open(address: SocketAddr) {
    let host = if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    if let Err(error) = open::that_detached(format!("http://{host}/")) {
        terminal::note(&format!(
            "hint: no browser could be opened ({error}); open the address in one yourself"
        ));
    }
}

/// Refuses values that would refuse every request.
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

/// The names of the model in the API; the first is its own.
fn names(session: &Session) -> Vec<String> {
    let (model, file) = (&session.file.model, &session.file.file);
    if model.contains(std::path::is_separator) && !model.contains(':') {
        // A path tells clients more about this machine than they need.
        vec![file.clone()]
    } else if model == file {
        vec![model.clone()]
    } else {
        vec![model.clone(), file.clone()]
    }
}

/// Warns if others than this machine's users can use a server without a key.
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

/// The page budget: that of --cache-tokens, or a default for each text. At least a whole context,
/// at most what fits into memory. `n_bytes` gives the memory of so many pages, with the recurrent
/// states of all texts.
fn pages(
    args: &ServeArgs,
    limit: usize,
    n_bytes: &dyn Fn(usize) -> usize,
) -> anyhow::Result<usize> {
    /// Enough pages for the mean cost of a page, kept states included.
    const MANY: usize = 1 << 10;
    let of = |n_tokens: usize| n_tokens.div_ceil(PAGE);
    // The longest text may begin within a page that is shared with others.
    let least = of(limit) + 1;
    let a_page = (n_bytes(MANY).saturating_sub(n_bytes(0)) / MANY).max(1);
    let free = memory::available()
        .map(|bytes| (bytes.saturating_sub(n_bytes(0) as u64) / a_page as u64) as usize);
    let megabytes = |n_pages: usize| n_bytes(n_pages).div_ceil(1_000_000);
    let n_pages = match args.cache_tokens {
        Some(asked) if asked < limit => {
            return Err(usage(format!(
                "--cache-tokens is {asked}, but one text may have {limit} tokens: give at least as many, \
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
            if args.cache_tokens.is_some() { "--cache-tokens" } else { "--ctx-size" },
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
    // Fails only if there is a subscriber already.
    let _ = log.try_init();
}
