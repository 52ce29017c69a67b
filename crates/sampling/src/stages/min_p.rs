//! Min-p: tokens within a fixed ratio of the likeliest one.

use super::{
    Counterpart, Field, Flag, List, Number, Param, Range, Setting, StageInfo,
    threshold::{Threshold, threshold},
};
use crate::Engine;

const LLAMA: Counterpart = Counterpart {
    place: 110,
    settings: &[Setting::new("min_p", Range::SHARE).flag("--min-p").off(Number::Real(0.0))],
    list: List::Named("min_p"),
    ..Counterpart::of(Engine::LlamaCpp)
};

threshold! {
    /// `min_p=m`: keeps tokens with p_i >= m·p_max. m is in [0, 1]; 0 turns the stage off.
    ///
    /// Decided without exponentials as d_i >= ln m (f32, rounded down), d_i = (x_i - max)·β. A
    /// token at exactly the threshold is kept.
    ///
    /// Source: arXiv 2407.01082.
    ///
    /// ```
    /// // Half as likely as the likeliest token is 0.7 below its logit.
    /// use kelvin_sampling::{Chain, Distribution};
    ///
    /// let chain: Chain = "min_p=0.5".parse()?;
    /// assert_eq!(Distribution::new(&[3.0, 2.4, 2.2], &chain)?.survivors(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    MinP("m", Threshold::ZERO_TO_ONE),
    StageInfo {
        name: "min_p",
        summary: "keeps tokens at least m times as likely as the likeliest",
        source: "arXiv 2407.01082",
        params: &[Param::number("m", "0.05", Param::SHARE)],
        flag: Some(Flag::new(
            "min-p",
            "M",
            "Keep tokens with at least M times the probability of the most likely one (0: all)",
        )),
        field: Some(Field::number("min_p", Range::SHARE)),
        counterparts: &[
            LLAMA,
            LLAMA.in_ollama(),
            Counterpart {
                place: 70,
                settings: &[Setting::new("min_p", Range::SHARE).off(Number::Real(0.0))],
                ..Counterpart::of(Engine::Vllm)
            },
            Counterpart {
                place: 90,
                settings: &[Setting::new("min_p", Range::SHARE)],
                ..Counterpart::of(Engine::Transformers)
            },
            Counterpart {
                place: 100,
                settings: &[Setting::new("min_p", Range::below(0.0, 1.0)).off(Number::Real(0.0))],
                ..Counterpart::of(Engine::OpenVino)
            },
            Counterpart {
                place: 100,
                settings: &[Setting::new("min_p", Range::SHARE).off(Number::Real(0.0))],
                ..Counterpart::of(Engine::MlxLm)
            },
        ],
        ..StageInfo::BLANK
    },
    |this, candidates| candidates.keep_above(this.threshold())
}

impl MinP {
    /// ln m as f32, rounded down: the lowest d that is kept.
    pub fn threshold(self) -> f32 {
        let exact = libm::log(self.get());
        let nearest = exact as f32;
        if f64::from(nearest) > exact { nearest.next_down() } else { nearest }
    }
}
