//! Penalties that are subtracted: one for each time a token occurred, one for having occurred.

use std::fmt;

use super::{
    Context, Counterpart, Field, Fixed, Flag, List, Param, ParamKind, Range, Setting, StageInfo,
    StageKind, Traits, Values,
};
use crate::{
    Engine, Profile,
    candidates::Candidates,
    error::{ChainError, SampleError},
    state::{Scope, Window},
};

/// `frequency=α,window:n,scope:s`: x_i -= α·count_i over the last n tokens. α = 0 turns the stage
/// off.
///
/// By default the window is of all tokens and the scope is `output`.
///
/// Source: OpenAI API, `frequency_penalty`.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler, TokenId};
///
/// let chain: Chain = "frequency=0.6 | temp=0".parse()?;
/// let mut sampler = Sampler::new(chain, Dice::default());
/// let drawn = [0, 1, 2].map(|pos| sampler.sample(&[2.0, 1.0], pos));
/// assert_eq!(drawn, [Ok(TokenId(0)), Ok(TokenId(0)), Ok(TokenId(1))]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frequency(Penalty);

/// `presence=α,window:n,scope:s`: x_i -= α for each distinct token among the last n. α = 0 turns
/// the stage off.
///
/// By default the window is of all tokens and the scope is `output`.
///
/// Source: OpenAI API, `presence_penalty`.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler, TokenId};
///
/// let chain: Chain = "presence=1.5 | temp=0".parse()?;
/// let mut sampler = Sampler::new(chain, Dice::default());
/// let drawn = [0, 1, 2].map(|pos| sampler.sample(&[2.0, 1.0], pos));
/// assert_eq!(drawn, [Ok(TokenId(0)), Ok(TokenId(1)), Ok(TokenId(0))]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Presence(Penalty);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Penalty {
    alpha: f32,
    window: Window,
    scope: Scope,
}

impl Penalty {
    fn new(
        info: &StageInfo,
        alpha: f32,
        window: Window,
        scope: Scope,
    ) -> Result<Penalty, ChainError> {
        info.require(alpha.is_finite(), alpha)?;
        Ok(Penalty { alpha: alpha + 0.0, window, scope })
    }

    fn parse(info: &'static StageInfo, text: Option<&str>) -> Result<Penalty, ChainError> {
        let values = Values::read(info, text, &["window", "scope"])?;
        let (window, scope) = (values.window_or(Window::ALL)?, values.scope_or(Scope::Output)?);
        values.checked(Penalty::new(info, values.number()?, window, scope))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.alpha)?;
        if self.window != Window::ALL {
            write!(f, ",window:{}", self.window)?;
        }
        if self.scope != Scope::Output {
            write!(f, ",scope:{}", self.scope)?;
        }
        Ok(())
    }

    /// Subtracts what `penalty` makes of α and a token's count.
    fn apply(
        &self,
        info: &StageInfo,
        candidates: &mut Candidates<'_>,
        context: &mut Context<'_>,
        penalty: fn(f32, u32) -> f32,
    ) -> Result<(), SampleError> {
        if self.alpha == 0.0 {
            return Ok(());
        }
        let (ids, counts) = context.count_each(self.window, self.scope);
        Context::check(info, candidates, ids.iter().copied())?;
        let mut places = ids.iter().zip(counts);
        candidates.patch(ids.iter().copied(), |id, x| {
            let count = places.find(|(place, _)| **place == id).map_or(0, |(_, &count)| count);
            Some(x - penalty(self.alpha, count))
        });
        Ok(())
    }
}

/// What is true of both in other engines. `places` are those of llama.cpp, vLLM, OpenAI, and of
/// OpenVINO and MLX.
const fn row(setting: &'static [[Setting; 2]; 3], places: [u8; 4]) -> [Counterpart; 6] {
    const LLAMA_STYLE: &[Fixed] =
        &[Fixed { key: "scope", value: "prompt+output", why: "counts the prompt as well" }];
    const OPENAI_STYLE: &[Fixed] = &[
        Fixed { key: "scope", value: "output", why: OUTPUT_ONLY },
        Fixed { key: "window", value: "-1", why: OUTPUT_ONLY },
    ];
    const OUTPUT_ONLY: &str = "counts the whole output and nothing else";
    let llama = Counterpart {
        place: places[0],
        defaults: &["window:64", "scope:prompt+output"],
        settings: &setting[0],
        fixed: LLAMA_STYLE,
        list: List::Named("penalties"),
        ..Counterpart::of(Engine::LlamaCpp)
    };
    let (alone, _) = setting[1].split_at(1);
    let openai = Counterpart { settings: alone, fixed: OPENAI_STYLE, ..llama };
    let openai = Counterpart { defaults: &[], list: List::Before, ..openai };
    [
        llama,
        llama.in_ollama(),
        Counterpart { engine: Engine::Vllm, place: places[1], ..openai },
        Counterpart { engine: Engine::OpenAi, place: places[2], ..openai },
        Counterpart {
            engine: Engine::OpenVino,
            place: places[3],
            remark: "adds it where a logit is negative, which makes repetition likelier there",
            ..openai
        },
        Counterpart {
            engine: Engine::MlxLm,
            place: places[3],
            defaults: &["window:20", "scope:prompt+output"],
            settings: &setting[2],
            list: List::Before,
            ..llama
        },
    ]
}

