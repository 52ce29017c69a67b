//! The forward pass over new tokens of a batch of sequences. The weights are read once for the
//! whole batch.

use kelvin_kernels::{
    attention::{Heads, KvCache, attend},
    float_env::FloatEnv,
    gate::{activate, gate, xielu},
    kv_cache::Page,
    matmul::{Product, matmul},
    matrix::WeightMatrix,
    norm::{layer_norm_in_place, rms_norm_in_place},
    rope::rotate,
    soft_cap::soft_cap,
};

use super::{
    Append, Logits, Model, ModelError, NormKind, QkNorm, Scratch, Turns, Want,
    sequence::Row,
    weights::{Layer, Norm},
};

/// What attention reads: one layer's keys and values of the batch's sequences.
struct LayerOfBatch<'a> {
    batch: &'a [Append<'a>],
    rows: &'a [Row],
    layer: usize,
}

impl KvCache for LayerOfBatch<'_> {
    fn page(&self, row: usize, kv_head: usize, page: usize) -> Page<'_> {
        self.batch[self.rows[row].sequence].sequence.page(self.layer, kv_head, page)
    }
}

impl Model {
    /// Appends tokens to the sequences of a batch and returns the logits that are wanted.
    ///
    /// The result has the same bits however the tokens were cut into steps and whatever else is in
    /// the batch. On an error no sequence has changed.
    pub fn forward<'s>(
        &self,
        batch: &mut [Append<'_>],
        scratch: &'s mut Scratch,
    ) -> Result<Logits<'s>, ModelError> {
        let _env = FloatEnv::standard();
        self.check(batch)?;
        for append in batch.iter_mut() {
            append.sequence.reserve(append.tokens.len())?;
        }
        let s = scratch;
        s.rows.clear();
        for (i, append) in batch.iter().enumerate() {
            let start = append.sequence.len();
            let row = |(at, &token)| Row { sequence: i, pos: start + at, token };
            s.rows.extend(append.tokens.iter().enumerate().map(row));
        }
        self.embed(s);
        self.turn_angles(s);
        for (i, layer) in self.weights.layers.iter().enumerate() {
            self.attention(i, layer, batch, s);
            self.feed_forward(i, layer, s);
        }
        self.logits(batch, s);
        for append in batch.iter_mut() {
            append.sequence.push(append.tokens);
        }
        Ok(Logits { data: &s.logits, vocab_size: self.config.vocab_size })
    }

    fn check(&self, batch: &[Append<'_>]) -> Result<(), ModelError> {
        for append in batch {
            if !append.sequence.fits(&self.config) {
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
            weights.embedding.row(rows[i].token.index(), x);
            x.iter_mut().for_each(|x| *x *= c.embedding_scale);
            if positions.is_some() {
                x.iter_mut().zip(&delta[i * c.d_model..]).for_each(|(x, position)| *x += position);
            }
            self.norm_in_place(x, weights.embedding_norm.as_ref());
        });
    }

    /// The rotary angles of every position up to the furthest of the rows, from f64.
    fn turn_angles(&self, s: &mut Scratch) {
        let half = self.config.rope_dim / 2;
        let n_positions = s.rows.iter().map(|row| row.pos + 1).max().unwrap_or(0);
        if s.turns != self.turns {
            s.turns.clone_from(&self.turns);
            s.angles = vec![Vec::new(); self.turns.len()];
        }
        for (Turns { speeds, magnitude }, table) in self.turns.iter().zip(&mut s.angles) {
            let known = table.len();
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

    /// x += attention(norm(x)), and the new keys and values are stored. In a parallel layer the
    /// output waits in `beside`.
    fn attention(&self, i: usize, layer: &Layer, batch: &mut [Append<'_>], s: &mut Scratch) {
        let c = &self.config;
        let n = s.rows.len();
        let (d_q, d_kv) = (c.n_heads * c.head_dim, c.n_kv_heads * c.head_dim);
        self.normed_input(layer.attention_norm.as_ref(), layer.attention_input(), s);
        s.q.resize(n * d_q, 0.0);
        s.k.resize(n * d_kv, 0.0);
        s.v.resize(n * d_kv, 0.0);
        let products = &mut [
            Product { weights: &layer.q, out: &mut s.q },
            Product { weights: &layer.k, out: &mut s.k },
            Product { weights: &layer.v, out: &mut s.v },
        ];
        matmul(&self.pool, self.isa, &s.input, n, products, &[&layer.attention_output]);

        self.turn_heads(i, layer, s);
        self.add_bias(&mut s.v, layer.biases.v.as_ref());
        self.clamp(&mut s.v);
        let (rows, keys, values) = (&s.rows, &s.k, &s.v);
        self.pool.for_each_chunk(batch, 1, &|sequence, append| {
            let Append { sequence: to, tokens, .. } = &mut append[0];
            let first = rows.partition_point(|row| row.sequence < sequence);
            let new = first * d_kv..(first + tokens.len()) * d_kv;
            to.store(&self.pool, self.isa, i, to.len(), [&keys[new.clone()], &values[new]]);
        });

        s.input.x.resize(n * d_q, 0.0);
        let window = c.layers[i].window.unwrap_or(usize::MAX);
        s.spans.clear();
        s.spans.extend(rows.iter().map(|row| (row.pos + 1).saturating_sub(window)..row.pos + 1));
        let cache = LayerOfBatch { batch, rows, layer: i };
        attend(&self.pool, self.isa, self.heads(), &s.q, &s.spans, &cache, &mut s.input.x);
        let (next, n_next) = layer.ffn_input();
        self.product_of_input(&layer.attention_output, s, &next[..n_next]);
        self.finish_delta(
            layer.biases.attention_output.as_ref(),
            layer.post_attention_norm.as_ref(),
            s,
        );
        if c.layers[i].parallel {
            std::mem::swap(&mut s.delta, &mut s.beside);
        } else {
            self.add_to_stream(&s.delta, &mut s.x);
        }
    }

    /// Biases, norms and rotation of queries and keys.
    fn turn_heads(&self, i: usize, layer: &Layer, s: &mut Scratch) {
        let (c, biases) = (&self.config, &layer.biases);
        let (d_q, d_kv) = (c.n_heads * c.head_dim, c.n_kv_heads * c.head_dim);
        let (rows, half) = (&s.rows, c.rope_dim / 2);
        let angles = c.layers[i].rope.map(|rope| s.angles[rope].as_slice());
        let [q_norm, k_norm] = &layer.qk_norms;
        for (heads, width, bias, norm, temperature) in [
            (&mut s.q, d_q, &biases.q, q_norm, c.temperature),
            (&mut s.k, d_kv, &biases.k, k_norm, None),
        ] {
            self.pool.for_each_row(heads, width, &|row, heads| {
                add(heads, bias.as_ref());
                self.clamp(heads);
                let pos = rows[row].pos;
                let rotate_all = |heads: &mut [f32]| {
                    let Some(angles) = angles else { return };
                    let (cos, sin) = angles[pos * 2 * half..][..2 * half].split_at(half);
                    for head in heads.chunks_exact_mut(c.head_dim) {
                        rotate(c.pairing, head, cos, sin);
                    }
                };
                if c.norm_after_rotation {
                    rotate_all(heads);
                    self.norm_heads(heads, norm.as_ref());
                } else {
                    self.norm_heads(heads, norm.as_ref());
                    rotate_all(heads);
                }
                if let Some(temperature) = temperature {
                    let factor = temperature.at(pos);
                    heads.iter_mut().for_each(|x| *x *= factor);
                }
            });
        }
    }

    /// Norms a row of queries or keys: by head or all at once.
    fn norm_heads(&self, heads: &mut [f32], norm: Option<&Norm>) {
        let Some(Norm { weight, bias }) = norm else { return };
        let width = match self.config.qk_norm {
            QkNorm::Head | QkNorm::EachHead => self.config.head_dim,
            QkNorm::Whole => heads.len(),
        };
        let weights = weight.chunks_exact(width).cycle();
        for (head, weight) in heads.chunks_exact_mut(width).zip(weights) {
            self.norm_by(head, weight);
        }
        add(heads, bias.as_ref());
    }

    fn clamp(&self, x: &mut [f32]) {
        if let Some(most) = self.config.clamp {
            x.iter_mut().for_each(|x| *x = x.clamp(-most, most));
        }
    }

    fn heads(&self) -> Heads<'_> {
        let c = &self.config;
        Heads {
            n_heads: c.n_heads,
            n_kv_heads: c.n_kv_heads,
            head_dim: c.head_dim,
            scale: c.attention_scale,
            soft_cap: c.score_cap,
            slopes: &c.slopes,
        }
    }

    /// x += down(activation(gate(norm(x))) · up(norm(x))), and in a parallel layer attention's
    /// output as well.
    fn feed_forward(&self, i: usize, layer: &Layer, s: &mut Scratch) {
        let (c, biases) = (&self.config, &layer.biases);
        let (n, d_ff) = (s.x.len() / c.d_model, c.d_ff);
        let (weights, n_weights) = layer.ffn_input();
        self.normed_input(layer.ffn_norm.as_ref(), weights[..n_weights].iter().copied(), s);
        s.gate.resize(n * d_ff, 0.0);
        if let Some(gate_weights) = &layer.gate {
            s.up.resize(n * d_ff, 0.0);
            let products = &mut [
                Product { weights: gate_weights, out: &mut s.gate },
                Product { weights: &layer.up, out: &mut s.up },
            ];
            matmul(&self.pool, self.isa, &s.input, n, products, &[&layer.down]);
            self.add_bias(&mut s.up, biases.up.as_ref());
            let up = &s.up;
            self.pool.for_each_row(&mut s.gate, d_ff, &|row, gates| {
                add(gates, biases.gate.as_ref());
                gate(self.isa, c.activation, gates, &up[row * d_ff..(row + 1) * d_ff]);
            });
        } else {
            let products = &mut [Product { weights: &layer.up, out: &mut s.gate }];
            matmul(&self.pool, self.isa, &s.input, n, products, &[&layer.down]);
            self.pool.for_each_row(&mut s.gate, d_ff, &|_, x| {
                add(x, biases.up.as_ref());
                match c.layers[i].xielu {
                    Some(parameters) => xielu(x, parameters),
                    None => activate(self.isa, c.activation, x),
                }
            });
        }
        std::mem::swap(&mut s.input.x, &mut s.gate);
        let next: &[&WeightMatrix] = match self.weights.layers.get(i + 1) {
            Some(next) => &next.attention_input(),
            None => &[self.output_weights()],
        };
        self.product_of_input(&layer.down, s, next);
        self.finish_delta(biases.down.as_ref(), layer.post_ffn_norm.as_ref(), s);
        if c.layers[i].parallel {
            self.add_to_stream(&s.beside, &mut s.x);
        }
        self.add_to_stream(&s.delta, &mut s.x);
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
        self.normed_input(Some(&self.weights.output_norm), [weights], s);
        let products = &mut [Product { weights, out: &mut s.logits }];
        // The next step begins with the first layer's matrices.
        let next = self.weights.layers[0].attention_input();
        matmul(&self.pool, self.isa, &s.input, n_wanted, products, &next);
        self.finish_logits(&mut s.logits);
    }

    /// Bias, scale and cap of logits.
    fn finish_logits(&self, logits: &mut [f32]) {
        let (c, bias) = (&self.config, self.weights.output_bias.as_ref());
        if bias.is_none() && c.logit_scale == 1.0 && c.logit_cap.is_none() {
            return;
        }
        self.pool.for_each_row(logits, c.vocab_size, &|_, row| {
            add(row, bias);
            row.iter_mut().for_each(|x| *x *= c.logit_scale);
            if let Some(cap) = c.logit_cap {
                soft_cap(self.isa, row, cap);
            }
        });
    }

    /// Makes logits: vocab_size × d_model.
    fn output_weights(&self) -> &WeightMatrix {
        self.weights.output.as_ref().unwrap_or(&self.weights.embedding)
    }

    /// input = norm(x), ready for products with `weights`.
    fn normed_input<'a>(
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
    fn finish_delta(&self, bias: Option<&Vec<f32>>, norm: Option<&Norm>, s: &mut Scratch) {
        let (d_model, scale) = (self.config.d_model, self.config.residual_scale);
        if bias.is_none() && norm.is_none() && scale == 1.0 {
            return;
        }
        self.pool.for_each_row(&mut s.delta, d_model, &|_, delta| {
            add(delta, bias);
            self.norm_in_place(delta, norm);
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

    /// Adds a bias, if there is one, to rows of its length.
    fn add_bias(&self, rows: &mut [f32], bias: Option<&Vec<f32>>) {
        if let Some(len) = bias.map(Vec::len) {
            self.pool.for_each_row(rows, len, &|_, row| add(row, bias));
        }
    }

    /// Norms a row, if there is a norm.
    fn norm_in_place(&self, x: &mut [f32], norm: Option<&Norm>) {
        if let Some(Norm { weight, bias }) = norm {
            self.norm_by(x, weight);
            add(x, bias.as_ref());
        }
    }

    fn norm_by(&self, x: &mut [f32], weight: &[f32]) {
        match self.config.norm {
            NormKind::Rms => rms_norm_in_place(self.isa, x, weight, self.config.norm_eps),
            NormKind::Layer => layer_norm_in_place(self.isa, x, weight, self.config.norm_eps),
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
