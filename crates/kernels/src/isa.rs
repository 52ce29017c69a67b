//! Which instruction set the kernels use: chosen once, in one ladder, and then passed along as a proof.

/// An instruction set this CPU has. A value of it can only be had by asking the CPU, so holding one
/// is the promise that makes calls into its folder sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isa(pub(crate) Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
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

    /// Every instruction set of this CPU, slowest first.
    pub fn all() -> Vec<Isa> {
        [Some(Isa::SCALAR), Isa::avx2()].into_iter().flatten().collect()
    }

    /// The fastest instruction set of this CPU.
    pub fn best() -> Isa {
        Isa::avx2().unwrap_or(Isa::SCALAR)
    }

    /// The name people type: `scalar` or `avx2`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
        }
    }
}

/// Calls the function of the same path in the folder of the instruction set that `$isa` proves.
macro_rules! dispatch {
    ($isa:expr, $($path:ident)::+ ( $($arg:expr),* $(,)? )) => {
        match $isa.0 {
            $crate::isa::Set::Scalar => $crate::scalar::$($path)::+($($arg),*),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a value of `Isa` with this set exists only if the CPU was asked and has AVX2, FMA and F16C.
            $crate::isa::Set::Avx2 => unsafe { $crate::avx2::$($path)::+($($arg),*) },
        }
    };
}
pub(crate) use dispatch;
