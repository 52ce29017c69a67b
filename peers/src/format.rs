//! The formats that a model file's tensors may have, as ggml numbers and lays them out. Peers keeps
//! a table of its own: the judge of Kelvin's kernels doesn't share their code.

use anyhow::{Result, bail};

/// How the numbers of a tensor are stored. The names are ggml's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(non_camel_case_types, reason = "the names are ggml's own and say it all")]
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
    IQ4_XS,
    MXFP4,
    Q2_0,
}

/// Each format with its number in a file, how many numbers a block holds and how many bytes it
/// takes.
const TABLE: [(Format, u32, usize, usize); 16] = [
    (Format::F32, 0, 1, 4),
    (Format::F16, 1, 1, 2),
    (Format::BF16, 30, 1, 2),
    (Format::Q4_0, 2, 32, 18),
    (Format::Q4_1, 3, 32, 20),
    (Format::Q5_0, 6, 32, 22),
    (Format::Q5_1, 7, 32, 24),
    (Format::Q8_0, 8, 32, 34),
    (Format::Q2_K, 10, 256, 84),
    (Format::Q3_K, 11, 256, 110),
    (Format::Q4_K, 12, 256, 144),
    (Format::Q5_K, 13, 256, 176),
    (Format::Q6_K, 14, 256, 210),
    (Format::IQ4_XS, 23, 256, 136),
    (Format::MXFP4, 39, 32, 17),
    (Format::Q2_0, 42, 64, 18),
];

impl Format {
    /// Every format.
    #[cfg(test)]
    pub fn all() -> impl Iterator<Item = Format> {
        TABLE.iter().map(|row| row.0)
    }

    /// The format of this name, in ggml's spelling or in lower case.
    pub fn from_name(name: &str) -> Result<Format> {
        let is_named = |row: &&(Format, _, _, _)| format!("{:?}", row.0).eq_ignore_ascii_case(name);
        match TABLE.iter().find(is_named) {
            Some(row) => Ok(row.0),
            None => bail!("\"{name}\" is none of the formats that peers knows: {TABLE:?}"),
        }
    }

    /// The format that a file calls `number`.
    pub fn from_number(number: u32) -> Result<Format> {
        match TABLE.iter().find(|row| row.1 == number) {
            Some(row) => Ok(row.0),
            None => {
                bail!(
                    "tensor format number {number} is not one of those that peers can expand: \
                     {TABLE:?}"
                )
            }
        }
    }

    fn row(self) -> &'static (Format, u32, usize, usize) {
        TABLE.iter().find(|row| row.0 == self).expect("the table lists every format")
    }

    /// What a file calls it (`enum ggml_type`).
    pub fn number(self) -> u32 {
        self.row().1
    }

    /// How many numbers one block holds.
    pub fn block_len(self) -> usize {
        self.row().2
    }

    /// How many bytes one block takes.
    pub fn block_bytes(self) -> usize {
        self.row().3
    }

    /// How many bytes `n` numbers take; `n` must be whole blocks.
    pub fn bytes_of(self, n: u64) -> Result<u64> {
        let block_len = self.block_len() as u64;
        if !n.is_multiple_of(block_len) {
            bail!("{n} numbers are no whole blocks of {block_len} ({self:?})");
        }
        Ok(n / block_len * self.block_bytes() as u64)
    }
}
