//! The metrics of texts: one table of small pure functions.
//!
//! A metric is a function in this module and a row of [`METRICS`]. Recipes, reports and help texts
//! read from the row its name, requirements, source and known pitfall. Some metrics look at one
//! text, others at all samples of a prompt (a cell); the latter need a minimum number of samples,
//! and equal numbers where they are compared. Each is tested against a reference package
//! (`tests/real/reference_packages.rs`). A value that can't be computed is [`Absent`], with the
//! reason; nothing is approximated.

mod compression;
mod likelihood;
mod loops;
mod ngrams;
mod parting;
mod range;
mod richness;
mod self_bleu;
mod spread;
mod table;
mod values;
mod vendi;
mod words;

pub use compression::compression;
pub use loops::looped;
pub use ngrams::{distinct, ngram_diversity, novelty, self_repetition};
pub use parting::{parting, shared_start};
pub use range::{Most, Range};
pub use richness::{hdd, mtld};
pub use self_bleu::self_bleu;
pub use table::METRICS;
pub use values::{Values, measure};
pub use vendi::{ngram_vendi, vendi};

use crate::run::{Run, Sample, Token, WITHHELD};

/// A metric: its names, definition, requirements and function.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name in recipes and flags.
    pub name: &'static str,
    /// The label in tables and on axes.
    pub title: &'static str,
    /// One line of description.
    pub summary: &'static str,
    /// The definition.
    pub formula: &'static str,
    /// The unit; empty for a plain number.
    pub unit: &'static str,
    /// The range of its values.
    pub range: Range,
    /// The paper (arXiv id) and, if there is one, the package that it equals.
    pub source: &'static str,
    /// A known pitfall.
    pub trap: &'static str,
    /// The data that it needs.
    pub needs: Need,
    /// What it measures.
    pub aspect: Aspect,
    pub(crate) of: Of,
}

/// The data that a metric needs besides the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Only the text.
    Text,
    /// The tokens.
    Tokens,
    /// The log-probability of each token.
    Probabilities,
    /// The whole distribution that each token was drawn from.
    Distributions,
    /// The [`kelvin_sampling::Shift`] of each step, which a sampler measures on request.
    Shift,
    /// A greedy text (temp=0) of the same prompt.
    Greedy,
    /// The scores of a judge model.
    Judge,
    /// The texts' embeddings.
    Meaning,
}

/// What a metric measures, and its axis on the quality-diversity plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aspect {
    /// Diversity: larger is more diverse.
    Diversity,
    /// Diversity: larger is less diverse.
    Sameness,
    /// Quality: larger is more fluent.
    Fluency,
    /// Quality: larger is less fluent.
    Disfluency,
    /// A description that is neither.
    Shape,
    /// What was asked for, by a score of one's own: larger is better.
    Wanted,
    /// What was asked for, by a score of one's own: larger is worse.
    Unwanted,
}

/// The function of a metric.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of {
    /// Of one text.
    Sample(fn(&Seen<'_>) -> Result<f64, Absent>),
    /// Of the texts of a cell.
    Texts(fn(&[&str]) -> Result<f64, Absent>),
    /// Of the samples of a cell.
    Samples(fn(&[&Sample]) -> Result<f64, Absent>),
}

/// A text and its context.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) run: &'a Run,
    pub(crate) sample: &'a Sample,
    pub(crate) greedy: Option<&'a Sample>,
    pub(crate) metric: &'a Metric,
}

/// The tokens of a sample, unless the server didn't report them.
fn tokens(sample: &Sample) -> Result<&[Token], Absent> {
    sample.reported().ok_or(Absent::Withheld(UNREPORTED))
}

/// A server that returns texts only.
const UNREPORTED: &str = "the texts come from a server that reports neither tokens nor logprobs";

