//! Builds reports of finished runs: as data, and from that as HTML, Markdown, or tables for a
//! terminal.
//!
//! [`Report`] holds every figure that any format shows, computed once. It reads no clock and draws
//! no random numbers without a seed: equal runs give equal bytes.

mod advice;
mod build;
mod command;
mod html;
mod markdown;
mod matched;
mod melting;
mod partings;
mod plane;
mod tables;
mod texts;
mod whole;

#[cfg(test)]
pub(crate) mod tests;

pub use advice::{Advice, Needed, TOLERANCE};
pub use command::{command, quoted};
pub use html::html;
pub use markdown::markdown;
pub use tables::{Table, tables};

use serde::Serialize;

use crate::{
    Recipe, Run, Store,
    metrics::{self, Aspect, Metric},
    run::Source,
    scores::{self, Score},
    scoring,
    statistics::{self, Budget, Estimate, Over},
    store::{RunId, StoreError},
};

/// The seed of all resampling.
const SEED: u64 = 0x4B65_6C76_696E;

/// A run and its origin.
#[derive(Debug)]
pub struct Evidence {
    /// The run.
    pub run: Run,
    /// Its recipe.
    pub recipe: Recipe,
    /// The scores that were computed: the recipe's, and those that were asked for besides.
    pub scores: Vec<Score>,
    /// The version of Kelvin that made it.
    pub version: String,
}

impl Evidence {
    /// A run of the database, with its recipe's scores and others. Of two with one name the other
    /// is taken.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn load(store: &Store, id: RunId, others: &[Score]) -> Result<Evidence, StoreError> {
        let listed = store.show(id)?;
        let scores = with_others(&listed.recipe.scores, others);
        let mut run = store.load(id)?;
        scoring::fill(store, id, &mut run, &scores)?;
        Ok(Evidence { run, recipe: listed.recipe, scores, version: listed.version })
    }
}

/// Scores of a recipe and others. Of two with one name the other is taken.
pub fn with_others(scores: &[Score], others: &[Score]) -> Vec<Score> {
    let stays = |score: &&Score| others.iter().all(|other| other.name != score.name);
    scores.iter().filter(stays).chain(others).cloned().collect()
}

/// What the report shows.
#[derive(Debug, Clone)]
pub struct Options {
    /// The metrics. Those without any value are shown with the reason.
    pub metrics: Vec<&'static Metric>,
    /// The base chain of the comparison; by default the one nearest to `temp=1`.
    pub against: Option<String>,
    /// The plane's metric of quality; by default the judge's surprisal, or else the model's own.
    pub quality: Option<&'static Metric>,
    /// The plane's metric of diversity; by default the Vendi score, or else distinct-2.
    pub diversity: Option<&'static Metric>,
    /// The number of samples per cell whose texts are shown.
    pub texts: usize,
}

/// Samples per cell whose texts a report shows unless said otherwise.
pub const USUAL_TEXTS: usize = 4;

impl Options {
    /// A report with the named metrics, or with none named those that the recipes ask for and their
    /// scores, or else all; and with the scores in `others`. Everything else has its default.
    ///
    /// # Errors
    /// A sentence about an unknown metric, or about two different scores of one name.
    pub fn asking(
        names: &[String],
        recipes: &[&Recipe],
        others: &[Score],
    ) -> Result<Options, String> {
        let own = own(recipes, others)?;
        let mut found = Vec::new();
        if names.is_empty() {
            for recipe in recipes {
                found.extend(metrics::named(&recipe.evaluation.metrics, &own)?);
                found.extend(scores::metrics_of(&with_others(&recipe.scores, others))?);
            }
        } else {
            found = metrics::named(names, &own)?;
            found.extend(scores::metrics_of(others)?);
        }
        let mut asked: Vec<&'static Metric> = Vec::new();
        for metric in found {
            if !asked.contains(&metric) {
                asked.push(metric);
            }
        }
        let texts = USUAL_TEXTS;
        Ok(Options { metrics: asked, against: None, quality: None, diversity: None, texts })
    }
}

/// The metrics of all scores of some recipes, and of others.
///
/// # Errors
/// If two different scores have one name.
pub fn own(recipes: &[&Recipe], others: &[Score]) -> Result<Vec<&'static Metric>, String> {
    let all: Vec<Score> =
        recipes.iter().flat_map(|recipe| with_others(&recipe.scores, others)).collect();
    scores::metrics_of(&all)
}

