//! What the flags of `search` ask for, checked before a model is opened.

use kelvin_engine::search::{Beams, By, Method, Plan as Planned, SearchError, Task, Wanted};
use kelvin_sampling::Chain;
use kelvin_views::search::{CHRF, Settings};

use super::args::{SearchArgs, Utility};
use crate::{cli::shared::failure::usage, terminal};

/// The cosine of embeddings.
const MEANING: kelvin_views::search::Utility =
    (Utility::Meaning.name(), "mean cosine of embeddings with the other texts");

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

/// The settings of the flags, checked. `chain` is what they set of the distribution.
pub(crate) fn plan(args: &SearchArgs, chain: &Chain) -> anyhow::Result<Plan> {
    let how = &args.how;
    check_flags(args)?;
    let refused = |error: SearchError| match error {
        SearchError::Setting { setting, problem } => {
            usage(format!("--{} {problem}", setting.replace('_', "-")))
        }
        other => usage(other.to_string()),
    };
    let wanted = Wanted {
        beams: how.beams,
        groups: how.groups,
        diversity_penalty: how.diversity_penalty,
        length_penalty: how.length_penalty,
        early_stopping: how.early_stopping,
        samples: how.samples,
        by: how.by,
    };
    let plan = match wanted.plan(how.method).map_err(refused)? {
        Planned::Beams(beams) => Plan::Beams(beams),
        Planned::Stochastic(n) => Plan::Stochastic(n),
        Planned::BestOf(n, by) => Plan::BestOf(n, by),
        Planned::Mbr(n) => Plan::Mbr(n, how.utility.unwrap_or_default()),
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

/// Refuses flags of other methods, but for those that are settings of the search itself.
fn check_flags(args: &SearchArgs) -> anyhow::Result<()> {
    let method = args.how.method;
    let refuse =
        |flag: &str, of: &str| Err(usage(format!("{flag} is for {of}, not for {}", method.name())));
    match method {
        Method::BestOf | Method::Mbr if args.tree => {
            refuse("--tree", "beam or diverse or stochastic")
        }
        Method::Beam | Method::Diverse | Method::Stochastic | Method::BestOf
            if args.how.utility.is_some() =>
        {
            refuse("--utility", "mbr")
        }
        _ => Ok(()),
    }
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
        let (plan, utility) = match self {
            Plan::Beams(how) => (Planned::Beams(how), CHRF),
            Plan::Stochastic(n) => (Planned::Stochastic(n), CHRF),
            Plan::BestOf(n, by) => (Planned::BestOf(n, by), CHRF),
            Plan::Mbr(n, Utility::Chrf) => (Planned::Mbr(n), CHRF),
            Plan::Mbr(n, Utility::Meaning) => (Planned::Mbr(n), MEANING),
        };
        Settings::of(plan, utility)
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
