//! A schedule: several chains, and where in a text each of them holds.
//!
//! `place` is where a chain holds, `texts` the bytes of tokens that places look at.
//! [`crate::Chain`] holds a schedule and is what its parts consist of, so the type of a part is a
//! parameter here.
//!
//! A schedule is read like the arms of a match: parts are looked at in order, and the first whose
//! place holds decides. The last part holds everywhere else. A part that could never decide is
//! refused. The notation is documented in the book, `docs/src/guides/phases.md`.

mod place;
mod texts;

use std::{fmt, sync::Arc};

pub use place::Place;
pub(crate) use place::Seen;
use place::{Known, Position};
pub use texts::{Search, TokenTexts};

use crate::{
    bounds::MAX_PARTS,
    error::{ChainError, SampleError},
    notation,
    state::State,
};

/// The most parts that heat: each doubles the number of chains behind it.
const MAX_HEATS: usize = 3;
/// The largest factor of `heat`.
const MAX_HEAT: f32 = 1000.0;

/// The parts of a schedule before its last chain, and that chain's place. `C` is a plain chain.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule<C> {
    parts: Vec<Part>,
    /// The place of the last chain, if one is written; it is the rest of another part's.
    last: Option<Place>,
    /// The chains: for each part with a chain, and for the last, one for every set of parts before
    /// it that heat.
    chains: Vec<C>,
    known: Option<Known>,
}

/// A part that holds at a place.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    place: Place,
    body: Body,
}

/// What a part does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Body {
    /// Its chain is the one of this index, if no part before it heats.
    Chain(usize),
    /// The chain that holds otherwise, so many times as hot.
    Heat(f32),
}

/// Which chain of a schedule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// Index of the chain.
    chain: usize,
    /// Index of the part; that of the last chain is the number of parts.
    part: usize,
    /// A bit for each part that heats and holds, in their order.
    heats: usize,
}

/// A part's text: a place, if one is written, and what stands behind it.
type Written<'t> = (Option<Place>, &'t str);

/// The texts of the parts.
pub(crate) fn split(text: &str) -> Vec<&str> {
    notation::split(text, ';')
}

/// Splits a part into its place and the rest. A colon before the first `=` or `|` ends a place: in
/// a chain, colons stand behind the `=` of a stage alone.
fn written(text: &str) -> Result<Written<'_>, ChainError> {
    let mut is_quoted = false;
    let end = text.find(|c| {
        is_quoted ^= c == '"';
        !is_quoted && matches!(c, ':' | '=' | '|')
    });
    match end.filter(|&at| text[at..].starts_with(':')) {
        Some(at) => Ok((Some(Place::read(text[..at].trim())?), text[at + 1..].trim())),
        None => Ok((None, text)),
    }
}

/// Whether a notation is that of a schedule: it has several parts, or its one part a place.
pub(crate) fn is_schedule(text: &str) -> bool {
    let parts = split(text);
    parts.len() > 1 || !matches!(written(parts[0]), Ok((None, _)))
}

/// The factor of `heat F`; `None` if the text is a chain.
fn heat(text: &str) -> Option<Result<f32, ChainError>> {
    let rest = text.strip_prefix("heat")?;
    let typed = rest.trim();
    let is_heat = typed.is_empty() || rest.starts_with(char::is_whitespace);
    let factor =
        typed.parse().ok().filter(|factor| (f32::MIN_POSITIVE..=MAX_HEAT).contains(factor));
    is_heat.then(|| factor.ok_or_else(|| ChainError::BadHeat { found: text.into() }))
}

