//! Locally typical sampling: candidates whose surprisal is near the entropy.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values};

/// `typical=τ`: in ascending order of |-ln p_i - H| (ties: larger logit, then lower id) keeps the
/// smallest prefix with a mass of at least τ; 1 is off, τ in (0, 1].
///
/// `ties:kept` keeps tokens as far away as the last one as well, as transformers does.
///
/// The distance is |d_i - c| in f32 with c = ln Z - H = -Σ p|d|, d_i = (x_i - max)·β; the mass must
/// reach `ceil(τ · total)`.
///
/// Source: arXiv 2202.00666.
///
/// ```
/// // The likeliest token is less surprising than a token mostly is; the middle ones are typical.
/// use kelvin_sampling::{Chain, Distribution, TokenId};
///
/// let chain: Chain = "typical=0.3".parse()?;
/// let kept = Distribution::new(&[1.0, 0.6, 0.55, 0.5, -2.0], &chain)?;
/// assert_eq!(kept.top(9)[0].token, TokenId(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Typical {
    mass: f64,
    ties: bool,
}

impl Typical {
    /// Accepts a number above 0 and at most 1 (1 is off).
    pub fn new(value: f64) -> Result<Typical, ChainError> {
        Self::INFO.require(value > 0.0 && value <= 1.0, value)?;
        // Adding +0 turns -0 into +0, so that it prints as `0`.
        Ok(Typical { mass: value + 0.0, ties: false })
    }

    /// The same, but tokens as far away as the last one stay.
    pub fn with_ties(self) -> Typical {
        Typical { ties: true, ..self }
    }

    /// Whether tokens as far away as the last one stay.
    pub fn keeps_ties(self) -> bool {
        self.ties
    }

    /// τ.
    pub fn get(self) -> f64 {
        self.mass
    }
}

impl Control for Typical {
    const INFO: StageInfo = StageInfo {
        name: "typical",
        allowed: "a number above 0 and at most 1 (1 is off), ties:kept to keep those as far away as the last",
        summary: "keeps the tokens whose surprisal is nearest to the entropy until their mass reaches τ",
        source: "arXiv 2202.00666",
    };

    fn parse(text: Option<&str>) -> Result<Typical, ChainError> {
        let values = Values::read(&Self::INFO, text, &["ties"])?;
        let typical = values.checked(Typical::new(values.number()?))?;
        match values.named("ties") {
            None => Ok(typical),
            Some("kept") => Ok(typical.with_ties()),
            Some(_) => Err(values.refuse()),
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}{}", self.mass, if self.ties { ",ties:kept" } else { "" })
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.mass < 1.0 {
            let mass = candidates.mass();
            let center = (mass.ln_z() - mass.entropy()) as f32;
            candidates.keep_nearest(center, self.mass, self.ties);
        }
        Ok(())
    }
}
