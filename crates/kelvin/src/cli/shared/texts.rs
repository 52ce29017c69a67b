//! `--text-temperature`: the temperature of whole texts, its flags, and its texts with what they
//! say of their own quality.

use std::ops::ControlFlow;

use clap::{Args as ClapArgs, ValueEnum};
use kelvin_engine::{
    TokenId,
    batch::{Batch, Continuation},
    generate::{Ends, FinishReason},
    texts::{BatchModel, Drawn, Method, Progress, Quality, Settings, SmcQuality, TextsError, draw},
};
use kelvin_sampling::{Chain, Dice, Stage, Temp};
use serde::Serialize;

use super::{
    args::BanArgs,
    failure::{Interrupted, usage},
    number,
    session::Session,
};
use crate::{
    interrupt::Guard,
    terminal::{
        counted,
        late::{Counted, LateBar},
    },
};

/// The temperature of whole texts.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Text temperature")]
pub(crate) struct TextTempArgs {
    /// Draw whole texts y with probability ∝ p(y)^(1/T), rather than each token at T
    #[arg(long, value_name = "T,…", allow_hyphen_values = true)]
    text_temperature: Option<String>,
    /// How: exact (rejection, for short texts and T up to 1), smc (particles, the default) or mcmc
    /// (redrawn endings)
    #[arg(
        long,
        value_name = "exact|smc|mcmc",
        requires = "text_temperature",
        hide_possible_values = true
    )]
    text_method: Option<MethodName>,
    /// smc: particles of each sample (default: 16)
    #[arg(long, value_name = "K", value_parser = number::count, requires = "text_temperature",
        allow_negative_numbers = true)]
    text_particles: Option<usize>,
    /// exact: the most tries of each sample (default: 1000)
    #[arg(long, value_name = "N", value_parser = number::count, requires = "text_temperature",
        allow_negative_numbers = true)]
    text_tries: Option<usize>,
    /// mcmc: moves after each block (default: 10)
    #[arg(long, value_name = "N", value_parser = number::count, requires = "text_temperature",
        allow_negative_numbers = true)]
    text_moves: Option<usize>,
    /// mcmc: tokens of a block (default: 32)
    #[arg(long, value_name = "N", value_parser = number::count, requires = "text_temperature",
        allow_negative_numbers = true)]
    text_block: Option<usize>,
}

/// A method by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MethodName {
    Exact,
    Smc,
    Mcmc,
}

/// What is asked for, checked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The temperatures, as they were typed.
    pub(crate) typed: String,
    pub(crate) temperatures: Vec<Temp>,
    pub(crate) method: Method,
}

impl TextTempArgs {
    /// The temperatures and the method, if texts are to have one. `max_tokens` is that of `-n`.
    pub(crate) fn asked(&self, max_tokens: usize) -> anyhow::Result<Option<Asked>> {
        let Some(typed) = &self.text_temperature else { return Ok(None) };
        let method = self.method()?;
        let temperature = |one: &str| -> anyhow::Result<Temp> {
            let found: Option<Temp> = one.trim().parse().ok();
            let temp = found.ok_or_else(|| {
                usage(format!(
                    "--text-temperature is \"{one}\", but it is a number above 0 such as 0.5"
                ))
            })?;
            Settings::new(temp, method, max_tokens)
                .map_err(|error| usage(format!("--text-temperature {one}: {error}")))?;
            Ok(temp)
        };
        let temperatures = typed.split(',').map(temperature).collect::<anyhow::Result<_>>()?;
        Ok(Some(Asked { typed: typed.clone(), temperatures, method }))
    }

    fn method(&self) -> anyhow::Result<Method> {
        let name = self.text_method.unwrap_or(MethodName::Smc);
        for (flag, typed, of) in [
            ("--text-particles", self.text_particles, MethodName::Smc),
            ("--text-tries", self.text_tries, MethodName::Exact),
            ("--text-moves", self.text_moves, MethodName::Mcmc),
            ("--text-block", self.text_block, MethodName::Mcmc),
        ] {
            if typed.is_some() && name != of {
                let of = of.to_possible_value().map(|of| of.get_name().to_string());
                let of = of.unwrap_or_default();
                return Err(usage(format!("{flag} is of --text-method {of}, which isn't used")));
            }
        }
        Ok(match name {
            MethodName::Exact => {
                Method::Exact { tries: self.text_tries.unwrap_or(1000) as u64, at_once: 16 }
            }
            MethodName::Smc => Method::Smc { particles: self.text_particles.unwrap_or(16) },
            MethodName::Mcmc => Method::Mcmc {
                moves: self.text_moves.unwrap_or(10) as u64,
                block: self.text_block.unwrap_or(32),
            },
        })
    }
}

