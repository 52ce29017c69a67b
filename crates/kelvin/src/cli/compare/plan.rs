//! Resolves the arguments of `compare`: what is continued, how often, at which temperatures.

use std::ops::Range;

use kelvin_engine::Engine;
use kelvin_sampling::{Chain, Dice, Sampler, Stage};

use super::args::CompareArgs;
use crate::{
    cli::{
        search::column as search,
        shared::{
            failure::usage,
            meaning,
            options::{self, Controls, Infinity, Seed},
            session::Session,
            temp::USUAL,
            texts,
        },
    },
    terminal::{self, json},
};

/// Maximum number of columns; `sweep` makes more.
pub(crate) const MAX_COLUMNS: usize = 512;

/// The arguments, resolved.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// `None` for a chain without a single temperature.
    pub(crate) temperatures: Vec<Option<f32>>,
    pub(crate) samples: usize,
    /// Whether the samples of a temperature are spread.
    pub(crate) spread: bool,
    /// The chain of the flags, before a column's temperature is set.
    pub(crate) chain: Chain,
    pub(crate) chains: Vec<Chain>,
    /// Index of the chain that the model file recommends, if `--recommended` is given.
    pub(crate) recommended: Option<usize>,
    /// Temperatures of whole texts, and how they are drawn.
    pub(crate) asked_texts: Option<texts::Asked>,
    /// Indices of their chains: the last ones.
    pub(crate) texts: Range<usize>,
    /// Columns of searches, beside those of chains.
    pub(crate) searches: Vec<search::Asked>,
    pub(crate) seed: Seed,
}

impl Plan {
    pub(crate) fn new(args: &CompareArgs) -> anyhow::Result<Plan> {
        let asked_texts = args.texts.asked(args.length.max_tokens)?;
        // Both kinds of temperature stand beside each other.
        let of_texts = asked_texts.as_ref().map(|asked| asked.typed.as_str());
        let typed = args.heat.temp.as_deref().or(of_texts);
        typed.map(|typed| options::temperatures(typed, Infinity::Refused)).transpose()?;
        let controls = options::controls(&args.sampling)?;
        let temperatures = options::columns(typed, USUAL, controls.typed(), Infinity::Refused)?;
        check_twice(&temperatures)?;
        let chains = temperatures.iter().map(|&t| controls.of(t)).collect::<anyhow::Result<_>>()?;
        options::hint_at_threads(&temperatures.iter().copied().flatten().collect::<Vec<_>>());
        options::check_length(&args.length)?;
        let n_texts = asked_texts.as_ref().map_or(0, |asked| asked.temperatures.len());
        if let Some(asked) = &asked_texts {
            let (has_form, has_proof) = (args.form.is_given(), args.proof.proof.is_some());
            asked.refuse_beside(controls.chain(), &args.length.bans, has_form, has_proof)?;
        }
        let searches = searches(args, &controls)?;
        if args.spread && args.samples < 2 {
            return Err(usage("--spread is of several samples: give --samples 2 or more"));
        }
        if args.spread && args.proof.proof.is_some() {
            return Err(usage("--spread has no --proof"));
        }
        let n_chains = temperatures.len() + usize::from(args.recommended) + n_texts;
        let n_models = args.model.models.len();
        let columns = args.samples.saturating_mul(n_chains).saturating_mul(n_models);
        if !(1..=MAX_COLUMNS).contains(&columns) {
            let models =
                if n_models == 1 { String::new() } else { format!(" of {n_models} models") };
            return Err(usage(format!(
                "{} samples of {n_chains} temperatures{models} are {columns} continuations: ask for \
                 1 to {MAX_COLUMNS}",
                args.samples
            )));
        }
        Ok(Plan {
            temperatures,
            samples: args.samples,
            spread: args.spread,
            chain: controls.chain().clone(),
            chains,
            recommended: None,
            asked_texts,
            texts: 0..0,
            searches,
            seed: options::seed(args.sampling.seed)?,
        })
    }

    /// Adds the columns of the chain that the model file recommends.
    pub(crate) fn add_recommended(&mut self, engine: &Engine) -> anyhow::Result<()> {
        let found = options::recommended(engine)?;
        let params =
            found.params(&[]).map_err(|problem| usage(format!("--recommended: {problem}")))?;
        let chain = params.chain().clone();
        terminal::note(&format!("The model file recommends {chain} (general.sampling.*)."));
        self.recommended = Some(self.chains.len());
        self.temperatures.push(chain.temperature());
        self.chains.push(chain);
        Ok(())
    }

