//! AVX-512 with VNNI: the functions of `scalar`, bit for bit, sixteen f32 lanes at a time where
//! that is faster than `avx2`.

pub(crate) mod attention;
pub(crate) mod exp;
pub(crate) mod gate;
pub(crate) mod logits;
pub(crate) mod matmul;
mod unpack;
mod vector;

pub(crate) use crate::avx2::{norm, roofline};
