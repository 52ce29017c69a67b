//! Code books: tables that turn a code into an integer. The numbers are facts of the formats, as
//! ggml's `ggml-common.h` defines them.

/// IQ4_NL and IQ4_XS: ggml's `kvalues_iq4nl`.
pub(crate) const IQ4_NL: [i8; 16] =
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// MXFP4 and NVFP4: twice the values of a float with a sign, two bits of exponent and one of
/// mantissa (E2M1 of the OCP Microscaling specification 1.0).
pub(crate) const E2M1: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// Q1_0: a bit is a sign.
pub(crate) const SIGN: [i8; 16] = [-1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// IQ3_S: magnitudes of the grid, then the same below zero.
pub(crate) const IQ3_S: [i8; 16] = mirrored([1, 3, 5, 7, 9, 11, 13, 15], 8);

/// IQ3_XXS: half the magnitudes of the grid (4 to 62), then the same below zero.
pub(crate) const IQ3_XXS: [i8; 16] = mirrored([2, 6, 10, 14, 18, 22, 26, 31], 8);

/// IQ2_XXS, IQ2_XS and IQ2_S: magnitudes of the grid in codes 0 to 2, below zero in codes 4 to 6.
pub(crate) const IQ2: [i8; 16] = mirrored([8, 25, 43, 0, 0, 0, 0, 0], 4);

/// IQ1_S and IQ1_M: eight times a grid value of -1, 0 or 1 plus 1/8 (codes 0 to 2) or minus 1/8
/// (codes 4 to 6).
pub(crate) const IQ1: [i8; 16] = [-7, 1, 9, 0, -9, -1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The first `n` magnitudes, then their negatives.
const fn mirrored(magnitudes: [i8; 8], n: usize) -> [i8; 16] {
    let mut book = [0; 16];
    let mut i = 0;
    while i < n {
        book[i] = magnitudes[i];
        book[n + i] = -magnitudes[i];
        i += 1;
    }
    book
}
