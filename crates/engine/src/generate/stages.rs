//! The interface of stages that the engine doesn't know: a caller's code before the sampler.

use std::fmt;

use kelvin_sampling::{Draw, Limits, SampleError, Sampler, State, Words, surprisal_and_entropy};

/// Stages of a caller, which act on a text's logits before its sampler draws.
///
/// They run on a thread of the model's pool, in parallel with other texts'. A text is reproducible
/// only as far as they are.
pub trait Stages: fmt::Debug + Send {
    /// The logits that the sampler draws from, vocab_size of them, and its random words. `None`
    /// leaves the logits as they are. `logits` are the model's, -inf where a token is banned.
    ///
    /// # Errors
    /// If they can't act; a message for the user. The text ends.
    fn act(
        &mut self,
        logits: &[f32],
        state: &State,
        words: Words,
    ) -> Result<(Option<Vec<f32>>, Words), String>;
}

/// Why no token was drawn.
pub(super) enum Refused {
    Stages(String),
    Sampler(SampleError),
}

/// Draws the token of `pos` with a caller's stages before the sampler's own.
pub(super) fn draw_through(
    stages: &mut dyn Stages,
    sampler: &mut Sampler,
    logits: &[f32],
    pos: u64,
    limits: Limits<'_>,
) -> Result<Draw, Refused> {
    let words = sampler.words(pos);
    let masked = limits.masked(logits);
    let (changed, words) = stages.act(&masked, sampler.state(), words).map_err(Refused::Stages)?;
    let n_before = sampler.state().tokens().len();
    let row = changed.as_deref().unwrap_or(&masked);
    let mut draw = sampler.draw_with(row, words).map_err(Refused::Sampler)?;
    // Raw figures are those of the model's own distribution.
    (draw.surprisal, draw.entropy) =
        surprisal_and_entropy(logits, draw.token).map_err(Refused::Sampler)?;
    // A sampler keeps tokens only for its own stages, but the caller's may read them too.
    if sampler.state().tokens().len() == n_before {
        let mut state = sampler.state().clone();
        state.push(draw.token);
        sampler.set_state(state);
    }
    Ok(draw)
}
