//! Interprets the parsed command line: temperatures, the chain, the seed.

use std::sync::Once;

use anyhow::Context;
use kelvin_engine::{Engine, generate::banned_strings};
use kelvin_sampling::{Chain, ChainError, Profile, SamplingParams, Temp};
use kelvin_views::recommended::Recommended;

use super::{
    args::{BanArgs, LengthArgs},
    failure::usage,
    sampling::SamplingArgs,
    temp::TempArgs,
};
use crate::terminal;

/// Whether T = ∞ is allowed: a view can show it, but nothing can be drawn at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Infinity {
    /// In a view.
    Allowed,
    /// In a draw.
    Refused,
}

/// From this value on, `-t` may be a mistaken number of threads.
const THREADS_HINT_FROM: f32 = 4.0;

/// The temperatures of a comma-separated list, each checked.
pub(crate) fn temperatures(typed: &str, infinity: Infinity) -> anyhow::Result<Vec<f32>> {
    typed.split(',').map(|one| temperature(one.trim(), infinity)).collect()
}

/// One temperature.
pub(crate) fn temperature(typed: &str, infinity: Infinity) -> anyhow::Result<f32> {
    let (or, is_allowed) = match infinity {
        Infinity::Allowed => (", or inf", true),
        Infinity::Refused => ("", false),
    };
    let t = match typed.parse::<f64>() {
        Ok(t) if t == f64::INFINITY && is_allowed => Some(f32::INFINITY),
        _ => typed.parse().ok().map(Temp::get),
    };
    t.ok_or_else(|| {
        usage(format!("-t is \"{typed}\", but a temperature is {} such as 0.7{or}", Temp::ALLOWED))
    })
}

/// The temperatures of a verb with several columns: those of `-t`; without it that of the chain if
/// the chain sets one; else `usual`. `None` is a chain without a single temperature, which stays
/// unchanged.
pub(crate) fn columns(
    typed: Option<&str>,
    usual: &str,
    chain: Option<&Chain>,
    infinity: Infinity,
) -> anyhow::Result<Vec<Option<f32>>> {
    match (typed, chain) {
        (None, Some(chain)) if chain.heats() => Ok(vec![chain.temperature()]),
        _ => Ok(temperatures(typed.unwrap_or(usual), infinity)?.into_iter().map(Some).collect()),
    }
}

/// The heading of a column.
pub(crate) fn heading(temperature: Option<f64>) -> String {
    temperature.map_or_else(|| "T of the chain".to_string(), |t| format!("T = {t}"))
}

/// Prints a hint if `-t` looks like a number of threads.
pub(crate) fn hint_at_threads(temperatures: &[f32]) {
    if let Some(t) = temperatures.iter().find(|&&t| t >= THREADS_HINT_FROM) {
        terminal::note(&format!(
            "hint: -t {t} is a very hot temperature; the number of threads is --threads"
        ));
    }
}

/// A chain whose temperature can still be set.
#[derive(Debug, Clone)]
pub(crate) struct Controls {
    settings: SamplingParams,
    /// Whether the chain comes from `--sampler`.
    is_typed: bool,
}

impl Controls {
    /// The chain of `--sampler`, if it was given.
    pub(crate) fn typed(&self) -> Option<&Chain> {
        Some(self.chain()).filter(|_| self.is_typed)
    }

    /// The chain before a temperature is set.
    pub(crate) fn chain(&self) -> &Chain {
        self.settings.chain()
    }

    /// The chain of a column.
    pub(crate) fn of(&self, column: Option<f32>) -> anyhow::Result<Chain> {
        column.map_or_else(|| Ok(self.chain().clone()), |temperature| self.at(temperature))
    }

    /// The chain at a temperature, placed where the profile's engine applies it.
    pub(crate) fn at(&self, temperature: f32) -> anyhow::Result<Chain> {
        let chain = Temp::new(temperature).and_then(|t| self.settings.at(t));
        let chain = chain.map_err(|error| usage(format!("-t {temperature}: {error}")))?;
        hint_of_blunted(&chain);
        Ok(chain)
    }
}

/// The chain of the flags: `--sampler`, or the single flags in the order of the profile. A note
/// warns if a truncation comes before the temperature, or a penalty behind it.
pub(crate) fn controls(args: &SamplingArgs) -> anyhow::Result<Controls> {
    let profile: Profile =
        args.profile.parse().map_err(|error| usage(format!("--profile: {error}")))?;
    let settings = match &args.sampler {
        Some(chain) => chain.parse::<SamplingParams>().map_err(|error| unusable(&error))?,
        None => SamplingParams::of(profile, args.stages().iter().map(String::as_str))
            .map_err(|error| usage(format!("the sampling flags: {error}")))?,
    };
    if let Some(cut) = settings.chain().cut_before_heat() {
        terminal::note(&format!(
            "hint: here temperature comes after {cut}, so heat can't bring back what that removed"
        ));
    }
    hint_of_blunted(settings.chain());
    Ok(Controls { settings, is_typed: args.sampler.is_some() })
}

/// Says once that a penalty comes too late in a chain.
fn hint_of_blunted(chain: &Chain) {
    static SAID: Once = Once::new();
    if let Some(penalty) = chain.blunted() {
        SAID.call_once(|| {
            terminal::note(&format!(
                "hint: in {chain}, {penalty} comes after a stage that makes the largest logit 0, so \
                 it doesn't hold that token back: write it before"
            ));
        });
    }
}

