//! Every truncation against pure f64 arithmetic that knows nothing of fixed-point weights: at most
//! the crossing token differs.

use std::collections::BTreeSet;

use kelvin_sampling::{Chain, Distribution, Stage, State, Words};
use proptest::prelude::*;

use crate::cases;

/// What a truncation keeps of logits in descending order; none for a stage that truncates nothing.
fn keep(stage: &Stage, xs: &[(u32, f64)], vocab: usize) -> Option<BTreeSet<u32>> {
    let max = xs[0].1;
    let z: f64 = xs.iter().map(|x| (x.1 - max).exp()).sum();
    let p: Vec<f64> = xs.iter().map(|x| (x.1 - max).exp() / z).collect();
    let entropy: f64 = p.iter().map(|p| -p * p.ln()).sum();
    let prefix = |n: usize| Some(xs[..n.clamp(1, xs.len())].iter().map(|x| x.0).collect());
    let at_least = |least: f64| prefix(p.iter().take_while(|p| **p >= least).count());
    let sums = |p: &[f64]| {
        let sum = p.iter().scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        });
        sum.collect::<Vec<_>>()
    };
    match stage {
        Stage::TopK(k) => {
            let k = k.get() as usize;
            prefix(k)
        }
        Stage::TopP(t) => prefix(1 + sums(&p).iter().take_while(|sum| **sum < t.get()).count()),
        Stage::MinP(m) => at_least(m.get() * p[0]),
        Stage::TopNSigma(n) => {
            let mean = xs.iter().map(|x| x.1).sum::<f64>() / xs.len() as f64;
            let variance = xs.iter().map(|x| (x.1 - mean).powi(2)).sum::<f64>() / xs.len() as f64;
            prefix(xs.iter().take_while(|x| x.1 >= max - n.get() * variance.sqrt()).count())
        }
        Stage::Typical(t) => {
            let mut order: Vec<usize> = (0..xs.len()).collect();
            let distance = |i: usize| (-p[i].ln() - entropy).abs();
            order.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
            let mass: Vec<f64> = order.iter().map(|&i| p[i]).collect();
            let n = 1 + sums(&mass).iter().take_while(|sum| **sum < t.get()).count();
            Some(order[..n.min(order.len())].iter().map(|&i| xs[i].0).collect())
        }
        Stage::TopH(h) => {
            let parts: Vec<f64> = p.iter().map(|p| -p * p.ln()).collect();
            prefix(sums(&parts).iter().take_while(|sum| **sum <= h.get() * entropy).count())
        }
        Stage::Epsilon(e) => at_least(e.get()),
        Stage::Eta(e) => at_least(e.get().min(e.get().sqrt() * (-entropy).exp())),
        Stage::TopA(a) => at_least(a.get() * p[0] * p[0]),
        Stage::PLess(_) => at_least(p.iter().map(|p| p * p).sum()),
        Stage::Tfs(t) => {
            let bends: Vec<f64> = p.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).collect();
            let total: f64 = bends.iter().sum();
            prefix(1 + sums(&bends).iter().take_while(|sum| **sum <= t.get() * total).count())
        }
        Stage::Xtc(x) => {
            let high = p.iter().take_while(|p| **p >= x.threshold()).count();
            Some(xs[high.saturating_sub(1)..].iter().map(|x| x.0).collect())
        }
        Stage::Mirostat(m) if m.version() == 2 => at_least((-2.0 * m.tau()).exp2()),
        Stage::Mirostat(m) => {
            let n = p.len().min(100) - 1;
            let (mut above, mut below) = (0.0, 0.0);
            for i in 0..n {
                let t = ((i as f64 + 2.0) / (i as f64 + 1.0)).ln();
                above += t * (p[i] / p[i + 1]).ln();
                below += t * t;
            }
            let s = above / below;
            let e = s - 1.0;
            let k = (e * (2.0 * m.tau()).exp2() / (1.0 - (vocab as f64).powf(-e))).powf(1.0 / s);
            prefix(k as usize)
        }
        _ => None,
    }
}

/// Untied logits: neighbours in the order are a step apart.
fn check(order: &[u32], step: f32, chain: &Chain) -> usize {
    let mut logits = vec![0.0; order.len()];
    for (place, &id) in order.iter().enumerate() {
        logits[id as usize] = -(place as f32) * step;
    }
    let mut xs: Vec<(u32, f64)> =
        order.iter().map(|&id| (id, f64::from(logits[id as usize]))).collect();
    let stage = match chain.stages() {
        [stage] => stage,
        [Stage::Temp(t), stage] => {
            xs.iter_mut().for_each(|x| x.1 /= f64::from(t.get()));
            stage
        }
        _ => return 0,
    };
    let Some(plain) = keep(stage, &xs, logits.len()) else { return 0 };
    let words = Words::default();
    let found = Distribution::after(&logits, chain, &State::default(), &words).unwrap();
    let found: BTreeSet<u32> = found.top(usize::MAX).iter().map(|c| c.token.0).collect();
    let crossing = match stage {
        // The order by distance from the entropy runs on two sides, so two tokens can change places
        // at its end.
        Stage::Typical(_) => 2,
        // k is a power with an exponent that may be large: it isn't where a mass crosses.
        Stage::Mirostat(m) if m.version() == 1 => 2 + plain.len() / 100,
        _ => 1,
    };
    let differ = plain.symmetric_difference(&found).count();
    assert!(
        differ <= crossing,
        "{chain} at {} tokens: {differ} of {} differ",
        order.len(),
        plain.len()
    );
    1
}

#[test]
fn every_truncation_at_every_size() {
    for (v, step) in cases::SIZES.into_iter().zip([0.5, 2f32.powi(-6), 2f32.powi(-14)]) {
        let order: Vec<u32> =
            (0..v as u32).map(|i| (u64::from(i) * 5003 % v as u64) as u32).collect();
        let mut n = 0;
        for case in cases::all(v) {
            // Second differences of neighbours 2^-14 apart are smaller than the rounding of a
            // weight: what `tfs` keeps there is what its definition says, which `exact` tests.
            if v < 10_000 || !case.chain.to_string().starts_with("tfs") {
                n += check(&order, step, &case.chain);
            }
        }
        assert!(n >= 14, "{n}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn truncations_are_those_of_plain_arithmetic(
        order in (2u32..400).prop_flat_map(|n| Just((0..n).collect::<Vec<_>>()).prop_shuffle()),
        step in prop::sample::select(vec![0.5f32, 0.125, 0.03125]), share in 0.01f64..0.99,
    ) {
        let even = share / order.len() as f64;
        for stage in [
            format!("top_p={share}"), format!("min_p={share}"), format!("top_n_sigma={}", 3.0 * share),
            format!("typical={share}"), format!("top_h={share}"), format!("epsilon={even}"), format!("eta={even}"),
            format!("top_a={share}"), "p_less".into(), format!("tfs={share}"), format!("xtc=1,threshold:{even}"),
            format!("mirostat={}", 6.0 * share),
        ] {
            check(&order, step, &stage.parse().unwrap());
        }
    }
}
