//! The forward pass of a mixture of experts: each token goes through the few networks of a layer
//! that a router selects for it.
//!
//! The definition, for one token: the router's outputs become a weight for each expert (`Gating`).
//! The `n_used` experts of largest weight (plus a bias for selection, where a model has one) are
//! selected; of equal ones the first. Their outputs are multiplied with their weights and added in
//! the order of selection. So a token's numbers depend on no other token. Tokens of a batch that
//! selected one expert are multiplied together, and only selected experts' weights are read.

mod select;

use kelvin_kernels::{
    activations::Activations,
    gate::{activate, gate, gate_within},
    matmul::{ExpertProduct, ExpertRows, Product, matmul, matmul_experts},
    matrix::WeightMatrix,
};

use super::{
    ExpertConfig, LayerConfig, Model, Scratch,
    config::MAX_EXPERTS,
    scratch::{ExpertScratch, Selected},
    weights::{Experts, Layer, Narrow},
};
use crate::TokenId;
use select::{normalize, select, sigmoid, softmax};

impl Model {
    /// delta = the weighted sum of the selected experts' outputs of `input`, plus the shared
    /// expert's.
    pub(super) fn mixture(
        &self,
        layer: &LayerConfig,
        experts: &Experts,
        next: &[&WeightMatrix],
        s: &mut Scratch,
    ) {
        let config = self.config.experts.as_ref().expect("a layer with experts has their config");
        let n = s.rows.len();
        if !config.routes_stream {
            self.route(config, experts, n, &s.input, &mut s.experts);
        }
        let e = &mut s.experts;
        e.selected.resize(n * config.n_used, Selected::default());
        let (outputs, rows) = (&e.router, &s.rows);
        self.pool.for_each_row(&mut e.selected, config.n_used, &|row, selected| {
            let outputs = &outputs[row * config.n_experts..(row + 1) * config.n_experts];
            let biases = [&experts.router_bias, &experts.selection_bias];
            let given = experts.by_token.as_deref();
            let given = given.map(|table| token_row(table, rows[row].token, config.n_used));
            select(config, biases.map(Option::as_deref), outputs, given, selected);
        });
        let shared_up = experts.shared.as_ref().map(|shared| &shared.up);
        let next_here = if shared_up.is_some() { shared_up.as_slice() } else { next };
        match &experts.narrow {
            None => {
                self.run_selected((config, layer), experts, next_here, &s.input.x, &mut s.delta, e);
            }
            Some(narrow) => self.narrow_mixture((config, layer), experts, narrow, s),
        }
        if let Some(grouped) = &experts.grouped {
            self.second_mixture((config, layer), grouped, next, s);
        }
        let d_model = self.config.d_model;
        if let Some(shared) = &experts.shared {
            std::mem::swap(&mut s.delta, &mut s.experts.sum);
            self.dense(layer, shared, next, s);
            self.apply(&mut s.delta, d_model, &shared.after.down);
            let (sum, gates) = (&s.experts.sum, &s.experts.shared_gate);
            let is_gated = experts.shared_gate.is_some();
            self.pool.for_each_row(&mut s.delta, d_model, &|row, delta| {
                let gate = if is_gated { sigmoid(gates[row]) } else { 1.0 };
                for (x, sum) in delta.iter_mut().zip(&sum[row * d_model..]) {
                    *x = (sum + *x * gate) * config.shared_scale;
                }
            });
        }
    }

