//! A run in, numbers that say how its texts are out.
//!
//! A metric is a small pure function here and one row of [`METRICS`], from which recipes, reports
//! and help texts read its name, what it needs, its source, and the trap that it's known for. Some
//! look at one text, some at all samples of a prompt together (a cell): those need samples enough,
//! and equally many wherever they are compared. Each is equal to a reference package on shared
//! cases (`tests/real_reference_packages.rs`). What can't be had is [`Absent`], with the reason;
//! nothing is approximated.

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

/// What a metric is, for everyone who names it.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// As recipes and flags call it.
    pub name: &'static str,
    /// As tables and axes call it.
    pub title: &'static str,
    /// What it says, in one line.
    pub summary: &'static str,
    /// Its definition.
    pub formula: &'static str,
    /// Its unit; empty for a plain number.
    pub unit: &'static str,
    /// The values it can have.
    pub range: Range,
    /// Paper (arXiv id) and, where there is one, the package that it equals.
    pub source: &'static str,
    /// How it has misled people.
    pub trap: &'static str,
    /// What has to be recorded or there.
    pub needs: Need,
    /// What it speaks of.
    pub aspect: Aspect,
    pub(crate) of: Of,
}

/// What a metric needs beyond the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Text,
    /// The tokens.
    Tokens,
    /// How likely the model found each token.
    Probabilities,
    /// The whole distribution that each token was drawn from.
    Distributions,
    /// The [`kelvin_sampling::Shift`] of each step, which a sampler must be asked to measure.
    Shift,
    /// A greedy text (temp=0) of the same prompt.
    Greedy,
    /// A second model's opinion.
    Judge,
    /// The texts' embeddings.
    Meaning,
}

/// What a metric speaks of, and where on the quality-diversity plane it can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aspect {
    /// More is more diverse.
    Diversity,
    /// More is less diverse.
    Sameness,
    /// More is more fluent.
    Fluency,
    /// More is less fluent.
    Disfluency,
    /// A description that is neither.
    Shape,
}

/// How a metric is computed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of {
    /// Of one text.
    Sample(fn(&Seen<'_>) -> Result<f64, Absent>),
    /// Of the texts of a cell.
    Texts(fn(&[&str]) -> Result<f64, Absent>),
    /// Of the samples of a cell.
    Samples(fn(&[&Sample]) -> Result<f64, Absent>),
}

/// A text and what stands around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) run: &'a Run,
    pub(crate) sample: &'a Sample,
    pub(crate) greedy: Option<&'a Sample>,
}

/// The tokens of a sample, unless whoever made its text kept them to himself.
fn tokens(sample: &Sample) -> Result<&[Token], Absent> {
    sample.told().ok_or(Absent::Withheld(UNTOLD))
}

/// A server that gives texts alone.
const UNTOLD: &str =
    "the texts come from a server that told neither their tokens nor how likely they are";

/// Why a metric has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Absent {
    /// There is nothing to look at.
    #[error("there is no text")]
    NoTexts,
    /// A text has no tokens.
    #[error("the text has no tokens")]
    NoTokens,
    /// A text has too few words.
    #[error("the text has fewer than {words} words")]
    TooShort {
        /// The fewest that do.
        words: usize,
    },
    /// A cell has too few samples.
    #[error("it compares samples of one prompt, at least {samples} of them")]
    NeedsSamples {
        /// The fewest that do.
        samples: usize,
    },
    /// The engine doesn't tell.
    #[error("{0}")]
    Withheld(&'static str),
    /// The run was made without this metric.
    #[error("the run didn't record what it needs (kelvin sweep --record shift)")]
    NotRecorded,
    /// There is no greedy text.
    #[error("there is no greedy text of the prompt to compare with: add the chain temp=0")]
    NoGreedy,
    /// Nobody judged.
    #[error("no judge model has read the text (kelvin report --judge MODEL)")]
    NoJudge,
    /// Nobody knows what the text means.
    #[error("{}", UNPLACED)]
    NoMeaning,
}

/// What somebody can do who wants meanings compared.
const UNPLACED: &str = if cfg!(feature = "semantic") {
    "no model has placed the text among meanings (kelvin report --metrics semantic_spread, which fetches it if need be)"
} else {
    "this kelvin was built without the model that places texts among meanings (build it with cargo build --release --features semantic, then kelvin report --metrics semantic_spread)"
};

impl Metric {
    /// The metric of a name.
    ///
    /// # Errors
    /// A sentence with the names there are.
    pub fn find(name: &str) -> Result<&'static Metric, String> {
        METRICS.iter().find(|metric| metric.name == name).ok_or_else(|| {
            let names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
            format!("there is no metric `{name}`; there are {}", names.join(", "))
        })
    }

    /// Whether it looks at the samples of a prompt together.
    pub fn is_of_cells(&self) -> bool {
        !matches!(self.of, Of::Sample(_))
    }

    /// The fewest samples of a prompt that it says something about.
    pub fn fewest_samples(&self) -> usize {
        let asked = match self.of {
            Of::Sample(_) => return 1,
            Of::Texts(of) => of(&["a text"]),
            Of::Samples(of) => of(&[]),
        };
        if let Err(Absent::NeedsSamples { samples }) = asked { samples } else { 1 }
    }

    /// Why no server can tell what it needs; none if one may.
    pub fn withheld(&self) -> Option<&'static str> {
        matches!(self.needs, Need::Distributions | Need::Shift).then_some(WITHHELD)
    }

    /// Whether a larger value is better: more diverse, or more fluent. None for a shape.
    pub fn more_is_better(&self) -> Option<bool> {
        match self.aspect {
            Aspect::Diversity | Aspect::Fluency => Some(true),
            Aspect::Sameness | Aspect::Disfluency => Some(false),
            Aspect::Shape => None,
        }
    }
}

/// The metrics of a list of names; `all`, or no name, is every metric.
///
/// # Errors
/// A sentence with the names there are.
pub fn named(names: &[String]) -> Result<Vec<&'static Metric>, String> {
    let mut found = Vec::with_capacity(names.len());
    for name in names.iter().filter(|name| *name != ALL) {
        found.push(Metric::find(name)?);
    }
    Ok(if found.len() < names.len() || names.is_empty() { METRICS.iter().collect() } else { found })
}

/// Every metric, in a list of their names.
const ALL: &str = "all";

impl PartialEq for Metric {
    fn eq(&self, other: &Metric) -> bool {
        self.name == other.name
    }
}
