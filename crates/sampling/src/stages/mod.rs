//! The stages of a chain, one file each, and the table that makes [`Stage`] and [`STAGES`].
//!
//! A new stage is a file that implements [`StageKind`] (a truncation with one number: the
//! `threshold!` macro), a `mod` line and a row below. Flags, API fields, profiles, translations and
//! lists are made from its [`StageInfo`].

mod adaptive_p;
mod bias;
mod context;
mod counterpart;
mod counts;
mod dry;
mod dynatemp;
mod edt;
mod epsilon;
mod eta;
mod info;
mod mask;
mod min_p;
mod mirostat;
mod no_repeat_ngram;
mod p_less;
mod quadratic;
mod repetition;
mod temp;
mod tfs;
mod threshold;
mod top_a;
mod top_h;
mod top_k;
mod top_n_sigma;
mod top_p;
mod translate;
mod typical;
mod values;
mod xtc;

use std::fmt;

pub(crate) use context::Context;
pub use counterpart::{Counterpart, Fixed, List, Number, Range, Setting, Settings, Value};
pub use info::{Field, FieldKind, Flag, Param, ParamKind, StageInfo, Traits};
pub(crate) use values::Values;

use crate::{
    Profile,
    candidates::Candidates,
    error::{ChainError, SampleError},
    state::Learned,
};

/// What the type of a stage provides. Only the first four items are needed.
pub(crate) trait StageKind: Sized + Clone {
    /// Its row in [`STAGES`].
    const INFO: StageInfo;

    /// The stage from the text after `=`, if there is one.
    fn parse(text: Option<&str>) -> Result<Self, ChainError>;

    /// Writes `=` and the values in their one canonical form; nothing for a stage without
    /// parameters.
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Changes the candidates that the stage before it left.
    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), SampleError>;

    /// Whether its parameters make it do nothing.
    fn is_off(&self) -> bool {
        false
    }

    /// What a stage that learns knows after a token. `index` is the token's place among the
    /// candidates; `None` if the chain had removed it.
    fn learn(
        &self,
        _: Option<Learned>,
        _: &mut Candidates<'_>,
        _: Option<usize>,
    ) -> Option<Learned> {
        None
    }

    /// The stage for one vocabulary, if it has texts: `find` gives the token sequences that write
    /// one.
    fn with_vocabulary(&self, _: &mut dyn FnMut(&str) -> Vec<Vec<u32>>) -> Option<Self> {
        None
    }

    /// The largest token id that it names.
    fn largest_id(&self) -> Option<u32> {
        None
    }

    /// The stage as the engine of a profile runs it.
    fn adapted(self, _: Profile) -> Result<Self, ChainError> {
        Ok(self)
    }

    /// The stage as a request to the engine of a profile can ask for it, and what that changes, as
    /// the end of a sentence that begins with the engine's name.
    fn fitted(self, _: Profile) -> Result<(Self, Option<String>), ChainError> {
        Ok((self, None))
    }

    /// Settings of another engine that the table of [`Counterpart::settings`] can't say.
    fn own_settings(&self, _: &Counterpart) -> Option<Settings> {
        None
    }

    /// The stage with its value moved into a range, if the nearest value is close enough to what
    /// was asked for.
    fn clamped(&self, _: Range) -> Option<Self> {
        None
    }
}

