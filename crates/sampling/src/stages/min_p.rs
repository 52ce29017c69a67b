//! Min-p: candidates within a fixed ratio of the likeliest.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values};

/// `min_p=m`: keeps tokens with p_i >= m·p_max; 0 is off, m in [0, 1].
///
/// Decided without exponentials as d_i >= ln m (f32, rounded down), d_i = (x_i - max)·β; equality
/// stays.
///
/// Source: arXiv 2407.01082.
///
/// ```
/// // Half as likely as the likeliest is 0.7 below its logit.
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "min_p=0.5".parse()?;
/// assert_eq!(Distribution::new(&[3.0, 2.4, 2.2], &chain)?.survivors(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinP(f64);

impl MinP {
    /// Accepts a number from 0 (off) to 1.
    pub fn new(value: f64) -> Result<MinP, ChainError> {
        Self::INFO.require((0.0..=1.0).contains(&value), value)?;
        // Adding +0 turns -0 into +0, so that it prints as `0`.
        Ok(MinP(value + 0.0))
    }

    /// ln m as f32, rounded down: the lowest d that stays.
    pub fn threshold(self) -> f32 {
        let exact = libm::log(self.0);
        let nearest = exact as f32;
        if f64::from(nearest) > exact { nearest.next_down() } else { nearest }
    }

    /// m.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Control for MinP {
    const INFO: StageInfo = StageInfo {
        name: "min_p",
        allowed: "a number from 0 (off) to 1",
        summary: "keeps tokens at least m times as likely as the likeliest",
        source: "arXiv 2407.01082",
    };

    fn parse(text: Option<&str>) -> Result<MinP, ChainError> {
        let values = Values::read(&Self::INFO, text, &[])?;
        values.checked(MinP::new(values.number()?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.0 > 0.0 {
            candidates.keep_above(self.threshold());
        }
        Ok(())
    }
}
