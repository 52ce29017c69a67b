//! Quadratic (and cubic) smoothing of logits.

use std::fmt;

use super::{Context, Param, StageInfo, StageKind, Values};
use crate::{
    candidates::Candidates,
    error::{ChainError, SampleError},
};

/// `quadratic=f,curve:c`: x' = -(f(3-c)/2)·d² + (f(c-1)/2)·d³ + max with d = x - max. f = 0 turns
/// the stage off.
///
/// d is (x - max)·β, so an earlier temperature counts; it is at least the lowest f32. The result is
/// computed in f64 and clamped to finite f32. With c of 3 and above the curve may rise, and then
/// the order of tokens changes.
///
/// Source: text-generation-webui.
///
/// ```
/// use kelvin_sampling::{Chain, Distribution};
///
/// // One below the largest becomes 0.5 below it, two below becomes 2 below.
/// let chain: Chain = "quadratic=0.5".parse()?;
/// let p = Distribution::new(&[3.0, 2.0, 1.0], &chain)?;
/// assert!((p.top(3)[2].probability / p.top(3)[0].probability - (-2f64).exp()).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quadratic {
    factor: f64,
    curve: f64,
}

impl Quadratic {
    /// The default of c.
    pub const CURVE: f64 = 1.0;

    /// A stage with this f and c.
    ///
    /// # Errors
    /// Unless f >= 0 and c >= 1, both finite.
    pub fn new(factor: f64, curve: f64) -> Result<Quadratic, ChainError> {
        let in_range = factor >= 0.0 && curve >= 1.0 && factor.is_finite() && curve.is_finite();
        Self::INFO.require(in_range, format_args!("{factor},curve:{curve}"))?;
        Ok(Quadratic { factor: factor + 0.0, curve })
    }

    /// f.
    pub fn factor(self) -> f64 {
        self.factor
    }

    /// c.
    pub fn curve(self) -> f64 {
        self.curve
    }

    /// x' - max for a logit `d` above the largest (d <= 0, finite); finite.
    pub fn bend(self, d: f32) -> f32 {
        let (d, f, c) = (f64::from(d), self.factor, self.curve);
        let square = -(f * (3.0 - c) / 2.0) * (d * d);
        let cube = (f * (c - 1.0) / 2.0) * (d * d * d);
        // +0.0: the largest becomes 0 rather than -0.
        ((square + cube) as f32).clamp(f32::MIN, f32::MAX) + 0.0
    }
}

impl StageKind for Quadratic {
    const INFO: StageInfo = StageInfo {
        name: "quadratic",
        allowed: "f from 0 (off) up, curve:c from 1 up (default 1)",
        summary: "bends logits down with the square (and cube) of their distance from the largest",
        source: "text-generation-webui",
        params: &[
            Param::number("f", "0.2", [0.0, 2.0, 0.05]),
            Param::number("curve", "1", [1.0, 5.0, 0.1]).named("curve"),
        ],
        ..StageInfo::BLANK
    };

    fn parse(text: Option<&str>) -> Result<Quadratic, ChainError> {
        let values = Values::read(&Self::INFO, text, &["curve"])?;
        let curve = values.number_or("curve", Quadratic::CURVE)?;
        values.checked(Quadratic::new(values.number()?, curve))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.factor)?;
        if self.curve != Quadratic::CURVE {
            write!(f, ",curve:{}", self.curve)?;
        }
        Ok(())
    }

    fn is_off(&self) -> bool {
        self.factor == 0.0
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        _: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        if self.factor > 0.0 {
            candidates.rewrite(|d, _| self.bend(d));
        }
        Ok(())
    }
}
