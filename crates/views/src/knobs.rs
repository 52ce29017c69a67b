//! A stage's name in, what can be turned on it out: the parameters of its notation with their
//! ranges and where they begin.
//!
//! Ranges are those in which turning is useful, within what the stage allows; anything it allows
//! can still be typed.

use kelvin_sampling::STAGES;
use serde::Serialize;

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Knob {
    /// The key in the notation; null for the value right after the name.
    pub key: Option<&'static str>,
    /// In a word or two.
    pub label: &'static str,
    /// How it is turned.
    pub kind: Kind,
    /// What it begins with.
    pub start: &'static str,
    /// How far a slider goes, if it has one.
    pub low: f64,
    /// The other end of the slider.
    pub high: f64,
    /// The slider's step.
    pub step: f64,
}

/// How it's turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A temperature, from 0 to ∞ on the page's own scale.
    Temperature,
    /// A real number.
    Number,
    /// A whole number.
    Whole,
    /// Two temperatures, `lo..hi`.
    Range,
    /// `prompt+output` or `output`.
    Scope,
    /// Whatever the notation takes.
    Text,
}

const fn number(
    key: Option<&'static str>,
    label: &'static str,
    start: &'static str,
    [low, high, step]: [f64; 3],
) -> Knob {
    Knob { key, label, kind: Kind::Number, start, low, high, step }
}

const fn whole(
    key: Option<&'static str>,
    label: &'static str,
    start: &'static str,
    [low, high]: [f64; 2],
) -> Knob {
    Knob { key, label, kind: Kind::Whole, start, low, high, step: 1.0 }
}

const fn other(
    key: Option<&'static str>,
    label: &'static str,
    kind: Kind,
    start: &'static str,
) -> Knob {
    Knob { key, label, kind, start, low: 0.0, high: 0.0, step: 0.0 }
}

const SHARE: [f64; 3] = [0.0, 1.0, 0.01];
const WINDOW: Knob = whole(Some("window"), "last tokens", "-1", [-1.0, 512.0]);

/// Stages and what they have to turn.
const TABLE: &[(&str, &[Knob])] = &[
    ("bias", &[other(None, "token:number", Kind::Text, "0:0")]),
    ("mask", &[other(None, "token ids", Kind::Text, "not,0")]),
    (
        "repetition",
        &[
            number(None, "θ", "1.1", [0.5, 2.0, 0.01]),
            WINDOW,
            other(Some("scope"), "counts", Kind::Scope, "prompt+output"),
        ],
    ),
    (
        "frequency",
        &[
            number(None, "each time", "0.5", [-2.0, 2.0, 0.05]),
            WINDOW,
            other(Some("scope"), "counts", Kind::Scope, "output"),
        ],
    ),
    (
        "presence",
        &[
            number(None, "once", "0.5", [-2.0, 2.0, 0.05]),
            WINDOW,
            other(Some("scope"), "counts", Kind::Scope, "output"),
        ],
    ),
    (
        "dry",
        &[
            number(None, "m", "0.8", [0.0, 5.0, 0.05]),
            number(Some("base"), "base", "1.75", [1.0, 4.0, 0.05]),
            whole(Some("length"), "free length", "2", [1.0, 20.0]),
        ],
    ),
    ("no_repeat_ngram", &[whole(None, "n", "3", [0.0, 10.0])]),
    ("temp", &[other(None, "T", Kind::Temperature, "1")]),
    (
        "dynatemp",
        &[
            other(None, "from T to T", Kind::Range, "0.5..1.5"),
            number(Some("exponent"), "exponent", "1", [0.0, 4.0, 0.1]),
        ],
    ),
    (
        "edt",
        &[
            number(None, "T0", "1", [0.05, 4.0, 0.05]),
            number(Some("theta"), "θ", "0.1", [0.0, 2.0, 0.05]),
        ],
    ),
    (
        "quadratic",
        &[
            number(None, "f", "0.2", [0.0, 2.0, 0.05]),
            number(Some("curve"), "curve", "1", [1.0, 5.0, 0.1]),
        ],
    ),
    ("top_k", &[whole(None, "k", "40", [0.0, 200.0])]),
    ("top_p", &[number(None, "p", "0.95", [0.01, 1.0, 0.01])]),
    ("min_p", &[number(None, "m", "0.05", SHARE)]),
    ("top_n_sigma", &[number(None, "n", "1", [0.0, 5.0, 0.05])]),
    ("typical", &[number(None, "τ", "0.95", [0.01, 1.0, 0.01])]),
    ("top_h", &[number(None, "h", "0.5", [0.01, 1.0, 0.01])]),
    ("epsilon", &[number(None, "ε", "0.001", [0.0, 0.1, 0.0005])]),
    ("eta", &[number(None, "ε", "0.001", [0.0, 0.1, 0.0005])]),
    ("top_a", &[number(None, "a", "0.2", SHARE)]),
    ("p_less", &[]),
    ("tfs", &[number(None, "z", "0.95", [0.01, 1.0, 0.01])]),
    (
        "xtc",
        &[
            number(None, "chance", "0.5", SHARE),
            number(Some("threshold"), "threshold", "0.1", SHARE),
        ],
    ),
    (
        "adaptive_p",
        &[
            number(None, "target", "0.4", SHARE),
            number(Some("decay"), "decay", "0.9", [0.0, 0.99, 0.01]),
        ],
    ),
    (
        "mirostat",
        &[
            number(None, "τ in bits", "5", [0.0, 12.0, 0.1]),
            number(Some("eta"), "η", "0.1", [0.0, 1.0, 0.01]),
            whole(Some("version"), "version", "2", [1.0, 2.0]),
        ],
    ),
];

