//! Settings of another engine as stages: the way back from `Chain.to`.

use kelvin_sampling::{ChainError, Number, Profile, STAGES, Setting, Stage};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyDict};

use crate::parts::value_error;

/// The stages that `settings` ask for, by the names that the engine of `profile` has for them. A
/// setting that turns its stage off asks for nothing.
pub(crate) fn stages(
    profile: Profile,
    settings: Option<&Bound<'_, PyDict>>,
) -> PyResult<Vec<Stage>> {
    let given = numbers(settings)?;
    let mut is_used = vec![false; given.len()];
    let mut found = Vec::new();
    let mut refusal: Vec<Option<ChainError>> = vec![None; given.len()];
    for info in STAGES {
        let own = info.counterpart(profile.engine()).map_or(&[][..], |there| there.settings);
        // The value right after the name turns a stage on; keys alone belong to whoever is on.
        let mut main = None;
        let mut values = String::new();
        for setting in own {
            let Some(i) = given.iter().position(|(name, _)| name == setting.name) else { continue };
            let number = given[i].1;
            if is_off(setting, number) {
                is_used[i] = true;
                continue;
            }
            match setting.key {
                None => main = Some((i, number)),
                Some(key) => values.push_str(&format!(",{key}:{number}")),
            }
        }
        let Some((i, number)) = main else { continue };
        match profile.stage(&format!("{}={number}{values}", info.name)) {
            Ok(stage) => {
                is_used[i] = true;
                for setting in own {
                    let same = |(name, _): &(String, f64)| name == setting.name;
                    given.iter().position(same).into_iter().for_each(|i| is_used[i] = true);
                }
                found.push(stage);
            }
            Err(error) => refusal[i] = Some(error),
        }
    }
    match is_used.iter().position(|used| !used) {
        None => Ok(found),
        Some(i) => Err(refusal[i].take().map_or_else(|| unused(profile, &given[i].0), value_error)),
    }
}

fn numbers(settings: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<(String, f64)>> {
    let pairs = settings.into_iter().flatten();
    let pair = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let name: String = name.extract()?;
        let number = value.extract().map_err(|_| {
            PyValueError::new_err(format!("the setting {name:?} is {value}, expected a number"))
        })?;
        Ok((name, number))
    };
    pairs.map(pair).collect()
}

fn is_off(setting: &Setting, number: f64) -> bool {
    match setting.off {
        Some(Number::Whole(off)) => number == off as f64,
        Some(Number::Real(off)) => number == off,
        None => false,
    }
}

/// A setting that no stage of the engine took.
fn unused(profile: Profile, name: &str) -> PyErr {
    let mut names: Vec<&str> = STAGES
        .iter()
        .filter_map(|info| info.counterpart(profile.engine()))
        .flat_map(|there| there.settings.iter().map(|setting| setting.name))
        .collect();
    names.sort_unstable();
    names.dedup();
    let engine = profile.name();
    PyValueError::new_err(if names.contains(&name) {
        format!(
            "the setting {name:?} of {engine} says nothing without the stage that it belongs to"
        )
    } else {
        format!(
            "{engine} has no setting {name:?} that a chain can express; it has {}",
            names.join(", ")
        )
    })
}
