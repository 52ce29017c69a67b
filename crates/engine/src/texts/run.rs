//! Draws texts: the methods' samples side by side, one forward pass a step for all.

use std::ops::ControlFlow;

use kelvin_sampling::Dice;

use super::{
    exact::Exact,
    forward::{Forward, Start},
    front::{Front, StepError, step},
    mcmc::Mcmc,
    path::Path,
    quality::Quality,
    settings::{Method, Settings, TextsError},
    smc::Smc,
};

/// The most texts that a step reads: a sample that needs more runs alone.
const MAX_ROWS: usize = 64;

/// One sample.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The text; `None` if no try was accepted.
    pub path: Option<Path>,
    /// What the method says of its own quality.
    pub quality: Quality,
    /// Tokens that the model read for it; what particles share counts once.
    pub n_read: u64,
}

/// How far drawing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Samples that are done.
    pub done: usize,
    /// Forward passes so far.
    pub n_steps: u64,
}

/// One sample's method.
enum Work<T> {
    Exact(Exact<T>),
    Smc(Smc<T>),
    Mcmc(Mcmc<T>),
}

impl<T: Clone> Work<T> {
    fn new(settings: &Settings, start: &Start<T>, dice: Dice) -> Work<T> {
        let (method, n_prompt) = (settings.method(), start.prompt.len());
        let (n, horizon) = (method.width(), settings.max_tokens());
        let front = Front::new(n, settings.temperature(), dice, n_prompt, horizon);
        match method {
            Method::Exact { tries, .. } => Work::Exact(Exact::new(front, start.clone(), tries)),
            Method::Smc { .. } => Work::Smc(Smc::new(front, start)),
            Method::Mcmc { moves, block } => {
                Work::Mcmc(Mcmc::new(front, start.clone(), moves, block))
            }
        }
    }

    fn front(&mut self) -> &mut Front<T> {
        match self {
            Work::Exact(work) => work.front(),
            Work::Smc(work) => work.front(),
            Work::Mcmc(work) => work.front(),
        }
    }

    fn advance<F: Forward<Text = T>>(&mut self, model: &F) {
        match self {
            Work::Exact(work) => work.advance(),
            Work::Smc(work) => work.advance(),
            Work::Mcmc(work) => work.advance(model),
        }
    }

    fn finish(self) -> Drawn {
        let (path, n_read, quality) = match self {
            Work::Exact(work) => work.finish(),
            Work::Smc(work) => work.finish(),
            Work::Mcmc(work) => work.finish(),
        };
        Drawn { path, quality, n_read }
    }
}

/// Draws a text for each of `dice`, which depends on these dice, the prompt and the settings alone.
/// `watch` is called after each step; a `Break` ends all.
///
/// # Errors
/// If the model refuses a step or gives logits without a distribution, or if `watch` breaks.
pub fn draw<F: Forward>(
    model: &mut F,
    start: &Start<F::Text>,
    settings: &Settings,
    dice: &[Dice],
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Vec<Drawn>, TextsError<F::Error>> {
    let at_once = (MAX_ROWS / settings.method().width()).max(1);
    let (mut done, mut n_steps) = (Vec::new(), 0);
    for group in dice.chunks(at_once) {
        let mut works: Vec<Work<F::Text>> =
            group.iter().map(|&dice| Work::new(settings, start, dice)).collect();
        loop {
            let mut running: Vec<&mut Work<F::Text>> =
                works.iter_mut().filter_map(|work| runs(work).then_some(work)).collect();
            if running.is_empty() {
                break;
            }
            let mut fronts: Vec<_> = running.iter_mut().map(|work| work.front()).collect();
            step(model, &mut fronts).map_err(|error| match error {
                StepError::Model(error) => TextsError::Model(error),
                StepError::Logits(error) => TextsError::Logits(error),
            })?;
            running.iter_mut().for_each(|work| work.advance(model));
            n_steps += 1;
            let n_ended = works.iter_mut().map(|work| usize::from(!runs(work))).sum::<usize>();
            if watch(Progress { done: done.len() + n_ended, n_steps }).is_break() {
                return Err(TextsError::Cancelled);
            }
        }
        done.extend(works.into_iter().map(Work::finish));
    }
    Ok(done)
}

fn runs<T: Clone>(work: &mut Work<T>) -> bool {
    !work.front().stands_still()
}
