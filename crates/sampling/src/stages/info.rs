//! The description of a kind of stage. Every list of stages is made from it: help, flags, API
//! fields, the studio's sliders, profiles, translations, the book's table, and tests.

use std::fmt;

use super::counterpart::{Counterpart, Range};
use crate::{
    Engine,
    error::{ChainError, SampleError},
};

/// The description of one kind of stage: a row of [`STAGES`](crate::STAGES).
///
/// Every field but the first four may be left out: `..StageInfo::BLANK`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StageInfo {
    /// The name in the notation.
    pub name: &'static str,
    /// What the stage does, in one line.
    pub summary: &'static str,
    /// The allowed values, in words.
    pub allowed: &'static str,
    /// The paper or the program that the stage comes from.
    pub source: &'static str,
    /// What kind of stage it is.
    pub traits: Traits,
    /// Its parameters, in the order of the notation, as a form or a slider shows them.
    pub params: &'static [Param],
    /// Its own flag on the command line, if it has one.
    pub flag: Option<Flag>,
    /// Its own field in a request to the server, if it has one.
    pub field: Option<Field>,
    /// What it's called in other engines. An engine that isn't listed doesn't have the stage.
    pub counterparts: &'static [Counterpart],
}

/// What is true of a kind of stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traits {
    /// It sets the temperature.
    pub heats: bool,
    /// It removes unlikely tokens, so that a temperature after it can't bring them back.
    pub truncates: bool,
    /// It takes a random word of its own in every step.
    pub random: bool,
    /// It learns from the token that is drawn, so it must be the last stage of a chain.
    pub learns: bool,
    /// It reads the tokens that the sequence has so far.
    pub looks_back: bool,
    /// It only adds numbers to logits, so it may change places with another stage that does.
    pub adds: bool,
    /// The tokens that it keeps don't depend on a temperature before it.
    pub ignores_temperature: bool,
}

impl Traits {
    /// None of them.
    pub const NONE: Traits = Traits {
        heats: false,
        truncates: false,
        random: false,
        learns: false,
        looks_back: false,
        adds: false,
        ignores_temperature: false,
    };
    /// A temperature.
    pub const TEMPERATURE: Traits = Traits { heats: true, ..Traits::NONE };
    /// A truncation.
    pub const TRUNCATION: Traits = Traits { truncates: true, ..Traits::NONE };
    /// A penalty on tokens that came before.
    pub const PENALTY: Traits = Traits { looks_back: true, ..Traits::NONE };
}

/// A parameter of a stage, with the range in which changing it is useful. Whatever else the stage
/// allows can still be typed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param {
    /// The key in the notation; `None` for the value right after the name.
    pub key: Option<&'static str>,
    /// What it is, in a word or two.
    pub label: &'static str,
    /// What may be entered.
    pub kind: ParamKind,
    /// Where a form begins. For a parameter with a key this is the notation's default.
    pub start: &'static str,
    /// The lower end of a slider; 0 where there is no slider.
    pub low: f64,
    /// The upper end of a slider; 0 where there is no slider.
    pub high: f64,
    /// The step of a slider; 0 where there is no slider.
    pub step: f64,
}

/// What may be entered for a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// A temperature, from 0 to infinity.
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

impl Param {
    /// The range of a share or a probability.
    pub(crate) const SHARE: [f64; 3] = [0.0, 1.0, 0.01];
    /// The range of a share that can't be 0.
    pub(crate) const POSITIVE_SHARE: [f64; 3] = [0.01, 1.0, 0.01];
    /// How many of the last tokens a penalty counts.
    pub(crate) const WINDOW: Param =
        Param::whole("last tokens", "-1", [-1.0, 512.0]).named("window");

    /// A number right after the name, with the ends and the step of its slider.
    pub const fn number(label: &'static str, start: &'static str, ends: [f64; 3]) -> Param {
        let [low, high, step] = ends;
        Param { key: None, label, kind: ParamKind::Number, start, low, high, step }
    }

    /// A whole number right after the name, with the ends of its slider.
    pub const fn whole(label: &'static str, start: &'static str, ends: [f64; 2]) -> Param {
        let [low, high] = ends;
        Param { key: None, label, kind: ParamKind::Whole, start, low, high, step: 1.0 }
    }