impl<C> Schedule<C> {
    /// Reads the parts of a notation; `chain` reads a chain, `heated` makes one hotter. Returns the
    /// last chain beside the schedule.
    pub(crate) fn read(
        text: &str,
        chain: &mut dyn FnMut(&str) -> Result<C, ChainError>,
        heated: &dyn Fn(&C, f32) -> Result<C, ChainError>,
    ) -> Result<(Schedule<C>, C), ChainError> {
        let texts = split(text);
        if texts.len() > MAX_PARTS {
            return Err(ChainError::TooManyParts { count: texts.len() });
        }
        if let Some(at) = texts.iter().position(|text| text.is_empty()) {
            return Err(ChainError::EmptyPart { part: at + 1 });
        }
        let mut schedule =
            Schedule { parts: Vec::new(), last: None, chains: Vec::new(), known: None };
        let n = texts.len();
        let mut last = None;
        for (i, text) in texts.into_iter().enumerate() {
            let (place, rest) = written(text)?;
            let name =
                place.as_ref().map_or_else(|| "the last chain".to_string(), Place::to_string);
            let at =
                |problem| ChainError::InPlace { place: name.clone(), problem: Box::new(problem) };
            schedule.check(place.as_ref(), heat(rest).is_some(), (i, n))?;
            match (heat(rest), place) {
                (Some(factor), Some(place)) => {
                    schedule.parts.push(Part { place, body: Body::Heat(factor.map_err(at)?) });
                }
                (_, place) => {
                    let chain = chain(rest).map_err(at)?;
                    let index = schedule.chains.len();
                    schedule.add(&chain, heated).map_err(at)?;
                    match place {
                        Some(place) if i + 1 < n => {
                            schedule.parts.push(Part { place, body: Body::Chain(index) });
                        }
                        place => (schedule.last, last) = (place, Some(chain)),
                    }
                }
            }
        }
        let last = last.ok_or(ChainError::NoLastChain { place: String::new() })?;
        Ok((schedule, last))
    }

    /// Refuses a part that can't stand as the `i`-th of `n`, after those there are.
    fn check(
        &self,
        place: Option<&Place>,
        is_heat: bool,
        (i, n): (usize, usize),
    ) -> Result<(), ChainError> {
        let is_last = i + 1 == n;
        let chains = || self.parts.iter().filter(|part| matches!(part.body, Body::Chain(_)));
        let stands = |wanted: &Place| chains().any(|part| part.place == *wanted);
        if let Some(place) = place {
            let same = self.parts.iter().find(|part| match part.body {
                Body::Chain(_) => part.place.covers(place),
                Body::Heat(_) => is_heat && part.place == *place,
            });
            if let Some(before) = same {
                let (place, before) = (place.to_string(), before.place.to_string());
                return Err(ChainError::Overlap { place, before });
            }
        }
        // Two places of which one always holds leave nothing to a third.
        let whole = chains().find(|part| part.place.rest().is_some_and(|rest| stands(&rest)));
        if let Some(part) = whole {
            let rest = part.place.rest().map(|rest| rest.to_string()).unwrap_or_default();
            let place = place.map_or_else(|| "the last chain".to_string(), Place::to_string);
            let before = format!("{}` and `{rest}", part.place);
            return Err(ChainError::Overlap { place, before });
        }
        match (place, is_last) {
            (None, false) => Err(ChainError::NotTheLast { part: i + 1 }),
            (None, true) if is_heat => Err(ChainError::NoLastChain { place: "heat".to_string() }),
            (Some(place), true) if is_heat || !place.rest().is_some_and(|rest| stands(&rest)) => {
                Err(ChainError::NoLastChain { place: place.to_string() })
            }
            _ => {
                let heats = self.n_heats(self.parts.len()) + usize::from(is_heat);
                if heats > MAX_HEATS {
                    return Err(ChainError::TooManyHeats { count: heats });
                }
                Ok(())
            }
        }
    }

    /// How many of the first `n` parts heat.
    fn n_heats(&self, n: usize) -> usize {
        self.parts[..n].iter().filter(|part| matches!(part.body, Body::Heat(_))).count()
    }

