//! One text in decode: its draws of a step, and what they gave until the observer is told.

use std::{
    collections::VecDeque,
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
    generate::{Column, Ends, FinishReason, Found, Next, Pending, Taken},
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
    /// The draws of the step.
    pub(super) results: Vec<DrawResult>,
    /// Whether the text went back to before the step.
    pub(super) back: Option<Back>,
    /// Draws that aren't told yet. While a banned string may take tokens back, the last ones wait.
    pub(super) untold: VecDeque<DrawResult>,
}

/// What one draw gave.
#[derive(Debug)]
pub(super) struct DrawResult {
    pub(super) taken: Taken,
    pub(super) row: Row,
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

/// How far a text went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Back {
    /// Tokens of the text that are left.
    pub(super) n_left: usize,
    /// Tokens of earlier steps that it took back.
    pub(super) n_lost: usize,
}

/// The logits of a draw.
#[derive(Debug)]
pub(super) enum Row {
    /// Index in the step's logits.
    Step(usize),
    /// A copy, for a draw that is told after a later step.
    Kept(Box<[f32]>),
}

impl Row {
    /// The logits.
    pub(super) fn of<'a>(&'a self, logits: Logits<'a>) -> &'a [f32] {
        match self {
            Row::Step(row) => logits.row(*row),
            Row::Kept(row) => row,
        }
    }
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
            back: None,
            untold: VecDeque::new(),
        }
    }

    /// Draws a token from row `first_row`, and from the following rows as long as each token drawn
    /// is the one that the next row was computed with: `guesses` has these in order. So every token
    /// is drawn from the logits that it would be drawn from without guesses.
    ///
    /// A banned string takes tokens back. Those of this step are drawn again at once; earlier ones
    /// need another step.
    pub(super) fn advance(
        &mut self,
        engine: &Engine,
        ends: &Ends,
        logits: Logits<'_>,
        first_row: usize,
        guesses: &[TokenId],
    ) {
        self.results.clear();
        self.back = None;
        let start = self.column.tokens().len();
        let mut i = 0;
        loop {
            let row = first_row + i;
            let (pos, pending) = (self.column.pos(), self.column.pending().clone());
            let index = self.column.tokens().len();
            let drawn = self.draw(logits.row(row));
            let (scored, next) = match drawn {
                Some(scored) => (scored, self.take(engine, ends)),
                None => (None, Next::Taken(self.give_up())),
            };
            let taken = match next {
                Next::Taken(taken) => taken,
                Next::Back(found) => match self.go_back(engine, &found, start, &pending) {
                    Ok(n) if n >= start => {
                        i = n - start;
                        continue;
                    }
                    Ok(n_left) => {
                        self.back = Some(Back { n_left, n_lost: start - n_left });
                        return;
                    }
                    Err(taken) => *taken,
                },
            };
            let (row, learned) = (Row::Step(row), self.column.state().learned());
            let result = DrawResult { taken, row, pos, index, scored, learned, pending };
            let token = result.token();
            self.results.push(result);
            if !self.column.is_open() || guesses.get(i).copied() != token {
                return;
            }
            i += 1;
        }
    }

    /// Goes back to where a banned string begins. Returns the number of tokens that are left, of
    /// which those from `start` on are of this step; an end if the text can't go back.
    fn go_back(
        &mut self,
        engine: &Engine,
        found: &Found,
        start: usize,
        pending: &Pending,
    ) -> Result<usize, Box<Taken>> {
        let n_untold = self.untold.len();
        // Where it held back what: before a token of this step, or of an earlier one.
        let of_step = found.first.checked_sub(start);
        let before = match of_step {
            Some(at) => self.results.get(at),
            None => (n_untold + found.first).checked_sub(start).and_then(|at| self.untold.get(at)),
        };
        let pending = before.map_or(pending, |result| &result.pending).clone();
        let column = &mut self.column;
        let back =
            catch_unwind(AssertUnwindSafe(|| column.go_back(found, pending, &engine.tokenizer)));
        match back {
            Ok(Ok(n)) => {
                self.results.truncate(n.saturating_sub(start));
                self.untold.truncate((n_untold + n).saturating_sub(start).min(n_untold));
                Ok(n)
            }
            Ok(Err(reason)) => {
                let (text, thought) = self.column.end(&reason);
                let end = Some((text, reason));
                Err(Box::new(Taken { draw: None, text: String::new(), thought, end }))
            }
            Err(_) => Err(Box::new(self.give_up())),
        }
    }

    /// Moves the draws of a step to those that are to be told. Returns how many of these can be.
    pub(super) fn tell(&mut self) -> usize {
        self.untold.extend(self.results.drain(..));
        let n_held = if self.column.is_open() { self.column.n_held() } else { 0 };
        self.untold.len().saturating_sub(n_held)
    }

    /// Copies the logits of draws that wait.
    pub(super) fn keep(&mut self, logits: Logits<'_>) {
        for result in &mut self.untold {
            if let Row::Step(row) = result.row {
                result.row = Row::Kept(logits.row(row).into());
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
    fn take(&mut self, engine: &Engine, ends: &Ends) -> Next {
        let column = &mut self.column;
        let taken = catch_unwind(AssertUnwindSafe(|| column.take(&engine.tokenizer, ends)));
        taken.ok().flatten().unwrap_or_else(|| Next::Taken(self.give_up()))
    }

    /// Ends the text: a panic ends no other.
    fn give_up(&mut self) -> Taken {
        self.column.abandon();
        let end = Some((String::new(), FinishReason::Panicked));
        Taken { draw: None, text: String::new(), thought: String::new(), end }
    }

    /// Ends the text after the token that was told last. Returns what it had held back there, and
    /// the thoughts.
    pub(super) fn cancel(&mut self) -> (String, String) {
        self.untold.extend(self.results.drain(..));
        match self.untold.drain(..).next() {
            Some(untold) => self.column.end_at(untold.pending, &FinishReason::Cancelled),
            None => self.column.end(&FinishReason::Cancelled),
        }
    }
}
