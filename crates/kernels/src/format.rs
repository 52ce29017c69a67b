//! The tensor formats of a GGUF file: one table, from which every list of formats is made.
//!
//! ggml calls these tensor types (`GGML_TYPE_Q4_K` and so on). A row says a format's name, ggml's
//! number for it, the size of a block in a file, the function that unpacks a block, and the layout
//! of its weights in memory, which decides the kernel. Names, numbers, errors, tests and the kernel
//! dispatch all come from the rows: a new format is a row and its unpacker.

use half::{bf16, f16};

use crate::{
    layout::{Codes, Factors, GROUP_ROWS, Layout, Scales},
    unpack::{UnpackedBlock, books, grids, k_quants, legacy},
};

/// What the table says of one format.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    id: u32,
    block_len: usize,
    block_bytes: usize,
    /// The layout in memory; None for floats.
    pub(crate) layout: Option<Layout>,
    /// Unpacks codes, scales and mins of a block of `block_bytes` bytes.
    pub(crate) unpack: fn(&[u8], &mut UnpackedBlock),
}

fn no_blocks(_: &[u8], _: &mut UnpackedBlock) {
    unreachable!("float formats have no blocks")
}

/// Makes everything that lists formats from the rows. `$d` is a dollar sign, for the inner macro.
macro_rules! formats {
    (
        $d:tt
        floats { $($float:ident = $float_id:literal, $float_bytes:literal bytes;)* }
        quantized {
            $($name:ident = $id:literal, $len:literal in $bytes:literal bytes, $unpack:path,
                $layout:expr;)*
        }
    ) => {
        /// How the weights of a tensor are stored. The names are ggml's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(non_camel_case_types, missing_docs, reason = "the names are ggml's own")]
        pub enum Format { $($float,)* $($name,)* }

        impl Format {
            /// Every format, in the order in which errors list them.
            pub const ALL: [Format; Format::N] =
                [$(Format::$float,)* $(Format::$name,)*];

            const N: usize = [$(stringify!($float),)* $(stringify!($name),)*].len();
        }

        const ROWS: [Row; Format::N] = [
            $(Row {
                name: stringify!($float),
                id: $float_id,
                block_len: 1,
                block_bytes: $float_bytes,
                layout: None,
                unpack: no_blocks,
            },)*
            $(Row {
                name: stringify!($name),
                id: $id,
                block_len: $len,
                block_bytes: $bytes,
                layout: Some($layout),
                unpack: $unpack,
            },)*
        ];

        /// `for_format!(format, N => expression)`: the expression with the constant `N`, the number
        /// of a quantized format in `Format::ALL`.
        macro_rules! for_format {
            ($d format:expr, $d number:ident => $d($d body:tt)*) => {
                match $d format {
                    $($crate::format::Format::$float)|* => {
                        unreachable!("float formats have no blocks")
                    }
                    $($crate::format::Format::$name => {
                        const $d number: usize = $crate::format::Format::$name as usize;
                        $d($d body)*
                    })*
                }
            };
        }
        pub(crate) use for_format;
    };
}

