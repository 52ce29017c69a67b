//! What a stage may use beside the candidates: the sequence so far, random words and work space.

use super::StageInfo;
use crate::{
    TokenId,
    candidates::Candidates,
    dice::Words,
    error::SampleError,
    state::{Learned, Scope, State, Window},
};

/// The sequence, the random words of the position, and buffers that are kept from step to step.
pub(crate) struct Context<'a> {
    pub(crate) state: &'a State,
    pub(crate) words: &'a Words,
    /// How many stages of this step have taken a random word.
    pub(crate) n_random: usize,
    /// Work space for token ids.
    pub(crate) ids: &'a mut Vec<u32>,
    /// Work space for counts and lengths.
    pub(crate) lengths: &'a mut Vec<u32>,
}

impl Context<'_> {
    /// The next random word for a stage.
    pub(crate) fn word(&mut self) -> u64 {
        self.n_random += 1;
        self.words.stages[self.n_random - 1]
    }

    /// What the learning stage of the chain knows; `None` before the first token.
    pub(crate) fn learned(&self) -> Option<Learned> {
        self.state.learned()
    }

    /// The distinct tokens within a window and a scope, in rising order of ids.
    pub(crate) fn distinct(&mut self, window: Window, scope: Scope) -> &[u32] {
        self.count_each(window, scope).0
    }

    /// The distinct tokens within a window and a scope, in rising order of ids, and how often each
    /// of them occurs.
    pub(crate) fn count_each(&mut self, window: Window, scope: Scope) -> (&[u32], &[u32]) {
        let Context { state, ids, lengths, .. } = self;
        ids.clear();
        lengths.clear();
        ids.extend(state.recent(window, scope).iter().map(|token| token.0));
        ids.sort_unstable();
        lengths.extend(ids.chunk_by(|a, b| a == b).map(|run| run.len() as u32));
        ids.dedup();
        (ids, lengths)
    }

    /// Refuses token ids that the vocabulary doesn't have.
    pub(crate) fn check(
        stage: &StageInfo,
        candidates: &Candidates<'_>,
        mut ids: impl Iterator<Item = u32>,
    ) -> Result<(), SampleError> {
        let vocab = candidates.n_vocab();
        match ids.find(|&id| id as usize >= vocab) {
            None => Ok(()),
            Some(id) => {
                Err(SampleError::UnknownToken { stage: stage.name, token: TokenId(id), vocab })
            }
        }
    }
}
