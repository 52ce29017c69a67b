//! Top-H: candidates that make up a share of the entropy.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values};

/// `top_h=h`: keeps the longest prefix of the descending order with Σ -p ln p <= h·H(p), p of the
/// whole; at least one token; 1 is off, h in (0, 1].
///
/// In whole numbers: ln Z·Σw + Σw|d| over the prefix is at most h times the same over all (f64).
///
/// Source: arXiv 2509.02510.
///
/// ```
/// // Four alike: half of the entropy is two of them.
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "top_h=0.5".parse()?;
/// assert_eq!(Distribution::new(&[1.0, 1.0, 1.0, 1.0], &chain)?.survivors(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopH(f64);

impl TopH {
    /// Accepts a number above 0 and at most 1 (1 is off).
    pub fn new(value: f64) -> Result<TopH, ChainError> {
        Self::INFO.require(value > 0.0 && value <= 1.0, value)?;
        // Adding +0 turns -0 into +0, so that it prints as `0`.
        Ok(TopH(value + 0.0))
    }

    /// h.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Control for TopH {
    const INFO: StageInfo = StageInfo {
        name: "top_h",
        allowed: "a number above 0 and at most 1 (1 is off)",
        summary: "keeps the likeliest tokens while their part of the entropy is at most h of it",
        source: "arXiv 2509.02510",
    };

    fn parse(text: Option<&str>) -> Result<TopH, ChainError> {
        let values = Values::read(&Self::INFO, text, &[])?;
        values.checked(TopH::new(values.number()?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.0 < 1.0 {
            candidates.keep_entropy(self.0);
        }
        Ok(())
    }
}
