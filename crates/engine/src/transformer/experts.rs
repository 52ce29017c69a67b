//! The forward pass of a mixture of experts: each token goes through the few networks of a layer
//! that a router selects for it.
//!
//! The definition, for one token: the router's outputs become a weight for each expert (`Gating`).
//! The `n_used` experts of largest weight (plus a bias for selection, where a model has one) are
//! selected; of equal ones the first. Their outputs are multiplied with their weights and added in
//! the order of selection. So a token's numbers depend on no other token. Tokens of a batch that
//! selected one expert are multiplied together, and only selected experts' weights are read.

use kelvin_kernels::{
    activations::Activations,
    exp::exp,
    gate::{activate, gate},
    matmul::{ExpertProduct, ExpertRows, Product, matmul, matmul_experts},
    matrix::WeightMatrix,
};

use super::{
    ExpertConfig, Gating, Model, Scratch,
    config::MAX_EXPERTS,
    weights::{Experts, Layer},
};

/// The smallest sum that weights are divided by: f16's smallest normal number.
const SMALLEST_SUM: f32 = 6.103_515_6e-5;

/// An expert that a token goes through.
#[derive(Debug, Clone, Copy, Default)]
struct Selected {
    expert: usize,
    weight: f32,
}

/// Buffers of mixtures, reused by the next layer.
#[derive(Debug, Default)]
pub(super) struct ExpertScratch {
    /// n × n_experts: the router's outputs.
    router: Vec<f32>,
    /// n: the shared expert's gate.
    shared_gate: Vec<f32>,
    /// n × n_used, in the order of selection.
    selected: Vec<Selected>,
    /// The rows of each expert that has some, in the order of experts.
    groups: Vec<ExpertRows>,
    /// n × n_used: the row of `input` that a selected expert reads.
    row_of: Vec<usize>,
    /// For each row of `input`, its place in `selected`.
    place_of: Vec<usize>,
    /// n · n_used × d_model, later d_ff: rows by expert.
    input: Activations,
    /// n · n_used × d_ff, later d_model.
    gate: Vec<f32>,
    /// n · n_used × d_ff.
    up: Vec<f32>,
    /// n × d_model: the sum of the selected experts, while the shared one is computed.
    sum: Vec<f32>,
    /// Bytes of experts' weights that the step has read.
    pub(super) n_bytes: usize,
}

impl Model {
    /// delta = the weighted sum of the selected experts' outputs of `input`, plus the shared
    /// expert's.
    pub(super) fn mixture(&self, experts: &Experts, next: &[&WeightMatrix], s: &mut Scratch) {
        let config = self.config.experts.as_ref().expect("a layer with experts has their config");
        let n = s.rows.len();
        if !config.routes_stream {
            self.route(config, experts, n, &s.input, &mut s.experts);
        }
        let e = &mut s.experts;
        e.selected.resize(n * config.n_used, Selected::default());
        let outputs = &e.router;
        self.pool.for_each_row(&mut e.selected, config.n_used, &|row, selected| {
            let outputs = &outputs[row * config.n_experts..(row + 1) * config.n_experts];
            let biases = [&experts.router_bias, &experts.selection_bias];
            select(config, biases.map(Option::as_deref), outputs, selected);
        });
        group(config, e);
        e.n_bytes += (e.groups.iter())
            .flat_map(|rows| experts.of_expert(rows.expert))
            .map(WeightMatrix::n_bytes)
            .sum::<usize>();
        self.gather(config, &s.input.x, e);
        let shared_up = experts.shared.as_ref().map(|shared| &shared.up);
        let next_here = if shared_up.is_some() { shared_up.as_slice() } else { next };
        self.run_experts(config, experts, next_here, e);
        let (d_model, out) = (self.config.d_model, &e.gate);
        s.delta.resize(n * d_model, 0.0);
        let (selected, row_of) = (&e.selected, &e.row_of);
        self.pool.for_each_row(&mut s.delta, d_model, &|token, sum| {
            for slot in token * config.n_used..(token + 1) * config.n_used {
                let Selected { expert, weight } = selected[slot];
                let out = &out[row_of[slot] * d_model..][..d_model];
                let bias = part(experts.down_bias.as_deref(), expert, d_model);
                let weight = if config.weighs_input { 1.0 } else { weight };
                for (i, (sum, x)) in sum.iter_mut().zip(out).enumerate() {
                    let x = bias.map_or(*x, |bias| x + bias[i]) * weight;
                    *sum = if slot == token * config.n_used { x } else { *sum + x };
                }
            }
        });
        if let Some(shared) = &experts.shared {
            std::mem::swap(&mut s.delta, &mut s.experts.sum);
            self.dense(shared, None, next, s);
            let (sum, gates) = (&s.experts.sum, &s.experts.shared_gate);
            let is_gated = experts.shared_gate.is_some();
            self.pool.for_each_row(&mut s.delta, d_model, &|row, delta| {
                let gate = if is_gated { sigmoid(gates[row]) } else { 1.0 };
                for (x, sum) in delta.iter_mut().zip(&sum[row * d_model..]) {
                    *x = sum + *x * gate;
                }
            });
        }
    }

