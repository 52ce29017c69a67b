//! Adaptive-p: draws tokens near a target probability, and moves the target as the text goes.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{
    candidates::Candidates,
    error::{ChainError, SampleError},
    notation::Values,
};

/// `adaptive_p=τ,decay:δ`: prefers tokens with a probability near a target that keeps the average
/// of those taken at τ.
///
/// target = clamp(2τ - ws/tw, 0, 1); dist = |p - target|/0.3; x' = 5 - 10·dist²/(1 + dist). After
/// the draw ws = p_taken + δ·ws and tw = 1 + δ·tw, from ws = τ/(1-δ), tw = 1/(1-δ). τ in [0, 1], δ
/// in [0, 0.99]. The last stage of a chain; its two numbers are f64 and belong to the sequence's
/// [state](crate::State).
///
/// A token that was forced counts too, with p = 0 if the chain had removed it.
///
/// Source: llama.cpp PR 17927.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler};
///
/// let mut sampler = Sampler::new("adaptive_p=0.3".parse()?, Dice::default());
/// sampler.sample(&[2.0, 1.0, 0.0], 0)?;
/// assert!(sampler.state().memory().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveP {
    target: f64,
    decay: f64,
}

impl AdaptiveP {
    /// δ where none is given.
    pub const DECAY: f64 = 0.9;

    /// Accepts τ in [0, 1] and δ in [0, 0.99].
    pub fn new(target: f64, decay: f64) -> Result<AdaptiveP, ChainError> {
        let in_range = (0.0..=1.0).contains(&target) && (0.0..=0.99).contains(&decay);
        Self::INFO.require(in_range, format_args!("{target},decay:{decay}"))?;
        Ok(AdaptiveP { target: target + 0.0, decay: decay + 0.0 })
    }

    /// τ.
    pub fn target(self) -> f64 {
        self.target
    }

    /// δ.
    pub fn decay(self) -> f64 {
        self.decay
    }

    /// The logit of a token of probability `p`, after what is remembered.
    pub fn preference(self, memory: Option<[f64; 2]>, p: f64) -> f32 {
        let [ws, tw] = self.start(memory);
        let target = (2.0 * self.target - ws / tw).clamp(0.0, 1.0);
        let distance = (p - target).abs() / 0.3;
        (5.0 - 10.0 * (distance * distance) / (1.0 + distance)) as f32
    }

    /// What is remembered after a token of probability `p`.
    pub fn remember(self, memory: Option<[f64; 2]>, p: f64) -> [f64; 2] {
        let [ws, tw] = self.start(memory);
        [p + self.decay * ws, 1.0 + self.decay * tw]
    }

    fn start(self, memory: Option<[f64; 2]>) -> [f64; 2] {
        memory.unwrap_or([self.target / (1.0 - self.decay), 1.0 / (1.0 - self.decay)])
    }

    pub(super) fn learn(
        self,
        memory: Option<[f64; 2]>,
        candidates: &Candidates<'_>,
        index: Option<usize>,
    ) -> [f64; 2] {
        self.remember(memory, index.map_or(0.0, |index| candidates.remembered(index)))
    }
}

impl Control for AdaptiveP {
    const INFO: StageInfo = StageInfo {
        name: "adaptive_p",
        allowed: "a target from 0 to 1, decay:δ from 0 to 0.99 (default 0.9)",
        summary: "prefers tokens near a target probability that adapts to those taken",
        source: "llama.cpp PR 17927",
    };

    fn parse(text: Option<&str>) -> Result<AdaptiveP, ChainError> {
        let values = Values::read(&Self::INFO, text, &["decay"])?;
        values.checked(AdaptiveP::new(values.number()?, values.number_or("decay", AdaptiveP::DECAY)?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.target)?;
        if self.decay != AdaptiveP::DECAY {
            write!(f, ",decay:{}", self.decay)?;
        }
        Ok(())
    }

    fn apply(&self, candidates: &mut Candidates<'_>, turn: &mut Turn<'_>) -> Result<(), SampleError> {
        let memory = turn.state.memory();
        let total = candidates.remember_weights();
        candidates.rewrite(|_, w| self.preference(memory, w as f64 / total as f64));
        Ok(())
    }
}
