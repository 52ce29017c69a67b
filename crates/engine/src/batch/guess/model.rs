//! A smaller model guesses: it draws the next tokens of a text itself.
//!
//! It draws with what the text draws with: the dice of each position, the chain with its state, the
//! constraint and the bans. Both models turn the same random number into the token at the same
//! share of the probability, so they agree more often than two draws would.
//!
//! Before a step, the draft model reads what it has not read of each text and then goes on token by
//! token, all texts together. It stops at tokens that are unlikely to be right, counted by the
//! probability that it gave to them. A text whose drafts gave fewer tokens than they cost goes on
//! without them to its end: the draft model would have to read all that it missed for a second try.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use kelvin_sampling::{Draw, Sampler};

use super::{Acceptance, Costs, Guess, Guessed, Source, most};
use crate::{
    Engine, TokenId,
    batch::text::Text,
    generate::Column,
    tokenizer::{Tokenizer, VocabularyDifference},
    transformer::{
        Append, CacheFormat, Model, ModelError, PAGE, Prefixes, Scratch, Sequence, Want,
    },
};

/// Most tokens of texts that the draft model reads before a step.
const CHUNK: usize = 256;
/// Drafts have to give so many times as many tokens for their cost as steps without them.
const MARGIN: f32 = 1.02;
/// What is expected before anything was counted, which counts as much as so many steps: at first a
/// text learns how often drafts are right, and reads few of them.
const EXPECTED: f32 = 1.15;
const WEIGHT: f32 = 12.0;
/// After so many steps the older ones count half.
const MEMORY: f32 = 32.0;

/// A smaller model with the vocabulary of the model that it drafts for.
#[derive(Debug, Clone)]
pub struct DraftModel {
    engine: Arc<Engine>,
    /// What a step of one row costs, in such steps of the model.
    cost: f32,
}

/// Why a model can't draft for another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftModelError {
    /// Their vocabularies have different sizes.
    #[error(
        "the draft model has {draft} tokens in its vocabulary and the model has {model}: both must \
         have the same vocabulary"
    )]
    VocabularySize {
        /// Tokens of the draft model.
        draft: usize,
        /// Tokens of the model.
        model: usize,
    },
    /// A token isn't the same in both.
    #[error(
        "token {token} is {draft:?} in the draft model and {model:?} in the model: both must have \
         the same vocabulary"
    )]
    Token {
        /// The token's id.
        token: u32,
        /// Its text in the draft model.
        draft: String,
        /// Its text in the model.
        model: String,
    },
    /// One of them has recurrent layers.
    #[error(
        "the {which} has recurrent layers, whose state can't go back to before a refused draft"
    )]
    Recurrent {
        /// Which of the two.
        which: &'static str,
    },
}

impl DraftModel {
    /// Checks that a model can draft for `engine`.
    ///
    /// # Errors
    /// If the vocabularies differ, or if one of the models has recurrent layers.
    pub fn new(engine: &Engine, draft: Engine) -> Result<DraftModel, DraftModelError> {
        let (ours, theirs) = (&draft.tokenizer, &engine.tokenizer);
        match ours.difference(theirs) {
            None => {}
            Some(VocabularyDifference::Size) => {
                let (draft, model) = (ours.vocab_size(), theirs.vocab_size());
                return Err(DraftModelError::VocabularySize { draft, model });
            }
            Some(VocabularyDifference::Token(token)) => {
                let (draft, model) = (ours.piece(token).into(), theirs.piece(token).into());
                return Err(DraftModelError::Token { token: token.0, draft, model });
            }
        }
        let has_state = |model: &Model| model.config.state_bytes() > 0;
        for (model, which) in [(&engine.model, "model"), (&draft.model, "draft model")] {
            if has_state(model) {
                return Err(DraftModelError::Recurrent { which });
            }
        }
        let cost = draft.model.step_bytes() as f32 / engine.model.step_bytes().max(1) as f32;
        Ok(DraftModel { engine: Arc::new(draft), cost })
    }

    /// The model, but a step of it is taken to cost so much, in steps of the model that it drafts
    /// for. Otherwise that is estimated by the weights that both read. The cost decides how much is
    /// drafted, never what texts say.
    pub fn costing(self, cost: f32) -> DraftModel {
        DraftModel { cost, ..self }
    }

