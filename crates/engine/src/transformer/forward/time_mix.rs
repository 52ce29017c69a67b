//! RWKV's layers (versions 6 and 7, arXiv 2404.05892 and 2503.14456): each token is mixed with the
//! one before it, and a matrix for each head carries all earlier ones along.

use std::ops::Range;

use kelvin_kernels::{
    activations::Activations,
    exp::exp,
    fma::fma,
    gate::{Activation, activate},
    matmul::{Product, matmul},
    matrix::WeightMatrix,
    norm::{layer_norm_in_place, rms_norm_in_place},
    recurrence::{Rows, Rule, StateInputs},
    soft_cap::soft_cap,
};

use super::super::{
    Append, LayerConfig, Model, RecurrentConfig, Scratch,
    scratch::MixScratch,
    sequence::Row,
    weights::{After, ChannelMix, Layer, LowRank, Norm, TimeMix, Version},
};

/// What becomes of a row.
type OfRow<'a> = &'a (dyn Fn(&mut [f32]) + Sync);

/// Added to the variance of what a head reads.
const HEAD_EPS: f32 = 64e-5;
/// The least length that RWKV 7's keys are divided by, squared.
const LEAST_SQUARE: f32 = 1e-24;
/// RWKV 7's decays are e to this times a logistic function: -e^-0.5.
const DECAY_BOUND: f32 = -0.606_531;

fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