/// Makes [`Stage`], [`STAGES`] and the calls through them from one table.
macro_rules! stage_table {
    ($($module:ident: $($kind:ident),+;)+) => {
        $(pub use $module::{$($kind),+};)+

        /// A stage of a chain with its parameters, which were checked when it was made.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Stage {
            $($(
                #[doc = concat!("See [`", stringify!($kind), "`].")]
                $kind($kind),
            )+)+
        }

        /// All stages, in the order of Kelvin's own profile, in which help lists them.
        pub const STAGES: &[StageInfo] = &[$($(<$kind as StageKind>::INFO),+),+];

        impl Stage {
            /// A stage from its name and the text after `=`, if there is one.
            pub(crate) fn parse(name: &str, text: Option<&str>) -> Result<Stage, ChainError> {
                $($(
                    if name == <$kind as StageKind>::INFO.name {
                        return Ok(Stage::$kind(<$kind as StageKind>::parse(text)?));
                    }
                )+)+
                let known: Vec<&'static str> = STAGES.iter().map(|stage| stage.name).collect();
                let meant = crate::stages::meant(name, &known);
                Err(ChainError::UnknownStage { name: name.into(), meant, known: known.join(", ") })
            }

            /// The row of [`STAGES`] that describes this stage.
            pub fn info(&self) -> &'static StageInfo {
                match self {
                    $($(Stage::$kind(_) => const { &<$kind as StageKind>::INFO },)+)+
                }
            }

            /// Whether its parameters make it do nothing.
            pub fn is_off(&self) -> bool {
                match self {
                    $($(Stage::$kind(stage) => stage.is_off(),)+)+
                }
            }

            /// Changes the candidates that the stage before it left.
            pub(crate) fn apply(
                &self,
                candidates: &mut Candidates<'_>,
                context: &mut Context<'_>,
            ) -> Result<(), SampleError> {
                match self {
                    $($(Stage::$kind(stage) => stage.apply(candidates, context),)+)+
                }
            }

            /// What a stage that learns knows after a token; see [`StageKind::learn`].
            pub(crate) fn learn(
                &self,
                learned: Option<Learned>,
                candidates: &mut Candidates<'_>,
                index: Option<usize>,
            ) -> Option<Learned> {
                match self {
                    $($(Stage::$kind(stage) => stage.learn(learned, candidates, index),)+)+
                }
            }

            /// The stage for one vocabulary; see [`crate::Chain::with_vocabulary`].
            pub(crate) fn with_vocabulary(
                &self,
                find: &mut dyn FnMut(&str) -> Vec<Vec<u32>>,
            ) -> Stage {
                let bound = match self {
                    $($(Stage::$kind(stage) => stage.with_vocabulary(find).map(Stage::from),)+)+
                };
                bound.unwrap_or_else(|| self.clone())
            }

            /// The largest token id that it names.
            pub(crate) fn largest_id(&self) -> Option<u32> {
                match self {
                    $($(Stage::$kind(stage) => stage.largest_id(),)+)+
                }
            }

            /// The stage as the engine of a profile runs it.
            pub(crate) fn adapted(self, profile: Profile) -> Result<Stage, ChainError> {
                match self {
                    $($(Stage::$kind(stage) => stage.adapted(profile).map(Stage::from),)+)+
                }
            }

            /// The stage as a request to the engine of a profile can ask for it, and what that
            /// changes, as the end of a sentence that begins with the engine's name.
            ///
            /// # Errors
            /// If the engine's value isn't allowed here.
            pub fn fitted(self, profile: Profile) -> Result<(Stage, Option<String>), ChainError> {
                match self {
                    $($(Stage::$kind(stage) => {
                        stage.fitted(profile).map(|(stage, changed)| (Stage::from(stage), changed))
                    })+)+
                }
            }

            fn own_settings(&self, counterpart: &Counterpart) -> Option<Settings> {
                match self {
                    $($(Stage::$kind(stage) => stage.own_settings(counterpart),)+)+
                }
            }

            /// The stage with its value moved into a range; `None` if that would be another stage
            /// than the one that was asked for.
            pub fn clamped(&self, range: Range) -> Option<Stage> {
                match self {
                    $($(Stage::$kind(stage) => stage.clamped(range).map(Stage::from),)+)+
                }
            }
        }

        impl fmt::Display for Stage {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.info().name)?;
                match self {
                    $($(Stage::$kind(stage) => stage.write(f),)+)+
                }
            }
        }

        $($(
            impl From<$kind> for Stage {
                fn from(stage: $kind) -> Stage {
                    Stage::$kind(stage)
                }
            }
        )+)+
    };
}

stage_table! {
    bias: Bias;
    mask: Mask;
    repetition: Repetition;
    counts: Frequency, Presence;
    dry: Dry;
    no_repeat_ngram: NoRepeatNgram;
    temp: Temp;
    dynatemp: DynaTemp;
    edt: Edt;
    quadratic: Quadratic;
    top_k: TopK;
    top_p: TopP;
    min_p: MinP;
    top_n_sigma: TopNSigma;
    typical: Typical;
    top_h: TopH;
    epsilon: Epsilon;
    eta: Eta;
    top_a: TopA;
    p_less: PLess;
    tfs: Tfs;
    xtc: Xtc;
    adaptive_p: AdaptiveP;
    mirostat: Mirostat;
}

/// The stage of an unknown name: one that is written with other signs (`min-p`, `topK`), or at
/// more or less length (`temperature`, `typical_p`).
fn meant(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
    };
    let name = plain(name);
    let is_longer = |other: &&&str| {
        let other = plain(other);
        name.len().min(other.len()) > 2 && (name.starts_with(&other) || other.starts_with(&name))
    };
    let equal = known.iter().find(|other| plain(other) == name);
    equal.or_else(|| known.iter().find(is_longer)).copied()
}

