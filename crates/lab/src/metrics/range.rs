//! The range of a metric's values in a run.

use std::fmt;

use crate::run::Run;

/// The values that a metric can have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The minimum.
    pub least: f64,
    /// The maximum.
    pub most: Most,
    /// A remark about the range; mostly empty.
    pub note: &'static str,
}

/// The maximum of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Most {
    /// A fixed number.
    Number(f64),
    /// The number of samples per prompt.
    Samples,
    /// The maximum number of tokens of a text.
    MaxTokens,
    /// The vocabulary size, or its logarithm. A run doesn't know it.
    Vocabulary,
    /// Explained in the remark.
    LogVocabulary,
    /// Unbounded.
    Open,
}

impl Range {
    pub(crate) const fn new(least: f64, most: Most) -> Range {
        Range { least, most, note: "" }
    }

    pub(crate) const fn noting(self, note: &'static str) -> Range {
        Range { note, ..self }
    }

    /// The bounds in a run; ∞ where the run doesn't know.
    pub fn ends(&self, run: &Run) -> (f64, f64) {
        let most = match self.most {
            Most::Number(number) => number,
            Most::Samples => run.n_samples as f64,
            Most::MaxTokens => run.max_tokens as f64,
            Most::Vocabulary | Most::LogVocabulary | Most::Open => f64::INFINITY,
        };
        (self.least, most)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = match (self.least * 1000.0).round() / 1000.0 {
            f64::NEG_INFINITY => "-∞".to_string(),
            least => least.to_string(),
        };
        match self.most {
            Most::Number(number) => write!(f, "{least} … {number}"),
            Most::Samples => write!(f, "{least} … the number of samples"),
            Most::MaxTokens => write!(f, "{least} … the recipe's max_tokens"),
            Most::Vocabulary => write!(f, "{least} … the vocabulary's size"),
            Most::LogVocabulary => write!(f, "{least} … ln of the vocabulary's size"),
            Most::Open => write!(f, "{least} … ∞"),
        }?;
        if self.note.is_empty() { Ok(()) } else { write!(f, "; {}", self.note) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::{METRICS, measure},
        report::tests::evidence,
    };

    #[test]
    fn ranges_are_said_in_words() {
        let said = |range: Range| range.to_string();
        assert_eq!(said(Range::new(1.0 / 42.0, Most::Number(1.0))), "0.024 … 1");
        assert_eq!(said(Range::new(0.0, Most::LogVocabulary)), "0 … ln of the vocabulary's size");
        assert_eq!(said(Range::new(0.0, Most::Number(2.0)).noting("near 1")), "0 … 2; near 1");
    }

    /// No metric has a value outside of what it says is its range.
    #[test]
    fn values_lie_in_their_range() {
        let run = evidence().run;
        let mut n = 0;
        for metric in METRICS {
            let (least, most) = metric.range.ends(&run);
            for series in measure(&run, metric).chains {
                assert_eq!(series.ends(), (least, most), "{}", metric.name);
                for value in series.prompts().iter().flatten().flatten() {
                    n += 1;
                    assert!(
                        (least - 1e-9..=most + 1e-9).contains(value),
                        "{}: {value}",
                        metric.name
                    );
                }
            }
        }
        assert!(n > 500, "{n}");
    }
}
