//! The specification of a recurrent state's step, and of a convolution's tap.
//!
//! All but `step` and `add_products` are compiled for each instruction set as they stand: their
//! inner loops go over columns, which fill vectors.

use super::exp::exp;
use crate::fma::fma;

/// Columns of a matrix that lie together: the matrix is stored as `[value_dim / BLOCK][key_dim]
/// [BLOCK]`, the last block with the columns that are left.
pub(crate) const BLOCK: usize = 32;

/// One token of one head, as some columns see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    /// key_dim each.
    pub(crate) q: &'a [f32],
    pub(crate) k: &'a [f32],
    /// At most [`BLOCK`] columns.
    pub(crate) v: &'a [f32],
    /// One number, or key_dim.
    pub(crate) decay: &'a [f32],
    pub(crate) rate: f32,
    pub(crate) corrects: bool,
}

/// One token through the columns of one block: `state` is `[key_dim][columns]`.
#[inline(always)]
pub(crate) fn step(state: &mut [f32], token: Token<'_>, out: &mut [f32]) {
    let Token { q, k, v, decay, rate, corrects } = token;
    let width = out.len();
    let decay = |n: usize| decay[if decay.len() > 1 { n } else { 0 }];
    let mut new = [0.0f32; BLOCK];
    for i in 0..width {
        let mut read = 0.0f32;
        if corrects {
            for n in 0..k.len() {
                read = fma(state[n * width + i] * decay(n), k[n], read);
            }
        }
        new[i] = (v[i] - read) * rate;
    }
    for i in 0..width {
        let mut sum = 0.0f32;
        for n in 0..k.len() {
            let s = &mut state[n * width + i];
            *s = fma(k[n], new[i], *s * decay(n));
            sum = fma(*s, q[n], sum);
        }
        out[i] = sum;
    }
}

/// RWKV 6: out_i = Σ_n fma(bonus_n, k_n · v_i, S_ni) · q_n, then S_ni = fma(S_ni, decay_n,
/// k_n · v_i).
#[inline(always)]
pub(crate) fn read_first(state: &mut [f32], token: Token<'_>, bonus: &[f32], out: &mut [f32]) {
    let Token { q, k, v, decay, .. } = token;
    out.fill(0.0);
    for (n, row) in state.chunks_exact_mut(out.len()).enumerate() {
        for ((s, v), out) in row.iter_mut().zip(v).zip(&mut *out) {
            let new = k[n] * v;
            *out = fma(fma(bonus[n], new, *s), q[n], *out);
            *s = fma(*s, decay[n], new);
        }
    }
}

/// RWKV 7: found_i = Σ_n S_ni · read_n, then S_ni = fma(write_n, found_i, fma(k_n, v_i,
/// S_ni · decay_n)) and out_i = Σ_n S_ni · q_n.
#[inline(always)]
pub(crate) fn rewrite(
    state: &mut [f32],
    token: Token<'_>,
    read: &[f32],
    write: &[f32],
    out: &mut [f32],
) {
    let Token { q, k, v, decay, .. } = token;
    let width = out.len();
    let mut found = [0.0f32; BLOCK];
    for (n, row) in state.chunks_exact(width).enumerate() {
        for (s, found) in row.iter().zip(&mut found) {
            *found = fma(*s, read[n], *found);
        }
    }
    out.fill(0.0);
    for (n, row) in state.chunks_exact_mut(width).enumerate() {
        for (((s, v), found), out) in row.iter_mut().zip(v).zip(&found).zip(&mut *out) {
            *s = fma(write[n], *found, fma(k[n], *v, *s * decay[n]));
            *out = fma(*s, q[n], *out);
        }
    }
}

/// Mamba: S_ni = fma(k_n, v_i · step_i, S_ni · exp(step_i · rate_ni)) and out_i = Σ_n S_ni · q_n.
#[inline(always)]
pub(crate) fn of_columns(
    state: &mut [f32],
    token: Token<'_>,
    rates: &[f32],
    steps: &[f32],
    out: &mut [f32],
) {
    let Token { q, k, v, .. } = token;
    let width = out.len();
    out.fill(0.0);
    let rows = state.chunks_exact_mut(width).zip(rates.chunks_exact(width));
    for (n, (row, rates)) in rows.enumerate() {
        let columns = row.iter_mut().zip(rates).zip(v).zip(steps).zip(&mut *out);
        for ((((s, rate), v), step), out) in columns {
            *s = fma(k[n], v * step, *s * exp(step * rate));
            *out = fma(*s, q[n], *out);
        }
    }
}

#[inline(always)]
pub(crate) fn add_products(a: &[f32], b: &[f32], sum: &mut [f32]) {
    for i in 0..sum.len() {
        sum[i] = fma(a[i], b[i], sum[i]);
    }
}
