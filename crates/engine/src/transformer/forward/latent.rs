//! Queries, keys and values of latent attention (MLA, arXiv 2405.04434).

use kelvin_kernels::{
    matmul::{Product, matmul},
    matrix::WeightMatrix,
    rope::rotate,
};

use super::super::{
    LayerConfig, Model, Scratch,
    weights::{Latent, Norm},
};

impl Model {
    /// Queries, keys and values of one layer. A head's values are filled up with zeros to the
    /// width of its keys.
    pub(super) fn project_latent(&self, c: &LayerConfig, latent: &Latent, s: &mut Scratch) {
        let n = s.rows.len();
        let d_q = c.n_heads * c.head_dim;
        let kv_width = latent.kv_low.rows();
        let kv_rank = latent.kv.cols();
        s.q.resize(n * d_q, 0.0);
        s.v.resize(n * kv_width, 0.0);
        let kv_low = Product { weights: &latent.kv_low, out: &mut s.v };
        match &latent.q_low {
            Some((low, norm)) => {
                s.gate.resize(n * low.rows(), 0.0);
                let q_low = Product { weights: low, out: &mut s.gate };
                matmul(&self.pool, self.isa, &s.input, n, &mut [q_low, kv_low], &[&latent.q]);
                self.take_normed(low.rows(), norm, &latent.q, s);
                let q = Product { weights: &latent.q, out: &mut s.q };
                matmul(&self.pool, self.isa, &s.input, n, &mut [q], &[&latent.kv]);
            }
            None => {
                let q = Product { weights: &latent.q, out: &mut s.q };
                matmul(&self.pool, self.isa, &s.input, n, &mut [q, kv_low], &[&latent.kv]);
            }
        }
        s.gate.resize(n * kv_rank, 0.0);
        let low = &s.v;
        self.pool.for_each_row(&mut s.gate, kv_rank, &|row, out| {
            out.copy_from_slice(&low[row * kv_width..][..kv_rank]);
        });
        self.take_normed(kv_rank, &latent.kv_norm, &latent.kv, s);
        s.gate.resize(n * latent.kv.rows(), 0.0);
        let products = &mut [Product { weights: &latent.kv, out: &mut s.gate }];
        matmul(&self.pool, self.isa, &s.input, n, products, &[]);
        self.spread_heads(c, kv_width, kv_rank, s);
    }

    /// input = norm(gate), ready for a product with `weights`.
    fn take_normed(&self, width: usize, norm: &Norm, weights: &WeightMatrix, s: &mut Scratch) {
        self.pool.for_each_row(&mut s.gate, width, &|_, x| self.norm_in_place(x, Some(norm)));
        std::mem::swap(&mut s.input.x, &mut s.gate);
        s.input.quantize(&self.pool, self.isa, width, [weights.format()]);
    }

    /// Keys and values of all heads from the products in `gate` and the rotated part of keys in
    /// `v`; rotates queries.
    fn spread_heads(&self, c: &LayerConfig, kv_width: usize, kv_rank: usize, s: &mut Scratch) {
        let (n, d_q) = (s.rows.len(), c.n_heads * c.head_dim);
        let rotated = kv_width - kv_rank;
        let own = c.head_dim - rotated;
        let width = s.gate.len() / n / c.n_heads;
        let value_dim = width - own;
        let rows = &s.rows;
        let angles = c.rope.map(|rope| s.angles[rope].as_slice());
        let turn = |pos: usize, part: &mut [f32]| {
            let Some(angles) = angles else { return };
            let (cos, sin) = angles[pos * rotated..][..rotated].split_at(rotated / 2);
            rotate(self.config.pairing, part, cos, sin);
        };
        self.pool.for_each_row(&mut s.q, d_q, &|row, heads| {
            for head in heads.chunks_exact_mut(c.head_dim) {
                turn(rows[row].pos, &mut head[own..]);
            }
        });
        s.k.resize(n * d_q, 0.0);
        let (low, products) = (&s.v, &s.gate);
        self.pool.for_each_row(&mut s.k, d_q, &|row, heads| {
            let shared = &low[row * kv_width + kv_rank..][..rotated];
            let parts = products[row * c.n_heads * width..].chunks_exact(width);
            for (head, part) in heads.chunks_exact_mut(c.head_dim).zip(parts) {
                head[..own].copy_from_slice(&part[..own]);
                head[own..].copy_from_slice(shared);
                turn(rows[row].pos, &mut head[own..]);
            }
        });
        s.up.resize(n * d_q, 0.0);
        self.pool.for_each_row(&mut s.up, d_q, &|row, heads| {
            let parts = products[row * c.n_heads * width..].chunks_exact(width);
            for (head, part) in heads.chunks_exact_mut(c.head_dim).zip(parts) {
                head[..value_dim].copy_from_slice(&part[own..]);
                head[value_dim..].fill(0.0);
            }
        });
        std::mem::swap(&mut s.v, &mut s.up);
    }

    /// Leaves out what fills the heads' outputs up.
    pub(super) fn narrow_heads(&self, c: &LayerConfig, s: &mut Scratch) {
        let Some(latent) = &self.config.latent else { return };
        let width = latent.value_dim;
        let n_heads = s.input.x.len() / c.head_dim;
        for head in 0..n_heads {
            let from = head * c.head_dim;
            s.input.x.copy_within(from..from + width, head * width);
        }
        s.input.x.truncate(n_heads * width);
    }
}