    /// delta = up(norm(the weighted sum of the selected experts' outputs of down(input))). The
    /// input is there again afterwards, for the shared expert.
    fn narrow_mixture(
        &self,
        (config, layer): (&ExpertConfig, &LayerConfig),
        experts: &Experts,
        narrow: &Narrow,
        s: &mut Scratch,
    ) {
        let (n, d_model) = (s.rows.len(), self.config.d_model);
        s.experts.wide.clone_from(&s.input.x);
        s.input.quantize(&self.pool, self.isa, d_model, [narrow.down.format()]);
        s.gate.resize(n * config.d_stream, 0.0);
        let products = &mut [Product { weights: &narrow.down, out: &mut s.gate }];
        matmul(&self.pool, self.isa, &s.input, n, products, &[&narrow.up]);
        let e = &mut s.experts;
        self.run_selected((config, layer), experts, &[&narrow.up], &s.gate, &mut s.delta, e);
        if narrow.norm.is_some() {
            let norm = narrow.norm.as_ref();
            self.pool.for_each_row(&mut s.delta, config.d_stream, &|_, x| {
                self.norm_in_place(x, norm);
            });
        }
        std::mem::swap(&mut s.input.x, &mut s.delta);
        s.input.quantize(&self.pool, self.isa, config.d_stream, [narrow.up.format()]);
        s.delta.resize(n * d_model, 0.0);
        let products = &mut [Product { weights: &narrow.up, out: &mut s.delta }];
        matmul(&self.pool, self.isa, &s.input, n, products, &[]);
        if let Some(shared) = &experts.shared {
            std::mem::swap(&mut s.input.x, &mut s.experts.wide);
            s.input.quantize(&self.pool, self.isa, d_model, shared.input().map(|m| m.format()));
        }
    }

    /// delta += scale · the sum of the networks that the selected experts share, of delta. A
    /// network has the weight of the expert of its own number, as llama.cpp has it.
    fn second_mixture(
        &self,
        (config, layer): (&ExpertConfig, &LayerConfig),
        experts: &Experts,
        next: &[&WeightMatrix],
        s: &mut Scratch,
    ) {
        let Some(grouped) = &config.grouped else { return };
        let e = &mut s.experts;
        let outputs = &e.router;
        self.pool.for_each_row(&mut e.selected, config.n_used, &|row, selected| {
            let outputs = &outputs[row * config.n_experts..(row + 1) * config.n_experts];
            let mut weights = [0.0f32; MAX_EXPERTS];
            let weights = &mut weights[..outputs.len()];
            weights.copy_from_slice(outputs);
            softmax(weights);
            for selected in selected.iter_mut() {
                selected.expert /= grouped.n_sharing;
                selected.weight = weights[selected.expert];
            }
            normalize(selected);
        });
        let config = ExpertConfig {
            n_experts: config.n_experts / grouped.n_sharing,
            d_ff: grouped.d_ff,
            ..config.clone()
        };
        std::mem::swap(&mut e.sum, &mut s.delta);
        let first = std::mem::take(&mut e.sum);
        self.run_selected((&config, layer), experts, next, &first, &mut s.delta, e);
        let d_model = self.config.d_model;
        self.pool.for_each_row(&mut s.delta, d_model, &|row, x| {
            for (x, first) in x.iter_mut().zip(&first[row * d_model..]) {
                *x = first + *x * grouped.scale;
            }
        });
        e.sum = first;
    }

    /// out = the weighted sum of the selected experts' outputs of `x`.
    fn run_selected(
        &self,
        (config, layer): (&ExpertConfig, &LayerConfig),
        experts: &Experts,
        next: &[&WeightMatrix],
        x: &[f32],
        out: &mut Vec<f32>,
        e: &mut ExpertScratch,
    ) {
        group(config, e);
        e.n_bytes += (e.groups.iter())
            .flat_map(|rows| experts.of_expert(rows.expert))
            .map(WeightMatrix::n_bytes)
            .sum::<usize>();
        self.gather(config, x, e);
        self.run_experts((config, layer), experts, next, e);
        let d_model = config.d_stream;
        out.resize(e.selected.len() / config.n_used * d_model, 0.0);
        let made = &e.gate;
        let (selected, row_of) = (&e.selected, &e.row_of);
        self.pool.for_each_row(out, d_model, &|token, sum| {
            for slot in token * config.n_used..(token + 1) * config.n_used {
                let Selected { expert, weight } = selected[slot];
                let out = &made[row_of[slot] * d_model..][..d_model];
                let bias = part(experts.down_bias.as_deref(), expert, d_model);
                let weight = if config.weighs_input { 1.0 } else { weight };
                let scale = experts.scales[2].as_ref().map(|scales| scales[expert]);
                for (i, (sum, x)) in sum.iter_mut().zip(out).enumerate() {
                    let x = scale.map_or(*x, |scale| x * scale);
                    let x = bias.map_or(x, |bias| x + bias[i]) * weight;
                    *sum = if slot == token * config.n_used { x } else { *sum + x };
                }
            }
        });
    }

