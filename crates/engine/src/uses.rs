//! What becomes of each tensor and each metadata key of a model file: it is read, it has no effect
//! for a stated reason, it earns a warning, or it is a reason to refuse the file. Nothing is passed
//! over in silence.
//!
//! The tables stand where the reading is done: `transformer::families` has the tensors and
//! hyperparameters of each family, `tokenizer::keys` the vocabulary's keys, and this file the keys
//! that every model file has.

use crate::{
    gguf::{Gguf, Metadata, Value},
    saved, tokenizer, transformer,
};

/// What becomes of a tensor or a metadata key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// The engine reads it.
    Read,
    /// It has no effect, for this reason.
    Ignored(&'static str),
    /// It has no effect although it should have one; text is made all the same.
    Warned(String),
    /// The model would compute something else with it, and the engine doesn't: the file is refused.
    Refused(String),
}

/// One row of a table of keys.
#[derive(Debug)]
pub(crate) struct Row {
    /// The key; a `*` at the end stands for anything.
    pub(crate) key: &'static str,
    pub(crate) rule: Rule,
}

/// What becomes of the keys of a row.
#[derive(Debug)]
pub(crate) enum Rule {
    /// The engine reads it.
    Read,
    /// It has no effect, for this reason.
    Ignored(&'static str),
    /// It has no effect as long as its value is one of these (of bools: 0 and 1). Any other value
    /// asks for what is named.
    Neutral(&'static [f64], &'static str),
}

/// A row of a table of keys.
pub(crate) const fn row(key: &'static str, rule: Rule) -> Row {
    Row { key, rule }
}

/// Of every model file, whatever its architecture.
const KEYS: &[Row] = &[
    row("general.architecture", Rule::Read),
    row("general.alignment", Rule::Read),
    row("general.type", Rule::Read),
    row("split.count", Rule::Read),
    row("split.no", Rule::Read),
    row("split.tensors.count", Rule::Ignored("counts the tensors of all parts of a split model")),
    row(
        "general.quantization_version",
        Rule::Neutral(&[2.0], "another version of the quantized formats"),
    ),
    row("general.file_type", Rule::Ignored("each tensor states its own format")),
    row(
        "general.sampling.*",
        Rule::Ignored(
            "recommends a sampler; it is used only where it is asked for (--recommended)",
        ),
    ),
    row("general.*", Rule::Ignored("describes the file or where it comes from")),
    row("quantize.*", Rule::Ignored("says how the file was quantized")),
    row("prism.hadamard.*", Rule::Neutral(&[], "activations rotated for rotated weights")),
    row("adapter.*", Rule::Neutral(&[], "an adapter's weights on top of a model's")),
];

impl Row {
    /// Whether it is about `key`.
    fn is_of(&self, key: &str) -> bool {
        self.key.strip_suffix('*').map_or(key == self.key, |start| key.starts_with(start))
    }
}

/// What the first row about `key` says; none if there is no such row.
pub(crate) fn in_rows<'a>(
    mut rows: impl Iterator<Item = &'a Row>,
    key: &str,
    value: &Value,
) -> Option<Use> {
    Some(match &rows.find(|row| row.is_of(key))?.rule {
        Rule::Read => Use::Read,
        Rule::Ignored(reason) => Use::Ignored(reason),
        Rule::Neutral(values, _) if number(value).is_some_and(|x| values.contains(&x)) => {
            Use::Ignored("its value changes nothing")
        }
        Rule::Neutral(_, otherwise) => {
            Use::Refused(format!("{} asks for {otherwise}", value.describe()))
        }
    })
}

fn number(value: &Value) -> Option<f64> {
    match *value {
        Value::Bool(x) => Some(f64::from(u8::from(x))),
        Value::F32(x) => Some(x.into()),
        Value::F64(x) => Some(x),
        // Whole numbers that a table names are small.
        ref other => i32::try_from(other.integer()?).ok().map(f64::from),
    }
}

/// What becomes of a metadata key.
pub fn of_key(metadata: &Metadata, key: &str, value: &Value) -> Use {
    let architecture = metadata.str("general.architecture").ok().flatten().unwrap_or_default();
    if let Some(found) = in_rows(KEYS.iter(), key, value) {
        return found;
    }
    if key.starts_with("tokenizer.") {
        return tokenizer::keys::of(metadata, key, value);
    }
    match key.strip_prefix(architecture).and_then(|rest| rest.strip_prefix('.')) {
        Some(rest) => match transformer::families::of_key(architecture, rest, value) {
            Use::Refused(_) if saved::is_initial(metadata, architecture, rest, value) => {
                Use::Ignored(saved::REASON)
            }
            found => found,
        },
        None => transformer::families::of_bare_key(architecture, key, value)
            .unwrap_or(Use::Ignored("belongs to no part of this engine")),
    }
}

/// What becomes of each tensor, in file order.
pub fn of_tensors(gguf: &Gguf) -> Vec<Use> {
    transformer::families::of_tensors(gguf)
}

/// The refused keys of a file, with the reasons; none if there are none.
pub(crate) fn refused_keys(metadata: &Metadata) -> Option<String> {
    let refused =
        metadata.entries.iter().filter_map(|(key, value)| match of_key(metadata, key, value) {
            Use::Refused(reason) => Some(format!("{} ({reason})", quoted(key))),
            _ => None,
        });
    listed(refused)
}

/// How many names an error lists, and how much of each.
const MAX_LISTED: usize = 6;
const MAX_CHARS: usize = 80;

/// The first names of a list and how many more there are, so that no file makes an error long; none
/// if there are none.
pub(crate) fn listed(names: impl Iterator<Item = String>) -> Option<String> {
    let (mut list, mut n) = (String::new(), 0);
    for name in names {
        n += 1;
        if n <= MAX_LISTED {
            list += if n > 1 { ", " } else { "" };
            list += &name;
        }
    }
    if n > MAX_LISTED {
        list += &format!(" and {} more", n - MAX_LISTED);
    }
    (n > 0).then_some(list)
}

/// A name of the file in quotes, cut where it is long.
pub(crate) fn quoted(name: &str) -> String {
    let mut text: String = name.chars().take(MAX_CHARS).flat_map(char::escape_debug).collect();
    if name.chars().nth(MAX_CHARS).is_some() {
        text.push('…');
    }
    format!("\"{text}\"")
}
