//! What one layer reads by n-grams: rows of a table by the last tokens, which the streams get as
//! far as they are alike, and a convolution over them.

use kelvin_kernels::{
    exp::exp,
    gate::{Activation, activate},
    matmul::{Product, matmul},
    norm::rms_norm_in_place,
    recurrence::add_products,
};

use super::super::{Append, LayerConfig, Model, NgramConfig, Scratch, weights::Ngrams};

/// A likeness of nothing counts as this.
const LEAST: f32 = 1e-6;

impl Model {
    /// The streams += what the n-grams of each token say, in the layer that reads them.
    pub(super) fn add_ngrams(&self, c: &LayerConfig, batch: &mut [Append<'_>], s: &mut Scratch) {
        let (Some(config), Some(weights)) = (&self.config.ngrams, &self.weights.ngrams) else {
            return;
        };
        if c.block != config.layer {
            return;
        }
        self.look_up_ngrams(config, weights, batch, s);
        self.compare_ngrams(weights, s);
        self.convolve_ngrams(config, weights, batch, s);
    }

    /// gate = values and up = keys of each token's n-grams.
    fn look_up_ngrams(
        &self,
        config: &NgramConfig,
        weights: &Ngrams,
        batch: &[Append<'_>],
        s: &mut Scratch,
    ) {
        let (n, d_model, rows) = (s.rows.len(), self.config.d_model, &s.rows);
        s.input.x.resize(n * d_model, 0.0);
        self.pool.for_each_row(&mut s.input.x, d_model, &|row, x| {
            let Append { sequence, tokens, .. } = &batch[rows[row].sequence];
            let (pos, before) = (rows[row].pos, sequence.tokens());
            let token = |back: usize| {
                let at = pos.checked_sub(back)?;
                let token = before.get(at).or_else(|| tokens.get(at - before.len()));
                token.map(|token| token.0)
            };
            let mut list = [0; 64];
            let list = &mut list[..config.heads.len()];
            config.rows(token, list);
            for (x, row) in x.chunks_exact_mut(config.width).zip(list) {
                weights.table.row(*row, x);
            }
        });
        let formats = [weights.key.format(), weights.value.format()];
        s.input.quantize(&self.pool, self.isa, d_model, formats);
        s.up.resize(n * weights.key.rows(), 0.0);
        s.gate.resize(n * d_model, 0.0);
        let products = &mut [
            Product { weights: &weights.key, out: &mut s.up },
            Product { weights: &weights.value, out: &mut s.gate },
        ];
        matmul(&self.pool, self.isa, &s.input, n, products, &[]);
    }

    /// up = values by how much the norms of keys and streams are alike; input = its norms.
    fn compare_ngrams(&self, weights: &Ngrams, s: &mut Scratch) {
        let d_model = self.config.d_model;
        let n_streams = weights.key.rows() / d_model;
        let norm = |part: usize, i: usize, x: &mut [f32]| {
            let weights = &weights.norms[part][i % n_streams * d_model..][..d_model];
            rms_norm_in_place(self.isa, x, weights, self.config.norm_eps);
        };
        s.input.x.clone_from(&s.streams);
        self.pool.for_each_row(&mut s.input.x, d_model, &|i, x| norm(1, i, x));
        let (queries, values) = (&s.input.x, &s.gate);
        let scale = 1.0 / (d_model as f32).sqrt();
        self.pool.for_each_row(&mut s.up, d_model, &|i, key| {
            norm(0, i, key);
            let products = key.iter().zip(&queries[i * d_model..]).map(|(k, q)| k * q);
            let likeness = products.sum::<f32>() * scale;
            let root = likeness.abs().max(LEAST).sqrt();
            let signed = if likeness == 0.0 { 0.0 } else { root.copysign(likeness) };
            let gate = 1.0 / (1.0 + exp(-signed));
            let values = &values[i / n_streams * d_model..];
            key.iter_mut().zip(values).for_each(|(x, value)| *x = value * gate);
        });
        s.input.x.clone_from(&s.up);
        self.pool.for_each_row(&mut s.input.x, d_model, &|i, x| norm(2, i, x));
    }

    /// The streams += up + silu(convolution of input), whose taps lie as many tokens apart as the
    /// longest n-gram has. The last inputs are stored for the next tokens.
    fn convolve_ngrams(
        &self,
        config: &NgramConfig,
        weights: &Ngrams,
        batch: &mut [Append<'_>],
        s: &mut Scratch,
    ) {
        let (rows, inputs, width) = (&s.rows, &s.input.x, weights.key.rows());
        let end = self.config.state_numbers() - self.config.compressor_numbers();
        let (tail, reach) = (end - self.config.ngram_tail_len()..end, config.reach());
        s.gate.resize(inputs.len(), 0.0);
        let texts = &*batch;
        self.pool.for_each_row(&mut s.gate, width, &|row, out| {
            let sequence = &*texts[rows[row].sequence].sequence;
            let at = rows[row].pos - sequence.len();
            let states = sequence.states().expect("the model has recurrent layers");
            let tail = states.numbers(tail.clone());
            out.fill(0.0);
            for (tap, weights) in weights.taps.chunks_exact(width).enumerate() {
                let later = tap * config.longest;
                let input = match (at + later).checked_sub(reach) {
                    Some(i) => &inputs[(row - at + i) * width..][..width],
                    None => &tail[(at + later) * width..][..width],
                };
                add_products(self.isa, weights, input, out);
            }
            activate(self.isa, Activation::Silu, out);
        });
        let (values, convolved) = (&s.up, &s.gate);
        self.pool.for_each_row(&mut s.streams, width, &|row, streams| {
            let more = values[row * width..].iter().zip(&convolved[row * width..]);
            streams.iter_mut().zip(more).for_each(|(x, (value, more))| *x += value + more);
        });
        if reach > 0 {
            self.keep_last(inputs, width, tail, rows, batch);
        }
    }
}
