//! NEON with `sdot` (the CPU feature dotprod, Armv8.2 and newer): `neon` with faster products.

pub(crate) mod matmul;
pub(crate) mod roofline;

pub(crate) use crate::neon::{attention, exp, floats, gate, logits, norm, recurrence};
