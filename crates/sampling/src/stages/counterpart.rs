//! What a stage is in another engine: its place in that engine's order, its settings there with
//! their ranges, and the values that are written for them.

use crate::Engine;

/// A stage in another engine.
///
/// Written as `Counterpart { place: 80, settings: &[…], ..Counterpart::of(Engine::Vllm) }`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counterpart {
    /// The engine.
    pub engine: Engine,
    /// Where the stage stands in the engine's order: lower numbers act first. Numbers go up by
    /// tens, so that a stage fits between two others.
    pub place: u8,
    /// The engine's defaults for parameters that aren't given, in the notation, where they differ
    /// from the notation's own defaults.
    pub defaults: &'static [&'static str],
    /// The engine's settings that express the stage. Empty if no request can ask for it.
    pub settings: &'static [Setting],
    /// Parameters that have one value there, whatever is asked for.
    pub fixed: &'static [Fixed],
    /// The stage in llama.cpp's list of samplers.
    pub list: List,
    /// What the engine does differently, as the end of a sentence that begins with its name.
    pub remark: &'static str,
}

impl Counterpart {
    /// A counterpart with empty fields.
    pub const fn of(engine: Engine) -> Counterpart {
        Counterpart {
            engine,
            place: 0,
            defaults: &[],
            settings: &[],
            fixed: &[],
            list: List::Before,
            remark: "",
        }
    }

    /// The counterpart in Ollama, which runs llama.cpp's samplers in llama.cpp's order.
    pub const fn in_ollama(self) -> Counterpart {
        Counterpart { engine: Engine::Ollama, ..self }
    }

    /// Without settings: the engine's order has the stage, but no request can ask for it.
    pub const fn without_settings(self) -> Counterpart {
        Counterpart { settings: &[], ..self }
    }
}

/// A setting of another engine that takes a parameter of a stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Its name in a request.
    pub name: &'static str,
    /// The key of the parameter in the notation; `None` for the value right after the stage's name.
    pub key: Option<&'static str>,
    /// The numbers that the engine takes.
    pub range: Range,
    /// Whether it's a whole number.
    pub whole: bool,
    /// The engine's own flag on a command line; empty if there is none.
    pub flag: &'static str,
    /// What turns the stage off, for an engine (or a model's `generation_config.json`) that would
    /// otherwise apply a default of its own.
    pub off: Option<Number>,
}

impl Setting {
    /// A setting that takes the value right after the stage's name.
    pub const fn new(name: &'static str, range: Range) -> Setting {
        Setting { name, key: None, range, whole: false, flag: "", off: None }
    }

    /// For the parameter with a key.
    pub const fn key(self, key: &'static str) -> Setting {
        Setting { key: Some(key), ..self }
    }

    /// As a whole number.
    pub const fn whole(self) -> Setting {
        Setting { whole: true, ..self }
    }

    /// With a flag on the engine's command line.
    pub const fn flag(self, flag: &'static str) -> Setting {
        Setting { flag, ..self }
    }

    /// With the value that turns the stage off.
    pub const fn off(self, off: Number) -> Setting {
        Setting { off: Some(off), ..self }
    }
}

/// A parameter with one value in another engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed {
    /// The key in the notation.
    pub key: &'static str,
    /// The value, as the notation prints it.
    pub value: &'static str,
    /// Why, as the end of a sentence that begins with the engine's name.
    pub why: &'static str,
}

/// A stage in llama.cpp's list of samplers, whose order a request can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Not in the list: it acts before all that are.
    Before,
    /// In the list under this name, which several stages may share.
    Named(&'static str),
    /// It runs instead of the list, of which only these stages remain.
    Instead {
        /// Names of stages.
        beside: &'static [&'static str],
        /// Why other stages are refused, as the end of a sentence that begins with the engine's
        /// name and `'s`.
        why: &'static str,
    },
}

/// A number as JSON writes it: whole or with a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// `40`.
    Whole(i64),
    /// `1.0`.
    Real(f64),
}

/// The value of a setting: what JSON needs of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Real(f64),
    /// True or false.
    Flag(bool),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// The numbers in it that a range is for: a number itself, and numbers inside of lists and
    /// objects unless they are whole (those are token ids).
    pub fn numbers(&self) -> Vec<f64> {
        match self {
            Value::Whole(n) => vec![*n as f64],
            Value::Real(x) => vec![*x],
            Value::List(items) => items.iter().flat_map(Value::inner_numbers).collect(),
            Value::Map(pairs) => {
                pairs.iter().flat_map(|(_, value)| value.inner_numbers()).collect()
            }
            Value::Flag(_) | Value::Text(_) => Vec::new(),
        }
    }

    /// Whole numbers inside of a list are token ids.
    fn inner_numbers(&self) -> Vec<f64> {
        if matches!(self, Value::Whole(_)) { Vec::new() } else { self.numbers() }
    }
}

/// Settings with their values, or why there are none, as a sentence.
pub type Settings = Result<Vec<(&'static str, Value)>, String>;

/// The numbers that a setting or a field takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Whether each end is itself outside.
    pub open: (bool, bool),
}

impl Range {
    /// The shortest decimal that is the largest f32.
    pub const F32: f64 = 3.402_823_5e38;
    /// The largest signed whole number of 32 bits.
    pub const I32: f64 = i32::MAX as f64;
    /// Every number.
    pub const ANY: Range = Range::new(f64::NEG_INFINITY, f64::INFINITY);
    /// From 0 to 1.
    pub const SHARE: Range = Range::new(0.0, 1.0);
    /// Above 0 and at most 1.
    pub const POSITIVE_SHARE: Range = Range::above(0.0, 1.0);
    /// From 0 to the largest f32.
    pub const FROM_ZERO: Range = Range::new(0.0, Range::F32);
    /// Whole numbers from 0.
    pub const COUNT: Range = Range::new(0.0, Range::I32);

    /// With both ends.
    pub const fn new(low: f64, high: f64) -> Range {
        Range { low, high, open: (false, false) }
    }

    /// Without the lower end.
    pub const fn above(low: f64, high: f64) -> Range {
        Range { low, high, open: (true, false) }
    }

    /// Without the upper end.
    pub const fn below(low: f64, high: f64) -> Range {
        Range { low, high, open: (false, true) }
    }

    /// Whether a number is in it.
    pub fn has(&self, number: f64) -> bool {
        let low = if self.open.0 { self.low < number } else { self.low <= number };
        low && if self.open.1 { number < self.high } else { number <= self.high }
    }

    /// The number in it that is nearest to one outside. `None` if the end there is open or
    /// infinite, or if the number is NaN.
    pub fn nearest(&self, number: f64) -> Option<f64> {
        let (end, open) =
            if number < self.low { (self.low, self.open.0) } else { (self.high, self.open.1) };
        (!open && !number.is_nan() && end.is_finite()).then_some(end)
    }

    /// The lowest and the highest number in it; where an end is open, the next f32 inside.
    pub fn ends(&self) -> [f64; 2] {
        let low = if self.open.0 { f64::from((self.low as f32).next_up()) } else { self.low };
        [low, if self.open.1 { f64::from((self.high as f32).next_down()) } else { self.high }]
    }

    /// In words: "from 0 to 2".
    pub fn words(&self) -> String {
        let end = |number: f64, unbounded: &str| match number {
            n if n.abs() >= Range::F32 => unbounded.to_string(),
            n => n.to_string(),
        };
        let from = if self.open.0 { "above" } else { "from" };
        let to = if self.open.1 { "to below" } else { "to" };
        format!("{from} {} {to} {}", end(self.low, "-3.4e38"), end(self.high, "3.4e38"))
    }
}
