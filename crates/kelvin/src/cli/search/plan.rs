//! What the flags of `search` ask for, checked before a model is opened.

use kelvin_engine::search::{Method, Plan as Planned, SearchError, Task, Wanted};
use kelvin_sampling::Chain;
use kelvin_views::search::{CHRF, Settings, method};

use super::args::{SearchArgs, Utility};
use crate::{
    cli::shared::{args::BanArgs, drafts::DraftFrom, failure::usage},
    terminal,
};

/// The cosine of embeddings.
const MEANING: kelvin_views::search::Utility =
    (Utility::Meaning.name(), "mean cosine of embeddings with the other texts");

/// A method with its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plan {
    pub(crate) how: Planned,
    /// How alike texts are; the usual measure where the method isn't mbr.
    utility: Utility,
}

/// A method and its settings as they were typed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typed {
    pub(crate) method: Method,
    pub(crate) wanted: Wanted,
    pub(crate) utility: Option<Utility>,
    /// Whether texts keep to a form.
    pub(crate) in_form: bool,
}

impl Typed {
    /// The method with its settings, checked. `chain` is the distribution that it searches, up to
    /// `max_tokens` long. `name` writes a setting as the user types it.
    pub(crate) fn plan(
        &self,
        chain: &Chain,
        max_tokens: usize,
        name: fn(&str) -> String,
    ) -> anyhow::Result<Plan> {
        let refused = |error: SearchError| match error {
            SearchError::Setting { setting, problem } => {
                usage(format!("{} {problem}", name(setting)))
            }
            other => usage(other.to_string()),
        };
        if self.utility.is_some() && self.method != Method::Mbr {
            let of = self.method.name();
            return Err(usage(format!("{} is for mbr, not for {of}", name("utility"))));
        }
        let wanted = match self.in_form {
            true => self.wanted.in_form(self.method),
            false => self.wanted,
        };
        let how = wanted.plan(self.method).map_err(refused)?;
        if how.has_beams() {
            // A schedule is refused as one, in a sentence of its own.
            let task = Task { chain: Some(chain), max_tokens, ..Task::default() };
            task.check().map_err(refused)?;
        }
        Ok(Plan { how, utility: self.utility.unwrap_or_default() })
    }
}

/// The name of a flag.
pub(crate) fn flag(setting: &str) -> String {
    format!("--{}", setting.replace('_', "-"))
}

/// The settings of the flags, checked. `chain` is what they set of the distribution.
pub(crate) fn plan(args: &SearchArgs, chain: &Chain) -> anyhow::Result<Plan> {
    let how = &args.how;
    if matches!(how.method, Method::BestOf | Method::Mbr) && args.tree {
        return Err(usage(format!(
            "--tree is for beam or diverse or stochastic, not for {}",
            how.method.name()
        )));
    }
    let wanted = Wanted {
        beams: how.beams,
        groups: how.groups,
        diversity_penalty: how.diversity_penalty,
        length_penalty: how.length_penalty,
        early_stopping: how.early_stopping,
        samples: how.samples,
        by: how.by,
    };
    let in_form = args.form.is_given();
    let typed = Typed { method: how.method, wanted, utility: how.utility, in_form };
    let plan = typed.plan(chain, args.length.max_tokens, flag)?;
    if args.top == 0 {
        return Err(usage("--top is 0: give at least 1"));
    }
    plan.check_phases(&args.length.bans, chain)?;
    plan.check_draft(&args.drafts.draft)?;
    Ok(plan)
}

impl Plan {
    /// The name of the method.
    pub(crate) fn method(self) -> &'static str {
        method(self.how)
    }

    /// Refuses what changes along a text where a search can't follow it.
    pub(crate) fn check_phases(self, bans: &BanArgs, chain: &Chain) -> anyhow::Result<()> {
        let method = self.method();
        if !bans.ban_string.is_empty() {
            return Err(usage(
                "a search has no --ban-string, which takes tokens back: leave one of them out",
            ));
        }
        if self.how.has_beams() && bans.think.is_some() {
            return Err(usage(format!(
                "the method {method} has no --think: best-of and mbr have it"
            )));
        }
        if self.how.has_beams() && chain.is_schedule() {
            return Err(usage(format!(
                "the method {method} takes one chain: schedules are for best-of and mbr"
            )));
        }
        Ok(())
    }

    /// Refuses drafts where nothing can be guessed.
    fn check_draft(self, draft: &DraftFrom) -> anyhow::Result<()> {
        if self.how.has_beams() && draft.is_asked_for() {
            return Err(usage(format!(
                "--draft is for best-of and mbr, not for {}: a step of beams is a batch already, \
                 and chooses among all tokens that may follow, so there is no next token to guess",
                self.method()
            )));
        }
        Ok(())
    }

    /// Whether it depends on the seed.
    pub(crate) fn is_random(self) -> bool {
        !matches!(self.how, Planned::Beams(_))
    }

    /// Whether the model of meanings is needed.
    pub(crate) fn compares_meanings(self) -> bool {
        self.utility == Utility::Meaning
    }

    /// For JSON.
    pub(crate) fn settings(self, chain: &Chain) -> Settings {
        let utility = match self.utility {
            Utility::Chrf => CHRF,
            Utility::Meaning => MEANING,
        };
        Settings::of(self.how, utility, chain)
    }

    /// The method in words.
    pub(crate) fn words(self) -> String {
        match self.how {
            Planned::Beams(how) => {
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
            Planned::Stochastic(n) => {
                format!("{} without replacement", terminal::counted(n, "beam"))
            }
            Planned::BestOf(n, by) => {
                format!("the best of {} by {}", terminal::counted(n, "text"), by.name())
            }
            Planned::Mbr(n) => {
                format!("minimum Bayes risk over {n} texts by {}", self.utility.name())
            }
        }
    }
}
