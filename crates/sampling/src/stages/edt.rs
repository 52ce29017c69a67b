//! Entropy-based dynamic temperature.

use std::fmt;

use super::{Context, Param, StageInfo, StageKind, Traits, Values};
use crate::{
    candidates::Candidates,
    error::{ChainError, SampleError},
};

/// `edt=T0,theta:θ`: divides logits by T = T0·0.8^(θ/H), H the entropy in nats. H = 0 is greedy.
///
/// Source: arXiv 2403.14541.
///
/// ```
/// use kelvin_sampling::{Chain, Distribution};
///
/// let chain: Chain = "edt=1,theta:0.5".parse()?;
/// let t = Distribution::new(&[1.0, 1.0], &chain)?.temperature();
/// assert!((t - 0.8f64.powf(0.5 / 2f64.ln())).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edt {
    t0: f64,
    theta: f64,
}

impl Edt {
    /// The default of θ.
    pub const THETA: f64 = 0.1;

    /// A stage with this T0 and θ.
    ///
    /// # Errors
    /// Unless T0 > 0 and θ >= 0, both finite and T0 in the range of f32.
    pub fn new(t0: f64, theta: f64) -> Result<Edt, ChainError> {
        let in_range = t0 > 0.0 && theta >= 0.0 && t0 <= f64::from(f32::MAX) && theta.is_finite();
        Self::INFO.require(in_range, format_args!("{t0},theta:{theta}"))?;
        Ok(Edt { t0, theta: theta + 0.0 })
    }

    /// T0.
    pub fn t0(self) -> f64 {
        self.t0
    }

    /// θ.
    pub fn theta(self) -> f64 {
        self.theta
    }

    /// The temperature at entropy `h` in nats; 0 is greedy.
    pub fn temperature(self, h: f64) -> f64 {
        if self.theta == 0.0 {
            return self.t0;
        }
        if h <= 0.0 { 0.0 } else { self.t0 * libm::pow(0.8, self.theta / h) }
    }
}

impl StageKind for Edt {
    const INFO: StageInfo = StageInfo {
        name: "edt",
        allowed: "T0 above 0, theta:θ from 0 up (default 0.1)",
        summary: "a temperature that falls as the distribution becomes surer: T0·0.8^(θ/H)",
        source: "arXiv 2403.14541",
        traits: Traits::TEMPERATURE,
        params: &[
            Param::number("T0", "1", [0.05, 4.0, 0.05]),
            Param::number("θ", "0.1", [0.0, 2.0, 0.05]).named("theta"),
        ],
        ..StageInfo::BLANK
    };

    fn parse(text: Option<&str>) -> Result<Edt, ChainError> {
        let values = Values::read(&Self::INFO, text, &["theta"])?;
        values.checked(Edt::new(values.number()?, values.number_or("theta", Edt::THETA)?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.t0)?;
        if self.theta != Edt::THETA {
            write!(f, ",theta:{}", self.theta)?;
        }
        Ok(())
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        _: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        match self.temperature(candidates.mass().entropy()) {
            0.0 => candidates.freeze(),
            t => candidates.heat(t),
        }
        Ok(())
    }
}
