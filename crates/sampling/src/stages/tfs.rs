//! Tail-free sampling: cuts where the curve of sorted probabilities flattens.

use super::{
    Param, StageInfo,
    threshold::{Threshold, threshold},
};
use crate::candidates::Candidates;

threshold! {
    /// `tfs=z`: keeps tokens up to the place where the second differences of the sorted
    /// probabilities have summed to z.
    ///
    /// The absolute second differences |p_i - 2p_(i+1) + p_(i+2)| are normalised. Kept are the
    /// tokens before the first index whose cumulative sum exceeds z, plus one. With fewer than 3
    /// tokens nothing happens. z is in (0, 1]; 1 turns the stage off.
    ///
    /// Differences and sums are of the whole-number weights, so they are exact; the sum must exceed
    /// `z · Σ` (f64). Tokens of weight 0 are at the end of the order and add nothing. This is the
    /// only stage that sorts all tokens with a weight.
    ///
    /// Source: Phénix and Egan 2019 (trentbrick.github.io/Tail-Free-Sampling).
    ///
    /// ```
    /// // Two tokens stand out: the curve bends after them and is flat from there on.
    /// use kelvin_sampling::{Chain, Distribution};
    ///
    /// let chain: Chain = "tfs=0.6".parse()?;
    /// assert_eq!(Distribution::new(&[5.0, 5.0, 0.0, 0.0, 0.0, 0.0], &chain)?.survivors(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Tfs("z", Threshold::UP_TO_ONE),
    StageInfo {
        name: "tfs",
        summary: "cuts the tail where the sorted probabilities stop bending",
        source: "Phénix and Egan 2019 (trentbrick.github.io/Tail-Free-Sampling)",
        params: &[Param::number("z", "0.95", Param::POSITIVE_SHARE)],
        ..StageInfo::BLANK
    },
    |this, candidates| cut(this.get(), candidates)
}

fn cut(z: f64, candidates: &mut Candidates<'_>) {
    let n = candidates.n();
    if n < 3 {
        return;
    }
    let weights = candidates.first_weights(n);
    let bend = |w: &[u64]| (w[0] + w[2]).abs_diff(2 * w[1]);
    let total: u64 = weights.windows(3).map(bend).sum();
    let mut sum = 0;
    let past = weights.windows(3).position(|w| {
        sum += bend(w);
        sum as f64 > z * total as f64
    });
    if let Some(i) = past {
        candidates.keep_first(i + 1, false);
    }
}
