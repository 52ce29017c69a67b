//! Top-nσ: tokens within n standard deviations of the largest logit.

use super::{
    Counterpart, Flag, List, Param, Range, Setting, StageInfo, Traits,
    threshold::{Threshold, threshold},
};
use crate::Engine;

const LLAMA: Counterpart = Counterpart {
    place: 70,
    settings: &[Setting::new("top_n_sigma", Range::FROM_ZERO).flag("--top-nsigma")],
    list: List::Named("top_n_sigma"),
    ..Counterpart::of(Engine::LlamaCpp)
};

threshold! {
    /// `top_n_sigma=n`: keeps tokens with x_i >= max - n·σ, σ the population standard deviation of
    /// the logits that are left. n is at least 0; 0 turns the stage off.
    ///
    /// The kept tokens don't depend on the temperature. σ is computed from whole numbers q =
    /// round((max - x)·2^k), where 2^k scales the widest difference to between 2^25 and 2^26. So σ
    /// is within a few 2^-25 of that width, whatever the order of summation.
    ///
    /// Source: arXiv 2411.07641.
    ///
    /// ```
    /// // σ = 1.118, so tokens below 4 - 1.118 are removed.
    /// use kelvin_sampling::{Chain, Distribution};
    ///
    /// let chain: Chain = "top_n_sigma=1".parse()?;
    /// assert_eq!(Distribution::new(&[4.0, 3.0, 2.0, 1.0], &chain)?.survivors(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    TopNSigma("n", Threshold::FROM_ZERO),
    StageInfo {
        name: "top_n_sigma",
        summary: "keeps tokens within n standard deviations of the largest logit",
        source: "arXiv 2411.07641",
        traits: Traits { ignores_temperature: true, ..Traits::TRUNCATION },
        params: &[Param::number("n", "1", [0.0, 5.0, 0.05])],
        flag: Some(Flag {
            aliases: &["top-nsigma"],
            ..Flag::new(
                "top-n-sigma",
                "N",
                "Keep tokens within N standard deviations of the largest logit (0: all)",
            )
        }),
        counterparts: &[LLAMA, LLAMA.in_ollama().without_settings()],
        ..StageInfo::BLANK
    },
    |this, candidates| {
        let least = f64::from(candidates.max()) - this.get() * candidates.deviation();
        candidates.keep_logit(least);
    }
}
