//! Compiles a grammar to a matcher of `llguidance`, on a thread with a large stack and within a
//! time limit. WebAssembly has one thread, whose stack is large, and no time limit.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use llguidance::{Matcher, ParserFactory, api::TopLevelGrammar};

use super::error::{FormError, short};

/// The stack that compiling gets, in bytes.
const STACK: usize = 64 << 20;
/// Time limit of compiling.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Compiles a grammar and computes the first mask, which is as expensive as any later one. `after`
/// is called when this ends, also after a timeout, because the parser can't be stopped.
pub(crate) fn in_its_thread(
    factory: &Arc<ParserFactory>,
    grammar: TopLevelGrammar,
    after: impl FnOnce() + Send + 'static,
) -> Result<Matcher, FormError> {
    if cfg!(target_family = "wasm") {
        let ready = matcher(factory, grammar);
        after();
        return ready.map_err(|words| FormError::Refused(short(&words)));
    }
    let factory = Arc::clone(factory);
    let (sender, compiled) = mpsc::channel();
    let compile = move || {
        let ready = matcher(&factory, grammar);
        after();
        let _ = sender.send(ready);
    };
    let thread = thread::Builder::new().name("form".to_string()).stack_size(STACK).spawn(compile);
    thread.map_err(|error| FormError::Failed(error.to_string()))?;
    match compiled.recv_timeout(PATIENCE) {
        Ok(Ok(matcher)) => Ok(matcher),
        Ok(Err(words)) => Err(FormError::Refused(short(&words))),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(FormError::TooSlow(PATIENCE.as_secs())),
        // The parser catches its own panics, so this is none of them.
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(FormError::Failed("the thread that did it ended".to_string()))
        }
    }
}

fn matcher(factory: &ParserFactory, grammar: TopLevelGrammar) -> Result<Matcher, String> {
    let mut matcher = Matcher::new(factory.create_parser(grammar));
    let first = matcher.compute_mask().map(drop);
    first.map_err(|error| error.to_string()).map(|()| matcher)
}
