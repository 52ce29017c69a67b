//! The specification of the products of float weights.

use crate::{fma::fma, format::Format, layout::GROUP_ROWS};

pub(crate) fn floats(format: Format, stream: &[u8], x: &[f32], sums: &mut [[f32; GROUP_ROWS]]) {
    let cols = x.len() / sums.len();
    for (x, sums) in x.chunks_exact(cols).zip(sums) {
        for (r, acc) in sums.iter_mut().enumerate() {
            *acc = 0.0;
            for (k, x) in x.iter().enumerate() {
                *acc = fma(format.float(stream, k * GROUP_ROWS + r), *x, *acc);
            }
        }
    }
}
