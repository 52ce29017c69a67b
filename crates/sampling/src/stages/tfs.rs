//! Tail-free sampling: cuts where the curve of sorted probabilities flattens.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values};

/// `tfs=z`: of the sorted probabilities takes the absolute second differences |p_i - 2p_(i+1) +
/// p_(i+2)|, normalised; keeps what stands before the first index whose cumulative sum exceeds z,
/// plus one; fewer than 3 tokens: nothing happens; 1 is off, z in (0, 1].
///
/// Differences and sums are of the whole-number weights, so they are exact; the sum must exceed
/// `z · Σ` (f64). Tokens of weight 0 are at the end of the order and add nothing. It is the one
/// stage that has to sort all tokens with a weight.
///
/// Source: Phénix and Egan 2019 (trentbrick.github.io/Tail-Free-Sampling).
///
/// ```
/// // Two stand out: the curve bends after them and is flat from then on.
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "tfs=0.6".parse()?;
/// assert_eq!(Distribution::new(&[5.0, 5.0, 0.0, 0.0, 0.0, 0.0], &chain)?.survivors(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tfs(f64);

impl Tfs {
    /// Accepts a number above 0 and at most 1 (1 is off).
    pub fn new(value: f64) -> Result<Tfs, ChainError> {
        Self::INFO.require(value > 0.0 && value <= 1.0, value)?;
        // Adding +0 turns -0 into +0, so that it prints as `0`.
        Ok(Tfs(value + 0.0))
    }

    /// z.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Control for Tfs {
    const INFO: StageInfo = StageInfo {
        name: "tfs",
        allowed: "a number above 0 and at most 1 (1 is off)",
        summary: "cuts the tail where the sorted probabilities stop bending",
        source: "Phénix and Egan 2019 (trentbrick.github.io/Tail-Free-Sampling)",
    };

    fn parse(text: Option<&str>) -> Result<Tfs, ChainError> {
        let values = Values::read(&Self::INFO, text, &[])?;
        values.checked(Tfs::new(values.number()?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.0 == 1.0 || candidates.n() < 3 {
            return Ok(());
        }
        let n = candidates.n();
        let weights = candidates.first_weights(n);
        let bend = |w: &[u64]| (w[0] + w[2]).abs_diff(2 * w[1]);
        let total: u64 = weights.windows(3).map(bend).sum();
        let mut sum = 0;
        let past = weights.windows(3).position(|w| {
            sum += bend(w);
            sum as f64 > self.0 * total as f64
        });
        if let Some(i) = past {
            candidates.keep_first(i + 1, false);
        }
        Ok(())
    }
}
