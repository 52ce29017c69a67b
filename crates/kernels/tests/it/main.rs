//! The kernels from outside.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod dequantize;
mod products;
mod quantize;
