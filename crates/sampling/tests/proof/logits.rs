//! Logits of many shapes, and chains of all stages, for property tests.

use kelvin_sampling::{Chain, ParamKind, STAGES, StageInfo};
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
    (finite(n), prop::sample::select(vec![0.0, 0.1, 0.9]), any::<u64>()).prop_map(
        |(mut x, part, seed)| {
            let spared = (seed % x.len() as u64) as usize;
            for (i, x) in x.iter_mut().enumerate() {
                let hash = (seed ^ i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                if i != spared && (hash as f64) < part * f64::from(1 << 24) {
                    *x = f32::NEG_INFINITY;
                }
            }
            x
        },
    )
}

/// A temperature, or a truncation that keeps a prefix of the descending order.
fn plain_stage() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => of("temp", edges(vec![1.0, 2.0, 0.5, 1e-8, 1e8, 1e-45, 1e38], 0.05..10.0)),
        1 => of("temp", Just(0.0).boxed()),
        3 => (0u32..60).prop_map(|k| format!("top_k={k}")),
        3 => of("top_p", edges(vec![1.0, 0.95, 1e-12, 0.999_999_999], 0.01..1.0)),
        3 => of("min_p", edges(vec![0.0, 1.0, 1e-30, 0.05], 0.0..1.0)),
    ]
}

fn of(name: &'static str, values: BoxedStrategy<f64>) -> impl Strategy<Value = String> {
    values.prop_map(move |v| format!("{name}={v}"))
}

fn edges(edges: Vec<f64>, range: std::ops::Range<f64>) -> BoxedStrategy<f64> {
    prop_oneof![prop::sample::select(edges), range].boxed()
}

/// Any stage but those that have to be the last.
fn stage() -> impl Strategy<Value = String> {
    let more = prop_oneof![
        of("top_n_sigma", edges(vec![0.0, 1.0, 1e30], 0.1..4.0)),
        of("typical", edges(vec![1.0, 1e-12, 0.95], 0.01..1.0)),
        of("top_h", edges(vec![1.0, 1e-12, 0.4], 0.01..1.0)),
        of("epsilon", edges(vec![0.0, 1.0, 1e-12], 0.0001..0.3)),
        of("eta", edges(vec![0.0, 1.0, 1e-12], 0.0001..0.3)),
        of("top_a", edges(vec![0.0, 1.0, 1e-12], 0.01..1.0)),
        of("tfs", edges(vec![1.0, 1e-12, 0.95], 0.01..1.0)),
        Just("p_less".to_owned()),
    ];
    let changing = prop_oneof![
        (0.0f64..1.1, 0.0f64..0.6).prop_map(|(q, t)| format!("xtc={},threshold:{t}", q.min(1.0))),
        (0.0f64..1.0, 0.0f64..3.0).prop_map(|(lo, more)| format!("dynatemp={lo}..{}", lo + more)),
        (0.1f64..3.0, 0.0f64..2.0).prop_map(|(t, theta)| format!("edt={t},theta:{theta}")),
        (0.0f64..2.0, 1.0f64..5.0).prop_map(|(f, c)| format!("quadratic={f},curve:{c}")),
        (0.5f32..2.0, 0u32..20).prop_map(|(t, n)| format!("repetition={t},window:{n}")),
        (-2.0f32..2.0).prop_map(|a| format!("frequency={a}")),
        (-2.0f32..2.0).prop_map(|a| format!("presence={a},window:5,scope:prompt+output")),
        (0.0f32..3.0, 1.0f32..3.0, 1u32..4, any::<bool>()).prop_map(|(m, b, l, breakers)| {
            let breakers = if breakers { ",breakers:0/1+2" } else { "" };
            format!("dry={m},base:{b},length:{l}{breakers}")
        }),
        (0u32..4).prop_map(|n| format!("no_repeat_ngram={n}")),
        (-5.0f32..5.0, any::<bool>())
            .prop_map(|(b, ban)| format!("bias=0:{b},1:{}", if ban { "-inf" } else { "3" })),
        Just("mask=0-2,4".to_owned()),
        Just("mask=not,1-2".to_owned()),
        (1u32..60).prop_map(|k| format!("top_k={k},ties:kept")),
        (0.01f64..1.0).prop_map(|t| format!("typical={t},ties:kept")),
    ];
    prop_oneof![2 => plain_stage(), 2 => more, 2 => changing, 1 => row(|info| !info.traits.learns)]
}

/// Any stage of the table that `which` accepts, its parameters anywhere within their sliders.
fn row(which: fn(&StageInfo) -> bool) -> impl Strategy<Value = String> {
    let rows: Vec<&StageInfo> = STAGES.iter().filter(|info| which(info)).collect();
    let shares = prop::array::uniform4(0.0f64..=1.0);
    (prop::sample::select(rows), shares).prop_map(|(info, shares)| {
        let place = |key| info.params.iter().position(|param| param.key == key).unwrap_or(0);
        info.written(|param| {
            let share = shares[place(param.key) % shares.len()];
            let number = param.low + (param.high - param.low) * share;
            match param.kind {
                ParamKind::Number => format!("{number}"),
                ParamKind::Whole => format!("{}", number.round() as i64),
                ParamKind::Temperature => format!("{}", 10.0 * share),
                ParamKind::Range => format!("{share}..{}", 1.0 + share),
                ParamKind::Scope if share < 0.5 => "output".into(),
                ParamKind::Scope => "prompt+output".into(),
                ParamKind::Text => param.start.into(),
            }
        })
    })
}

fn join(stages: Vec<String>) -> Chain {
    let text = if stages.is_empty() { "draw".to_owned() } else { stages.join(" | ") };
    text.parse().unwrap()
}

/// Chains of up to `n` temperatures and plain truncations in any order, repetitions included.
pub(crate) fn plain_chain(n: usize) -> impl Strategy<Value = Chain> {
    prop::collection::vec(plain_stage(), 0..=n).prop_map(join)
}

/// Chains of up to `n` stages of all kinds, sometimes with one that learns at the end.
pub(crate) fn chain(n: usize) -> impl Strategy<Value = Chain> {
    let last = prop_oneof![
        3 => Just(None),
        1 => (0.0f64..1.0).prop_map(|t| Some(format!("adaptive_p={t}"))),
        1 => (0.0f64..8.0, 1u8..3).prop_map(|(t, v)| Some(format!("mirostat={t},version:{v}"))),
        1 => row(|info| info.traits.learns).prop_map(Some),
    ];
    (prop::collection::vec(stage(), 0..=n), last)
        .prop_filter("seven random stages at most", |(stages, _)| {
            stages.iter().filter(|stage| stage.starts_with("xtc")).count() <= 7
        })
        .prop_map(|(stages, last)| join(stages.into_iter().chain(last).collect()))
}