    /// The router's outputs for the stream before attention, in models whose router reads it.
    pub(super) fn route_stream(&self, layer: &Layer, s: &mut Scratch) {
        if let (Some(config), Some(experts)) = (&self.config.experts, &layer.experts)
            && config.routes_stream
        {
            self.normed_input(None, [&experts.router], s);
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
        let router = Product { weights: &experts.router, out: &mut e.router };
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
        let d_model = self.config.d_model;
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
        config: &ExpertConfig,
        experts: &Experts,
        next: &[&WeightMatrix],
        e: &mut ExpertScratch,
    ) {
        let (pool, isa, d_ff) = (&self.pool, self.isa, config.d_ff);
        let (d_model, n_rows) = (self.config.d_model, e.place_of.len());
        let ends = e.groups.iter().map(|rows| rows.first + rows.n);
        let formats = experts.gate.first().into_iter().chain(&experts.up[..1]);
        let formats = formats.map(WeightMatrix::format);
        e.input.quantize_groups(pool, isa, d_model, formats, ends.clone());
        let first_down = &experts.down[e.groups[0].expert];
        let activation = self.config.activation;
        let (selected, place_of) = (&e.selected, &e.place_of);
        let bias_of = |bias: &Option<Vec<f32>>, row: usize, out: &mut [f32]| {
            let expert = selected[place_of[row]].expert;
            if let Some(bias) = part(bias.as_deref(), expert, out.len()) {
                out.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
            }
        };
        e.gate.resize(n_rows * d_ff, 0.0);
        if experts.gate.is_empty() {
            let products = &mut [ExpertProduct { weights: &experts.up, out: &mut e.gate }];
            matmul_experts(pool, isa, &e.input, &e.groups, products, &[first_down]);
            pool.for_each_row(&mut e.gate, d_ff, &|row, x| {
                bias_of(&experts.up_bias, row, x);
                activate(isa, activation, x);
            });
        } else {
            e.up.resize(n_rows * d_ff, 0.0);
            let products = &mut [
                ExpertProduct { weights: &experts.gate, out: &mut e.gate },
                ExpertProduct { weights: &experts.up, out: &mut e.up },
            ];
            matmul_experts(pool, isa, &e.input, &e.groups, products, &[first_down]);
            if experts.up_bias.is_some() {
                pool.for_each_row(&mut e.up, d_ff, &|row, x| bias_of(&experts.up_bias, row, x));
            }
            let up = &e.up;
            pool.for_each_row(&mut e.gate, d_ff, &|row, x| {
                bias_of(&experts.gate_bias, row, x);
                gate(isa, activation, x, &up[row * d_ff..(row + 1) * d_ff]);
            });
        }
        std::mem::swap(&mut e.input.x, &mut e.gate);
        e.input.quantize_groups(pool, isa, d_ff, [first_down.format()], ends);
        e.gate.resize(n_rows * d_model, 0.0);
        let products = &mut [ExpertProduct { weights: &experts.down, out: &mut e.gate }];
        matmul_experts(pool, isa, &e.input, &e.groups, products, next);
    }
}

/// Row `expert` of a table whose rows have `len` numbers.
fn part(table: Option<&[f32]>, expert: usize, len: usize) -> Option<&[f32]> {
    table.map(|table| &table[expert * len..(expert + 1) * len])
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Selects a token's experts from the router's outputs, with their weights. The first bias is
/// added to the outputs, the second to weights for selection alone.
fn select(
    config: &ExpertConfig,
    [router_bias, selection_bias]: [Option<&[f32]>; 2],
    outputs: &[f32],
    selected: &mut [Selected],
) {
    let (mut weights, mut scores) = ([0.0f32; MAX_EXPERTS], [0.0f32; MAX_EXPERTS]);
    let (weights, scores) = (&mut weights[..outputs.len()], &mut scores[..outputs.len()]);
    weights.copy_from_slice(outputs);
    if let Some(bias) = router_bias {
        weights.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
    }
    match config.gating {
        Gating::Softmax => softmax(weights),
        Gating::Sigmoid => weights.iter_mut().for_each(|x| *x = sigmoid(*x)),
        Gating::SoftmaxOfSelected => {}
    }
    scores.copy_from_slice(weights);
    if let Some(bias) = selection_bias {
        scores.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
    }
    let mut free = [true; MAX_EXPERTS];
    let free = &mut free[..scores.len()];
    if config.n_groups > 1 {
        keep_best_groups(config, scores, free);
    }
    for place in selected.iter_mut() {
        let expert = best(scores, free).expect("a token uses no more experts than there are");
        free[expert] = false;
        *place = Selected { expert, weight: weights[expert] };
    }
    if config.gating == Gating::SoftmaxOfSelected {
        let weights = &mut scores[..selected.len()];
        weights.iter_mut().zip(&*selected).for_each(|(x, selected)| *x = selected.weight);
        softmax(weights);
        selected.iter_mut().zip(&*weights).for_each(|(selected, x)| selected.weight = *x);
    }
    if config.normalized {
        let sum: f32 = selected.iter().fold(0.0, |sum, selected| sum + selected.weight);
        let sum = sum.max(SMALLEST_SUM);
        selected.iter_mut().for_each(|selected| selected.weight /= sum);
    }
    if config.weight_scale != 1.0 {
        selected.iter_mut().for_each(|selected| selected.weight *= config.weight_scale);
    }
}

/// The free one of the greatest score, the first of equal ones. NaN is never greater.
fn best(scores: &[f32], free: &[bool]) -> Option<usize> {
    let mut best = None;
    for (i, &score) in scores.iter().enumerate().filter(|(i, _)| free[*i]) {
        if best.is_none_or(|best: usize| score > scores[best]) {
            best = Some(i);
        }
    }
    best
}

/// Leaves the experts of the best groups free: those with the largest sums of two scores.
fn keep_best_groups(config: &ExpertConfig, scores: &[f32], free: &mut [bool]) {
    let (mut sums, mut is_open) = ([0.0f32; MAX_EXPERTS], [true; MAX_EXPERTS]);
    let (sums, is_open) = (&mut sums[..config.n_groups], &mut is_open[..config.n_groups]);
    let len = scores.len() / config.n_groups;
    let group = |group: usize| group * len..(group + 1) * len;
    for (i, sum) in sums.iter_mut().enumerate() {
        let (scores, free) = (&scores[group(i)], &mut free[group(i)]);
        for _ in 0..2 {
            let expert = best(scores, free).expect("a group has two experts");
            free[expert] = false;
            *sum += scores[expert];
        }
        free.fill(false);
    }
    for _ in 0..config.n_groups_used {
        let chosen = best(sums, is_open).expect("no more groups are used than there are");
        is_open[chosen] = false;
        free[group(chosen)].fill(true);
    }
}

/// Softmax in place: exp(x - max), summed in order, one division for each.
fn softmax(x: &mut [f32]) {
    let max = x.iter().fold(f32::NEG_INFINITY, |max, &x| if max < x { x } else { max });
    let mut sum = 0.0;
    for x in x.iter_mut() {
        *x = exp(*x - max);
        sum += *x;
    }
    x.iter_mut().for_each(|x| *x /= sum);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(gating: Gating) -> ExpertConfig {
        ExpertConfig {
            n_experts: 6,
            n_used: 2,
            d_ff: 8,
            d_shared: 0,
            gating,
            normalized: false,
            weight_scale: 1.0,
            weighs_input: false,
            routes_stream: false,
            n_groups: 1,
            n_groups_used: 1,
        }
    }

    fn run(config: &ExpertConfig, bias: Option<&[f32]>, outputs: &[f32]) -> Vec<(usize, f32)> {
        let mut selected = vec![Selected::default(); config.n_used];
        select(config, [None, bias], outputs, &mut selected);
        selected.iter().map(|selected| (selected.expert, selected.weight)).collect()
    }

    #[test]
    fn of_equal_experts_the_first_is_selected() {
        let selected = run(&config(Gating::Sigmoid), None, &[0.0, 1.0, 2.0, 2.0, 2.0, 1.0]);
        assert_eq!(selected.iter().map(|s| s.0).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_selection_bias_selects_and_weighs_nothing() {
        let outputs = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let bias = [2.0, 1.5, 0.0, 0.0, 0.0, 0.0];
        let selected = run(&config(Gating::Sigmoid), Some(&bias), &outputs);
        assert_eq!(selected, [(0, sigmoid(0.0)), (1, sigmoid(1.0))]);
    }

    #[test]
    fn gatings_follow_their_formulas() {
        let outputs: [f32; 6] = [0.3, -1.0, 2.5, 0.1, 1.7, -0.4];
        let e = outputs.map(|x| f64::from(x).exp());
        let (all, two) = (e.iter().sum::<f64>(), e[2] + e[4]);
        for (gating, expected) in [
            (Gating::Softmax, [e[2] / all, e[4] / all]),
            (Gating::Sigmoid, [e[2] / (1.0 + e[2]), e[4] / (1.0 + e[4])]),
            (Gating::SoftmaxOfSelected, [e[2] / two, e[4] / two]),
        ] {
            for (normalized, scale) in [(false, 1.0), (true, 2.5)] {
                let config = ExpertConfig { normalized, weight_scale: scale, ..config(gating) };
                let sum = if normalized { expected[0] + expected[1] } else { 1.0 };
                let found = run(&config, None, &outputs);
                for (found, (expert, weight)) in found.iter().zip([2, 4].iter().zip(expected)) {
                    let truth = weight / sum * f64::from(scale);
                    assert_eq!(found.0, *expert);
                    assert!((f64::from(found.1) - truth).abs() < 1e-6, "{gating:?} {found:?}");
                }
            }
        }
    }

    #[test]
    fn experts_of_the_best_groups_are_selected() {
        let grouped =
            ExpertConfig { n_groups: 3, n_groups_used: 1, ..config(Gating::SoftmaxOfSelected) };
        // The best expert's group has a smaller sum of two than the last group.
        let selected = run(&grouped, None, &[5.0, -9.0, 0.0, 0.0, 1.0, 2.0]);
        assert_eq!(selected.iter().map(|s| s.0).collect::<Vec<_>>(), [5, 4]);
    }

    #[test]
    fn outputs_that_are_no_numbers_select_experts_all_the_same() {
        for gating in [Gating::Softmax, Gating::Sigmoid, Gating::SoftmaxOfSelected] {
            let selected = run(&config(gating), None, &[f32::NAN; 6]);
            assert_eq!(selected.iter().map(|s| s.0).collect::<Vec<_>>(), [0, 1]);
        }
    }
}
