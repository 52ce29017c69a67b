//! A chain of stages, parsed from and printed to its notation `"temp=0.8 | top_k=40 | top_p=0.95"`,
//! and schedules of several chains, `"think: temp=1 | top_p=0.95; answer: temp=0.6"`.

use std::{fmt, str::FromStr, sync::Arc};

use kelvin_kernels::float_env::FloatEnv;

use crate::{
    bounds,
    candidates::{Candidates, Scratch},
    dice::Words,
    error::{ChainError, SampleError},
    notation,
    schedule::{self, Held, Schedule, Seen, TokenTexts},
    stages::{Dry, Stage, Temp},
    state::State,
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
///
/// A chain may be a **schedule**: other chains take its place where they hold. They are written
/// before it as `place: chain`, separated by `;`. The first whose place holds decides, and the last
/// chain holds everywhere else. What stages have learned stays across a change of chains.
///
/// ```
/// use kelvin_sampling::Chain;
///
/// let chain: Chain = "after 40: temp=0.6; temp=1.2 | min_p=0.05".parse()?;
/// assert!(chain.is_schedule() && chain.stages().len() == 2);
/// # Ok::<(), kelvin_sampling::ChainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    stages: Vec<Stage>,
    /// The chains that hold at places, the stages above included. They are plain.
    schedule: Option<Box<Schedule<Chain>>>,
}

/// Work space in which a sequence's sampler finds the chain that holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch(Vec<Seen>);

