//! Finished runs in, what they show out: as data, and that as one HTML file, as Markdown, or as
//! tables for a terminal.
//!
//! [`Report`] holds every figure that any of the forms shows, computed once. No clock is read and
//! nothing is drawn at random that a seed doesn't decide: equal runs give equal bytes.

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

#[cfg(test)]
pub(crate) mod tests;

pub use command::{command, quoted};
pub use html::html;
pub use markdown::markdown;
pub use tables::{Table, tables};

use serde::Serialize;

use crate::{
    Recipe, Run,
    metrics::Metric,
    run::Source,
    statistics::{Budget, Estimate, Over},
};

/// A run and where it came from.
#[derive(Debug)]
pub struct Evidence {
    /// The run.
    pub run: Run,
    /// Its recipe.
    pub recipe: Recipe,
    /// The version of the program that made it.
    pub version: String,
}

/// What to show.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which metrics; those without any value are shown with the reason.
    pub metrics: Vec<&'static Metric>,
    /// The chain that the others are compared with; the one nearest to `temp=1` if none.
    pub against: Option<String>,
    /// What stands for quality on the plane; none for the judge's surprisal, or else the model's
    /// own.
    pub quality: Option<&'static Metric>,
    /// What stands for diversity on the plane; none for the Vendi score, or else distinct-2.
    pub diversity: Option<&'static Metric>,
    /// Samples of each cell whose texts are shown.
    pub texts: usize,
}

/// What runs show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Of the program that wrote it.
    pub version: &'static str,
    /// How to make it again.
    pub command: String,
    /// The runs.
    pub runs: Vec<Head>,
    /// The settings that are compared: every chain of every run.
    pub settings: Vec<Setting>,
    /// What is wrong with the comparison, in sentences: unequal budgets, missing texts.
    pub warnings: Vec<String>,
    /// What the metrics say.
    pub metrics: Vec<Measured>,
    /// Quality against diversity, if both can be had.
    pub plane: Option<Plane>,
    /// Settings beside the base's family at equal quality, if there are families to compare.
    pub matched: Option<Matching>,
    /// Entropy and heat capacity against temperature, for each family of chains.
    pub melting: Vec<Melting>,
    /// Where texts part from those of the next colder setting.
    pub partings: Vec<Parting>,
    /// Texts to read.
    pub texts: Vec<Text>,
}

/// What a run was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Head {
    /// Hash of its recipe.
    pub hash: String,
    /// Where its texts come from.
    pub source: Source,
    /// The model that judged them.
    pub judge: Option<Source>,
    /// The program's version that made it.
    pub version: String,
    /// Makes it again.
    pub command: String,
    /// The dice.
    pub seed: u64,
    /// Tokens of a text at most.
    pub max_tokens: usize,
    /// Samples of a cell.
    pub n_samples: usize,
    /// The prompts.
    pub prompts: Vec<String>,
    /// Texts that are there, and that are missing.
    pub n_texts: usize,
    /// Texts that aren't there yet.
    pub n_missing: usize,
}

/// One chain of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// Which run, from 0.
    pub run: usize,
    /// Which of its chains, from 0.
    pub index: usize,
    /// The chain.
    pub chain: String,
    /// What to call it: the chain, with its model where there are several runs.
    pub label: String,
    /// The chain but for its temperature, which is the x of figures.
    pub family: String,
    /// Its temperature, if it has one.
    pub temperature: Option<f64>,
    /// Whether the other settings of its run are compared with it.
    pub is_base: bool,
    /// What it was allowed and took.
    pub budget: Budget,
}

/// A metric's values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// Its name in recipes.
    pub name: &'static str,
    /// Its name in figures.
    pub title: &'static str,
    /// In one line.
    pub summary: &'static str,
    /// Its definition.
    pub formula: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Its values' range.
    pub range: String,
    /// Where it comes from.
    pub source: &'static str,
    /// How it misleads.
    pub trap: &'static str,
    /// Whether more is better; none for neither.
    pub more_is_better: Option<bool>,
    /// By setting; none where there is no value.
    pub values: Vec<Option<Value>>,
    /// By setting, against the run's base.
    pub differences: Vec<Option<Shown>>,
    /// Why values are missing, and how many.
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
    /// How many values it's the mean of.
    pub n: usize,
    /// To what the interval carries over: `prompts` or `samples`.
    pub over: Over,
}

/// A difference and what may be said of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Shown {
    /// The difference.
    #[serde(flatten)]
    pub value: Value,
    /// After Holm's correction within the metric.
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
    /// Settings that none beats at both, from the most fluent to the most diverse.
    pub frontier: Vec<usize>,
    /// The one of them beyond which a little more of one costs much of the other.
    pub knee: Option<usize>,
}

/// Settings beside the family of their run's base, the chains that differ from it in temperature
/// alone, at equal quality.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matching {
    /// The metric that is equal: the plane's.
    pub quality: &'static str,
    /// The settings of other families whose quality the base's has as well.
    pub settings: Vec<MatchedSetting>,
}

/// A setting beside a family that is as good.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatchedSetting {
    /// Which setting.
    pub setting: usize,
    /// The family.
    pub family: String,
    /// The mean quality of both.
    pub quality: f64,
    /// The temperature at which the family has it, between two of its settings.
    pub temperature: f64,
    /// By metric of diversity.
    pub differences: Vec<MatchedDifference>,
}

/// How a setting differs from the family at equal quality.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MatchedDifference {
    /// The metric of diversity.
    pub metric: &'static str,
    /// What the family has there.
    pub family_has: f64,
    /// The setting's mean minus that; Holm's correction is over the run's settings.
    #[serde(flatten)]
    pub shown: Shown,
}

/// How a family of chains answers to heat.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Melting {
    /// Which run.
    pub run: usize,
    /// The family.
    pub family: String,
    /// Its settings by rising temperature.
    pub settings: Vec<usize>,
    /// Where heat capacity is largest.
    pub point: Option<MeltingPoint>,
}

/// The temperature at which text melts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeltingPoint {
    /// The temperature of the largest heat capacity, between settings by a parabola: no finer than
    /// their distance deserves.
    pub temperature: f64,
    /// 95 of 100 resamples of the prompts have it from here …
    pub low: f64,
    /// … to here.
    pub high: f64,
    /// It's the coldest or the hottest setting, so the true one may lie beyond.
    pub at_the_edge: bool,
}

/// Where texts of two neighbouring temperatures with the same dice part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parting {
    /// The colder setting.
    pub colder: usize,
    /// The hotter one.
    pub hotter: usize,
    /// The token at which they part, from 0; a pair that never does counts its whole length.
    pub token: Option<Value>,
    /// The part of pairs that never do.
    pub together: f64,
}

/// A text to read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Text {
    /// Which setting.
    pub setting: usize,
    /// Which prompt of its run.
    pub prompt: usize,
    /// Which dice.
    pub sample: usize,
    /// Its tokens: what they say, and their raw surprisal in nats.
    pub tokens: Vec<(String, Option<f64>)>,
    /// Why it ended.
    pub finish: crate::run::Finish,
}

impl Value {
    /// Of an estimate.
    pub fn of(estimate: &Estimate) -> Value {
        let (low, high) = estimate.interval.unzip();
        Value { mean: estimate.mean, low, high, n: estimate.n, over: estimate.over }
    }
}

/// So many of a thing, as a sentence has it.
fn counted(n: usize, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}
