//! The `Vector` trait: f32 lanes of one instruction set, on which the algorithms of `generic` are
//! written once.
//!
//! An instruction set implements it for its register type (`__m256`, `__m512`); the tests implement
//! it for arrays of 4, 8 and 16 lanes. Rules for implementations and algorithms:
//! 1. Every method and every generic algorithm is `#[inline(always)]`, so that the intrinsics are
//!    inlined into the `#[target_feature]` function that calls the algorithm.
//! 2. Algorithms pass no closures around intrinsics: a closure doesn't inherit target features.
//! 3. `fma` is a function, not necessarily an instruction. An instruction set without one must
//!    emulate it with a single rounding, or the results change.
//! 4. Comparisons and `max`/`min` define what happens for NaN; implementations follow that exactly.

use half::f16;

/// A vector of [`LANES`](Self::LANES) f32 lanes.
///
/// # Safety
/// Calling any method requires that the CPU has the instruction set of the implementation. Methods
/// that take a pointer access `LANES` elements there, unaligned.
pub(crate) trait Vector: Copy {
    /// Number of f32 lanes: 4, 8 or 16.
    const LANES: usize;
    /// A vector of as many u32 lanes.
    type Int: Copy;
    /// One flag per lane.
    type Mask: Copy;

    /// Copies `x` to every lane.
    unsafe fn splat(x: f32) -> Self;
    unsafe fn load(at: *const f32) -> Self;
    unsafe fn store(self, at: *mut f32);
    /// Loads f16 and converts it to f32, exactly.
    unsafe fn load_f16(at: *const f16) -> Self;
    /// Loads the upper halves of f32 and fills them up with zeros.
    unsafe fn load_bf16(at: *const u16) -> Self;
    /// Converts to f16, rounding to nearest, ties to even, and stores it.
    unsafe fn store_f16(self, at: *mut f16);

    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// `self · factor + term`, rounded once.
    unsafe fn fma(self, factor: Self, term: Self) -> Self;
    /// `if self > other { self } else { other }`: the second operand for NaN.
    unsafe fn max(self, other: Self) -> Self;
    /// `if self < other { self } else { other }`: the second operand for NaN.
    unsafe fn min(self, other: Self) -> Self;
    /// Clears the sign bit.
    unsafe fn abs(self) -> Self;
    /// Flips the sign bit.
    unsafe fn neg(self) -> Self;
    /// The largest lane; no lane may be NaN.
    unsafe fn horizontal_max(self) -> f32;
    /// The smallest lane; no lane may be NaN.
    unsafe fn horizontal_min(self) -> f32;

    /// False for NaN.
    unsafe fn lt(self, other: Self) -> Self::Mask;
    /// False for NaN.
    unsafe fn gt(self, other: Self) -> Self::Mask;
    /// False for NaN.
    unsafe fn ge(self, other: Self) -> Self::Mask;
    /// False for NaN.
    unsafe fn eq(self, other: Self) -> Self::Mask;
    /// Whether either operand is NaN.
    unsafe fn unordered(self, other: Self) -> Self::Mask;
    /// Zero in the lanes of the mask.
    unsafe fn zero_where(self, mask: Self::Mask) -> Self;

    unsafe fn no_lanes() -> Self::Mask;
    unsafe fn and(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    unsafe fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    unsafe fn any(mask: Self::Mask) -> bool;
    /// Number of lanes in the mask.
    unsafe fn count(mask: Self::Mask) -> usize;

    /// The bits of the lanes.
    unsafe fn to_bits(self) -> Self::Int;
    unsafe fn from_bits(bits: Self::Int) -> Self;
    unsafe fn splat_int(x: u32) -> Self::Int;
    /// Lane i is `first + i`.
    unsafe fn iota(first: u32) -> Self::Int;
    /// Loads `2 · LANES` signed bytes; lane i gets bytes 2i (its lower half) and 2i + 1 as i16.
    unsafe fn load_i8_pairs(at: *const i8) -> Self::Int;
    /// Adds the products of the lower and of the upper halves of lanes of i16 pairs to i32 lanes.
    unsafe fn dot_i16(sum: Self::Int, a: Self::Int, b: Self::Int) -> Self::Int;
    /// Converts i32 to f32, rounding to nearest, ties to even.
    unsafe fn from_i32(x: Self::Int) -> Self;
    /// Stores the lower halves of the lanes next to each other.
    unsafe fn store_low_halves(x: Self::Int, at: *mut i16);
    /// Wrapping.
    unsafe fn add_int(a: Self::Int, b: Self::Int) -> Self::Int;
    /// Shifts left by 23, the width of an f32 mantissa.
    unsafe fn shift_left_23(bits: Self::Int) -> Self::Int;
    unsafe fn eq_int(a: Self::Int, b: Self::Int) -> Self::Mask;
    /// `a <= b`, unsigned.
    unsafe fn le_int(a: Self::Int, b: Self::Int) -> Self::Mask;

    /// Stores the lanes of the mask next to each other at `ids`, and those of `x` at `logits` if it
    /// is given. Writes `LANES` elements; those after the selected ones are unspecified.
    unsafe fn compress_store(
        id: Self::Int,
        x: Self,
        mask: Self::Mask,
        ids: *mut u32,
        logits: Option<*mut f32>,
    );
}

/// For each set of four lanes, the permutation of bytes that moves its lanes to the front.
#[cfg(any(target_arch = "aarch64", target_arch = "wasm32"))]
pub(crate) static TO_FRONT: [[u8; 16]; 16] = {
    let mut table = [[0; 16]; 16];
    let mut set = 0;
    while set < 16 {
        let (mut lane, mut n) = (0, 0);
        while lane < 4 {
            if set >> lane & 1 == 1 {
                let mut byte = 0;
                while byte < 4 {
                    table[set][4 * n + byte] = (4 * lane + byte) as u8;
                    byte += 1;
                }
                n += 1;
            }
            lane += 1;
        }
        set += 1;
    }
    table
};