    /// Adds the columns of temperatures of whole texts.
    pub(crate) fn add_texts(&mut self) -> anyhow::Result<()> {
        let Some(asked) = &self.asked_texts else { return Ok(()) };
        let first = self.chains.len();
        for &temperature in &asked.temperatures {
            self.temperatures.push(Some(temperature.get()));
            self.chains.push(Chain::new(vec![Stage::Temp(temperature)])?);
        }
        self.texts = first..self.chains.len();
        Ok(())
    }

    /// Whether chain number `t` stands for a temperature of whole texts.
    pub(crate) fn is_of_texts(&self, t: usize) -> bool {
        self.texts.contains(&t)
    }

    /// Whether chain number `t` is the one that the model file recommends.
    pub(crate) fn is_recommended(&self, t: usize) -> bool {
        self.recommended == Some(t)
    }

    /// The heading of the columns of chain number `t`.
    pub(crate) fn heading(&self, t: usize) -> String {
        let heading = options::heading(self.temperatures[t].map(json::short));
        if self.is_of_texts(t) {
            return format!("text {heading}");
        }
        if self.is_recommended(t) { format!("{heading}, recommended") } else { heading }
    }

    /// Columns in order: all samples of the first temperature, then of the second.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, usize)> {
        let samples = self.samples;
        (0..self.temperatures.len()).flat_map(move |t| (0..samples).map(move |sample| (t, sample)))
    }

    /// The samplers of columns that draw token by token.
    pub(crate) fn samplers(&self, session: &Session) -> anyhow::Result<Vec<Sampler>> {
        let chains = self.chains.iter().map(|chain| session.bind(chain));
        let chains = chains.collect::<anyhow::Result<Vec<Chain>>>()?;
        let samplers = self
            .columns()
            .filter(|&(t, _)| !self.is_of_texts(t))
            .map(|(t, sample)| {
                let dice = Dice { seed: self.seed.value, sample: sample as u64 };
                let sampler = Sampler::new(chains[t].clone(), dice);
                if self.spread { sampler.spreading(self.samples as u64) } else { sampler }
            })
            .collect();
        Ok(samplers)
    }

    /// The column that `column` is compared with: the first temperature's, with equal random
    /// numbers.
    pub(crate) fn first_of(&self, column: usize) -> usize {
        column % self.samples
    }
}

/// Refuses a temperature whose columns would be those of another one.
fn check_twice(temperatures: &[Option<f32>]) -> anyhow::Result<()> {
    let is_twice = |&i: &usize| temperatures[..i].contains(&temperatures[i]);
    let Some(t) = (1..temperatures.len()).find(is_twice).and_then(|i| temperatures[i]) else {
        return Ok(());
    };
    Err(usage(format!(
        "-t has {t} twice, whose texts would be equal: give it once, or --samples for more texts"
    )))
}

/// Says of which columns a draft that was asked for is none.
fn note_drafts(args: &CompareArgs, searches: &[search::Asked]) {
    let beams = searches.iter().filter(|asked| asked.plan.how.has_beams());
    let beams: Vec<&str> = beams.map(|asked| &*asked.typed).collect();
    if args.drafts.draft.is_asked_for() && !beams.is_empty() {
        terminal::note(&format!(
            "hint: --draft is for texts that are drawn; --search {} guesses no tokens",
            beams.join(", ")
        ));
    }
}

/// The columns of searches.
fn searches(args: &CompareArgs, controls: &Controls) -> anyhow::Result<Vec<search::Asked>> {
    let mut all: Vec<search::Asked> = Vec::new();
    for typed in &args.search {
        let asked = search::Asked::new(typed, controls, &args.length, args.form.is_given())?;
        if all.iter().any(|other| other.equals(&asked)) {
            return Err(usage(format!(
                "--search has {typed} twice, whose texts would be equal: give it once"
            )));
        }
        all.push(asked);
    }
    note_drafts(args, &all);
    if !all.is_empty() && args.proof.proof.is_some() {
        return Err(usage("--search has no --proof, which is of texts that are drawn"));
    }
    if all.iter().any(|asked| asked.plan.compares_meanings()) {
        meaning::make_ready(args.model.fetch.permissions())?;
    }
    Ok(all)
}
