//! Temperature: how much a difference of logits counts.

use std::{fmt, str::FromStr};

use super::{
    Context, Counterpart, Field, List, Number, Param, ParamKind, Range, Setting, Settings,
    StageInfo, StageKind, Traits, Value, Values,
};
use crate::{
    Engine, Profile,
    candidates::Candidates,
    error::{ChainError, SampleError},
};

/// `temp=T`: x → x/T, so that p_i = exp((x_i - max)/T) / Z(T).
///
/// T = 0 keeps only the likeliest token (greedy). Any other T is finite and positive. The logits
/// are not rescaled: the stage sets β = 1/T (f32, at most the largest finite one), and the order of
/// tokens stays that of the logits. Several temperatures in a chain are multiplied.
///
/// Source: Ackley, Hinton and Sejnowski 1985 (Boltzmann machines); arXiv 1503.02531 (softmax with
/// T).
///
/// ```
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "temp=2".parse()?;
/// let distribution = Distribution::new(&[1.0, 2.0], &chain)?;
/// assert_eq!(format!("{:.8}", distribution.top(1)[0].probability), "0.62245933");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Temp(f32);

impl Temp {
    /// T = 1, which changes nothing.
    pub const ONE: Temp = Temp(1.0);

    /// T = ∞: all survivors are equally likely. For views only; a chain that draws can't have it.
    pub(crate) const INFINITE: Temp = Temp(f32::INFINITY);

    /// The allowed temperatures, in words.
    pub const ALLOWED: &str = "0 (greedy), or a finite number from 1.4e-45 to 3.4e38";

    /// A temperature.
    ///
    /// # Errors
    /// If `t` is negative, infinite or NaN.
    pub fn new(t: f32) -> Result<Temp, ChainError> {
        if (0.0..=f32::MAX).contains(&t) {
            // Adding +0 turns -0 into +0, so that it prints as `0`.
            Ok(Temp(t + 0.0))
        } else {
            Err(Self::INFO.refuse(format!("{t}")))
        }
    }

    /// The f32 nearest to a temperature as people and JSON write it.
    ///
    /// # Errors
    /// Those of [`Temp::new`], and a positive number so small that its nearest f32 is 0: 1e-50
    /// isn't greedy, which 0 is.
    pub fn nearest(t: f64) -> Result<Temp, ChainError> {
        let nearest = t as f32;
        let is_there = nearest != 0.0 || t == 0.0;
        let temp = is_there.then(|| Temp::new(nearest).ok()).flatten();
        temp.ok_or_else(|| Self::INFO.refuse(format!("{t:?}").trim_end_matches(".0").to_string()))
    }

    /// T.
    pub fn get(self) -> f32 {
        self.0
    }
}

impl FromStr for Temp {
    type Err = ChainError;

    /// The f32 nearest to a number; see [`Temp::nearest`].
    fn from_str(text: &str) -> Result<Temp, ChainError> {
        match text.parse::<f64>() {
            Ok(t) => Temp::nearest(t),
            Err(_) => Err(Self::INFO.refuse(text)),
        }
    }
}

const LLAMA: Counterpart = Counterpart {
    place: 130,
    settings: &[Setting::new("temperature", Range::FROM_ZERO)
        .flag("--temp")
        .off(Number::Real(1.0))],
    list: List::Named("temperature"),
    ..Counterpart::of(Engine::LlamaCpp)
};

const ELSEWHERE: Counterpart = Counterpart {
    place: 60,
    settings: &[Setting::new("temperature", Range::FROM_ZERO).off(Number::Real(1.0))],
    ..Counterpart::of(Engine::TransformersJs)
};

impl StageKind for Temp {
    const INFO: StageInfo = StageInfo {
        name: "temp",
        allowed: Temp::ALLOWED,
        summary: "divides logits by T: below 1 sharper, above 1 flatter, 0 takes the likeliest",
        source: "Ackley, Hinton, Sejnowski 1985; arXiv 1503.02531",
        traits: Traits::TEMPERATURE,
        params: &[Param::other("T", ParamKind::Temperature, "1")],
        // The command line has `--temp` for lists of temperatures, by code of its own.
        flag: None,
        field: Some(Field::own("temperature")),
        counterparts: &[
            LLAMA,
            LLAMA.in_ollama(),
            Counterpart {
                place: 60,
                // Above 0 and below 0.01 it becomes 0.01: the profile's floor.
                settings: &[
                    Setting::new("temperature", Range::new(0.0, 2.0)).off(Number::Real(1.0))
                ],
                ..Counterpart::of(Engine::Vllm)
            },
            Counterpart {
                place: 50,
                // T = 0 is expressed by `do_sample`. Logits are divided in f32 and must stay
                // finite.
                settings: &[Setting::new("temperature", Range::new(1e-30, Range::F32))
                    .off(Number::Real(1.0))],
                ..Counterpart::of(Engine::Transformers)
            },
            Counterpart {
                place: 40,
                settings: &[
                    Setting::new("temperature", Range::new(0.0, 2.0)).off(Number::Real(1.0))
                ],
                ..Counterpart::of(Engine::OpenAi)
            },
            ELSEWHERE,
            Counterpart { engine: Engine::OnnxGenAi, place: 80, ..ELSEWHERE },
            Counterpart {
                // T = 0 is expressed by `do_sample`.
                settings: &[Setting::new("temperature", Range::above(0.0, Range::F32))
                    .off(Number::Real(1.0))],
                ..Counterpart { engine: Engine::OpenVino, ..ELSEWHERE }
            },
            Counterpart {
                settings: &[
                    Setting::new("sampling_temperature", Range::FROM_ZERO).off(Number::Real(1.0))
                ],
                ..Counterpart { engine: Engine::CTranslate2, ..ELSEWHERE }
            },
            Counterpart {
                place: 130,
                settings: &[Setting::new("temp", Range::FROM_ZERO).off(Number::Real(1.0))],
                ..Counterpart { engine: Engine::MlxLm, ..ELSEWHERE }
            },
        ],
    };

    fn parse(text: Option<&str>) -> Result<Temp, ChainError> {
        let values = Values::read(&Self::INFO, text, &[])?;
        values.checked(Temp::nearest(values.number()?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        _: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        if self.0 == 0.0 {
            candidates.freeze();
        } else {
            candidates.heat(f64::from(self.0));
        }
        Ok(())
    }

    fn adapted(self, profile: Profile) -> Result<Temp, ChainError> {
        Temp::new(profile.temperature(self.0))
    }

    fn fitted(self, profile: Profile) -> Result<(Temp, Option<String>), ChainError> {
        let real = profile.temperature(self.0);
        let changed = (real != self.0).then(|| format!("makes it {real}"));
        Ok((Temp::new(real)?, changed))
    }

    fn own_settings(&self, counterpart: &Counterpart) -> Option<Settings> {
        let by_name = matches!(counterpart.engine, Engine::Transformers | Engine::OpenVino);
        let greedy = by_name && self.0 == 0.0;
        greedy.then(|| Ok(vec![("do_sample", Value::Flag(false))]))
    }

    fn clamped(&self, range: Range) -> Option<Temp> {
        Temp::new(range.nearest(self.0.into())? as f32).ok()
    }
}