/// One stage in the notation of a chain.
impl std::str::FromStr for Stage {
    type Err = ChainError;

    fn from_str(text: &str) -> Result<Stage, ChainError> {
        match text.split_once('=') {
            Some((name, value)) => Stage::parse(name.trim(), Some(value.trim())),
            None => Stage::parse(text.trim(), None),
        }
    }
}

impl Stage {
    /// Whether it sets the temperature.
    pub fn heats(&self) -> bool {
        self.info().traits.heats
    }

    /// Whether it removes unlikely tokens, so that a temperature after it can't bring them back.
    /// False for a truncation whose parameters turn it off.
    pub fn truncates(&self) -> bool {
        self.info().traits.truncates && !self.is_off()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::{
        Candidates, ChainError, Context, Counterpart, Learned, Profile, Range, SampleError,
        Settings, StageInfo, StageKind,
    };
    use crate::{State, TokenId, Words, step::StepScratch};

    #[test]
    fn a_stage_that_may_have_been_meant_is_named() {
        let known: Vec<&str> = super::STAGES.iter().map(|stage| stage.name).collect();
        for (name, stage) in [
            ("min-p", "min_p"),
            ("minp", "min_p"),
            ("topK", "top_k"),
            ("temperature", "temp"),
            ("typical_p", "typical"),
            ("repetition_penalty", "repetition"),
            ("top n sigma", "top_n_sigma"),
        ] {
            assert_eq!(super::meant(name, &known), Some(stage), "{name}");
            let said = format!("{name}=1").parse::<super::Stage>().unwrap_err().to_string();
            let begin = format!("unknown stage `{name}` in the chain; did you mean `{stage}`? kn");
            assert!(said.starts_with(&begin), "{said}");
        }
        for name in ["warmth", "", "to", "p"] {
            assert_eq!(super::meant(name, &known), None, "{name}");
        }
    }

    /// A made-up truncation: this module is all that a file of its own would have.
    #[allow(unreachable_pub, reason = "a real stage is public")]
    mod least_logit {
        use crate::stages::{
            Param, StageInfo,
            threshold::{Threshold, threshold},
        };

        threshold! {
            /// `least_logit=x`: keeps tokens whose logit is at least x.
            LeastLogit("x", Threshold::FROM_ZERO),
            StageInfo {
                name: "least_logit",
                summary: "keeps tokens whose logit is at least x",
                source: "a test",
                params: &[Param::number("x", "2", [0.0, 9.0, 0.1])],
                ..StageInfo::BLANK
            },
            |this, candidates| candidates.keep_logit(this.get())
        }
    }

    /// A table with one row, made by the macro that makes the real one.
    #[allow(dead_code, unreachable_pub, reason = "the real table is public, and used as a whole")]
    mod table {
        use super::*;

        stage_table! {
            least_logit: LeastLogit;
        }
    }

    #[test]
    fn a_stage_is_its_file_and_its_row() {
        use table::{STAGES, Stage};
        assert_eq!(STAGES.len(), 1);
        assert_eq!(STAGES[0].example(), "least_logit=2");
        assert_eq!(STAGES[0].allowed, "a number from 0 (off) up");
        assert!(STAGES[0].traits.truncates);
        let stage = Stage::parse("least_logit", Some("2")).unwrap();
        assert_eq!(stage.to_string(), "least_logit=2");
        assert!(!stage.is_off() && Stage::parse("least_logit", Some("0")).unwrap().is_off());
        for bad in [None, Some("-1"), Some("nan"), Some("inf"), Some("1,ties:kept")] {
            let error = Stage::parse("least_logit", bad).unwrap_err().to_string();
            assert!(error.contains("expected a number from 0 (off) up"), "{error}");
        }
        let error = Stage::parse("min_p", Some("0.1")).unwrap_err().to_string();
        assert!(error.ends_with("known stages: least_logit"), "{error}");

        let (state, words) = (State::default(), Words::default());
        let StepScratch { mut candidates, mut ids, mut lengths, .. } = StepScratch::default();
        let mut left = Candidates::new(&[1.0, 2.0, 5.0, 1.9], &mut candidates).unwrap();
        let (ids, lengths) = (&mut ids, &mut lengths);
        let mut context = Context { state: &state, words: &words, n_random: 0, ids, lengths };
        stage.apply(&mut left, &mut context).unwrap();
        let kept: Vec<TokenId> = left.survivors().map(|(token, _)| token).collect();
        assert_eq!(kept, [TokenId(1), TokenId(2)]);
    }
}
