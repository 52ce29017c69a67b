//! Matrix products with `sdot`: see `neon::matmul`.

pub(crate) use crate::neon::matmul::quantize_block;
use crate::{format::Format, layout::GROUP_ROWS, neon, scalar::matmul::TokenTile};

#[target_feature(enable = "neon,dotprod")]
pub(crate) fn quantized(
    format: Format,
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    // SAFETY: this function has NEON and dotprod.
    unsafe { neon::matmul::of_format::<true>(format, streams, input, sums) }
}
