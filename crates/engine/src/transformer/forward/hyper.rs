//! Several streams in the place of one (hyper-connections, arXiv 2409.19606): each half of a layer
//! reads a sum of them, and adds what it makes to all, by weights that depend on the streams.

use kelvin_kernels::{
    exp::exp,
    gate::{Activation, activate},
    matmul::{Product, matmul},
    norm::rms_norm_in_place,
};

use super::super::{
    HyperRule, Model, Scratch,
    config::MAX_STREAMS,
    weights::{Hyper, KeptSums, StreamGates, StreamWeights},
};

impl Model {
    /// Every stream is the embedding. Sums that are kept come later.
    pub(super) fn start_streams(&self, s: &mut Scratch) {
        let (Some(hyper), d_model) = (&self.config.hyper, self.config.d_model) else { return };
        s.streams.resize(s.x.len() * hyper.n_streams, 0.0);
        let x = &s.x;
        self.pool.for_each_row(&mut s.streams, d_model, &|i, stream| {
            stream.copy_from_slice(&x[i / hyper.n_streams * d_model..][..d_model]);
        });
    }

    /// x = what a half of a layer, or the output, reads.
    pub(super) fn read_streams(&self, weights: &Hyper, s: &mut Scratch) {
        let (Some(hyper), d_model) = (&self.config.hyper, self.config.d_model) else { return };
        let width = hyper.n_streams * d_model;
        match weights {
            Hyper::Weighted(weights) => self.read_weighted(weights, s),
            Hyper::Gated(gates) => self.read_gated(gates, s),
            Hyper::Kept(sums) => self.read_kept(sums, s),
            Hyper::Mean => {
                let streams = &s.streams;
                self.pool.for_each_row(&mut s.x, d_model, &|row, x| {
                    x.fill(0.0);
                    for stream in streams[row * width..][..width].chunks_exact(d_model) {
                        x.iter_mut().zip(stream).for_each(|(x, stream)| *x += stream);
                    }
                    x.iter_mut().for_each(|x| *x /= hyper.n_streams as f32);
                });
            }
        }
    }