impl Asked {
    /// Refuses what a temperature of texts doesn't combine with.
    pub(crate) fn refuse_beside(
        &self,
        chain: &Chain,
        bans: &BanArgs,
        form: bool,
        proof: bool,
    ) -> anyhow::Result<()> {
        let is_temp = |stage: &&Stage| matches!(stage, Stage::Temp(_));
        let what = match chain.stages().iter().find(|stage| !is_temp(stage)) {
            _ if chain.is_schedule() => "a schedule".to_string(),
            Some(stage) => stage.to_string(),
            None if !bans.ban_string.is_empty() => "--ban-string".to_string(),
            None if bans.think.is_some() => "--think".to_string(),
            None if form => "a constraint".to_string(),
            None if proof => "--proof".to_string(),
            None => return Ok(()),
        };
        Err(usage(format!(
            "--text-temperature is of the model's own distribution of texts, so it doesn't combine \
             with {what}"
        )))
    }

    /// How it is drawn, in words.
    pub(crate) fn words(&self) -> String {
        match self.method {
            Method::Exact { tries, .. } => format!("exact, up to {tries} tries"),
            Method::Smc { particles } => format!("smc, {particles} particles"),
            Method::Mcmc { moves, block } => format!("mcmc, {moves} moves a block of {block}"),
        }
    }

    /// Texts that run at once for `samples` samples, those that are kept beside them included.
    pub(crate) fn n_texts(&self, samples: usize) -> usize {
        let width = self.method.width();
        width.saturating_mul(samples).min(width.max(64)).saturating_mul(2)
    }
}

/// A drawn text and its quality.
#[derive(Debug, Clone)]
pub(crate) struct TextDrawn {
    pub(crate) continuation: Continuation,
    pub(crate) quality: TextQuality,
    /// What thermodynamics are computed from.
    pub(crate) smc: Option<SmcQuality>,
}

/// What a text says of its own quality, for JSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TextQuality {
    /// `exact`, `smc` or `mcmc`.
    pub(crate) method: &'static str,
    /// -ln p of the text under the model, that of the token that ended it included, in nats.
    pub(crate) energy: Option<f64>,
    /// Tokens that the model read for it; what particles share counts once.
    pub(crate) tokens_read: u64,
    #[serde(flatten)]
    pub(crate) of_method: OfMethod,
}

/// A method's own figures.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum OfMethod {
    /// exact.
    Exact {
        /// Tries up to the accepted one.
        tries: u64,
        /// Whether one was accepted.
        accepted: bool,
    },
    /// smc.
    Smc {
        particles: usize,
        /// Effective sample size at the end.
        ess: f64,
        resamplings: u64,
        /// Distinct particles of the beginning from which those of the end descend.
        ancestors: usize,
        /// Distinct texts among the particles.
        distinct: usize,
        /// The estimate of ln Z and its standard error, which one ancestor doesn't tell.
        ln_z: f64,
        ln_z_error: Option<f64>,
    },
    /// mcmc.
    Mcmc {
        moves: u64,
        accepted: u64,
        /// Accepted moves over moves.
        acceptance: f64,
        /// Correlation of the energies of neighbouring moves of the last block.
        autocorrelation: Option<f64>,
        /// In moves.
        autocorrelation_time: Option<f64>,
    },
}

impl TextQuality {
    fn of(drawn: &Drawn) -> TextQuality {
        let (method, of_method) = match &drawn.quality {
            &Quality::Exact { tries, accepted } => ("exact", OfMethod::Exact { tries, accepted }),
            Quality::Smc(smc) => {
                let &SmcQuality { particles, ess, resamplings, ancestors, .. } = smc;
                let &SmcQuality { distinct, ln_z, ln_z_error, .. } = smc;
                let of_method = OfMethod::Smc {
                    particles,
                    ess,
                    resamplings,
                    ancestors,
                    distinct,
                    ln_z,
                    ln_z_error,
                };
                ("smc", of_method)
            }
            &Quality::Mcmc { moves, accepted, autocorrelation, autocorrelation_time } => {
                let acceptance = accepted as f64 / moves as f64;
                let of_method = OfMethod::Mcmc {
                    moves,
                    accepted,
                    acceptance,
                    autocorrelation,
                    autocorrelation_time,
                };
                ("mcmc", of_method)
            }
        };
        let energy = drawn.path.as_ref().map(|path| path.energy());
        TextQuality { method, energy, tokens_read: drawn.n_read, of_method }
    }

