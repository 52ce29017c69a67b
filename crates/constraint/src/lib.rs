//! Structured output: constrains generation to a JSON schema, regular expression, grammar or list
//! of choices.
//!
//! The parser is the crate `llguidance`. No token is ever forced: every token that leads to an
//! allowed text may be drawn, so the result follows the model's own distribution, conditioned on
//! the form.

mod compile;
mod costs;
mod error;
mod form;
mod isolated;
mod keys;
mod schema;
mod vocabulary;

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use kelvin_engine::{TokenId, generate::Constraint, tokenizer::Tokenizer};
use llguidance::{Matcher, ParserFactory, toktrie::SimpleVob};
use sha2::{Digest, Sha256};

use compile::{PATIENCE, in_its_thread};
pub use error::FormError;
pub use form::Form;
use isolated::Isolated;
pub use isolated::{VERB, run, start_children_with};
use keys::{Closers, Keys};
use vocabulary::Vocabulary;

/// Forms that are compiled at a time.
const MAX_AT_ONCE: usize = 2;
/// Forms that are remembered as harmless.
const MAX_REMEMBERED: usize = 1024;

/// A vocabulary as the parser reads it; made once for a model.
pub struct Forms {
    factory: Arc<ParserFactory>,
    closers: Arc<Closers>,
    places: Arc<Places>,
    /// Compiles each form in a child process first.
    isolated: Option<Isolated>,
    /// Hashes of forms that a child process has compiled, the oldest first.
    harmless: Mutex<VecDeque<[u8; 32]>>,
}

impl Forms {
    /// A model's vocabulary, if it has an end token.
    pub fn new(tokenizer: &Tokenizer) -> Result<Forms, FormError> {
        Forms::of(tokenizer, |vocabulary| Isolated::start(vocabulary).map(Some))
    }

    /// Like `new`, but forms are compiled in this process alone. For programs that aren't `kelvin`
    /// and can't run themselves with the hidden verb, and for a browser's tab.
    pub fn in_process(tokenizer: &Tokenizer) -> Result<Forms, FormError> {
        Forms::of(tokenizer, |_| Ok(None))
    }

    fn of(
        tokenizer: &Tokenizer,
        isolate: impl FnOnce(Arc<Vocabulary>) -> Result<Option<Isolated>, FormError>,
    ) -> Result<Forms, FormError> {
        let vocabulary = Arc::new(Vocabulary::new(tokenizer)?);
        let isolated = isolate(Arc::clone(&vocabulary))?;
        let factory = Arc::new(vocabulary.factory()?);
        let closers = Arc::new(Closers::new(vocabulary));
        Ok(Forms { factory, closers, places: Arc::default(), isolated, harmless: Mutex::default() })
    }

    /// Compiles a form, which takes some milliseconds as a rule. Each text is held to it by a fork
    /// of its own.
    pub fn compile(&self, form: &Form) -> Result<Box<dyn Constraint>, FormError> {
        let place = Places::take(&self.places).ok_or(FormError::Busy)?;
        self.check(form)?;
        let matcher = in_its_thread(&self.factory, form.grammar()?, || drop(place))?;
        let keys = form.is_json().then(|| (Arc::clone(&self.closers), Keys::new()));
        Ok(Box::new(Constrained { matcher, mask: SimpleVob::new(), keys }))
    }

    /// Compiles a form in a child process, unless it is known to be harmless.
    fn check(&self, form: &Form) -> Result<(), FormError> {
        let Some(isolated) = self.isolated.as_ref().filter(|_| *form != Form::JsonObject) else {
            return Ok(());
        };
        let text =
            serde_json::to_vec(form).map_err(|error| FormError::Failed(error.to_string()))?;
        let hash: [u8; 32] = Sha256::digest(&text).into();
        let harmless = || self.harmless.lock().unwrap_or_else(PoisonError::into_inner);
        if harmless().contains(&hash) {
            return Ok(());
        }
        isolated.check(form)?;
        let mut harmless = harmless();
        harmless.push_back(hash);
        if harmless.len() > MAX_REMEMBERED {
            harmless.pop_front();
        }
        Ok(())
    }
}

/// The number of forms that are being compiled.
#[derive(Default)]
struct Places {
    n_taken: Mutex<usize>,
    wake: Condvar,
}

/// A place for compiling a form. It is free again when this is dropped.
struct Place(Arc<Places>);

impl Places {
    /// Waits a while for a place. Only a form that exceeds its limits holds one for long.
    fn take(places: &Arc<Places>) -> Option<Place> {
        let taken = places.n_taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = places.wake.wait_timeout_while(taken, PATIENCE, |taken| *taken >= MAX_AT_ONCE);
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

/// A text that is being held to a form.
struct Constrained {
    matcher: Matcher,
    mask: SimpleVob,
    /// The names of the objects in it, if it's JSON.
    keys: Option<(Arc<Closers>, Keys)>,
}

impl std::fmt::Debug for Constrained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Constrained({:?})", self.matcher.stop_reason())
    }
}

impl Constraint for Constrained {
    fn allowed(&mut self) -> Result<&[u32], String> {
        self.mask =
            self.matcher.compute_mask().map_err(|error| error::short(&error.to_string()))?;
        if let Some((closers, keys)) = &self.keys {
            closers.keep_apart(keys, &mut self.mask);
        }
        Ok(self.mask.as_slice())
    }

    fn take(&mut self, token: TokenId) -> Result<(), String> {
        self.matcher.consume_token(token.0).map_err(|error| error::short(&error.to_string()))?;
        if let Some((closers, keys)) = &mut self.keys {
            closers.take(keys, token);
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.matcher.is_stopped() && self.matcher.stop_reason().is_ok()
    }

    fn is_json(&self) -> bool {
        self.keys.is_some()
    }

    fn forced(&mut self) -> Vec<u8> {
        // The parser takes forced bytes in, and counts that as work: so a copy of it does.
        self.matcher.deep_clone().compute_ff_bytes()
    }

    /// What it costs depends on its own text alone, so that no other can exhaust its limits.
    fn fork(&self) -> Box<dyn Constraint> {
        let matcher = self.matcher.deep_clone();
        Box::new(Constrained { matcher, mask: SimpleVob::new(), keys: self.keys.clone() })
    }
}

#[cfg(test)]
mod tests;
