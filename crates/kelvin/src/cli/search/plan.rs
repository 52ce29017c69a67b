//! What the flags of `search` ask for, checked before a model is opened.

use kelvin_engine::search::{Beams, By, MAX_TEXTS, SearchError, Task};
use kelvin_sampling::Chain;
use serde::Serialize;

use super::args::{Method, MethodArgs, SearchArgs, Utility};
use crate::{cli::shared::failure::usage, terminal};

/// A method with its settings.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Plan {
    /// Beam search, in groups or not.
    Beams(Beams),
    /// So many stochastic beams.
    Stochastic(usize),
    /// The best of so many drawn texts.
    BestOf(usize, By),
    /// The drawn text that is most like the others.
    Mbr(usize, Utility),
}

/// A method with its settings, for JSON.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Settings {
    pub(crate) method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    beams: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diversity_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    early_stopping: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utility: Option<&'static str>,
    /// What a text's score is, in words.
    pub(crate) score: String,
}

/// The settings of the flags, checked. `chain` is what they set of the distribution.
pub(crate) fn plan(args: &SearchArgs, chain: &Chain) -> anyhow::Result<Plan> {
    let how = &args.how;
    check_flags(args)?;
    let refused = |error: SearchError| usage(error.to_string());
    let beams = how.beams.unwrap_or(Beams::default().beams);
    let plan = match how.method {
        Method::Beam | Method::Diverse => {
            let usual = Beams::default();
            let beams = Beams {
                beams,
                groups: if how.method == Method::Beam { 1 } else { how.groups.unwrap_or(2) },
                diversity_penalty: how.diversity_penalty.unwrap_or(usual.diversity_penalty),
                length_penalty: how.length_penalty.unwrap_or(usual.length_penalty),
                early_stopping: how.early_stopping.unwrap_or(usual.early_stopping),
            };
            beams.check().map_err(refused)?;
            Plan::Beams(beams)
        }
        Method::Stochastic => {
            Beams { beams, ..Beams::default() }.check().map_err(refused)?;
            Plan::Stochastic(beams)
        }
        Method::BestOf => Plan::BestOf(samples(how, 1)?, how.by.unwrap_or_default()),
        Method::Mbr => Plan::Mbr(samples(how, 2)?, how.utility.unwrap_or_default()),
    };
    if plan.has_beams() {
        let task = Task {
            prompt: &[],
            chain: Some(chain),
            end_tokens: &[],
            max_tokens: args.length.max_tokens,
            stops: None,
        };
        task.check().map_err(refused)?;
    }
    if args.top == 0 {
        return Err(usage("--top is 0: give at least 1"));
    }
    Ok(plan)
}

/// The number of texts to draw.
fn samples(how: &MethodArgs, least: usize) -> anyhow::Result<usize> {
    let (n, method) = (how.samples.unwrap_or(16), how.method.name());
    if n < least {
        let compared = if least > 1 { ", each of which is compared with the others" } else { "" };
        return Err(usage(format!(
            "--samples is {n}, but --method {method} draws at least {}{compared}",
            terminal::counted(least, "text")
        )));
    }
    if n > MAX_TEXTS {
        return Err(usage(format!("--samples is {n}, but at most {MAX_TEXTS} texts are drawn")));
    }
    Ok(n)
}

/// Refuses flags of other methods.
fn check_flags(args: &SearchArgs) -> anyhow::Result<()> {
    use Method::{Beam, BestOf, Diverse, Mbr, Stochastic};
    let how = &args.how;
    let flags: [(&str, bool, &[Method]); 9] = [
        ("--beams", how.beams.is_some(), &[Beam, Diverse, Stochastic]),
        ("--groups", how.groups.is_some(), &[Diverse]),
        ("--diversity-penalty", how.diversity_penalty.is_some(), &[Diverse]),
        ("--length-penalty", how.length_penalty.is_some(), &[Beam, Diverse]),
        ("--early-stopping", how.early_stopping.is_some(), &[Beam, Diverse]),
        ("--samples", how.samples.is_some(), &[BestOf, Mbr]),
        ("--by", how.by.is_some(), &[BestOf]),
        ("--utility", how.utility.is_some(), &[Mbr]),
        ("--tree", args.tree, &[Beam, Diverse, Stochastic]),
    ];
    let foreign =
        flags.into_iter().find(|(_, is_given, of)| *is_given && !of.contains(&how.method));
    let Some((flag, _, of)) = foreign else { return Ok(()) };
    let names: Vec<&str> = of.iter().map(|method| method.name()).collect();
    let method = how.method.name();
    Err(usage(format!("{flag} is for --method {}, not for {method}", names.join(" or "))))
}

