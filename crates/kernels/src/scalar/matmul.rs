//! The specification of the products of quantized weights: row groups times a tile of tokens, one
//! number at a time.

use crate::{activations::TokenTile, fma::fma, format::Format, layout::GROUP_ROWS};

pub(crate) fn quantized(
    format: Format,
    streams: &[u8],
    input: TokenTile<'_>,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    let layout = format.layout().expect("the caller has a quantized format");
    let group_bytes = streams.len() / (sums.len() / input.n);
    for (i, sums) in sums.iter_mut().enumerate() {
        let (group, t) = (i / input.n, i % input.n);
        let stream = &streams[group * group_bytes..][..group_bytes];
        for (r, acc) in sums.iter_mut().enumerate() {
            *acc = 0.0;
            for (b, block) in stream.chunks_exact(layout.bytes()).enumerate() {
                // Weights that share a factor d and a scale of the activations.
                let len = layout.factor_len().min(layout.activation_len());
                for first in (0..layout.block_len).step_by(len) {
                    let (mut isum, mut msum) = (0, 0);
                    for at in (first..first + len).step_by(layout.sub_block_len) {
                        let (mut dot, mut sum) = (0, 0);
                        for k in at..at + layout.sub_block_len {
                            let q = input.q(t, b * layout.block_len + k);
                            dot += layout.value(block, r, k) * q;
                            sum += q;
                        }
                        let s = at / layout.sub_block_len;
                        isum += layout.scale(block, r, s) * dot;
                        msum += layout.min(block, r, s) * sum;
                    }
                    let k = b * layout.block_len + first;
                    let scale = input.scale(t, k / layout.activation_len());
                    *acc = fma(layout.factor(block, r, first) * scale, isum as f32, *acc);
                    if layout.has_min() {
                        *acc = fma(layout.min_factor(block, r) * scale, msum as f32, *acc);
                    }
                }
            }
        }
    }
}

/// Quantizes one block to int8 and returns its scale. `sums16` receives the sum of each 16 q's.
///
/// A NaN in the block makes the scale NaN, so that it isn't lost. Where max|x| is below 1e-30, all
/// q's are zero, since 127 / max|x| might be infinite.
pub(crate) fn quantize_block(x: &[f32], q: &mut [i8], sums16: &mut [i16]) -> f32 {
    let mut max = x.iter().fold(0.0f32, |max, x| if max < x.abs() { x.abs() } else { max });
    if x.iter().any(|x| x.is_nan()) {
        max = f32::NAN;
    }
    let inverse = if max > 1e-30 { 127.0 / max } else { 0.0 };
    for (q, x) in q.iter_mut().zip(x) {
        *q = (x * inverse).round_ties_even() as i8;
    }
    for (sum, q) in sums16.iter_mut().zip(q.chunks_exact(16)) {
        *sum = q.iter().map(|&q| i16::from(q)).sum();
    }
    max / 127.0
}
