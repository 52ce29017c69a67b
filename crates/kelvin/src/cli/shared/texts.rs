//! `--text-temperature`: the temperature of whole texts, its flags, and its texts with what they
//! say of their own quality.

use std::ops::ControlFlow;

use clap::{Args as ClapArgs, ValueEnum};
use kelvin_engine::{
    TokenId,
    batch::{Batch, Continuation},
    generate::{Ends, FinishReason},
    rows::BatchRows,
    texts::{
        AskError, Asked as How, Drawn, Ending, Method, Progress, Quality, Settings, Start,
        TextTemp, TextsError, draw,
    },
};
use kelvin_lab::text_quality::{OfMethod, TextQuality};
use kelvin_sampling::{Chain, Dice, Stage, Temp};

use super::{
    args::BanArgs,
    failure::{Interrupted, usage},
    number,
    session::Session,
};
use crate::{
    interrupt::Guard,
    terminal::late::{Counted, LateBar},
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
    #[arg(long, value_name = "exact|smc|mcmc", hide_possible_values = true)]
    text_method: Option<MethodName>,
    /// smc: particles of each sample (default: 16)
    #[arg(long, value_name = "K", value_parser = number::count, allow_negative_numbers = true)]
    text_particles: Option<usize>,
    /// exact: the most tries of each sample (default: 1000)
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    text_tries: Option<usize>,
    /// mcmc: moves after each block (default: 10)
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    text_moves: Option<usize>,
    /// mcmc: tokens of a block (default: 32)
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    text_block: Option<usize>,
}

/// What is wrong with a temperature of texts that isn't one.
fn unfit(typed: &str) -> anyhow::Error {
    usage(format!("--text-temperature {}", TextTemp::unfit(typed)))
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
        let Some(typed) = &self.text_temperature else {
            return match self.how().is_empty() {
                true => Ok(None),
                false => Err(usage(
                    "how whole texts are drawn is given, but not their temperature: add \
                     --text-temperature",
                )),
            };
        };
        let method = self.method()?;
        let mut temperatures: Vec<Temp> = Vec::new();
        for one in typed.split(',').map(str::trim) {
            let temp: Temp = one.parse().map_err(|_| unfit(one))?;
            Settings::new(temp, method, max_tokens)
                .map_err(|error| usage(format!("--text-temperature {one}: {error}")))?;
            if temperatures.contains(&temp) {
                return Err(usage(format!(
                    "--text-temperature has {one} twice, whose texts would be equal: give it once"
                )));
            }
            temperatures.push(temp);
        }
        Ok(Some(Asked { typed: typed.clone(), temperatures, method }))
    }

    /// The temperatures as they were typed, if any were.
    pub(crate) fn typed(&self) -> Option<&str> {
        self.text_temperature.as_deref()
    }

    /// How texts are drawn, as it was typed.
    pub(crate) fn how(&self) -> How {
        let name =
            |method: MethodName| method.to_possible_value().map(|v| v.get_name().to_string());
        How {
            method: self.text_method.and_then(name),
            particles: self.text_particles,
            tries: self.text_tries,
            moves: self.text_moves,
            block: self.text_block,
        }
    }

    fn method(&self) -> anyhow::Result<Method> {
        self.how().resolve().map_err(|error| match error {
            AskError::NotOf { number, of } => {
                usage(format!("--text-{number} is of --text-method {of}, which isn't used"))
            }
            other => usage(format!("--text-method: {other}")),
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
    let ending = Ending::new(&session.engine, ends);
    let max_tokens = ending.max_tokens(&prompt)?;
    let mut rows = BatchRows { engine: &session.engine, batch, progress: &mut |_, _| () };
    let start = Start::read(&mut rows, prompt)?;
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
        let ends = |tokens: &[TokenId]| ending.ends(tokens);
        let drawn = draw(&mut rows, &start, &settings, &dice, &ends, watch).map_err(failed)?;
        all.push(drawn.into_iter().map(|one| told(&ending, one)).collect());
    }
    Ok(all)
}

fn told(ending: &Ending<'_>, drawn: Drawn) -> TextDrawn {
    let quality = TextQuality::of(&drawn);
    let continuation = match (&drawn.path, &drawn.quality) {
        (Some(path), _) => ending.continuation(path),
        (None, Quality::Exact { tries, .. }) => empty(FinishReason::NotAccepted(*tries)),
        (None, _) => empty(FinishReason::Cancelled),
    };
    TextDrawn { continuation, quality }
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

fn failed(error: TextsError) -> anyhow::Error {
    match error {
        TextsError::Model(error) => error.into(),
        TextsError::Cancelled => Interrupted.into(),
        TextsError::Logits(error) => {
            anyhow::anyhow!("the model gave logits that nothing can be drawn from: {error}")
        }
    }
}