    /// v = the weighted sum of activation(expert · input) over the experts that are selected for
    /// values of attention.
    pub(super) fn values_of_experts(&self, values: &Experts, s: &mut Scratch) {
        let config = self.config.value_experts.as_ref().expect("there is a config of them");
        let (n, d_v) = (s.rows.len(), config.d_ff);
        self.route(config, values, n, &s.input, &mut s.experts);
        let e = &mut s.experts;
        e.selected.resize(n * config.n_used, Selected::default());
        let outputs = &e.router;
        self.pool.for_each_row(&mut e.selected, config.n_used, &|row, selected| {
            let outputs = &outputs[row * config.n_experts..(row + 1) * config.n_experts];
            select(config, [None, values.selection_bias.as_deref()], outputs, None, selected);
        });
        group(config, e);
        let read = e.groups.iter().map(|rows| values.up[rows.expert].n_bytes());
        e.n_bytes += read.sum::<usize>();
        self.gather(config, &s.input.x, e);
        let ends = e.groups.iter().map(|rows| rows.first + rows.n);
        let format = [values.up[0].format()];
        e.input.quantize_groups(&self.pool, self.isa, config.d_stream, format, ends);
        e.gate.resize(e.place_of.len() * d_v, 0.0);
        let products = &mut [ExpertProduct { weights: &values.up, out: &mut e.gate }];
        matmul_experts(&self.pool, self.isa, &e.input, &e.groups, products, &[]);
        self.pool.for_each_row(&mut e.gate, d_v, &|_, x| {
            activate(self.isa, self.config.activation, x);
        });
        let (made, selected, row_of) = (&e.gate, &e.selected, &e.row_of);
        self.pool.for_each_row(&mut s.v, d_v, &|token, sum| {
            sum.fill(0.0);
            for slot in token * config.n_used..(token + 1) * config.n_used {
                let made = &made[row_of[slot] * d_v..][..d_v];
                sum.iter_mut().zip(made).for_each(|(sum, x)| *sum += x * selected[slot].weight);
            }
        });
    }

    /// The router's outputs for the stream before attention, in models whose router reads it.
    pub(super) fn route_stream(&self, layer: &Layer, s: &mut Scratch) {
        if let (Some(config), Some(experts)) = (&self.config.experts, &layer.experts)
            && config.routes_stream
        {
            self.normed_input(None, &experts.router, s);
            self.route(config, experts, s.rows.len(), &s.input, &mut s.experts);
        }
    }

    /// The outputs of the router, and of the shared expert's gate, for `n` rows of `input`.
    fn route(
        &self,
        config: &ExpertConfig,
        experts: &Experts,
        n: usize,
        input: &Activations,
        e: &mut ExpertScratch,
    ) {
        e.router.resize(n * config.n_experts, 0.0);
        let Some(weights) = &experts.router else { return };
        let router = Product { weights, out: &mut e.router };
        let next = experts.up.first();
        let next = next.as_slice();
        match &experts.shared_gate {
            Some(weights) => {
                e.shared_gate.resize(n, 0.0);
                let gate = Product { weights, out: &mut e.shared_gate };
                matmul(&self.pool, self.isa, input, n, &mut [router, gate], next);
            }
            None => matmul(&self.pool, self.isa, input, n, &mut [router], next),
        }
    }

    /// input = the rows of `x` that each expert reads, quantized for its weights.
    fn gather(&self, config: &ExpertConfig, x: &[f32], e: &mut ExpertScratch) {
        let d_model = config.d_stream;
        e.input.x.resize(e.place_of.len() * d_model, 0.0);
        let (place_of, selected) = (&e.place_of, &e.selected);
        self.pool.for_each_row(&mut e.input.x, d_model, &|row, out| {
            let place = place_of[row];
            out.copy_from_slice(&x[place / config.n_used * d_model..][..d_model]);
            if config.weighs_input {
                out.iter_mut().for_each(|x| *x *= selected[place].weight);
            }
        });
    }

