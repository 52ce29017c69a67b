//! What somebody wants to know in, a table to fill out: prompts × chains × samples, and all that
//! decides a text of it.
//!
//! [`Draft`] is what was typed, as flags or as a TOML file; [`Recipe`] is what it means. Its
//! [canonical form](Recipe::canonical) holds what decides the texts and nothing else, and
//! [`Recipe::hash`] names it: equal hashes, equal texts.

mod draft;
mod fields;
mod grid;
mod prompts;
mod values;

pub use draft::Draft;
pub use grid::{MOST_CHAINS, expand};
pub use prompts::read as read_prompts;
pub use values::values;

use std::num::NonZeroU32;

use kelvin_sampling::Chain;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::run::{Prompt, Source};

/// A table to fill.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Where its texts are to come from, as it was asked for.
    pub origin: Origin,
    /// The rows, each with its own text.
    pub prompts: Vec<Prompt>,
    /// What is put around a prompt.
    pub framing: Framing,
    /// The columns, each unlike the others.
    pub chains: Vec<Chain>,
    /// How many samples each cell has, at least one.
    pub samples: usize,
    /// The key of the dice.
    pub seed: u64,
    /// When a text ends.
    pub length: Length,
    /// What is kept of each token besides what always is.
    pub record: Record,
    /// What its report is to show. No text depends on it, so it isn't part of the hash.
    pub evaluation: Evaluation,
}

/// What is to be said of the texts, unless somebody who wants a report asks otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// Names of [metrics](crate::metrics), as [`crate::metrics::named`] reads them; empty if the
    /// recipe is silent.
    pub metrics: Vec<String>,
    /// The model that judges, or `none`; empty if the recipe is silent.
    pub judge: Option<String>,
}

impl Evaluation {
    /// The model that is to judge.
    pub fn judge(&self) -> Option<&str> {
        self.judge.as_deref().filter(|judge| *judge != NOBODY)
    }
}

/// Who judges where a judge is asked for and not wanted after all.
pub const NOBODY: &str = "none";

/// What is kept of each token on request, since it costs time or room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// How far the chain moved the distribution.
    #[serde(default)]
    pub shift: bool,
    /// The logits that it was drawn from, for [replay](crate::replay).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logits: Option<Keep>,
}

/// How much of a step's logits is kept. Written `true`, or the number of the likeliest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "KeepForm", into = "KeepForm")]
pub enum Keep {
    /// All of them, bit for bit.
    Whole,
    /// The likeliest by name and bit for bit; of the others, how many lie how far below the
    /// maximum.
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

/// Where texts are to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A model on this machine: a name, a path or a file of the hub.
    Model(String),
    /// A server that speaks OpenAI's protocol.
    Server {
        /// Up to and with `/v1`.
        url: String,
        /// The model's name there.
        model: String,
        /// The profile whose settings it understands; none for the settings that all of them have.
        speaks: Option<String>,
    },
}

/// What is put around a prompt before the model reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Framing {
    /// Whether the model's chat template is.
    pub template: Template,
    /// A system text in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The date for templates that ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Control tokens in the text are tokens.
    #[serde(default)]
    pub special: bool,
}

/// Whether a prompt goes through the model's chat template.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Template {
    /// If the model has one.
    #[default]
    Auto,
    /// It does.
    Chat,
    /// It doesn't.
    Raw,
}

/// When a text ends, and what it may hold until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Length {
    /// Tokens of a text, at most; at least one.
    pub max_tokens: usize,
    /// Texts that end it.
    #[serde(default)]
    pub stop: Vec<String>,
    /// Go on after the tokens that end a turn.
    #[serde(default)]
    pub ignore_end: bool,
    /// Tokens of prompt and text, at most; none for all that the model has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<usize>,
    /// How keys and values are kept.
    #[serde(default)]
    pub cache: Cache,
}

/// How keys and values are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cache {
    /// Half precision.
    #[default]
    F16,
    /// Single precision.
    F32,
}

/// What is wrong with a recipe: the field, and a sentence about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct RecipeError {
    /// As a TOML file names it; a flag has `-` for `_`.
    pub field: String,
    /// What was found and what is expected.
    pub problem: String,
}

impl RecipeError {
    fn new(field: &str, problem: impl Into<String>) -> RecipeError {
        RecipeError { field: field.to_string(), problem: problem.into() }
    }
}

/// What decides a run's rows, in the order in which the canonical form has it.
#[derive(Serialize, Deserialize)]
struct Canonical {
    /// Of this form.
    recipe: u32,
    /// The model file's hash, or the server's address and the model's name there.
    texts_of: String,
    seed: u64,
    #[serde(flatten)]
    length: Length,
    #[serde(flatten)]
    framing: Framing,
    record: Record,
    chains: Vec<String>,
    prompts: Vec<Prompt>,
}

/// The only form there is so far.
const FORM: u32 = 1;

impl Recipe {
    /// How many texts the table has.
    pub fn n_texts(&self) -> usize {
        self.prompts.len().saturating_mul(self.chains.len()).saturating_mul(self.samples)
    }

    /// Everything that decides a run's rows as one line of JSON: the model file's SHA-256 (or the
    /// server and the model's name there), seed, length, stops, context, cache, template, system
    /// text, date, what is recorded, chains, and prompts with their fields. Not in it: the number
    /// of samples, so that a table can grow; metrics and judge; where the file lies, threads, and
    /// whatever else doesn't change a text.
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
            chains: self.chains.iter().map(Chain::to_string).collect(),
            prompts: self.prompts.clone(),
        };
        serde_json::to_string(&canonical).expect("texts and numbers are always JSON")
    }

    /// SHA-256 of the canonical form, in hexadecimal.
    pub fn hash(&self, source: &Source) -> String {
        hexadecimal(&Sha256::digest(self.canonical(source)))
    }

    /// The recipe of a canonical form, with what that doesn't hold.
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
            .map(|chain| chain.parse::<Chain>().map_err(|error| error.to_string()));
        Ok(Recipe {
            origin,
            prompts: form.prompts,
            framing: form.framing,
            chains: chains.collect::<Result<_, _>>()?,
            samples,
            seed: form.seed,
            length: form.length,
            record: form.record,
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
        // Recorded once: with another hash nobody's run would go on.
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
    fn the_hash_changes_with_whatever_changes_a_text_and_with_nothing_else() {
        let (recipe, source) = (recipe(), source("ab"));
        let hash = recipe.hash(&source);
        let evaluation = Evaluation { metrics: vec!["vendi".into()], judge: Some("gemma3".into()) };
        let origin = Origin::Model("elsewhere.gguf".into());
        let same = Recipe { samples: 99, origin, evaluation, ..recipe.clone() };
        assert_eq!(same.hash(&source), hash);
        let others: [fn(&mut Recipe); 9] = [
            |r| r.seed = 8,
            |r| r.length.max_tokens = 127,
            |r| r.length.stop.push("x".into()),
            |r| r.length.ignore_end = true,
            |r| r.length.cache = Cache::F32,
            |r| r.framing.template = Template::Raw,
            |r| r.framing.system = Some("Be terse.".into()),
            |r| drop(r.chains.pop()),
            |r| r.prompts[0].text.push('!'),
        ];
        for (i, change) in others.iter().enumerate() {
            let mut other = recipe.clone();
            change(&mut other);
            assert_ne!(other.hash(&source), hash, "{i}");
        }
        assert_ne!(
            recipe.hash(&Source::Local { model: "smollm2".into(), sha256: "ac".into() }),
            hash
        );
    }
}
