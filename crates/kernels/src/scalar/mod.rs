//! The specification: each function is the shortest code that defines the result, never optimized.
//! It is also the fallback for CPUs without AVX2.
//!
//! A file has the constants and small types of its definition, too: other instruction sets take
//! them from here. The public module of the same name selects the instruction set.

pub(crate) mod attention;
pub(crate) mod exp;
pub(crate) mod floats;
pub(crate) mod gate;
pub(crate) mod logits;
pub(crate) mod matmul;
pub(crate) mod norm;
pub(crate) mod recurrence;
pub(crate) mod roofline;