formats! { $
floats {
    F32 = 0, 4 bytes;
    F16 = 1, 2 bytes;
    BF16 = 30, 2 bytes;
}
quantized {
    Q4_0 = 2, 32 in 18 bytes, legacy::q4_0,
        Layout { codes: Codes::Offset(8), ..Layout::BLOCK32 };
    Q4_1 = 3, 32 in 20 bytes, legacy::q4_1,
        Layout { factors: Factors::PlusMin { d: 0, m: 2 }, ..Layout::BLOCK32 };
    Q5_0 = 6, 32 in 22 bytes, legacy::q5_0,
        Layout { bits: 5, codes: Codes::Offset(16), ..Layout::BLOCK32 };
    Q5_1 = 7, 32 in 24 bytes, legacy::q5_1,
        Layout { bits: 5, factors: Factors::PlusMin { d: 0, m: 2 }, ..Layout::BLOCK32 };
    Q8_0 = 8, 32 in 34 bytes, legacy::q8_0,
        Layout { bits: 8, codes: Codes::Signed, ..Layout::BLOCK32 };
    Q2_K = 10, 256 in 84 bytes, k_quants::q2_k,
        Layout { sub_block_len: 16, bits: 2, scales: Scales::Nibble,
            factors: Factors::MinusMin { d: 80, m: 82 }, ..Layout::BLOCK256 };
    Q3_K = 11, 256 in 110 bytes, k_quants::q3_k,
        Layout { sub_block_len: 16, bits: 3, codes: Codes::Offset(4),
            scales: Scales::SixBits { offset: 32 }, factors: Factors::F16 { d: 108 },
            ..Layout::BLOCK256 };
    Q4_K = 12, 256 in 144 bytes, k_quants::q4_k,
        Layout { bits: 4, scales: Scales::SixBits { offset: 0 },
            factors: Factors::MinusMin { d: 0, m: 2 }, ..Layout::BLOCK256 };
    Q5_K = 13, 256 in 176 bytes, k_quants::q5_k,
        Layout { bits: 5, scales: Scales::SixBits { offset: 0 },
            factors: Factors::MinusMin { d: 0, m: 2 }, ..Layout::BLOCK256 };
    Q6_K = 14, 256 in 210 bytes, k_quants::q6_k,
        Layout { sub_block_len: 16, bits: 6, codes: Codes::Offset(32), scales: Scales::Byte,
            factors: Factors::F16 { d: 208 }, ..Layout::BLOCK256 };
    IQ4_NL = 20, 32 in 18 bytes, legacy::q4_0,
        Layout { codes: Codes::Book(books::IQ4_NL), ..Layout::BLOCK32 };
    IQ4_XS = 23, 256 in 136 bytes, k_quants::iq4_xs,
        Layout { bits: 4, codes: Codes::Book(books::IQ4_NL),
            scales: Scales::SixBits { offset: 32 }, ..Layout::BLOCK256 };
    MXFP4 = 39, 32 in 17 bytes, legacy::mxfp4,
        Layout { codes: Codes::Book(books::E2M1), factors: Factors::E8M0, ..Layout::BLOCK32 };
    NVFP4 = 40, 64 in 36 bytes, legacy::nvfp4,
        Layout { block_len: 64, sub_block_len: 16, codes: Codes::Book(books::E2M1),
            factors: Factors::E4M3, unit: 128.0, ..Layout::BLOCK32 };
    Q1_0 = 41, 128 in 18 bytes, legacy::q1_0,
        Layout { block_len: 128, bits: 1, codes: Codes::Book(books::SIGN), ..Layout::BLOCK32 };
    Q2_0 = 42, 64 in 18 bytes, legacy::q2_0,
        Layout { block_len: 64, bits: 2, codes: Codes::Offset(1), ..Layout::BLOCK32 };
    TQ1_0 = 34, 256 in 54 bytes, k_quants::tq1_0,
        Layout { bits: 2, codes: Codes::Offset(1), factors: Factors::F16 { d: 52 },
            ..Layout::BLOCK256 };
    TQ2_0 = 35, 256 in 66 bytes, k_quants::tq2_0,
        Layout { bits: 2, codes: Codes::Offset(1), factors: Factors::F16 { d: 64 },
            ..Layout::BLOCK256 };
    IQ3_S = 21, 256 in 110 bytes, grids::iq3_s,
        Layout { bits: 4, codes: Codes::Book(books::IQ3_S), scales: Scales::Byte,
            ..Layout::BLOCK256 };
    IQ3_XXS = 18, 256 in 98 bytes, grids::iq3_xxs,
        Layout { bits: 4, codes: Codes::Book(books::IQ3_XXS), scales: Scales::Byte, unit: 0.5,
            ..Layout::BLOCK256 };
    IQ2_S = 22, 256 in 82 bytes, grids::iq2_s,
        Layout { sub_block_len: 16, bits: 3, codes: Codes::Book(books::IQ2), scales: Scales::Byte,
            unit: 0.125, ..Layout::BLOCK256 };
    IQ2_XS = 17, 256 in 74 bytes, grids::iq2_xs,
        Layout { sub_block_len: 16, bits: 3, codes: Codes::Book(books::IQ2), scales: Scales::Byte,
            unit: 0.125, ..Layout::BLOCK256 };
    IQ2_XXS = 16, 256 in 66 bytes, grids::iq2_xxs,
        Layout { bits: 3, codes: Codes::Book(books::IQ2), scales: Scales::Byte, unit: 0.125,
            ..Layout::BLOCK256 };
    IQ1_S = 19, 256 in 50 bytes, grids::iq1_s,
        Layout { bits: 3, codes: Codes::Book(books::IQ1), scales: Scales::Byte, unit: 0.125,
            ..Layout::BLOCK256 };
    IQ1_M = 29, 256 in 56 bytes, grids::iq1_m,
        Layout { sub_block_len: 16, bits: 3, codes: Codes::Book(books::IQ1), scales: Scales::Byte,
            factors: Factors::SplitF16 { at: 48 }, unit: 0.125, ..Layout::BLOCK256 };
}
}

