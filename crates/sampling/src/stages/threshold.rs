//! A truncation with one number: the type, its checks, its notation and its row, from the few lines
//! in which such stages differ.

use super::counterpart::Range;

/// The numbers that a threshold takes, and the one that turns it off.
pub(crate) struct Threshold {
    /// The numbers that are allowed.
    pub(crate) range: Range,
    /// The number at which the stage does nothing.
    pub(crate) off: f64,
    /// The range in words.
    pub(crate) allowed: &'static str,
}

impl Threshold {
    /// From 0 (off) up.
    pub(crate) const FROM_ZERO: Threshold = Threshold {
        range: Range::new(0.0, f64::MAX),
        off: 0.0,
        allowed: "a number from 0 (off) up",
    };
    /// From 0 (off) to 1.
    pub(crate) const ZERO_TO_ONE: Threshold =
        Threshold { range: Range::SHARE, off: 0.0, allowed: "a number from 0 (off) to 1" };
    /// Above 0 and at most 1 (off).
    pub(crate) const UP_TO_ONE: Threshold = Threshold {
        range: Range::POSITIVE_SHARE,
        off: 1.0,
        allowed: "a number above 0 and at most 1 (1 is off)",
    };
}

/// Makes a truncation from its documentation, its name, its [`Threshold`], the symbol of its
/// number, its row (without `allowed` and `traits`), and what it does to the candidates when it
/// isn't off.
macro_rules! threshold {
    (
        $(#[$doc:meta])*
        $kind:ident($symbol:literal, $threshold:expr),
        $info:expr,
        |$this:ident, $candidates:ident| $keep:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $kind(f64);

        impl $kind {
            #[doc = concat!("A stage with this ", $symbol, ".")]
            ///
            /// # Errors
            /// If the number is outside the range above, or NaN.
            pub fn new(value: f64) -> Result<$kind, $crate::ChainError> {
                <$kind as $crate::stages::StageKind>::INFO
                    .require($threshold.range.has(value), value)?;
                // Adding +0 turns -0 into +0, so that it prints as `0`.
                Ok($kind(value + 0.0))
            }

            #[doc = concat!($symbol, ".")]
            pub fn get(self) -> f64 {
                self.0
            }
        }

        impl $crate::stages::StageKind for $kind {
            const INFO: $crate::StageInfo = {
                let info: $crate::StageInfo = $info;
                let mut traits = info.traits;
                traits.truncates = true;
                $crate::StageInfo { allowed: $threshold.allowed, traits, ..info }
            };

            fn parse(text: Option<&str>) -> Result<$kind, $crate::ChainError> {
                let values = $crate::stages::Values::read(&Self::INFO, text, &[])?;
                values.checked($kind::new(values.number()?))
            }

            fn write(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "={}", self.0)
            }

            fn is_off(&self) -> bool {
                self.0 == $threshold.off
            }

            fn apply(
                &self,
                $candidates: &mut $crate::candidates::Candidates<'_>,
                _: &mut $crate::stages::Context<'_>,
            ) -> Result<(), $crate::SampleError> {
                let $this = *self;
                if !self.is_off() {
                    $keep;
                }
                Ok(())
            }
        }
    };
}

pub(crate) use threshold;