/// What can be turned on a stage.
pub fn knobs(stage: &str) -> &'static [Knob] {
    debug_assert!(STAGES.iter().any(|info| info.name == stage));
    TABLE.iter().find(|(name, _)| *name == stage).map_or(&[], |(_, knobs)| knobs)
}

#[cfg(test)]
mod tests {
    use kelvin_sampling::Chain;

    use super::*;

    /// A stage in the notation, with one knob turned to `value`.
    fn written(name: &str, knobs: &[Knob], turned: usize, value: &str) -> String {
        let part = |(i, knob): (usize, &Knob)| {
            let value = if i == turned { value } else { knob.start };
            knob.key.map_or(value.to_string(), |key| format!("{key}:{value}"))
        };
        let parts: Vec<String> = knobs.iter().enumerate().map(part).collect();
        if parts.is_empty() { name.to_string() } else { format!("{name}={}", parts.join(",")) }
    }

    #[test]
    fn every_stage_has_its_row_and_every_end_of_every_slider_is_allowed() {
        assert_eq!(TABLE.len(), STAGES.len());
        for info in STAGES {
            let (_, knobs) = TABLE.iter().find(|(name, _)| *name == info.name).expect(info.name);
            let begin = written(info.name, knobs, usize::MAX, "");
            begin.parse::<Chain>().unwrap_or_else(|error| panic!("{begin}: {error}"));
            for (i, knob) in knobs.iter().enumerate() {
                let ends = match knob.kind {
                    Kind::Number | Kind::Whole => vec![knob.low.to_string(), knob.high.to_string()],
                    Kind::Temperature => vec!["0".into(), "99".into()],
                    Kind::Range => vec!["0..0".into(), "0.1..9".into()],
                    Kind::Scope => vec!["output".into(), "prompt+output".into()],
                    Kind::Text => vec![knob.start.into()],
                };
                for end in ends {
                    let stage = written(info.name, knobs, i, &end);
                    stage.parse::<Chain>().unwrap_or_else(|error| panic!("{stage}: {error}"));
                }
            }
        }
    }
}
