//! Draws texts: the methods' samples side by side, one forward pass a step for all.

use std::ops::ControlFlow;

use kelvin_sampling::Dice;

use super::{
    exact::Exact,
    front::{Front, StepError, step},
    mcmc::Mcmc,
    path::Path,
    quality::Quality,
    settings::{Method, Settings, TextsError},
    smc::Smc,
    start::Start,
};
use crate::{TokenId, rows::Rows};

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
    /// Tokens that were read so far.
    pub n_read: u64,
}

/// One sample's method.
#[derive(Debug)]
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

    fn advance<R: Rows<Text = T>>(&mut self, rows: &R) {
        match self {
            Work::Exact(work) => work.advance(),
            Work::Smc(work) => work.advance(),
            Work::Mcmc(work) => work.advance(rows),
        }
    }

    fn runs(&mut self) -> bool {
        !self.front().stands_still()
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

/// Samples of one prompt that are being drawn, a forward pass a step.
///
/// A sample depends on its dice, the prompt and the settings alone.
#[derive(Debug)]
pub struct Samples<T> {
    start: Start<T>,
    settings: Settings,
    /// Dice of samples that haven't begun, the last first.
    waiting: Vec<Dice>,
    /// Samples that run beside each other.
    works: Vec<Work<T>>,
    ready: Vec<Drawn>,
    n_done: usize,
    n_steps: u64,
    /// Tokens that were read for samples that have ended.
    n_read: u64,
}

impl<T: Clone> Samples<T> {
    /// A sample for each of `dice`.
    pub fn new(start: &Start<T>, settings: &Settings, dice: &[Dice]) -> Samples<T> {
        let waiting = dice.iter().rev().copied().collect();
        let (start, settings) = (start.clone(), *settings);
        let (works, ready, n_done, n_steps, n_read) = (Vec::new(), Vec::new(), 0, 0, 0);
        Samples { start, settings, waiting, works, ready, n_done, n_steps, n_read }
    }

    /// Whether all samples are drawn.
    pub fn are_done(&self) -> bool {
        self.waiting.is_empty() && self.works.is_empty()
    }

    /// One forward pass. `ends` says whether a continuation's last token ends it.
    ///
    /// # Errors
    /// If the model refuses the step or gives logits without a distribution. Then no sample goes
    /// on.
    pub fn step<R: Rows<Text = T>>(
        &mut self,
        rows: &mut R,
        ends: &dyn Fn(&[TokenId]) -> bool,
    ) -> Result<(), TextsError> {
        if self.works.is_empty() {
            let at_once = (MAX_ROWS / self.settings.method().width()).max(1);
            let next = self.waiting.split_off(self.waiting.len().saturating_sub(at_once));
            let begun = next.into_iter().rev();
            self.works = begun.map(|dice| Work::new(&self.settings, &self.start, dice)).collect();
        }
        let mut running: Vec<&mut Work<T>> =
            self.works.iter_mut().filter_map(|work| work.runs().then_some(work)).collect();
        if !running.is_empty() {
            let mut fronts: Vec<_> = running.iter_mut().map(|work| work.front()).collect();
            step(rows, &mut fronts, ends).map_err(|error| match error {
                StepError::Model(error) => TextsError::Model(error),
                StepError::Logits(error) => TextsError::Logits(error),
            })?;
            running.iter_mut().for_each(|work| work.advance(rows));
            self.n_steps += 1;
        }
        if !self.works.iter_mut().any(Work::runs) {
            let drawn: Vec<Drawn> = self.works.drain(..).map(Work::finish).collect();
            self.n_done += drawn.len();
            self.n_read += drawn.iter().map(|one| one.n_read).sum::<u64>();
            self.ready.extend(drawn);
        }
        Ok(())
    }

    /// Samples that were drawn since this was asked last, in the order of their dice.
    pub fn take_ready(&mut self) -> Vec<Drawn> {
        std::mem::take(&mut self.ready)
    }

    /// How far drawing is.
    pub fn progress(&mut self) -> Progress {
        let ended = self.works.iter_mut().map(|work| usize::from(!work.runs()));
        let done = self.n_done + ended.sum::<usize>();
        let running = self.works.iter_mut().map(|work| work.front().n_read);
        let n_read = self.n_read + running.sum::<u64>();
        Progress { done, n_steps: self.n_steps, n_read }
    }
}

/// Draws a text for each of `dice`, which depends on these dice, the prompt and the settings alone.
/// `ends` says whether a continuation's last token ends it. `watch` is called after each step; a
/// `Break` ends all.
///
/// # Errors
/// If the model refuses a step or gives logits without a distribution, or if `watch` breaks.
pub fn draw<R: Rows>(
    rows: &mut R,
    start: &Start<R::Text>,
    settings: &Settings,
    dice: &[Dice],
    ends: &dyn Fn(&[TokenId]) -> bool,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Vec<Drawn>, TextsError> {
    let mut samples = Samples::new(start, settings, dice);
    while !samples.are_done() {
        samples.step(rows, ends)?;
        if watch(samples.progress()).is_break() {
            return Err(TextsError::Cancelled);
        }
    }
    Ok(samples.take_ready())
}