impl Plan {
    /// Whether beams are read, and nothing is drawn token by token.
    pub(crate) fn has_beams(self) -> bool {
        matches!(self, Plan::Beams(_) | Plan::Stochastic(_))
    }

    /// Whether it depends on the seed.
    pub(crate) fn is_random(self) -> bool {
        !matches!(self, Plan::Beams(_))
    }

    /// How many texts there are at a time.
    pub(crate) fn n_texts(self) -> usize {
        match self {
            Plan::Beams(Beams { beams: n, .. })
            | Plan::Stochastic(n)
            | Plan::BestOf(n, _)
            | Plan::Mbr(n, _) => n,
        }
    }

    /// For JSON.
    pub(crate) fn settings(self) -> Settings {
        let score = self.score();
        match self {
            Plan::Beams(how) => Settings {
                method: if how.groups == 1 { "beam" } else { "diverse" },
                beams: Some(how.beams),
                groups: (how.groups > 1).then_some(how.groups),
                diversity_penalty: (how.groups > 1).then_some(how.diversity_penalty),
                length_penalty: Some(how.length_penalty),
                early_stopping: Some(how.early_stopping.name()),
                score,
                ..Settings::default()
            },
            Plan::Stochastic(beams) => {
                Settings { method: "stochastic", beams: Some(beams), score, ..Settings::default() }
            }
            Plan::BestOf(samples, by) => Settings {
                method: "best-of",
                samples: Some(samples),
                by: Some(by.name()),
                score,
                ..Settings::default()
            },
            Plan::Mbr(samples, utility) => Settings {
                method: "mbr",
                samples: Some(samples),
                utility: Some(utility.name()),
                score,
                ..Settings::default()
            },
        }
    }

    /// What a text's score is.
    fn score(self) -> String {
        match self {
            Plan::Beams(how) => {
                let paid = if how.groups > 1 { " less diversity penalties" } else { "" };
                match how.length_penalty {
                    0.0 => format!("ln p{paid}"),
                    1.0 => format!("ln p{paid}, divided by the number of tokens"),
                    penalty => format!("ln p{paid}, divided by tokens^{penalty}"),
                }
            }
            Plan::Stochastic(_) => "ln p and a Gumbel number of the text's own".to_string(),
            Plan::BestOf(_, By::Sum) => "ln p".to_string(),
            Plan::BestOf(_, By::Mean) => "ln p, divided by the number of tokens".to_string(),
            Plan::Mbr(_, Utility::Chrf) => "mean chrF against the other texts".to_string(),
            Plan::Mbr(_, Utility::Meaning) => {
                "mean cosine of embeddings with the other texts".to_string()
            }
        }
    }

    /// The method in words.
    pub(crate) fn words(self) -> String {
        match self {
            Plan::Beams(how) => {
                let beams = terminal::counted(how.beams, "beam");
                let groups = match how.groups {
                    1 => String::new(),
                    n => format!(" in {n} groups · diversity penalty {}", how.diversity_penalty),
                };
                format!(
                    "{beams}{groups} · length penalty {} · early stopping {}",
                    how.length_penalty,
                    how.early_stopping.name()
                )
            }
            Plan::Stochastic(n) => format!("{} without replacement", terminal::counted(n, "beam")),
            Plan::BestOf(n, by) => {
                format!("the best of {} by {}", terminal::counted(n, "text"), by.name())
            }
            Plan::Mbr(n, utility) => {
                format!("minimum Bayes risk over {n} texts by {}", utility.name())
            }
        }
    }
}
