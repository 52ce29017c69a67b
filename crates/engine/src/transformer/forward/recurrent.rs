//! The recurrent part of one layer: projections, a convolution over the last tokens, and for heads
//! a matrix that every token of a text changes (`kernels::recurrence`).

use std::ops::Range;

use kelvin_kernels::{
    exp::exp,
    gate::{Activation, activate, gate},
    matmul::{Product, matmul},
    norm::rms_norm_in_place,
    recurrence::{Rows, Rule, StateHeads, StateInputs, StateRun, add_products, advance},
};

use super::super::{
    Append, LayerConfig, Model, RecurrentConfig, RecurrentKind, Scratch,
    scratch::RecurrentScratch,
    sequence::Row,
    weights::{After, Heads, Layer, Recurrent, Selective},
};

/// softplus(x) above which it is x.
const SOFTPLUS_IS_X: f32 = 20.0;

impl Model {
    /// x += recurrent(norm(x)). In a layer with attention the output waits in `beside`.
    pub(super) fn recurrent(
        &self,
        config: &LayerConfig,
        recurrent: &Recurrent,
        layer: &Layer,
        batch: &mut [Append<'_>],
        s: &mut Scratch,
    ) {
        let (Some(c), Some(number)) = (&self.config.recurrent, config.recurrent) else { return };
        let start = number * (c.tail_len() + c.matrices_len());
        let tail = start..start + c.tail_len();
        if let Some([first, _]) = &layer.hyper {
            self.read_streams(first, s);
        }
        self.half_input(recurrent.norm.as_ref(), &recurrent.input, s);
        match c.kind {
            RecurrentKind::KimiDelta => self.project_kimi(c, recurrent, s),
            _ => self.project_recurrent(recurrent, s),
        }
        self.scale_projections(recurrent, &mut s.recurrent);
        match c.kind {
            RecurrentKind::ShortConvolution => {
                let r = &mut s.recurrent;
                r.mixed.iter_mut().zip(&r.rate).for_each(|(x, gate)| *x *= gate);
                self.convolve(c, recurrent, tail.clone(), batch, s);
            }
            RecurrentKind::Lightning => self.activate_heads(c, s),
            _ => self.convolve(c, recurrent, tail.clone(), batch, s),
        }
        match &recurrent.heads {
            None => {
                let (r, width) = (&mut s.recurrent, c.channels);
                let gates = &r.gate;
                self.pool.for_each_row(&mut r.convolved, width, &|row, x| {
                    x.iter_mut().zip(&gates[row * width..]).for_each(|(x, gate)| *x *= gate);
                });
                std::mem::swap(&mut s.input.x, &mut s.recurrent.convolved);
            }
            Some(heads) => {
                if let Some(selective) = &recurrent.selective {
                    self.select(c, selective, s);
                }
                self.prepare_heads(c, heads, s);
                let matrices = tail.end..tail.end + c.matrices_len();
                self.advance(c, heads, recurrent.selective.as_ref(), matrices, batch, s);
                self.finish_state(c, heads, s);
                std::mem::swap(&mut s.input.x, &mut s.recurrent.gate);
            }
        }
        let (next, n_next) = layer.ffn_input();
        self.product_of_input(&recurrent.output, s, &next[..n_next]);
        let after = After { scale: recurrent.output_scale, bias: None };
        self.finish_delta(&after, recurrent.post_norm.as_ref(), s);
        if layer.attention.is_some() {
            std::mem::swap(&mut s.delta, &mut s.beside);
        } else if let Some([first, _]) = &layer.hyper {
            self.add_to_streams(first, s);
        } else {
            self.add_to_stream(&s.delta, &mut s.x);
        }
    }

    /// The products with the matrices that the layer begins with.
    fn project_recurrent(&self, recurrent: &Recurrent, s: &mut Scratch) {
        let (n, r) = (s.rows.len(), &mut s.recurrent);
        let outs = [&mut r.mixed, &mut r.gate, &mut r.rate, &mut r.decay];
        let mut products = recurrent.input.iter().zip(outs).map(|(weights, out)| {
            out.resize(n * weights.rows(), 0.0);
            Product { weights, out }
        });
        let next = &[&recurrent.output];
        match (products.next(), products.next(), products.next(), products.next()) {
            (Some(a), Some(b), Some(c), Some(d)) => {
                matmul(&self.pool, self.isa, &s.input, n, &mut [a, b, c, d], next);
            }
            (Some(a), Some(b), Some(c), None) => {
                matmul(&self.pool, self.isa, &s.input, n, &mut [a, b, c], next);
            }
            (Some(a), Some(b), None, _) => {
                matmul(&self.pool, self.isa, &s.input, n, &mut [a, b], next);
            }
            _ => {}
        }
    }

    /// The products with the matrices that the layer begins with, times the matrices' factors.
    fn scale_projections(&self, recurrent: &Recurrent, r: &mut RecurrentScratch) {
        let outs = [&mut r.mixed, &mut r.gate, &mut r.rate, &mut r.decay];
        for ((weights, scale), out) in recurrent.input.iter().zip(recurrent.scales).zip(outs) {
            if let Some(scale) = scale {
                self.pool.for_each_row(out, weights.rows(), &|_, row| {
                    row.iter_mut().for_each(|x| *x *= scale);
                });
            }
        }
    }

    /// convolved = activation(convolution of mixed), and the last inputs are stored for the next
    /// tokens. Each number is a sum over taps in order, one fma each, so it depends on no step.
    fn convolve(
        &self,
        c: &RecurrentConfig,
        recurrent: &Recurrent,
        tail: Range<usize>,
        batch: &mut [Append<'_>],
        s: &mut Scratch,
    ) {
        let (rows, mixed, channels) = (&s.rows, &s.recurrent.mixed, c.channels);
        let before = c.taps - 1;
        s.recurrent.convolved.resize(mixed.len(), 0.0);
        let texts = &*batch;
        self.pool.for_each_row(&mut s.recurrent.convolved, channels, &|row, out| {
            let sequence = &*texts[rows[row].sequence].sequence;
            let at = rows[row].pos - sequence.len();
            let states = sequence.states().expect("the model has recurrent layers");
            let tail = states.numbers(tail.clone());
            out.fill(0.0);
            for (tap, weights) in recurrent.taps.chunks_exact(channels).enumerate() {
                let input = match (at + tap).checked_sub(before) {
                    Some(i) => &mixed[(row - at + i) * channels..][..channels],
                    None => &tail[(at + tap) * channels..][..channels],
                };
                add_products(self.isa, weights, input, out);
            }
            super::add(out, recurrent.conv_bias.as_ref());
            if c.kind != RecurrentKind::ShortConvolution {
                activate(self.isa, Activation::Silu, out);
            }
        });
        self.keep_last(&s.recurrent.mixed, channels, tail, rows, batch);
    }

    /// Stores the last rows of `inputs` as what the next tokens see of earlier ones.
    pub(super) fn keep_last(
        &self,
        inputs: &[f32],
        width: usize,
        tail: Range<usize>,
        rows: &[Row],
        batch: &mut [Append<'_>],
    ) {
        self.pool.for_each_chunk(batch, 1, &|sequence, append| {
            let Append { sequence: to, tokens, .. } = &mut append[0];
            let first = rows.partition_point(|row| row.sequence < sequence);
            let inputs = &inputs[first * width..(first + tokens.len()) * width];
            let states = to.states_mut().expect("the model has recurrent layers");
            let (now, copies) = states.numbers_mut(tail.clone());
            for (n_rows, copy) in copies {
                copy.copy_from_slice(now);
                shift_in(copy, &inputs[..n_rows * width]);
            }
            shift_in(now, inputs);
        });
    }

    /// Rates, decays, and the norms of queries and keys under the delta rule.
    fn prepare_heads(&self, c: &RecurrentConfig, heads: &Heads, s: &mut Scratch) {
        let r = &mut s.recurrent;
        let step = |x: f32, head: usize| softplus(x + heads.bias[head]);
        match c.kind {
            RecurrentKind::DeltaNet => {
                for decays in r.decay.chunks_exact_mut(c.n_heads) {
                    for (head, x) in decays.iter_mut().enumerate() {
                        *x = exp(step(*x, head) * heads.rate[head]);
                    }
                }
                r.rate.iter_mut().for_each(|x| *x = 1.0 / (1.0 + exp(-*x)));
                self.norm_keys(c, heads, &mut r.convolved);
            }
            RecurrentKind::KimiDelta => {
                self.decay_rows(c, heads, r);
                r.rate.iter_mut().for_each(|x| *x = 1.0 / (1.0 + exp(-*x)));
                self.norm_keys(c, heads, &mut r.convolved);
            }
            RecurrentKind::Mamba => {
                self.pool.for_each_row(&mut r.rate, c.channels, &|_, rates| {
                    rates.iter_mut().enumerate().for_each(|(i, x)| *x = step(*x, i));
                });
            }
            RecurrentKind::Lightning => {
                r.decay.clear();
                r.decay.extend((0..s.rows.len()).flat_map(|_| &heads.rate));
                r.rate.clear();
                r.rate.resize(r.decay.len(), 1.0);
            }
            _ => {
                r.decay.resize(r.rate.len(), 0.0);
                for (i, (rate, decay)) in r.rate.iter_mut().zip(&mut r.decay).enumerate() {
                    *rate = step(*rate, i % c.n_heads);
                    *decay = exp(*rate * heads.rate[i % c.n_heads]);
                }
            }
        }
    }

    /// Queries and keys get a length.
    fn norm_keys(&self, c: &RecurrentConfig, heads: &Heads, convolved: &mut [f32]) {
        let [q_weights, k_weights] = &heads.qk_norms;
        let eps = c.key_eps.unwrap_or(self.config.norm_eps);
        let (width, eps) = (c.key_dim, eps / c.key_dim as f32);
        let keys = c.n_groups * width;
        self.pool.for_each_row(convolved, c.channels, &|_, row| {
            let (queries, rest) = row.split_at_mut(keys);
            for (all, weights) in [(queries, q_weights), (&mut rest[..keys], k_weights)] {
                for head in all.chunks_exact_mut(width) {
                    rms_norm_in_place(self.isa, head, weights, eps);
                }
            }
        });
    }

    /// read = what each token's queries find in the heads' matrices, which its keys and values
    /// change before.
    fn advance(
        &self,
        c: &RecurrentConfig,
        heads: &Heads,
        selective: Option<&Selective>,
        matrices: Range<usize>,
        batch: &mut [Append<'_>],
        s: &mut Scratch,
    ) {
        let r = &mut s.recurrent;
        let corrects = matches!(c.kind, RecurrentKind::DeltaNet | RecurrentKind::KimiDelta);
        let (keys, inner) = (c.n_groups * c.key_dim, c.inner());
        let width = r.convolved.len() / s.rows.len();
        let part = |at: usize| Rows { numbers: &r.convolved, row_len: width, at };
        let [mut q, mut k, v] = match c.kind {
            RecurrentKind::Mamba2 => [inner + keys, inner, 0],
            RecurrentKind::Mamba | RecurrentKind::SelectiveHeads => [0; 3],
            _ => [0, keys, 2 * keys],
        }
        .map(part);
        if let Some(selective) = selective {
            let [_, key_at, query_at] = selective.at;
            let row_len = selective.low.rows();
            [q, k] = [query_at, key_at].map(|at| Rows { numbers: &r.low, row_len, at });
        }
        let inputs = StateInputs {
            q,
            k,
            v,
            decay: &r.decay,
            decays_rows: c.kind == RecurrentKind::KimiDelta,
            rate: &r.rate,
            rule: match c.kind {
                RecurrentKind::Mamba => Rule::OfColumns(&heads.rate),
                _ if corrects => Rule::Correct,
                _ => Rule::Add,
            },
        };
        r.read.resize(s.rows.len() * inner, 0.0);
        self.run_states(c, inputs, matrices, batch, &mut r.read);
    }

    /// Runs the tokens of a batch through the states of their texts.
    pub(super) fn run_states(
        &self,
        c: &RecurrentConfig,
        inputs: StateInputs<'_>,
        matrices: Range<usize>,
        batch: &mut [Append<'_>],
        read: &mut [f32],
    ) {
        let mut runs = Vec::with_capacity(batch.len());
        let mut first = 0;
        for append in batch.iter_mut() {
            let n = append.tokens.len();
            let states = append.sequence.states_mut().expect("the model has recurrent layers");
            let (now, copies) = states.numbers_mut(matrices.clone());
            let mut run = StateRun::new(first..first + n, now);
            copies.for_each(|(n_rows, copy)| run.keep(n_rows, copy));
            runs.push(run);
            first += n;
        }
        let heads = StateHeads {
            n_heads: c.n_heads,
            // RWKV's keys are made as many as heads before.
            n_groups: if c.is_rwkv() { c.n_heads } else { c.n_groups },
            in_turn: c.in_turn,
            key_dim: c.key_dim,
            value_dim: c.value_dim,
        };
        advance(&self.pool, self.isa, heads, inputs, &mut runs, read);
    }

    /// gate = what the heads read, with its norm and gate.
    fn finish_state(&self, c: &RecurrentConfig, heads: &Heads, s: &mut Scratch) {
        let r = &mut s.recurrent;
        let inner = c.inner();
        let (norm_first, is_logistic, width) = match c.kind {
            RecurrentKind::DeltaNet => (true, c.logistic_gate, c.value_dim),
            RecurrentKind::KimiDelta => (true, true, c.value_dim),
            RecurrentKind::Lightning => (true, true, inner),
            _ => (false, false, inner / c.n_groups),
        };
        let norm = |x: &mut [f32]| {
            let Some(norm) = &heads.norm else { return };
            let weights = norm.weight.chunks_exact(width).cycle();
            for (part, weight) in x.chunks_exact_mut(width).zip(weights) {
                rms_norm_in_place(self.isa, part, weight, self.config.norm_eps);
            }
        };
        let (convolved, row_len) = (&r.convolved, r.convolved.len() / s.rows.len());
        self.pool.for_each_row(&mut r.read, inner, &|row, x| {
            if norm_first {
                return norm(x);
            }
            let values = &convolved[row * row_len..][..inner];
            let each = inner / heads.skip.len().max(1);
            for (i, (x, value)) in x.iter_mut().zip(values).enumerate() {
                *x += value * heads.skip[i / each];
            }
        });
        let read = &r.read;
        self.pool.for_each_row(&mut r.gate, inner, &|row, gates| {
            let read = &read[row * inner..(row + 1) * inner];
            if is_logistic {
                for (gate, x) in gates.iter_mut().zip(read) {
                    *gate = x * (1.0 / (1.0 + exp(-*gate)));
                }
            } else {
                gate(self.isa, Activation::Silu, gates, read);
            }
            if !norm_first {
                norm(gates);
            }
        });
    }
}

/// Moves rows out at the front and new ones in at the end; what is new may be more than all.
fn shift_in(tail: &mut [f32], new: &[f32]) {
    let n = new.len().min(tail.len());
    tail.copy_within(n.., 0);
    let len = tail.len();
    tail[len - n..].copy_from_slice(&new[new.len() - n..]);
}

/// ln(1 + e^x).
pub(super) fn softplus(x: f32) -> f32 {
    if x > SOFTPLUS_IS_X { x } else { libm::log1pf(exp(x)) }
}
