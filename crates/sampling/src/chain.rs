//! A chain of stages, parsed from and printed to its notation `"temp=0.8 | top_k=40 | top_p=0.95"`.

use std::{fmt, str::FromStr};

use crate::{
    dice::Words,
    error::ChainError,
    stages::{Dry, Stage, Temp},
};

/// Stages in the order in which they act. The draw follows the last one.
///
/// In the notation, stages are written `name=value` and joined by `|`; spaces don't matter. A stage
/// may stand anywhere, and several times, unless it learns from the draw. Printing gives one
/// canonical form, which parses to an equal chain. A chain without stages is written `draw`.
///
/// ```
/// use kelvin_sampling::Chain;
///
/// let chain: Chain = "temp=0.8|top_k=40 | min_p=0.05".parse()?;
/// assert_eq!(chain.to_string(), "temp=0.8 | top_k=40 | min_p=0.05");
/// assert_eq!(chain.with_temperature(2.0)?.to_string(), "temp=2 | top_k=40 | min_p=0.05");
/// # Ok::<(), kelvin_sampling::ChainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    stages: Vec<Stage>,
}

impl Chain {
    /// The largest number of stages: each may scan the whole vocabulary in every step.
    pub const MAX_STAGES: usize = 64;

    /// A chain of these stages.
    ///
    /// # Errors
    /// If a stage that learns (`mirostat`, `adaptive_p`) isn't the last, or if there are more than
    /// seven random stages (`xtc`), more than [`Chain::MAX_STAGES`] stages or more than
    /// [`Dry::MAX_TEXTS`] breakers that are texts.
    pub fn new(stages: Vec<Stage>) -> Result<Chain, ChainError> {
        if stages.len() > Chain::MAX_STAGES {
            return Err(ChainError::TooManyStages { count: stages.len() });
        }
        let before_last = stages.iter().take(stages.len().saturating_sub(1));
        let learns = |stage: &Stage| stage.info().traits.learns;
        if let Some((i, stage)) = before_last.enumerate().find(|(_, stage)| learns(stage)) {
            return Err(ChainError::NotLast { stage: stage.info().name, place: i + 1 });
        }
        let count = stages.iter().filter(|stage| stage.info().traits.random).count();
        if count > Words::N_STAGES {
            return Err(ChainError::TooManyRandom { count });
        }
        let texts = stages.iter().map(|stage| match stage {
            Stage::Dry(dry) => dry.texts().len(),
            _ => 0,
        });
        Dry::check_texts(texts.sum())?;
        Ok(Chain { stages })
    }

    /// The stages, in order.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The temperature of the chain's only `temp` stage, which [`Chain::with_temperature`]
    /// replaces. `None` if it has no such stage, or several.
    pub fn temperature(&self) -> Option<f32> {
        match self.temps()[..] {
            [place] => self.temp_at(place),
            _ => None,
        }
    }

    /// The chain at another temperature: `t` replaces its only `temp` stage. A chain without one
    /// gets it as the first stage.
    ///
    /// # Errors
    /// If `t` is negative, infinite or NaN, or if the chain has several `temp` stages.
    pub fn with_temperature(&self, t: f32) -> Result<Chain, ChainError> {
        let temp = Stage::Temp(Temp::new(t)?);
        let mut chain = self.clone();
        match self.temps()[..] {
            [] => chain.stages.insert(0, temp),
            [place] => chain.stages[place] = temp,
            ref places => {
                return Err(ChainError::SeveralTemperatures {
                    chain: self.to_string(),
                    count: places.len(),
                });
            }
        }
        Ok(chain)
    }

    /// A chain of the first `n` stages, or of all if there are fewer.
    pub fn first(&self, n: usize) -> Chain {
        Chain { stages: self.stages[..n.min(self.stages.len())].to_vec() }
    }

    /// The chain with every `temp` infinite, and with one as the first stage if there is none. For
    /// views only.
    pub(crate) fn at_infinity(&self) -> Chain {
        let mut chain = self.clone();
        let places = self.temps();
        for &place in &places {
            chain.stages[place] = Stage::Temp(Temp::INFINITE);
        }
        if places.is_empty() {
            chain.stages.insert(0, Stage::Temp(Temp::INFINITE));
        }
        chain
    }

    /// Whether a stage reads the tokens so far, so that a sampler needs the prompt
    /// ([`crate::Sampler::after`]).
    pub fn looks_back(&self) -> bool {
        self.stages.iter().any(|stage| stage.info().traits.looks_back)
    }

    /// Whether a stage sets the temperature.
    pub fn heats(&self) -> bool {
        self.stages.iter().any(Stage::heats)
    }

    /// The chain for one vocabulary. `find` gives the token sequences that write a text, and is
    /// called for each text in a stage (the breakers of `dry`). The chain prints as before.
    pub fn with_vocabulary(&self, find: &mut dyn FnMut(&str) -> Vec<Vec<u32>>) -> Chain {
        Chain { stages: self.stages.iter().map(|stage| stage.with_vocabulary(find)).collect() }
    }

    /// Whether the last stage learns from the draw, so that a step depends on all steps before it.
    pub fn learns(&self) -> bool {
        self.stages.last().is_some_and(|stage| stage.info().traits.learns)
    }

    /// The first truncation before a temperature. What it removes, that temperature can't bring
    /// back.
    pub fn cut_before_heat(&self) -> Option<&Stage> {
        let last = self.stages.iter().rposition(Stage::heats)?;
        self.stages[..last].iter().find(|stage| stage.truncates())
    }

    /// The indices of all `temp` stages.
    fn temps(&self) -> Vec<usize> {
        (0..self.stages.len()).filter(|&place| self.temp_at(place).is_some()).collect()
    }

    fn temp_at(&self, place: usize) -> Option<f32> {
        match self.stages[place] {
            Stage::Temp(temp) => Some(temp.get()),
            _ => None,
        }
    }
}

/// The neutral chain, `temp=1`.
impl Default for Chain {
    fn default() -> Chain {
        Chain { stages: vec![Stage::Temp(Temp::ONE)] }
    }
}

impl FromStr for Chain {
    type Err = ChainError;

    fn from_str(text: &str) -> Result<Chain, ChainError> {
        let mut parts: Vec<&str> = text.split('|').map(str::trim).collect();
        // The draw is implied, so naming it at the end adds nothing.
        if parts.last() == Some(&"draw") {
            parts.pop();
        }
        if parts.len() > Chain::MAX_STAGES {
            return Err(ChainError::TooManyStages { count: parts.len() });
        }
        let stage = |(i, part): (usize, &&str)| {
            let place = i + 1;
            match *part {
                "" => Err(ChainError::EmptyStage { place }),
                "draw" => Err(ChainError::DrawNotLast { place }),
                part => part.parse(),
            }
        };
        Chain::new(parts.iter().enumerate().map(stage).collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stages.is_empty() {
            return f.write_str("draw");
        }
        for (i, stage) in self.stages.iter().enumerate() {
            if i > 0 {
                f.write_str(" | ")?;
            }
            write!(f, "{stage}")?;
        }
        Ok(())
    }
}
