//! Exclude top choices.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values, weights::share_of};

/// `xtc=q,threshold:t`: with chance q, of the tokens with p_i >= t drops all but the least likely
/// (the last of them in descending order); fewer than two such tokens: nothing happens. q in [0,
/// 1], t in [0, 1].
///
/// It has a random word of its own, the next of the position's; it acts if word < `ceil(q · 2^64)`.
/// p_i >= t is decided as w_i >= `ceil(t · total)`.
///
/// Source: text-generation-webui PR 6335.
///
/// ```
/// // Both likely tokens have p >= 0.1, so the likelier one goes.
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "xtc=1,threshold:0.1".parse()?;
/// assert_eq!(Distribution::new(&[2.0, 1.9, -2.0], &chain)?.survivors(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Xtc {
    chance: f64,
    threshold: f64,
}

impl Xtc {
    /// t where none is given.
    pub const THRESHOLD: f64 = 0.1;

    /// Accepts q and t in [0, 1].
    pub fn new(chance: f64, threshold: f64) -> Result<Xtc, ChainError> {
        let in_range = (0.0..=1.0).contains(&chance) && (0.0..=1.0).contains(&threshold);
        Self::INFO.require(in_range, format_args!("{chance},threshold:{threshold}"))?;
        Ok(Xtc { chance: chance + 0.0, threshold: threshold + 0.0 })
    }

    /// q.
    pub fn chance(self) -> f64 {
        self.chance
    }

    /// t.
    pub fn threshold(self) -> f64 {
        self.threshold
    }

    /// Whether it acts at this random word.
    pub fn acts(self, word: u64) -> bool {
        // 2^64 times q, rounded up; a float cast to u128 is exact.
        u128::from(word) < libm::ceil(self.chance * 18_446_744_073_709_551_616.0) as u128
    }
}

impl Control for Xtc {
    const INFO: StageInfo = StageInfo {
        name: "xtc",
        allowed: "a chance from 0 (off) to 1, threshold:t from 0 to 1 (default 0.1)",
        summary: "with chance q drops all but the least likely of the tokens with p >= t",
        source: "text-generation-webui PR 6335",
    };

    fn parse(text: Option<&str>) -> Result<Xtc, ChainError> {
        let values = Values::read(&Self::INFO, text, &["threshold"])?;
        values.checked(Xtc::new(values.number()?, values.number_or("threshold", Xtc::THRESHOLD)?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.chance)?;
        if self.threshold != Xtc::THRESHOLD {
            write!(f, ",threshold:{}", self.threshold)?;
        }
        Ok(())
    }

    fn apply(&self, candidates: &mut Candidates<'_>, turn: &mut Turn<'_>) -> Result<(), SampleError> {
        // The word is taken whether it's needed or not, so that stages after it keep theirs.
        if self.acts(turn.word()) {
            let total = candidates.total();
            candidates.drop_likeliest(share_of(self.threshold, total));
        }
        Ok(())
    }
}