impl Format {
    pub(crate) const fn row(self) -> &'static Row {
        const TABLE: &[Row; Format::N] = &ROWS;
        &TABLE[self as usize]
    }

    /// The layout of a quantized format; None for floats.
    pub(crate) const fn layout(self) -> Option<Layout> {
        self.row().layout
    }

    /// Element `i` of an array of F32, F16 or BF16, as f32.
    pub(crate) fn float(self, bytes: &[u8], i: usize) -> f32 {
        match self {
            Format::F32 => f32::from_le_bytes([
                bytes[4 * i],
                bytes[4 * i + 1],
                bytes[4 * i + 2],
                bytes[4 * i + 3],
            ]),
            Format::F16 => f16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]).to_f32(),
            Format::BF16 => bf16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]).to_f32(),
            _ => unreachable!("quantized formats have blocks"),
        }
    }

    /// The name, e.g. `Q4_K`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// ggml's number for the format, as GGUF files store it (`enum ggml_type`).
    pub const fn id(self) -> u32 {
        self.row().id
    }

    /// The format with this number of ggml's; None for numbers that aren't a format of weights
    /// which Kelvin computes with.
    pub fn from_id(id: u32) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.id() == id)
    }

    /// Weights per block, from 1 (floats) to 256.
    pub const fn block_len(self) -> usize {
        self.row().block_len
    }

    /// Bytes per block in a file.
    pub const fn block_bytes(self) -> usize {
        self.row().block_bytes
    }

    /// Bytes in memory of a weight matrix of this shape, repacked for the products. More than in
    /// the file for formats whose codes are expanded (see `unpack/grids.rs`). More than there are
    /// addresses is the largest number, which no arena has.
    pub fn memory_bytes(self, rows: usize, cols: usize) -> usize {
        rows.div_ceil(GROUP_ROWS).saturating_mul(self.group_bytes(cols))
    }

    /// Bytes in memory of a group of rows.
    pub(crate) fn group_bytes(self, cols: usize) -> usize {
        match self.layout() {
            Some(layout) => (cols / layout.block_len).saturating_mul(layout.bytes()),
            None => cols.saturating_mul(GROUP_ROWS * self.block_bytes()),
        }
    }

    /// Sets the float factors of a block: d, and the minimum's factor m if the format has one. For
    /// tests and synthetic models, which fill the rest of a block with random bytes. A weight is
    /// then about `d` times an integer (plus `m` times one). Factors that are stored without a sign
    /// or with few bits take the nearest magnitude below.
    ///
    /// # Panics
    /// If `block` isn't one block.
    pub fn set_factors(self, block: &mut [u8], d: f32, m: f32) {
        assert_eq!(block.len(), self.block_bytes(), "one block");
        if let Some(layout) = self.row().layout {
            layout.factors.write(block, d / layout.unit, m);
        }
    }
}
