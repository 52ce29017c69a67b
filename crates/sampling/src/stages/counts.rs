//! Penalties that are subtracted: by how often a token came, and for having come at all.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{
    candidates::Candidates,
    error::{ChainError, SampleError},
    notation::Values,
    state::{Scope, Window},
};

/// `frequency=α,window:n,scope:s`: x_i -= α·count_i over the last n tokens; α = 0 is off.
///
/// By default the window is of all tokens and the scope is `output`.
///
/// Source: OpenAI API, `frequency_penalty`.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler, TokenId};
///
/// let chain: Chain = "frequency=0.6 | temp=0".parse()?;
/// let mut sampler = Sampler::new(chain, Dice::default());
/// let drawn = [0, 1, 2].map(|pos| sampler.sample(&[2.0, 1.0], pos));
/// assert_eq!(drawn, [Ok(TokenId(0)), Ok(TokenId(0)), Ok(TokenId(1))]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frequency(Penalty);

/// `presence=α,window:n,scope:s`: x_i -= α for each token among the last n; α = 0 is off.
///
/// By default the window is of all tokens and the scope is `output`.
///
/// Source: OpenAI API, `presence_penalty`.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler, TokenId};
///
/// let chain: Chain = "presence=1.5 | temp=0".parse()?;
/// let mut sampler = Sampler::new(chain, Dice::default());
/// let drawn = [0, 1, 2].map(|pos| sampler.sample(&[2.0, 1.0], pos));
/// assert_eq!(drawn, [Ok(TokenId(0)), Ok(TokenId(1)), Ok(TokenId(0))]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Presence(Penalty);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Penalty {
    alpha: f32,
    window: Window,
    scope: Scope,
}

impl Penalty {
    fn new(info: &StageInfo, alpha: f32, window: Window, scope: Scope) -> Result<Penalty, ChainError> {
        info.require(alpha.is_finite(), alpha)?;
        Ok(Penalty { alpha: alpha + 0.0, window, scope })
    }

    fn parse(info: &'static StageInfo, text: Option<&str>) -> Result<Penalty, ChainError> {
        let values = Values::read(info, text, &["window", "scope"])?;
        let (window, scope) = (values.window_or(Window::ALL)?, values.scope_or(Scope::Output)?);
        values.checked(Penalty::new(info, values.number()?, window, scope))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.alpha)?;
        if self.window != Window::ALL {
            write!(f, ",window:{}", self.window)?;
        }
        if self.scope != Scope::Output {
            write!(f, ",scope:{}", self.scope)?;
        }
        Ok(())
    }

    /// Subtracts what `penalty` makes of α and a token's count.
    fn apply(
        &self,
        info: &StageInfo,
        candidates: &mut Candidates<'_>,
        turn: &mut Turn<'_>,
        penalty: fn(f32, u32) -> f32,
    ) -> Result<(), SampleError> {
        if self.alpha == 0.0 {
            return Ok(());
        }
        let (ids, counts) = turn.count_each(self.window, self.scope);
        Turn::check(info, candidates, ids.iter().copied())?;
        let mut places = ids.iter().zip(counts);
        candidates.patch(ids.iter().copied(), |id, x| {
            let count = places.find(|(place, _)| **place == id).map_or(0, |(_, &count)| count);
            Some(x - penalty(self.alpha, count))
        });
        Ok(())
    }
}

macro_rules! penalty {
    ($kind:ident, $info:expr, $penalty:expr) => {
        impl $kind {
            /// Accepts any finite α (negative ones encourage).
            pub fn new(alpha: f32, window: Window, scope: Scope) -> Result<$kind, ChainError> {
                Penalty::new(&Self::INFO, alpha, window, scope).map($kind)
            }

            /// α.
            pub fn alpha(self) -> f32 {
                self.0.alpha
            }

            /// How many of the last tokens count.
            pub fn window(self) -> Window {
                self.0.window
            }

            /// Which tokens count.
            pub fn scope(self) -> Scope {
                self.0.scope
            }
        }

        impl Control for $kind {
            const INFO: StageInfo = $info;

            fn parse(text: Option<&str>) -> Result<$kind, ChainError> {
                Penalty::parse(&<$kind as Control>::INFO, text).map($kind)
            }

            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write(f)
            }

            fn apply(&self, candidates: &mut Candidates<'_>, turn: &mut Turn<'_>) -> Result<(), SampleError> {
                self.0.apply(&Self::INFO, candidates, turn, $penalty)
            }
        }
    };
}

penalty!(
    Frequency,
    StageInfo {
        name: "frequency",
        allowed: "a finite number (0 is off), window:n (-1 all, 0 off), scope:prompt+output or output",
        summary: "subtracts α from a logit for each time the token came before",
        source: "OpenAI API, frequency_penalty",
    },
    |alpha, count| alpha * count as f32
);
penalty!(
    Presence,
    StageInfo {
        name: "presence",
        allowed: "a finite number (0 is off), window:n (-1 all, 0 off), scope:prompt+output or output",
        summary: "subtracts α from the logits of tokens that came before",
        source: "OpenAI API, presence_penalty",
    },
    |alpha, _| alpha
);
