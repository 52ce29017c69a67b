//! Rounds: one sample of each engine, close together in time, each between two runs of the
//! reference loops.

use std::{path::Path, thread, time::Duration};

use anyhow::Result;

use super::{
    name_of,
    reference::{Limits, Reference},
    sample::{Name, Outcome, Sampler, Spec, Work},
};

/// How long an engine's threads may still spin when it is ready or through, waiting for work: the
/// loops around a sample would share the cores with them.
const SETTLED: Duration = Duration::from_millis(100);

/// One sample, and what the reference loops reached right before and right after.
pub struct Taken {
    pub outcome: Outcome,
    pub around: [Limits; 2],
}

/// One sample of each engine, one right after another; none of an engine that can't do the work.
pub type Round = Vec<Option<Taken>>;

/// Where the rounds of a work come from.
pub struct Rounds<'a> {
    model: &'a Path,
    work: Work,
    threads: usize,
    tokens: &'a [u32],
    reference: &'a Reference,
    /// How many rounds are taken of models that are loaded once.
    a_load: usize,
    /// None for an engine that refused: it isn't asked again.
    engines: Vec<Option<Name>>,
    /// Engines that have given a sample and can give another.
    samplers: Vec<Option<Sampler>>,
    n_taken: usize,
    /// What engines said that can't do the work.
    pub refusals: Vec<String>,
}

impl<'a> Rounds<'a> {
    /// Of `engines`, at `work` on a model; `tokens` are fed in a circle.
    pub fn new(
        engines: &[Name],
        (model, work, threads): (&'a Path, Work, usize),
        tokens: &'a [u32],
        reference: &'a Reference,
        a_load: usize,
    ) -> Rounds<'a> {
        // Loading is a part of this work.
        let a_load = if matches!(work, Work::First { .. }) { 1 } else { a_load.max(1) };
        let samplers = engines.iter().map(|_| None).collect();
        let engines = engines.iter().copied().map(Some).collect();
        let refusals = Vec::new();
        Rounds {
            model,
            work,
            threads,
            tokens,
            reference,
            a_load,
            engines,
            samplers,
            n_taken: 0,
            refusals,
        }
    }

    /// Takes a round. `progress` is told of each sample.
    pub fn take(&mut self, progress: &mut dyn FnMut(&str)) -> Round {
        if self.n_taken.is_multiple_of(self.a_load) {
            self.samplers.fill_with(|| None);
        }
        self.n_taken += 1;
        // All are ready before the first begins: the machine changes while a model is loaded.
        let ready: Vec<_> =
            (0..self.engines.len()).map(|i| Some(self.ready(self.engines[i]?, i))).collect();
        let samples = ready.into_iter().enumerate().map(|(i, ready)| {
            let (engine, ready) = (self.engines[i]?, ready?);
            let taken = ready.and_then(|mut sampler| {
                let taken = self.sample(&mut sampler)?;
                self.samplers[i] = Some(sampler);
                Ok(taken)
            });
            let (model, work) = (name_of(self.model), self.work);
            match taken {
                Ok(taken) => {
                    let [before, after] = taken.around;
                    progress(&format!(
                        "{model} {work:?} {} threads {engine:?}: read {:.1} and {:.1} GB/s, int8 \
                         {:.0} and {:.0} GOP/s",
                        self.threads,
                        before.read_gb_per_sec,
                        after.read_gb_per_sec,
                        before.int8_giga_ops_per_sec,
                        after.int8_giga_ops_per_sec
                    ));
                    Some(taken)
                }
                Err(error) => {
                    let said = format!("{engine:?} on {model}, {work:?}: {error:#}");
                    progress(&said);
                    self.refusals.push(said);
                    self.engines[i] = None;
                    None
                }
            }
        });
        samples.collect()
    }

    /// Engine `i`, ready for a sample.
    fn ready(&mut self, engine: Name, i: usize) -> Result<Sampler> {
        if let Some(mut sampler) = self.samplers[i].take() {
            sampler.again()?;
            return Ok(sampler);
        }
        let &mut Rounds { model, work, threads, tokens, .. } = self;
        Sampler::start(&Spec {
            engine,
            model: model.to_owned(),
            threads,
            work,
            tokens: tokens.to_owned(),
        })
    }

    fn sample(&self, sampler: &mut Sampler) -> Result<Taken> {
        thread::sleep(SETTLED);
        let before = self.reference.now(self.threads);
        let outcome = sampler.go()?;
        thread::sleep(SETTLED);
        let after = self.reference.now(self.threads);
        Ok(Taken { outcome, around: [before, after] })
    }
}