    /// The model.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

/// The draft model of a batch at work.
#[derive(Debug)]
pub(in crate::batch) struct Drafter {
    model: DraftModel,
    cache: CacheFormat,
    /// Most pages of its own keys and values, if others than running texts need them.
    n_pages: usize,
    scratch: Scratch,
    prefixes: Prefixes,
}

/// What the draft model knows of a text, and what its drafts were worth.
#[derive(Debug, Clone, Default)]
pub(in crate::batch) struct Drafting {
    sequence: Option<Sequence>,
    /// The sampler of the text with this number, whose buffers are used again.
    sampler: Option<(usize, Box<Sampler>)>,
    /// Pages that were given to the prefix cache.
    n_kept: usize,
    /// Cost of this step's drafts, in steps of the text without any; 0 if it has none.
    spent: f32,
    /// Tokens that steps with drafts gave, and what they cost, both for one token without drafts.
    gained: f32,
    paid: f32,
}

/// A branch that may be drafted for.
pub(in crate::batch) struct Ask<'a> {
    /// Its first text.
    pub(in crate::batch) text: &'a Text,
    pub(in crate::batch) acceptance: &'a Acceptance,
    pub(in crate::batch) drafting: &'a mut Drafting,
    /// Where the draft goes.
    pub(in crate::batch) guess: &'a mut Guess,
    /// The most tokens that the text may get.
    pub(in crate::batch) left: usize,
}

/// A draft while it is made.
struct Work<'a> {
    /// Its text's number.
    number: usize,
    acceptance: &'a Acceptance,
    drafting: &'a mut Drafting,
    guess: &'a mut Guess,
    column: Column,
    sequence: Sequence,
    /// Tokens that the draft model reads next.
    next: Vec<TokenId>,
    /// Whether it has read the whole text after them.
    is_complete: bool,
    /// The most tokens of the draft.
    most: usize,
    draft: Guess,
    /// The probability that all drafted tokens are right.
    all_right: f32,
    is_open: bool,
    row: usize,
}

impl Drafting {
    /// Another text's, which is equal so far.
    pub(in crate::batch) fn fork(&self) -> Drafting {
        Drafting { sampler: None, ..self.clone() }
    }

    /// Tokens for the cost, in those of steps without drafts.
    fn rate(&self) -> f32 {
        (WEIGHT * EXPECTED + self.gained) / (WEIGHT + self.paid)
    }

    /// The most drafts for a text that may get `left` more tokens.
    fn wanted(&self, left: usize) -> usize {
        if self.rate() >= MARGIN { most(left) } else { 0 }
    }

    /// Counts a step that gave `n_drawn` tokens after reading a row and `n_read` guesses, each of
    /// which cost `row`.
    pub(in crate::batch) fn count(&mut self, n_drawn: usize, n_read: usize, row: f32) {
        let spent = std::mem::take(&mut self.spent);
        if spent == 0.0 {
            return;
        }
        if self.paid >= MEMORY {
            (self.paid, self.gained) = (self.paid / 2.0, self.gained / 2.0);
        }
        self.gained += n_drawn as f32;
        self.paid += 1.0 + spent + n_read as f32 * row;
    }
}

impl Drafter {
    /// Its keys and values are stored as `cache` says, in at most `n_pages` pages.
    pub(in crate::batch) fn new(model: DraftModel, cache: CacheFormat, n_pages: usize) -> Drafter {
        let prefixes = Prefixes::new(model.engine.model.sequence(cache), 0);
        Drafter { model, cache, n_pages, scratch: Scratch::default(), prefixes }
    }

    /// Forgets what a step left half done.
    pub(in crate::batch) fn clear(&mut self) {
        self.scratch = Scratch::default();
    }

    /// Empties its prefix cache.
    pub(in crate::batch) fn forget_prefixes(&mut self) {
        self.prefixes = Prefixes::new(self.model.engine.model.sequence(self.cache), 0);
    }

