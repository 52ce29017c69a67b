//! Several streams in the place of one (hyper-connections, arXiv 2409.19606): each half of a layer
//! reads a sum of them, and adds what it makes to all, by weights that depend on the streams.

use kelvin_kernels::{
    exp::exp,
    matmul::{Product, matmul},
    norm::rms_norm_in_place,
};

use super::super::{Model, Scratch, weights::Hyper};

impl Model {
    /// Every stream is the embedding.
    pub(super) fn start_streams(&self, s: &mut Scratch) {
        let (Some(hyper), d_model) = (&self.config.hyper, self.config.d_model) else { return };
        s.streams.resize(s.x.len() * hyper.n_streams, 0.0);
        let x = &s.x;
        self.pool.for_each_row(&mut s.streams, d_model, &|i, stream| {
            stream.copy_from_slice(&x[i / hyper.n_streams * d_model..][..d_model]);
        });
    }

    /// x = the sum of the streams by weights, and the weights of what will be added.
    pub(super) fn read_streams(&self, weights: &Hyper, s: &mut Scratch) {
        let (Some(hyper), d_model) = (&self.config.hyper, self.config.d_model) else { return };
        let (n, width) = (s.rows.len(), hyper.n_streams * d_model);
        s.input.x.clone_from(&s.streams);
        let ones = &weights.ones;
        self.pool.for_each_row(&mut s.input.x, width, &|_, x| {
            rms_norm_in_place(self.isa, x, ones, self.config.norm_eps);
        });
        s.input.quantize(&self.pool, self.isa, width, [weights.mix.format()]);
        let n_mixes = weights.mix.rows();
        s.stream_weights.resize(n * n_mixes, 0.0);
        let products = &mut [Product { weights: &weights.mix, out: &mut s.stream_weights }];
        matmul(&self.pool, self.isa, &s.input, n, products, &[]);
        self.pool.for_each_row(&mut s.stream_weights, n_mixes, &|_, row| {
            for (i, x) in row.iter_mut().enumerate() {
                let part = i / hyper.n_streams;
                let magnitude = if part == 0 { 1.0 } else { hyper.magnitude };
                let mixed = *x * weights.scale[part] + weights.base[i];
                *x = magnitude * (1.0 / (1.0 + exp(-mixed))) + hyper.eps;
            }
        });
        let (streams, shares) = (&s.streams, &s.stream_weights);
        self.pool.for_each_row(&mut s.x, d_model, &|row, x| {
            x.fill(0.0);
            let streams = streams[row * width..(row + 1) * width].chunks_exact(d_model);
            for (stream, share) in streams.zip(&shares[row * n_mixes..]) {
                x.iter_mut().zip(stream).for_each(|(x, stream)| *x += stream * share);
            }
        });
    }

    /// Each stream += delta by its weight.
    pub(super) fn add_to_streams(&self, s: &mut Scratch) {
        let (Some(hyper), d_model) = (&self.config.hyper, self.config.d_model) else { return };
        let n_streams = hyper.n_streams;
        let (delta, shares) = (&s.delta, &s.stream_weights);
        self.pool.for_each_row(&mut s.streams, d_model, &|i, stream| {
            let (row, number) = (i / n_streams, i % n_streams);
            let share = shares[row * 2 * n_streams + n_streams + number];
            stream.iter_mut().zip(&delta[row * d_model..]).for_each(|(x, d)| *x += d * share);
        });
    }
}
