//! A vocabulary and a form in, a constraint on a text out: which tokens may come next for the text to have that form.
//!
//! The parser is the crate `llguidance`. It never forces a token: whatever spells an allowed text may be drawn, so that
//! the model's own distribution, conditioned on the form, is what remains.

mod costs;
mod form;

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use kelvin_engine::{TokenId, generate::Constraint, tokenizer::Tokenizer};
use llguidance::{
    Matcher, ParserFactory,
    api::ParserLimits,
    earley::SlicedBiasComputer,
    toktrie::{ApproximateTokEnv, InferenceCapabilities, SimpleVob, TokEnv, TokRxInfo, TokTrie},
};

pub(crate) use form::{Form, FormError};

/// The stack that compiling gets, in bytes.
const STACK: usize = 64 << 20;
/// How long compiling may take. The parser can't be stopped, so what takes longer goes on unheard until its own limits end it
/// (what they don't count is refused before, in `costs`),
const PATIENCE: Duration = Duration::from_secs(5);
/// and no more than so many are compiled at a time.
const MOST_AT_ONCE: usize = 2;
/// Marks special tokens in the trie, and is part of no text.
const NO_TEXT: u8 = TokTrie::SPECIAL_TOKEN_MARKER;

/// A vocabulary as the parser reads it; made once for a model.
pub(crate) struct Forms {
    factory: Arc<ParserFactory>,
    places: Arc<Places>,
}

impl Forms {
    /// Of a model's tokens, if one of them ends a text.
    pub(crate) fn new(tokenizer: &Tokenizer) -> Result<Forms, FormError> {
        let ends: Vec<u32> = tokenizer.end_tokens().iter().map(|token| token.0).collect();
        let end = *ends.first().ok_or(FormError::Endless)?;
        let info = TokRxInfo::new(tokenizer.vocab_size() as u32, end);
        // Control tokens spell nothing, so no form allows them; those that end a text come where it may end.
        let spelled = |id: u32| match tokenizer.bytes(TokenId(id), false) {
            bytes if bytes.contains(&NO_TEXT) => Vec::new(),
            bytes => bytes.to_vec(),
        };
        let words: Vec<Vec<u8>> = (0..info.vocab_size).map(spelled).collect();
        let trie = TokTrie::from(&info, &words).with_eos_tokens(&ends);
        // Its tokenization is an approximation, and so nothing is forced by it.
        let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let slices = SlicedBiasComputer::general_slices();
        let factory = ParserFactory::new(&env, InferenceCapabilities::default(), &slices);
        let mut factory = factory.map_err(|error| FormError::Failed(error.to_string()))?;
        factory.quiet();
        *factory.limits_mut() = limits();
        Ok(Forms { factory: Arc::new(factory), places: Arc::default() })
    }

    /// Compiles a form, which takes some milliseconds as a rule. Each text is held to it by a fork of its own.
    pub(crate) fn compile(&self, form: &Form) -> Result<Box<dyn Constraint>, FormError> {
        let grammar = form.grammar()?;
        let place = Places::take(&self.places).ok_or(FormError::Busy)?;
        let factory = Arc::clone(&self.factory);
        let (sender, compiled) = mpsc::channel();
        let compile = move || {
            let mut matcher = Matcher::new(factory.create_parser(grammar));
            // What the first token may be is as hard to find out as anything later, and is better known before it's needed.
            let first = matcher.compute_mask().map(drop);
            let ready = first.map_err(|error| error.to_string()).map(|()| matcher);
            drop(place);
            // Nobody may be waiting any more.
            let _ = sender.send(ready);
        };
        let thread = thread::Builder::new().name("form".to_string()).stack_size(STACK).spawn(compile);
        thread.map_err(|error| FormError::Failed(error.to_string()))?;
        match compiled.recv_timeout(PATIENCE) {
            Ok(Ok(matcher)) => Ok(Box::new(Constrained { matcher, mask: SimpleVob::new() })),
            Ok(Err(words)) => Err(FormError::Refused(form::short(&words))),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(FormError::TooSlow(PATIENCE.as_secs())),
            // The parser catches its own panics, so this is none of them.
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err(FormError::Failed("the thread that did it ended".to_string()))
            }
        }
    }
}

/// How many forms are being compiled.
#[derive(Default)]
struct Places {
    n_taken: Mutex<usize>,
    wake: Condvar,
}

/// One of them; dropped, it's free.
struct Place(Arc<Places>);

impl Places {
    /// A place, for which it may wait a while: only what explodes keeps one for long.
    fn take(places: &Arc<Places>) -> Option<Place> {
        let taken = places.n_taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = places.wake.wait_timeout_while(taken, PATIENCE, |taken| *taken >= MOST_AT_ONCE);
        let (mut taken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return None;
        }
        *taken += 1;
        Some(Place(Arc::clone(places)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.n_taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.wake.notify_one();
    }
}

/// What the parser may use up: what fits in here is decided in some tens of milliseconds a token at worst.
fn limits() -> ParserLimits {
    ParserLimits {
        initial_lexer_fuel: 300_000,
        max_lexer_states: 50_000,
        verbose_errors: false,
        ..ParserLimits::default()
    }
}

/// A text that is being held to a form.
struct Constrained {
    matcher: Matcher,
    mask: SimpleVob,
}

impl std::fmt::Debug for Constrained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Constrained({:?})", self.matcher.stop_reason())
    }
}

impl Constraint for Constrained {
    fn allowed(&mut self) -> Result<&[u32], String> {
        self.mask = self.matcher.compute_mask().map_err(|error| form::short(&error.to_string()))?;
        Ok(self.mask.as_slice())
    }

    fn take(&mut self, token: TokenId) -> Result<(), String> {
        self.matcher.consume_token(token.0).map_err(|error| form::short(&error.to_string()))
    }

    fn is_complete(&self) -> bool {
        self.matcher.is_stopped() && self.matcher.stop_reason().is_ok()
    }

    /// What it costs depends on its own text alone, so that no other can exhaust its limits.
    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(Constrained { matcher: self.matcher.deep_clone(), mask: SimpleVob::new() })
    }
}

#[cfg(test)]
mod tests;