/// The figures of a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The version of Kelvin that wrote it.
    pub version: &'static str,
    /// The command that makes it again.
    pub command: String,
    /// The runs.
    pub runs: Vec<Head>,
    /// The compared settings: every chain of every run.
    pub settings: Vec<Setting>,
    /// Warnings about the comparison, in sentences: unequal budgets, missing texts.
    pub warnings: Vec<String>,
    /// What the texts advise, for each run.
    pub advice: Vec<Advice>,
    /// Metrics that can't tell settings apart, since they are at an end of their range, in a
    /// sentence.
    pub ceiling: Option<String>,
    /// The metrics' values.
    pub metrics: Vec<Measured>,
    /// Quality against diversity, if both have values.
    pub plane: Option<Plane>,
    /// Settings compared with the base's family at equal quality, if there are such families.
    pub matched: Option<Matching>,
    /// Entropy and heat capacity against temperature, for each family of chains.
    pub melting: Vec<Melting>,
    /// Where texts diverge from those of the next colder setting.
    pub partings: Vec<Parting>,
    /// What texts cost, and the thermodynamics of texts; empty if none was drawn as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub whole: Vec<Whole>,
    /// Example texts.
    pub texts: Vec<Text>,
}

/// What the texts of a setting cost, beside texts that were drawn as a whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Whole {
    /// The setting's index.
    pub setting: usize,
    /// Mean number of a text's tokens.
    pub tokens: f64,
    /// Mean number of tokens that the model computed for it.
    pub computed: f64,
    /// Texts of which no try was accepted.
    pub not_accepted: usize,
    /// What the method says of its own quality, if texts were drawn as a whole.
    pub quality: Option<String>,
    /// Thermodynamics, if particles drew the texts.
    pub heat: Option<WholeHeat>,
}

/// Thermodynamics of whole texts at one temperature, in nats a text: means over prompts, with
/// standard errors over dice.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WholeHeat {
    /// The number of prompts.
    pub prompts: usize,
    /// F = -T ln Z.
    pub free_energy: statistics::Measured,
    /// The mean of -ln p.
    pub energy: statistics::Measured,
    /// S = ln Z + energy/T.
    pub entropy: statistics::Measured,
    /// C = Var(-ln p)/T².
    pub heat_capacity: statistics::Measured,
}

/// The description of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Head {
    /// A name of the run that no other run of the report has: its model's, or else with the first
    /// digits of its hash.
    pub name: String,
    /// The recipe's hash.
    pub hash: String,
    /// The model or server.
    pub source: Source,
    /// The judge model.
    pub judge: Option<Source>,
    /// The version of Kelvin that made it.
    pub version: String,
    /// The command that makes it again.
    pub command: String,
    /// The seed.
    pub seed: u64,
    /// The maximum number of tokens of a text.
    pub max_tokens: usize,
    /// Samples per cell.
    pub n_samples: usize,
    /// The prompts.
    pub prompts: Vec<String>,
    /// The number of existing texts.
    pub n_texts: usize,
    /// The number of missing texts.
    pub n_missing: usize,
}

/// A setting: one chain of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// The run's index.
    pub run: usize,
    /// The chain's index in the run.
    pub index: usize,
    /// The chain.
    pub chain: String,
    /// The label: the chain, with the model's name if there are several runs.
    pub label: String,
    /// The chain without its temperature: settings with an equal family form one curve.
    pub family: String,
    /// The temperature, if there is one.
    pub temperature: Option<f64>,
    /// Whether the temperature is that of whole texts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// Whether it is the base of its run's comparison.
    pub is_base: bool,
    /// Its budget, and what it used.
    pub budget: Budget,
}

/// A metric's values in a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// The name in recipes.
    pub name: &'static str,
    /// The label in figures.
    pub title: &'static str,
    /// One line of description.
    pub summary: &'static str,
    /// Its definition.
    pub formula: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Its values' range.
    pub range: String,
    /// The source.
    pub source: &'static str,
    /// The known pitfall.
    pub trap: &'static str,
    /// Whether larger is better; `None` for a description.
    pub more_is_better: Option<bool>,
    /// What it measures.
    #[serde(skip)]
    pub aspect: Aspect,
    /// Estimates by setting; `None` where there is no value.
    pub values: Vec<Option<Value>>,
    /// Differences by setting, from the base of its run.
    pub differences: Vec<Option<Shown>>,
    /// The reasons for missing values, with counts.
    pub absent: Vec<(String, usize)>,
}

/// A mean with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Value {
    /// The mean.
    pub mean: f64,
    /// The lower end of its 95 % interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The number of values.
    pub n: usize,
    /// The population that the interval generalises to: `prompts` or `samples`.
    pub over: Over,
}

