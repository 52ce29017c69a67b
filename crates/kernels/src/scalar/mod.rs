//! The specification: each function is the shortest code that defines the result, never optimized.
//! It is also the fallback for CPUs without AVX2.

pub(crate) mod attention;
pub(crate) mod exp;
pub(crate) mod floats;
pub(crate) mod gate;
pub(crate) mod logits;
pub(crate) mod matmul;
pub(crate) mod norm;
pub(crate) mod recurrence;
pub(crate) mod roofline;
