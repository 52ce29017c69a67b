//! What a sequence remembers for its chain: the tokens so far, and what a stage that learns has
//! learned from them.

use std::fmt;

use crate::TokenId;

/// The state of one sequence: clone it to fork, store it to restore.
///
/// Penalties read the tokens. `mirostat` and `adaptive_p`, of which a chain has at most one, keep
/// numbers ([`Learned`]). A state consists of nothing else, so it can be saved and
/// [restored](State::restore).
///
/// ```
/// use kelvin_sampling::{State, TokenId};
///
/// let mut state = State::of_prompt(&[TokenId(5), TokenId(7)]);
/// state.push(TokenId(7));
/// let saved = (state.tokens().to_vec(), state.n_prompt(), state.learned());
/// assert_eq!(State::restore(saved.0, saved.1, saved.2), state);
/// ```
#[derive(Clone, PartialEq, Default)]
pub struct State {
    tokens: Vec<TokenId>,
    n_prompt: usize,
    learned: Option<Learned>,
}

/// What a stage has learned from the tokens drawn so far.
///
/// A stage that finds another stage's numbers begins afresh.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Learned {
    /// Of [`Mirostat`](crate::Mirostat).
    Mirostat {
        /// The bound on the surprisal of a token, in bits.
        mu: f64,
    },
    /// Of [`AdaptiveP`](crate::AdaptiveP).
    AdaptiveP {
        /// The decayed sum of the probabilities of drawn tokens.
        ws: f64,
        /// The decayed number of drawn tokens.
        tw: f64,
    },
}

impl Learned {
    /// The name of the stage and its numbers, filled up with 0: a form to store it in.
    pub fn numbers(self) -> (&'static str, [f64; 2]) {
        match self {
            Learned::Mirostat { mu } => ("mirostat", [mu, 0.0]),
            Learned::AdaptiveP { ws, tw } => ("adaptive_p", [ws, tw]),
        }
    }

    /// What [`Learned::numbers`] was made of; `None` if no stage of this name learns.
    pub fn of(stage: &str, numbers: [f64; 2]) -> Option<Learned> {
        match stage {
            "mirostat" => Some(Learned::Mirostat { mu: numbers[0] }),
            "adaptive_p" => Some(Learned::AdaptiveP { ws: numbers[0], tw: numbers[1] }),
            _ => None,
        }
    }
}

impl State {
    /// The state after a prompt.
    pub fn of_prompt(prompt: &[TokenId]) -> State {
        State { tokens: prompt.to_vec(), n_prompt: prompt.len(), learned: None }
    }

    /// A state from its parts. `n_prompt` is at most the number of tokens.
    pub fn restore(tokens: Vec<TokenId>, n_prompt: usize, learned: Option<Learned>) -> State {
        let n_prompt = n_prompt.min(tokens.len());
        State { tokens, n_prompt, learned }
    }

    /// Appends a token whose logits aren't known, so that nothing else is learned from it.
    ///
    /// [`crate::Sampler::force`] appends one whose logits are known.
    pub fn push(&mut self, token: TokenId) {
        self.tokens.push(token);
    }

    /// Prompt and continuation.
    pub fn tokens(&self) -> &[TokenId] {
        &self.tokens
    }

    /// How many of the tokens are the prompt.
    pub fn n_prompt(&self) -> usize {
        self.n_prompt
    }

    /// What the learning stage of the chain knows; `None` before the first token.
    pub fn learned(&self) -> Option<Learned> {
        self.learned
    }

    pub(crate) fn learn(&mut self, learned: Learned) {
        self.learned = Some(learned);
    }

    /// The last tokens within a window and a scope.
    pub(crate) fn recent(&self, window: Window, scope: Scope) -> &[TokenId] {
        let from = match scope {
            Scope::All => 0,
            Scope::Output => self.n_prompt,
        };
        let tokens = &self.tokens[from..];
        &tokens[tokens.len() - window.0.map_or(tokens.len(), |n| tokens.len().min(n as usize))..]
    }
}

/// The number of tokens instead of the tokens.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.tokens.len();
        write!(
            f,
            "State({} prompt tokens, {} drawn, learned {:?})",
            self.n_prompt,
            n - self.n_prompt,
            self.learned
        )
    }
}

/// How many of the last tokens a stage reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window(Option<u32>);

impl Window {
    /// All tokens; written `-1`.
    pub const ALL: Window = Window(None);

    /// More tokens than any context has, for engines whose windows can't be "all": llama.cpp
    /// allocates 4 bytes for each.
    pub const WHOLE_CONTEXT: u32 = 1 << 20;

    /// The last `n` tokens; 0 is off.
    pub const fn last(n: u32) -> Window {
        Window(Some(n))
    }

    /// The number of tokens; `None` for all.
    pub const fn get(self) -> Option<u32> {
        self.0
    }

    /// The window as a number of tokens, at most [`Window::WHOLE_CONTEXT`].
    pub(crate) fn within_context(self) -> Window {
        Window::last(self.0.unwrap_or(Window::WHOLE_CONTEXT).min(Window::WHOLE_CONTEXT))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(n) => write!(f, "{n}"),
            None => f.write_str("-1"),
        }
    }
}

/// Which tokens a penalty counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `prompt+output`: all tokens.
    All,
    /// `output`: tokens after the prompt.
    Output,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scope::All => "prompt+output",
            Scope::Output => "output",
        })
    }
}
