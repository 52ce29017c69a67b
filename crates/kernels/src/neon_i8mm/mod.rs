//! NEON with `smmla` (the CPU feature i8mm, Armv8.6 and newer) for several tokens, and with `sdot`
//! for one: `neon` with faster products.

pub(crate) mod matmul;
mod pairs;
pub(crate) mod roofline;

pub(crate) use crate::neon::{attention, exp, floats, gate, logits, norm, recurrence};