/// A difference and the conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Shown {
    /// The difference.
    #[serde(flatten)]
    pub value: Value,
    /// p after Holm's correction within the metric.
    pub p_holm: Option<f64>,
    /// `more`, `less`, `not shown` or `no interval`.
    pub verdict: &'static str,
}

/// The quality-diversity plane.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plane {
    /// The metric of quality.
    pub quality: &'static str,
    /// The metric of diversity.
    pub diversity: &'static str,
    /// The Pareto frontier, from the most fluent to the most diverse.
    pub frontier: Vec<usize>,
    /// The knee: the most diverse setting that loses at most a tenth of the quality of the setting
    /// that others are compared with, and of the best of every score of one's own ([`Advice`]). By
    /// their means. Scores may keep it off the frontier.
    pub knee: Option<usize>,
}

impl Plane {
    /// Whether the knee is none of the frontier's settings: what beats it at both axes misses what
    /// a score of one's own asks.
    pub fn is_knee_beaten(&self) -> bool {
        self.knee.is_some_and(|knee| !self.frontier.contains(&knee))
    }
}

/// Settings compared at equal quality with the family of their run's base, that is the chains that
/// differ from the base only in temperature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matching {
    /// The metric held equal: the plane's metric of quality.
    pub quality: &'static str,
    /// The settings of other families whose quality lies within the base family's range.
    pub settings: Vec<MatchedSetting>,
}

/// A setting compared with a family at equal quality.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatchedSetting {
    /// The setting's index.
    pub setting: usize,
    /// The family.
    pub family: String,
    /// The mean quality of both.
    pub quality: f64,
    /// The temperature at which the family has that quality, interpolated.
    pub temperature: f64,
    /// The differences, by metric of diversity.
    pub differences: Vec<MatchedDifference>,
}

/// The difference between a setting and the family at equal quality.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MatchedDifference {
    /// The metric of diversity.
    pub metric: &'static str,
    /// The family's value at that quality.
    pub family_has: f64,
    /// The setting's mean minus the family's. Holm's correction is over the run's settings.
    #[serde(flatten)]
    pub shown: Shown,
}

/// A family of chains against temperature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Melting {
    /// The run's index.
    pub run: usize,
    /// The family.
    pub family: String,
    /// Its settings by rising temperature.
    pub settings: Vec<usize>,
    /// The temperature of the largest heat capacity.
    pub point: Option<MeltingPoint>,
    /// The first temperature at which ln of the mean final entropy is convex (TURN, arXiv
    /// 2502.05234): a setting, not interpolated. `None` with fewer than five temperatures.
    pub turning: Option<MeltingPoint>,
}

/// A melting or turning point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeltingPoint {
    /// The temperature: of the largest heat capacity, interpolated by a parabola, or of the turn.
    /// Its precision is limited by the spacing of the settings.
    pub temperature: f64,
    /// The lower end of the 95 % interval over resampled prompts.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Whether it is at the end of what was tried, so that the true point may lie beyond.
    pub at_the_edge: bool,
    /// The two neighbouring temperatures that were tried between which it lies; `None` if it is
    /// one that was tried.
    pub between: Option<(f64, f64)>,
}

impl MeltingPoint {
    /// Where it lies, if no setting has its temperature, as the rest of a sentence.
    pub fn between_words(&self) -> String {
        let Some((colder, hotter)) = self.between else { return String::new() };
        format!(", between T = {colder} and T = {hotter}, which were tried")
    }
}

/// Where texts of two neighbouring temperatures with equal random numbers diverge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parting {
    /// The colder setting.
    pub colder: usize,
    /// The hotter one.
    pub hotter: usize,
    /// The mean first differing token, from 0. Equal texts count their whole length.
    pub token: Option<Value>,
    /// The share of pairs that are equal.
    pub together: f64,
}

/// An example text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Text {
    /// The setting's index.
    pub setting: usize,
    /// The prompt's index in its run.
    pub prompt: usize,
    /// The sample number.
    pub sample: usize,
    /// Its tokens: text, and raw surprisal in nats.
    pub tokens: Vec<(String, Option<f64>)>,
    /// Why generation ended.
    pub finish: crate::run::Finish,
}

impl Value {
    /// From an estimate.
    pub fn of(estimate: &Estimate) -> Value {
        let (low, high) = estimate.interval.unzip();
        Value { mean: estimate.mean, low, high, n: estimate.n, over: estimate.over }
    }
}

/// A count with its noun, in singular or plural.
fn counted(n: usize, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}
