//! A step over sequences that the caller owns: beam search, a sampler of one's own.
//!
//! Requests draw their tokens here in the batch. A program that chooses tokens itself keeps its
//! sequences and asks for logits alone.

use super::{Batch, Budget};
use crate::{
    Engine, TokenId,
    transformer::{Append, Logits, ModelError, Sequence, Want},
};

impl Batch {
    /// An empty sequence in the batch's format of keys and values. The page budget doesn't count
    /// it.
    pub fn sequence(&self, engine: &Engine) -> Sequence {
        engine.model.sequence(self.options.cache)
    }

    /// Sets room aside for sequences of the caller: texts and pages that no request gets until they
    /// are given back. Pages that only the prefix cache holds are evicted if needed. Returns
    /// whether there was room.
    pub fn lend(&mut self, engine: &Engine, loan: Budget) -> bool {
        let budget = self.options.budget;
        if self.n_texts() + loan.n_texts > budget.n_texts {
            return false;
        }
        let taken = self.n_held_pages(engine) + self.n_promised_pages() + loan.n_pages;
        let missing = taken.saturating_sub(budget.n_pages);
        let has_room = missing == 0 || self.prefixes.give_back(missing);
        if has_room {
            self.lent.n_texts += loan.n_texts;
            self.lent.n_pages += loan.n_pages;
        }
        has_room
    }

    /// Takes back what was lent. The caller's sequences are dropped by then.
    pub fn take_back(&mut self, loan: Budget) {
        self.lent.n_texts = self.lent.n_texts.saturating_sub(loan.n_texts);
        self.lent.n_pages = self.lent.n_pages.saturating_sub(loan.n_pages);
    }

    /// Appends a prompt's tokens to a sequence of the caller, a chunk for each forward pass, and
    /// calls `progress` with their number so far after each.
    ///
    /// # Errors
    /// Those of [`Batch::append`], but for no tokens. The sequence has the chunks before then.
    pub fn read(
        &mut self,
        engine: &Engine,
        sequence: &mut Sequence,
        tokens: &[TokenId],
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), ModelError> {
        let mut n_read = 0;
        for tokens in tokens.chunks(self.options.chunks.alone.max(1)) {
            let append = Append { sequence: &mut *sequence, tokens, want: Want::None };
            self.append(engine, &mut [append])?;
            n_read += tokens.len();
            progress(n_read);
        }
        Ok(())
    }

    /// Appends tokens to sequences of the caller in one forward pass, and returns the logits that
    /// are wanted: rows of vocab_size numbers. The requests of the batch stand still meanwhile.
    ///
    /// # Errors
    /// If one of the sequences is of another model, gets no tokens, gets a token that the
    /// vocabulary doesn't have or becomes longer than the context, or if there is no memory. All
    /// sequences are as they were then.
    pub fn append(
        &mut self,
        engine: &Engine,
        appends: &mut [Append<'_>],
    ) -> Result<Logits<'_>, ModelError> {
        let logits = engine.model.forward(appends, &mut self.scratch)?;
        self.n_steps += 1;
        Ok(logits)
    }
}