    /// Adds a chain behind the parts there are, at each heat that it may have.
    fn add(
        &mut self,
        chain: &C,
        heated: &dyn Fn(&C, f32) -> Result<C, ChainError>,
    ) -> Result<(), ChainError> {
        let factors: Vec<f32> = self
            .parts
            .iter()
            .filter_map(|part| match part.body {
                Body::Heat(factor) => Some(factor),
                Body::Chain(_) => None,
            })
            .collect();
        for set in 0..1usize << factors.len() {
            let held = factors.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1);
            let factor = held.map(|(_, factor)| factor).product::<f32>();
            self.chains.push(heated(chain, factor)?);
        }
        Ok(())
    }

    /// All chains, of which one may stand at several heats.
    pub(crate) fn chains(&self) -> &[C] {
        &self.chains
    }

    /// The schedule with other chains in the place of its own.
    pub(crate) fn map<D>(&self, each: impl FnMut(&C) -> D) -> Schedule<D> {
        let (parts, last, known) = (self.parts.clone(), self.last.clone(), self.known.clone());
        Schedule { parts, last, known, chains: self.chains.iter().map(each).collect() }
    }

    /// The schedule for a model: the bytes of its tokens, and what begins and ends its reasoning
    /// blocks.
    pub(crate) fn within(
        &mut self,
        texts: &Arc<TokenTexts>,
        marks: Option<(&str, &str)>,
    ) -> Result<(), ChainError> {
        if marks.is_none()
            && let Some(place) = self.places().find(|place| place.is_of_blocks())
        {
            return Err(ChainError::NoReasoning { place: place.to_string() });
        }
        self.known = Some(Known::new(texts, marks)?);
        Ok(())
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        self.parts.iter().map(|part| &part.place)
    }

    /// Whether a place depends on the tokens so far.
    pub(crate) fn looks_back(&self) -> bool {
        self.places().any(Place::looks_back)
    }

    /// The first place that only a text in JSON has.
    pub(crate) fn place_of_json(&self) -> Option<&Place> {
        self.places().find(|place| place.is_of_json())
    }

    /// Which chain holds before the next token. `entropy` gives the entropy of the model's own
    /// distribution; it is asked for only if a place depends on it. `seen` is work space of one
    /// sequence, empty at first.
    pub(crate) fn held(
        &self,
        state: &State,
        entropy: &mut dyn FnMut() -> Result<f64, SampleError>,
        seen: &mut Vec<Seen>,
    ) -> Result<Held, SampleError> {
        seen.resize(self.parts.len(), Seen::default());
        let mut position = Position { state, known: self.known.as_ref(), entropy };
        let (mut heats, mut n_heats) = (0, 0);
        for (at, (part, seen)) in self.parts.iter().zip(seen).enumerate() {
            let holds = part.place.holds(&mut position, seen)?;
            match part.body {
                Body::Chain(first) if holds => {
                    return Ok(Held { chain: first + heats, part: at, heats });
                }
                Body::Chain(_) => {}
                Body::Heat(_) => {
                    heats |= usize::from(holds) << n_heats;
                    n_heats += 1;
                }
            }
        }
        let chain = self.chains.len() - (1 << n_heats) + heats;
        Ok(Held { chain, part: self.parts.len(), heats })
    }

    /// The chain.
    pub(crate) fn chain(&self, held: Held) -> &C {
        &self.chains[held.chain]
    }

    /// The places that made a chain hold, in words.
    pub(crate) fn name(&self, held: Held) -> String {
        let heats = |part: &&Part| matches!(part.body, Body::Heat(_));
        let hot = self.parts.iter().filter(heats).enumerate();
        let hot = hot.filter(|(bit, _)| held.heats >> bit & 1 == 1).map(|(_, part)| &part.place);
        let own = self.parts.get(held.part).map(|part| &part.place).or(self.last.as_ref());
        let own = own.map_or_else(|| "elsewhere".to_string(), Place::to_string);
        let names: Vec<String> = hot.map(Place::to_string).chain([own]).collect();
        names.join(", ")
    }
}

/// The notation.
impl<C: fmt::Display> fmt::Display for Schedule<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Part { place, body } in &self.parts {
            match body {
                Body::Chain(first) => write!(f, "{place}: {}; ", self.chains[*first])?,
                Body::Heat(factor) => write!(f, "{place}: heat {factor}; ")?,
            }
        }
        let last = self.chains.len() - (1 << self.n_heats(self.parts.len()));
        match &self.last {
            Some(place) => write!(f, "{place}: {}", self.chains[last]),
            None => write!(f, "{}", self.chains[last]),
        }
    }
}
