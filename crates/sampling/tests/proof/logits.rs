//! Logits of many shapes, and chains of all stages, for property tests.

use kelvin_sampling::Chain;
use proptest::prelude::*;

/// A bell-shaped value with standard deviation 1.
fn bell() -> impl Strategy<Value = f32> {
    prop::array::uniform4(-1f32..1.0).prop_map(|x| x.iter().sum::<f32>() * 0.866)
}

/// Finite logits, up to `n` of them, at least one; none is masked.
pub(crate) fn finite(n: usize) -> impl Strategy<Value = Vec<f32>> {
    let vector = |x: BoxedStrategy<f32>| prop::collection::vec(x, 1..=n);
    prop_oneof![
        // Like a model's.
        vector(bell().prop_map(|x| 3.0 * x).boxed()),
        // Flat.
        vector(bell().prop_map(|x| 0.1 * x).boxed()),
        // Peaked: one far above.
        vector(bell().prop_map(|x| 2.0 * x).boxed()).prop_map(|mut x| {
            let place = x.len() / 2;
            x[place] += 12.0;
            x
        }),
        // Many ties.
        vector(prop::sample::select(vec![-3.0, -0.0, 0.0, 0.5, 0.5000001, 4.0]).boxed()),
        // All equal but for the last bit.
        vector(prop::sample::select(vec![7.0, 7.000_000_5]).boxed()),
        // Multiples of 2^-8.
        vector((-4000i32..4000).prop_map(|i| i as f32 / 256.0).boxed()),
        // Anything finite.
        vector(any::<f32>().prop_map(|x| if x.is_finite() { x } else { 1.0 }).boxed()),
    ]
}

/// The same, sometimes with masked tokens, never with all masked.
pub(crate) fn masked(n: usize) -> impl Strategy<Value = Vec<f32>> {
    (finite(n), prop::sample::select(vec![0.0, 0.1, 0.9]), any::<u64>()).prop_map(|(mut x, part, seed)| {
        let spared = (seed % x.len() as u64) as usize;
        for (i, x) in x.iter_mut().enumerate() {
            let hash = (seed ^ i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            if i != spared && (hash as f64) < part * f64::from(1 << 24) {
                *x = f32::NEG_INFINITY;
            }
        }
        x
    })
}

fn stage() -> impl Strategy<Value = String> {
    let of = |name: &'static str, values: BoxedStrategy<f64>| values.prop_map(move |v| format!("{name}={v}"));
    let edges = |edges: Vec<f64>, range: std::ops::Range<f64>| {
        prop_oneof![prop::sample::select(edges), range].boxed()
    };
    prop_oneof![
        3 => of("temp", edges(vec![1.0, 2.0, 0.5, 1e-8, 1e8, 1e-45, 1e38], 0.05..10.0)),
        1 => of("temp", Just(0.0).boxed()),
        3 => (0u32..60).prop_map(|k| format!("top_k={k}")),
        3 => of("top_p", edges(vec![1.0, 0.95, 1e-12, 0.999_999_999], 0.01..1.0)),
        3 => of("min_p", edges(vec![0.0, 1.0, 1e-30, 0.05], 0.0..1.0)),
    ]
}

/// Chains of up to `n` stages in any order, repetitions included.
pub(crate) fn chain(n: usize) -> impl Strategy<Value = Chain> {
    prop::collection::vec(stage(), 0..=n).prop_map(|stages| {
        let text = if stages.is_empty() { "draw".to_owned() } else { stages.join(" | ") };
        text.parse().unwrap()
    })
}
