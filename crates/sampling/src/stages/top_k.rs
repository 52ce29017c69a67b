//! Top-k: a fixed number of tokens.

use std::fmt;

use super::{
    Context, Counterpart, Field, FieldKind, Flag, List, Number, Param, Range, Setting, Settings,
    StageInfo, StageKind, Traits, Value, Values,
};
use crate::{
    Engine, MAX_VOCAB, Profile,
    candidates::Candidates,
    error::{ChainError, SampleError},
};

/// `top_k=k`: keeps the first k tokens in descending order, exactly k (ties by lower id).
/// 0 turns the stage off.
///
/// `top_k=k,ties:kept` also keeps tokens that tie with the k-th, as vLLM and transformers do.
///
/// Source: arXiv 1805.04833.
///
/// ```
/// use kelvin_sampling::{Chain, Distribution};
///
/// let logits = [1.0, 3.0, 2.0, 2.0];
/// assert_eq!(Distribution::new(&logits, &"top_k=2".parse()?)?.survivors(), 2);
/// assert_eq!(Distribution::new(&logits, &"top_k=2,ties:kept".parse()?)?.survivors(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopK {
    k: u32,
    ties: bool,
}

impl TopK {
    /// Keeps exactly `k` tokens; 0 turns the stage off.
    pub fn new(k: u32) -> TopK {
        TopK { k, ties: false }
    }

    /// Keeps `k` tokens and those that tie with the last one.
    pub fn with_ties(k: u32) -> TopK {
        TopK { k, ties: true }
    }

    /// k.
    pub fn get(self) -> u32 {
        self.k
    }

    /// Whether tokens that tie with the k-th are kept.
    pub fn keeps_ties(self) -> bool {
        self.ties
    }
}

const LLAMA: Counterpart = Counterpart {
    place: 80,
    settings: &[Setting::new("top_k", Range::COUNT).flag("--top-k").off(Number::Whole(0))],
    list: List::Named("top_k"),
    ..Counterpart::of(Engine::LlamaCpp)
};

const ELSEWHERE: Counterpart = Counterpart {
    place: 70,
    settings: &[Setting::new("top_k", Range::COUNT).off(Number::Whole(0))],
    ..Counterpart::of(Engine::TransformersJs)
};

impl StageKind for TopK {
    const INFO: StageInfo = StageInfo {
        name: "top_k",
        allowed: "a whole number from 0 (off) to 4294967295, ties:kept to keep those equal \
                  to the last",
        summary: "keeps the k likeliest tokens",
        source: "arXiv 1805.04833",
        traits: Traits { ignores_temperature: true, ..Traits::TRUNCATION },
        params: &[Param::whole("k", "40", [0.0, 200.0])],
        flag: Some(Flag::new("top-k", "K", "Keep the K most likely tokens (0: all)")),
        field: Some(Field {
            kind: FieldKind::Whole,
            off: Some(-1.0),
            remark: "0 and -1: off.",
            ..Field::number("top_k", Range::new(-1.0, f64::INFINITY))
        }),
        counterparts: &[
            LLAMA,
            LLAMA.in_ollama(),
            Counterpart {
                place: 80,
                settings: &[
                    Setting::new("top_k", Range::new(-1.0, Range::I32)).off(Number::Whole(-1))
                ],
                ..Counterpart::of(Engine::Vllm)
            },
            Counterpart {
                place: 70,
                settings: &[Setting::new("top_k", Range::COUNT).off(Number::Whole(0))],
                ..Counterpart::of(Engine::Transformers)
            },
            ELSEWHERE,
            Counterpart {
                // 0 doesn't turn it off.
                settings: &[Setting::new("top_k", Range::new(1.0, Range::I32))],
                ..Counterpart { engine: Engine::OnnxGenAi, ..ELSEWHERE }
            },
            Counterpart { engine: Engine::OpenVino, ..ELSEWHERE },
            Counterpart {
                settings: &[Setting::new("sampling_topk", Range::COUNT).off(Number::Whole(0))],
                ..Counterpart { engine: Engine::CTranslate2, ..ELSEWHERE }
            },
            Counterpart { engine: Engine::MlxLm, place: 120, ..ELSEWHERE },
        ],
    };

    fn parse(text: Option<&str>) -> Result<TopK, ChainError> {
        let values = Values::read(&Self::INFO, text, &["ties"])?;
        Ok(TopK { ties: values.ties()?, k: values.number()? })
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}{}", self.k, if self.ties { ",ties:kept" } else { "" })
    }

    fn is_off(&self) -> bool {
        self.k == 0
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        _: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        if self.k > 0 {
            candidates.keep_first(self.k as usize, self.ties);
        }
        Ok(())
    }

    fn adapted(self, profile: Profile) -> Result<TopK, ChainError> {
        Ok(if profile.keeps_ties() { TopK::with_ties(self.k) } else { self })
    }

    fn own_settings(&self, counterpart: &Counterpart) -> Option<Settings> {
        // A k that no vocabulary reaches keeps everything, and fits into 32 bits everywhere.
        let k = match (self.k.min(MAX_VOCAB as u32), counterpart.engine) {
            (0, Engine::Vllm) => -1,
            (k, _) => i64::from(k),
        };
        let name = counterpart.settings.first().map_or("top_k", |setting| setting.name);
        Some(Ok(vec![(name, Value::Whole(k))]))
    }
}
