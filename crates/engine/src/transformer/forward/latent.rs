//! Queries, keys and values of latent attention (MLA, arXiv 2405.04434).
//!
//! A head's keys and values are products of few numbers, which a token has once. Files of the
//! expanded kind have one matrix that makes keys and values of all heads. Those of the absorbed
//! kind have each head's matrices by themselves: q·(K·low) is (Kᵀ·q)·low and Σ w·(V·low) is V·(Σ
//! w·low), so all heads attend to the low numbers, and the KV cache holds nothing else.

use kelvin_kernels::{
    matmul::{ExpertProduct, ExpertRows, Product, matmul, matmul_experts},
    matrix::WeightMatrix,
    rope::rotate,
};

use super::super::{
    LayerConfig, Model, Scratch,
    weights::{Latent, Norm, Spread},
};

/// The widths of one layer.
#[derive(Clone, Copy)]
struct Widths {
    /// What keys and values are made of.
    kv_rank: usize,
    /// The part of a key that is rotated and serves all heads.
    rotated: usize,
    /// The rest of a key.
    own: usize,
}

impl Model {
    /// Queries, keys and values of one layer.
    pub(super) fn project_latent(&self, c: &LayerConfig, latent: &Latent, s: &mut Scratch) {
        let n = s.rows.len();
        let kv_rank = latent.kv_norm.weight.len();
        let rotated = latent.kv_low.rows() - kv_rank;
        let own = latent.q.rows() / c.n_heads - rotated;
        let widths = Widths { kv_rank, rotated, own };
        s.q.resize(n * latent.q.rows(), 0.0);
        s.v.resize(n * latent.kv_low.rows(), 0.0);
        let kv_low = Product { weights: &latent.kv_low, out: &mut s.v };
        let next = latent.spread.first();
        let next = next.as_slice();
        match &latent.q_low {
            Some((low, norm)) => {
                s.gate.resize(n * low.rows(), 0.0);
                let q_low = Product { weights: low, out: &mut s.gate };
                matmul(&self.pool, self.isa, &s.input, n, &mut [q_low, kv_low], &[&latent.q]);
                self.take_normed(low.rows(), norm, &latent.q, s);
                let q = Product { weights: &latent.q, out: &mut s.q };
                matmul(&self.pool, self.isa, &s.input, n, &mut [q], next);
            }
            None => {
                let q = Product { weights: &latent.q, out: &mut s.q };
                matmul(&self.pool, self.isa, &s.input, n, &mut [q, kv_low], next);
            }
        }
        self.turn_queries(c, widths, s);
        match &latent.spread {
            Spread::Expanded(kv) => self.spread_heads(c, widths, &latent.kv_norm, kv, s),
            Spread::Absorbed { keys, .. } => self.absorb(c, widths, latent, keys, s),
        }
    }

    /// input = norm(gate), ready for a product with `weights`.
    pub(super) fn take_normed(
        &self,
        width: usize,
        norm: &Norm,
        weights: &WeightMatrix,
        s: &mut Scratch,
    ) {
        self.pool.for_each_row(&mut s.gate, width, &|_, x| self.norm_in_place(x, Some(norm)));
        std::mem::swap(&mut s.input.x, &mut s.gate);
        s.input.quantize(&self.pool, self.isa, width, [weights.format()]);
    }

    /// Rotates the last numbers of queries, and multiplies queries with their temperature.
    fn turn_queries(&self, c: &LayerConfig, Widths { rotated, own, .. }: Widths, s: &mut Scratch) {
        let (rows, angles) = (&s.rows, self.angles_of(c, &s.angles));
        let key_dim = own + rotated;
        self.pool.for_each_row(&mut s.q, c.n_heads * key_dim, &|row, heads| {
            for head in heads.chunks_exact_mut(key_dim) {
                self.turn(angles, rows[row].pos, &mut head[own..]);
            }
            if let Some(temperature) = self.config.temperature {
                let factor = temperature.at(rows[row].pos);
                heads.iter_mut().for_each(|x| *x *= factor);
            }
        });
    }

    /// Keys and values of all heads.
    fn spread_heads(
        &self,
        c: &LayerConfig,
        Widths { kv_rank, rotated, own }: Widths,
        norm: &Norm,
        kv: &WeightMatrix,
        s: &mut Scratch,
    ) {
        let (n, kv_width) = (s.rows.len(), kv_rank + rotated);
        s.gate.resize(n * kv_rank, 0.0);
        let low = &s.v;
        self.pool.for_each_row(&mut s.gate, kv_rank, &|row, out| {
            out.copy_from_slice(&low[row * kv_width..][..kv_rank]);
        });
        self.take_normed(kv_rank, norm, kv, s);
        s.gate.resize(n * kv.rows(), 0.0);
        let products = &mut [Product { weights: kv, out: &mut s.gate }];
        matmul(&self.pool, self.isa, &s.input, n, products, &[]);
        let (rows, angles) = (&s.rows, self.angles_of(c, &s.angles));
        let (d_k, width) = (c.n_heads * c.head_dim, own + c.value_dim);
        s.k.resize(n * d_k, 0.0);
        let (low, products) = (&s.v, &s.gate);
        self.pool.for_each_row(&mut s.k, d_k, &|row, heads| {
            let shared = &low[row * kv_width + kv_rank..][..rotated];
            let parts = products[row * c.n_heads * width..].chunks_exact(width);
            for (head, part) in heads.chunks_exact_mut(c.head_dim).zip(parts) {
                head[..own].copy_from_slice(&part[..own]);
                head[own..].copy_from_slice(shared);
                self.turn(angles, rows[row].pos, &mut head[own..]);
            }
        });
        s.v.resize(n * c.n_heads * c.value_dim, 0.0);
        self.pool.for_each_row(&mut s.v, c.value_dim, &|head, value| {
            value.copy_from_slice(&products[head * width + own..][..c.value_dim]);
        });
    }

