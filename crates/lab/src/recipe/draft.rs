//! What the user typed of a recipe: flags override a TOML file, which overrides the defaults.
//! Errors name the field and, of a file, the line.

use std::path::{Path, PathBuf};

use kelvin_engine::texts::Asked;

use super::{
    RecipeError,
    file::{Fields, Values},
    lines::Lines,
    scored::{all_scores, scores},
};
use crate::{
    scores::Score,
    text_file::{self, TextError},
};

/// The settings that the user typed. Settings that weren't typed are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// A model's name, path or file of the hub; with a server, the model's name there.
    pub model: Option<String>,
    /// A server's base URL, ending in `/v1`.
    pub server: Option<String>,
    /// The profile whose parameters the server accepts.
    pub speaks: Option<String>,
    /// Prompts given directly.
    pub prompts: Vec<String>,
    /// A file of prompts.
    pub prompt_file: Option<PathBuf>,
    /// The column or field of that file that contains the prompts.
    pub prompt_column: Option<String>,
    /// `auto`, `chat` or `raw`.
    pub template: Option<String>,
    /// The system message.
    pub system: Option<String>,
    /// The date, YYYY-MM-DD.
    pub date: Option<String>,
    /// Whether control tokens written in prompts become tokens.
    pub special: Option<bool>,
    /// Temperatures, in the syntax of [`values`](super::values).
    pub temp: Option<String>,
    /// Whole chains. Braces expand to a grid.
    pub sampler: Vec<String>,
    /// The profile that gives order and defaults of the single stages.
    pub profile: Option<String>,
    /// Single stages, `name=value`. Braces expand to a grid.
    pub stages: Vec<String>,
    /// Temperatures of whole texts, in the syntax of [`values`](super::values): columns beside the
    /// chains.
    pub text_temperature: Option<String>,
    /// How they are drawn.
    pub text: Asked,
    /// Samples per cell.
    pub samples: Option<usize>,
    /// Whether samples are spread.
    pub spread: Option<bool>,
    /// The seed.
    pub seed: Option<u64>,
    /// The maximum number of tokens of a text.
    pub max_tokens: Option<usize>,
    /// Stop strings.
    pub stop: Vec<String>,
    /// Banned strings.
    pub ban_string: Vec<String>,
    /// The maximum number of tokens in reasoning blocks.
    pub think: Option<usize>,
    /// Whether generation continues after an end-of-turn token.
    pub ignore_end: Option<bool>,
    /// The context size in tokens.
    pub context: Option<usize>,
    /// `f16` or `f32`.
    pub cache: Option<String>,
    /// What is recorded on request: `shift`, `logits`, `logits=N`.
    pub record: Vec<String>,
    /// Scores of one's own.
    pub scores: Vec<Score>,
    /// The metrics of the report, or `all`.
    pub metrics: Vec<String>,
    /// The judge model of the report, or `none`.
    pub judge: Option<String>,
    /// Where the recipe's file has the settings that come from it.
    pub lines: Lines,
}

/// The maximum size of a recipe file in bytes. Prompts may be written in it.
const MAX_BYTES: u64 = 64 << 20;

