//! The specification: each function is the shortest text that says what is computed, never optimised.

pub(crate) mod attention;
pub(crate) mod exp;
pub(crate) mod gate;
pub(crate) mod limit;
pub(crate) mod logits;
pub(crate) mod matmul;
pub(crate) mod norm;
