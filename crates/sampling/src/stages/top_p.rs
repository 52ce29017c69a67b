//! Top-p, the nucleus: a fixed mass of candidates.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values};

/// `top_p=p`: token i stays if the mass strictly before it in descending order is below p, so the
/// token that crosses p stays; 1 is off, p in (0, 1].
///
/// Mass is of the survivors of the stages before, renormalised. In integers: the mass before must
/// be below `ceil(p · total)`, an f64 product.
///
/// Source: arXiv 1904.09751.
///
/// ```
/// // Probabilities 0.64, 0.24, 0.09, 0.03: the second token crosses 0.7.
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "top_p=0.7".parse()?;
/// assert_eq!(Distribution::new(&[3.0, 2.0, 1.0, 0.0], &chain)?.survivors(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopP(f64);

impl TopP {
    /// Accepts a number above 0 and at most 1 (1 is off).
    pub fn new(value: f64) -> Result<TopP, ChainError> {
        Self::INFO.require(value > 0.0 && value <= 1.0, value)?;
        // Adding +0 turns -0 into +0, so that it prints as `0`.
        Ok(TopP(value + 0.0))
    }

    /// p.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Control for TopP {
    const INFO: StageInfo = StageInfo {
        name: "top_p",
        allowed: "a number above 0 and at most 1 (1 is off)",
        summary: "keeps the likeliest tokens until their mass reaches p",
        source: "arXiv 1904.09751",
    };

    fn parse(text: Option<&str>) -> Result<TopP, ChainError> {
        let values = Values::read(&Self::INFO, text, &[])?;
        values.checked(TopP::new(values.number()?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.0 < 1.0 {
            candidates.keep_mass(self.0);
        }
        Ok(())
    }
}
