//! Locally typical sampling: tokens whose surprisal is near the entropy.

use std::fmt;

use super::{
    Context, Counterpart, Flag, List, Param, Range, Setting, StageInfo, StageKind, Traits, Values,
};
use crate::{
    Engine, Profile,
    candidates::Candidates,
    error::{ChainError, SampleError},
};

/// `typical=τ`: keeps the tokens nearest to the entropy until their mass is at least τ.
///
/// The order is ascending in |-ln p_i - H| (ties: larger logit, then lower id); the shortest prefix
/// of it is kept. τ is in (0, 1]; 1 turns the stage off. `ties:kept` also keeps tokens as far away
/// as the last one, as transformers does.
///
/// The distance is |d_i - c| in f32 with c = ln Z - H = -Σ p|d|, d_i = (x_i - max)·β. The mass must
/// reach `ceil(τ · total)`.
///
/// Source: arXiv 2202.00666.
///
/// ```
/// // The likeliest token is less surprising than the average; the middle ones are typical.
/// use kelvin_sampling::{Chain, Distribution, TokenId};
///
/// let chain: Chain = "typical=0.3".parse()?;
/// let kept = Distribution::new(&[1.0, 0.6, 0.55, 0.5, -2.0], &chain)?;
/// assert_eq!(kept.top(9)[0].token, TokenId(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Typical {
    mass: f64,
    ties: bool,
}

impl Typical {
    /// A stage with this τ.
    ///
    /// # Errors
    /// If τ isn't above 0 and at most 1.
    pub fn new(value: f64) -> Result<Typical, ChainError> {
        Self::INFO.require(Range::POSITIVE_SHARE.has(value), value)?;
        Ok(Typical { mass: value, ties: false })
    }

    /// This stage, which also keeps tokens as far away as the last one.
    pub fn with_ties(self) -> Typical {
        Typical { ties: true, ..self }
    }

    /// Whether tokens as far away as the last one are kept.
    pub fn keeps_ties(self) -> bool {
        self.ties
    }

    /// τ.
    pub fn get(self) -> f64 {
        self.mass
    }
}

const LLAMA: Counterpart = Counterpart {
    place: 90,
    settings: &[Setting::new("typical_p", Range::SHARE).flag("--typical")],
    list: List::Named("typ_p"),
    ..Counterpart::of(Engine::LlamaCpp)
};

impl StageKind for Typical {
    const INFO: StageInfo = StageInfo {
        name: "typical",
        allowed: "a number above 0 and at most 1 (1 is off), ties:kept to keep those as far \
                  away as the last",
        summary: "keeps the tokens whose surprisal is nearest to the entropy until their mass \
                  reaches τ",
        source: "arXiv 2202.00666",
        traits: Traits::TRUNCATION,
        params: &[Param::number("τ", "0.95", Param::POSITIVE_SHARE)],
        flag: Some(Flag {
            aliases: &["typical-p"],
            ..Flag::new(
                "typical",
                "P",
                "Keep the tokens of mass P whose surprisal is nearest to the entropy (1: all)",
            )
        }),
        counterparts: &[
            LLAMA,
            LLAMA.in_ollama(),
            Counterpart {
                place: 100,
                settings: &[Setting::new("typical_p", Range::POSITIVE_SHARE)],
                ..Counterpart::of(Engine::Transformers)
            },
        ],
        ..StageInfo::BLANK
    };

    fn parse(text: Option<&str>) -> Result<Typical, ChainError> {
        let values = Values::read(&Self::INFO, text, &["ties"])?;
        let typical = values.checked(Typical::new(values.number()?))?;
        Ok(Typical { ties: values.ties()?, ..typical })
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}{}", self.mass, if self.ties { ",ties:kept" } else { "" })
    }

    fn is_off(&self) -> bool {
        self.mass == 1.0
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        _: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        if self.mass < 1.0 {
            let mass = candidates.mass();
            let center = (mass.ln_z() - mass.entropy()) as f32;
            candidates.keep_nearest(center, self.mass, self.ties);
        }
        Ok(())
    }

    fn adapted(self, profile: Profile) -> Result<Typical, ChainError> {
        Ok(if profile.keeps_ties() { self.with_ties() } else { self })
    }
}
