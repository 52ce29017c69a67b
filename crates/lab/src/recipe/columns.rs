//! The columns of a recipe: whole chains or single stages combined with every temperature, and
//! temperatures of whole texts.

use std::collections::HashSet;

use kelvin_engine::texts::{AskError, Asked, TextTemp};
use kelvin_sampling::{Profile, SamplingParams, Stage, Temp, split_notation};

use super::{MAX_CHAINS, RecipeError, expand, values};
use crate::column::Column;

/// Temperatures where neither a flag nor a chain says any.
const TEMPERATURES: &str = "0.5,1,2";

/// What was typed of columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Typed<'a> {
    /// Whole chains, or temperatures of texts in their notation.
    pub(super) sampler: &'a [String],
    pub(super) stages: &'a [String],
    pub(super) profile: Option<&'a str>,
    pub(super) temp: Option<&'a str>,
    pub(super) text_temperature: Option<&'a str>,
    pub(super) text: &'a Asked,
    pub(super) max_tokens: usize,
}

/// A column before a temperature is set.
enum Setting {
    Tokens(SamplingParams),
    Texts(TextTemp),
}

impl Typed<'_> {
    /// The columns in order: chains, those of one chain together, and then temperatures of texts.
    pub(super) fn columns(&self) -> Result<Vec<Column>, RecipeError> {
        let settings = self.settings()?;
        let texts = self.texts()?;
        // Whole chains have temperatures of their own, and so may stages and profiles. But those
        // beside a temperature of texts are at that temperature.
        let nothing_said = self.sampler.is_empty()
            && (self.text_temperature.is_some()
                || self.stages.is_empty() && self.profile.is_none());
        // Beside a temperature of texts stands the same temperature of tokens.
        let usual = self.text_temperature.unwrap_or(TEMPERATURES);
        let temp = self.temp.or(nothing_said.then_some(usual));
        let temperatures = temp.map(temperatures).transpose()?;
        let n_of_each = temperatures.as_ref().map_or(1, Vec::len);
        if settings.len().saturating_mul(n_of_each) > MAX_CHAINS {
            return Err(too_many("temp"));
        }
        let mut columns: Vec<Column> = Vec::new();
        for setting in settings {
            match (setting, &temperatures) {
                (Setting::Texts(texts), _) => columns.push(Column::Texts(texts)),
                (Setting::Tokens(params), None) => columns.push(params.chain().clone().into()),
                (Setting::Tokens(params), Some(temperatures)) => {
                    for &t in temperatures {
                        let chain = params.at(t);
                        let chain =
                            chain.map_err(|error| RecipeError::new("temp", error.to_string()))?;
                        columns.push(chain.into());
                    }
                }
            }
        }
        columns.extend(texts.into_iter().map(Column::Texts));
        if columns.len() > MAX_CHAINS {
            return Err(too_many("text_temperature"));
        }
        let mut seen = HashSet::new();
        let mut all = columns.iter();
        if let Some(twice) = all.find(|column| !seen.insert(column.to_string())) {
            let (field, what) = match twice {
                Column::Texts(_) => ("text_temperature", "the temperature of texts"),
                Column::Tokens(_) if self.sampler.is_empty() => ("temp", "the chain"),
                Column::Tokens(_) => ("sampler", "the chain"),
            };
            return Err(RecipeError::new(field, format!("{what} `{twice}` is given twice")));
        }
        Ok(columns)
    }

    /// Whole chains or single stages, before temperatures are set.
    fn settings(&self) -> Result<Vec<Setting>, RecipeError> {
        let profile = Profile::named(self.profile)
            .map_err(|error| RecipeError::new("profile", error.to_string()))?;
        if !self.sampler.is_empty() && (!self.stages.is_empty() || self.profile.is_some()) {
            return Err(RecipeError::new(
                "sampler",
                "it gives whole chains, so single stages and a profile can't be given beside it",
            ));
        }
        let mut settings: Vec<Setting> = Vec::new();
        let mut n = 0usize;
        let mut add = |field: &str, text: &str, read: &dyn Fn(&str) -> Result<Setting, String>| {
            let texts = expand(text).map_err(|problem| RecipeError::new(field, problem))?;
            n += texts.len();
            if n > MAX_CHAINS {
                return Err(too_many(field));
            }
            for text in texts {
                settings.push(read(&text).map_err(|problem| RecipeError::new(field, problem))?);
            }
            Ok(())
        };
        if self.sampler.is_empty() {
            self.stages.iter().try_for_each(|stage| check_stage(stage))?;
            let stages = |text: &str| {
                let stages = split_notation(text, '|').into_iter();
                let stages = stages.filter(|stage| !stage.is_empty());
                let params = SamplingParams::of(profile, stages);
                params.map(Setting::Tokens).map_err(|error| error.to_string())
            };
            add("stages", &self.stages.join(" | "), &stages)?;
        } else {
            for text in self.sampler {
                add("sampler", text, &|text| self.whole(text))?;
            }
        }
        Ok(settings)
    }

    /// A whole chain, or a temperature of texts in its notation.
    fn whole(&self, text: &str) -> Result<Setting, String> {
        match text.parse::<Column>().map_err(|error| error.to_string())? {
            Column::Tokens(chain) => Ok(Setting::Tokens(chain.into())),
            Column::Texts(texts) => {
                texts.settings(self.max_tokens.max(1)).map_err(|error| error.to_string())?;
                Ok(Setting::Texts(texts))
            }
        }
    }

    /// The temperatures of texts.
    fn texts(&self) -> Result<Vec<TextTemp>, RecipeError> {
        let method = self.text.resolve().map_err(|error| match error {
            AskError::NotOf { number, of } => RecipeError::new(
                &format!("text_{number}"),
                format!("it is of text_method {of}, which isn't used"),
            ),
            other => RecipeError::new("text_method", other.to_string()),
        })?;
        let wrong = |problem: String| RecipeError::new("text_temperature", problem);
        let Some(typed) = self.text_temperature else {
            return match self.text.is_empty() {
                true => Ok(Vec::new()),
                false => Err(wrong("it isn't given, but how texts are drawn is".to_string())),
            };
        };
        let one = |typed: String| {
            let temperature =
                typed.parse().map_err(|_| wrong(format!("it {}", TextTemp::unfit(&typed))))?;
            let texts = TextTemp { temperature, method };
            texts
                .settings(self.max_tokens.max(1))
                .map_err(|error| wrong(format!("{typed}: {error}")))?;
            Ok(texts)
        };
        let all: Vec<TextTemp> =
            values(typed).map_err(wrong)?.into_iter().map(one).collect::<Result<_, _>>()?;
        match (1..all.len()).find(|&i| all[..i].contains(&all[i])) {
            Some(i) => Err(wrong(format!("`{}` is given twice", all[i]))),
            None => Ok(all),
        }
    }
}

/// Checks a stage of its own, whose values may be a list: an error names the stage as a field.
fn check_stage(typed: &str) -> Result<(), RecipeError> {
    let name = typed.split('=').next().unwrap_or_default().trim();
    let wrong = |problem: String| {
        let begin = format!("{name}: ");
        let problem = problem.strip_prefix(&begin).unwrap_or(&problem);
        RecipeError::new(&format!("stages.{name}"), problem)
    };
    let is_stage = |text: String| text.parse::<Stage>().map(drop);
    let mut all = expand(typed).map_err(wrong)?.into_iter();
    all.try_for_each(is_stage).map_err(|error| wrong(error.to_string()))
}

fn too_many(field: &str) -> RecipeError {
    RecipeError::new(field, format!("the grid has more than {MAX_CHAINS} chains"))
}

fn temperatures(text: &str) -> Result<Vec<Temp>, RecipeError> {
    let all = values(text).map_err(|problem| RecipeError::new("temp", problem))?;
    let one = |text: &String| {
        let problem =
            || format!("\"{text}\" isn't a temperature, which is {} such as 0.7", Temp::ALLOWED);
        text.parse::<Temp>().map_err(|_| RecipeError::new("temp", problem()))
    };
    all.iter().map(one).collect()
}
