//! The tensor formats of a GGUF file: floats, legacy quantized formats and k-quants.
//!
//! ggml calls these tensor types (`GGML_TYPE_Q4_K` and so on).

/// How the weights of a tensor are stored. The names are ggml's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(non_camel_case_types, missing_docs, reason = "the names are ggml's own and say it all")]
pub enum Format {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
}

impl Format {
    /// Every format, in the order in which errors list them.
    pub const ALL: [Format; 13] = [
        Format::F32,
        Format::F16,
        Format::BF16,
        Format::Q4_0,
        Format::Q4_1,
        Format::Q5_0,
        Format::Q5_1,
        Format::Q8_0,
        Format::Q2_K,
        Format::Q3_K,
        Format::Q4_K,
        Format::Q5_K,
        Format::Q6_K,
    ];

    /// Weights per block: 32 for legacy formats, 256 for k-quants (a super-block), 1 for floats.
    pub const fn block_len(self) -> usize {
        match self {
            Format::F32 | Format::F16 | Format::BF16 => 1,
            Format::Q4_0 | Format::Q4_1 | Format::Q5_0 | Format::Q5_1 | Format::Q8_0 => 32,
            Format::Q2_K | Format::Q3_K | Format::Q4_K | Format::Q5_K | Format::Q6_K => 256,
        }
    }

    /// Bytes per block in a file.
    pub const fn block_bytes(self) -> usize {
        match self {
            Format::F32 => 4,
            Format::F16 | Format::BF16 => 2,
            Format::Q4_0 => 18,
            Format::Q4_1 => 20,
            Format::Q5_0 => 22,
            Format::Q5_1 => 24,
            Format::Q8_0 => 34,
            Format::Q2_K => 84,
            Format::Q3_K => 110,
            Format::Q4_K => 144,
            Format::Q5_K => 176,
            Format::Q6_K => 210,
        }
    }

    /// Dequantizes a row of a GGUF tensor to f32. `row` is whole blocks, `out` one element per
    /// weight.
    ///
    /// # Panics
    /// If the lengths don't agree.
    pub fn dequantize(self, row: &[u8], out: &mut [f32]) {
        let blocks = out.len() / self.block_len();
        assert!(
            out.len().is_multiple_of(self.block_len()) && row.len() == blocks * self.block_bytes(),
            "a row is whole blocks, with one output element per weight"
        );
        crate::dequantize::dequantize(self, row, out);
    }
}
