//! Four streams in the place of one (AltUp, arXiv 2301.13310), as Gemma 3n has them. A layer mixes
//! them, works on the first and gives each a share of what it did.

use kelvin_kernels::{
    matmul::{Product, matmul},
    matrix::WeightMatrix,
};

use super::super::{
    Model, Scratch,
    weights::{After, Attention, Layer, LayerStreams, N_STREAMS},
};

/// Where activations are sparse, a number has to be so many standard deviations above the mean to
/// count. One of twenty is.
const SPARSE_ABOVE: f64 = 1.644_853_353_500_366_2;

impl Model {
    /// The streams: the embedding, and products of it that are made as long as it is.
    pub(super) fn spread_streams(&self, s: &mut Scratch) {
        let Some(weights) = &self.weights.streams else { return };
        let (n, d_model) = (s.rows.len(), self.config.d_model);
        s.streams.resize(n * N_STREAMS * d_model, 0.0);
        self.normed_input(None, weights.spread.iter(), s);
        let x = &s.x;
        self.pool.for_each_row(&mut s.streams, N_STREAMS * d_model, &|row, streams| {
            streams[..d_model].copy_from_slice(&x[row * d_model..(row + 1) * d_model]);
        });
        for (i, matrix) in (1..).zip(&weights.spread) {
            s.delta.resize(s.x.len(), 0.0);
            let products = &mut [Product { weights: matrix, out: &mut s.delta }];
            matmul(&self.pool, self.isa, &s.input, n, products, &[]);
            let delta = &s.delta;
            self.pool.for_each_row(&mut s.streams, N_STREAMS * d_model, &|row, streams| {
                let (first, others) = streams.split_at_mut(d_model);
                let stream = &mut others[(i - 1) * d_model..i * d_model];
                stream.copy_from_slice(&delta[row * d_model..(row + 1) * d_model]);
                make_as_long(stream, first);
            });
        }
    }

    /// x = the mean of the streams, the others taken back and made as long as the first.
    pub(super) fn gather_streams(&self, s: &mut Scratch) {
        let Some(weights) = &self.weights.streams else { return };
        let d_model = self.config.d_model;
        copy_stream(self, 0, &s.streams, &mut s.x);
        for (i, matrix) in (1..).zip(&weights.gather) {
            s.input.x.resize(s.x.len(), 0.0);
            copy_stream(self, i, &s.streams, &mut s.input.x);
            self.product_of_input(matrix, s, &[]);
            let streams = &s.streams;
            self.pool.for_each_row(&mut s.delta, d_model, &|row, stream| {
                make_as_long(stream, &streams[row * N_STREAMS * d_model..][..d_model]);
            });
            self.add_to_stream(&s.delta, &mut s.x);
        }
        let share = 1.0 / N_STREAMS as f32;
        self.pool.for_each_row(&mut s.x, d_model, &|_, x| x.iter_mut().for_each(|x| *x *= share));
    }

    /// Each stream takes in a mix of all of them; x = the first one. The low-rank layer's output
    /// waits in `low_rank`.
    pub(super) fn begin_streams(&self, layer: &Layer, attention: &Attention, s: &mut Scratch) {
        let Some(weights) = &layer.streams else { return };
        let d_model = self.config.d_model;
        copy_stream(self, 0, &s.streams, &mut s.x);
        self.router_input(weights, s);
        let input = &s.input.x;
        self.pool.for_each_row(&mut s.streams, N_STREAMS * d_model, &|row, streams| {
            let numbers = router(weights, &input[row * d_model..(row + 1) * d_model]);
            let mix: [[f32; N_STREAMS]; N_STREAMS] = std::array::from_fn(|b| {
                std::array::from_fn(|a| {
                    let at = (b * N_STREAMS + a) * N_STREAMS;
                    dot(&weights.predict[at..at + N_STREAMS], &numbers)
                })
            });
            for e in 0..d_model {
                let old: [f32; N_STREAMS] = std::array::from_fn(|a| streams[a * d_model + e]);
                for (b, mix) in mix.iter().enumerate() {
                    streams[b * d_model + e] = old[b] + dot(mix, &old);
                }
            }
        });
        copy_stream(self, 0, &s.streams, &mut s.x);
        self.low_rank(weights, attention, s);
    }

