//! Top-a: candidates above a threshold that rises with the square of the likeliest.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values, weights::{ONE, share_of}};

/// `top_a=a`: keeps tokens with p_i >= a·p_max²; 0 is off, a in [0, 1].
///
/// Decided as w_i >= `ceil(a·p_max · 2^45)`, p_max = 2^45/total: the likeliest weighs 2^45.
///
/// Source: BlinkDL, RWKV-LM (github.com/BlinkDL/RWKV-LM).
///
/// ```
/// // p_max = 0.67, so the threshold is 0.5·0.44 = 0.22.
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "top_a=0.5".parse()?;
/// assert_eq!(Distribution::new(&[2.0, 1.0, 0.0], &chain)?.survivors(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopA(f64);

impl TopA {
    /// Accepts a number from 0 (off) to 1.
    pub fn new(value: f64) -> Result<TopA, ChainError> {
        Self::INFO.require((0.0..=1.0).contains(&value), value)?;
        // Adding +0 turns -0 into +0, so that it prints as `0`.
        Ok(TopA(value + 0.0))
    }

    /// a.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Control for TopA {
    const INFO: StageInfo = StageInfo {
        name: "top_a",
        allowed: "a number from 0 (off) to 1",
        summary: "keeps tokens with a probability of at least a·p_max²",
        source: "BlinkDL, RWKV-LM (github.com/BlinkDL/RWKV-LM)",
    };

    fn parse(text: Option<&str>) -> Result<TopA, ChainError> {
        let values = Values::read(&Self::INFO, text, &[])?;
        values.checked(TopA::new(values.number()?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.0 > 0.0 {
            let p_max = ONE as f64 / candidates.total() as f64;
            candidates.keep_weight(share_of(self.0 * p_max, ONE));
        }
        Ok(())
    }
}
