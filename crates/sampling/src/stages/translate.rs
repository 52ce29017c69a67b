//! A stage in the settings of another engine, by the table of its counterpart there.

use super::{Counterpart, Setting, Settings, Stage, Value};
use crate::Engine;

/// The reason of an engine that doesn't have a stage.
pub(super) fn no_such(engine: Engine) -> String {
    format!("{} has no such control", engine.name())
}

impl Stage {
    /// A value as the notation prints it, or the notation's default where it isn't printed. `None`
    /// is the value right after the name. `None` comes back if the stage has no such parameter.
    ///
    /// ```
    /// use kelvin_sampling::Stage;
    ///
    /// let xtc: Stage = "xtc=0.5".parse()?;
    /// assert_eq!(xtc.param(None).as_deref(), Some("0.5"));
    /// assert_eq!(xtc.param(Some("threshold")).as_deref(), Some("0.1"));
    /// # Ok::<(), kelvin_sampling::ChainError>(())
    /// ```
    pub fn param(&self, key: Option<&str>) -> Option<String> {
        let text = self.to_string();
        let values = text.split_once('=').map_or("", |(_, values)| values);
        let printed = values.split(',').find_map(|item| match (item.split_once(':'), key) {
            (None, None) => Some(item),
            (Some((name, value)), Some(key)) if name == key => Some(value),
            _ => None,
        });
        let params = self.info().params.iter();
        let default = || params.filter(|param| key.is_some() && param.key == key).map(|p| p.start);
        printed.or_else(|| default().next()).map(str::to_string)
    }

    /// The settings of another engine that express this stage.
    ///
    /// # Errors
    /// Why there are none, as a sentence: the engine doesn't have the stage, or not with these
    /// parameters. Ranges aren't checked here.
    pub fn settings(&self, engine: Engine) -> Settings {
        let Some(counterpart) = self.info().counterpart(engine) else {
            return Err(no_such(engine));
        };
        for fixed in counterpart.fixed {
            if self.param(Some(fixed.key)).as_deref() != Some(fixed.value) {
                return Err(format!("{} {}", engine.name(), fixed.why));
            }
        }
        if let Some(own) = self.own_settings(counterpart) {
            return own;
        }
        self.by_table(counterpart)
    }

    /// Each parameter under its name in the other engine.
    fn by_table(&self, counterpart: &Counterpart) -> Settings {
        if counterpart.settings.is_empty() {
            return Err(no_such(counterpart.engine));
        }
        let value = |setting: &Setting| {
            let text = self.param(setting.key)?;
            // Digits as they are printed: an f32 keeps those that it was typed with.
            let number: f64 = text.parse().ok()?;
            let value =
                if setting.whole { Value::Whole(number as i64) } else { Value::Real(number) };
            Some((setting.name, value))
        };
        let all: Option<Vec<_>> = counterpart.settings.iter().map(value).collect();
        all.ok_or_else(|| no_such(counterpart.engine))
    }
}

/// The shortest decimal of an f32 as a number: the digits that it was typed with.
pub(super) fn short(x: f32) -> Value {
    Value::Real(x.to_string().parse().unwrap_or(f64::from(x)))
}
