//! Linear attention: what Kimi's delta rule and MiniMax's decaying matrices take in.

use kelvin_kernels::{
    exp::exp,
    gate::{Activation, activate},
    matmul::{Product, matmul},
};

use super::{
    super::{
        Model, RecurrentConfig, Scratch,
        scratch::RecurrentScratch,
        weights::{Heads, Recurrent},
    },
    recurrent::softplus,
};

impl Model {
    /// mixed = queries, keys and values side by side; decay, gate and rate before their functions.
    pub(super) fn project_kimi(&self, c: &RecurrentConfig, weights: &Recurrent, s: &mut Scratch) {
        let [q, k, v, decay, gate, rate] = weights.input.as_slice() else {
            unreachable!("Kimi's layers begin with six matrices")
        };
        let (n, inner, r) = (s.rows.len(), c.inner(), &mut s.recurrent);
        for (out, matrix) in [
            (&mut s.q, q),
            (&mut s.k, k),
            (&mut s.v, v),
            (&mut r.decay, decay),
            (&mut r.gate, gate),
            (&mut r.rate, rate),
        ] {
            out.resize(n * matrix.rows(), 0.0);
        }
        let product = |weights, out| Product { weights, out };
        let products = &mut [product(q, &mut s.q), product(k, &mut s.k), product(v, &mut s.v)];
        matmul(&self.pool, self.isa, &s.input, n, products, &[decay]);
        let products = &mut [
            product(decay, &mut r.decay),
            product(gate, &mut r.gate),
            product(rate, &mut r.rate),
        ];
        matmul(&self.pool, self.isa, &s.input, n, products, &[&weights.output]);
        for (matrix, out) in weights.spread.iter().zip([&mut r.decay, &mut r.gate]) {
            std::mem::swap(&mut s.input.x, out);
            s.input.quantize(&self.pool, self.isa, matrix.cols(), [matrix.format()]);
            out.resize(n * inner, 0.0);
            let products = &mut [Product { weights: matrix, out }];
            matmul(&self.pool, self.isa, &s.input, n, products, &[]);
        }
        r.mixed.resize(n * c.channels, 0.0);
        let parts = [&s.q, &s.k, &s.v];
        self.pool.for_each_row(&mut r.mixed, c.channels, &|row, out| {
            for (out, part) in out.chunks_exact_mut(inner).zip(parts) {
                out.copy_from_slice(&part[row * inner..(row + 1) * inner]);
            }
        });
    }

    /// decay = e^(rate of the head · softplus(x + bias)), or
    /// e^(bound · logistic(rate · (x + bias))).
    pub(super) fn decay_rows(&self, c: &RecurrentConfig, heads: &Heads, r: &mut RecurrentScratch) {
        self.pool.for_each_row(&mut r.decay, c.inner(), &|_, row| {
            for (i, x) in row.iter_mut().enumerate() {
                let (step, rate) = (*x + heads.bias[i], heads.rate[i / c.key_dim]);
                *x = exp(match c.gate_bound {
                    None => softplus(step) * rate,
                    Some(bound) => bound * (1.0 / (1.0 + exp(-(step * rate)))),
                });
            }
        });
    }

    /// convolved = silu(mixed): what heads take in without a convolution.
    pub(super) fn activate_heads(&self, c: &RecurrentConfig, s: &mut Scratch) {
        let r = &mut s.recurrent;
        std::mem::swap(&mut r.convolved, &mut r.mixed);
        self.pool.for_each_row(&mut r.convolved, 3 * c.inner(), &|_, row| {
            activate(self.isa, Activation::Silu, row);
        });
    }
}
