//! A recipe's fields as a TOML file or a JSON object has them: serde reads them and refuses others.
//!
//! An error names the field and, of a file, the line.

use std::{collections::BTreeMap, fmt};

use kelvin_sampling::STAGES;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, SeqAccess, Unexpected, Visitor},
};

use super::RecipeError;

/// Flags whose fields have other names, and those fields.
const FLAGS: [(&str, &str); 4] = [
    ("prompt", "prompts"),
    ("ctx_size", "context"),
    ("cache_type", "cache"),
    ("score", "the table [scores]"),
];

/// The fields of a recipe. Those that aren't given are empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) model: Option<String>,
    pub(super) server: Option<String>,
    pub(super) speaks: Option<String>,
    #[serde(deserialize_with = "texts")]
    pub(super) prompts: Vec<String>,
    pub(super) prompt_file: Option<String>,
    pub(super) prompt_column: Option<String>,
    pub(super) template: Option<String>,
    pub(super) raw: Option<bool>,
    pub(super) chat: Option<bool>,
    pub(super) system: Option<String>,
    pub(super) date: Option<String>,
    pub(super) special: Option<bool>,
    pub(super) temp: Option<Values>,
    #[serde(deserialize_with = "texts")]
    pub(super) sampler: Vec<String>,
    pub(super) profile: Option<String>,
    pub(super) stages: BTreeMap<String, Values>,
    pub(super) text_temperature: Option<Values>,
    pub(super) text_method: Option<String>,
    #[serde(deserialize_with = "whole")]
    pub(super) text_particles: Option<usize>,
    #[serde(deserialize_with = "whole")]
    pub(super) text_tries: Option<usize>,
    #[serde(deserialize_with = "whole")]
    pub(super) text_moves: Option<usize>,
    #[serde(deserialize_with = "whole")]
    pub(super) text_block: Option<usize>,
    #[serde(deserialize_with = "whole")]
    pub(super) samples: Option<usize>,
    pub(super) spread: Option<bool>,
    #[serde(deserialize_with = "whole")]
    pub(super) seed: Option<u64>,
    #[serde(deserialize_with = "whole")]
    pub(super) max_tokens: Option<usize>,
    #[serde(deserialize_with = "texts")]
    pub(super) stop: Vec<String>,
    #[serde(deserialize_with = "texts")]
    pub(super) ban_string: Vec<String>,
    #[serde(deserialize_with = "whole")]
    pub(super) think: Option<usize>,
    pub(super) ignore_end: Option<bool>,
    #[serde(deserialize_with = "whole")]
    pub(super) context: Option<usize>,
    pub(super) cache: Option<String>,
    #[serde(deserialize_with = "texts")]
    pub(super) record: Vec<String>,
    pub(super) scores: BTreeMap<String, String>,
    #[serde(deserialize_with = "texts")]
    pub(super) metrics: Vec<String>,
    pub(super) judge: Option<String>,
}

impl Fields {
    /// Reads TOML.
    pub(super) fn from_toml(text: &str) -> Result<Fields, RecipeError> {
        let line = |error: &toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            format!("line {}", text[..at].matches('\n').count() + 1)
        };
        let table = toml::Deserializer::parse(text)
            .map_err(|error| RecipeError::new(&line(&error), error.message()))?;
        serde_path_to_error::deserialize(table).map_err(|error| {
            let (path, error) = (error.path().to_string(), error.into_inner());
            explained(&path, error.message(), Some(line(&error)))
        })
    }

    /// Reads a JSON object.
    pub(super) fn from_json(text: &str) -> Result<Fields, RecipeError> {
        let object: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| RecipeError::new("recipe", error.to_string()))?;
        serde_path_to_error::deserialize(object).map_err(|error| {
            let path = error.path().to_string();
            explained(&path, &error.into_inner().to_string(), None)
        })
    }
}

/// One value, or a list of values.
#[derive(Debug)]
pub(super) enum Values {
    One(String),
    List(Vec<String>),
}

