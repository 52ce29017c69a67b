//! One function per quantized format: the codes, scales and mins of a block, as a GGUF file stores
//! them, into an [`UnpackedBlock`](crate::dequantize::UnpackedBlock). The table in `format.rs`
//! names the functions.

pub(crate) mod books;
pub(crate) mod grids;
pub(crate) mod k_quants;
pub(crate) mod legacy;
