//! Top-p, the nucleus: a fixed mass of candidates.

use super::StageInfo;
use crate::{candidates::Candidates, error::ChainError};

pub(super) const INFO: StageInfo = StageInfo {
    name: "top_p",
    allowed: "a number above 0 and at most 1 (1 is off)",
    summary: "keeps the likeliest tokens until their mass reaches p",
    source: "arXiv 1904.09751",
};

/// `top_p=p`: token i stays if the mass strictly before it in descending order is below p, so the token
/// that crosses p stays; 1 is off, p in (0, 1].
///
/// Mass is of the survivors of the stages before, renormalised. In integers: the mass before must be
/// below `ceil(p · total)`, an f64 product.
///
/// Source: Holtzman et al. 2019, arXiv 1904.09751.
///
/// ```
/// use kelvin_sampling::{Chain, Distribution};
///
/// // Probabilities 0.64, 0.24, 0.09, 0.03: the second token crosses 0.7.
/// let chain: Chain = "top_p=0.7".parse()?;
/// assert_eq!(Distribution::new(&[3.0, 2.0, 1.0, 0.0], &chain)?.survivors(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopP(f64);

impl TopP {
    /// Accepts p in (0, 1].
    pub fn new(p: f64) -> Result<TopP, ChainError> {
        if p > 0.0 && p <= 1.0 { Ok(TopP(p)) } else { Err(INFO.refuse(format!("{p}"))) }
    }

    pub(super) fn parse(value: Option<&str>) -> Result<TopP, ChainError> {
        let text = INFO.required(value)?;
        let p = text.parse().map_err(|_| INFO.refuse(text))?;
        TopP::new(p).map_err(|_| INFO.refuse(text))
    }

    /// p.
    pub fn get(self) -> f64 {
        self.0
    }

    pub(super) fn apply(self, candidates: &mut Candidates<'_>) {
        if self.0 < 1.0 {
            candidates.keep_mass(self.0);
        }
    }
}