impl Model {
    /// x += output · gate · (what heads read for norm(x) mixed with the token before).
    pub(super) fn time_mix(
        &self,
        config: &LayerConfig,
        mix: &TimeMix,
        layer: &Layer,
        batch: &mut [Append<'_>],
        s: &mut Scratch,
    ) {
        let (Some(c), Some(number)) = (&self.config.recurrent, config.recurrent) else { return };
        let (d_model, n) = (self.config.d_model, s.rows.len());
        let start = number * (c.tail_len() + c.matrices_len());
        self.shift_tokens(mix.norm.as_ref(), start..start + d_model, batch, s);
        let matrices = start + c.tail_len()..start + c.tail_len() + c.matrices_len();
        s.mix.read.resize(n * d_model, 0.0);
        match &mix.version {
            Version::Six { .. } => self.mix_six(c, mix, matrices, batch, s),
            Version::Seven { .. } => self.mix_seven(c, number, mix, matrices, batch, s),
        }
        std::mem::swap(&mut s.input.x, &mut s.mix.read);
        let (next, n_next) = layer.ffn_input();
        self.product_of_input(&mix.output, s, &next[..n_next]);
        self.finish_delta(&After::default(), None, s);
        self.add_to_stream(&s.delta, &mut s.x);
    }

    /// x += value · relu(key · norm(x) mixed with the token before)², weighed by the receptance.
    pub(super) fn channel_mix(
        &self,
        config: &LayerConfig,
        mix: &ChannelMix,
        layer: &Layer,
        batch: &mut [Append<'_>],
        s: &mut Scratch,
    ) {
        let (Some(c), Some(number)) = (&self.config.recurrent, config.recurrent) else { return };
        let (d_model, n) = (self.config.d_model, s.rows.len());
        let start = number * (c.tail_len() + c.matrices_len()) + d_model;
        self.shift_tokens(layer.ffn_norm.as_ref(), start..start + d_model, batch, s);
        let m = &mut s.mix;
        if let Some((share, receptance)) = &mix.receptance {
            self.lerp(&m.now, &m.shift, share, None, &mut s.input.x);
            self.times(receptance, &mut s.input, n, &mut m.gate);
            self.pool.for_each_row(&mut m.gate, d_model, &|_, x| {
                x.iter_mut().for_each(|x| *x = logistic(*x));
            });
        }
        self.lerp(&m.now, &m.shift, &mix.key_share, None, &mut s.input.x);
        self.times(&mix.key, &mut s.input, n, &mut s.gate);
        self.pool.for_each_row(&mut s.gate, mix.key.rows(), &|_, x| {
            activate(self.isa, Activation::ReluSquared, x);
        });
        std::mem::swap(&mut s.input.x, &mut s.gate);
        self.product_of_input(&mix.value, s, &[]);
        if mix.receptance.is_some() {
            let gates = &s.mix.gate;
            self.pool.for_each_row(&mut s.delta, d_model, &|row, x| {
                x.iter_mut().zip(&gates[row * d_model..]).for_each(|(x, gate)| *x *= gate);
            });
        }
        self.finish_delta(&After::default(), None, s);
        self.add_to_stream(&s.delta, &mut s.x);
    }

    /// now = norm(x), shift = that of the token before less it; the last one is stored for the next
    /// token.
    fn shift_tokens(
        &self,
        norm: Option<&Norm>,
        tail: Range<usize>,
        batch: &mut [Append<'_>],
        s: &mut Scratch,
    ) {
        let d_model = self.config.d_model;
        self.normed_input(norm, [], s);
        std::mem::swap(&mut s.input.x, &mut s.mix.now);
        let (rows, m) = (&s.rows, &mut s.mix);
        m.shift.resize(m.now.len(), 0.0);
        let (now, texts) = (&m.now, &*batch);
        self.pool.for_each_row(&mut m.shift, d_model, &|row, shift| {
            let Row { sequence, pos, .. } = rows[row];
            let sequence = &*texts[sequence].sequence;
            let before = match pos - sequence.len() {
                0 => {
                    let states = sequence.states().expect("the model has recurrent layers");
                    states.numbers(tail.clone())
                }
                _ => &now[(row - 1) * d_model..row * d_model],
            };
            for ((shift, before), now) in shift.iter_mut().zip(before).zip(&now[row * d_model..]) {
                *shift = before - now;
            }
        });
        self.keep_last(&m.now, d_model, tail, rows, batch);
    }

    /// out = shift · (share + delta) + now.
    fn lerp(
        &self,
        now: &[f32],
        shift: &[f32],
        share: &[f32],
        delta: Option<&[f32]>,
        out: &mut Vec<f32>,
    ) {
        let d_model = self.config.d_model;
        out.resize(now.len(), 0.0);
        self.pool.for_each_row(out, d_model, &|row, out| {
            let here = row * d_model..(row + 1) * d_model;
            let (now, shift) = (&now[here.clone()], &shift[here.clone()]);
            let delta = delta.map(|delta| &delta[here]);
            for (i, out) in out.iter_mut().enumerate() {
                let share = delta.map_or(share[i], |delta| delta[i] + share[i]);
                *out = share * shift[i] + now[i];
            }
        });
    }

    /// out = weights · input.
    fn times(&self, weights: &WeightMatrix, input: &mut Activations, n: usize, out: &mut Vec<f32>) {
        input.quantize(&self.pool, self.isa, weights.cols(), [weights.format()]);
        out.resize(n * weights.rows(), 0.0);
        matmul(&self.pool, self.isa, input, n, &mut [Product { weights, out }], &[]);
    }

    /// out = second · activation(first · input); `input` is lost.
    fn times_two(
        &self,
        [first, second]: [&WeightMatrix; 2],
        activation: Option<OfRow<'_>>,
        (input, n): (&mut Activations, usize),
        low: &mut Vec<f32>,
        out: &mut Vec<f32>,
    ) {
        self.times(first, input, n, low);
        if let Some(activation) = activation {
            self.pool.for_each_row(low, first.rows(), &|_, x| activation(x));
        }
        std::mem::swap(&mut input.x, low);
        self.times(second, input, n, out);
    }

    /// RWKV 6: inputs are mixed with the token before by shares that depend on both.
    fn mix_six(
        &self,
        c: &RecurrentConfig,
        mix: &TimeMix,
        matrices: Range<usize>,
        batch: &mut [Append<'_>],
        s: &mut Scratch,
    ) {
        let Version::Six { share, mix: all, mixes, gate, bonus } = &mix.version else { return };
        let (n, d_model, rank) = (s.rows.len(), self.config.d_model, c.ranks[1]);
        let (m, input) = (&mut s.mix, &mut s.input);
        let tanh = |x: &mut [f32]| soft_cap(self.isa, x, 1.0);
        self.lerp(&m.now, &m.shift, share, None, &mut input.x);
        self.times(all, input, n, &mut m.low);
        self.pool.for_each_row(&mut m.low, 5 * rank, &|_, x| tanh(x));
        for (j, (spread, share)) in mixes.iter().zip(mix.shares.chunks(d_model)).enumerate() {
            input.x.resize(n * rank, 0.0);
            let low = &m.low;
            self.pool.for_each_row(&mut input.x, rank, &|row, out| {
                out.copy_from_slice(&low[(row * 5 + j) * rank..][..rank]);
            });
            self.times(spread, input, n, &mut m.spread);
            self.lerp(&m.now, &m.shift, share, Some(&m.spread), &mut input.x);
            match j {
                0 => {
                    let LowRank { first, second, .. } = &mix.decay;
                    let into = (&mut *input, n);
                    self.times_two([first, second], Some(&tanh), into, &mut m.reads, &mut m.decay);
                }
                1 => self.times(&mix.key, input, n, &mut m.key),
                2 => self.times(&mix.value, input, n, &mut m.value),
                3 => self.times(&mix.receptance, input, n, &mut m.receptance),
                _ => self.times(gate, input, n, &mut m.gate),
            }
        }
        let [_, k_bias, v_bias] = &mix.biases;
        self.widen(c, k_bias.as_deref(), &mut m.key, &mut m.reads);
        self.widen(c, v_bias.as_deref(), &mut m.value, &mut m.reads);
        self.finish_six(c, mix, bonus.is_some(), m);
        let part = |numbers| Rows { numbers, row_len: d_model, at: 0 };
        m.rate.clear();
        m.rate.resize(n * c.n_heads, 1.0);
        let inputs = StateInputs {
            q: part(&m.receptance),
            k: part(&m.key),
            v: part(&m.value),
            decay: &m.decay,
            decays_rows: true,
            rate: &m.rate,
            rule: bonus.as_deref().map_or(Rule::Add, Rule::ReadFirst),
        };
        self.run_states(c, inputs, matrices, batch, &mut m.read);
        let gates = &m.gate;
        self.pool.for_each_row(&mut m.read, d_model, &|row, x| {
            self.norm_read(c, mix.head_norm.as_ref(), x);
            x.iter_mut().zip(&gates[row * d_model..]).for_each(|(x, gate)| *x *= gate);
        });
    }

    /// Adds a bias to keys or values, and makes them as many as heads.
    fn widen(
        &self,
        c: &RecurrentConfig,
        bias: Option<&[f32]>,
        x: &mut Vec<f32>,
        wide: &mut Vec<f32>,
    ) {
        let (width, few) = (c.key_dim, c.n_groups * c.key_dim);
        if let Some(bias) = bias {
            self.pool.for_each_row(x, few, &|_, x| {
                x.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
            });
        }
        if c.n_groups == c.n_heads {
            return;
        }
        let (n, share, narrow) = (x.len() / few, c.n_heads / c.n_groups, &*x);
        wide.resize(n * c.inner(), 0.0);
        self.pool.for_each_row(wide, width, &|i, out| {
            let (row, head) = (i / c.n_heads, i % c.n_heads);
            out.copy_from_slice(&narrow[row * few + head / share * width..][..width]);
        });
        std::mem::swap(x, wide);
    }

    /// Decays, the gate's function, and in gated linear attention what becomes of keys and
    /// receptance.
    fn finish_six(&self, c: &RecurrentConfig, mix: &TimeMix, is_rwkv: bool, m: &mut MixScratch) {
        let d_model = self.config.d_model;
        self.pool.for_each_row(&mut m.decay, d_model, &|_, x| {
            x.iter_mut().zip(&mix.decay.bias).for_each(|(x, bias)| *x = exp(-exp(*x + bias)));
        });
        self.pool.for_each_row(&mut m.gate, d_model, &|_, x| match is_rwkv {
            true => activate(self.isa, Activation::Silu, x),
            false => x.iter_mut().for_each(|x| *x = logistic(*x)),
        });
        let scale = if is_rwkv { 1.0 } else { 1.0 / (c.key_dim as f32).sqrt() };
        let bias = mix.biases[0].as_deref();
        self.pool.for_each_row(&mut m.receptance, d_model, &|_, x| {
            if let Some(bias) = bias {
                x.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
            }
            x.iter_mut().for_each(|x| *x *= scale);
        });
        if !is_rwkv {
            let decay = &m.decay;
            self.pool.for_each_row(&mut m.key, d_model, &|row, x| {
                for (x, decay) in x.iter_mut().zip(&decay[row * d_model..]) {
                    *x -= *x * decay;
                }
            });
        }
    }

    /// RWKV 7: what a key would read is replaced in part.
    fn mix_seven(
        &self,
        c: &RecurrentConfig,
        number: usize,
        mix: &TimeMix,
        matrices: Range<usize>,
        batch: &mut [Append<'_>],
        s: &mut Scratch,
    ) {
        let Version::Seven { rates, first_values, gate, bonus, .. } = &mix.version else { return };
        let (n, d_model) = (s.rows.len(), self.config.d_model);
        let (m, input) = (&mut s.mix, &mut s.input);
        let tanh = |x: &mut [f32]| soft_cap(self.isa, x, 1.0);
        let gates = |x: &mut [f32]| x.iter_mut().for_each(|x| *x = logistic(*x));
        for (j, share) in mix.shares.chunks(d_model).enumerate() {
            self.lerp(&m.now, &m.shift, share, None, &mut input.x);
            match j {
                0 => self.times(&mix.receptance, input, n, &mut m.receptance),
                1 => {
                    let LowRank { first, second, .. } = &mix.decay;
                    let into = (&mut *input, n);
                    self.times_two([first, second], Some(&tanh), into, &mut m.low, &mut m.decay);
                }
                2 => self.times(&mix.key, input, n, &mut m.key),
                3 => {
                    self.times(&mix.value, input, n, &mut m.value);
                    if let Some(LowRank { first, second, bias }) = first_values {
                        let into = (&mut *input, n);
                        self.times_two([first, second], None, into, &mut m.low, &mut m.spread);
                        self.add_first_values(bias, m);
                    }
                }
                4 => {
                    let LowRank { first, second, .. } = rates;
                    let into = (&mut *input, n);
                    self.times_two([first, second], None, into, &mut m.low, &mut m.rate);
                }
                _ => {
                    let Some([first, second]) = gate else { continue };
                    let into = (&mut *input, n);
                    self.times_two([first, second], Some(&gates), into, &mut m.low, &mut m.gate);
                }
            }
        }
        if number == 0 {
            m.first_values.clone_from(&m.value);
        }
        self.prepare_seven(c, mix, m);
        let part = |numbers| Rows { numbers, row_len: d_model, at: 0 };
        let inputs = StateInputs {
            q: part(&m.receptance),
            k: part(&m.key),
            v: part(&m.value),
            decay: &m.decay,
            decays_rows: true,
            rate: &[],
            rule: Rule::Rewrite { read: part(&m.reads), write: part(&m.writes) },
        };
        self.run_states(c, inputs, matrices, batch, &mut m.read);
        let (receptance, key, value, gates) = (&m.receptance, &m.key, &m.value, &m.gate);
        self.pool.for_each_row(&mut m.read, d_model, &|row, x| {
            self.norm_read(c, mix.head_norm.as_ref(), x);
            let here = row * d_model..(row + 1) * d_model;
            let (r, k, v) = (&receptance[here.clone()], &key[here.clone()], &value[here.clone()]);
            for (head, x) in x.chunks_exact_mut(c.key_dim).enumerate() {
                let at = head * c.key_dim..(head + 1) * c.key_dim;
                let met = at.clone().fold(0.0, |sum: f32, i| fma(k[i] * r[i], bonus[i], sum));
                x.iter_mut().zip(&v[at]).for_each(|(x, v)| *x += v * met);
            }
            if gate.is_some() {
                x.iter_mut().zip(&gates[here]).for_each(|(x, gate)| *x *= gate);
            }
        });
    }

    /// value += (the first layer's values - value) · logistic(spread + bias).
    fn add_first_values(&self, bias: &[f32], m: &mut MixScratch) {
        let d_model = self.config.d_model;
        let (first, spread) = (&m.first_values, &m.spread);
        self.pool.for_each_row(&mut m.value, d_model, &|row, x| {
            let here = row * d_model..(row + 1) * d_model;
            let (first, spread) = (&first[here.clone()], &spread[here]);
            for (i, x) in x.iter_mut().enumerate() {
                *x += (first[i] - *x) * logistic(spread[i] + bias[i]);
            }
        });
    }

    /// Decays and rates, what reads and writes, and keys.
    fn prepare_seven(&self, c: &RecurrentConfig, mix: &TimeMix, m: &mut MixScratch) {
        let Version::Seven { rates, key_read, key_rate, .. } = &mix.version else { return };
        let (d_model, n_numbers) = (self.config.d_model, m.key.len());
        self.pool.for_each_row(&mut m.decay, d_model, &|_, x| {
            for (x, bias) in x.iter_mut().zip(&mix.decay.bias) {
                *x = exp(DECAY_BOUND * logistic(*x + bias));
            }
        });
        self.pool.for_each_row(&mut m.rate, d_model, &|_, x| {
            x.iter_mut().zip(&rates.bias).for_each(|(x, bias)| *x = logistic(*x + bias));
        });
        m.writes.resize(n_numbers, 0.0);
        m.reads.resize(n_numbers, 0.0);
        let (key, rate, width) = (&m.key, &m.rate, c.key_dim as f32);
        let unit = vec![1.0 / width.sqrt(); c.key_dim];
        self.pool.for_each_row(&mut m.writes, d_model, &|row, out| {
            let key = &key[row * d_model..];
            for ((out, key), factor) in out.iter_mut().zip(key).zip(key_read) {
                *out = key * factor;
            }
            for head in out.chunks_exact_mut(c.key_dim) {
                rms_norm_in_place(self.isa, head, &unit, LEAST_SQUARE / width);
            }
        });
        let writes = &m.writes;
        self.pool.for_each_row(&mut m.reads, d_model, &|row, out| {
            out.iter_mut().zip(&writes[row * d_model..]).for_each(|(out, x)| *out = -x);
        });
        self.pool.for_each_row(&mut m.writes, d_model, &|row, x| {
            x.iter_mut().zip(&rate[row * d_model..]).for_each(|(x, rate)| *x *= rate);
        });
        self.pool.for_each_row(&mut m.key, d_model, &|row, key| {
            for ((key, rate), factor) in key.iter_mut().zip(&rate[row * d_model..]).zip(key_rate) {
                let replaced = *key * factor;
                *key += rate * replaced - replaced;
            }
        });
    }

    /// The norm of what each head reads, where there is one.
    fn norm_read(&self, c: &RecurrentConfig, norm: Option<&Norm>, x: &mut [f32]) {
        let Some(Norm { weight, bias }) = norm else { return };
        let heads = x.chunks_exact_mut(c.value_dim).zip(weight.chunks_exact(c.value_dim));
        for (head, weight) in heads {
            layer_norm_in_place(self.isa, head, weight, HEAD_EPS);
        }
        if let Some(bias) = bias {
            x.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
        }
    }
}
