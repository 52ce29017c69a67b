//! Unpacks and dequantizes the blocks of quantized formats, as a GGUF file stores them.
//!
//! A weight is `d·unit·scale·value(code) + m·min`. d and m are float factors per block, scale,
//! value and min are integers, and unit is a constant of the format. Formats without sub-blocks
//! have scales and mins of 1. The bit layouts are ggml's (`block_q4_0` and so on in
//! `ggml-common.h`): `Factors::read` and the modules of `unpack` know them, and the fast paths of
//! `repack.rs`.

use half::f16;

use crate::{format::Format, layout::Layout, unpack::UnpackedBlock};

impl Format {
    /// Dequantizes a row of a GGUF tensor to f32: `d·unit·scale·value(code) + m·min`, in that
    /// order of operations. `row` is whole blocks, `out` one element per weight.
    ///
    /// # Panics
    /// If the lengths don't agree.
    pub fn dequantize(self, row: &[u8], out: &mut [f32]) {
        let blocks = out.len() / self.block_len();
        assert!(
            out.len().is_multiple_of(self.block_len()) && row.len() == blocks * self.block_bytes(),
            "a row is whole blocks, with one output element per weight"
        );
        let Some(layout) = self.layout() else {
            out.iter_mut().enumerate().for_each(|(i, out)| *out = self.float(row, i));
            return;
        };
        let mut block = UnpackedBlock::default();
        for (bytes, out) in
            row.chunks_exact(self.block_bytes()).zip(out.chunks_exact_mut(layout.block_len))
        {
            unpack_block(self, layout, bytes, &mut block);
            let m = f16::from_bits(block.m).to_f32();
            for (k, out) in out.iter_mut().enumerate() {
                let s = k / layout.sub_block_len;
                let d = layout.factors.value(block.d[k / layout.factor_len()]) * layout.unit;
                *out = d * f32::from(block.scales[s]) * layout.codes.value(block.codes[k]) as f32;
                if layout.has_min() {
                    *out += m * f32::from(block.mins[s]);
                }
            }
        }
    }
}

/// Unpacks one block of `format.block_bytes()` bytes. Fields that the format doesn't have stay
/// unchanged.
pub(crate) fn unpack_block(
    format: Format,
    layout: Layout,
    bytes: &[u8],
    block: &mut UnpackedBlock,
) {
    layout.factors.read(bytes, &mut block.d, &mut block.m);
    (format.row().unpack)(bytes, block);
}
