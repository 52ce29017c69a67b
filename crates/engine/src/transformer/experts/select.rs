//! Which experts a token goes through, and with which weights.

use kelvin_kernels::exp::exp;

use super::super::{ExpertConfig, Gating, config::MAX_EXPERTS, scratch::Selected};

/// The smallest sum that weights are divided by: f16's smallest normal number.
const SMALLEST_SUM: f32 = 6.103_515_6e-5;

pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// √ln(1 + e^x). Above 20 the logarithm is x in f32.
fn root_of_softplus(x: f32) -> f32 {
    let x = f64::from(x);
    libm::sqrt(if x > 20.0 { x } else { libm::log1p(libm::exp(x)) }) as f32
}

/// Selects a token's experts from the router's outputs, with their weights. The first bias is
/// added to the outputs, the second to weights for selection alone. Where the token says which
/// experts it goes through, they are `given`.
pub(super) fn select(
    config: &ExpertConfig,
    [router_bias, selection_bias]: [Option<&[f32]>; 2],
    outputs: &[f32],
    given: Option<&[u32]>,
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
        Gating::RootOfSoftplus => weights.iter_mut().for_each(|x| *x = root_of_softplus(*x)),
        Gating::SoftmaxOfSelected | Gating::SigmoidOfSelected => {}
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
    for (i, place) in selected.iter_mut().enumerate() {
        let expert = match given {
            Some(given) => given[i] as usize,
            None => best(scores, free).expect("a token uses no more experts than there are"),
        };
        free[expert] = false;
        *place = Selected { expert, weight: weights[expert] };
    }
    if config.gating == Gating::SoftmaxOfSelected {
        let weights = &mut scores[..selected.len()];
        weights.iter_mut().zip(&*selected).for_each(|(x, selected)| *x = selected.weight);
        softmax(weights);
        selected.iter_mut().zip(&*weights).for_each(|(selected, x)| selected.weight = *x);
    }
    if config.gating == Gating::SigmoidOfSelected {
        selected.iter_mut().for_each(|selected| selected.weight = sigmoid(selected.weight));
    }
    if config.normalized {
        normalize(selected);
    }
    if config.weight_scale != 1.0 {
        selected.iter_mut().for_each(|selected| selected.weight *= config.weight_scale);
    }
}

/// Divides weights by their sum.
pub(super) fn normalize(selected: &mut [Selected]) {
    let sum: f32 = selected.iter().fold(0.0, |sum, selected| sum + selected.weight);
    let sum = sum.max(SMALLEST_SUM);
    selected.iter_mut().for_each(|selected| selected.weight /= sum);
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
pub(super) fn softmax(x: &mut [f32]) {
    let max = x.iter().fold(f32::NEG_INFINITY, |max, &x| if max < x { x } else { max });
    let mut sum = 0.0;
    for x in x.iter_mut() {
        *x = exp(*x - max);
        sum += *x;
    }
    x.iter_mut().for_each(|x| *x /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(gating: Gating) -> ExpertConfig {
        ExpertConfig {
            n_experts: 6,
            n_used: 2,
            d_ff: 8,
            d_stream: 16,
            is_narrow: false,
            d_shared: 0,
            shared_scale: 1.0,
            before_attention: false,
            n_by_token: 0,
            gating,
            normalized: false,
            weight_scale: 1.0,
            weighs_input: false,
            routes_stream: false,
            grouped: None,
            n_groups: 1,
            n_groups_used: 1,
        }
    }

    fn run(config: &ExpertConfig, bias: Option<&[f32]>, outputs: &[f32]) -> Vec<(usize, f32)> {
        let mut selected = vec![Selected::default(); config.n_used];
        select(config, [None, bias], outputs, None, &mut selected);
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
            (Gating::SigmoidOfSelected, [e[2] / (1.0 + e[2]), e[4] / (1.0 + e[4])]),
            (Gating::RootOfSoftplus, [(1.0 + e[2]).ln().sqrt(), (1.0 + e[4]).ln().sqrt()]),
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
    fn a_token_may_say_its_experts() {
        let mut selected = [Selected::default(); 2];
        let config = ExpertConfig { normalized: true, ..config(Gating::Sigmoid) };
        let outputs = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        select(&config, [None, None], &outputs, Some(&[3, 0]), &mut selected);
        let sum = sigmoid(3.0) + sigmoid(0.0);
        assert_eq!(selected.map(|s| s.expert), [3, 0]);
        assert_eq!(selected.map(|s| s.weight), [sigmoid(3.0) / sum, sigmoid(0.0) / sum]);
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
        for gating in [
            Gating::Softmax,
            Gating::Sigmoid,
            Gating::SoftmaxOfSelected,
            Gating::SigmoidOfSelected,
            Gating::RootOfSoftplus,
        ] {
            let selected = run(&config(gating), None, &[f32::NAN; 6]);
            assert_eq!(selected.iter().map(|s| s.0).collect::<Vec<_>>(), [0, 1]);
        }
    }
}
