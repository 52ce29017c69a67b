//! Adaptive-p: prefers tokens near a target probability, and moves the target with the text.

use std::fmt;

use super::{
    Context, Counterpart, List, Param, Range, Setting, StageInfo, StageKind, Traits, Values,
};
use crate::{
    Engine,
    candidates::Candidates,
    error::{ChainError, SampleError},
    state::Learned,
};

/// `adaptive_p=τ,decay:δ`: prefers tokens whose probability is near a target, which keeps the
/// average probability of the drawn tokens at τ.
///
/// target = clamp(2τ - ws/tw, 0, 1); dist = |p - target|/0.3; x' = 5 - 10·dist²/(1 + dist). After a
/// draw ws = p_drawn + δ·ws and tw = 1 + δ·tw, from ws = τ/(1-δ), tw = 1/(1-δ). τ is in [0, 1], δ
/// in [0, 0.99]. The stage must be the last of a chain. ws and tw are f64 and belong to the
/// sequence's [state](crate::State), as [`Learned::AdaptiveP`].
///
/// A forced token counts too, with p = 0 if the chain had removed it.
///
/// Source: llama.cpp PR 17927.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler};
///
/// let mut sampler = Sampler::new("adaptive_p=0.3".parse()?, Dice::default());
/// sampler.sample(&[2.0, 1.0, 0.0], 0)?;
/// assert!(sampler.state().learned().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveP {
    target: f64,
    decay: f64,
}

impl AdaptiveP {
    /// The default of δ.
    pub const DECAY: f64 = 0.9;

    /// A stage with this τ and δ.
    ///
    /// # Errors
    /// If τ isn't in [0, 1] or δ not in [0, 0.99].
    pub fn new(target: f64, decay: f64) -> Result<AdaptiveP, ChainError> {
        let in_range = Range::SHARE.has(target) && Range::new(0.0, 0.99).has(decay);
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

    /// The logit of a token of probability `p`.
    pub fn preference(self, learned: Option<Learned>, p: f64) -> f32 {
        let (ws, tw) = self.sums(learned);
        let target = (2.0 * self.target - ws / tw).clamp(0.0, 1.0);
        let distance = (p - target).abs() / 0.3;
        (5.0 - 10.0 * (distance * distance) / (1.0 + distance)) as f32
    }

    /// What is learned from a token of probability `p`.
    pub fn after(self, learned: Option<Learned>, p: f64) -> Learned {
        let (ws, tw) = self.sums(learned);
        Learned::AdaptiveP { ws: p + self.decay * ws, tw: 1.0 + self.decay * tw }
    }

    /// ws and tw.
    fn sums(self, learned: Option<Learned>) -> (f64, f64) {
        match learned {
            Some(Learned::AdaptiveP { ws, tw }) => (ws, tw),
            _ => (self.target / (1.0 - self.decay), 1.0 / (1.0 - self.decay)),
        }
    }
}

const LLAMA: Counterpart = Counterpart {
    place: 150,
    settings: &[
        Setting::new("adaptive_target", Range::SHARE).flag("--adaptive-target"),
        Setting::new("adaptive_decay", Range::new(0.0, 0.99)).key("decay").flag("--adaptive-decay"),
    ],
    list: List::Named("adaptive_p"),
    ..Counterpart::of(Engine::LlamaCpp)
};

impl StageKind for AdaptiveP {
    const INFO: StageInfo = StageInfo {
        name: "adaptive_p",
        allowed: "a target from 0 to 1, decay:δ from 0 to 0.99 (default 0.9)",
        summary: "prefers tokens near a target probability that adapts to those taken",
        source: "llama.cpp PR 17927",
        traits: Traits { learns: true, ..Traits::NONE },
        params: &[
            Param::number("target", "0.4", Param::SHARE),
            Param::number("decay", "0.9", [0.0, 0.99, 0.01]).named("decay"),
        ],
        counterparts: &[LLAMA, LLAMA.in_ollama().without_settings()],
        ..StageInfo::BLANK
    };

    fn parse(text: Option<&str>) -> Result<AdaptiveP, ChainError> {
        let values = Values::read(&Self::INFO, text, &["decay"])?;
        let decay = values.number_or("decay", AdaptiveP::DECAY)?;
        values.checked(AdaptiveP::new(values.number()?, decay))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.target)?;
        if self.decay != AdaptiveP::DECAY {
            write!(f, ",decay:{}", self.decay)?;
        }
        Ok(())
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        let learned = context.learned();
        let total = candidates.remember_weights();
        candidates.rewrite(|_, w| self.preference(learned, w as f64 / total as f64));
        Ok(())
    }

    fn learn(
        &self,
        learned: Option<Learned>,
        candidates: &mut Candidates<'_>,
        index: Option<usize>,
    ) -> Option<Learned> {
        let p = index.map_or(0.0, |index| candidates.remembered(index));
        Some(self.after(learned, p))
    }
}
