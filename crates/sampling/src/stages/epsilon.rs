//! ε-sampling: candidates above a fixed probability.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values, weights::share_of};

/// `epsilon=ε`: keeps tokens with p_i >= ε, and the likeliest anyway; 0 is off, ε in [0, 1].
///
/// Decided as w_i >= `ceil(ε · total)`.
///
/// Source: arXiv 2210.15191.
///
/// ```
/// // Probabilities 0.67, 0.24, 0.09.
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "epsilon=0.1".parse()?;
/// assert_eq!(Distribution::new(&[2.0, 1.0, 0.0], &chain)?.survivors(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epsilon(f64);

impl Epsilon {
    /// Accepts a number from 0 (off) to 1.
    pub fn new(value: f64) -> Result<Epsilon, ChainError> {
        Self::INFO.require((0.0..=1.0).contains(&value), value)?;
        // Adding +0 turns -0 into +0, so that it prints as `0`.
        Ok(Epsilon(value + 0.0))
    }

    /// ε.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Control for Epsilon {
    const INFO: StageInfo = StageInfo {
        name: "epsilon",
        allowed: "a number from 0 (off) to 1",
        summary: "keeps tokens with a probability of at least ε",
        source: "arXiv 2210.15191",
    };

    fn parse(text: Option<&str>) -> Result<Epsilon, ChainError> {
        let values = Values::read(&Self::INFO, text, &[])?;
        values.checked(Epsilon::new(values.number()?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.0 > 0.0 {
            let total = candidates.total();
            candidates.keep_weight(share_of(self.0, total));
        }
        Ok(())
    }
}
