//! AVX2 with FMA and F16C: the functions of `scalar`, bit for bit, eight f32 lanes at a time.

pub(crate) mod attention;
mod dot;
pub(crate) mod exp;
pub(crate) mod gate;
pub(crate) mod logits;
pub(crate) mod matmul;
pub(crate) mod norm;
pub(crate) mod roofline;
pub(crate) mod unpack;
mod vector;
