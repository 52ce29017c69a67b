//! The experiment's description: a table of prompts × chains × samples, and every setting that
//! decides a text.
//!
//! [`Draft`] holds what the user typed, as flags or as TOML. [`Recipe`] is the resolved form. Its
//! [canonical form](Recipe::canonical) contains exactly the settings that decide the texts, and
//! [`Recipe::hash`] identifies it: equal hashes mean equal texts.

mod columns;
mod draft;
mod file;
mod framing;
mod grid;
mod lines;
mod prompts;
mod resolve;
mod scored;
mod values;

pub use draft::Draft;
pub use framing::{Framed, FramingError};
pub use grid::{MAX_CHAINS, expand};
pub use lines::Lines;
pub use prompts::read as read_prompts;
pub use scored::scores;
pub use values::values;

use std::num::NonZeroU32;

use kelvin_engine::transformer::CacheFormat;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    column::Column,
    run::{Prompt, Source},
    scores::Score,
};

/// A table of texts to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The model or server that generates the texts, as the user named it.
    pub origin: Origin,
    /// The rows of the table: one prompt each.
    pub prompts: Vec<Prompt>,
    /// How a prompt is rendered before the model reads it.
    pub framing: Framing,
    /// The columns of the table: distinct chains, and temperatures of texts.
    pub chains: Vec<Column>,
    /// Samples per cell, at least one.
    pub samples: usize,
    /// Whether the samples of a chain are spread evenly over what it makes likely (arithmetic
    /// sampling). Then their number is part of the hash.
    pub spread: bool,
    /// The seed of all random numbers.
    pub seed: u64,
    /// When generation of a text ends.
    pub length: Length,
    /// What is recorded of each token in addition to the defaults.
    pub record: Record,
    /// Scores of one's own, by name. They are part of the hash.
    pub scores: Vec<Score>,
    /// What the report shows. It decides no text, so it isn't part of the hash.
    pub evaluation: Evaluation,
}

/// Which metrics a report shows by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// Names of [metrics](crate::metrics), as [`crate::metrics::named`] reads them; empty if the
    /// recipe doesn't say.
    pub metrics: Vec<String>,
    /// The judge model, or `none`; empty if the recipe doesn't say.
    pub judge: Option<String>,
}

impl Evaluation {
    /// The judge model, if one is wanted.
    pub fn judge(&self) -> Option<&str> {
        self.judge.as_deref().filter(|judge| *judge != NOBODY)
    }
}

/// The name that means "no judge".
pub const NOBODY: &str = "none";

/// What is recorded only on request, because it costs time or space.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The distance between the raw and the final distribution.
    #[serde(default)]
    pub shift: bool,
    /// The logits of each step, for [replay](crate::replay).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logits: Option<Keep>,
}

/// How many of a step's logits are recorded. Written as `true`, or as the number of top logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "KeepForm", into = "KeepForm")]
pub enum Keep {
    /// All logits, exactly.
    Whole,
    /// The top logits exactly, with their ids; of the others a histogram of their distances from
    /// the maximum.
    Top(NonZeroU32),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum KeepForm {
    Top(NonZeroU32),
    Whole(bool),
}

impl From<KeepForm> for Keep {
    fn from(form: KeepForm) -> Keep {
        match form {
            KeepForm::Top(n) => Keep::Top(n),
            KeepForm::Whole(_) => Keep::Whole,
        }
    }
}

impl From<Keep> for KeepForm {
    fn from(keep: Keep) -> KeepForm {
        match keep {
            Keep::Top(n) => KeepForm::Top(n),
            Keep::Whole => KeepForm::Whole(true),
        }
    }
}

/// The model or server that generates the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A model on this machine: a name, a path or a file of the hub.
    Model(String),
    /// A server with an OpenAI-compatible API.
    Server {
        /// The base URL, ending in `/v1`.
        url: String,
        /// The model's name on that server.
        model: String,
        /// The profile whose parameters the server accepts; `None` for the parameters that all
        /// servers accept.
        speaks: Option<String>,
    },
}

impl Origin {
    /// The origin that a stored source stands for.
    pub(crate) fn of(source: &Source) -> Origin {
        match source.clone() {
            Source::Local { model, .. } => Origin::Model(model),
            Source::Server { model, url } => Origin::Server { url, model, speaks: None },
        }
    }
}

/// How a prompt is rendered before the model reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Framing {
    /// Whether the model's chat template is applied.
    pub template: Template,
    /// The system message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The date given to templates that ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Whether control tokens written in the prompt become tokens.
    #[serde(default)]
    pub special: bool,
}

