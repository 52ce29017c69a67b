//! Top-a: tokens above a probability that rises with the square of the likeliest one's.

use super::{
    Param, StageInfo,
    threshold::{Threshold, threshold},
};
use crate::weights::{ONE, share_of};

threshold! {
    /// `top_a=a`: keeps tokens with p_i >= a·p_max². a is in [0, 1]; 0 turns the stage off.
    ///
    /// Decided as w_i >= `ceil(a·p_max · 2^45)`. The likeliest token weighs 2^45, so p_max =
    /// 2^45/total.
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
    TopA("a", Threshold::ZERO_TO_ONE),
    StageInfo {
        name: "top_a",
        summary: "keeps tokens with a probability of at least a·p_max²",
        source: "BlinkDL, RWKV-LM (github.com/BlinkDL/RWKV-LM)",
        params: &[Param::number("a", "0.2", Param::SHARE)],
        ..StageInfo::BLANK
    },
    |this, candidates| {
        let p_max = ONE as f64 / candidates.total() as f64;
        candidates.keep_weight(share_of(this.get() * p_max, ONE));
    }
}
