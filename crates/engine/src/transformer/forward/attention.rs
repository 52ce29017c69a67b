//! Attention of one layer, with all that stands around it.

use std::f32::consts::{LN_2, LOG2_E};

use kelvin_kernels::{
    attention::{Heads, KvCache, attend},
    gate::{weigh, weigh_by},
    kv_cache::Page,
    matmul::{Product, matmul},
    norm::layer_norm_in_place,
    rope::rotate,
};

use super::{
    super::{
        Append, GateCurve, LayerConfig, Model, QkNorm, Scratch,
        sequence::Row,
        weights::{Attention, Layer, Norm, Projections, SharedKey},
    },
    add,
    shared_key::CompressedCache,
};

/// Added to the variance in LayerNorms of queries and keys beside norms of another kind.
const QK_LAYER_EPS: f32 = 1e-5;

/// ln(1 + e^x). Above 20 it is x in f32.
fn softplus(x: f32) -> f32 {
    if x > 20.0 { x } else { libm::log1p(libm::exp(x.into())) as f32 }
}

/// log2(1 + 2^x).
fn softplus_of_two(x: f32) -> f32 {
    softplus(x * LN_2) * LOG2_E
}

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
    /// x += attention(norm(x)), and the new keys and values are stored. In a parallel layer the
    /// output waits in `beside`.
    pub(super) fn attention(
        &self,
        i: usize,
        attention: &Attention,
        layer: &Layer,
        batch: &mut [Append<'_>],
        s: &mut Scratch,
    ) {
        let c = &self.config.layers[i];
        if let Some([first, _]) = &layer.hyper {
            self.read_streams(first, s);
        }
        let (input, n_input) = attention.input();
        let input = input[..n_input].iter().copied().chain(&attention.gate);
        let input = input.chain(attention.shared_key.iter().flat_map(SharedKey::compressing));
        let input = input.chain(attention.values.iter().flat_map(|values| values.input()));
        self.half_input(attention.norm.as_ref(), input, s);
        if attention.attends() {
            if let Some(projections) = &attention.projections {
                self.project(i, projections, attention, s);
            }
            if let Some(latent) = &attention.latent {
                self.project_gate(attention, s);
                self.project_latent(c, latent, s);
            }
            if let Some(shared) = &attention.shared_key {
                self.project_shared_key(i, shared, batch, s);
            }
            self.widen_values(c, s);
            if c.cache == i {
                self.store(i, batch, s);
            }
            let d_q = c.n_heads * c.head_dim;
            s.input.x.resize(s.rows.len() * d_q, 0.0);
            s.spans.clear();
            s.spans.extend(s.rows.iter().map(|row| self.span(c, row.pos)));
            let plain = LayerOfBatch { batch, rows: &s.rows, layer: c.cache };
            let compressed = CompressedCache {
                batch,
                rows: &s.rows,
                layer: i,
                model: self,
                scratch: &s.compressed,
            };
            let cache: &dyn KvCache = if c.compressed > 0 { &compressed } else { &plain };
            let heads = self.heads(c, attention);
            attend(&self.pool, self.isa, heads, &s.q, &s.spans, cache, &mut s.input.x);
            self.narrow_values(c, s);
            if let Some(latent) = &attention.latent {
                self.values_of_heads(latent, s);
            }
            if let Some(shared) = &attention.shared_key {
                self.finish_shared_key(c, shared, s);
            }
            self.finish_heads(attention, s);
        }
        let (next, n_next) = layer.ffn_input();
        self.product_of_input(&attention.output, s, &next[..n_next]);
        if let Some([.., output]) = &attention.adapters {
            self.add_adapters(output, &s.input.x, &mut s.delta, &mut s.adapters);
        }
        let after = self.of_run(c).map_or(&attention.after, |[.., output]| output);
        self.finish_delta(after, attention.post_norm.as_ref(), s);
        if c.parallel {
            std::mem::swap(&mut s.delta, &mut s.beside);
        } else if let Some([first, _]) = &layer.hyper {
            self.add_to_streams(first, s);
        } else {
            self.add_to_stream(&s.delta, &mut s.x);
        }
    }

    /// Queries, keys, values and the gate of attention's output.
    fn project(&self, i: usize, p: &Projections, attention: &Attention, s: &mut Scratch) {
        let c = &self.config.layers[i];
        let n = s.rows.len();
        let (d_q, d_k) = (c.n_heads * c.head_dim, c.n_kv_heads * c.head_dim);
        let d_v = c.n_kv_heads * c.value_dim;
        s.q.resize(n * d_q, 0.0);
        s.k.resize(n * d_k, 0.0);
        s.v.resize(n * d_v, 0.0);
        let q = Product { weights: &p.q, out: &mut s.q };
        let next = &[&attention.output];
        match (&p.k, &p.v) {
            (Some(k), Some(v)) => {
                let k = Product { weights: k, out: &mut s.k };
                let v = Product { weights: v, out: &mut s.v };
                matmul(&self.pool, self.isa, &s.input, n, &mut [q, k, v], next);
            }
            (Some(k), None) => {
                let k = Product { weights: k, out: &mut s.k };
                matmul(&self.pool, self.isa, &s.input, n, &mut [q, k], next);
                match &attention.values {
                    Some(values) => self.values_of_experts(values, s),
                    None => s.v.copy_from_slice(&s.k),
                }
            }
            (None, _) => matmul(&self.pool, self.isa, &s.input, n, &mut [q], next),
        }
        if let Some([q, k, v, _]) = &attention.adapters {
            self.add_adapters(q, &s.input.x, &mut s.q, &mut s.adapters);
            self.add_adapters(k, &s.input.x, &mut s.k, &mut s.adapters);
            self.add_adapters(v, &s.input.x, &mut s.v, &mut s.adapters);
        }
        self.project_gate(attention, s);
        self.turn_heads(c, p, attention, s);
        if p.k.is_some() {
            let after = self.of_run(c).map_or(&p.after[2], |[_, _, values, _]| values);
            self.apply(&mut s.v, d_v, after);
            self.clamp(&mut s.v);
            if let Some(norm) = &attention.head_norms[2] {
                self.pool.for_each_row(&mut s.v, d_v, &|_, heads| {
                    self.norm_heads(c.value_dim, heads, Some(norm));
                });
            }
        }
    }

    /// The gate of attention's output, if it has one.
    fn project_gate(&self, attention: &Attention, s: &mut Scratch) {
        if let Some(gate) = &attention.gate {
            let n = s.rows.len();
            s.head_gates.resize(n * gate.rows(), 0.0);
            let products = &mut [Product { weights: gate, out: &mut s.head_gates }];
            matmul(&self.pool, self.isa, &s.input, n, products, &[&attention.output]);
            if !attention.gate_after.is_nothing() {
                self.pool.for_each_row(&mut s.head_gates, gate.rows(), &|_, row| {
                    attention.gate_after.apply(row);
                });
            }
        }
    }

    /// Fills values up with zeros to the width of keys, which attention expects.
    fn widen_values(&self, c: &LayerConfig, s: &mut Scratch) {
        if c.value_dim == c.head_dim {
            return;
        }
        s.up.resize(s.v.len() / c.value_dim * c.head_dim, 0.0);
        let values = &s.v;
        self.pool.for_each_row(&mut s.up, c.head_dim, &|i, out| {
            out[..c.value_dim].copy_from_slice(&values[i * c.value_dim..][..c.value_dim]);
            out[c.value_dim..].fill(0.0);
        });
        std::mem::swap(&mut s.v, &mut s.up);
    }

    /// Leaves out what attention found in the zeros.
    fn narrow_values(&self, c: &LayerConfig, s: &mut Scratch) {
        let n_heads = s.input.x.len() / c.head_dim;
        if c.value_dim == c.head_dim {
            return;
        }
        for head in 0..n_heads {
            let from = head * c.head_dim;
            s.input.x.copy_within(from..from + c.value_dim, head * c.value_dim);
        }
        s.input.x.truncate(n_heads * c.value_dim);
    }

    /// Puts the new keys and values into the sequences' pages.
    fn store(&self, i: usize, batch: &mut [Append<'_>], s: &Scratch) {
        let c = &self.config.layers[i];
        let d_kv = c.n_kv_heads * c.head_dim;
        let (rows, keys, values) = (&s.rows, &s.k, &s.v);
        self.pool.for_each_chunk(batch, 1, &|sequence, append| {
            let Append { sequence: to, tokens, .. } = &mut append[0];
            let first = rows.partition_point(|row| row.sequence < sequence);
            let new = first * d_kv..(first + tokens.len()) * d_kv;
            to.store(&self.pool, self.isa, i, to.len(), [&keys[new.clone()], &values[new]]);
        });
    }

    /// Biases, norms and rotation of queries and keys.
    fn turn_heads(&self, c: &LayerConfig, p: &Projections, attention: &Attention, s: &mut Scratch) {
        let (d_q, d_kv) = (c.n_heads * c.head_dim, c.n_kv_heads * c.head_dim);
        let rows = &s.rows;
        let angles = c.rope.map(|rope| (s.angles[rope].as_slice(), self.turns[rope].speeds.len()));
        let [q_norm, k_norm, _] = &attention.head_norms;
        let [own_q, own_k, _] = &p.after;
        let (q_after, k_after) = self.of_run(c).map_or((own_q, own_k), |[q, k, ..]| (q, k));
        let keys = p.k.is_some().then_some((&mut s.k, d_kv, k_after, k_norm, None));
        let temperature = self.config.temperature.filter(|t| !t.unrotated || c.rope.is_none());
        let queries = (&mut s.q, d_q, q_after, q_norm, temperature);
        for (heads, width, after, norm, temperature) in [Some(queries), keys].into_iter().flatten()
        {
            self.pool.for_each_row(heads, width, &|row, heads| {
                after.apply(heads);
                self.clamp(heads);
                let pos = rows[row].pos;
                let rotate_all = |heads: &mut [f32]| {
                    let Some((angles, half)) = angles else { return };
                    let (cos, sin) = angles[pos * 2 * half..][..2 * half].split_at(half);
                    for head in heads.chunks_exact_mut(c.head_dim) {
                        rotate(self.config.pairing, head, cos, sin);
                    }
                };
                if self.config.norm_after_rotation {
                    rotate_all(heads);
                    self.norm_heads(c.head_dim, heads, norm.as_ref());
                } else {
                    self.norm_heads(c.head_dim, heads, norm.as_ref());
                    rotate_all(heads);
                }
                if let Some(temperature) = temperature {
                    let factor = temperature.at(pos);
                    heads.iter_mut().for_each(|x| *x *= factor);
                }
            });
        }
    }

    /// Norms a row of heads: each of them or all at once.
    fn norm_heads(&self, head_dim: usize, heads: &mut [f32], norm: Option<&Norm>) {
        let Some(Norm { weight, bias }) = norm else { return };
        let width = match self.config.qk_norm {
            QkNorm::Head | QkNorm::EachHead | QkNorm::ScaleOfHead => head_dim,
            QkNorm::Whole => heads.len(),
        };
        let weights = weight.chunks_exact(width).cycle();
        for (head, weight) in heads.chunks_exact_mut(width).zip(weights) {
            match self.config.qk_layer_norm {
                true => layer_norm_in_place(self.isa, head, weight, QK_LAYER_EPS),
                false => self.norm_by(head, weight, self.config.norm_eps),
            }
        }
        add(heads, bias.as_ref());
    }

    /// The gate and the norm of what the heads found.
    fn finish_heads(&self, attention: &Attention, s: &mut Scratch) {
        let d_q = attention.output.cols();
        if let Some(gate) = &attention.gate {
            let (n_gates, gates) = (gate.rows(), &s.head_gates);
            self.pool.for_each_row(&mut s.input.x, d_q, &|row, heads| {
                let gates = &gates[row * n_gates..(row + 1) * n_gates];
                match self.config.gate_curve {
                    GateCurve::Logistic => weigh(heads, gates),
                    GateCurve::Softplus => weigh_by(heads, gates, softplus),
                    GateCurve::SoftplusOfTwo => weigh_by(heads, gates, softplus_of_two),
                }
            });
        }
        if attention.sub_norm.is_some() {
            let norm = attention.sub_norm.as_ref();
            self.pool.for_each_row(&mut s.input.x, d_q, &|_, x| self.norm_in_place(x, norm));
        }
    }

    fn clamp(&self, x: &mut [f32]) {
        if let Some(most) = self.config.clamp {
            x.iter_mut().for_each(|x| *x = x.clamp(-most, most));
        }
    }

    fn heads<'a>(&'a self, c: &LayerConfig, attention: &'a Attention) -> Heads<'a> {
        Heads {
            n_heads: c.n_heads,
            n_kv_heads: c.n_kv_heads,
            head_dim: c.head_dim,
            scale: self.config.attention_scale_of(c),
            soft_cap: self.config.score_cap,
            slopes: &self.config.slopes,
            sinks: &attention.sinks,
        }
    }
}