/// Whether the model's chat template is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Template {
    /// Applied if the model has one.
    #[default]
    Auto,
    /// Applied.
    Chat,
    /// Not applied.
    Raw,
}

/// When generation of a text ends, and its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Length {
    /// The maximum number of tokens of a text, at least one.
    pub max_tokens: usize,
    /// Stop strings.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Banned strings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ban_string: Vec<String>,
    /// Maximum number of tokens of a text in reasoning blocks; `None` for as many as come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think: Option<usize>,
    /// Whether generation continues after an end-of-turn token.
    #[serde(default)]
    pub ignore_end: bool,
    /// The context size in tokens, prompt included; `None` for the model's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<usize>,
    /// The format of the KV cache.
    #[serde(default, with = "cache_name")]
    pub cache: CacheFormat,
}

/// A format of the KV cache as its name: the engine knows no serde.
mod cache_name {
    use kelvin_engine::transformer::CacheFormat;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(cache: &CacheFormat, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(cache.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<CacheFormat, D::Error> {
        let name = String::deserialize(from)?;
        CacheFormat::named(&name)
            .ok_or_else(|| D::Error::custom(format!("there is no KV cache format \"{name}\"")))
    }
}

/// An error in a recipe: the field, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct RecipeError {
    /// The field's name in TOML, after the line where a file has it. The flag has `-` in place of
    /// `_`.
    pub field: String,
    /// What was found and what is expected.
    pub problem: String,
}

impl RecipeError {
    fn new(field: &str, problem: impl Into<String>) -> RecipeError {
        RecipeError { field: field.to_string(), problem: problem.into() }
    }
}

/// The settings that decide a run's rows, in the order of the canonical form.
#[derive(Serialize, Deserialize)]
struct Canonical {
    /// The version of the canonical form.
    recipe: u32,
    /// The model file's hash, or the server's base URL and model name.
    texts_of: String,
    seed: u64,
    #[serde(flatten)]
    length: Length,
    #[serde(flatten)]
    framing: Framing,
    record: Record,
    chains: Vec<String>,
    prompts: Vec<Prompt>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scores: Vec<Score>,
    /// Samples that are spread together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spread: Option<usize>,
}

/// The current version of the canonical form.
const FORM: u32 = 1;

impl Recipe {
    /// The number of texts of the table.
    pub fn n_texts(&self) -> usize {
        self.prompts.len().saturating_mul(self.chains.len()).saturating_mul(self.samples)
    }

    /// The most tokens that the model computes for a text of a column.
    pub fn most_computed(&self, chain: usize) -> usize {
        let max_tokens = self.length.max_tokens;
        let texts = self.chains.get(chain).and_then(Column::texts);
        texts.map_or(max_tokens, |texts| {
            usize::try_from(texts.most_read(max_tokens)).unwrap_or(usize::MAX)
        })
    }

    /// Every setting that decides a text, as one line of JSON: the model file's SHA-256 (or the
    /// server's base URL and model name), seed, maximum length, stops, context, KV cache format,
    /// template, system message, date, what is recorded, chains, prompts with their fields, and
    /// scores. Left out: the number of samples, so that a table can grow; metrics and judge; the
    /// file's path, threads, and every other setting that changes no text.
    pub fn canonical(&self, source: &Source) -> String {
        let texts_of = match source {
            Source::Local { sha256, .. } => format!("sha256:{sha256}"),
            Source::Server { url, model } => format!("{url} {model}"),
        };
        let canonical = Canonical {
            recipe: FORM,
            texts_of,
            seed: self.seed,
            length: self.length.clone(),
            framing: self.framing.clone(),
            record: self.record,
            chains: self.chains.iter().map(Column::to_string).collect(),
            prompts: self.prompts.clone(),
            scores: self.scores.clone(),
            spread: self.spread.then_some(self.samples),
        };
        serde_json::to_string(&canonical).expect("texts and numbers are always JSON")
    }

    /// SHA-256 of the canonical form, in hexadecimal.
    pub fn hash(&self, source: &Source) -> String {
        hexadecimal(&Sha256::digest(self.canonical(source)))
    }

