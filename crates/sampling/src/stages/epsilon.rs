//! ε-sampling: tokens above a fixed probability.

use super::{
    Counterpart, Param, Range, Setting, StageInfo,
    threshold::{Threshold, threshold},
};
use crate::{Engine, weights::share_of};

threshold! {
    /// `epsilon=ε`: keeps tokens with p_i >= ε, and always the likeliest. ε is in [0, 1]; 0 turns
    /// the stage off.
    ///
    /// Decided as w_i >= `ceil(ε · total)`.
    ///
    /// Source: arXiv 2210.15191.
    ///
    /// ```
    /// // Probabilities 0.67, 0.24, 0.09.
    /// use kelvin_sampling::{Chain, Distribution};
    ///
    /// let chain: Chain = "epsilon=0.1".parse()?;
    /// assert_eq!(Distribution::new(&[2.0, 1.0, 0.0], &chain)?.survivors(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Epsilon("ε", Threshold::ZERO_TO_ONE),
    StageInfo {
        name: "epsilon",
        summary: "keeps tokens with a probability of at least ε",
        source: "arXiv 2210.15191",
        params: &[Param::number("ε", "0.001", [0.0, 0.1, 0.0005])],
        counterparts: &[Counterpart {
            place: 110,
            // The stage is skipped at 0 and at 1.
            settings: &[Setting::new("epsilon_cutoff", Range::below(0.0, 1.0))],
            ..Counterpart::of(Engine::Transformers)
        }],
        ..StageInfo::BLANK
    },
    |this, candidates| {
        let total = candidates.total();
        candidates.keep_weight(share_of(this.get(), total));
    }
}
