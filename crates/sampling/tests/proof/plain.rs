//! Every truncation against pure f64 arithmetic that knows nothing of fixed-point weights: at most
//! the crossing token differs.

use std::collections::BTreeSet;

use kelvin_sampling::{Chain, Distribution, Stage, State, Words};
use proptest::prelude::*;

use crate::{cases, reference_stages::keep};

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
    let Some(plain) = keep(stage, &xs, logits.len()) else {
        assert!(!stage.truncates(), "a truncation without a plain definition: {stage}");
        return 0;
    };
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
