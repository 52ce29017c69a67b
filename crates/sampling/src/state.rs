//! What a sequence remembers for its chain: the tokens so far, and the two numbers of a stage that
//! learns.

use std::fmt;

use crate::TokenId;

/// The state of one sequence: clone it to fork, keep it to restore.
///
/// Penalties look at the tokens; `mirostat` and `adaptive_p`, of which a chain has at most one,
/// keep up to two numbers. The tokens and the numbers are all there is, so a state can be saved and
/// [restored](State::restore).
///
/// ```
/// use kelvin_sampling::{State, TokenId};
///
/// let mut state = State::of_prompt(&[TokenId(5), TokenId(7)]);
/// state.push(TokenId(7));
/// let saved = (state.tokens().to_vec(), state.n_prompt(), state.memory());
/// assert_eq!(State::restore(saved.0, saved.1, saved.2), state);
/// ```
#[derive(Clone, PartialEq, Default)]
pub struct State {
    tokens: Vec<TokenId>,
    n_prompt: usize,
    memory: Option<[f64; 2]>,
}

impl State {
    /// The beginning of a continuation of `prompt`.
    pub fn of_prompt(prompt: &[TokenId]) -> State {
        State { tokens: prompt.to_vec(), n_prompt: prompt.len(), memory: None }
    }

    /// A state from its parts; `n_prompt` is cut at the number of tokens.
    pub fn restore(tokens: Vec<TokenId>, n_prompt: usize, memory: Option<[f64; 2]>) -> State {
        let n_prompt = n_prompt.min(tokens.len());
        State { tokens, n_prompt, memory }
    }

    /// A token that was taken without being drawn here, and from which nothing is learned but that
    /// it came.
    ///
    /// [`crate::Sampler::force`] takes one of which the logits are known.
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

    /// What a learning stage knows: μ and 0 of `mirostat` (bits), ws and tw of `adaptive_p`; none
    /// before the first token.
    pub fn memory(&self) -> Option<[f64; 2]> {
        self.memory
    }

    pub(crate) fn remember(&mut self, memory: [f64; 2]) {
        self.memory = Some(memory);
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

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.tokens.len();
        write!(
            f,
            "State({} prompt tokens, {} drawn, memory {:?})",
            self.n_prompt,
            n - self.n_prompt,
            self.memory
        )
    }
}

/// How many of the last tokens a stage looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window(Option<u32>);

impl Window {
    /// All of them; written `-1`.
    pub const ALL: Window = Window(None);

    /// The last `n`; 0 is off.
    pub const fn last(n: u32) -> Window {
        Window(Some(n))
    }

    /// The number, if it isn't all.
    pub const fn get(self) -> Option<u32> {
        self.0
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
    /// `prompt+output`.
    All,
    /// `output`: what was drawn.
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
