//! Writes stages as the settings of one engine, with notes on what differs.
//!
//! A stage's counterpart in an engine is in its row ([`kelvin_sampling::Counterpart`]). This file
//! has the rules for several settings together: which conflict, and in which order the engine runs
//! them.

use kelvin_sampling::{Chain, ChainError, Counterpart, List, Number, Profile, STAGES, Stage};
use serde_json::{Map, Value, json};

use super::ranges::Source;

/// Settings of one engine.
pub(super) struct Writer {
    profile: Profile,
    pub(super) settings: Map<String, Value>,
    /// The chain that the engine will run, which may lack some of the stages.
    pub(super) expressed: Vec<Stage>,
    pub(super) missing: Vec<String>,
}

type Pairs = Vec<(&'static str, kelvin_sampling::Value)>;

impl Writer {
    /// A writer whose settings turn off the engine's defaults.
    pub(super) fn new(profile: Profile) -> Writer {
        let mut settings = Map::new();
        if profile.asks_to_draw() {
            settings.insert("do_sample".into(), json!(true));
        }
        let there = STAGES.iter().filter_map(|info| info.counterpart(profile.engine()));
        for setting in there.flat_map(|counterpart| counterpart.settings) {
            match setting.off {
                None => continue,
                Some(Number::Whole(n)) => settings.insert(setting.name.into(), json!(n)),
                Some(Number::Real(x)) => settings.insert(setting.name.into(), json!(x)),
            };
        }
        Writer { profile, settings, expressed: Vec::new(), missing: Vec::new() }
    }

    /// Adds a stage: its settings, the stage that the engine will run, and notes on what differs.
    pub(super) fn add(&mut self, stage: &Stage, source: &Source) {
        match self.fit(stage, source) {
            Ok((real, pairs, changed)) => {
                self.settings.extend(
                    pairs.into_iter().map(|(key, value)| (key.to_string(), as_json(value))),
                );
                self.expressed.push(real);
                self.missing.extend(changed.map(|reason| format!("{stage}: {reason}")));
            }
            Err(reason) => self.missing.push(format!("{stage}: {reason}")),
        }
    }

    /// Why a stage can't be added to the earlier ones; `None` if it can. `real` is the stage as the
    /// engine runs it.
    fn clash(&self, stage: &Stage, real: &Stage) -> Option<String> {
        let name = self.profile.name();
        let has = |is: &dyn Fn(&Stage) -> bool| self.expressed.iter().any(is);
        if has(&|other| other.info().name == stage.info().name) {
            return Some(format!("{name} has each stage once"));
        }
        if stage.heats() && has(&Stage::heats) {
            return Some(format!("{name} takes one temperature"));
        }
        let there = self.counterpart(stage)?;
        for setting in there.settings {
            let Some(key) = setting.key else { continue };
            let shares = |other: &Stage| {
                let settings = self.counterpart(other).map_or(&[][..], |there| there.settings);
                settings.iter().any(|other| other.name == setting.name)
            };
            if has(&|other| shares(other) && other.param(Some(key)) != real.param(Some(key))) {
                let all: Vec<&str> = self.all_with(setting.name).collect();
                return Some(format!("{name} has one {key} for {}", listed(&all)));
            }
        }
        if let List::Instead { beside, why } = there.list
            && has(&|other| !beside.contains(&other.info().name))
        {
            return Some(format!("{name}'s {why}"));
        }
        None
    }

    /// The names of all stages with a setting.
    fn all_with(&self, setting: &str) -> impl Iterator<Item = &'static str> {
        let has = move |there: &Counterpart| there.settings.iter().any(|s| s.name == setting);
        let engine = self.profile.engine();
        STAGES.iter().filter(move |i| i.counterpart(engine).is_some_and(has)).map(|info| info.name)
    }

    /// The stage as the engine can run it, its settings, and a note on what was changed; or the
    /// reason why the engine can't run it.
    fn fit(
        &self,
        stage: &Stage,
        source: &Source,
    ) -> Result<(Stage, Pairs, Option<String>), String> {
        let (name, engine) = (self.profile.name(), self.profile.engine());
        let fitted = stage.clone().fitted(self.profile);
        let (mut real, note) = fitted.map_err(|error| error.to_string())?;
        if let Some(reason) = self.clash(stage, &real) {
            return Err(reason);
        }
        let mut changed = note.map(|note| format!("{name} {note}"));
        if let Some(there) = self.counterpart(stage).filter(|there| !there.remark.is_empty()) {
            changed = Some(format!("{name} {}", there.remark));
        }
        let mut pairs = real.settings(engine)?;
        let outside = |pairs: &Pairs| {
            let numbers = pairs
                .iter()
                .flat_map(|(key, value)| value.numbers().into_iter().map(move |x| (*key, x)));
            numbers.into_iter().find_map(|(key, x)| Some((key, source.refuses(key, x)?)))
        };
        if let Some((key, reason)) = outside(&pairs) {
            let moved =
                source.range(key).and_then(|range| real.clamped(range)).ok_or(reason.as_str())?;
            pairs = moved.settings(engine)?;
            if let Some((_, reason)) = outside(&pairs) {
                return Err(reason);
            }
            changed = Some(format!("{reason}, so {moved} is written"));
            real = moved;
        }
        let is_list = |value: &kelvin_sampling::Value| {
            matches!(value, kelvin_sampling::Value::List(_) | kelvin_sampling::Value::Map(_))
        };
        if let Some((key, _)) =
            pairs.iter().find(|(key, value)| is_list(value) && self.settings.contains_key(*key))
        {
            return Err(format!("`{key}` is taken by another stage"));
        }
        Ok((real, pairs, changed))
    }

    /// The chain that the engine runs, in its own order.
    pub(super) fn runs(&self) -> Result<Vec<Stage>, ChainError> {
        let chain: Chain = self.profile.chain(&self.expressed)?;
        let place = |is: &dyn Fn(&Stage) -> bool| self.expressed.iter().position(is);
        let same = |a: &Stage, b: &Stage| a.info().name == b.info().name;
        // A default that is turned off isn't part of the order.
        let stages = chain.stages().iter().filter(|stage| place(&|o| same(o, stage)).is_some());
        let mut runs: Vec<Stage> = stages.cloned().collect();
        if self.profile.name() == "llama.cpp" {
            // llama.cpp's list of samplers can have any order. Some stages share a name in it.
            let list = |stage: &Stage| self.counterpart(stage).map(|there| there.list);
            runs.sort_by_key(|stage| match list(stage) {
                Some(List::Before) => (None, self.profile.place(stage.info().name)),
                Some(named @ List::Named(_)) => {
                    (place(&|o| list(o) == Some(named)), self.profile.place(stage.info().name))
                }
                _ => (place(&|o| same(o, stage)), None),
            });
        }
        Ok(runs)
    }

    fn counterpart(&self, stage: &Stage) -> Option<&'static Counterpart> {
        stage.info().counterpart(self.profile.engine())
    }
}

/// llama.cpp's list of samplers for stages in this order; `None` if one runs instead of the list.
pub(super) fn samplers(stages: &[Stage], profile: Profile) -> Option<Value> {
    let mut names = Vec::new();
    for stage in stages {
        match stage.info().counterpart(profile.engine())?.list {
            List::Named(name) => names.push(name),
            List::Before => {}
            List::Instead { .. } => return None,
        }
    }
    names.dedup();
    Some(names.into())
}

/// "a, b and c".
fn listed(names: &[&str]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}

fn as_json(value: kelvin_sampling::Value) -> Value {
    use kelvin_sampling::Value as Said;
    match value {
        Said::Whole(n) => json!(n),
        Said::Real(x) => json!(x),
        Said::Flag(flag) => json!(flag),
        Said::Text(text) => json!(text),
        Said::List(items) => items.into_iter().map(as_json).collect(),
        Said::Map(pairs) => {
            Value::Object(pairs.into_iter().map(|(key, value)| (key, as_json(value))).collect())
        }
    }
}
