//! The forward pass over new tokens of a batch of sequences. The weights are read once for the
//! whole batch.

mod adapters;
mod attention;
mod hyper;
mod latent;
mod layer_embedding;
mod linear;
mod ngrams;
mod recurrent;
mod selective;
mod shared_key;
mod stacks;
mod streams;
mod time_mix;

use kelvin_kernels::{
    float_env::FloatEnv,
    gate::{activate, gate, gate_within, xielu},
    matmul::{Product, matmul},
    matrix::WeightMatrix,
    norm::{layer_norm_in_place, rms_norm_in_place},
    soft_cap::soft_cap,
};

use super::{
    Append, LayerConfig, Logits, Model, ModelError, NormKind, Scratch, Sequence, Turns, Want,
    sequence::Row,
    weights::{After, Dense, Layer, Norm},
};

/// Tokens of a step that computes some again.
const CATCH_UP: usize = 256;

impl Model {
    /// Appends tokens to the sequences of a batch and returns the logits that are wanted.
    ///
    /// The result has the same bits however the tokens were cut into steps and whatever else is in
    /// the batch. On an error no sequence has changed. Tokens of a truncated sequence whose
    /// recurrent state is lost are computed again first.
    pub fn forward<'s>(
        &self,
        batch: &mut [Append<'_>],
        scratch: &'s mut Scratch,
    ) -> Result<Logits<'s>, ModelError> {
        let _env = FloatEnv::standard();
        self.check(batch)?;
        batch.iter_mut().try_for_each(|append| self.catch_up(append.sequence, scratch))?;
        self.run(batch, scratch)
    }

    /// Computes tokens of a sequence again whose recurrent state was lost when it was truncated.
    fn catch_up(&self, sequence: &mut Sequence, scratch: &mut Scratch) -> Result<(), ModelError> {
        let unread = sequence.take_unread();
        for (i, tokens) in unread.chunks(CATCH_UP).enumerate() {
            let step = Append { sequence: &mut *sequence, tokens, want: Want::None };
            if let Err(error) = self.run(&mut [step], scratch) {
                sequence.put_unread(&unread[i * CATCH_UP..]);
                return Err(error);
            }
        }
        Ok(())
    }

    /// One step of sequences whose tokens are all computed.
    fn run<'s>(
        &self,
        batch: &mut [Append<'_>],
        scratch: &'s mut Scratch,
    ) -> Result<Logits<'s>, ModelError> {
        for append in batch.iter_mut() {
            append.sequence.reserve(append.tokens.len())?;
        }
        let s = scratch;
        s.rows.clear();
        s.experts.n_bytes = 0;
        for (i, append) in batch.iter().enumerate() {
            let start = append.sequence.len();
            let row = |(at, &token)| Row { sequence: i, pos: start + at, token };
            s.rows.extend(append.tokens.iter().enumerate().map(row));
        }
        self.switch_adapters(batch, s);
        self.embed(s);
        self.turn_angles(s);
        self.embed_for_layers(s);
        self.spread_streams(s);
        self.start_stacks(s);
        self.start_streams(s);
        for (i, config) in self.config.layers.iter().enumerate() {
            let layer = self.weights.of(config);
            if config.joins {
                self.join_stacks(s);
            }
            self.route_stream(layer, s);
            self.add_ngrams(config, batch, s);
            if let Some(recurrent) = &layer.recurrent {
                self.recurrent(config, recurrent, layer, batch, s);
            }
            if let Some(mix) = &layer.time_mix {
                self.time_mix(config, mix, layer, batch, s);
            }
            self.early_mixture(config, layer, s);
            if let Some(attention) = &layer.attention {
                self.begin_streams(layer, attention, s);
                self.attention(i, attention, layer, batch, s);
                self.add_low_rank(layer, s);
                if layer.recurrent.is_some() {
                    self.add_to_stream(&s.beside, &mut s.x);
                }
            }
            match &layer.channel_mix {
                Some(mix) => self.channel_mix(config, mix, layer, batch, s),
                None => self.feed_forward(i, layer, s),
            }
            match layer.streams {
                Some(_) => self.finish_streams(config.block, layer, s),
                None => self.add_embedding_of_layer(config.block, layer, s),
            }
            self.finish_layer(config, layer, s);
            if i + 1 < self.config.layers.len() {
                self.leave_stack(config, s);
            }
        }
        self.gather_streams(s);
        if let Some(head) = &self.weights.hyper_head {
            self.read_streams(head, s);
        }
        self.logits(batch, s);
        for append in batch.iter_mut() {
            append.sequence.push(append.tokens);
        }
        Ok(Logits { data: &s.logits, vocab_size: self.config.vocab_size })
    }

    fn check(&self, batch: &[Append<'_>]) -> Result<(), ModelError> {
        for append in batch {
            if !append.sequence.fits(&self.pages) {
                return Err(ModelError::ForeignSequence);
            }
            if append.tokens.is_empty() {
                return Err(ModelError::NoTokens);
            }
            let (len, limit) = (append.sequence.len() + append.tokens.len(), self.config.ctx_len);
            if len > limit {
                return Err(ModelError::Context { len, limit });
            }
            let vocab_size = self.config.vocab_size;
            if let Some(token) = append.tokens.iter().find(|token| token.index() >= vocab_size) {
                return Err(ModelError::Token { token: token.0, vocab_size });
            }
        }
        Ok(())
    }

    /// x = the tokens' embeddings, with learned positions and a norm where there are some.
    fn embed(&self, s: &mut Scratch) {
        let (rows, c, weights) = (&s.rows, &self.config, &self.weights);
        s.x.resize(rows.len() * c.d_model, 0.0);
        if weights.positions.is_some() {
            s.delta.resize(s.x.len(), 0.0);
        }
        let positions = weights.positions.as_ref();
        if let Some(positions) = positions {
            self.pool.for_each_row(&mut s.delta, c.d_model, &|i, x| positions.row(rows[i].pos, x));
        }
        let delta = &s.delta;
        self.pool.for_each_row(&mut s.x, c.d_model, &|i, x| {
            weights.embedding.row(weights.embedded(rows[i].token), x);
            x.iter_mut().for_each(|x| *x *= c.embedding_scale);
            if positions.is_some() {
                x.iter_mut().zip(&delta[i * c.d_model..]).for_each(|(x, position)| *x += position);
            }
            self.norm_in_place(x, weights.embedding_norm.as_ref());
        });
        if self.config.adds_embeddings {
            s.embedding.clone_from(&s.x);
        }
    }

    /// The rotary angles of every position up to the furthest of the rows, from f64.
    fn turn_angles(&self, s: &mut Scratch) {
        let n_positions = s.rows.iter().map(|row| row.pos + 1).max().unwrap_or(0);
        if s.turns != self.turns {
            s.turns.clone_from(&self.turns);
            s.angles = vec![Vec::new(); self.turns.len()];
        }
        for (Turns { speeds, magnitude }, table) in self.turns.iter().zip(&mut s.angles) {
            let (known, half) = (table.len(), speeds.len());
            table.resize(known.max(n_positions * 2 * half), 0.0);
            self.pool.for_each_row(&mut table[known..], (2 * half).max(1), &|i, turns| {
                let pos = (known / (2 * half) + i) as f64;
                let (cos, sin) = turns.split_at_mut(half);
                for ((cos, sin), speed) in cos.iter_mut().zip(sin).zip(speeds) {
                    *cos = (libm::cos(pos * speed) * magnitude) as f32;
                    *sin = (libm::sin(pos * speed) * magnitude) as f32;
                }
            });
        }
    }

    /// x += the feed-forward network's, or the mixture of experts', output of norm(x), and in a
    /// parallel layer attention's output as well.
    fn feed_forward(&self, i: usize, layer: &Layer, s: &mut Scratch) {
        let c = &self.config.layers[i];
        if layer.dense.is_none() && layer.experts.is_none() {
            return;
        }
        if let Some([_, second]) = &layer.hyper {
            self.read_streams(second, s);
        }
        let (weights, n_weights) = layer.ffn_input();
        self.half_input(layer.ffn_norm.as_ref(), weights[..n_weights].iter().copied(), s);
        let (next, n_next) = match self.config.layers.get(i + 1) {
            Some(next) => self.weights.of(next).first_matrices(),
            None => ([self.output_weights(); 3], 1),
        };
        let next = &next[..n_next];
        let nothing = After::default();
        let mut after = &nothing;
        if let Some(experts) = &layer.experts {
            self.mixture(c, experts, next, s);
        } else if let Some(dense) = &layer.dense {
            self.dense(c, dense, next, s);
            after = &dense.after.down;
        }
        self.finish_delta(after, layer.post_ffn_norm.as_ref(), s);
        if let Some([_, second]) = &layer.hyper {
            return self.add_to_streams(second, s);
        }
        if c.parallel || layer.early_experts.is_some() {
            self.add_to_stream(&s.beside, &mut s.x);
        }
        self.add_to_stream(&s.delta, &mut s.x);
    }

    /// beside = the experts' output of a norm of the stream before attention, in layers that have
    /// it so.
    fn early_mixture(&self, config: &LayerConfig, layer: &Layer, s: &mut Scratch) {
        let Some((norm, experts)) = &layer.early_experts else { return };
        self.normed_input(Some(norm), experts.input(), s);
        let (next, n_next) = layer.first_matrices();
        self.mixture(config, experts, &next[..n_next], s);
        std::mem::swap(&mut s.delta, &mut s.beside);
    }

    /// delta = down(activation(gate(input)) · up(input)), before what is done after down.
    pub(super) fn dense(
        &self,
        layer: &LayerConfig,
        dense: &Dense,
        next: &[&WeightMatrix],
        s: &mut Scratch,
    ) {
        let (c, after, d_ff) = (&self.config, &dense.after, dense.up.rows());
        let n = s.x.len() / c.d_model;
        s.gate.resize(n * d_ff, 0.0);
        if let Some(gate_weights) = &dense.gate {
            s.up.resize(n * d_ff, 0.0);
            let products = &mut [
                Product { weights: gate_weights, out: &mut s.gate },
                Product { weights: &dense.up, out: &mut s.up },
            ];
            matmul(&self.pool, self.isa, &s.input, n, products, &[&dense.down]);
            if let Some([gate, up, _]) = &dense.adapters {
                self.add_adapters(gate, &s.input.x, &mut s.gate, &mut s.adapters);
                self.add_adapters(up, &s.input.x, &mut s.up, &mut s.adapters);
            }
            self.apply(&mut s.up, d_ff, &after.up);
            let up = &s.up;
            self.pool.for_each_row(&mut s.gate, d_ff, &|row, gates| {
                after.gate.apply(gates);
                if dense.sparse {
                    streams::thin_out(gates);
                }
                let up = &up[row * d_ff..(row + 1) * d_ff];
                match layer.dense_limit {
                    None => gate(self.isa, c.activation, gates, up),
                    Some(limit) => gate_within(self.isa, c.activation, limit, gates, up),
                }
            });
        } else {
            let products = &mut [Product { weights: &dense.up, out: &mut s.gate }];
            matmul(&self.pool, self.isa, &s.input, n, products, &[&dense.down]);
            self.pool.for_each_row(&mut s.gate, d_ff, &|_, x| {
                after.up.apply(x);
                match layer.xielu {
                    Some(parameters) => xielu(x, parameters),
                    None => activate(self.isa, c.activation, x),
                }
                let divisors = dense.divisors.iter().flatten();
                x.iter_mut().zip(divisors).for_each(|(x, divisor)| *x /= divisor);
            });
        }
        if dense.sub_norm.is_some() {
            let norm = dense.sub_norm.as_ref();
            self.pool.for_each_row(&mut s.gate, d_ff, &|_, x| self.norm_in_place(x, norm));
        }
        std::mem::swap(&mut s.input.x, &mut s.gate);
        self.product_of_input(&dense.down, s, next);
        if let Some([.., down]) = &dense.adapters {
            self.add_adapters(down, &s.input.x, &mut s.delta, &mut s.adapters);
        }
    }

    /// A layer's scale, and the norm where the blocks are run again.
    fn finish_layer(&self, config: &LayerConfig, layer: &Layer, s: &mut Scratch) {
        let d_model = self.config.d_model;
        if let Some(scale) = layer.scale {
            let embedding = self.config.adds_embeddings.then_some(&s.embedding);
            self.pool.for_each_row(&mut s.x, d_model, &|row, x| match embedding {
                Some(all) => {
                    let embedding = &all[row * d_model..];
                    x.iter_mut().zip(embedding).for_each(|(x, e)| *x += e * scale);
                }
                None => x.iter_mut().for_each(|x| *x *= scale),
            });
        }
        if config.loop_norm {
            let norm = self.weights.output_norm.as_ref();
            self.pool.for_each_row(&mut s.x, d_model, &|_, x| self.norm_in_place(x, norm));
        }
    }

    /// The logits of the rows that are wanted.
    fn logits(&self, batch: &[Append<'_>], s: &mut Scratch) {
        let d_model = self.config.d_model;
        s.wanted.clear();
        let mut first = 0;
        for append in batch {
            let end = first + append.tokens.len();
            match append.want {
                Want::None => {}
                Want::Last => s.wanted.extend(first.max(end.saturating_sub(1))..end),
                Want::All => s.wanted.extend(first..end),
            }
            first = end;
        }
        let n_wanted = s.wanted.len();
        for (to, &from) in s.wanted.iter().enumerate() {
            s.x.copy_within(from * d_model..(from + 1) * d_model, to * d_model);
        }
        s.x.truncate(n_wanted * d_model);
        s.logits.resize(n_wanted * self.config.vocab_size, 0.0);
        let weights = self.output_weights();
        self.normed_input(self.weights.output_norm.as_ref(), [weights], s);
        let products = &mut [Product { weights, out: &mut s.logits }];
        // The next step begins with the first layer's matrices.
        let (next, n_next) = self.weights.of(&self.config.layers[0]).first_matrices();
        matmul(&self.pool, self.isa, &s.input, n_wanted, products, &next[..n_next]);
        self.finish_logits(&mut s.logits);
    }

    /// Bias, scale and cap of logits.
    fn finish_logits(&self, logits: &mut [f32]) {
        let (c, bias) = (&self.config, self.weights.output_bias.as_ref());
        let is_plain = bias.is_none() && c.logit_scale == 1.0 && c.logit_cap.is_none();
        if is_plain && c.image_tokens.is_empty() {
            return;
        }
        self.pool.for_each_row(logits, c.vocab_size, &|_, row| {
            add(row, bias);
            row.iter_mut().for_each(|x| *x *= c.logit_scale);
            if let Some(cap) = c.logit_cap {
                soft_cap(self.isa, row, cap);
            }
            row[c.image_tokens.clone()].fill(f32::MIN);
        });
    }

    /// Makes logits: vocab_size × d_model.
    fn output_weights(&self) -> &WeightMatrix {
        self.weights.output.as_ref().unwrap_or(&self.weights.embedding)
    }

    /// input = norm(x), ready for products with `weights`.
    pub(super) fn normed_input<'a>(
        &self,
        norm: Option<&Norm>,
        weights: impl IntoIterator<Item = &'a WeightMatrix>,
        s: &mut Scratch,
    ) {
        let d_model = self.config.d_model;
        s.input.x.resize(s.x.len(), 0.0);
        let x = &s.x;
        self.pool.for_each_row(&mut s.input.x, d_model, &|row, out| {
            out.copy_from_slice(&x[row * d_model..(row + 1) * d_model]);
            self.norm_in_place(out, norm);
        });
        s.input.quantize(
            &self.pool,
            self.isa,
            d_model,
            weights.into_iter().map(WeightMatrix::format),
        );
    }

    /// What a half of a layer reads: input = norm(x), ready for products with `weights`. In models
    /// whose stream is normed, x becomes as much times a scale.
    fn half_input<'a>(
        &self,
        norm: Option<&Norm>,
        weights: impl IntoIterator<Item = &'a WeightMatrix>,
        s: &mut Scratch,
    ) {
        self.normed_input(norm, weights, s);
        if let Some(scale) = self.config.normed_stream {
            let input = &s.input.x;
            let d_model = self.config.d_model;
            self.pool.for_each_row(&mut s.x, d_model, &|row, x| {
                x.iter_mut().zip(&input[row * d_model..]).for_each(|(x, input)| *x = input * scale);
            });
        }
    }

    /// delta = weights · input. `next_weights` are prefetched.
    fn product_of_input(
        &self,
        weights: &WeightMatrix,
        s: &mut Scratch,
        next_weights: &[&WeightMatrix],
    ) {
        let n = s.x.len() / self.config.d_model;
        s.input.quantize(&self.pool, self.isa, weights.cols(), [weights.format()]);
        s.delta.resize(s.x.len(), 0.0);
        matmul(
            &self.pool,
            self.isa,
            &s.input,
            n,
            &mut [Product { weights, out: &mut s.delta }],
            next_weights,
        );
    }

    /// Bias, norm and scale of what is to be added to the stream.
    fn finish_delta(&self, after: &After, norm: Option<&Norm>, s: &mut Scratch) {
        let (d_model, scale) = (self.config.d_model, self.config.residual_scale);
        if after.is_nothing() && norm.is_none() && scale == 1.0 {
            return;
        }
        self.pool.for_each_row(&mut s.delta, d_model, &|_, delta| {
            after.apply(delta);
            if let Some(norm) = norm {
                self.norm_by(delta, &norm.weight, self.config.post_norm_eps);
                add(delta, norm.bias.as_ref());
            }
            if scale != 1.0 {
                delta.iter_mut().for_each(|delta| *delta *= scale);
            }
        });
    }

    fn add_to_stream(&self, delta: &[f32], x: &mut [f32]) {
        let d_model = self.config.d_model;
        self.pool.for_each_row(x, d_model, &|row, x| {
            x.iter_mut().zip(&delta[row * d_model..]).for_each(|(x, delta)| *x += delta);
        });
    }

    /// What becomes of rows of products.
    pub(super) fn apply(&self, rows: &mut [f32], len: usize, after: &After) {
        if !after.is_nothing() {
            self.pool.for_each_row(rows, len, &|_, row| after.apply(row));
        }
    }

    /// Norms a row, if there is a norm.
    pub(super) fn norm_in_place(&self, x: &mut [f32], norm: Option<&Norm>) {
        if let Some(Norm { weight, bias }) = norm {
            let width = x.len() / self.config.norm_parts;
            for (x, weight) in x.chunks_exact_mut(width).zip(weight.chunks_exact(width)) {
                self.norm_by(x, weight, self.config.norm_eps);
            }
            add(x, bias.as_ref());
        }
    }

    fn norm_by(&self, x: &mut [f32], weight: &[f32], eps: f32) {
        match self.config.norm {
            NormKind::Rms => rms_norm_in_place(self.isa, x, weight, eps),
            NormKind::Layer => layer_norm_in_place(self.isa, x, weight, eps),
        }
    }
}

/// Adds a bias, if there is one, to a row of its length: one addition for each number, so no bit
/// depends on how rows are spread over threads and instructions.
fn add(row: &mut [f32], bias: Option<&Vec<f32>>) {
    if let Some(bias) = bias {
        row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
    }
}