/// Why a metric has no value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Absent {
    /// There are no samples.
    #[error("there is no text")]
    NoTexts,
    /// A text has no tokens.
    #[error("the text has no tokens")]
    NoTokens,
    /// A text has too few words.
    #[error("the text has fewer than {words} words")]
    TooShort {
        /// The minimum number of words.
        words: usize,
    },
    /// The cell has too few samples.
    #[error("it compares samples of one prompt and needs at least {samples}")]
    NeedsSamples {
        /// The minimum number of samples.
        samples: usize,
    },
    /// The engine doesn't report the data.
    #[error("{0}")]
    Withheld(&'static str),
    /// The data was not recorded in this run.
    #[error("the run didn't record what it needs (kelvin sweep --record shift)")]
    NotRecorded,
    /// There is no greedy text of the prompt.
    #[error("there is no greedy text of the prompt to compare with: add the chain temp=0")]
    NoGreedy,
    /// No judge has scored the text.
    #[error("no judge model has read the text (kelvin report --judge MODEL)")]
    NoJudge,
    /// The text has no embedding.
    #[error("{}", UNPLACED)]
    NoMeaning,
    /// A score of one's own hasn't been computed.
    #[error("the text has no score yet (kelvin report computes it)")]
    Unscored,
    /// A score of one's own has no value of the text.
    #[error("{0}")]
    Failed(String),
}

/// How to obtain embeddings.
const UNPLACED: &str = if cfg!(feature = "semantic") {
    "the text has no embedding yet (kelvin report --metrics semantic_spread computes it)"
} else {
    "this build has no embedding model (build it with cargo \
     build --release --features semantic, then kelvin report --metrics semantic_spread)"
};

impl Metric {
    /// Finds a metric by its name.
    ///
    /// # Errors
    /// A sentence with the known names.
    pub fn find(name: &str) -> Result<&'static Metric, String> {
        METRICS.iter().find(|metric| metric.name == name).ok_or_else(|| {
            let names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
            format!("there is no metric `{name}`; there are {}", names.join(", "))
        })
    }

    /// Whether the metric looks at all samples of a prompt together.
    pub fn is_of_cells(&self) -> bool {
        !matches!(self.of, Of::Sample(_))
    }

    /// The minimum number of samples per prompt.
    pub fn fewest_samples(&self) -> usize {
        let asked = match self.of {
            Of::Sample(_) => return 1,
            Of::Texts(of) => of(&["a text"]),
            Of::Samples(of) => of(&[]),
        };
        if let Err(Absent::NeedsSamples { samples }) = asked { samples } else { 1 }
    }

    /// Why servers don't report what it needs; `None` if a server may.
    pub fn withheld(&self) -> Option<&'static str> {
        matches!(self.needs, Need::Distributions | Need::Shift).then_some(WITHHELD)
    }

    /// Whether a larger value is better (more diverse, or more fluent). `None` for a description.
    pub fn more_is_better(&self) -> Option<bool> {
        match self.aspect {
            Aspect::Diversity | Aspect::Fluency | Aspect::Wanted => Some(true),
            Aspect::Sameness | Aspect::Disfluency | Aspect::Unwanted => Some(false),
            Aspect::Shape => None,
        }
    }
}

/// Finds a metric in the table or among `own`, the metrics of scores.
///
/// # Errors
/// A sentence with the known names.
pub fn find(name: &str, own: &[&'static Metric]) -> Result<&'static Metric, String> {
    match own.iter().copied().find(|metric| metric.name == name) {
        Some(metric) => Ok(metric),
        None if own.is_empty() => Metric::find(name),
        None => METRICS.iter().find(|metric| metric.name == name).ok_or_else(|| {
            let names = METRICS.iter().chain(own.iter().copied()).map(|metric| metric.name);
            let names: Vec<&str> = names.collect();
            format!("there is no metric `{name}`; there are {}", names.join(", "))
        }),
    }
}

/// The metrics of a list of names. `all`, or an empty list, is every metric of the table, and of
/// `own`.
///
/// # Errors
/// A sentence with the known names.
pub fn named(names: &[String], own: &[&'static Metric]) -> Result<Vec<&'static Metric>, String> {
    let mut found = Vec::with_capacity(names.len());
    for name in names.iter().filter(|name| *name != ALL) {
        found.push(find(name, own)?);
    }
    if found.len() < names.len() || names.is_empty() {
        found = METRICS.iter().chain(own.iter().copied()).collect();
    }
    Ok(found)
}

/// The names of all metrics.
const ALL: &str = "all";

impl PartialEq for Metric {
    fn eq(&self, other: &Metric) -> bool {
        self.name == other.name
    }
}
