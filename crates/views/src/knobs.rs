//! The parameters of a stage as the studio's sliders and forms show them.

use kelvin_sampling::{Param, ParamKind, StageInfo};
use serde::Serialize;

/// A parameter of a stage.
///
/// The range is the useful part of what the stage allows. Other allowed values can still be typed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Knob {
    /// The key in the notation; null for the value that follows the stage's name.
    pub key: Option<&'static str>,
    /// Label of one or two words.
    pub label: &'static str,
    /// Kind of input.
    pub kind: Kind,
    /// Initial value of a form.
    pub start: &'static str,
    /// The lower end of a slider; 0 without a slider.
    pub low: f64,
    /// The upper end of a slider; 0 without a slider.
    pub high: f64,
    /// The step of a slider; 0 without a slider.
    pub step: f64,
}

/// How a parameter is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A temperature, from 0 to ∞ on the page's own scale.
    Temperature,
    /// A number.
    Number,
    /// A whole number.
    Whole,
    /// Two temperatures, `lo..hi`.
    Range,
    /// `prompt+output` or `output`.
    Scope,
    /// A text in the notation of the stage.
    Text,
}

impl From<&Param> for Knob {
    fn from(param: &Param) -> Knob {
        let Param { key, label, kind, start, low, high, step } = *param;
        let kind = match kind {
            ParamKind::Temperature => Kind::Temperature,
            ParamKind::Number => Kind::Number,
            ParamKind::Whole => Kind::Whole,
            ParamKind::Range => Kind::Range,
            ParamKind::Scope => Kind::Scope,
            ParamKind::Text => Kind::Text,
        };
        Knob { key, label, kind, start, low, high, step }
    }
}

/// The parameters of a stage.
pub fn knobs(stage: &StageInfo) -> Vec<Knob> {
    stage.params.iter().map(Knob::from).collect()
}

#[cfg(test)]
mod tests {
    use kelvin_sampling::STAGES;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_parameter_is_a_knob() {
        for info in STAGES {
            assert_eq!(knobs(info).len(), info.params.len(), "{}", info.name);
        }
        const MADE_UP: StageInfo = StageInfo {
            params: &[Param::number("x", "2", [0.0, 9.0, 0.5]).named("floor")],
            ..StageInfo::BLANK
        };
        assert_eq!(
            json!(knobs(&MADE_UP)),
            json!([{ "key": "floor", "label": "x", "kind": "number", "start": "2", "low": 0.0,
                "high": 9.0, "step": 0.5 }])
        );
    }
}