    /// Queries as far as the low numbers, which are keys, together with the rotated part, and
    /// values.
    fn absorb(
        &self,
        c: &LayerConfig,
        Widths { kv_rank, rotated, own }: Widths,
        latent: &Latent,
        keys: &[WeightMatrix],
        s: &mut Scratch,
    ) {
        let (n, n_heads, key_dim) = (s.rows.len(), c.n_heads, own + rotated);
        s.input.x.resize(n * n_heads * own, 0.0);
        let queries = &s.q;
        self.pool.for_each_row(&mut s.input.x, own, &|i, out| {
            let (head, row) = (i / n, i % n);
            out.copy_from_slice(&queries[(row * n_heads + head) * key_dim..][..own]);
        });
        self.product_of_heads(n_heads, keys, s);
        s.up.resize(n * n_heads * c.head_dim, 0.0);
        let (queries, absorbed) = (&s.q, &s.gate);
        self.pool.for_each_row(&mut s.up, c.head_dim, &|i, out| {
            let (row, head) = (i / n_heads, i % n_heads);
            out[..kv_rank].copy_from_slice(&absorbed[(head * n + row) * kv_rank..][..kv_rank]);
            out[kv_rank..].copy_from_slice(&queries[i * key_dim + own..][..rotated]);
        });
        std::mem::swap(&mut s.q, &mut s.up);
        let (rows, angles, low) = (&s.rows, self.angles_of(c, &s.angles), &s.v);
        s.k.resize(n * c.head_dim, 0.0);
        self.pool.for_each_row(&mut s.k, c.head_dim, &|row, key| {
            key.copy_from_slice(&low[row * c.head_dim..][..c.head_dim]);
            self.norm_in_place(&mut key[..kv_rank], Some(&latent.kv_norm));
            self.norm_in_place(&mut key[kv_rank..], latent.key_norm.as_ref());
            self.turn(angles, rows[row].pos, &mut key[kv_rank..]);
        });
        s.v.resize(n * kv_rank, 0.0);
        let keys = &s.k;
        self.pool.for_each_row(&mut s.v, kv_rank, &|row, value| {
            value.copy_from_slice(&keys[row * c.head_dim..][..kv_rank]);
        });
    }

    /// The values of all heads, of what they found among the low numbers.
    pub(super) fn values_of_heads(&self, latent: &Latent, s: &mut Scratch) {
        if let Spread::Absorbed { values, .. } = &latent.spread {
            self.each_through(values, s);
        }
    }

    /// input = each token's parts multiplied with a matrix each.
    pub(super) fn each_through(&self, weights: &[WeightMatrix], s: &mut Scratch) {
        let (n, n_parts) = (s.rows.len(), weights.len());
        let (width, made) = (weights[0].cols(), weights[0].rows());
        s.gate.resize(s.input.x.len(), 0.0);
        let found = &s.input.x;
        self.pool.for_each_row(&mut s.gate, width, &|i, out| {
            let (part, row) = (i / n, i % n);
            out.copy_from_slice(&found[(row * n_parts + part) * width..][..width]);
        });
        std::mem::swap(&mut s.input.x, &mut s.gate);
        self.product_of_heads(n_parts, weights, s);
        s.input.x.resize(n * n_parts * made, 0.0);
        let products = &s.gate;
        self.pool.for_each_row(&mut s.input.x, made, &|i, out| {
            let (row, part) = (i / n_parts, i % n_parts);
            out.copy_from_slice(&products[(part * n + row) * made..][..made]);
        });
    }

    /// gate = input with each head's rows multiplied by its matrix; both are `[head][row]`.
    fn product_of_heads(&self, n_heads: usize, weights: &[WeightMatrix], s: &mut Scratch) {
        let n = s.rows.len();
        s.head_rows.clear();
        s.head_rows.extend((0..n_heads).map(|head| ExpertRows {
            expert: head,
            first: head * n,
            n,
        }));
        let ends = s.head_rows.iter().map(|rows| rows.first + rows.n);
        let (matrix, formats) = (&weights[0], [weights[0].format()]);
        s.input.quantize_groups(&self.pool, self.isa, matrix.cols(), formats, ends);
        s.gate.resize(n_heads * n * matrix.rows(), 0.0);
        let products = &mut [ExpertProduct { weights, out: &mut s.gate }];
        matmul_experts(&self.pool, self.isa, &s.input, &s.head_rows, products, &[]);
    }

    /// The cosines and sines of a layer, if it rotates.
    pub(super) fn angles_of<'a>(
        &self,
        c: &LayerConfig,
        angles: &'a [Vec<f32>],
    ) -> Option<&'a [f32]> {
        c.rope.map(|rope| angles[rope].as_slice())
    }

    /// Rotates all numbers of `part` by the angles of a position.
    pub(super) fn turn(&self, angles: Option<&[f32]>, pos: usize, part: &mut [f32]) {
        let Some(angles) = angles else { return };
        let dim = part.len();
        let (cos, sin) = angles[pos * dim..][..dim].split_at(dim / 2);
        rotate(self.config.pairing, part, cos, sin);
    }
}
