//! Top-p, the nucleus: the likeliest tokens up to a fixed mass.

use super::{
    Counterpart, Field, Flag, List, Number, Param, Range, Setting, StageInfo,
    threshold::{Threshold, threshold},
};
use crate::Engine;

const LLAMA: Counterpart = Counterpart {
    place: 100,
    settings: &[Setting::new("top_p", Range::SHARE).flag("--top-p").off(Number::Real(1.0))],
    list: List::Named("top_p"),
    ..Counterpart::of(Engine::LlamaCpp)
};

// 0 is off or refused.
const ELSEWHERE: Counterpart = Counterpart {
    place: 90,
    settings: &[Setting::new("top_p", Range::POSITIVE_SHARE).off(Number::Real(1.0))],
    ..Counterpart::of(Engine::OpenVino)
};

threshold! {
    /// `top_p=p`: keeps a token if the mass strictly before it in descending order is below p.
    ///
    /// The token that crosses p is kept. p is in (0, 1]; 1 turns the stage off. The mass is that of
    /// the tokens that earlier stages kept, renormalised. In integers: the mass before the token
    /// must be below `ceil(p · total)`, an f64 product.
    ///
    /// Source: arXiv 1904.09751.
    ///
    /// ```
    /// // Probabilities 0.64, 0.24, 0.09, 0.03: the second token crosses 0.7.
    /// use kelvin_sampling::{Chain, Distribution};
    ///
    /// let chain: Chain = "top_p=0.7".parse()?;
    /// assert_eq!(Distribution::new(&[3.0, 2.0, 1.0, 0.0], &chain)?.survivors(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    TopP("p", Threshold::UP_TO_ONE),
    StageInfo {
        name: "top_p",
        summary: "keeps the likeliest tokens until their mass reaches p",
        source: "arXiv 1904.09751",
        params: &[Param::number("p", "0.95", Param::POSITIVE_SHARE)],
        flag: Some(Flag::new(
            "top-p",
            "P",
            "Keep the most likely tokens that together have probability P (1: all)",
        )),
        field: Some(Field::number("top_p", Range::POSITIVE_SHARE)),
        counterparts: &[
            LLAMA,
            LLAMA.in_ollama(),
            Counterpart {
                place: 90,
                settings: &[
                    Setting::new("top_p", Range::POSITIVE_SHARE).off(Number::Real(1.0)),
                ],
                ..Counterpart::of(Engine::Vllm)
            },
            Counterpart {
                place: 80,
                settings: &[Setting::new("top_p", Range::SHARE).off(Number::Real(1.0))],
                ..Counterpart::of(Engine::Transformers)
            },
            Counterpart {
                place: 50,
                settings: &[Setting::new("top_p", Range::SHARE).off(Number::Real(1.0))],
                ..Counterpart::of(Engine::OpenAi)
            },
            Counterpart { engine: Engine::OnnxGenAi, ..ELSEWHERE },
            ELSEWHERE,
            Counterpart {
                settings: &[
                    Setting::new("sampling_topp", Range::POSITIVE_SHARE).off(Number::Real(1.0)),
                ],
                ..Counterpart { engine: Engine::CTranslate2, ..ELSEWHERE }
            },
            Counterpart { engine: Engine::MlxLm, ..ELSEWHERE },
        ],
        ..StageInfo::BLANK
    },
    |this, candidates| candidates.keep_mass(this.get())
}