impl Values {
    /// In the syntax of [`values`](super::values).
    pub(super) fn joined(&self) -> String {
        match self {
            Values::One(value) => value.clone(),
            Values::List(values) => values.join(","),
        }
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Values, D::Error> {
        let expected = "a number, a text such as \"0.2..2 step 0.2\", or a list of them";
        let values = Reader { expected, numbers: true, is_in_list: false }.deserialize(from)?;
        match &values {
            Values::List(list) if list.is_empty() => {
                Err(D::Error::invalid_value(Unexpected::Other("an empty list"), &expected))
            }
            _ => Ok(values),
        }
    }
}

/// Reads a text, or a list of texts.
fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let expected = "a text, or a list of texts";
    let values = Reader { expected, numbers: false, is_in_list: false }.deserialize(from)?;
    Ok(match values {
        Values::One(text) => vec![text],
        Values::List(texts) => texts,
    })
}

/// Reads texts, and numbers as texts.
#[derive(Clone, Copy)]
struct Reader {
    expected: &'static str,
    /// Whether numbers are read.
    numbers: bool,
    /// Whether it reads an item of a list, which is no list.
    is_in_list: bool,
}

impl Reader {
    fn number<E: Error>(self, text: String, found: Unexpected<'_>) -> Result<Values, E> {
        match self.numbers {
            true => Ok(Values::One(text)),
            false => Err(E::invalid_type(found, &self)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Values;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Values, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_in_list, self.numbers) {
            (false, _) => f.write_str(self.expected),
            (true, true) => f.write_str("a number or a text"),
            (true, false) => f.write_str("a text"),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Values, E> {
        Ok(Values::One(text.to_string()))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Values, E> {
        self.number(n.to_string(), Unexpected::Signed(n))
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Values, E> {
        self.number(n.to_string(), Unexpected::Unsigned(n))
    }

    fn visit_f64<E: Error>(self, x: f64) -> Result<Values, E> {
        // A number that is very large or small would be written with hundreds of zeros.
        let is_plain = x == 0.0 || (1e-5..1e16).contains(&x.abs());
        let text = if is_plain { x.to_string() } else { format!("{x:e}") };
        self.number(text, Unexpected::Float(x))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
        if self.is_in_list {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        let mut all = Vec::new();
        while let Some(item) = list.next_element_seed(Reader { is_in_list: true, ..self })? {
            match item {
                Values::One(text) => all.push(text),
                Values::List(texts) => all.extend(texts),
            }
        }
        Ok(Values::List(all))
    }
}

/// Reads a whole number from 0 up.
fn whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(from: D) -> Result<Option<T>, D::Error> {
    let n = from.deserialize_any(Whole)?;
    let fits = T::try_from(n).map(Some);
    fits.map_err(|_| D::Error::invalid_value(Unexpected::Unsigned(n), &Whole))
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 up")
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<u64, E> {
        Ok(n)
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<u64, E> {
        u64::try_from(n).map_err(|_| E::invalid_value(Unexpected::Signed(n), &self))
    }
}

/// What serde says of the field at `path`. Of an unknown field it says which ones there are.
fn explained(path: &str, said: &str, line: Option<String>) -> RecipeError {
    let unknown = said.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
    let problem = match unknown {
        Some((name, known)) => {
            let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
            format!("a recipe has no such field; {}", instead(name, &known))
        }
        None => said.to_string(),
    };
    let field = line.map_or_else(|| path.to_string(), |line| format!("{line}, {path}"));
    RecipeError { field, problem }
}

/// What may have been meant by an unknown field.
fn instead(name: &str, known: &[&str]) -> String {
    /// From here on names resemble each other, on the scale of Jaro and Winkler from 0 to 1.
    const ALIKE: f64 = 0.8;
    /// Names that are so much less alike than the nearest aren't told beside it.
    const BEHIND: f64 = 0.01;
    let flag = name.replace('-', "_");
    if let Some((_, field)) = FLAGS.iter().find(|(other, _)| *other == flag) {
        return format!("did you mean {field}?");
    }
    if STAGES.iter().any(|stage| stage.name == flag) {
        return format!("{name} is a stage, which stands in the table [stages]");
    }
    let alike = |other: &str| strsim::jaro_winkler(name, other);
    let best = known.iter().map(|other| alike(other)).fold(ALIKE, f64::max);
    let near = known.iter().copied().filter(|other| alike(other) >= best - BEHIND);
    match near.filter(|other| alike(other) >= ALIKE).collect::<Vec<_>>().join(" or ") {
        none if none.is_empty() => format!("it has {}", known.join(", ")),
        near => format!("did you mean {near}?"),
    }
}
