//! Dynamic temperature: higher where the model is unsure.

use std::fmt;

use super::{
    Context, Counterpart, List, Param, ParamKind, Range, Setting, Settings, StageInfo, StageKind,
    Traits, Value, Values,
};
use crate::{
    Engine,
    candidates::Candidates,
    error::{ChainError, SampleError},
};

/// `dynatemp=lo..hi,exponent:e`: divides logits by T = lo + (hi - lo)·(H / ln n)^e.
///
/// H is the entropy and n the number of tokens that are left. T = lo if n = 1. T = 0 is greedy.
///
/// Source: llama.cpp; text-generation-webui.
///
/// ```
/// use kelvin_sampling::{Chain, Distribution};
///
/// // Equal logits: the entropy is ln n, and the temperature is hi.
/// let chain: Chain = "dynatemp=0.5..1.5".parse()?;
/// assert!((Distribution::new(&[1.0, 1.0], &chain)?.temperature() - 1.5).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DynaTemp {
    lo: f64,
    hi: f64,
    exponent: f64,
}

impl DynaTemp {
    /// The default of e.
    pub const EXPONENT: f64 = 1.0;

    /// A stage with these temperatures and this exponent.
    ///
    /// # Errors
    /// Unless 0 <= lo <= hi and e >= 0, all finite and temperatures in the range of f32.
    pub fn new(lo: f64, hi: f64, exponent: f64) -> Result<DynaTemp, ChainError> {
        let in_order = 0.0 <= lo && lo <= hi && hi <= f64::from(f32::MAX);
        let in_range = in_order && exponent >= 0.0 && exponent.is_finite();
        Self::INFO.require(in_range, format_args!("{lo}..{hi},exponent:{exponent}"))?;
        Ok(DynaTemp { lo: lo + 0.0, hi: hi + 0.0, exponent: exponent + 0.0 })
    }

    /// lo and hi.
    pub fn range(self) -> (f64, f64) {
        (self.lo, self.hi)
    }

    /// e.
    pub fn exponent(self) -> f64 {
        self.exponent
    }

    /// The temperature at entropy `h` in nats over `n` tokens.
    pub fn temperature(self, h: f64, n: usize) -> f64 {
        if n == 1 {
            return self.lo;
        }
        let share = (h / libm::log(n as f64)).clamp(0.0, 1.0);
        self.lo + (self.hi - self.lo) * libm::pow(share, self.exponent)
    }
}

const LLAMA: Counterpart = Counterpart {
    place: 140,
    settings: &[
        Setting::new("temperature", Range::FROM_ZERO).flag("--temp"),
        Setting::new("dynatemp_range", Range::FROM_ZERO).flag("--dynatemp-range"),
        Setting::new("dynatemp_exponent", Range::FROM_ZERO).flag("--dynatemp-exp"),
    ],
    list: List::Named("temperature"),
    ..Counterpart::of(Engine::LlamaCpp)
};

impl StageKind for DynaTemp {
    const INFO: StageInfo = StageInfo {
        name: "dynatemp",
        allowed: "lo..hi, two temperatures from 0 up (lo at most hi), exponent:e from 0 \
                  up (default 1)",
        summary: "a temperature between lo and hi that rises with the entropy",
        source: "llama.cpp; text-generation-webui",
        traits: Traits::TEMPERATURE,
        params: &[
            Param::other("from T to T", ParamKind::Range, "0.5..1.5"),
            Param::number("exponent", "1", [0.0, 4.0, 0.1]).named("exponent"),
        ],
        counterparts: &[LLAMA, LLAMA.in_ollama().without_settings()],
        ..StageInfo::BLANK
    };

    fn parse(text: Option<&str>) -> Result<DynaTemp, ChainError> {
        let values = Values::read(&Self::INFO, text, &["exponent"])?;
        let (lo, hi) = values.first()?.split_once("..").ok_or_else(|| values.refuse())?;
        let exponent = values.number_or("exponent", DynaTemp::EXPONENT)?;
        values.checked(DynaTemp::new(values.parse(lo)?, values.parse(hi)?, exponent))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}..{}", self.lo, self.hi)?;
        if self.exponent != DynaTemp::EXPONENT {
            write!(f, ",exponent:{}", self.exponent)?;
        }
        Ok(())
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        _: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        let n = candidates.n();
        match self.temperature(candidates.mass().entropy(), n) {
            0.0 => candidates.freeze(),
            t => candidates.heat(t),
        }
        Ok(())
    }

    fn own_settings(&self, counterpart: &Counterpart) -> Option<Settings> {
        // A middle and a width there, two ends here.
        let [middle, half, exponent] = counterpart.settings else { return None };
        Some(Ok(vec![
            (middle.name, Value::Real((self.lo + self.hi) / 2.0)),
            (half.name, Value::Real((self.hi - self.lo) / 2.0)),
            (exponent.name, Value::Real(self.exponent)),
        ]))
    }
}