    /// The quality in words, for people.
    pub(crate) fn words(&self) -> String {
        match &self.of_method {
            OfMethod::Exact { tries, accepted: true } => format!("accepted at try {tries}"),
            OfMethod::Exact { tries, accepted: false } => {
                format!("none of {tries} tries was accepted")
            }
            OfMethod::Smc {
                particles,
                ess,
                resamplings,
                ancestors,
                distinct,
                ln_z,
                ln_z_error,
            } => {
                let error = match ln_z_error {
                    Some(error) => format!(" ± {error:.2}"),
                    None => ", its error unknown".to_string(),
                };
                format!(
                    "{particles} particles, {ess:.1} of them effective, {}, {}, {}, ln Z = \
                     {ln_z:.2}{error}",
                    counted(*resamplings as usize, "resampling"),
                    counted(*ancestors, "ancestor"),
                    counted(*distinct, "text")
                )
            }
            OfMethod::Mcmc { moves, acceptance, autocorrelation_time, .. } => {
                let time = autocorrelation_time
                    .map(|time| format!(", autocorrelation time {time:.1} moves"));
                format!(
                    "{moves} moves, {:.0} % accepted{}",
                    acceptance * 100.0,
                    time.unwrap_or_default()
                )
            }
        }
    }
}

/// The quality of several samples by particles in words: means.
pub(crate) fn all_words(samples: &[&TextQuality]) -> String {
    let (mut n, mut sums) = (0.0, [0.0; 3]);
    for quality in samples {
        if let OfMethod::Smc { ess, resamplings, ancestors, .. } = &quality.of_method {
            n += 1.0;
            let figures = [*ess, *resamplings as f64, *ancestors as f64];
            sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
        }
    }
    let [ess, resamplings, ancestors] = sums.map(|sum| sum / n);
    format!(
        "on average {ess:.1} effective particles, {resamplings:.1} resamplings, {ancestors:.1} \
         ancestors"
    )
}

/// Draws the texts of all temperatures after one prompt: for each temperature, all samples.
pub(crate) fn run(
    session: &Session,
    batch: &mut Batch,
    (prompt, ends): (Vec<TokenId>, &Ends),
    asked: &Asked,
    (seed, samples): (u64, usize),
    guard: &Guard,
) -> anyhow::Result<Vec<Vec<TextDrawn>>> {
    let mut model = BatchModel::new(&session.engine, batch, ends);
    let start = model.start(prompt)?;
    let max_tokens = model.max_tokens(start.prompt.len());
    let dice: Vec<Dice> = (0..samples as u64).map(|sample| Dice { seed, sample }).collect();
    let mut bar = LateBar::new(Counted::Texts);
    let (mut all, total) = (Vec::new(), (samples * asked.temperatures.len()) as u64);
    for &temperature in &asked.temperatures {
        let settings = Settings::new(temperature, asked.method, max_tokens)
            .map_err(|error| usage(format!("--text-temperature: {error}")))?;
        let before = (all.len() * samples) as u64;
        let watch = &mut |progress: Progress| {
            bar.set(before + progress.done as u64, total);
            if guard.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let drawn = draw(&mut model, &start, &settings, &dice, watch).map_err(failed)?;
        all.push(drawn.into_iter().map(|one| told(&model, one)).collect());
    }
    Ok(all)
}

fn told(model: &BatchModel<'_>, drawn: Drawn) -> TextDrawn {
    let quality = TextQuality::of(&drawn);
    let continuation = match (&drawn.path, &drawn.quality) {
        (Some(path), _) => model.continuation(path),
        (None, Quality::Exact { tries, .. }) => empty(FinishReason::NotAccepted(*tries)),
        (None, _) => empty(FinishReason::Cancelled),
    };
    let smc = match drawn.quality {
        Quality::Smc(smc) => Some(smc),
        _ => None,
    };
    TextDrawn { continuation, quality, smc }
}

/// A continuation without tokens.
pub(crate) fn empty(finish: FinishReason) -> Continuation {
    Continuation {
        tokens: Vec::new(),
        text: String::new(),
        thoughts: String::new(),
        draws: Vec::new(),
        finish,
    }
}

fn failed<E: Into<anyhow::Error>>(error: TextsError<E>) -> anyhow::Error {
    match error {
        TextsError::Model(error) => error.into(),
        TextsError::Cancelled => Interrupted.into(),
        TextsError::Logits(error) => {
            anyhow::anyhow!("the model gave logits that nothing can be drawn from: {error}")
        }
    }
}