    /// x = the sum of the streams by weights; the weights of what will be added and mixed.
    fn read_weighted(&self, weights: &StreamWeights, s: &mut Scratch) {
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
                let part = (i / hyper.n_streams).min(weights.scale.len() - 1);
                let mixed = *x * weights.scale[part] + weights.base[i];
                *x = match hyper.rule {
                    HyperRule::Weighted { eps, magnitude } => {
                        let magnitude = if part == 0 { 1.0 } else { magnitude };
                        magnitude * (1.0 / (1.0 + exp(-mixed))) + eps
                    }
                    HyperRule::Mixed { eps, .. } if part == 0 => 1.0 / (1.0 + exp(-mixed)) + eps,
                    _ if part == 1 => 2.0 * (1.0 / (1.0 + exp(-mixed))),
                    _ => mixed,
                };
            }
            if let HyperRule::Mixed { eps, iterations } = hyper.rule
                && n_mixes > hyper.n_streams
            {
                balance(&mut row[2 * hyper.n_streams..], hyper.n_streams, eps, iterations);
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

    /// x = the mean of the streams' norms, each number by its gate; the weights of what will be
    /// added.
    fn read_gated(&self, gates: &StreamGates, s: &mut Scratch) {
        let (Some(hyper), d_model) = (&self.config.hyper, self.config.d_model) else { return };
        let (n, n_streams, width) = (s.rows.len(), hyper.n_streams, hyper.n_streams * d_model);
        let (share, rank) = (1.0 / n_streams as f32, gates.down.rows());
        s.input.x.clone_from(&s.streams);
        self.pool.for_each_row(&mut s.input.x, d_model, &|i, x| {
            let weights = &gates.norms[i % n_streams * d_model..][..d_model];
            rms_norm_in_place(self.isa, x, weights, self.config.norm_eps);
        });
        let formats = [&gates.down].into_iter().chain(&gates.inject).map(|m| m.format());
        s.input.quantize(&self.pool, self.isa, width, formats);
        s.gate.resize(n * rank, 0.0);
        let down = Product { weights: &gates.down, out: &mut s.gate };
        match &gates.inject {
            None => matmul(&self.pool, self.isa, &s.input, n, &mut [down], &[&gates.up]),
            Some(weights) => {
                s.stream_weights.resize(n * n_streams, 0.0);
                let inject = Product { weights, out: &mut s.stream_weights };
                matmul(&self.pool, self.isa, &s.input, n, &mut [down, inject], &[&gates.up]);
                self.pool.for_each_row(&mut s.stream_weights, n_streams, &|_, row| {
                    row.iter_mut().for_each(|x| *x = 2.0 * (1.0 / (1.0 + exp(-(*x * share)))));
                });
            }
        }
        self.pool.for_each_row(&mut s.gate, rank, &|_, row| {
            row.iter_mut().for_each(|x| *x *= share);
            activate(self.isa, Activation::Silu, row);
        });
        std::mem::swap(&mut s.input.x, &mut s.gate);
        s.input.quantize(&self.pool, self.isa, rank, [gates.up.format()]);
        s.up.resize(n * width, 0.0);
        let products = &mut [Product { weights: &gates.up, out: &mut s.up }];
        matmul(&self.pool, self.isa, &s.input, n, products, &[]);
        let (norms, open) = (&s.gate, &s.up);
        self.pool.for_each_row(&mut s.x, d_model, &|row, x| {
            x.fill(0.0);
            let of_row = row * width..(row + 1) * width;
            let streams = norms[of_row.clone()].chunks_exact(d_model);
            for (norm, gate) in streams.zip(open[of_row].chunks_exact(d_model)) {
                for ((x, norm), gate) in x.iter_mut().zip(norm).zip(gate) {
                    *x += norm * (1.0 / (1.0 + exp(-gate)));
                }
            }
            x.iter_mut().for_each(|x| *x *= share);
        });
    }

    /// x = the mean of the stream and the sums kept so far, by the softmax of their scores.
    fn read_kept(&self, sums: &KeptSums, s: &mut Scratch) {
        let (Some(hyper), d_model) = (&self.config.hyper, self.config.d_model) else { return };
        let (n_streams, width) = (hyper.n_streams, hyper.n_streams * d_model);
        let n = sums.n_kept + 1;
        s.stream_weights.resize(s.streams.len() / d_model, 0.0);
        s.input.x.clone_from(&s.streams);
        self.pool.for_each_row(&mut s.input.x, d_model, &|i, x| {
            if i % n_streams < n {
                rms_norm_in_place(self.isa, x, &sums.score, self.config.norm_eps);
            }
        });
        let products = &s.input.x;
        self.pool.for_each_row(&mut s.stream_weights, n_streams, &|row, shares| {
            let products = products[row * width..].chunks_exact(d_model);
            for (share, products) in shares[..n].iter_mut().zip(products) {
                *share = products.iter().sum();
            }
            softmax(&mut shares[..n]);
        });
        let (streams, shares) = (&s.streams, &s.stream_weights);
        self.pool.for_each_row(&mut s.x, d_model, &|row, x| {
            let (streams, shares) = (&streams[row * width..], &shares[row * n_streams..]);
            x.fill(0.0);
            // Sums come first, in the order in which they were kept; without any, x is the stream.
            for i in (1..n).chain([0]) {
                let stream = &streams[i * d_model..][..d_model];
                x.iter_mut().zip(stream).for_each(|(x, stream)| *x += stream * shares[i]);
            }
        });
    }

    /// The streams get delta, each by its weight.
    pub(super) fn add_to_streams(&self, weights: &Hyper, s: &mut Scratch) {
        let (Some(hyper), d_model) = (&self.config.hyper, self.config.d_model) else { return };
        let (n, width, delta) = (hyper.n_streams, hyper.n_streams * d_model, &s.delta);
        if let Hyper::Kept(sums) = weights {
            return self.pool.for_each_row(&mut s.streams, width, &|row, streams| {
                let delta = &delta[row * d_model..][..d_model];
                if sums.keeps {
                    streams.copy_within(..d_model, (sums.n_kept + 1) * d_model);
                    streams[..d_model].copy_from_slice(delta);
                } else {
                    streams[..d_model].iter_mut().zip(delta).for_each(|(x, delta)| *x += delta);
                }
            });
        }
        let shares = &s.stream_weights;
        match hyper.rule {
            HyperRule::Mixed { .. } => {
                let n_mixes = (2 + n) * n;
                self.pool.for_each_row(&mut s.streams, width, &|row, streams| {
                    let shares = &shares[row * n_mixes + n..(row + 1) * n_mixes];
                    mix(streams, &delta[row * d_model..][..d_model], shares);
                });
            }
            HyperRule::Weighted { .. } | HyperRule::Gated { .. } | HyperRule::Kept { .. } => {
                let (n_shares, first) = match hyper.rule {
                    HyperRule::Weighted { .. } => (2 * n, n),
                    _ => (n, 0),
                };
                self.pool.for_each_row(&mut s.streams, d_model, &|i, stream| {
                    let (row, number) = (i / n, i % n);
                    let share = shares[row * n_shares + first + number];
                    let delta = &delta[row * d_model..];
                    stream.iter_mut().zip(delta).for_each(|(x, d)| *x += d * share);
                });
            }
        }
    }
}

/// Softmax, in order.
fn softmax(x: &mut [f32]) {
    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    x.iter_mut().for_each(|x| *x = exp(*x - max));
    let sum: f32 = x.iter().sum();
    x.iter_mut().for_each(|x| *x /= sum);
}

/// Softmax of each row of an n × n matrix, then columns and rows by turns are divided by their
/// sums (Sinkhorn's algorithm). It ends with columns.
fn balance(matrix: &mut [f32], n: usize, eps: f32, iterations: usize) {
    for row in matrix.chunks_exact_mut(n) {
        softmax(row);
        row.iter_mut().for_each(|x| *x += eps);
    }
    for i in 0..iterations {
        if i > 0 {
            for row in matrix.chunks_exact_mut(n) {
                let sum = row.iter().fold(eps, |sum, x| sum + x);
                row.iter_mut().for_each(|x| *x /= sum);
            }
        }
        for column in 0..n {
            let sum = matrix[column..].iter().step_by(n).fold(eps, |sum, x| sum + x);
            matrix[column..].iter_mut().step_by(n).for_each(|x| *x /= sum);
        }
    }
}

/// Each stream = delta by its weight + the streams by a column of the matrix. Weights are one for
/// each stream, then the matrix: a row for each stream that is read.
fn mix(streams: &mut [f32], delta: &[f32], weights: &[f32]) {
    let d_model = delta.len();
    let n = streams.len() / d_model;
    let (adds, matrix) = weights.split_at(n);
    let mut before = [0.0f32; MAX_STREAMS];
    for (i, delta) in delta.iter().enumerate() {
        for (stream, x) in before[..n].iter_mut().enumerate() {
            *x = streams[stream * d_model + i];
        }
        for (to, add) in adds.iter().enumerate() {
            let mut sum = delta * add;
            for (from, x) in before[..n].iter().enumerate() {
                sum += x * matrix[from * n + to];
            }
            streams[to * d_model + i] = sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balanced_matrix_has_rows_and_columns_of_sum_1() {
        let mut matrix: Vec<f32> = (0..16).map(|i| ((i * 7) % 5) as f32 / 3.0).collect();
        balance(&mut matrix, 4, 1e-6, 30);
        for i in 0..4 {
            let row: f32 = matrix[4 * i..4 * i + 4].iter().sum();
            let column: f32 = matrix[i..].iter().step_by(4).sum();
            assert!((row - 1.0).abs() < 1e-4 && (column - 1.0).abs() < 1e-4, "{row} {column}");
        }
    }

    #[test]
    fn streams_are_mixed_by_columns() {
        let mut streams = [1.0, 2.0, 10.0, 20.0];
        mix(&mut streams, &[100.0, 200.0], &[0.5, 2.0, 1.0, 3.0, 0.0, 4.0]);
        assert_eq!(streams, [51.0, 102.0, 243.0, 486.0]);
    }
}
