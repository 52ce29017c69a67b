//! `serve`: a model in, an OpenAI-compatible API on a port out.

use std::{io::IsTerminal, time::Duration};

use anyhow::{Context, anyhow};

use super::{failure::usage, serve_args::ServeArgs, session};
use crate::{
    server::{self, Key, Room},
    terminal,
};

/// Tokens that there is room for, for each text that is continued at once, beyond one whole context.
const TOKENS_A_TEXT: usize = 4096;
/// Texts kept after their end, so that what goes on from them isn't read again.
const KEPT: usize = 16;
const MOST_PARALLEL: usize = 256;
const MOST_KEY_BYTES: u64 = 4096;

/// Runs the verb.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    if !(1..=MOST_PARALLEL).contains(&args.parallel) {
        return Err(usage(format!(
            "--parallel is {}, but 1 to {MOST_PARALLEL} texts can be continued at once",
            args.parallel
        )));
    }
    if args.queue == 0 {
        return Err(usage("--queue is 0, but a prompt has to wait somewhere: give at least 1"));
    }
    let key = key(args)?;
    let session = session::open(&args.model)?;
    let limit = session.limit();
    let room = Room {
        n_texts: args.parallel,
        n_tokens: limit + args.parallel * TOKENS_A_TEXT.min(limit),
        n_kept: KEPT,
        n_kept_tokens: limit.max(KEPT * 1024),
    };
    let mut names = vec![session.file.model.clone()];
    if names[0].contains(std::path::is_separator) && !names[0].contains(':') {
        // A path says more of this machine than clients need to know.
        names = vec![session.file.file.clone()];
    } else if names[0] != session.file.file {
        names.push(session.file.file.clone());
    }
    let options = server::Options {
        names: names.clone(),
        cache: session.cache,
        limit,
        room,
        queue: args.queue,
        key,
        drain: Duration::from_secs(args.drain),
    };
    log_to_stderr();
    let has_key = options.key.is_some();
    server::serve(session.engine, &args.host, args.port, options, |address| {
        if !address.ip().is_loopback() && !has_key {
            terminal::note("hint: others can reach this address and no API key is set (KELVIN_API_KEY)");
        }
        terminal::print(&format!("{} on http://{address}\n", names[0]))
    })
}

/// The key that clients have to send, if one is set.
fn key(args: &ServeArgs) -> anyhow::Result<Option<Key>> {
    let text = match &args.api_key_file {
        Some(path) => {
            let found =
                path.metadata().with_context(|| format!("can't read the API key from {}", path.display()))?;
            if found.len() > MOST_KEY_BYTES {
                return Err(anyhow!(
                    "{} is longer than {MOST_KEY_BYTES} bytes, so it isn't an API key",
                    path.display()
                ));
            }
            let text = std::fs::read_to_string(path);
            Some(text.with_context(|| format!("can't read the API key from {}", path.display()))?)
        }
        None => std::env::var("KELVIN_API_KEY").ok(),
    };
    match text.as_deref().map(str::trim) {
        Some("") => {
            Err(usage("the API key is empty: give one, or leave KELVIN_API_KEY and --api-key-file out"))
        }
        text => Ok(text.map(Key::new)),
    }
}

/// One line for each event, for people and for programs.
fn log_to_stderr() {
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours).with_target(false);
    // Only a second subscriber could fail, and there is none.
    let _ = log.try_init();
}
