//! A chain at work on one row of logits, and the work space of that.

use crate::{
    Chain, Limits, SampleError, Stage, State,
    candidates::{Candidates, Scratch},
    chain::Watch,
    dice::Words,
    stages::Context,
};

/// Work space of a step.
#[derive(Debug, Clone, Default)]
pub(crate) struct StepScratch {
    pub(crate) candidates: Scratch,
    pub(crate) ids: Vec<u32>,
    pub(crate) lengths: Vec<u32>,
    /// Of the sequence whose state the sampler has.
    pub(crate) watch: Watch,
}

impl StepScratch {
    /// The plain chain that draws from `logits`.
    pub(crate) fn held<'c>(
        &mut self,
        chain: &'c Chain,
        logits: &[f32],
        state: &State,
    ) -> Result<&'c Chain, SampleError> {
        chain.held(logits, state, &mut self.candidates, &mut self.watch)
    }
}

/// Applies the limits and then the stages in order. `watch` is called with the candidates before
/// the limits, and after each stage.
pub(crate) fn run<'a>(
    chain: &Chain,
    logits: &'a [f32],
    limits: Limits<'_>,
    state: &State,
    words: &Words,
    scratch: &'a mut StepScratch,
    watch: &mut dyn FnMut(&mut Candidates<'a>, Option<&Stage>),
) -> Result<Candidates<'a>, SampleError> {
    let StepScratch { candidates, ids, lengths, .. } = scratch;
    let mut left = Candidates::new(logits, candidates)?;
    watch(&mut left, None);
    limits.apply(&mut left)?;
    let mut context = Context { state, words, n_random: 0, ids, lengths };
    for stage in chain.stages() {
        stage.apply(&mut left, &mut context)?;
        watch(&mut left, Some(stage));
    }
    Ok(left)
}
