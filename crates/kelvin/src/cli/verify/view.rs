//! The verdict of `verify`, for people and as JSON.

use kelvin_lab::{
    proof::{Difference, Head, Part},
    run::Source,
    worker::Row,
};
use kelvin_sampling::TokenId;
use kelvin_views::escape;
use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{cli::shared::session::Session, terminal};

/// Differing texts that are listed for people.
const LISTED: usize = 5;

/// What came of making the texts again.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    file: String,
    /// The model as the file names it, and its SHA-256.
    source: Source,
    /// The recipe's hash.
    recipe: String,
    /// The version of Kelvin that wrote the file, and this one.
    written_by: String,
    kelvin: &'static str,
    /// Texts of the recipe, and those of the file.
    recipe_texts: usize,
    pub(crate) texts: usize,
    /// Steps of the file's texts.
    pub(crate) steps: usize,
    /// The first difference of each text that has one.
    #[serde(rename = "differences")]
    pub(crate) found: Vec<Found>,
    /// The chains and the number of prompts, for the words.
    #[serde(skip)]
    chains: Vec<String>,
    #[serde(skip)]
    n_prompts: usize,
}

/// A text that differs, and where it first does.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) row: Row,
    pub(crate) difference: Difference,
}

impl Serialize for Found {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Difference { step, part, expected, found } = &self.difference;
        let mut out = to.serialize_struct("Found", 7)?;
        out.serialize_field("prompt", &self.row.prompt)?;
        out.serialize_field("chain", &self.row.chain)?;
        out.serialize_field("sample", &self.row.sample)?;
        out.serialize_field("step", step)?;
        out.serialize_field("part", part)?;
        out.serialize_field("expected", expected)?;
        out.serialize_field("found", found)?;
        out.end()
    }
}

impl Verdict {
    /// The verdict on a file of which nothing is compared yet.
    pub(crate) fn new(name: &str, head: &Head) -> Verdict {
        let recipe = head.job.recipe();
        Verdict {
            file: name.to_string(),
            source: head.job.source().clone(),
            recipe: head.job.hash().to_string(),
            written_by: head.kelvin.clone(),
            kelvin: env!("CARGO_PKG_VERSION"),
            recipe_texts: recipe.n_texts(),
            texts: 0,
            steps: 0,
            found: Vec::new(),
            chains: recipe.chains.iter().map(ToString::to_string).collect(),
            n_prompts: recipe.prompts.len(),
        }
    }

    /// The verdict for people.
    pub(crate) fn words(&self, session: &Session) -> String {
        let (texts, steps) = (self.texts, terminal::counted(self.steps, "step"));
        let of = if texts == 1 { String::new() } else { format!(" of {texts} texts") };
        let mut out = match self.found.len() {
            0 => format!("the same, {steps}{of}\n"),
            _ => self.found.iter().take(LISTED).map(|found| self.line(found, session)).collect(),
        };
        if self.found.len() > LISTED {
            out += &format!("… and {} more texts\n", self.found.len() - LISTED);
        }
        if !self.found.is_empty() && texts > 1 {
            out += &format!("{} of {texts} texts differ\n", self.found.len());
        }
        if texts < self.recipe_texts && (self.found.is_empty() || texts > 0) {
            out +=
                &format!("the file has {texts} of the {} texts of its recipe\n", self.recipe_texts);
        }
        if self.written_by != self.kelvin {
            out += &format!(
                "the file is of Kelvin {}, this is {}: CHANGELOG.md marks changes of texts\n",
                escape::printable(&self.written_by),
                self.kelvin
            );
        }
        out
    }

    fn line(&self, found: &Found, session: &Session) -> String {
        let Found { row, difference: Difference { step, part, expected, found } } = found;
        let (what, place) = match part {
            Part::Prompt => ("tokens", format!("prompt {}, token", row.prompt + 1)),
            Part::Logits => ("logits", self.place(row)),
            Part::Draw => ("draw", self.place(row)),
            Part::Token => ("token", self.place(row)),
            Part::End => ("end", self.place(row)),
            Part::Text => ("text", self.place(row)),
        };
        let shown = |value: &str| {
            let id = value.strip_prefix("token ").and_then(|id| id.parse().ok()).map(TokenId);
            let known = id.filter(|id| id.index() < session.engine.tokenizer.vocab_size());
            known.map_or(escape::printable(value), |id| format!("{value} {}", session.shown(id)))
        };
        format!(
            "{place} {}: differs in {what}: expected {}, found {}\n",
            step + 1,
            shown(expected),
            shown(found)
        )
    }

    /// The words before a step's number.
    fn place(&self, row: &Row) -> String {
        let prompt = match self.n_prompts {
            1 => String::new(),
            _ => format!("prompt {}, ", row.prompt + 1),
        };
        let chain = escape::printable(self.chains.get(row.chain).map_or("", String::as_str));
        format!("{prompt}{chain}, sample {}, step", row.sample + 1)
    }
}
