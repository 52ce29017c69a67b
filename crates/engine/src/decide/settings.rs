//! How questions are asked and their answers heated: what a caller sets, and what a calibration
//! says.

use std::collections::BTreeMap;

use super::{form::Layout, question::Kind};

/// Temperatures that were fitted for one way of asking.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// The layout of the prompts.
    pub layout: Layout,
    /// The number of rotations.
    pub rotations: usize,
    /// Whether the prompts were in the model's chat template.
    pub chat: bool,
    /// A temperature above 0 for each kind that was fitted.
    pub temperatures: BTreeMap<Kind, f64>,
}

/// What a caller sets. What isn't set is the calibration's, or else one order, the question first,
/// and T = 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Settings {
    /// The layout of the prompts.
    pub layout: Option<Layout>,
    /// The number of rotations.
    pub rotations: Option<usize>,
    /// The temperature, for every kind and in place of the calibration's.
    pub temperature: Option<f64>,
}

/// Why settings can't be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// A temperature that isn't one.
    #[error("the temperature of a decision is {0}, but it has to be above 0 and finite")]
    Temperature(f64),
    /// No rotation.
    #[error("0 rotations ask nothing: give at least 1")]
    NoRotation,
    /// Settings that aren't the calibration's.
    #[error(
        "the calibration was fitted with {fitted}, but {asked} asked for: its temperatures don't \
         hold then"
    )]
    Other {
        /// The setting: `layout`, `rotations`, or `questions` for the chat template.
        setting: &'static str,
        /// What the calibration has.
        fitted: String,
        /// What was asked for.
        asked: String,
    },
    /// A kind that wasn't fitted.
    #[error(
        "the calibration has no temperature for questions of the kind {0}: calibrate with examples \
         of it, or give a temperature"
    )]
    Kind(Kind),
}

impl SettingsError {
    /// The setting that the error is about, by its name in the server's API.
    pub fn setting(&self) -> &'static str {
        match self {
            SettingsError::Temperature(_) => "temperature",
            SettingsError::NoRotation => "rotations",
            SettingsError::Other { setting, .. } => setting,
            SettingsError::Kind(_) => "questions",
        }
    }
}

impl Settings {
    /// Refuses settings that aren't any, and those that contradict a calibration whose
    /// temperatures they need.
    ///
    /// # Errors
    /// A sentence about the setting.
    pub fn check(&self, fitted: Option<&Calibrated>, chat: bool) -> Result<(), SettingsError> {
        if let Some(t) = self.temperature.filter(|&t| !(t > 0.0 && t.is_finite())) {
            return Err(SettingsError::Temperature(t));
        }
        if self.rotations == Some(0) {
            return Err(SettingsError::NoRotation);
        }
        let Some(fitted) = fitted.filter(|_| self.temperature.is_none()) else { return Ok(()) };
        let other = |setting, fitted: String, asked: String| {
            Err(SettingsError::Other { setting, fitted, asked })
        };
        let template = |chat: bool| if chat { "the chat template" } else { "raw prompts" };
        match (self.layout, self.rotations) {
            (Some(layout), _) if layout != fitted.layout => {
                let (has, asked) = (fitted.layout.name(), layout.name());
                other("layout", format!("layout {has}"), format!("{asked} is"))
            }
            (_, Some(n)) if n != fitted.rotations => {
                let s = if fitted.rotations == 1 { "" } else { "s" };
                let has = format!("{} rotation{s}", fitted.rotations);
                other("rotations", has, format!("{n} are"))
            }
            _ if chat != fitted.chat => {
                let asked = format!("{} are", template(chat));
                other("questions", template(fitted.chat).to_string(), asked)
            }
            _ => Ok(()),
        }
    }

    /// The layout.
    pub fn layout(&self, fitted: Option<&Calibrated>) -> Layout {
        self.layout.or(fitted.map(|fitted| fitted.layout)).unwrap_or_default()
    }

    /// The number of rotations, at least 1.
    pub fn rotations(&self, fitted: Option<&Calibrated>) -> usize {
        self.rotations.or(fitted.map(|fitted| fitted.rotations)).unwrap_or(1)
    }

    /// The temperature of a kind.
    ///
    /// # Errors
    /// If it is the calibration's, and that has none.
    pub fn temperature(
        &self,
        fitted: Option<&Calibrated>,
        kind: Kind,
    ) -> Result<f64, SettingsError> {
        match (self.temperature, fitted) {
            (Some(t), _) => Ok(t),
            (None, None) => Ok(1.0),
            (None, Some(fitted)) => {
                fitted.temperatures.get(&kind).copied().ok_or(SettingsError::Kind(kind))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calibration_holds_for_its_own_way_of_asking() {
        let fitted = Calibrated {
            layout: Layout::TextFirst,
            rotations: 2,
            chat: true,
            temperatures: BTreeMap::from([(Kind::Choice, 2.5)]),
        };
        let none = Settings::default();
        assert!(none.check(Some(&fitted), true).is_ok() && none.check(None, false).is_ok());
        assert_eq!((none.layout(None), none.rotations(None)), (Layout::QuestionFirst, 1));
        assert_eq!(
            (none.layout(Some(&fitted)), none.rotations(Some(&fitted))),
            (Layout::TextFirst, 2)
        );
        assert_eq!(none.temperature(Some(&fitted), Kind::Choice), Ok(2.5));
        assert_eq!(none.temperature(None, Kind::Score), Ok(1.0));
        assert_eq!(
            none.temperature(Some(&fitted), Kind::Score),
            Err(SettingsError::Kind(Kind::Score))
        );
        let own = Settings { temperature: Some(3.0), rotations: Some(9), ..none };
        assert!(own.check(Some(&fitted), false).is_ok(), "its temperatures aren't used");
        assert_eq!(own.temperature(Some(&fitted), Kind::Score), Ok(3.0));
        let said =
            |settings: Settings, chat| settings.check(Some(&fitted), chat).unwrap_err().to_string();
        assert_eq!(
            said(Settings { rotations: Some(1), ..none }, true),
            "the calibration was fitted with 2 rotations, but 1 are asked for: its temperatures \
             don't hold then"
        );
        assert!(
            said(Settings { layout: Some(Layout::QuestionFirst), ..none }, true)
                .contains("layout text-first, but question-first is")
        );
        assert!(said(none, false).contains("the chat template, but raw prompts are asked for"));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let settings = Settings { temperature: Some(bad), ..none };
            assert!(settings.check(None, true).is_err(), "{bad}");
        }
        assert!(Settings { rotations: Some(0), ..none }.check(None, true).is_err());
    }
}