    /// low_rank = input + norm(high · low · input) of what attention reads.
    fn low_rank(&self, weights: &LayerStreams, attention: &Attention, s: &mut Scratch) {
        let n = s.rows.len();
        self.normed_input(attention.norm.as_ref(), [&weights.low], s);
        s.low_rank.clone_from(&s.input.x);
        s.gate.resize(n * weights.low.rows(), 0.0);
        let products = &mut [Product { weights: &weights.low, out: &mut s.gate }];
        matmul(&self.pool, self.isa, &s.input, n, products, &[&weights.high]);
        std::mem::swap(&mut s.input.x, &mut s.gate);
        self.product_of_input(&weights.high, s, &[]);
        self.finish_delta(&After::default(), Some(&weights.low_rank_norm), s);
        self.add_to_stream(&s.delta, &mut s.low_rank);
    }

    /// x = (x + low_rank) / sqrt(2), after attention.
    pub(super) fn add_low_rank(&self, layer: &Layer, s: &mut Scratch) {
        if layer.streams.is_none() {
            return;
        }
        self.add_to_stream(&s.low_rank, &mut s.x);
        let half = 1.0 / 2.0_f32.sqrt();
        self.pool.for_each_row(&mut s.x, self.config.d_model, &|_, x| {
            x.iter_mut().for_each(|x| *x *= half);
        });
    }

    /// Each stream takes a share of what the layer made of the first one, and all but the first
    /// what comes of the embedding for this layer.
    pub(super) fn finish_streams(&self, block: usize, layer: &Layer, s: &mut Scratch) {
        let Some(weights) = &layer.streams else { return };
        let d_model = self.config.d_model;
        self.router_input(weights, s);
        let (input, x) = (&s.input.x, &s.x);
        self.pool.for_each_row(&mut s.streams, N_STREAMS * d_model, &|row, streams| {
            let of_row = row * d_model..(row + 1) * d_model;
            let numbers = router(weights, &input[of_row.clone()]);
            let shares: [f32; N_STREAMS] = std::array::from_fn(|b| {
                dot(&weights.correct[b * N_STREAMS..(b + 1) * N_STREAMS], &numbers) + 1.0
            });
            for (e, x) in x[of_row].iter().enumerate() {
                let done = x - streams[e];
                for (b, share) in shares.iter().enumerate() {
                    streams[b * d_model + e] += done * share;
                }
            }
        });
        copy_stream(self, 0, &s.streams, &mut s.x);
        self.pool.for_each_row(&mut s.x, d_model, &|_, x| {
            x.iter_mut().zip(&weights.correct_scale).for_each(|(x, scale)| *x *= scale);
        });
        self.embedding_of_layer(block, layer, s);
        let delta = &s.delta;
        self.pool.for_each_row(&mut s.streams, N_STREAMS * d_model, &|row, streams| {
            let delta = &delta[row * d_model..(row + 1) * d_model];
            for stream in streams.chunks_exact_mut(d_model).skip(1) {
                stream.iter_mut().zip(delta).for_each(|(x, delta)| *x += delta);
            }
        });
    }

    /// input = norm(x) / d_model, which a layer's router reads.
    fn router_input(&self, weights: &LayerStreams, s: &mut Scratch) {
        let d_model = self.config.d_model;
        self.normed_input(Some(&weights.router_norm), None::<&WeightMatrix>, s);
        let share = 1.0 / d_model as f32;
        self.pool.for_each_row(&mut s.input.x, d_model, &|_, x| {
            x.iter_mut().for_each(|x| *x *= share);
        });
    }
}

/// Leaves of a row of gates what lies far above its mean.
pub(super) fn thin_out(gates: &mut [f32]) {
    let n = gates.len() as f64;
    let mean = gates.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
    let squares: f64 = gates.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum();
    let least = (mean + (squares / (n - 1.0)).sqrt() * SPARSE_ABOVE) as f32;
    gates.iter_mut().for_each(|x| *x = (*x - least).max(0.0));
}

/// Stream `i` of each row.
fn copy_stream(model: &Model, i: usize, streams: &[f32], out: &mut [f32]) {
    let d_model = model.config.d_model;
    model.pool.for_each_row(out, d_model, &|row, out| {
        out.copy_from_slice(&streams[(row * N_STREAMS + i) * d_model..][..d_model]);
    });
}

/// The router's number for each stream.
fn router(weights: &LayerStreams, input: &[f32]) -> [f32; N_STREAMS] {
    std::array::from_fn(|i| {
        let row = &weights.router[i * input.len()..(i + 1) * input.len()];
        libm::tanh(f64::from(dot(row, input))) as f32
    })
}

/// One sum in f64, in order.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32
}

/// Scales `x` to the length of `other`.
fn make_as_long(x: &mut [f32], other: &[f32]) {
    let length = |x: &[f32]| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let factor = (length(other) / length(x)) as f32;
    x.iter_mut().for_each(|x| *x *= factor);
}
