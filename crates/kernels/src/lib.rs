//! Numbers in, numbers out: the arithmetic of Kelvin, with the same bits on every CPU.
//!
//! No I/O, no clock, no allocation in a step. The scalar functions are the specification; every
//! instruction set agrees with them bit for bit.

pub mod exp;
pub mod format;
