//! Top-k: a fixed number of candidates.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values};

/// `top_k=k`: keeps the first k tokens in descending order, exactly k (ties by lower id); 0 is off.
///
/// `top_k=k,ties:kept` keeps those that tie with the k-th as well, as vLLM and transformers do.
///
/// Source: arXiv 1805.04833.
///
/// ```
/// use kelvin_sampling::{Chain, Distribution};
///
/// let logits = [1.0, 3.0, 2.0, 2.0];
/// assert_eq!(Distribution::new(&logits, &"top_k=2".parse()?)?.survivors(), 2);
/// assert_eq!(Distribution::new(&logits, &"top_k=2,ties:kept".parse()?)?.survivors(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopK {
    k: u32,
    ties: bool,
}

impl TopK {
    /// Accepts every k; 0 is off.
    pub fn new(k: u32) -> TopK {
        TopK { k, ties: false }
    }

    /// The same, but tokens that tie with the k-th stay.
    pub fn with_ties(k: u32) -> TopK {
        TopK { k, ties: true }
    }

    /// k.
    pub fn get(self) -> u32 {
        self.k
    }

    /// Whether tokens that tie with the k-th stay.
    pub fn keeps_ties(self) -> bool {
        self.ties
    }
}

impl Control for TopK {
    const INFO: StageInfo = StageInfo {
        name: "top_k",
        allowed: "a whole number from 0 (off) to 4294967295, ties:kept to keep those equal to the last",
        summary: "keeps the k likeliest tokens",
        source: "arXiv 1805.04833",
    };

    fn parse(text: Option<&str>) -> Result<TopK, ChainError> {
        let values = Values::read(&Self::INFO, text, &["ties"])?;
        let ties = match values.named("ties") {
            None => false,
            Some("kept") => true,
            Some(_) => return Err(values.refuse()),
        };
        Ok(TopK { k: values.number()?, ties })
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}{}", self.k, if self.ties { ",ties:kept" } else { "" })
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.k > 0 {
            candidates.keep_first(self.k as usize, self.ties);
        }
        Ok(())
    }
}
