//! Temperatures of texts beside temperatures of tokens: what a text costs, and the thermodynamics
//! of texts against T.

use super::{Evidence, Setting, Whole, WholeHeat};
use crate::{
    run::Sample,
    statistics::{Measured, TextHeat, text_heat},
    text_quality::{OfMethod, TextQuality},
};

/// What each setting's texts cost, if some were drawn as a whole.
pub(super) fn whole(evidence: &[Evidence], settings: &[Setting]) -> Vec<Whole> {
    if !settings.iter().any(|setting| setting.whole) {
        return Vec::new();
    }
    let one = |(i, setting): (usize, &Setting)| {
        let run = &evidence[setting.run].run;
        let of_setting = |sample: &&Sample| sample.chain == setting.index;
        let samples: Vec<&Sample> = run.samples.iter().filter(of_setting).collect();
        let n = samples.len() as f64;
        let mean = |of: fn(&Sample) -> usize| samples.iter().map(|s| of(s) as f64).sum::<f64>() / n;
        let is_missing = |sample: &&&Sample| {
            let method = sample.whole.as_ref().map(|whole| &whole.of_method);
            matches!(method, Some(OfMethod::Exact { accepted: false, .. }))
        };
        (!samples.is_empty()).then(|| Whole {
            setting: i,
            tokens: mean(|sample| sample.tokens.len()),
            computed: mean(Sample::n_computed),
            not_accepted: samples.iter().filter(is_missing).count(),
            quality: quality(&samples),
            heat: setting.temperature.and_then(|t| heat(evidence, setting, t)),
        })
    };
    settings.iter().enumerate().filter_map(one).collect()
}

/// What the methods say of their own quality, as means.
fn quality(samples: &[&Sample]) -> Option<String> {
    let whole = || samples.iter().filter_map(|sample| sample.whole.as_ref());
    let n = whole().count() as f64;
    let mean =
        |of: &dyn Fn(&OfMethod) -> f64| whole().map(|whole| of(&whole.of_method)).sum::<f64>() / n;
    let words = match whole().next()?.of_method {
        OfMethod::Exact { .. } => {
            let tries = mean(&|of| match of {
                OfMethod::Exact { tries, .. } => *tries as f64,
                _ => 0.0,
            });
            format!("{tries:.1} tries")
        }
        OfMethod::Smc { particles, .. } => {
            let figure = |which: usize| {
                mean(&|of| match of {
                    OfMethod::Smc { ess, resamplings, ancestors, .. } => {
                        [*ess, *resamplings as f64, *ancestors as f64][which]
                    }
                    _ => 0.0,
                })
            };
            let [ess, resamplings, ancestors] = [0, 1, 2].map(figure);
            format!(
                "{ess:.1} of {particles} particles effective, {resamplings:.1} resamplings, \
                 {ancestors:.1} ancestors"
            )
        }
        OfMethod::Mcmc { .. } => {
            let acceptance = mean(&|of| match of {
                OfMethod::Mcmc { acceptance, .. } => *acceptance,
                _ => 0.0,
            });
            format!("{:.0} % of moves accepted", acceptance * 100.0)
        }
    };
    Some(words)
}

/// The thermodynamics of a setting's texts: of each prompt, and the mean over prompts. Errors are
/// over dice, for these prompts.
fn heat(evidence: &[Evidence], setting: &Setting, t: f64) -> Option<WholeHeat> {
    let run = &evidence[setting.run].run;
    let of_prompt = |prompt: usize| {
        let wholes = run.cell(prompt, setting.index).iter().map(|sample| sample.whole.as_ref());
        let particles: Option<Vec<_>> =
            wholes.map(|whole| whole.and_then(TextQuality::particles)).collect();
        text_heat(t, &particles?)
    };
    let all: Vec<TextHeat> = (0..run.prompts.len()).filter_map(of_prompt).collect();
    let n = all.len() as f64;
    let mean = |of: fn(&TextHeat) -> Measured| {
        let value = all.iter().map(|heat| of(heat).value).sum::<f64>() / n;
        let errors: Option<Vec<f64>> = all.iter().map(|heat| of(heat).error).collect();
        let error = errors.map(|all| libm::sqrt(all.iter().map(|e| e * e).sum::<f64>()) / n);
        Measured { value, error }
    };
    (!all.is_empty()).then(|| WholeHeat {
        prompts: all.len(),
        free_energy: mean(|heat| heat.free_energy),
        energy: mean(|heat| heat.energy),
        entropy: mean(|heat| heat.entropy),
        heat_capacity: mean(|heat| heat.heat_capacity),
    })
}
