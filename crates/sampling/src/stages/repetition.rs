//! The repetition penalty.

use std::fmt;

use super::{
    Context, Counterpart, Field, Fixed, Flag, List, Number, Param, ParamKind, Range, Setting,
    StageInfo, StageKind, Traits, Values,
};
use crate::{
    Engine, Profile,
    candidates::Candidates,
    error::{ChainError, SampleError},
    state::{Scope, Window},
};

/// `repetition=θ,window:n,scope:s`: for each distinct token among the last n, x > 0 becomes x/θ and
/// any other x becomes x·θ. θ = 1 turns the stage off.
///
/// By default the window is of all tokens (-1; 0 is off). The scope is `prompt+output` (the
/// default) or `output`.
///
/// Source: Keskar et al. 2019, arXiv 1909.05858.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler, TokenId};
///
/// let chain: Chain = "repetition=2 | temp=0".parse()?;
/// let mut sampler = Sampler::new(chain, Dice::default()).after(&[TokenId(0)]);
/// assert_eq!(sampler.sample(&[3.0, 2.0], 1)?, TokenId(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repetition {
    theta: f32,
    window: Window,
    scope: Scope,
}

impl Repetition {
    /// A penalty of θ.
    ///
    /// # Errors
    /// Unless θ > 0 and finite.
    pub fn new(theta: f32, window: Window, scope: Scope) -> Result<Repetition, ChainError> {
        Self::INFO.require(theta > 0.0 && theta < f32::INFINITY, theta)?;
        Ok(Repetition { theta, window, scope })
    }

    /// θ.
    pub fn theta(self) -> f32 {
        self.theta
    }

    /// How many of the last tokens count.
    pub fn window(self) -> Window {
        self.window
    }

    /// Which tokens count.
    pub fn scope(self) -> Scope {
        self.scope
    }
}

const COUNTS_PROMPT: Fixed =
    Fixed { key: "scope", value: "prompt+output", why: "counts the prompt as well" };
const NO_WINDOW: &[Fixed] =
    &[COUNTS_PROMPT, Fixed { key: "window", value: "-1", why: "has no window" }];

const LLAMA: Counterpart = Counterpart {
    place: 30,
    defaults: &["window:64"],
    settings: &[
        // Its reciprocal must be finite as well.
        Setting::new("repeat_penalty", Range::above(1.0 / Range::F32, Range::F32))
            .flag("--repeat-penalty"),
        Setting::new("repeat_last_n", Range::COUNT).key("window").whole().flag("--repeat-last-n"),
    ],
    fixed: &[COUNTS_PROMPT],
    list: List::Named("penalties"),
    ..Counterpart::of(Engine::LlamaCpp)
};
const OLLAMA: Counterpart = Counterpart {
    settings: &[
        Setting::new("repeat_penalty", Range::above(1.0 / Range::F32, Range::F32))
            .off(Number::Real(1.0)),
        Setting::new("repeat_last_n", Range::COUNT).key("window").whole(),
    ],
    ..LLAMA.in_ollama()
};
const VLLM: Counterpart = Counterpart {
    place: 30,
    settings: &[
        Setting::new("repetition_penalty", Range::above(0.0, Range::F32)).off(Number::Real(1.0))
    ],
    fixed: NO_WINDOW,
    ..Counterpart::of(Engine::Vllm)
};
const MLX: Counterpart = Counterpart {
    place: 30,
    defaults: &["window:20"],
    settings: &[
        // 0 turns it off.
        Setting::new("repetition_penalty", Range::above(0.0, Range::F32)).off(Number::Real(1.0)),
        // A window of 0 is of all tokens.
        Setting::new("repetition_context_size", Range::new(1.0, Range::I32)).key("window").whole(),
    ],
    fixed: &[COUNTS_PROMPT],
    ..Counterpart::of(Engine::MlxLm)
};

impl StageKind for Repetition {
    const INFO: StageInfo = StageInfo {
        name: "repetition",
        allowed: "θ above 0 (1 is off), window:n (-1 all, 0 off), scope:prompt+output or output",
        summary: "divides positive logits of tokens that came before by θ, multiplies others",
        source: "arXiv 1909.05858",
        traits: Traits::PENALTY,
        params: &[
            Param::number("θ", "1.1", [0.5, 2.0, 0.01]),
            Param::WINDOW,
            Param::other("counts", ParamKind::Scope, "prompt+output").named("scope"),
        ],
        flag: Some(Flag {
            hidden_aliases: &["repetition-penalty"],
            ..Flag::new(
                "repeat-penalty",
                "X",
                "Divide positive logits of tokens that came before by X, multiply others (1: off)",
            )
        }),
        field: Some(Field::number("repetition_penalty", Range::above(0.0, f64::INFINITY))),
        counterparts: &[
            LLAMA,
            OLLAMA,
            VLLM,
            Counterpart { engine: Engine::Transformers, ..VLLM },
            Counterpart { engine: Engine::TransformersJs, ..VLLM },
            Counterpart { engine: Engine::OnnxGenAi, ..VLLM },
            Counterpart { engine: Engine::OpenVino, ..VLLM },
            Counterpart { engine: Engine::CTranslate2, ..VLLM },
            MLX,
        ],
    };

    fn parse(text: Option<&str>) -> Result<Repetition, ChainError> {
        let values = Values::read(&Self::INFO, text, &["window", "scope"])?;
        let (window, scope) = (values.window_or(Window::ALL)?, values.scope_or(Scope::All)?);
        values.checked(Repetition::new(values.number()?, window, scope))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.theta)?;
        if self.window != Window::ALL {
            write!(f, ",window:{}", self.window)?;
        }
        if self.scope != Scope::All {
            write!(f, ",scope:{}", self.scope)?;
        }
        Ok(())
    }

    fn is_off(&self) -> bool {
        self.theta == 1.0
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        if self.theta == 1.0 {
            return Ok(());
        }
        let ids = context.distinct(self.window, self.scope);
        Context::check(&Self::INFO, candidates, ids.iter().copied())?;
        candidates.patch(ids.iter().copied(), |_, x| {
            Some(if x > 0.0 { x / self.theta } else { x * self.theta })
        });
        Ok(())
    }

    fn adapted(self, profile: Profile) -> Result<Repetition, ChainError> {
        Ok(Repetition { scope: profile.scope(self.scope), ..self })
    }

    fn fitted(self, profile: Profile) -> Result<(Repetition, Option<String>), ChainError> {
        Ok((Repetition { window: profile.window(self.window), ..self }, None))
    }
}
