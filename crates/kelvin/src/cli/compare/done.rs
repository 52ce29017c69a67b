//! One model's part of a comparison, and where it parts from the first model's.

use kelvin_engine::{batch::Continuation, generate::FinishReason};
use kelvin_views::figures;

use super::{answer::CompareOutput, plan::Plan};
use crate::cli::shared::session::Session;

/// One model's part, done.
pub(crate) struct Done<'s> {
    pub(crate) session: &'s Session,
    pub(crate) plan: Plan,
    pub(crate) continuations: Vec<Continuation>,
    pub(crate) answer: CompareOutput,
}

impl Done<'_> {
    /// Whether Ctrl-C ended its texts.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.continuations.iter().any(|text| text.finish == FinishReason::Cancelled)
    }

    /// Why there is no text with a temperature of its own, if some were asked for and none is
    /// there.
    pub(crate) fn no_texts(&self) -> Option<String> {
        let texts = &self.continuations[self.plan.texts.start * self.plan.samples..];
        let is_missing = |text: &Continuation| matches!(text.finish, FinishReason::NotAccepted(_));
        let first = texts.first().filter(|_| texts.iter().all(is_missing))?;
        first.finish.failure()
    }
}

/// Says where a model's columns part from the first model's, if tokens mean the same in both.
pub(crate) fn compare_with_first(first: &Done<'_>, done: &mut Done<'_>) {
    let (a, b) = (&first.session.engine.tokenizer, &done.session.engine.tokenizer);
    if a.difference(b).is_some() {
        return;
    }
    let pairs = first.continuations.iter().zip(&done.continuations);
    let columns = first.answer.columns.iter().zip(&mut done.answer.columns);
    for ((of_first, column), (a, b)) in columns.zip(pairs) {
        // Models may recommend different chains.
        if of_first.chain == column.chain {
            column.diverges_from_first_model_at = Some(figures::parting(a, b));
        }
    }
    for (of_first, search) in first.answer.searches.iter().zip(&mut done.answer.searches) {
        let at = figures::divergence(&of_first.best().ids, &search.best().ids);
        search.diverges_from_first_model_at = Some(at);
    }
}
