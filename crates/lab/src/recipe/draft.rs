//! Resolves what the user typed into a [`Recipe`]: flags override a TOML file, which overrides the
//! defaults. Errors name the field.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use kelvin_engine::{generate::banned_strings, texts::Asked, transformer::CacheFormat};

use super::{
    Evaluation, Framing, Keep, Length, Origin, Recipe, RecipeError, Record, Template,
    columns::Typed,
    file::{Fields, Values},
    read_prompts,
    scored::{all_scores, in_order, scores},
};
use crate::{
    metrics::{self, Need},
    run::Prompt,
    scores::{Score, metrics_of},
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
}

/// The defaults.
const MODEL: &str = "smollm2";
const MAX_TOKENS: usize = 128;
const SAMPLES: usize = 1;
const SEED: u64 = 0;
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
        let mut draft = Draft::parse(&text, folder)
            .map_err(|error| RecipeError { field: format!("{shown}, {}", error.field), ..error })?;
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
        }
    }

    /// Resolves the draft into a recipe.
    ///
    /// # Errors
    /// The field that is invalid or missing.
    pub fn resolve(self) -> Result<Recipe, RecipeError> {
        let max_tokens = self.max_tokens.unwrap_or(MAX_TOKENS);
        let chains = self.typed(max_tokens).columns()?;
        if chains.iter().any(|column| column.texts().is_some()) {
            self.refuse_beside_texts()?;
        }
        let prompts = self.all_prompts()?;
        let spread = self.spread()?;
        let at_least_one =
            |field: &str, n: Option<usize>, default: usize| match n.unwrap_or(default) {
                0 => Err(RecipeError::new(field, "it is 0, but at least 1 is needed")),
                n => Ok(n),
            };
        let samples = at_least_one("samples", self.samples, SAMPLES)?;
        if self.stop.iter().any(String::is_empty) {
            return Err(RecipeError::new(
                "stop",
                "an empty text would stop before the first character",
            ));
        }
        banned_strings(&self.ban_string)
            .map_err(|problem| RecipeError::new("ban_string", problem))?;
        let template = match self.template.as_deref() {
            None | Some("auto") => Template::Auto,
            Some("chat") => Template::Chat,
            Some("raw") => Template::Raw,
            Some(other) => return Err(unknown("template", other, "auto, chat, raw")),
        };
        let cache = match self.cache.as_deref() {
            None => CacheFormat::default(),
            Some(name) => {
                let known = CacheFormat::ALL.map(CacheFormat::name).join(", ");
                CacheFormat::named(name).ok_or_else(|| unknown("cache", name, &known))?
            }
        };
        let scores = in_order(&self.scores)?;
        let record = self.records()?;
        if let Some(context) = self.context {
            at_least_one("context", Some(context), 1)?;
        }
        Ok(Recipe {
            origin: origin(self.server, self.model, self.speaks)?,
            prompts,
            framing: Framing {
                template,
                system: self.system,
                date: self.date,
                special: self.special.unwrap_or(false),
            },
            chains,
            samples,
            spread,
            seed: self.seed.unwrap_or(SEED),
            length: Length {
                max_tokens: at_least_one("max_tokens", Some(max_tokens), MAX_TOKENS)?,
                stop: self.stop,
                ban_string: self.ban_string,
                think: self.think,
                ignore_end: self.ignore_end.unwrap_or(false),
                context: self.context,
                cache,
            },
            record,
            scores,
            evaluation: Evaluation { metrics: self.metrics, judge: self.judge },
        })
    }

    /// Whether samples are spread.
    fn spread(&self) -> Result<bool, RecipeError> {
        let is_logits = |what: &String| what.starts_with("logits");
        let problem = match self.spread {
            None | Some(false) => return Ok(false),
            Some(true) if self.samples.is_none_or(|n| n < 2) => {
                "it is of several samples: give samples = 2 or more"
            }
            Some(true) if self.server.is_some() => "a server doesn't spread its samples",
            Some(true) if self.record.iter().any(is_logits) => {
                "logits of spread samples can't be replayed: record none"
            }
            Some(true) => return Ok(true),
        };
        Err(RecipeError::new("spread", problem))
    }

    fn typed(&self, max_tokens: usize) -> Typed<'_> {
        Typed {
            sampler: &self.sampler,
            stages: &self.stages,
            profile: self.profile.as_deref(),
            temp: self.temp.as_deref(),
            text_temperature: self.text_temperature.as_deref(),
            text: &self.text,
            max_tokens,
        }
    }

    /// Refuses what a temperature of texts doesn't combine with. Chains are columns of their own.
    fn refuse_beside_texts(&self) -> Result<(), RecipeError> {
        let what = match () {
            _ if self.server.is_some() => "a server, which has none",
            _ if !self.ban_string.is_empty() => "ban_string",
            _ if self.think.is_some() => "think",
            _ if !self.record.is_empty() => "record",
            _ => return Ok(()),
        };
        let problem = format!(
            "it is of the model's own distribution of texts, so it doesn't combine with {what}"
        );
        Err(RecipeError::new("text_temperature", problem))
    }

    /// What is recorded of each text. Each metric of the recipe needs what it is computed from.
    fn records(&self) -> Result<Record, RecipeError> {
        let mut record = Record::default();
        for name in &self.record {
            match name.as_str() {
                "shift" => record.shift = true,
                "logits" => record.logits = Some(Keep::Whole),
                other => match other.strip_prefix("logits=").map(str::parse) {
                    Some(Ok(n)) => record.logits = Some(Keep::Top(n)),
                    _ => {
                        return Err(unknown(
                            "record",
                            other,
                            "shift, logits, logits=N (the N likeliest)",
                        ));
                    }
                },
            }
        }
        let wrong = |problem: String| RecipeError::new("metrics", problem);
        let own = metrics_of(&self.scores).map_err(wrong)?;
        for metric in metrics::named(&self.metrics, &own).map_err(wrong)? {
            // Logits can't be recorded after the texts were generated.
            if metric.needs == Need::Shift
                && !record.shift
                && self.metrics.iter().any(|n| n == metric.name)
            {
                return Err(wrong(format!(
                    "{} needs data that isn't recorded: add `record = \"shift\"`",
                    metric.name
                )));
            }
        }
        Ok(record)
    }

    fn all_prompts(&self) -> Result<Vec<Prompt>, RecipeError> {
        let mut prompts: Vec<Prompt> =
            self.prompts.iter().map(|text| Prompt::from(text.as_str())).collect();
        match (&self.prompt_file, self.prompt_column.as_deref()) {
            (Some(path), column) => {
                let read = read_prompts(path, column);
                prompts.extend(read.map_err(|problem| RecipeError::new("prompt_file", problem))?);
            }
            (None, Some(_)) => {
                let problem =
                    "it names a column of a file of prompts, but no `prompt_file` is given";
                return Err(RecipeError::new("prompt_column", problem));
            }
            (None, None) => {}
        }
        if prompts.is_empty() {
            return Err(RecipeError::new(
                "prompts",
                "there is no prompt: give some, or a `prompt_file`",
            ));
        }
        let mut seen = HashMap::new();
        for (i, prompt) in prompts.iter().enumerate() {
            if let Some(first) = seen.insert(&prompt.text, i) {
                let problem = format!(
                    "prompt {} is the same as prompt {}, and equal prompts give equal texts",
                    i + 1,
                    first + 1
                );
                return Err(RecipeError::new("prompts", problem));
            }
        }
        Ok(prompts)
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

/// Where the texts come from.
fn origin(
    server: Option<String>,
    model: Option<String>,
    speaks: Option<String>,
) -> Result<Origin, RecipeError> {
    Ok(match (server, model) {
        (None, _) if speaks.is_some() => {
            return Err(RecipeError::new(
                "speaks",
                "it names the parameters of a server, but no `server` is given",
            ));
        }
        (None, model) => Origin::Model(model.unwrap_or_else(|| MODEL.into())),
        (Some(_), None) => {
            return Err(RecipeError::new("model", "a server needs the name of one of its models"));
        }
        (Some(url), Some(model)) => {
            Origin::Server { url: url.trim_end_matches('/').to_string(), model, speaks }
        }
    })
}

fn unknown(field: &str, found: &str, known: &str) -> RecipeError {
    RecipeError::new(field, format!("there is no \"{found}\"; expected one of {known}"))
}

#[cfg(test)]
mod tests;