/// A penalty's setting in llama.cpp with its flag and its window, in OpenAI's API, and in MLX.
const fn settings(
    name: &'static str,
    flag: &'static str,
    mlx_window: &'static str,
) -> [[Setting; 2]; 3] {
    let any = Range::new(-Range::F32, Range::F32);
    let window =
        Setting::new("repeat_last_n", Range::COUNT).key("window").whole().flag("--repeat-last-n");
    let within_two = Setting::new(name, Range::new(-2.0, 2.0));
    // A window of 0 is of all tokens there.
    let mlx_window = Setting::new(mlx_window, Range::new(1.0, Range::I32)).key("window").whole();
    [
        [Setting::new(name, any).flag(flag), window],
        [within_two, window],
        [Setting::new(name, any), mlx_window],
    ]
}

const FREQUENCY: [[Setting; 2]; 3] =
    settings("frequency_penalty", "--frequency-penalty", "frequency_context_size");
const PRESENCE: [[Setting; 2]; 3] =
    settings("presence_penalty", "--presence-penalty", "presence_context_size");

const fn params(label: &'static str) -> [Param; 3] {
    [
        Param::number(label, "0.5", [-2.0, 2.0, 0.05]),
        Param::WINDOW,
        Param::other("counts", ParamKind::Scope, "output").named("scope"),
    ]
}

const ALLOWED: &str =
    "a finite number (0 is off), window:n (-1 all, 0 off), scope:prompt+output or output";
const TRAITS: Traits = Traits { adds: true, ..Traits::PENALTY };

macro_rules! penalty {
    ($kind:ident, $info:expr, $penalty:expr) => {
        impl $kind {
            /// A penalty of α; a negative one encourages.
            ///
            /// # Errors
            /// If α is infinite or NaN.
            pub fn new(alpha: f32, window: Window, scope: Scope) -> Result<$kind, ChainError> {
                Penalty::new(&Self::INFO, alpha, window, scope).map($kind)
            }

            /// α.
            pub fn alpha(self) -> f32 {
                self.0.alpha
            }

            /// How many of the last tokens count.
            pub fn window(self) -> Window {
                self.0.window
            }

            /// Which tokens count.
            pub fn scope(self) -> Scope {
                self.0.scope
            }
        }

        impl StageKind for $kind {
            const INFO: StageInfo = $info;

            fn parse(text: Option<&str>) -> Result<$kind, ChainError> {
                Penalty::parse(&<$kind as StageKind>::INFO, text).map($kind)
            }

            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write(f)
            }

            fn is_off(&self) -> bool {
                self.0.alpha == 0.0
            }

            fn apply(
                &self,
                candidates: &mut Candidates<'_>,
                context: &mut Context<'_>,
            ) -> Result<(), SampleError> {
                self.0.apply(&Self::INFO, candidates, context, $penalty)
            }

            fn adapted(self, profile: Profile) -> Result<$kind, ChainError> {
                Ok($kind(Penalty { scope: profile.scope(self.0.scope), ..self.0 }))
            }

            fn fitted(self, profile: Profile) -> Result<($kind, Option<String>), ChainError> {
                let window = profile.window(self.0.window);
                Ok(($kind(Penalty { window, ..self.0 }), None))
            }

            fn clamped(&self, range: Range) -> Option<$kind> {
                let nearest = range.nearest(self.0.alpha.into())? as f32;
                $kind::new(nearest, self.0.window, self.0.scope).ok()
            }
        }
    };
}

penalty!(
    Frequency,
    StageInfo {
        name: "frequency",
        allowed: ALLOWED,
        summary: "subtracts α from a logit for each time the token came before",
        source: "OpenAI API, frequency_penalty",
        traits: TRAITS,
        params: &const { params("each time") },
        flag: Some(Flag::new(
            "frequency-penalty",
            "X",
            "Subtract X from a logit for each time the token was drawn before",
        )),
        field: Some(Field::number("frequency_penalty", Range::ANY)),
        counterparts: &const { row(&FREQUENCY, [40, 40, 20, 50]) },
    },
    |alpha, count| alpha * count as f32
);
penalty!(
    Presence,
    StageInfo {
        name: "presence",
        allowed: ALLOWED,
        summary: "subtracts α from the logits of tokens that came before",
        source: "OpenAI API, presence_penalty",
        traits: TRAITS,
        params: &const { params("once") },
        flag: Some(Flag::new(
            "presence-penalty",
            "X",
            "Subtract X from the logits of tokens that were drawn before",
        )),
        field: Some(Field::number("presence_penalty", Range::ANY)),
        counterparts: &const { row(&PRESENCE, [50, 50, 30, 40]) },
    },
    |alpha, _| alpha
);
