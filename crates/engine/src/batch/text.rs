//! One text in decode: its draws of a step, and what they gave until the observer is told.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use kelvin_sampling::Learned;

use super::{
    request::{Draft, Logprobs, Tap},
    score::{Scored, draw_scored},
};
use crate::{
    Engine, TokenId,
    generate::{Column, Ends, FinishReason, Pending, Taken},
    transformer::Logits,
};

/// A continuation that is being generated.
#[derive(Debug)]
pub(super) struct Text {
    /// Index of the draft in the request.
    pub(super) number: usize,
    pub(super) column: Column,
    logprobs: Option<Logprobs>,
    tap: Option<Tap>,
    /// Index of its branch in the request.
    pub(super) branch: usize,
    /// The draws of the step, until they are told.
    pub(super) results: Vec<DrawResult>,
}

/// What one draw gave.
#[derive(Debug)]
pub(super) struct DrawResult {
    pub(super) taken: Taken,
    /// Index of its row in the step's logits.
    pub(super) row: usize,
    /// Position of the token, prompt included, and its index in the continuation.
    pub(super) pos: usize,
    pub(super) index: usize,
    /// Logprobs of the token, if requested.
    pub(super) scored: Option<Scored>,
    /// State of the chain's learning stage after the token.
    pub(super) learned: Option<Learned>,
    /// What the text held back before it.
    pub(super) pending: Pending,
}

impl DrawResult {
    /// The drawn token, unless the text ended without one.
    pub(super) fn token(&self) -> Option<TokenId> {
        self.taken.draw.map(|draw| draw.token)
    }
}

impl Text {
    /// A continuation of `prompt`.
    pub(super) fn new(
        engine: &Engine,
        (number, draft): (usize, Draft),
        branch: usize,
        prompt: &[TokenId],
        ends: &Ends,
        bans: &Arc<[Vec<TokenId>]>,
    ) -> Text {
        let Draft { sampler, constraint, logprobs, tap, stages } = draft;
        let column = Column::new(sampler, prompt, &engine.tokenizer, ends);
        Text {
            number,
            column: column.banning(Arc::clone(bans)).under(constraint).through(stages),
            logprobs,
            tap,
            branch,
            results: Vec::new(),
        }
    }

    /// Draws a token from row `first_row`, and from the following rows as long as each token drawn
    /// is the one that the next row was computed with: `guesses` has these in order. So every token
    /// is drawn from the logits that it would be drawn from without guesses.
    pub(super) fn advance(
        &mut self,
        engine: &Engine,
        ends: &Ends,
        logits: Logits<'_>,
        first_row: usize,
        guesses: &[TokenId],
    ) {
        self.results.clear();
        for i in 0..=guesses.len() {
            let row = first_row + i;
            let (pos, pending) = (self.column.pos(), self.column.pending().clone());
            let index = self.column.tokens().len();
            let drawn = self.draw(logits.row(row));
            let (scored, taken) = match drawn {
                Some(scored) => (scored, self.take(engine, ends)),
                None => (None, self.give_up()),
            };
            let learned = self.column.state().learned();
            let result = DrawResult { taken, row, pos, index, scored, learned, pending };
            let token = result.token();
            self.results.push(result);
            if !self.column.is_open() || guesses.get(i).copied() != token {
                return;
            }
        }
    }

    /// Tokens that the constraint forces, or none.
    pub(super) fn forced(&mut self, engine: &Engine) -> Vec<TokenId> {
        let column = &mut self.column;
        let forced = catch_unwind(AssertUnwindSafe(|| column.forced(&engine.tokenizer)));
        forced.unwrap_or_default()
    }

    /// Draws the next token and computes its logprobs, if requested. `None` if that panics, for
    /// example in a constraint.
    fn draw(&mut self, logits: &[f32]) -> Option<Option<Scored>> {
        let Text { column, logprobs, tap, .. } = self;
        catch_unwind(AssertUnwindSafe(|| {
            let scored = match *logprobs {
                Some(how) => draw_scored(column, logits, how),
                None => {
                    column.draw(logits);
                    None
                }
            };
            if let Some(Tap(see)) = tap {
                see(column.pos(), logits, column.drawn());
            }
            scored
        }))
        .ok()
    }

    /// Appends the drawn token to the text.
    fn take(&mut self, engine: &Engine, ends: &Ends) -> Taken {
        let column = &mut self.column;
        let taken = catch_unwind(AssertUnwindSafe(|| column.take(&engine.tokenizer, ends)));
        taken.ok().flatten().unwrap_or_else(|| self.give_up())
    }

    /// Ends the text: a panic ends no other.
    fn give_up(&mut self) -> Taken {
        self.column.abandon();
        let end = Some((String::new(), FinishReason::Panicked));
        Taken { draw: None, text: String::new(), end }
    }

    /// Ends the text after the token that was told last. Returns what it had held back there.
    pub(super) fn cancel(&mut self) -> String {
        match self.results.drain(..).next() {
            Some(untold) => self.column.end_at(untold.pending, &FinishReason::Cancelled),
            None => self.column.end(&FinishReason::Cancelled),
        }
    }
}
