//! Settings of another engine as stages: the way back from `Chain.to`.

use kelvin_sampling::{Profile, STAGES, Stage};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyDict};

use crate::parts::value_error;

/// The stages that `settings` ask for, by the names that the engine of `profile` has for them.
pub(crate) fn stages(
    profile: Profile,
    settings: Option<&Bound<'_, PyDict>>,
) -> PyResult<Vec<Stage>> {
    let mut texts: Vec<(&str, Vec<String>)> = Vec::new();
    for (name, value) in settings.into_iter().flatten() {
        let name: String = name.extract()?;
        let value: f64 = value.extract().map_err(|_| {
            PyValueError::new_err(format!("the setting {name:?} is {value}, expected a number"))
        })?;
        let mut is_known = false;
        for info in STAGES {
            let there = info.counterpart(profile.engine()).map_or(&[][..], |there| there.settings);
            for setting in there.iter().filter(|setting| setting.name == name) {
                is_known = true;
                let text = setting.key.map_or(value.to_string(), |key| format!("{key}:{value}"));
                match texts.iter_mut().find(|(stage, _)| *stage == info.name) {
                    Some((_, values)) if setting.key.is_none() => values.insert(0, text),
                    Some((_, values)) => values.push(text),
                    None => texts.push((info.name, vec![text])),
                }
            }
        }
        if !is_known {
            return Err(PyValueError::new_err(format!(
                "{} has no setting {name:?} that a chain can express; it has {}",
                profile.name(),
                known(profile)
            )));
        }
    }
    // Settings that several stages share don't turn those on by themselves.
    let is_asked = |(_, values): &&(&str, Vec<String>)| !values[0].contains(':');
    let stage = |(name, values): &(&str, Vec<String>)| {
        profile.stage(&format!("{name}={}", values.join(","))).map_err(value_error)
    };
    texts.iter().filter(is_asked).map(stage).collect()
}

/// The names of all settings that a chain can express.
fn known(profile: Profile) -> String {
    let mut names: Vec<&str> = STAGES
        .iter()
        .filter_map(|info| info.counterpart(profile.engine()))
        .flat_map(|there| there.settings.iter().map(|setting| setting.name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}
