//! The vector algorithms, once for every instruction set, over the
//! [`Vector`](crate::vector::Vector) trait.
//!
//! `vector_functions!` makes an instruction set's functions of these with its register type.
//! Results equal those of `scalar` bit for bit. Products of quantized weights aren't here: they
//! depend on integer instructions that differ between the instruction sets (`maddubs`, `vpdpbusd`,
//! `sdot`), so each has its own.

pub(crate) mod attention;
pub(crate) mod exp;
pub(crate) mod floats;
pub(crate) mod gate;
mod instance;
pub(crate) mod logits;
pub(crate) mod norm;
pub(crate) mod recurrence;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32"))]
pub(crate) use instance::vector_functions;

#[cfg(test)]
mod tests;
