//! η-sampling: candidates above a probability that falls with the entropy.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values, weights::share_of};

/// `eta=ε`: keeps tokens with p_i >= min(ε, sqrt(ε)·exp(-H)), and the likeliest anyway; 0 is off, ε
/// in [0, 1].
///
/// Decided as w_i >= `ceil(threshold · total)`.
///
/// Source: arXiv 2210.15191.
///
/// ```
/// // H = 0.83, so the threshold is sqrt(0.05)·0.43 = 0.097, or ε if that is less.
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "eta=0.05".parse()?;
/// assert_eq!(Distribution::new(&[2.0, 1.0, 0.0], &chain)?.survivors(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eta(f64);

impl Eta {
    /// Accepts a number from 0 (off) to 1.
    pub fn new(value: f64) -> Result<Eta, ChainError> {
        Self::INFO.require((0.0..=1.0).contains(&value), value)?;
        // Adding +0 turns -0 into +0, so that it prints as `0`.
        Ok(Eta(value + 0.0))
    }

    /// ε.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Control for Eta {
    const INFO: StageInfo = StageInfo {
        name: "eta",
        allowed: "a number from 0 (off) to 1",
        summary: "keeps tokens with a probability of at least min(ε, sqrt(ε)·exp(-H))",
        source: "arXiv 2210.15191",
    };

    fn parse(text: Option<&str>) -> Result<Eta, ChainError> {
        let values = Values::read(&Self::INFO, text, &[])?;
        values.checked(Eta::new(values.number()?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.0 > 0.0 {
            let mass = candidates.mass();
            let threshold = self.0.min(libm::sqrt(self.0) * libm::exp(-mass.entropy()));
            candidates.keep_weight(share_of(threshold, mass.total));
        }
        Ok(())
    }
}
