//! Finds where texts with equal random numbers diverge as temperature rises.

use super::{Evidence, Parting, SEED, Setting, Value};
use crate::{
    metrics::parting,
    statistics::{Estimate, Series},
};

/// For each setting with a temperature, the next hotter one of its family.
pub(super) fn partings(evidence: &[Evidence], settings: &[Setting]) -> Vec<Parting> {
    let mut found = Vec::new();
    for (colder, setting) in settings.iter().enumerate() {
        let Some(t) = setting.temperature else { continue };
        let hotter = settings.iter().enumerate().filter(|(_, other)| {
            (other.run, &other.family) == (setting.run, &setting.family)
                && other.temperature.is_some_and(|other| other > t)
        });
        let temperature = |setting: &Setting| setting.temperature.unwrap_or(0.0);
        let Some((hotter, other)) =
            hotter.min_by(|a, b| temperature(a.1).total_cmp(&temperature(b.1)))
        else {
            continue;
        };
        let run = &evidence[setting.run].run;
        let (mut pairs, mut together) = (0, 0);
        let prompts = (0..run.prompts.len()).map(|prompt| {
            let mut values = vec![None; run.n_samples];
            for a in run.cell(prompt, setting.index) {
                let b = run.cell(prompt, other.index).iter().find(|b| b.sample == a.sample);
                let b = b.filter(|b| a.reported().is_some() && b.reported().is_some());
                if let (Some(b), Some(place)) = (b, values.get_mut(a.sample)) {
                    let at = parting(a, b);
                    pairs += 1;
                    together += usize::from(at.is_none());
                    *place = Some(at.unwrap_or(a.tokens.len()) as f64);
                }
            }
            values
        });
        let series = Series::new(prompts.collect()).within(0.0, run.max_tokens as f64);
        if pairs > 0 {
            found.push(Parting {
                colder,
                hotter,
                token: Estimate::of(&series, SEED).as_ref().map(Value::of),
                together: together as f64 / pairs as f64,
            });
        }
    }
    found
}
