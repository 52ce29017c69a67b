//! Resolves a draft into a [`Recipe`]: its settings are combined, and what isn't given has its
//! default. Errors name the field, and where the recipe's file has it.

use std::collections::HashMap;

use kelvin_engine::{generate::banned_strings, transformer::CacheFormat};

use super::{
    Evaluation, Framing, Keep, Length, Origin, Recipe, RecipeError, Record, Template,
    columns::Typed, draft::Draft, read_prompts, scored::in_order,
};
use crate::{
    metrics::{self, Need},
    run::Prompt,
    scores::metrics_of,
};

/// The defaults.
const MODEL: &str = "smollm2";
const MAX_TOKENS: usize = 128;
const SAMPLES: usize = 1;
const SEED: u64 = 0;

/// Texts that a table may have: a list of its rows then takes less than a gigabyte.
const MAX_TEXTS: usize = 10_000_000;

impl Draft {
    /// Resolves the draft into a recipe.
    ///
    /// # Errors
    /// The field that is invalid or missing.
    pub fn resolve(self) -> Result<Recipe, RecipeError> {
        let lines = self.lines.clone();
        self.resolved().map_err(|error| lines.place(error))
    }

    fn resolved(self) -> Result<Recipe, RecipeError> {
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
        bounded(prompts.len(), chains.len(), samples)?;
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

/// Refuses a table of too many texts.
fn bounded(n_prompts: usize, n_chains: usize, samples: usize) -> Result<(), RecipeError> {
    let n_texts = n_prompts.saturating_mul(n_chains).saturating_mul(samples);
    if n_texts <= MAX_TEXTS {
        return Ok(());
    }
    let problem = format!(
        "{n_prompts} × {n_chains} × {samples} (prompts × chains × samples) are more texts than a \
         table may have, {MAX_TEXTS}"
    );
    Err(RecipeError::new("samples", problem))
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
