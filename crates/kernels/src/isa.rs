//! Which instruction set the kernels use: chosen once, in one ladder, and then passed along as a proof.

use std::sync::OnceLock;

/// The environment variable that forces an instruction set by name: for tests, and for comparing sets.
pub const FORCED: &str = "KELVIN_ISA";

/// An instruction set this CPU has. A value of it can only be had by asking the CPU, so holding one
/// is the promise that makes calls into its folder sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isa(pub(crate) Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The specification itself: plain code for any CPU.
    pub const SCALAR: Isa = Isa(Set::Scalar);

    /// AVX2 with FMA and F16C, if this CPU has them.
    pub fn avx2() -> Option<Isa> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
        {
            return Some(Isa(Set::Avx2));
        }
        None
    }

    /// AVX-512 with its F, BW, VL, DQ and VNNI parts, if this CPU has them beside those of [`Isa::avx2`].
    pub fn avx512() -> Option<Isa> {
        #[cfg(target_arch = "x86_64")]
        if Isa::avx2().is_some()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vnni")
        {
            return Some(Isa(Set::Avx512));
        }
        None
    }

    /// Every instruction set of this CPU, slowest first.
    pub fn all() -> Vec<Isa> {
        [Some(Isa::SCALAR), Isa::avx2(), Isa::avx512()].into_iter().flatten().collect()
    }

    /// The set of this name.
    ///
    /// # Errors
    /// If there is none of this name, or this CPU doesn't have it.
    pub fn named(name: &str) -> Result<Isa, IsaError> {
        let set = match name {
            "scalar" => Some(Isa::SCALAR),
            "avx2" => Isa::avx2(),
            "avx512" => Isa::avx512(),
            _ => return Err(IsaError::Unknown { name: name.to_string() }),
        };
        set.ok_or_else(|| IsaError::Missing { name: name.to_string() })
    }

    /// The set that [`FORCED`] asks for, if it is set.
    ///
    /// # Errors
    /// As [`Isa::named`].
    pub fn forced() -> Result<Option<Isa>, IsaError> {
        match std::env::var(FORCED) {
            Ok(name) if !name.is_empty() => Isa::named(&name).map(Some),
            _ => Ok(None),
        }
    }

    /// The fastest instruction set of this CPU, unless [`FORCED`] asks for another one.
    ///
    /// # Panics
    /// If it asks for one that can't be had: a program should look at [`Isa::forced`] first.
    pub fn best() -> Isa {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| match Isa::forced() {
            Ok(forced) => forced.or_else(Isa::avx512).or_else(Isa::avx2).unwrap_or(Isa::SCALAR),
            Err(error) => panic!("the environment variable {FORCED}: {error}"),
        })
    }

    /// The name people type: `scalar`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
        }
    }
}

/// Why an instruction set can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IsaError {
    /// Nothing has this name.
    #[error("{name:?} is no instruction set; there are scalar, avx2 and avx512")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// Another CPU might have it.
    #[error(
        "this CPU doesn't have all of {name}: avx2 needs AVX2, FMA and F16C, avx512 also AVX-512 F, BW, VL, DQ and VNNI"
    )]
    Missing {
        /// What was asked for.
        name: String,
    },
}

/// Calls the function of the same path in the folder of the instruction set that `$isa` proves.
macro_rules! dispatch {
    ($isa:expr, $($path:ident)::+ ( $($arg:expr),* $(,)? )) => {
        match $isa.0 {
            $crate::isa::Set::Scalar => $crate::scalar::$($path)::+($($arg),*),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a value of `Isa` with this set exists only if the CPU was asked and has AVX2, FMA and F16C.
            $crate::isa::Set::Avx2 => unsafe { $crate::avx2::$($path)::+($($arg),*) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: likewise with AVX-512 F, BW, VL, DQ and VNNI as well.
            $crate::isa::Set::Avx512 => unsafe { $crate::avx512::$($path)::+($($arg),*) },
        }
    };
}
pub(crate) use dispatch;
