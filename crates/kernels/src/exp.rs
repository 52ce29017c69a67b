//! The exponential function in f32, with the same bits on every instruction set.
//!
//! e^x = 2^n · e^r with n = round(x·log2 e), |r| <= ln 2 / 2 + rounding, and e^r = 1 + (r +
//! r²·q(r)), where q is the minimax polynomial of degree 5 for (e^r - 1 - r)/r² (error 2^-34 of
//! e^r). The sum in brackets is one fused multiply-add and so is rounded once, which makes the
//! function nondecreasing: q's own rounding errors are scaled by r² and stay below the step from
//! one r to the next. Checked over every f32 in range by this crate's tests. The error against f64
//! is below 2^-23 of the value.

use crate::isa::{Isa, dispatch};

pub use crate::scalar::exp::{HIGHEST, LOWEST};

/// e^x; 0 below [`LOWEST`], e^88 above [`HIGHEST`], NaN for NaN.
#[inline]
pub fn exp(x: f32) -> f32 {
    crate::scalar::exp::exp(x)
}

/// Replaces each x by e^x; the same bits as [`exp`].
pub fn exp_slice(isa: Isa, x: &mut [f32]) {
    dispatch!(isa, exp::exp_slice(x));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every f32 from LOWEST to -0, in order, in slices, through the instruction set.
    fn for_all_nonpositive(isa: Isa, mut check: impl FnMut(&[f32], &[f32])) {
        let first = LOWEST.to_bits();
        let mut bits = first;
        let mut x = Vec::with_capacity(1 << 16);
        loop {
            x.clear();
            while x.len() < 1 << 16 && bits >= 0x8000_0000 {
                x.push(f32::from_bits(bits));
                bits -= 1;
            }
            if x.is_empty() {
                return;
            }
            let mut y = x.clone();
            exp_slice(isa, &mut y);
            check(&x, &y);
        }
    }

    #[test]
    fn is_nondecreasing_and_accurate_over_every_f32_up_to_zero() {
        let mut previous = 0.0f32;
        let mut worst = 0.0f64;
        let mut n = 0u64;
        for_all_nonpositive(Isa::best(), |x, y| {
            for (i, (&x, &y)) in x.iter().zip(y).enumerate() {
                assert!(y >= previous, "exp falls from {previous:e} to {y:e} at {x:e}");
                previous = y;
                if (i + n as usize).is_multiple_of(61) {
                    let truth = f64::from(x).exp();
                    worst = worst.max((f64::from(y) - truth).abs() / truth);
                }
            }
            n += x.len() as u64;
        });
        assert_eq!(previous, 1.0, "e^0 is 1");
        assert!(n > 1_000_000_000, "{n} values");
        assert!(worst < 2f64.powi(-23), "worst relative error 2^{}", worst.log2());
    }

    #[test]
    fn positive_side_and_the_ends() {
        let mut previous = 1.0;
        for i in 0..=2_000_000 {
            let x = i as f32 * (90.0 / 2_000_000.0);
            let y = exp(x);
            assert!(y >= previous && y.is_finite(), "{x} {y}");
            previous = y;
        }
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-87.01), 0.0);
        assert_eq!(exp(f32::INFINITY), exp(88.0));
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn instruction_sets_agree_on_a_walk_over_all_bit_patterns() {
        let x: Vec<f32> = (0..4_300_000u32).map(|i| f32::from_bits(i.wrapping_mul(999))).collect();
        for isa in Isa::all() {
            let mut y = x.clone();
            exp_slice(isa, &mut y);
            for (x, y) in x.iter().zip(&y) {
                let spec = exp(*x);
                assert!(
                    spec.to_bits() == y.to_bits() || (spec.is_nan() && y.is_nan()),
                    "{x:e} {spec:e} {y:e}"
                );
            }
        }
    }
}
