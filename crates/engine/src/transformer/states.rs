//! The recurrent state of a text: what its recurrent layers have made of all tokens so far.
//!
//! It has one size however long the text is, and every token changes all of it. So a shorter text
//! can't be read off it, as it can off pages. A sequence therefore keeps a copy of the state after
//! its last full page, from which it goes on when it is truncated; `Prefixes` keeps more copies.

use std::{ops::Range, sync::Arc};

use kelvin_kernels::{
    kv_cache::PAGE,
    memory::{BufferPool, NoMemory, PooledBuffer},
};

/// Tokens between two states that the prefix cache keeps of a long text; a multiple of a page.
pub const STATE_EVERY: usize = 16 * PAGE;

/// The numbers of all recurrent layers, shared until somebody writes to them.
pub(super) type State = Arc<PooledBuffer<f32>>;

/// The state of one text, and copies of earlier ones.
#[derive(Debug, Clone)]
pub(super) struct States {
    stock: BufferPool<f32>,
    /// The state after `n_read` tokens; none before the first token.
    now: Option<State>,
    n_read: usize,
    /// States after fewer tokens, with their number, in rising order.
    kept: Vec<(usize, State)>,
    /// Where the step at hand copies the state to, with the number of tokens.
    coming: Vec<(usize, State)>,
}

impl States {
    /// Before the first token.
    pub(super) fn new(stock: &BufferPool<f32>) -> States {
        States { stock: stock.clone(), now: None, n_read: 0, kept: Vec::new(), coming: Vec::new() }
    }

    /// How many tokens the state has seen.
    pub(super) fn n_read(&self) -> usize {
        self.n_read
    }

    /// How many states are held, shared ones included.
    pub(super) fn n_held(&self) -> usize {
        usize::from(self.now.is_some()) + self.kept.len()
    }

    /// The state after the first `len` tokens, if it's here.
    pub(super) fn after(&self, len: usize) -> Option<&State> {
        let now = self.now.as_ref().filter(|_| self.n_read == len);
        now.or_else(|| self.kept.iter().find(|(at, _)| *at == len).map(|(_, state)| state))
    }

    /// Where the last state lies that is kept of whole pages; 0 if there is none.
    pub(super) fn last_kept(&self) -> usize {
        self.kept.last().map_or(0, |(at, _)| *at)
    }

    /// Goes on from a state that a text which began alike had after `len` tokens.
    pub(super) fn go_on_from(&mut self, len: usize, state: &State) {
        self.n_read = len;
        self.now = Some(Arc::clone(state));
        self.kept = vec![(len, Arc::clone(state))];
    }

    /// Goes back to the last state of at most `len` tokens; if none is kept, to the beginning.
    pub(super) fn go_back(&mut self, len: usize) {
        if len < self.n_read {
            self.kept.retain(|(at, _)| *at <= len);
            self.n_read = self.last_kept();
            self.now = self.kept.last().map(|(_, state)| Arc::clone(state));
        }
    }

    /// Makes the state this text's own and room for copies that a step of `n` tokens leaves: after
    /// the last page that it fills, and after each [`STATE_EVERY`] tokens.
    pub(super) fn reserve(&mut self, n: usize) -> Result<(), NoMemory> {
        let is_shared = self.now.as_mut().is_some_and(|now| Arc::get_mut(now).is_none());
        match &self.now {
            None => {
                let mut first = self.stock.acquire()?;
                first.fill(0.0);
                self.now = Some(Arc::new(first));
            }
            Some(now) if is_shared => {
                let mut own = self.stock.acquire()?;
                own.copy_from_slice(now);
                self.now = Some(Arc::new(own));
            }
            Some(_) => {}
        }
        self.coming.clear();
        let (start, end) = (self.n_read, self.n_read + n);
        let last = end / PAGE * PAGE;
        let every = (start / STATE_EVERY + 1..=end / STATE_EVERY).map(|i| i * STATE_EVERY);
        let ends = every.filter(|at| *at != last).chain((last > start).then_some(last));
        for at in ends {
            self.coming.push((at, Arc::new(self.stock.acquire()?)));
        }
        Ok(())
    }

    /// A step of `n` tokens was computed.
    pub(super) fn push(&mut self, n: usize) {
        self.n_read += n;
        if self.coming.is_empty() {
            self.kept.drain(..self.kept.len().saturating_sub(1));
        } else {
            std::mem::swap(&mut self.kept, &mut self.coming);
            self.coming.clear();
        }
    }

    /// Some numbers of the state.
    pub(super) fn numbers(&self, numbers: Range<usize>) -> &[f32] {
        let now = self.now.as_ref().expect("reserve made a state");
        &now[numbers]
    }

    /// Some numbers of the state to be changed, and of the copies to be made: each with how many
    /// tokens of the step come before it.
    pub(super) fn numbers_mut(
        &mut self,
        numbers: Range<usize>,
    ) -> (&mut [f32], impl Iterator<Item = (usize, &mut [f32])>) {
        const OWN: &str = "reserve made the state this text's own";
        let now = self.now.as_mut().and_then(Arc::get_mut).expect(OWN);
        let (start, part) = (self.n_read, numbers.clone());
        let copies = self.coming.iter_mut().map(move |(at, state)| {
            (*at - start, &mut Arc::get_mut(state).expect(OWN)[part.clone()])
        });
        (&mut now[numbers], copies)
    }
}
