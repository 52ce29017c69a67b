//! p-less: tokens at least as likely as two draws are to agree.

use std::fmt;

use super::{Context, StageInfo, StageKind, Traits};
use crate::{
    candidates::Candidates,
    error::{ChainError, SampleError},
    weights::share_of,
};

/// `p_less`: keeps tokens with p_i >= Σ p_j², the probability that two draws agree. It has no
/// parameter and always keeps a token.
///
/// Decided as w_i >= `ceil(Σp² · total)`. Σp² is a sum of whole numbers, within 2^-52 of each
/// square.
///
/// Source: arXiv 2509.23234.
///
/// ```
/// // Probabilities 0.67, 0.24, 0.09 with Σp² = 0.51.
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "p_less".parse()?;
/// assert_eq!(Distribution::new(&[2.0, 1.0, 0.0], &chain)?.survivors(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PLess;

impl StageKind for PLess {
    const INFO: StageInfo = StageInfo {
        name: "p_less",
        allowed: "no value",
        summary: "keeps tokens with a probability of at least the sum of squared probabilities",
        source: "arXiv 2509.23234",
        traits: Traits::TRUNCATION,
        ..StageInfo::BLANK
    };

    fn parse(text: Option<&str>) -> Result<PLess, ChainError> {
        text.map_or(Ok(PLess), |text| Err(Self::INFO.refuse(text)))
    }

    fn write(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        _: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        let share = candidates.concentration();
        let total = candidates.total();
        candidates.keep_weight(share_of(share, total));
        Ok(())
    }
}
