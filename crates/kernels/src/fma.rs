//! The fused multiply-add of f32: `x·y + z` with one rounding, also on machines that have no such
//! instruction.
//!
//! WebAssembly has none. `f32::mul_add` is then a function of compiler-builtins, which rounds twice
//! where the result is subnormal (`findings/rust-wasm-fmaf.sh`), so it is emulated here.

/// `x·y + z`, rounded once.
#[inline(always)]
pub fn fma(x: f32, y: f32, z: f32) -> f32 {
    if cfg!(target_arch = "wasm32") { emulated(x, y, z) } else { x.mul_add(y, z) }
}

/// `x·y + z`, rounded once; the caller promises that x·y is exact in f64.
#[inline(always)]
pub(crate) fn fma_of_exact(x: f64, y: f64, z: f64) -> f64 {
    if cfg!(target_arch = "wasm32") { x * y + z } else { x.mul_add(y, z) }
}

/// [`fma`] in f64 arithmetic.
///
/// 1. The product of two f32 is exact in f64 (48 of 53 bits; exponents from -298 to 255).
/// 2. The sum of product and z is rounded to f64; Knuth's two-sum gives the error of that exactly.
/// 3. The sum is rounded to odd instead: of the two f64 around an inexact sum, the one whose last
///    bit is 1. Then the second rounding, to f32, gives what one rounding would.
///
/// Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using
/// rounding to odd", IEEE Transactions on Computers 57(4), 2008. The bits of a NaN aren't defined.
pub(crate) fn emulated(x: f32, y: f32, z: f32) -> f32 {
    let product = f64::from(x) * f64::from(y);
    let z = f64::from(z);
    let sum = product + z;
    let back = sum - product;
    let error = (product - (sum - back)) + (z - back);
    let bits = sum.to_bits();
    // An infinite sum has a NaN as its error, and stays.
    let (above, below) = (error > 0.0, error < 0.0);
    if !(above || below) || bits & 1 == 1 {
        return sum as f32;
    }
    // The other neighbour of the exact sum: away from zero if the error has the sum's sign.
    let away = above == (sum > 0.0);
    f64::from_bits(if away { bits + 1 } else { bits - 1 }) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of random cases.
    #[cfg(not(target_arch = "wasm32"))]
    const N_RANDOM: u64 = 50_000_000;

    #[cfg(not(target_arch = "wasm32"))]
    fn check(x: f32, y: f32, z: f32) {
        let (found, expected) = (emulated(x, y, z), x.mul_add(y, z));
        assert!(
            found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan()),
            "{x:e} · {y:e} + {z:e}: {found:e}, expected {expected:e}"
        );
    }

    /// xorshift64*.
    #[cfg(not(target_arch = "wasm32"))]
    fn random(state: &mut u64) -> u64 {
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Compared with the CPU's instruction or the system's library.
    #[test]
    // There is nothing to compare with elsewhere.
    #[cfg(not(target_arch = "wasm32"))]
    fn the_emulation_rounds_once_on_random_bits() {
        let mut state = 7;
        for i in 0..N_RANDOM {
            let (a, b) = (random(&mut state), random(&mut state));
            let (x, y) = (f32::from_bits(a as u32), f32::from_bits((a >> 32) as u32));
            let z = f32::from_bits(b as u32);
            check(x, y, z);
            // A term near the product in size, where bits are lost at both ends.
            let size = (x * y).to_bits().wrapping_add(((b >> 32) as u32 & 0x3f) << 23);
            let near = f32::from_bits(size.wrapping_sub(0x1000_0000) ^ (b >> 40) as u32 & 0x80ff);
            check(x, y, if i % 2 == 0 { near } else { -near });
        }
    }

    /// Every combination of numbers at the borders of the format, and of sums that lie between two
    /// f32 but for the last bit of the product.
    #[test]
    // There is nothing to compare with elsewhere.
    #[cfg(not(target_arch = "wasm32"))]
    fn the_emulation_rounds_once_on_hard_cases() {
        let exponents = [0, 1, 2, 3, 23, 24, 25, 60, 63, 64, 65, 103, 126, 127, 128, 151, 190, 253];
        let exponents = exponents.into_iter().chain([254, 255]);
        let mantissas =
            [0, 1, 2, 3, 0x1000, 0x3f_ffff, 0x40_0000, 0x40_0001, 0x7f_fffd, 0x7f_fffe, 0x7f_ffff];
        let numbers: Vec<f32> = exponents
            .flat_map(|e: u32| mantissas.map(|m: u32| e << 23 | m))
            .flat_map(|bits| [bits, bits | 1 << 31])
            .map(f32::from_bits)
            .collect();
        for &x in &numbers {
            for &y in &numbers {
                for &z in &numbers {
                    check(x, y, z);
                }
            }
        }
        // (2^a + 2^(a-b)) · 2^c is half of the last place of z, and a bit more or less.
        let power = |e: i32| 2.0f64.powi(e) as f32;
        for exponent in -149..=127 {
            for below in 1..=23 {
                for last in -150..=104 {
                    let x = power(0) + power(-below);
                    let small = power(last.max(-149));
                    let z = power(exponent);
                    for (x, y) in [(x, small), (x, -small), (2.0 - x, small), (x * 0.5, small)] {
                        check(x, y, z);
                        check(x, y, -z);
                        check(x, y, z + small);
                    }
                }
            }
        }
    }

    /// A sum just below the middle of two subnormal f32, which f64 rounds to the middle.
    #[test]
    fn a_subnormal_result_is_rounded_once() {
        let (x, y) = (f32::from_bits(0x3f80_0001), f32::from_bits(0x3f7f_fffe));
        let (x, y) = (x * 2.0f32.powi(-50), y * 2.0f32.powi(-100));
        let z = f32::from_bits(1 << 19 | 1);
        assert_eq!(fma(x, y, z).to_bits(), z.to_bits());
        let to_the_middle = f64::from(x) * f64::from(y) + f64::from(z);
        assert_eq!((to_the_middle as f32).to_bits(), z.to_bits() + 1, "two roundings");
    }
}
