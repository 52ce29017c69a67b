//! Top-k: a fixed number of candidates.

use super::StageInfo;
use crate::{candidates::Candidates, error::ChainError};

pub(super) const INFO: StageInfo = StageInfo {
    name: "top_k",
    allowed: "a whole number from 0 (off) to 4294967295",
    summary: "keeps the k likeliest tokens",
    source: "arXiv 1805.04833",
};

/// `top_k=k`: keeps the first k tokens in descending order, exactly k (ties by lower id); 0 is off.
///
/// Source: Fan, Lewis, Dauphin 2018, arXiv 1805.04833.
///
/// ```
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "top_k=2".parse()?;
/// let distribution = Distribution::new(&[1.0, 3.0, 2.0, 2.0], &chain)?;
/// let ids: Vec<u32> = distribution.top(9).iter().map(|choice| choice.token.0).collect();
/// assert_eq!(ids, [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopK(u32);

impl TopK {
    /// Accepts every k; 0 is off.
    pub fn new(k: u32) -> TopK {
        TopK(k)
    }

    pub(super) fn parse(value: Option<&str>) -> Result<TopK, ChainError> {
        let text = INFO.required(value)?;
        text.parse().map(TopK).map_err(|_| INFO.refuse(text))
    }

    /// k.
    pub fn get(self) -> u32 {
        self.0
    }

    pub(super) fn apply(self, candidates: &mut Candidates<'_>) {
        if self.0 > 0 {
            candidates.keep_first(self.0 as usize);
        }
    }
}
