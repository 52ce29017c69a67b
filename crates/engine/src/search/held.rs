//! Where a text of a search is within a form (structured output).
//!
//! A beam has a place of its own. A child's is a fork that took the child's token, so beams that go
//! on from one text don't disturb each other.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kelvin_sampling::Limits;

use crate::{TokenId, generate::Constraint};

/// A text's place within a form. Threads that read rows of logits may share it.
pub struct Held(Mutex<Box<dyn Constraint>>);

impl Held {
    /// The place of the constraint, which no text shares.
    pub fn new(constraint: Box<dyn Constraint>) -> Held {
        Held(Mutex::new(constraint))
    }

    fn lock(&self) -> MutexGuard<'_, Box<dyn Constraint>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the place for another text.
    pub(super) fn fork(&self) -> Held {
        Held::new(self.lock().fork())
    }

    /// The place after a token that the mask allows. An error is a message for the user.
    pub(super) fn after(&self, token: TokenId) -> Result<Held, String> {
        let mut constraint = self.lock().fork();
        constraint.take(token)?;
        Ok(Held::new(constraint))
    }

    /// Whether the text is complete and nothing can follow.
    pub(super) fn is_complete(&self) -> bool {
        self.lock().is_complete()
    }

    /// A copy of logits with -inf for every token that may not come here; `None` if none may. An
    /// error is a message for the user.
    pub(super) fn masked(&self, logits: &[f32]) -> Result<Option<Vec<f32>>, String> {
        let mut constraint = self.lock();
        let allowed = Some(constraint.allowed()?);
        let row = Limits { allowed, ..Limits::NONE }.masked(logits);
        Ok(row.iter().any(|x| *x != f32::NEG_INFINITY).then_some(row))
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.lock()).finish()
    }
}
