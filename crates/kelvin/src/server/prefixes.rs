//! Texts that the model has read before in, the longest beginning that a new prompt shares with one of them out.
//!
//! A fork of a kept sequence shares its pages, so keeping costs what the kept text itself takes, and a prefix found
//! here and one read afresh can't be told apart.

use kelvin_engine::{TokenId, transformer::Sequence};

/// Sequences that ended, the one used last at the end.
#[derive(Debug)]
pub(crate) struct Prefixes {
    kept: Vec<Sequence>,
    most: usize,
    most_tokens: usize,
}

impl Prefixes {
    /// Keeps at most so many texts of so many tokens together.
    pub(crate) fn new(most: usize, most_tokens: usize) -> Prefixes {
        Prefixes { kept: Vec::new(), most, most_tokens }
    }

    /// A fork of the one that shares most with `prompt`, cut to what is shared; the prompt's last token is left to be read, since its
    /// logits are wanted.
    pub(crate) fn fork(&mut self, prompt: &[TokenId]) -> Option<Sequence> {
        let head = &prompt[..prompt.len().saturating_sub(1)];
        let shared =
            |sequence: &Sequence| sequence.tokens().iter().zip(head).take_while(|(a, b)| a == b).count();
        let best = self.kept.iter().enumerate().max_by_key(|(_, sequence)| shared(sequence));
        let (at, n) = best.map(|(at, sequence)| (at, shared(sequence))).filter(|(_, n)| *n > 0)?;
        let used = self.kept.remove(at);
        let mut fork = used.clone();
        fork.truncate(n);
        self.kept.push(used);
        Some(fork)
    }

    /// Keeps a sequence that ended; what it makes superfluous goes, then what hasn't been used for longest.
    pub(crate) fn keep(&mut self, sequence: Sequence) {
        if sequence.is_empty() || self.kept.iter().any(|kept| kept.tokens().starts_with(sequence.tokens())) {
            return;
        }
        self.kept.retain(|kept| !sequence.tokens().starts_with(kept.tokens()));
        self.kept.push(sequence);
        while self.kept.len() > self.most || self.n_tokens() > self.most_tokens {
            self.kept.remove(0);
        }
    }

    /// Gives all of them up; whether there were any.
    pub(crate) fn clear(&mut self) -> bool {
        !std::mem::take(&mut self.kept).is_empty()
    }

    /// How many tokens are kept.
    pub(crate) fn n_tokens(&self) -> usize {
        self.kept.iter().map(Sequence::len).sum()
    }
}