    /// Makes drafts for a step of `n_rows` rows without guesses. Returns the number of steps of the
    /// draft model, and what they cost in steps of the model.
    pub(in crate::batch) fn draft<'a>(
        &mut self,
        asks: impl Iterator<Item = Ask<'a>>,
        n_rows: usize,
        costs: Costs,
    ) -> (u64, f32) {
        // What a branch pays for its row in a step without guesses.
        let base = costs.of(n_rows) / n_rows.max(1) as f32;
        let mut works = self.prepare(asks, costs.further / base);
        let (mut n_steps, mut spent) = (0, 0.0);
        while works.iter().any(|work| !work.next.is_empty()) {
            let n_open = works.iter().filter(|work| !work.next.is_empty()).count();
            let cost = self.model.cost * costs.of(n_open);
            if self.round(&mut works).is_err() {
                // There is no memory for drafts, so there are none.
                break;
            }
            (n_steps, spent) = (n_steps + 1, spent + cost);
            let (own, row) = (cost / n_open as f32 / base, costs.further / base);
            for work in works.iter_mut().filter(|work| work.is_open) {
                work.drafting.spent += own;
                let rate = work.drafting.rate().max(1.0);
                let next_right = work.all_right * work.acceptance.expected_of_model();
                // As many for the cost of one more as for that of all.
                work.is_open = work.draft.0.len() < work.most && next_right >= rate * (own + row);
                if work.is_open {
                    work.next.extend(work.draft.0.last().map(|guessed| guessed.token));
                }
            }
        }
        for work in works {
            let Work { number, drafting, guess, column, sequence, draft, .. } = work;
            let sampler = Box::new(column.into_sampler());
            (drafting.sequence, drafting.sampler) = (Some(sequence), Some((number, sampler)));
            if !draft.0.is_empty() {
                *guess = draft;
            }
        }
        let n_held = self.model.engine.model.n_pages(self.cache);
        let n_over = n_held.saturating_sub(self.n_pages).min(self.prefixes.n_pages());
        self.prefixes.give_back(n_over);
        (n_steps, spent)
    }

    /// Decides for whom drafts are made, and what of the texts has to be read before. `row` is the
    /// cost of a further row.
    fn prepare<'a>(&mut self, asks: impl Iterator<Item = Ask<'a>>, row: f32) -> Vec<Work<'a>> {
        let (mut works, mut room) = (Vec::new(), CHUNK);
        let limit = self.model.engine.model.config.ctx_len;
        for Ask { text, acceptance, drafting, guess, left } in asks {
            let tokens = text.column.all_tokens();
            let most = drafting.wanted(left).min(limit.saturating_sub(tokens.len()));
            if most == 0 || room == 0 {
                continue;
            }
            // The last token is always read, for its logits.
            let before = tokens.split_last().map_or(&[][..], |(_, before)| before);
            let sequence = drafting.sequence.take();
            let mut sequence = sequence.unwrap_or_else(|| self.prefixes.find(before));
            let equal = sequence.tokens().iter().zip(before).take_while(|(a, b)| a == b).count();
            sequence.truncate(equal);
            let n_missing = tokens.len() - sequence.len();
            // Reading a long text has to pay over what is left of it.
            let to_gain = left as f32 * (drafting.rate() - 1.0);
            if n_missing > 2 * PAGE && n_missing as f32 * self.model.cost * row > to_gain {
                drafting.sequence = Some(sequence);
                continue;
            }
            let n_full = sequence.len() / PAGE;
            if n_full > drafting.n_kept {
                self.prefixes.keep(&sequence, n_full * PAGE);
                drafting.n_kept = n_full;
            }
            let n_next = n_missing.min(room);
            room -= n_next;
            let own = drafting.sampler.take().filter(|(number, _)| *number == text.number);
            works.push(Work {
                number: text.number,
                column: text.column.rehearsal(own.map(|(_, sampler)| *sampler)),
                next: tokens[sequence.len()..][..n_next].to_vec(),
                is_complete: n_next == n_missing,
                acceptance,
                drafting,
                guess,
                sequence,
                most,
                draft: Guess::default(),
                all_right: 1.0,
                is_open: false,
                row: 0,
            });
        }
        works
    }

    /// Reads the next tokens of each text, and draws one for each that is complete.
    fn round(&mut self, works: &mut [Work<'_>]) -> Result<(), ModelError> {
        let (mut appends, mut n_rows) = (Vec::new(), 0);
        for work in works.iter_mut() {
            work.is_open = work.is_complete && !work.next.is_empty();
            if work.next.is_empty() {
                continue;
            }
            work.row = n_rows;
            n_rows += usize::from(work.is_complete);
            let want = if work.is_complete { Want::Last } else { Want::None };
            appends.push(Append { sequence: &mut work.sequence, tokens: &work.next, want });
        }
        let draft = &self.model.engine;
        let logits = draft.model.forward(&mut appends, &mut self.scratch)?;
        drop(appends);
        draft.model.for_each(works, &|_, work| {
            work.next.clear();
            if work.is_open {
                work.draw(logits.row(work.row), &draft.tokenizer);
            }
        });
        Ok(())
    }
}

impl Work<'_> {
    /// Draws one more token of the draft, which ends before a token that would end the text.
    fn draw(&mut self, logits: &[f32], tokenizer: &Tokenizer) {
        let column = &mut self.column;
        // A constraint may panic.
        let drawn = catch_unwind(AssertUnwindSafe(|| column.rehearse(logits, tokenizer)));
        let Some(Draw { token, surprisal, .. }) = drawn.ok().flatten() else {
            self.is_open = false;
            return;
        };
        let source = Source::Model((-surprisal).exp() as f32);
        self.all_right *= self.acceptance.expected(source);
        self.draft.0.push(Guessed { token, source });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_are_made_as_long_as_they_pay() {
        let mut drafting = Drafting::default();
        assert_eq!(drafting.wanted(100), most(100), "at first they are expected to pay");
        let step = |drafting: &mut Drafting, n_drawn: usize| {
            drafting.spent = 1.0;
            drafting.count(n_drawn, 3, 0.2);
        };
        (0..20).for_each(|_| step(&mut drafting, 1));
        assert_eq!(drafting.wanted(100), 0);
        let mut other = Drafting::default();
        (0..200).for_each(|_| step(&mut other, 4));
        assert_eq!([other.wanted(100), other.wanted(3), other.wanted(0)], [most(100), 2, 0]);
    }

    #[test]
    fn steps_without_drafts_are_not_counted() {
        let mut drafting = Drafting::default();
        drafting.count(1, 0, 0.2);
        assert_eq!((drafting.gained, drafting.paid), (0.0, 0.0));
    }
}