    /// Restores a recipe from its canonical form and the settings that the form leaves out.
    pub(crate) fn restore(
        canonical: &str,
        origin: Origin,
        samples: usize,
        evaluation: Evaluation,
    ) -> Result<Recipe, String> {
        let form: Canonical = serde_json::from_str(canonical).map_err(|error| error.to_string())?;
        let chains = form
            .chains
            .iter()
            .map(|chain| chain.parse::<Column>().map_err(|error| error.to_string()));
        Ok(Recipe {
            origin,
            prompts: form.prompts,
            framing: form.framing,
            chains: chains.collect::<Result<_, _>>()?,
            samples,
            spread: form.spread.is_some(),
            seed: form.seed,
            length: form.length,
            record: form.record,
            scores: form.scores,
            evaluation,
        })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        let draft = Draft {
            prompts: vec!["Write about Nepal".into(), "Once".into()],
            temp: Some("0.5..1.5 step 0.5".into()),
            samples: Some(4),
            seed: Some(7),
            ..Draft::default()
        };
        draft.resolve().unwrap()
    }

    fn source(sha256: &str) -> Source {
        Source::Local { model: "smollm2".into(), sha256: sha256.into() }
    }

    #[test]
    fn the_canonical_form_is_what_decides_the_texts() {
        let recipe = recipe();
        assert_eq!(recipe.n_texts(), 24);
        assert_eq!(
            recipe.canonical(&source("ab")),
            "{\"recipe\":1,\"texts_of\":\"sha256:ab\",\"seed\":7,\"max_tokens\":128,\"stop\":[],\"ignore_end\":false,\"cache\":\"f16\",\
             \"template\":\"auto\",\"special\":false,\"record\":{\"shift\":false},\"chains\":[\"temp=0.5\",\"temp=1\",\"temp=1.5\"],\
             \"prompts\":[{\"text\":\"Write about Nepal\"},{\"text\":\"Once\"}]}"
        );
        // Recorded once. If the hash changed, existing runs could not be resumed.
        assert!(
            recipe.hash(&source("ab")).starts_with("a8ec475f4dc9"),
            "{}",
            recipe.hash(&source("ab"))
        );
        let again = Recipe::restore(
            &recipe.canonical(&source("ab")),
            recipe.origin.clone(),
            4,
            Evaluation::default(),
        );
        assert_eq!(again.unwrap(), recipe);
    }

    #[test]
    fn scores_stand_at_the_end_of_the_form() {
        let score = Score::read("right=least expected(answer)", "".as_ref()).unwrap();
        let recipe = Recipe { scores: vec![score], ..recipe() };
        let canonical = recipe.canonical(&source("ab"));
        assert!(
            canonical.ends_with(
                "\"scores\":[{\"name\":\"right\",\"most\":false,\"kind\":\"expected\",\
                 \"field\":\"answer\"}]}"
            ),
            "{canonical}"
        );
        let origin = recipe.origin.clone();
        let again = Recipe::restore(&canonical, origin, 4, Evaluation::default());
        assert_eq!(again.unwrap(), recipe);
    }

    #[test]
    fn the_hash_changes_with_whatever_changes_a_text_and_with_nothing_else() {
        let (recipe, source) = (recipe(), source("ab"));
        let hash = recipe.hash(&source);
        let evaluation = Evaluation { metrics: vec!["vendi".into()], judge: Some("gemma3".into()) };
        let origin = Origin::Model("elsewhere.gguf".into());
        let same = Recipe { samples: 99, origin, evaluation, ..recipe.clone() };
        assert_eq!(same.hash(&source), hash);
        let others: [fn(&mut Recipe); 13] = [
            |r| r.seed = 8,
            |r| r.length.max_tokens = 127,
            |r| r.length.stop.push("x".into()),
            |r| r.length.ban_string.push("x".into()),
            |r| r.length.think = Some(0),
            |r| r.length.ignore_end = true,
            |r| r.length.cache = CacheFormat::F32,
            |r| r.framing.template = Template::Raw,
            |r| r.framing.system = Some("Be terse.".into()),
            |r| drop(r.chains.pop()),
            |r| r.spread = true,
            |r| r.prompts[0].text.push('!'),
            |r| r.scores.push(Score::read("valid=json", "".as_ref()).unwrap()),
        ];
        for (i, change) in others.iter().enumerate() {
            let mut other = recipe.clone();
            change(&mut other);
            assert_ne!(other.hash(&source), hash, "{i}");
        }
        // Of spread samples each depends on their number.
        let spread = Recipe { spread: true, ..recipe.clone() };
        let more = Recipe { samples: 99, ..spread.clone() };
        assert_ne!(spread.hash(&source), more.hash(&source));
        assert_ne!(
            recipe.hash(&Source::Local { model: "smollm2".into(), sha256: "ac".into() }),
            hash
        );
    }
}
