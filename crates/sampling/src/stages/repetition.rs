//! The repetition penalty.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{
    candidates::Candidates,
    error::{ChainError, SampleError},
    notation::Values,
    state::{Scope, Window},
};

/// `repetition=θ,window:n,scope:s`: for each distinct token among the last n, x > 0 becomes x/θ,
/// other x become x·θ; θ = 1 is off.
///
/// The window is of all tokens by default (-1; 0 is off), the scope `prompt+output` or `output`.
///
/// Source: Keskar et al. 2019, arXiv 1909.05858.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler, TokenId};
///
/// let chain: Chain = "repetition=2 | temp=0".parse()?;
/// let mut sampler = Sampler::new(chain, Dice::default()).after(&[TokenId(0)]);
/// assert_eq!(sampler.sample(&[3.0, 2.0], 1)?, TokenId(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repetition {
    theta: f32,
    window: Window,
    scope: Scope,
}

impl Repetition {
    /// Accepts θ > 0, finite.
    pub fn new(theta: f32, window: Window, scope: Scope) -> Result<Repetition, ChainError> {
        Self::INFO.require(theta > 0.0 && theta < f32::INFINITY, theta)?;
        Ok(Repetition { theta, window, scope })
    }

    /// θ.
    pub fn theta(self) -> f32 {
        self.theta
    }

    /// How many of the last tokens count.
    pub fn window(self) -> Window {
        self.window
    }

    /// Which tokens count.
    pub fn scope(self) -> Scope {
        self.scope
    }
}

impl Control for Repetition {
    const INFO: StageInfo = StageInfo {
        name: "repetition",
        allowed: "θ above 0 (1 is off), window:n (-1 all, 0 off), scope:prompt+output or output",
        summary: "divides positive logits of tokens that came before by θ, multiplies others",
        source: "arXiv 1909.05858",
    };

    fn parse(text: Option<&str>) -> Result<Repetition, ChainError> {
        let values = Values::read(&Self::INFO, text, &["window", "scope"])?;
        let (window, scope) = (values.window_or(Window::ALL)?, values.scope_or(Scope::All)?);
        values.checked(Repetition::new(values.number()?, window, scope))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.theta)?;
        if self.window != Window::ALL {
            write!(f, ",window:{}", self.window)?;
        }
        if self.scope != Scope::All {
            write!(f, ",scope:{}", self.scope)?;
        }
        Ok(())
    }

    fn apply(&self, candidates: &mut Candidates<'_>, turn: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.theta == 1.0 {
            return Ok(());
        }
        let counted = turn.count(self.window, self.scope);
        Turn::check(&Self::INFO, candidates, counted.iter().copied())?;
        candidates.patch(counted.iter().copied(), |_, x| Some(if x > 0.0 { x / self.theta } else { x * self.theta }));
        Ok(())
    }
}
