//! A format's layout as constants, for kernels that are compiled once per format.

use crate::{
    format::Format,
    layout::{Factors, GROUP_ROWS, Layout, Scales},
    scalar::matmul::TokenTile,
};

/// The layout of format number `FORMAT` of [`Format::ALL`], as constants of a kernel instance.
pub(crate) struct LayoutOf<const FORMAT: usize>;

/// What the kernels use of a layout, evaluated when they are compiled: the optimizer doesn't see
/// through calls with a whole layout.
impl<const FORMAT: usize> LayoutOf<FORMAT> {
    pub(crate) const BITS: usize = Self::LAYOUT.bits;
    pub(crate) const BLOCK_LEN: usize = Self::LAYOUT.block_len;
    pub(crate) const SUB_BLOCK_LEN: usize = Self::LAYOUT.sub_block_len;
    pub(crate) const N_PAIRS: usize = Self::LAYOUT.n_pairs();
    pub(crate) const BYTES: usize = Self::LAYOUT.bytes();
    pub(crate) const SCALES_AT: usize = Self::LAYOUT.scales_at();
    pub(crate) const MINS_AT: usize = Self::LAYOUT.mins_at();
    pub(crate) const CODES_AT: usize = Self::LAYOUT.codes_at();
    pub(crate) const HAS_MIN: bool = Self::LAYOUT.has_min();
    pub(crate) const SCALES: Scales = Self::LAYOUT.scales;
    pub(crate) const FACTOR_LEN: usize = Self::LAYOUT.factor_len();
    pub(crate) const FACTOR_BYTES: usize = Self::LAYOUT.factor_bytes();
    pub(crate) const FACTORS: Factors = Self::LAYOUT.factors;
    pub(crate) const UNIT: f32 = Self::LAYOUT.unit;

    pub(crate) const LAYOUT: Layout = match Format::ALL[FORMAT].layout() {
        Some(layout) => layout,
        None => panic!("a float format has no blocks"),
    };
}

/// Checks that the operands have everything the kernels read; returns the number of blocks of a row
/// group.
#[inline]
pub(crate) fn n_blocks_of<const FORMAT: usize>(
    streams: &[u8],
    input: &TokenTile<'_>,
    sums: &[[f32; GROUP_ROWS]],
) -> usize {
    let n_groups = sums.len() / input.n;
    let n_blocks = streams.len() / (LayoutOf::<FORMAT>::BYTES * n_groups);
    assert!(
        sums.len() == n_groups * input.n
            && streams.len() == n_groups * n_blocks * LayoutOf::<FORMAT>::BYTES
            && input.fits(LayoutOf::<FORMAT>::LAYOUT, n_blocks),
        "the tile fits the streams, with one result per group and token"
    );
    n_blocks
}