    /// gate = down(activation(gate(input)) · up(input)), each row by its expert.
    fn run_experts(
        &self,
        (config, layer): (&ExpertConfig, &LayerConfig),
        experts: &Experts,
        next: &[&WeightMatrix],
        e: &mut ExpertScratch,
    ) {
        let (pool, isa, d_ff) = (&self.pool, self.isa, config.d_ff);
        let (d_model, n_rows) = (config.d_stream, e.place_of.len());
        let ends = e.groups.iter().map(|rows| rows.first + rows.n);
        let formats = experts.gate.first().into_iter().chain(&experts.up[..1]);
        let formats = formats.map(WeightMatrix::format);
        e.input.quantize_groups(pool, isa, d_model, formats, ends.clone());
        let first_down = &experts.down[e.groups[0].expert];
        let activation = self.config.activation;
        let (selected, place_of) = (&e.selected, &e.place_of);
        let [gate_scale, up_scale, _] = &experts.scales;
        let after =
            |scales: &Option<Vec<f32>>, bias: &Option<Vec<f32>>, row: usize, out: &mut [f32]| {
                let expert = selected[place_of[row]].expert;
                if let Some(scales) = scales {
                    out.iter_mut().for_each(|x| *x *= scales[expert]);
                }
                if let Some(bias) = part(bias.as_deref(), expert, out.len()) {
                    out.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
                }
            };
        e.gate.resize(n_rows * d_ff, 0.0);
        if experts.gate.is_empty() {
            let products = &mut [ExpertProduct { weights: &experts.up, out: &mut e.gate }];
            matmul_experts(pool, isa, &e.input, &e.groups, products, &[first_down]);
            pool.for_each_row(&mut e.gate, d_ff, &|row, x| {
                after(up_scale, &experts.up_bias, row, x);
                activate(isa, activation, x);
            });
        } else {
            e.up.resize(n_rows * d_ff, 0.0);
            let products = &mut [
                ExpertProduct { weights: &experts.gate, out: &mut e.gate },
                ExpertProduct { weights: &experts.up, out: &mut e.up },
            ];
            matmul_experts(pool, isa, &e.input, &e.groups, products, &[first_down]);
            if experts.up_bias.is_some() || up_scale.is_some() {
                let bias = &experts.up_bias;
                pool.for_each_row(&mut e.up, d_ff, &|row, x| after(up_scale, bias, row, x));
            }
            let up = &e.up;
            pool.for_each_row(&mut e.gate, d_ff, &|row, x| {
                after(gate_scale, &experts.gate_bias, row, x);
                let up = &up[row * d_ff..(row + 1) * d_ff];
                match layer.expert_limit {
                    None => gate(isa, activation, x, up),
                    Some(limit) => gate_within(isa, activation, limit, x, up),
                }
            });
        }
        std::mem::swap(&mut e.input.x, &mut e.gate);
        e.input.quantize_groups(pool, isa, d_ff, [first_down.format()], ends);
        e.gate.resize(n_rows * d_model, 0.0);
        let products = &mut [ExpertProduct { weights: &experts.down, out: &mut e.gate }];
        matmul_experts(pool, isa, &e.input, &e.groups, products, next);
    }
}

/// The experts that a table says for a token.
fn token_row(table: &[u32], token: TokenId, n_used: usize) -> &[u32] {
    &table[token.index() * n_used..][..n_used]
}

/// Row `expert` of a table whose rows have `len` numbers.
fn part(table: Option<&[f32]>, expert: usize, len: usize) -> Option<&[f32]> {
    table.map(|table| &table[expert * len..(expert + 1) * len])
}

/// Sorts what tokens selected by expert, tokens in order.
fn group(config: &ExpertConfig, e: &mut ExpertScratch) {
    let mut counts = [0usize; MAX_EXPERTS];
    e.selected.iter().for_each(|selected| counts[selected.expert] += 1);
    e.groups.clear();
    let mut first = 0;
    for (expert, count) in counts[..config.n_experts].iter_mut().enumerate() {
        let n = std::mem::replace(count, first);
        if n > 0 {
            e.groups.push(ExpertRows { expert, first, n });
        }
        first += n;
    }
    e.row_of.resize(e.selected.len(), 0);
    e.place_of.resize(e.selected.len(), 0);
    for (place, selected) in e.selected.iter().enumerate() {
        let row = counts[selected.expert];
        counts[selected.expert] += 1;
        e.row_of[place] = row;
        e.place_of[row] = place;
    }
}
