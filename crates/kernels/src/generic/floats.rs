//! Products of float weights: a lane per row of a row group, one accumulator per output.

use crate::{format::Format, layout::GROUP_ROWS, vector::Vector};

/// Multiplies the sixteen rows of a group with T tokens in one pass over the weights. V vectors
/// have a lane for each row. `stream` is `[k][row]`, `x` is `[token][k]`.
///
/// # Safety
/// The CPU has the instruction set of F.
#[inline(always)]
pub(crate) unsafe fn floats<F: Vector, const FORMAT: usize, const V: usize, const T: usize>(
    stream: &[u8],
    x: &[f32],
    sums: &mut [[f32; GROUP_ROWS]],
) {
    const { assert!(V * F::LANES == GROUP_ROWS, "a lane for each row") };
    let (cols, size) = (x.len() / T, const { Format::ALL[FORMAT].block_bytes() });
    assert!(
        sums.len() == T && x.len() == T * cols && stream.len() == cols * GROUP_ROWS * size,
        "T tokens, one weight for each row and k"
    );
    // SAFETY: the caller's promise; by the assertions, each vector of weights lies within `stream`,
    // x[k] of each token within `x`, and each vector of sums within the sixteen of its token.
    unsafe {
        let mut acc = [[F::splat(0.0); V]; T];
        for k in 0..cols {
            for v in 0..V {
                let at = stream.as_ptr().add((k * GROUP_ROWS + F::LANES * v) * size);
                let w = if FORMAT == Format::F32 as usize {
                    F::load(at.cast())
                } else if FORMAT == Format::F16 as usize {
                    F::load_f16(at.cast())
                } else {
                    F::load_bf16(at.cast())
                };
                for t in 0..T {
                    acc[t][v] = w.fma(F::splat(*x.get_unchecked(t * cols + k)), acc[t][v]);
                }
            }
        }
        for (sums, acc) in sums.iter_mut().zip(&acc) {
            for (v, acc) in acc.iter().enumerate() {
                acc.store(sums.as_mut_ptr().add(F::LANES * v));
            }
        }
    }
}
