//! η-sampling: tokens above a probability that falls with the entropy.

use super::{
    Counterpart, Param, Range, Setting, StageInfo,
    threshold::{Threshold, threshold},
};
use crate::{Engine, weights::share_of};

threshold! {
    /// `eta=ε`: keeps tokens with p_i >= min(ε, sqrt(ε)·exp(-H)), and always the likeliest. ε is in
    /// [0, 1]; 0 turns the stage off.
    ///
    /// Decided as w_i >= `ceil(threshold · total)`.
    ///
    /// Source: arXiv 2210.15191.
    ///
    /// ```
    /// // H = 0.83, so the threshold is the lower of sqrt(0.05)·0.43 = 0.097 and ε = 0.05.
    /// use kelvin_sampling::{Chain, Distribution};
    ///
    /// let chain: Chain = "eta=0.05".parse()?;
    /// assert_eq!(Distribution::new(&[2.0, 1.0, 0.0], &chain)?.survivors(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Eta("ε", Threshold::ZERO_TO_ONE),
    StageInfo {
        name: "eta",
        summary: "keeps tokens with a probability of at least min(ε, sqrt(ε)·exp(-H))",
        source: "arXiv 2210.15191",
        params: &[Param::number("ε", "0.001", [0.0, 0.1, 0.0005])],
        counterparts: &[Counterpart {
            place: 120,
            // The stage is skipped at 0 and at 1.
            settings: &[Setting::new("eta_cutoff", Range::below(0.0, 1.0))],
            ..Counterpart::of(Engine::Transformers)
        }],
        ..StageInfo::BLANK
    },
    |this, candidates| {
        let mass = candidates.mass();
        let threshold = this.get().min(libm::sqrt(this.get()) * libm::exp(-mass.entropy()));
        candidates.keep_weight(share_of(threshold, mass.total));
    }
}
