//! What Mamba's state takes in: keys, queries and steps are made of the convolution's output.

use kelvin_kernels::matmul::{Product, matmul};

use super::super::{Model, RecurrentConfig, Scratch, weights::Selective};

impl Model {
    /// low = keys and queries, rate = steps before their bias.
    pub(super) fn select(&self, c: &RecurrentConfig, selective: &Selective, s: &mut Scratch) {
        let (n, r, width) = (s.rows.len(), &mut s.recurrent, selective.low.rows());
        s.input.x.clone_from(&r.convolved);
        s.input.quantize(&self.pool, self.isa, c.channels, [selective.low.format()]);
        r.low.resize(n * width, 0.0);
        let products = &mut [Product { weights: &selective.low, out: &mut r.low }];
        matmul(&self.pool, self.isa, &s.input, n, products, &[&selective.steps]);
        let widths = [c.ranks[0], c.key_dim, c.key_dim];
        self.pool.for_each_row(&mut r.low, width, &|_, row| {
            for ((norm, at), len) in selective.norms.iter().zip(selective.at).zip(widths) {
                self.norm_in_place(&mut row[at..at + len], norm.as_ref());
            }
        });
        let (rank, at) = (c.ranks[0], selective.at[0]);
        s.input.x.resize(n * rank, 0.0);
        let low = &r.low;
        self.pool.for_each_row(&mut s.input.x, rank, &|row, out| {
            out.copy_from_slice(&low[row * width + at..][..rank]);
        });
        s.input.quantize(&self.pool, self.isa, rank, [selective.steps.format()]);
        r.rate.resize(n * selective.steps.rows(), 0.0);
        let products = &mut [Product { weights: &selective.steps, out: &mut r.rate }];
        matmul(&self.pool, self.isa, &s.input, n, products, &[]);
    }
}
