//! Top-nσ: candidates within n standard deviations of the largest logit.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values};

/// `top_n_sigma=n`: keeps tokens with x_i >= max - n·σ, σ the population standard deviation of the
/// logits that are left; 0 is off.
///
/// The set doesn't depend on the temperature. σ comes from whole numbers q = round((max - x)·2^k),
/// where 2^k brings the widest difference to 2^25 … 2^26, so σ is within a few 2^-25 of that width
/// whatever the order of summation.
///
/// Source: arXiv 2411.07641.
///
/// ```
/// // σ = 1.118, so what is below 4 - 1.118 goes.
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "top_n_sigma=1".parse()?;
/// assert_eq!(Distribution::new(&[4.0, 3.0, 2.0, 1.0], &chain)?.survivors(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopNSigma(f64);

impl TopNSigma {
    /// Accepts a number from 0 (off) up.
    pub fn new(value: f64) -> Result<TopNSigma, ChainError> {
        Self::INFO.require(value >= 0.0 && value.is_finite(), value)?;
        // Adding +0 turns -0 into +0, so that it prints as `0`.
        Ok(TopNSigma(value + 0.0))
    }

    /// n.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Control for TopNSigma {
    const INFO: StageInfo = StageInfo {
        name: "top_n_sigma",
        allowed: "a number from 0 (off) up",
        summary: "keeps tokens within n standard deviations of the largest logit",
        source: "arXiv 2411.07641",
    };

    fn parse(text: Option<&str>) -> Result<TopNSigma, ChainError> {
        let values = Values::read(&Self::INFO, text, &[])?;
        values.checked(TopNSigma::new(values.number()?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.0 > 0.0 {
            let least = f64::from(candidates.max()) - self.0 * candidates.deviation();
            candidates.keep_logit(least);
        }
        Ok(())
    }
}
