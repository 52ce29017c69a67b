//! The flag for drafts, and what came of them.

use std::{collections::BTreeMap, convert::Infallible, str::FromStr};

use clap::Args as ClapArgs;
use kelvin_engine::batch::{GuessCounts, GuessKind, Guesses, KindCounts};
use serde::Serialize;

/// Drafts.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct DraftArgs {
    /// Read several tokens at once where the next ones can be guessed: from what followed the same
    /// tokens before (lookup), or also from what a constraint forces (auto), or also from a smaller
    /// model with the same vocabulary (its name or path); the text doesn't depend on it
    #[arg(long, value_name = "off|lookup|auto|MODEL", default_value = DEFAULT,
        help_heading = "Model")]
    pub(crate) draft: DraftFrom,
}

/// The default of `--draft`.
const DEFAULT: &str = "auto";

/// Where drafts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DraftFrom {
    /// The texts and constraints.
    Texts(Guesses),
    /// A model with this name or path as well.
    Model(String),
}

impl DraftFrom {
    /// Whether they were asked for: neither the default nor off.
    pub(crate) fn is_asked_for(&self) -> bool {
        !matches!(self, DraftFrom::Texts(Guesses::Off | Guesses::Auto))
    }
}

impl FromStr for DraftFrom {
    type Err = Infallible;

    fn from_str(typed: &str) -> Result<DraftFrom, Infallible> {
        let model = || DraftFrom::Model(typed.to_string());
        Ok(Guesses::named(typed).map_or_else(model, DraftFrom::Texts))
    }
}

/// What came of drafts; shown with `--timings`, and only if there are any.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Drafts {
    /// Steps of the model in which texts got tokens.
    steps: u64,
    /// Tokens that a step gave, all texts together.
    tokens_per_step: f64,
    /// Tokens that steps read before they were drawn, and those of them that were drawn.
    drafted: u64,
    accepted: u64,
    /// Both by where the tokens came from; kinds without any are left out.
    kinds: BTreeMap<&'static str, KindOfDraft>,
    /// Steps of the draft model.
    #[serde(skip_serializing_if = "is_zero")]
    draft_model_steps: u64,
}

/// Drafted tokens of one kind.
#[derive(Debug, Clone, Serialize)]
struct KindOfDraft {
    drafted: u64,
    accepted: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Drafts {
    /// Of the steps from one count to the next.
    pub(crate) fn of(guesses: Guesses, before: GuessCounts, now: GuessCounts) -> Option<Drafts> {
        let counts = now.since(&before);
        let tokens_per_step = counts.n_drawn as f64 / counts.n_steps as f64;
        let by_kind = GuessKind::ALL.into_iter().zip(counts.kinds);
        let kind = |(kind, KindCounts { n_guessed, n_right }): (GuessKind, KindCounts)| {
            let of = KindOfDraft { drafted: n_guessed, accepted: n_right };
            (n_guessed > 0).then_some((kind.name(), of))
        };
        (guesses != Guesses::Off && counts.n_steps > 0).then(|| Drafts {
            steps: counts.n_steps,
            tokens_per_step: (tokens_per_step * 1000.0).round() / 1000.0,
            drafted: counts.n_guessed(),
            accepted: counts.n_right(),
            kinds: by_kind.filter_map(kind).collect(),
            draft_model_steps: counts.n_draft_steps,
        })
    }

    /// For people.
    pub(crate) fn words(&self) -> String {
        let Drafts { tokens_per_step, drafted, accepted, kinds, .. } = self;
        let kind = |(kind, KindOfDraft { drafted, accepted }): (&&str, &KindOfDraft)| {
            format!("{kind}: {accepted} of {drafted}")
        };
        let kinds: Vec<String> = kinds.iter().map(kind).collect();
        let kinds =
            if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        format!(
            "{tokens_per_step:.2} tokens a step, {accepted} of {drafted} drafted tokens drawn{kinds}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_name_no_kind_are_models() {
        let of = |typed: &str| typed.parse::<DraftFrom>().unwrap();
        assert_eq!(of("auto"), DraftFrom::Texts(Guesses::Auto));
        assert_eq!(of("off"), DraftFrom::Texts(Guesses::Off));
        assert_eq!(of("smollm2"), DraftFrom::Model("smollm2".to_string()));
    }
}
