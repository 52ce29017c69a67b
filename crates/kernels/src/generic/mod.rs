//! The vector algorithms, once for every instruction set, over the
//! [`Vector`](crate::vector::Vector) trait.
//!
//! The functions of `avx2` and `avx512` call these with their register types. Results equal those
//! of `scalar` bit for bit. Matrix products aren't here: they depend on integer instructions that
//! differ between the instruction sets (`maddubs`, `vpdpbusd`), so each has its own.

pub(crate) mod attention;
pub(crate) mod exp;
pub(crate) mod gate;
pub(crate) mod logits;
pub(crate) mod norm;

#[cfg(test)]
mod tests;
