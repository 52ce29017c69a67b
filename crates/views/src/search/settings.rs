//! The settings of a search, for JSON.

use kelvin_engine::search::{Beams, By, Plan};
use kelvin_sampling::Chain;
use schemars::JsonSchema;
use serde::Serialize;

/// A method with its settings. Those of other methods are left out.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(rename = "SearchSettings")]
pub struct Settings {
    /// `beam`, `diverse`, `stochastic`, `best-of` or `mbr`.
    pub method: &'static str,
    /// Beams, of all groups together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beams: Option<usize>,
    /// Groups of beams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// What a token loses for each beam of an earlier group that has it, in nats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diversity_penalty: Option<f64>,
    /// The exponent of the length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length_penalty: Option<f64>,
    /// `true`, `false` or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<&'static str>,
    /// Texts that were drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<usize>,
    /// `mean` or `sum`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'static str>,
    /// How alike texts are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utility: Option<&'static str>,
    /// What a text's score is, in words.
    pub score: String,
}

/// A measure of how alike two texts are: its name, and what a text's score is with it.
pub type Utility = (&'static str, &'static str);

impl Settings {
    /// Of a plan with a chain; `utility` is the measure of minimum Bayes risk.
    pub fn of(plan: Plan, utility: Utility, chain: &Chain) -> Settings {
        let score = score(plan, utility, chain);
        let of = Settings { method: method(plan), score, ..Settings::default() };
        match plan {
            Plan::Beams(how) => Settings {
                beams: Some(how.beams),
                groups: (how.groups > 1).then_some(how.groups),
                diversity_penalty: (how.groups > 1).then_some(how.diversity_penalty),
                length_penalty: Some(how.length_penalty),
                early_stopping: Some(how.early_stopping.name()),
                ..of
            },
            Plan::Stochastic(beams) => Settings { beams: Some(beams), ..of },
            Plan::BestOf(samples, by) => {
                Settings { samples: Some(samples), by: Some(by.name()), ..of }
            }
            Plan::Mbr(samples) => {
                Settings { samples: Some(samples), utility: Some(utility.0), ..of }
            }
        }
    }
}

/// The name of a plan's method.
pub fn method(plan: Plan) -> &'static str {
    match plan {
        Plan::Beams(how) if how.groups == 1 => "beam",
        Plan::Beams(_) => "diverse",
        Plan::Stochastic(_) => "stochastic",
        Plan::BestOf(..) => "best-of",
        Plan::Mbr(_) => "mbr",
    }
}

/// What a text's score is.
fn score(plan: Plan, utility: Utility, chain: &Chain) -> String {
    // Beams go by the probabilities that the chain leaves.
    let ln_p = if *chain == Chain::default() { "ln p" } else { "ln p of the chain" };
    match plan {
        Plan::Beams(Beams { groups, length_penalty, .. }) => {
            let paid = if groups > 1 { " less diversity penalties" } else { "" };
            match length_penalty {
                0.0 => format!("{ln_p}{paid}"),
                1.0 => format!("{ln_p}{paid}, divided by the number of tokens"),
                penalty => format!("{ln_p}{paid}, divided by tokens^{penalty}"),
            }
        }
        Plan::Stochastic(_) => format!("{ln_p} and a Gumbel number of the text's own"),
        Plan::BestOf(_, By::Sum) => "ln p".to_string(),
        Plan::BestOf(_, By::Mean) => "ln p, divided by the number of tokens".to_string(),
        Plan::Mbr(_) => utility.1.to_string(),
    }
}

/// chrF, the usual measure.
pub const CHRF: Utility = ("chrf", "mean chrF against the other texts");
