//! Where each token of a text stands: the place of a schedule whose chain drew it, and whether it
//! is one of the model's thoughts.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use kelvin_engine::{Engine, batch::Tap};
use kelvin_sampling::{Chain, State};

/// A schedule whose places are the model's reasoning blocks and all else.
const BLOCKS: &str = "think: temp=1; answer: temp=1";

/// Where a token stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Phase {
    /// The place of the schedule.
    pub(super) at: Option<String>,
    /// Whether it is in a reasoning block, what begins and ends that included.
    pub(super) thinks: bool,
}

/// The phases of tokens that nobody has asked for yet, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Phases(Arc<Mutex<VecDeque<Phase>>>);

impl Phases {
    /// The phase of the next token.
    pub(super) fn next(&self) -> Phase {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or_default()
    }
}

/// Watches a text that goes on after `state`; `None` if there is nothing to tell of it.
pub(super) fn watch(engine: &Engine, chain: &Chain, state: State) -> Option<(Tap, Phases)> {
    let schedule = chain.is_schedule().then(|| chain.clone());
    // Only a model that thinks has these places.
    let blocks = BLOCKS.parse().ok().and_then(|blocks: Chain| engine.bind(&blocks).ok());
    if schedule.is_none() && blocks.is_none() {
        return None;
    }
    let phases = Phases::default();
    let (told, mut state) = (phases.clone(), state);
    let tap = Tap::new(move |_, logits, draw| {
        let Some(draw) = draw else { return };
        let place = |chain: &Option<Chain>| chain.as_ref()?.at(logits, &state).ok()?.1;
        let thinks = place(&blocks).is_some_and(|place| place == "think");
        let phase = Phase { at: place(&schedule), thinks };
        told.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(phase);
        state.push(draw.token);
    });
    Some((tap, phases))
}