impl Watch {
    /// For another sequence.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Chain {
    /// The largest number of stages: each may scan the whole vocabulary in every step.
    pub const MAX_STAGES: usize = bounds::MAX_STAGES;

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
        Ok(Chain { stages, schedule: None })
    }

    /// A plain chain in the notation.
    fn read(text: &str) -> Result<Chain, ChainError> {
        let mut parts = notation::split(text, '|');
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

    /// Whether other chains take its place somewhere.
    pub fn is_schedule(&self) -> bool {
        self.schedule.is_some()
    }

    /// The plain chains of a schedule, or the chain itself: every chain that may draw a token.
    pub fn chains(&self) -> &[Chain] {
        self.schedule.as_ref().map_or(std::slice::from_ref(self), |all| all.chains())
    }

    /// The stages, in order; those of the last chain of a schedule.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The temperature of the chain's only `temp` stage, which [`Chain::with_temperature`]
    /// replaces. `None` if it has no such stage, or several, or is a schedule.
    pub fn temperature(&self) -> Option<f32> {
        match self.temps()[..] {
            [place] if !self.is_schedule() => self.temp_at(place),
            _ => None,
        }
    }

    /// The chain at another temperature: `t` replaces its only `temp` stage. A chain without one
    /// gets it as the first stage.
    ///
    /// # Errors
    /// If `t` is negative, infinite or NaN, if the chain has several `temp` stages, or if it is a
    /// schedule.
    pub fn with_temperature(&self, t: f32) -> Result<Chain, ChainError> {
        let temp = Stage::Temp(Temp::new(t)?);
        if self.is_schedule() {
            return Err(ChainError::Scheduled { chain: self.to_string() });
        }
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

    /// The plain chain `factor` times as hot: its last temperature is multiplied. Without a
    /// temperature it gets one, behind the last stage that sets one, else as the first stage.
    fn heated(&self, factor: f32) -> Result<Chain, ChainError> {
        let mut chain = self.clone();
        if factor == 1.0 {
            return Ok(chain);
        }
        match self.temps().last() {
            Some(&place) => {
                let t = self.temp_at(place).unwrap_or(1.0);
                if t == 0.0 {
                    return Err(ChainError::HeatOfZero);
                }
                chain.stages[place] = Stage::Temp(Temp::new(t * factor)?);
            }
            None => {
                let place = self.stages.iter().rposition(Stage::heats).map_or(0, |at| at + 1);
                chain.stages.insert(place, Stage::Temp(Temp::new(factor)?));
                chain = Chain::new(chain.stages)?;
            }
        }
        Ok(chain)
    }

    /// A chain of the first `n` stages, or of all if there are fewer; of a schedule, the first
    /// stages of each chain.
    pub fn first(&self, n: usize) -> Chain {
        let stages = self.stages[..n.min(self.stages.len())].to_vec();
        Chain { stages, schedule: self.each(|chain| chain.first(n)) }
    }

    /// The schedule with each of its plain chains changed.
    fn each(&self, change: impl FnMut(&Chain) -> Chain) -> Option<Box<Schedule<Chain>>> {
        self.schedule.as_ref().map(|all| Box::new(all.map(change)))
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
        chain.schedule = self.each(Chain::at_infinity);
        chain
    }

    /// Which plain chain draws the next token. `logits` is the model's row. `None` is the chain
    /// itself.
    fn held_in(
        &self,
        logits: &[f32],
        state: &State,
        scratch: &mut Scratch,
        watch: &mut Watch,
    ) -> Result<Option<(&Schedule<Chain>, Held)>, SampleError> {
        let Some(schedule) = &self.schedule else { return Ok(None) };
        let _standard = FloatEnv::standard();
        let mut entropy = || Ok(Candidates::new(logits, scratch)?.mass().entropy());
        let held = schedule.held(state, &mut entropy, &mut watch.0)?;
        Ok(Some((schedule, held)))
    }

    /// The plain chain that draws the next token. `watch` belongs to one sequence.
    pub(crate) fn held(
        &self,
        logits: &[f32],
        state: &State,
        scratch: &mut Scratch,
        watch: &mut Watch,
    ) -> Result<&Chain, SampleError> {
        let held = self.held_in(logits, state, scratch, watch)?;
        Ok(held.map_or(self, |(schedule, held)| schedule.chain(held)))
    }

    /// The plain chain that draws the token after `state` from `logits`, and the place of a
    /// schedule at which it does: `think`, or `elsewhere` for a last chain without a place.
    ///
    /// # Errors
    /// If a place needs a model ([`Chain::within`]), or the logits have no entropy.
    pub fn at(
        &self,
        logits: &[f32],
        state: &State,
    ) -> Result<(&Chain, Option<String>), SampleError> {
        let (mut scratch, mut watch) = (Scratch::default(), Watch::default());
        let held = self.held_in(logits, state, &mut scratch, &mut watch)?;
        Ok(held.map_or((self, None), |(schedule, held)| {
            (schedule.chain(held), Some(schedule.name(held)))
        }))
    }

    /// Whether a stage reads the tokens so far, so that a sampler needs the prompt
    /// ([`crate::Sampler::after`]).
    pub fn looks_back(&self) -> bool {
        let looks = |chain: &Chain| chain.stages.iter().any(|stage| stage.info().traits.looks_back);
        self.chains().iter().any(looks) || self.schedule.as_ref().is_some_and(|s| s.looks_back())
    }

    /// Whether a stage sets the temperature. The chains of a schedule have temperatures of their
    /// own, though none may be written.
    pub fn heats(&self) -> bool {
        self.is_schedule() || self.stages.iter().any(Stage::heats)
    }

    /// The chain for one vocabulary. `find` gives the token sequences that write a text, and is
    /// called for each text in a stage (the breakers of `dry`). The chain prints as before.
    pub fn with_vocabulary(&self, find: &mut dyn FnMut(&str) -> Vec<Vec<u32>>) -> Chain {
        let stages = self.stages.iter().map(|stage| stage.with_vocabulary(find)).collect();
        Chain { stages, schedule: self.each(|chain| chain.with_vocabulary(find)) }
    }

    /// Checks that a vocabulary of so many tokens has all those that stages name.
    ///
    /// # Errors
    /// If it doesn't, with the stage and the largest id.
    pub fn check_ids(&self, vocab: usize) -> Result<(), ChainError> {
        for stage in self.chains().iter().flat_map(|chain| &chain.stages) {
            if let Some(id) = stage.largest_id().filter(|&id| id as usize >= vocab) {
                return Err(ChainError::UnknownToken { stage: stage.info().name, id, vocab });
            }
        }
        Ok(())
    }

    /// The chain for one model, whose tokens places of a schedule look at. `marks` begin and end
    /// the model's reasoning blocks. It prints as before.
    ///
    /// # Errors
    /// If a place is in a reasoning block, and there are no marks.
    pub fn within(
        &self,
        texts: &Arc<TokenTexts>,
        marks: Option<(&str, &str)>,
    ) -> Result<Chain, ChainError> {
        let mut chain = self.clone();
        chain.schedule.as_mut().map(|all| all.within(texts, marks)).transpose()?;
        Ok(chain)
    }

    /// The first place of a schedule that only texts in JSON have, in the notation.
    pub fn place_of_json(&self) -> Option<String> {
        self.schedule.as_ref()?.place_of_json().map(ToString::to_string)
    }

    /// Whether a last stage learns from the draw, so that a step depends on all steps before it.
    pub fn learns(&self) -> bool {
        let learns = |stage: &Stage| stage.info().traits.learns;
        self.chains().iter().any(|chain| chain.stages.last().is_some_and(learns))
    }

    /// The first truncation before a temperature. What it removes, that temperature can't bring
    /// back.
    pub fn cut_before_heat(&self) -> Option<&Stage> {
        self.chains().iter().find_map(|chain| {
            let last = chain.stages.iter().rposition(Stage::heats)?;
            chain.stages[..last].iter().find(|stage| stage.truncates())
        })
    }

    /// The first `repetition` behind a stage that writes logits as differences from their largest:
    /// a temperature other than 1, or `quadratic`. All of them are at most 0 there, so it lowers
    /// likely tokens less than unlikely ones, and the likeliest not at all.
    pub fn blunted(&self) -> Option<&Stage> {
        let shifts = |stage: &Stage| match stage {
            Stage::Temp(temp) => temp.get() != 1.0,
            Stage::Quadratic(_) => true,
            other => other.heats(),
        };
        self.chains().iter().find_map(|chain| {
            let first = chain.stages.iter().position(shifts)?;
            chain.stages[first..].iter().find(|stage| matches!(stage, Stage::Repetition(_)))
        })
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
        Chain { stages: vec![Stage::Temp(Temp::ONE)], schedule: None }
    }
}

impl FromStr for Chain {
    type Err = ChainError;

    fn from_str(text: &str) -> Result<Chain, ChainError> {
        if text.matches('"').count() % 2 == 1 {
            return Err(ChainError::OpenQuote { found: text.to_string() });
        }
        if !schedule::is_schedule(text) {
            return Chain::read(text);
        }
        let (schedule, last) =
            Schedule::read(text, &mut |text| Chain::read(text), &|chain, factor| {
                chain.heated(factor)
            })?;
        Ok(Chain { schedule: Some(Box::new(schedule)), ..last })
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schedule) = &self.schedule {
            return write!(f, "{schedule}");
        }
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
