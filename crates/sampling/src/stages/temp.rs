//! Temperature: how much a difference of logits counts.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{candidates::Candidates, error::{ChainError, SampleError}, notation::Values};

/// `temp=T`: x → x/T, so that p_i = exp((x_i - m)/T) / Z(T).
///
/// T = 0 keeps only the likeliest token (greedy). Any other T is finite and positive. The logits
/// aren't rescaled: the stage sets β = 1/T (f32, at most the largest finite one), and the order of
/// tokens stays that of the logits. Several such stages multiply their temperatures.
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

    /// T = ∞: all survivors alike; for views, a chain that draws can't have it.
    pub(crate) const INFINITE: Temp = Temp(f32::INFINITY);

    /// Which temperatures there are, in words.
    pub const ALLOWED: &str = "0 (greedy), or a finite number from 1.4e-45 to 3.4e38";

    /// Accepts 0 and every positive finite temperature.
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
    /// As [`Temp::new`], and for what is positive but so small that f32 has only 0 for it: 1e-50
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

impl Control for Temp {
    const INFO: StageInfo = StageInfo {
        name: "temp",
        allowed: Temp::ALLOWED,
        summary: "divides logits by T: below 1 sharper, above 1 flatter, 0 takes the likeliest",
        source: "Ackley, Hinton, Sejnowski 1985; arXiv 1503.02531",
    };

    fn parse(text: Option<&str>) -> Result<Temp, ChainError> {
        let values = Values::read(&Self::INFO, text, &[])?;
        values.checked(Temp::nearest(values.number()?))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        if self.0 == 0.0 {
            candidates.freeze();
        } else {
            candidates.heat(f64::from(self.0));
        }
        Ok(())
    }
}
