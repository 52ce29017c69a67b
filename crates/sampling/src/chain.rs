//! A chain of stages, read from and printed to its notation `"temp=0.8 | top_k=40 | top_p=0.95"`.

use std::{fmt, str::FromStr};

use crate::{
    error::ChainError,
    stages::{Dry, Stage, Temp},
};

/// Stages in the order in which they act; the draw is implied at the end.
///
/// The notation puts `|` between stages, `name=value` each; spaces don't matter. Any stage may
/// stand anywhere and several times. Printing gives the notation in one canonical form, which
/// parses to an equal chain. A chain without stages is written `draw`.
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
    /// The most stages of a chain: each of them may go over the whole vocabulary in every step.
    pub const MOST_STAGES: usize = 64;

    /// A chain of these stages.
    ///
    /// # Errors
    /// If `mirostat` or `adaptive_p` isn't the last, or if there are more than seven `xtc` or more
    /// than [`Chain::MOST_STAGES`] stages or [`Dry::MOST_TEXTS`] breakers that are texts.
    pub fn new(stages: Vec<Stage>) -> Result<Chain, ChainError> {
        if stages.len() > Chain::MOST_STAGES {
            return Err(ChainError::TooManyStages { count: stages.len() });
        }
        let before_last = stages.iter().take(stages.len().saturating_sub(1));
        if let Some((i, stage)) = before_last.enumerate().find(|(_, stage)| stage.learns()) {
            return Err(ChainError::NotLast { stage: stage.info().name, place: i + 1 });
        }
        let count = stages.iter().filter(|stage| stage.is_random()).count();
        if count > 7 {
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

    /// The temperature that [`Chain::with_temperature`] would replace: that of the chain's one
    /// `temp` stage; `None` if it has none or several.
    pub fn temperature(&self) -> Option<f32> {
        match self.temps()[..] {
            [place] => self.temp_at(place),
            _ => None,
        }
    }

    /// The same chain at another temperature: `t` takes the place of its one `temp`; without one it
    /// goes first.
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

    /// The first `n` stages (all, if there are no more), as a chain.
    pub fn first(&self, n: usize) -> Chain {
        Chain { stages: self.stages[..n.min(self.stages.len())].to_vec() }
    }

    /// Every temperature infinite, the first stage one if there is none: for views.
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

    /// Whether a stage looks at the tokens so far, so that a sampler has to be told of the prompt.
    pub fn looks_back(&self) -> bool {
        self.stages.iter().any(Stage::looks_back)
    }

    /// Whether a stage of it sets the temperature, so that it can be drawn from as it stands.
    pub fn heats(&self) -> bool {
        self.stages.iter().any(Stage::heats)
    }

    /// The same chain for one vocabulary: `find` gives the token sequences that write a text, and
    /// is asked for each breaker of `dry` that is one. It prints as before.
    pub fn with_vocabulary(&self, find: &mut dyn FnMut(&str) -> Vec<Vec<u32>>) -> Chain {
        let mut one = |stage: &Stage| match stage {
            Stage::Dry(dry) if !dry.texts().is_empty() => Stage::Dry(dry.with_vocabulary(find)),
            other => other.clone(),
        };
        Chain { stages: self.stages.iter().map(&mut one).collect() }
    }

    /// Whether its last stage learns from the tokens drawn, so that a step depends on all before
    /// it.
    pub fn learns(&self) -> bool {
        self.stages.last().is_some_and(Stage::learns)
    }

    /// The truncation after which a temperature comes, which therefore can't bring back what it
    /// removed.
    pub fn cut_before_heat(&self) -> Option<&Stage> {
        let last = self.stages.iter().rposition(Stage::heats)?;
        self.stages[..last].iter().find(|stage| stage.truncates())
    }

    /// The places of all `temp` stages.
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
        if parts.len() > Chain::MOST_STAGES {
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
