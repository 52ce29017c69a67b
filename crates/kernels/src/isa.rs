//! Runtime selection of the instruction set: chosen once, then passed along as proof that the CPU
//! has it.

use std::sync::OnceLock;

/// Environment variable that forces an instruction set by name, for tests and comparisons.
pub const FORCED: &str = "KELVIN_ISA";

/// An instruction set that this CPU has. The constructors check the CPU, so holding a value is the
/// promise that makes calls of that set's kernels sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isa(pub(crate) Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "aarch64")]
    NeonDot,
    #[cfg(target_arch = "aarch64")]
    NeonI8mm,
    #[cfg(target_arch = "wasm32")]
    Simd128,
}

impl Isa {
    /// The scalar specification: plain code for any CPU.
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

    /// AVX-512 F, BW, VL, DQ and VNNI, if this CPU has them and everything of [`Isa::avx2`].
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

    /// NEON, which every aarch64 CPU has.
    pub fn neon() -> Option<Isa> {
        #[cfg(target_arch = "aarch64")]
        return Some(Isa(Set::Neon));
        #[cfg(not(target_arch = "aarch64"))]
        None
    }

    /// NEON with the dot products of dotprod, if this CPU has them.
    pub fn neon_dot() -> Option<Isa> {
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("dotprod") {
            return Some(Isa(Set::NeonDot));
        }
        None
    }

    /// NEON with the matrix products of i8mm, if this CPU has them and dotprod.
    pub fn neon_i8mm() -> Option<Isa> {
        #[cfg(target_arch = "aarch64")]
        if Isa::neon_dot().is_some() && std::arch::is_aarch64_feature_detected!("i8mm") {
            return Some(Isa(Set::NeonI8mm));
        }
        None
    }

    /// WebAssembly's 128-bit vectors: a module that runs has them. A module with relaxed SIMD needs
    /// a machine that fuses multiply-adds besides.
    pub fn simd128() -> Option<Isa> {
        #[cfg(target_arch = "wasm32")]
        if crate::simd128::fma::is_fused() {
            return Some(Isa(Set::Simd128));
        }
        None
    }

    /// Every instruction set of this CPU, slowest first.
    pub fn all() -> Vec<Isa> {
        let of_x86 = [Isa::avx2(), Isa::avx512()];
        let of_arm = [Isa::neon(), Isa::neon_dot(), Isa::neon_i8mm()];
        let vectors = of_x86.into_iter().chain(of_arm).chain([Isa::simd128()]).flatten();
        std::iter::once(Isa::SCALAR).chain(vectors).collect()
    }

    /// The instruction set of this name: `scalar`, `avx2`, `avx512`, `neon`, `neon_dot`,
    /// `neon_i8mm` or `simd128`.
    ///
    /// # Errors
    /// If the name is unknown, or this CPU doesn't have the set.
    pub fn named(name: &str) -> Result<Isa, IsaError> {
        let set = match name {
            "scalar" => Some(Isa::SCALAR),
            "avx2" => Isa::avx2(),
            "avx512" => Isa::avx512(),
            "neon" => Isa::neon(),
            "neon_dot" => Isa::neon_dot(),
            "neon_i8mm" => Isa::neon_i8mm(),
            "simd128" => Isa::simd128(),
            _ => return Err(IsaError::Unknown { name: name.to_string() }),
        };
        set.ok_or_else(|| IsaError::Missing { name: name.to_string() })
    }

    /// The instruction set named by the environment variable [`FORCED`], if it is set and not
    /// empty.
    ///
    /// # Errors
    /// As [`Isa::named`].
    pub fn forced() -> Result<Option<Isa>, IsaError> {
        match std::env::var(FORCED) {
            Ok(name) if !name.is_empty() => Isa::named(&name).map(Some),
            _ => Ok(None),
        }
    }

    /// The fastest instruction set of this CPU, or the one named by [`FORCED`].
    ///
    /// # Panics
    /// If [`FORCED`] names a set that is unknown or missing; check [`Isa::forced`] first.
    pub fn best() -> Isa {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| match Isa::forced() {
            Ok(Some(forced)) => forced,
            Ok(None) => Isa::all().pop().unwrap_or(Isa::SCALAR),
            Err(error) => panic!("the environment variable {FORCED}: {error}"),
        })
    }

    /// The name people type, which [`Isa::named`] takes.
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Set::Neon => "neon",
            #[cfg(target_arch = "aarch64")]
            Set::NeonDot => "neon_dot",
            #[cfg(target_arch = "aarch64")]
            Set::NeonI8mm => "neon_i8mm",
            #[cfg(target_arch = "wasm32")]
            Set::Simd128 => "simd128",
        }
    }
}

/// Why an instruction set can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IsaError {
    /// No instruction set has this name.
    #[error(
        "{name:?} is no instruction set; there are scalar, avx2, avx512, neon, neon_dot, \
         neon_i8mm and simd128"
    )]
    Unknown {
        /// The requested name.
        name: String,
    },
    /// This CPU lacks the instruction set.
    #[error(
        "this CPU doesn't have all of {name}: avx2 needs AVX2, FMA and F16C, avx512 also AVX-512 \
         F, BW, VL, DQ and VNNI, neon an aarch64 CPU, neon_dot also dotprod, \
         neon_i8mm also i8mm, simd128 WebAssembly"
    )]
    Missing {
        /// The requested name.
        name: String,
    },
}

/// Calls `$path` in the module of the instruction set that `$isa` proves.
macro_rules! dispatch {
    ($isa:expr, $($path:ident)::+ ( $($arg:expr),* $(,)? )) => {
        match $isa.0 {
            $crate::isa::Set::Scalar => $crate::scalar::$($path)::+($($arg),*),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` with this set exists only if the CPU has AVX2, FMA and F16C.
            $crate::isa::Set::Avx2 => unsafe { $crate::avx2::$($path)::+($($arg),*) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: an `Isa` with this set exists only if the CPU also has AVX-512 F, BW, VL, DQ
            // and VNNI.
            $crate::isa::Set::Avx512 => unsafe { $crate::avx512::$($path)::+($($arg),*) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: an `Isa` with this set exists only on aarch64, which has NEON.
            $crate::isa::Set::Neon => unsafe { $crate::neon::$($path)::+($($arg),*) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: an `Isa` with this set exists only if the CPU has dotprod.
            $crate::isa::Set::NeonDot => unsafe { $crate::neon_dot::$($path)::+($($arg),*) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: an `Isa` with this set exists only if the CPU has dotprod and i8mm.
            $crate::isa::Set::NeonI8mm => unsafe { $crate::neon_i8mm::$($path)::+($($arg),*) },
            // A module with instructions that the machine lacks isn't loaded at all.
            #[cfg(target_arch = "wasm32")]
            $crate::isa::Set::Simd128 => $crate::simd128::$($path)::+($($arg),*),
        }
    };
}
pub(crate) use dispatch;