    /// A value of another kind, without a slider.
    pub const fn other(label: &'static str, kind: ParamKind, start: &'static str) -> Param {
        Param { key: None, label, kind, start, low: 0.0, high: 0.0, step: 0.0 }
    }

    /// The parameter, written `key:value`.
    pub const fn named(self, key: &'static str) -> Param {
        Param { key: Some(key), ..self }
    }
}

/// The flag of a stage on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// Its name, without dashes in front.
    pub name: &'static str,
    /// What stands for the value in help.
    pub value: &'static str,
    /// One sentence of help, without a full stop.
    pub help: &'static str,
    /// Other names, shown in help.
    pub aliases: &'static [&'static str],
    /// Other names, not shown.
    pub hidden_aliases: &'static [&'static str],
}

impl Flag {
    /// A flag with one name.
    pub const fn new(name: &'static str, value: &'static str, help: &'static str) -> Flag {
        Flag { name, value, help, aliases: &[], hidden_aliases: &[] }
    }
}

/// The field of a stage in a request to the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: FieldKind,
    /// The numbers that it takes.
    pub range: Range,
    /// A number beside 0 by which clients turn the stage off.
    pub off: Option<f64>,
    /// A remark for the API's description; empty if there is none.
    pub remark: &'static str,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A number.
    Number,
    /// A whole number.
    Whole,
    /// A form of its own, such as an object, which the server reads by code of its own.
    Own,
}

impl Field {
    /// A field with a number, which becomes the stage's value.
    pub const fn number(name: &'static str, range: Range) -> Field {
        Field { name, kind: FieldKind::Number, range, off: None, remark: "" }
    }

    /// A field that the server reads by code of its own.
    pub const fn own(name: &'static str) -> Field {
        Field { kind: FieldKind::Own, ..Field::number(name, Range::ANY) }
    }
}

impl StageInfo {
    /// A row with empty fields.
    pub const BLANK: StageInfo = StageInfo {
        name: "",
        summary: "",
        allowed: "",
        source: "",
        traits: Traits::NONE,
        params: &[],
        flag: None,
        field: None,
        counterparts: &[],
    };

    /// What the stage is in another engine; `None` if that engine doesn't have it.
    pub fn counterpart(&self, engine: Engine) -> Option<&Counterpart> {
        self.counterparts.iter().find(|counterpart| counterpart.engine == engine)
    }

    /// The order in which flags and fields are listed: truncations first, then penalties, then
    /// stages that learn, then the rest. Stages of a group keep the order of the table. A sweep
    /// expands lists given by flags in this order, so its rows depend on it.
    pub fn listing_order(&self) -> u8 {
        let Traits { truncates, random, learns, looks_back, .. } = self.traits;
        match () {
            () if learns => 2,
            () if truncates || random => 0,
            () if looks_back => 1,
            () => 3,
        }
    }

    /// The stage in the notation with each parameter where a form begins: `min_p=0.05`.
    pub fn example(&self) -> String {
        self.written(|param| param.start.to_string())
    }

    /// The stage in the notation with the values that `value` gives for its parameters.
    pub fn written(&self, value: impl Fn(&Param) -> String) -> String {
        let mut text = self.name.to_string();
        for (i, param) in self.params.iter().enumerate() {
            text.push(if i == 0 { '=' } else { ',' });
            if let Some(key) = param.key {
                text.push_str(key);
                text.push(':');
            }
            text.push_str(&value(param));
        }
        text
    }

    /// The error for a value outside the allowed range.
    pub(crate) fn refuse(&self, found: impl Into<String>) -> ChainError {
        ChainError::BadValue { stage: self.name, found: found.into(), allowed: self.allowed }
    }

    /// `Ok` if the values are in range, else the error that shows what was found.
    pub(crate) fn require(
        &self,
        in_range: bool,
        found: impl fmt::Display,
    ) -> Result<(), ChainError> {
        if in_range { Ok(()) } else { Err(self.refuse(found.to_string())) }
    }

    /// The error of a stage that masked every token that was left.
    pub(crate) fn nothing_left(&self) -> SampleError {
        SampleError::NothingLeft { stage: self.name }
    }
}
