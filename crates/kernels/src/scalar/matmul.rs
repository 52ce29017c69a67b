//! Matrix products of eight rows of weights with a few tokens, number by number.

use crate::{
    activations::Quantized,
    format::Format,
    packed::{GROUP, Layout, float},
};

pub(crate) fn quantized(
    format: Format,
    stream: &[u8],
    input: &Quantized,
    token: usize,
    tile: &mut [[f32; GROUP]],
) {
    let layout = Layout::of(format).expect("the caller has a quantized format");
    for (t, sums) in tile.iter_mut().enumerate() {
        let row = input.row(token + t);
        for (r, acc) in sums.iter_mut().enumerate() {
            *acc = 0.0;
            for (b, block) in stream.chunks_exact(layout.bytes()).enumerate() {
                let q = &row.q[b * layout.block..(b + 1) * layout.block];
                let (mut isum, mut msum) = (0, 0);
                for (s, q) in q.chunks_exact(layout.sub).enumerate() {
                    let dot: i32 = (0..layout.sub)
                        .map(|k| {
                            (layout.code(block, r, s * layout.sub + k) - layout.offset) * i32::from(q[k])
                        })
                        .sum();
                    isum += layout.scale(block, r, s) * dot;
                    msum += layout.min(block, r, s) * q.iter().map(|&q| i32::from(q)).sum::<i32>();
                }
                *acc = (Layout::half(block, 0, r) * row.scales[b]).mul_add(isum as f32, *acc);
                if layout.min {
                    *acc = (Layout::half(block, 16, r) * row.scales[b]).mul_add(msum as f32, *acc);
                }
            }
        }
    }
}

pub(crate) fn floats(format: Format, stream: &[u8], x: &[f32], tile: &mut [[f32; GROUP]]) {
    let cols = x.len() / tile.len();
    for (x, sums) in x.chunks_exact(cols).zip(tile) {
        for (r, acc) in sums.iter_mut().enumerate() {
            *acc = 0.0;
            for (k, x) in x.iter().enumerate() {
                *acc = float(format, stream, k * GROUP + r).mul_add(*x, *acc);
            }
        }
    }
}

/// Quantizes one block and returns its scale: NaN if there is one in the block, so that it isn't lost, and nothing but
/// zeros where the largest is below 1e-30, since 127 over it might be infinite.
pub(crate) fn quantize_block(x: &[f32], q: &mut [i8]) -> f32 {
    let mut max = x.iter().fold(0.0f32, |max, x| if max < x.abs() { x.abs() } else { max });
    if x.iter().any(|x| x.is_nan()) {
        max = f32::NAN;
    }
    let inverse = if max > 1e-30 { 127.0 / max } else { 0.0 };
    for (q, x) in q.iter_mut().zip(x) {
        *q = (x * inverse).round_ties_even() as i8;
    }
    max / 127.0
}