/// What is wrong with the chain of `--sampler`. `text_temp` is in the notation of a sweep's
/// columns.
fn unusable(error: &ChainError) -> anyhow::Error {
    let said = error.to_string();
    usage(match said.contains("unknown stage `text_temp`") {
        true => "--sampler: text_temp isn't a stage of a chain, since it is of whole texts: \
                 `generate` and `compare` have it as --text-temperature, and `sweep` as both"
            .to_string(),
        false => format!("--sampler: {said}"),
    })
}

/// The chain that the model file recommends.
///
/// # Errors
/// If it recommends nothing, or what can't be done.
pub(crate) fn recommended(engine: &Engine) -> anyhow::Result<Recommended> {
    let found = Recommended::of(&engine.metadata).ok_or_else(|| {
        usage(
            "--recommended: the model file recommends no sampling settings (it has no keys \
             general.sampling.*)",
        )
    })?;
    match &found.problem {
        Some(problem) => Err(usage(format!("--recommended: {problem}"))),
        None => Ok(found),
    }
}

/// The chain that the model file recommends; flags replace its stages and its temperature.
pub(crate) fn start_recommended(
    engine: &Engine,
    args: &SamplingArgs,
    heat: &TempArgs,
) -> anyhow::Result<(Controls, Chain)> {
    let found = recommended(engine)?;
    let own = args.stages().iter().map(|stage| stage.parse()).collect::<Result<Vec<_>, _>>();
    let own = own.map_err(|error| usage(format!("the sampling flags: {error}")))?;
    let settings =
        found.params(&own).map_err(|problem| usage(format!("--recommended: {problem}")))?;
    let controls = Controls { settings, is_typed: false };
    let chain = match heat.temp.as_deref() {
        Some(typed) => controls.at(temperature(typed, Infinity::Refused)?)?,
        None => controls.chain().clone(),
    };
    terminal::note(&format!(
        "The model file recommends {} (general.sampling.*); the chain is {chain}.",
        found.chain.unwrap_or_default()
    ));
    Ok((controls, chain))
}

/// The chain of the flags of a verb with one temperature, also with that temperature set.
pub(crate) fn chain(args: &SamplingArgs, heat: &TempArgs) -> anyhow::Result<(Controls, Chain)> {
    let typed = heat.temp.as_deref();
    let temperature = typed.map(|typed| temperature(typed, Infinity::Refused)).transpose()?;
    let controls = controls(args)?;
    let chain = match temperature {
        Some(temperature) => {
            hint_at_threads(&[temperature]);
            controls.at(temperature)?
        }
        None => controls.chain().clone(),
    };
    Ok((controls, chain))
}

/// The seed, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seed {
    /// The seed of all random numbers.
    pub(crate) value: u64,
    /// It was drawn here rather than given, so it has to be shown.
    pub(crate) drawn: bool,
}

/// The given seed, or a fresh one below 2^32, which is short enough to type.
pub(crate) fn seed(typed: Option<u64>) -> anyhow::Result<Seed> {
    match typed {
        Some(value) => Ok(Seed { value, drawn: false }),
        None => {
            let value = getrandom::u32()
                .context("drawing a seed from the system failed (give one with --seed)")?;
            Ok(Seed { value: u64::from(value), drawn: true })
        }
    }
}

/// Refuses impossible lengths and stop strings before a model is loaded.
pub(crate) fn check_length(args: &LengthArgs) -> anyhow::Result<()> {
    if args.max_tokens == 0 {
        return Err(usage("-n is 0, but a continuation has at least one token"));
    }
    if args.stop.iter().any(String::is_empty) {
        return Err(usage(
            "--stop is empty, which would stop before the first character: give some text",
        ));
    }
    check_bans(&args.bans)
}

/// Refuses impossible banned strings before a model is loaded.
pub(crate) fn check_bans(args: &BanArgs) -> anyhow::Result<()> {
    let banned = banned_strings(&args.ban_string);
    banned.map(drop).map_err(|problem| usage(format!("--ban-string: {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_are_checked_one_by_one() {
        assert_eq!(temperatures("0.5, 1,2", Infinity::Refused).unwrap(), [0.5, 1.0, 2.0]);
        assert_eq!(temperatures("inf", Infinity::Allowed).unwrap(), [f32::INFINITY]);
        for bad in ["-1", "NaN", "inf", "", "1,,2", "1;2", "1e99", "-0.5", "1e-50"] {
            let error = temperatures(bad, Infinity::Refused).unwrap_err().to_string();
            assert!(error.contains("-t is"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_chain_that_names_a_temperature_is_shown_at_it() {
        let at = |typed: Option<&str>, chain: Option<&str>| {
            let chain = chain.map(|chain| chain.parse::<Chain>().unwrap());
            columns(typed, "0.5,1,2", chain.as_ref(), Infinity::Refused).unwrap()
        };
        let usual = [0.5, 1.0, 2.0].map(Some).to_vec();
        assert_eq!(at(None, None), usual);
        assert_eq!(at(None, Some("top_k=5 | temp=0.3")), [Some(0.3)]);
        assert_eq!(at(Some("1,2"), Some("temp=0.3")), [Some(1.0), Some(2.0)]);
        assert_eq!(at(None, Some("top_k=5")), usual);
        // Neither chain has a single temperature.
        assert_eq!(at(None, Some("dynatemp=0.5..1.5")), [None]);
        assert_eq!(at(None, Some("temp=2 | top_p=0.9 | temp=0.5")), [None]);
    }

    #[test]
    fn a_seed_that_was_typed_stays() {
        assert_eq!(seed(Some(7)).unwrap(), Seed { value: 7, drawn: false });
        assert!(seed(None).unwrap().drawn);
    }
}
