//! A chain with Python functions inside a continuation: the engine calls it before it draws.

use std::sync::{Arc, Mutex, PoisonError};

use kelvin_engine::{Engine, batch::Draft, generate::Stages};
use kelvin_sampling::{Dice, Sampler, State, Words};
use pyo3::prelude::*;

use crate::{
    chain::Chain,
    parts::{Part, Reached, reach, value_error},
    shared::{Inside, Shared},
};

/// What Python raised while Kelvin called it, which ends the work.
#[derive(Debug, Clone, Default)]
pub(crate) struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    pub(crate) fn keep(&self, error: PyErr) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// The first exception, once.
    pub(crate) fn take(&self) -> Option<PyErr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// All parts of a chain, with names of tokens bound to a model's vocabulary.
#[derive(Debug)]
struct Functions {
    parts: Vec<Part>,
    /// The model that is at work while they act.
    model: usize,
    raised: Raised,
}

impl Stages for Functions {
    fn act(
        &mut self,
        logits: &[f32],
        state: &State,
        words: Words,
    ) -> Result<(Option<Vec<f32>>, Words), String> {
        let reached = Python::attach(|py| {
            let _inside = Inside::of(self.model);
            reach(&self.parts, py, logits, state, words, &mut |_| Ok(())).map_err(|error| {
                let words = error.to_string();
                self.raised.keep(error);
                words
            })
        });
        reached.map(|Reached { row, words }| (row, words))
    }
}

/// A continuation before it starts. Its last stages draw; functions act before them.
pub(crate) fn draft(
    py: Python<'_>,
    shared: &Shared,
    chain: &Chain,
    dice: Dice,
    raised: &Raised,
) -> PyResult<Draft> {
    let engine = shared.engine();
    let last = engine.bind(chain.last()).map_err(value_error)?;
    let mut draft = Draft::new(Sampler::new(last, dice));
    if chain.as_stages().is_none() {
        let parts = chain.parts().iter().map(|part| bound(py, engine, part)).collect();
        let functions = Functions { parts, model: shared.id(), raised: raised.clone() };
        draft.stages = Some(Box::new(functions));
    }
    Ok(draft)
}

fn bound(py: Python<'_>, engine: &Engine, part: &Part) -> Part {
    match part {
        Part::Stages(chain) => Part::Stages(engine.tokenizer.bind(chain)),
        Part::Function(_) => part.copy(py),
    }
}
