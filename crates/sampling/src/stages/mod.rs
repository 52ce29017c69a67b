//! One stage of a chain: its name, its checked parameters, and what it does to the candidates.
//!
//! A stage is one file here, a type that implements [`Control`], and one row of the table below.

use std::fmt;

use crate::{
    TokenId,
    candidates::Candidates,
    dice::Words,
    error::{ChainError, SampleError},
    state::{Scope, State, Window},
};

/// What a stage type is to a chain.
pub(crate) trait Control: Sized {
    /// Its row in the list of stages.
    const INFO: StageInfo;

    /// The stage from the text after `=`, if there is one.
    fn parse(text: Option<&str>) -> Result<Self, ChainError>;

    /// Writes the text after `=` in its one canonical form; nothing for a stage without parameters.
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Acts on what the stage before it left.
    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<(), SampleError>;
}

/// What a stage may know of the sequence and of the dice.
pub(crate) struct Turn<'a> {
    pub(crate) state: &'a State,
    pub(crate) words: &'a Words,
    /// How many stages of this step have taken a random word.
    pub(crate) n_random: usize,
    /// Work space for token ids.
    pub(crate) ids: &'a mut Vec<u32>,
    /// Work space for lengths.
    pub(crate) lengths: &'a mut Vec<u32>,
}

impl Turn<'_> {
    /// The next random word for a stage.
    pub(crate) fn word(&mut self) -> u64 {
        self.n_random += 1;
        self.words.stages[self.n_random - 1]
    }

    /// The distinct tokens among the last ones, rising.
    pub(crate) fn count(&mut self, window: Window, scope: Scope) -> &[u32] {
        self.count_each(window, scope).0
    }

    /// The distinct tokens among the last ones, rising, and how often each came.
    pub(crate) fn count_each(&mut self, window: Window, scope: Scope) -> (&[u32], &[u32]) {
        let Turn { state, ids, lengths, .. } = self;
        ids.clear();
        lengths.clear();
        ids.extend(state.recent(window, scope).iter().map(|token| token.0));
        ids.sort_unstable();
        lengths.extend(ids.chunk_by(|a, b| a == b).map(|run| run.len() as u32));
        ids.dedup();
        (ids, lengths)
    }

    /// Refuses tokens that the vocabulary doesn't have.
    pub(crate) fn check(
        stage: &StageInfo,
        candidates: &Candidates<'_>,
        mut ids: impl Iterator<Item = u32>,
    ) -> Result<(), SampleError> {
        let vocab = candidates.n_vocab();
        match ids.find(|&id| id as usize >= vocab) {
            None => Ok(()),
            Some(id) => {
                Err(SampleError::UnknownToken { stage: stage.name, token: TokenId(id), vocab })
            }
        }
    }
}

/// What the notation calls a stage and what its parameters may be: for help texts and lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageInfo {
    /// The name in the notation.
    pub name: &'static str,
    /// The allowed values, in words.
    pub allowed: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

impl StageInfo {
    /// The error for a value outside the range.
    pub(crate) fn refuse(&self, found: impl Into<String>) -> ChainError {
        ChainError::BadValue { stage: self.name, found: found.into(), allowed: self.allowed }
    }

    /// `Ok` if the values are in range.
    pub(crate) fn require(
        &self,
        in_range: bool,
        found: impl fmt::Display,
    ) -> Result<(), ChainError> {
        if in_range { Ok(()) } else { Err(self.refuse(found.to_string())) }
    }

    /// The error of a stage after which no token is left.
    pub(crate) fn nothing_left(&self) -> SampleError {
        SampleError::NothingLeft { stage: self.name }
    }
}

/// Makes modules, re-exports, [`Stage`], [`STAGES`] and the calls through them from one table.
macro_rules! stages {
    ($($module:ident: $($kind:ident),+;)+) => {
        $(mod $module;)+
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

        /// All stages, in the order in which help lists them.
        pub const STAGES: &[StageInfo] = &[$($(<$kind as Control>::INFO),+),+];

        impl Stage {
            /// A stage from its name and the text after `=`, if there is one.
            pub(crate) fn parse(name: &str, text: Option<&str>) -> Result<Stage, ChainError> {
                $($(
                    if name == <$kind as Control>::INFO.name {
                        return Ok(Stage::$kind(<$kind as Control>::parse(text)?));
                    }
                )+)+
                let known: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
                Err(ChainError::UnknownStage { name: name.to_owned(), known: known.join(", ") })
            }

            /// The row of [`STAGES`] that describes this stage.
            pub fn info(&self) -> &'static StageInfo {
                match self {
                    $($(Stage::$kind(_) => const { &<$kind as Control>::INFO },)+)+
                }
            }

            /// Lets the stage act on what the one before it left.
            pub(crate) fn apply(&self, candidates: &mut Candidates<'_>, turn: &mut Turn<'_>) -> Result<(), SampleError> {
                match self {
                    $($(Stage::$kind(stage) => stage.apply(candidates, turn),)+)+
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

stages! {
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
        matches!(self, Stage::Temp(_) | Stage::DynaTemp(_) | Stage::Edt(_))
    }

    /// Whether it removes unlikely tokens, so that a temperature after it can't bring them back.
    pub fn truncates(&self) -> bool {
        match self {
            Stage::TopK(k) => k.get() > 0,
            Stage::TopP(p) => p.get() < 1.0,
            Stage::MinP(m) => m.get() > 0.0,
            Stage::TopNSigma(n) => n.get() > 0.0,
            Stage::Typical(t) => t.get() < 1.0,
            Stage::TopH(h) => h.get() < 1.0,
            Stage::Epsilon(e) => e.get() > 0.0,
            Stage::Eta(e) => e.get() > 0.0,
            Stage::TopA(a) => a.get() > 0.0,
            Stage::Tfs(z) => z.get() < 1.0,
            Stage::PLess(_) | Stage::Mirostat(_) => true,
            _ => false,
        }
    }

    /// Whether it takes a random word of its own.
    pub(crate) fn is_random(&self) -> bool {
        matches!(self, Stage::Xtc(_))
    }

    /// Whether it learns from the token that is drawn, and so must be the last.
    pub(crate) fn learns(&self) -> bool {
        matches!(self, Stage::AdaptiveP(_) | Stage::Mirostat(_))
    }

    /// Whether it looks at the tokens so far.
    pub(crate) fn looks_back(&self) -> bool {
        matches!(
            self,
            Stage::Repetition(_)
                | Stage::Frequency(_)
                | Stage::Presence(_)
                | Stage::Dry(_)
                | Stage::NoRepeatNgram(_)
        )
    }

    /// What a learning stage remembers after a token: `index` is the token's place among the
    /// candidates, none if the chain had removed it.
    pub(crate) fn learn(
        &self,
        memory: Option<[f64; 2]>,
        candidates: &mut Candidates<'_>,
        index: Option<usize>,
    ) -> Option<[f64; 2]> {
        match self {
            Stage::AdaptiveP(stage) => Some(stage.learn(memory, candidates, index)),
            Stage::Mirostat(stage) => Some(stage.learn(memory, candidates, index)),
            _ => None,
        }
    }
}
