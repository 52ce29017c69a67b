//! Numbers in, numbers out: the arithmetic of Kelvin, with the same bits on every CPU.
//!
//! No I/O, no clock, and no allocation in a step once buffers have grown to their size. The functions in
//! `scalar` are the specification, the shortest text that says what is computed; every instruction
//! set agrees with them bit for bit, which property tests hold.
//!
//! Reading order: [`mod@format`] (what a model file stores), [`packed`] (how weights lie in memory here),
//! [`activations`], [`matmul`], [`pages`] (of a cache), [`attention`], [`exp`], [`norm`], [`gate`], [`rope`]; [`isa`] chooses
//! the instruction set, [`pool`] spreads work over threads.

pub mod activations;
pub mod attention;
pub mod exp;
pub mod float_env;
pub mod format;
pub mod gate;
pub mod isa;
pub mod limit;
pub mod logits;
pub mod matmul;
pub mod memory;
pub mod norm;
pub mod packed;
pub mod pages;
pub mod pool;
pub mod rope;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod decode;
mod pack;
mod scalar;
