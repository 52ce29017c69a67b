//! Top-H: the likeliest tokens that make up a share of the entropy.

use super::{
    Counterpart, Param, Range, Setting, StageInfo,
    threshold::{Threshold, threshold},
};
use crate::Engine;

threshold! {
    /// `top_h=h`: keeps the longest prefix of the descending order with Σ -p ln p <= h·H(p), p of
    /// all tokens that are left.
    ///
    /// At least one token is kept. h is in (0, 1]; 1 turns the stage off. In whole numbers:
    /// ln Z·Σw + Σw|d| over the prefix is at most h times the sum over all tokens (f64).
    ///
    /// Source: arXiv 2509.02510.
    ///
    /// ```
    /// // Four equal tokens: two of them have half of the entropy.
    /// use kelvin_sampling::{Chain, Distribution};
    ///
    /// let chain: Chain = "top_h=0.5".parse()?;
    /// assert_eq!(Distribution::new(&[1.0, 1.0, 1.0, 1.0], &chain)?.survivors(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    TopH("h", Threshold::UP_TO_ONE),
    StageInfo {
        name: "top_h",
        summary: "keeps the likeliest tokens while their part of the entropy is at most h of it",
        source: "arXiv 2509.02510",
        params: &[Param::number("h", "0.5", Param::POSITIVE_SHARE)],
        counterparts: &[Counterpart {
            place: 60,
            settings: &[Setting::new("top_h", Range::POSITIVE_SHARE)],
            remark: "looks at the 100 likeliest tokens alone",
            ..Counterpart::of(Engine::Transformers)
        }],
        ..StageInfo::BLANK
    },
    |this, candidates| candidates.keep_entropy(this.get())
}
