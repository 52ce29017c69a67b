//! One function per quantized format: the codes, scales and mins of a block, as a GGUF file stores
//! them, into an [`UnpackedBlock`]. The table in `format.rs`
//! names the functions.

pub(crate) mod books;
pub(crate) mod grids;
pub(crate) mod k_quants;
pub(crate) mod legacy;

/// The fields of one block of up to 256 weights.
#[derive(Debug, Clone)]
pub(crate) struct UnpackedBlock {
    /// Factors d, as raw bits: one, or NVFP4's four.
    pub(crate) d: [u16; 4],
    /// Minimum factor m, the bits of an f16; 0 if the format has no minimum.
    pub(crate) m: u16,
    /// The scale of each sub-block.
    pub(crate) scales: [i8; 16],
    /// The min of each sub-block.
    pub(crate) mins: [u8; 16],
    /// The code of each weight.
    pub(crate) codes: [u8; 256],
}

impl Default for UnpackedBlock {
    fn default() -> UnpackedBlock {
        UnpackedBlock { d: [0; 4], m: 0, scales: [1; 16], mins: [1; 16], codes: [0; 256] }
    }
}
