//! The compute kernels of Kelvin: the forward pass's arithmetic, bit-identical on every CPU.
//!
//! The kernels do no I/O, read no clock, and allocate nothing in a decode step once their buffers
//! have grown. The functions in `scalar` are the specification: the shortest code that defines each
//! result. Every instruction set (AVX2, AVX-512, NEON, simd128) returns the same bits; property
//! tests check this.
//!
//! Modules in reading order:
//! - [`mod@format`]: the quantized formats of GGUF files, and how to dequantize them;
//! - [`matrix`]: weight matrices, repacked for the products;
//! - [`activations`]: activations, quantized to int8;
//! - [`matmul`]: matrix products, GEMV for one token and GEMM for several;
//! - [`kv_cache`]: pages of a KV cache; [`attention`]: attention over them;
//! - [`recurrence`]: the state of recurrent layers;
//! - [`exp`], [`norm`], [`gate`], [`rope`]: the element-wise parts of a layer;
//! - [`logits`]: passes over a row of logits, for sampling;
//! - [`isa`]: runtime selection of the instruction set;
//! - [`pool`]: the work-stealing thread pool;
//! - [`memory`]: huge-page memory for weights and KV cache pages;
//! - [`roofline`]: the machine's limits, which benchmarks compare against.

pub mod activations;
pub mod attention;
pub mod exp;
pub mod float_env;
pub mod fma;
pub mod format;
pub mod gate;
pub mod isa;
pub mod kv_cache;
pub mod logits;
pub mod matmul;
pub mod matrix;
pub mod memory;
pub mod norm;
pub mod pool;
pub mod quantize;
pub mod recurrence;
pub mod roofline;
pub mod rope;
pub mod soft_cap;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod dequantize;
#[cfg(any(test, target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32"))]
mod generic;
mod layout;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32"))]
mod layout_of;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "aarch64")]
mod neon_dot;
#[cfg(target_arch = "aarch64")]
mod neon_i8mm;
mod prefetch;
mod repack;
mod scalar;
#[cfg(target_arch = "wasm32")]
mod simd128;
mod unpack;
#[cfg(any(test, target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32"))]
mod vector;