impl Draft {
    /// Reads a TOML file. A file of prompts or a schema that it names is looked up relative to it.
    ///
    /// # Errors
    /// If the file is invalid, with the place.
    pub fn read(path: &Path) -> Result<Draft, RecipeError> {
        let shown = path.display().to_string();
        let text = text_file::read(path, MAX_BYTES).map_err(|error| match error {
            TextError::Io { error, .. } => {
                RecipeError::new(&shown, format!("can't read it: {error}"))
            }
            other => RecipeError::new("recipe", other.to_string()),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let lines = Lines::of(&shown, &text);
        let draft = Draft::parse(&text, folder).map_err(|error| lines.place(error))?;
        let mut draft = Draft { lines, ..draft };
        if let Some(file) = &mut draft.prompt_file {
            *file = folder.join(&*file);
        }
        Ok(draft)
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// The field that is invalid.
    pub fn from_toml(text: &str) -> Result<Draft, RecipeError> {
        Draft::parse(text, Path::new(""))
    }

    fn parse(text: &str, folder: &Path) -> Result<Draft, RecipeError> {
        Draft::of(Fields::from_toml(text)?, folder)
    }

    /// Reads the fields of a recipe file from a JSON object.
    ///
    /// # Errors
    /// The field that is invalid.
    pub fn from_json(text: &str) -> Result<Draft, RecipeError> {
        Draft::of(Fields::from_json(text)?, Path::new(""))
    }

    /// A file's fields. Files that its scores name are looked up in `folder`.
    fn of(fields: Fields, folder: &Path) -> Result<Draft, RecipeError> {
        let stage = |(name, value): (&String, &Values)| match value {
            Values::One(value) => format!("{name}={value}"),
            Values::List(_) => format!("{name}={{{}}}", value.joined()),
        };
        let score = |(name, notation): (&String, &String)| format!("{name}={notation}");
        Ok(Draft {
            model: fields.model,
            server: fields.server,
            speaks: fields.speaks,
            prompts: fields.prompts,
            // A recipe names a file, never standard input.
            prompt_file: fields.prompt_file.map(|file| match file.as_str() {
                "-" => PathBuf::from("./-"),
                _ => PathBuf::from(file),
            }),
            prompt_column: fields.prompt_column,
            template: template(fields.template, fields.raw, fields.chat)?,
            system: fields.system,
            date: fields.date,
            special: fields.special,
            temp: fields.temp.map(|temp| temp.joined()),
            sampler: fields.sampler,
            profile: fields.profile,
            stages: fields.stages.iter().map(stage).collect(),
            text_temperature: fields.text_temperature.map(|temp| temp.joined()),
            text: Asked {
                method: fields.text_method,
                particles: fields.text_particles,
                tries: fields.text_tries,
                moves: fields.text_moves,
                block: fields.text_block,
            },
            samples: fields.samples,
            spread: fields.spread,
            seed: fields.seed,
            max_tokens: fields.max_tokens,
            stop: fields.stop,
            ban_string: fields.ban_string,
            think: fields.think,
            ignore_end: fields.ignore_end,
            context: fields.context,
            cache: fields.cache,
            record: fields.record,
            scores: scores(&fields.scores.iter().map(score).collect::<Vec<_>>(), folder)?,
            metrics: fields.metrics,
            judge: fields.judge,
            lines: Lines::default(),
        })
    }

    /// The model that the environment variable KELVIN_MODEL names, where no model is given.
    pub fn or_environment(self) -> Draft {
        self.or(Draft { model: std::env::var("KELVIN_MODEL").ok(), ..Draft::default() })
    }

    /// Merges two drafts: settings of `self` override those of `other`. Prompts and chains are
    /// replaced as a whole, not merged.
    pub fn or(self, other: Draft) -> Draft {
        let (own_prompts, own_chains) = (
            !self.prompts.is_empty() || self.prompt_file.is_some(),
            !self.sampler.is_empty() || !self.stages.is_empty(),
        );
        let lines = match self.lines.is_empty() {
            true => other.lines.without(&self.given()),
            false => self.lines.clone(),
        };
        let pick =
            |own: bool, mine: Vec<String>, theirs: Vec<String>| if own { mine } else { theirs };
        Draft {
            model: self.model.or(other.model),
            server: self.server.or(other.server),
            speaks: self.speaks.or(other.speaks),
            prompts: pick(own_prompts, self.prompts, other.prompts),
            prompt_file: if own_prompts { self.prompt_file } else { other.prompt_file },
            prompt_column: self.prompt_column.or(other.prompt_column.filter(|_| !own_prompts)),
            template: self.template.or(other.template),
            system: self.system.or(other.system),
            date: self.date.or(other.date),
            special: self.special.or(other.special),
            temp: self.temp.or(other.temp),
            sampler: pick(own_chains, self.sampler, other.sampler),
            profile: self.profile.or(other.profile),
            stages: pick(own_chains, self.stages, other.stages),
            text_temperature: self.text_temperature.or(other.text_temperature),
            text: self.text.or(other.text),
            samples: self.samples.or(other.samples),
            spread: self.spread.or(other.spread),
            seed: self.seed.or(other.seed),
            max_tokens: self.max_tokens.or(other.max_tokens),
            stop: if self.stop.is_empty() { other.stop } else { self.stop },
            ban_string: pick(!self.ban_string.is_empty(), self.ban_string, other.ban_string),
            think: self.think.or(other.think),
            ignore_end: self.ignore_end.or(other.ignore_end),
            context: self.context.or(other.context),
            cache: self.cache.or(other.cache),
            record: if self.record.is_empty() { other.record } else { self.record },
            scores: all_scores(self.scores, other.scores),
            metrics: if self.metrics.is_empty() { other.metrics } else { self.metrics },
            judge: self.judge.or(other.judge),
            lines,
        }
    }

    /// The fields that are given.
    fn given(&self) -> Vec<&'static str> {
        let prompts = !self.prompts.is_empty() || self.prompt_file.is_some();
        let chains = !self.sampler.is_empty() || !self.stages.is_empty();
        let all = [
            ("model", self.model.is_some()),
            ("server", self.server.is_some()),
            ("speaks", self.speaks.is_some()),
            ("prompts", prompts),
            ("prompt_file", prompts),
            ("prompt_column", self.prompt_column.is_some()),
            ("template", self.template.is_some()),
            ("temp", self.temp.is_some()),
            ("sampler", chains),
            ("profile", self.profile.is_some()),
            ("stages", chains),
            ("text_temperature", self.text_temperature.is_some()),
            ("text_method", self.text.method.is_some()),
            ("text_particles", self.text.particles.is_some()),
            ("text_tries", self.text.tries.is_some()),
            ("text_moves", self.text.moves.is_some()),
            ("text_block", self.text.block.is_some()),
            ("samples", self.samples.is_some()),
            ("spread", self.spread.is_some()),
            ("max_tokens", self.max_tokens.is_some()),
            ("stop", !self.stop.is_empty()),
            ("ban_string", !self.ban_string.is_empty()),
            ("think", self.think.is_some()),
            ("context", self.context.is_some()),
            ("cache", self.cache.is_some()),
            ("record", !self.record.is_empty()),
            ("scores", !self.scores.is_empty()),
            ("metrics", !self.metrics.is_empty()),
        ];
        all.into_iter().filter(|(_, is_given)| *is_given).map(|(field, _)| field).collect()
    }
}

/// The template, by its name, or by the flag that is its name.
fn template(
    named: Option<String>,
    raw: Option<bool>,
    chat: Option<bool>,
) -> Result<Option<String>, RecipeError> {
    let flags = [("raw", raw), ("chat", chat)];
    let mut given = flags.into_iter().filter(|(_, flag)| *flag == Some(true));
    match (named, given.next(), given.next()) {
        (named, None, _) => Ok(named),
        (None, Some((name, _)), None) => Ok(Some(name.to_string())),
        (_, Some((name, _)), _) => Err(RecipeError::new(
            name,
            "the template is given twice: give one of template, raw and chat",
        )),
    }
}

#[cfg(test)]
mod tests;
