//! Dynamic temperature: hotter where the model is unsure.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values};

/// `dynatemp=lo..hi,exponent:e`: divides logits by T = lo + (hi - lo)·(H / ln n)^e, H the entropy
/// and n the number of tokens that are left; T = lo if n = 1, and T = 0 is greedy.
///
/// Source: llama.cpp; text-generation-webui.
///
/// ```
/// use kelvin_sampling::{Chain, Distribution};
///
/// // All alike: the entropy is ln n, and the temperature is hi.
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
    /// e where none is given.
    pub const EXPONENT: f64 = 1.0;

    /// Accepts 0 <= lo <= hi and e >= 0, all finite (temperatures in the range of f32).
    pub fn new(lo: f64, hi: f64, exponent: f64) -> Result<DynaTemp, ChainError> {
        let in_range = 0.0 <= lo && lo <= hi && hi <= f64::from(f32::MAX) && exponent >= 0.0 && exponent.is_finite();
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

impl Control for DynaTemp {
    const INFO: StageInfo = StageInfo {
        name: "dynatemp",
        allowed: "lo..hi, two temperatures from 0 up (lo at most hi), exponent:e from 0 up (default 1)",
        summary: "a temperature between lo and hi that rises with the entropy",
        source: "llama.cpp; text-generation-webui",
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

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        let n = candidates.n();
        match self.temperature(candidates.mass().entropy(), n) {
            0.0 => candidates.freeze(),
            t => candidates.heat(t),
        }
        Ok(())
    }
}
