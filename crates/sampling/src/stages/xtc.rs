//! XTC, exclude top choices: sometimes removes all likely tokens except the least likely one.

use std::fmt;

use super::{
    Context, Counterpart, Flag, List, Param, Range, Setting, StageInfo, StageKind, Traits, Values,
};
use crate::{
    Engine,
    candidates::Candidates,
    error::{ChainError, SampleError},
    weights::share_of,
};

/// `xtc=q,threshold:t`: with probability q, of the tokens with p_i >= t keeps only the last one in
/// descending order, and all tokens below it.
///
/// With fewer than two such tokens nothing happens. q and t are in [0, 1].
///
/// The stage takes the next random word of the position for itself, and acts if word <
/// `ceil(q · 2^64)`. p_i >= t is decided as w_i >= `ceil(t · total)`.
///
/// Source: text-generation-webui PR 6335.
///
/// ```
/// // Both likely tokens have p >= 0.1, so the likelier one is removed.
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "xtc=1,threshold:0.1".parse()?;
/// assert_eq!(Distribution::new(&[2.0, 1.9, -2.0], &chain)?.survivors(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Xtc {
    chance: f64,
    threshold: f64,
}

impl Xtc {
    /// The default of t.
    pub const THRESHOLD: f64 = 0.1;

    /// A stage with this q and t.
    ///
    /// # Errors
    /// If one of them isn't in [0, 1].
    pub fn new(chance: f64, threshold: f64) -> Result<Xtc, ChainError> {
        let in_range = Range::SHARE.has(chance) && Range::SHARE.has(threshold);
        Self::INFO.require(in_range, format_args!("{chance},threshold:{threshold}"))?;
        Ok(Xtc { chance: chance + 0.0, threshold: threshold + 0.0 })
    }

    /// q.
    pub fn chance(self) -> f64 {
        self.chance
    }

    /// t.
    pub fn threshold(self) -> f64 {
        self.threshold
    }

    /// Whether the stage acts at this random word.
    pub fn acts(self, word: u64) -> bool {
        // 2^64 times q, rounded up; a float cast to u128 is exact.
        u128::from(word) < libm::ceil(self.chance * 18_446_744_073_709_551_616.0) as u128
    }
}

const LLAMA: Counterpart = Counterpart {
    place: 120,
    settings: &[
        Setting::new("xtc_probability", Range::SHARE).flag("--xtc-probability"),
        Setting::new("xtc_threshold", Range::SHARE).key("threshold").flag("--xtc-threshold"),
    ],
    list: List::Named("xtc"),
    ..Counterpart::of(Engine::LlamaCpp)
};

impl StageKind for Xtc {
    const INFO: StageInfo = StageInfo {
        name: "xtc",
        allowed: "a chance from 0 (off) to 1, threshold:t from 0 to 1 (default 0.1)",
        summary: "with chance q drops all but the least likely of the tokens with p >= t",
        source: "text-generation-webui PR 6335",
        traits: Traits { random: true, ..Traits::NONE },
        params: &[
            Param::number("chance", "0.5", Param::SHARE),
            Param::number("threshold", "0.1", Param::SHARE).named("threshold"),
        ],
        flag: Some(Flag::new(
            "xtc",
            "CHANCE[,threshold:P]",
            "With this chance drop all but the least of the likely tokens",
        )),
        counterparts: &[
            LLAMA,
            LLAMA.in_ollama().without_settings(),
            Counterpart {
                place: 110,
                settings: &[
                    Setting::new("xtc_probability", Range::SHARE),
                    Setting::new("xtc_threshold", Range::new(0.0, 0.5)).key("threshold"),
                ],
                ..Counterpart::of(Engine::MlxLm)
            },
        ],
        ..StageInfo::BLANK
    };

    fn parse(text: Option<&str>) -> Result<Xtc, ChainError> {
        let values = Values::read(&Self::INFO, text, &["threshold"])?;
        values.checked(Xtc::new(values.number()?, values.number_or("threshold", Xtc::THRESHOLD)?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.chance)?;
        if self.threshold != Xtc::THRESHOLD {
            write!(f, ",threshold:{}", self.threshold)?;
        }
        Ok(())
    }

    fn is_off(&self) -> bool {
        self.chance == 0.0
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        // The word is taken whether it's needed or not, so that later stages keep theirs.
        if self.acts(context.word()) {
            let total = candidates.total();
            candidates.drop_likeliest(share_of(self.threshold, total));
        }
        Ok(())
    }
}
