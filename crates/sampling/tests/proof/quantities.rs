//! What a distribution tells, against other ways to come to the same number.

use kelvin_sampling::{
    Chain, Dice, Distribution, Sampler, State, TokenId, Trace, Words, slope, softmax,
};
use proptest::prelude::*;

use crate::{logits, reference};

const LOGITS: [f32; 6] = [0.1, 0.0, 0.5, 1.0, 4.0, 0.6];

fn at(t: f32) -> Distribution {
    Distribution::new(&LOGITS, &Chain::default().with_temperature(t).unwrap()).unwrap()
}

fn near(a: f64, b: f64, within: f64) -> bool {
    (a - b).abs() <= within * b.abs().max(1.0)
}

#[test]
fn the_numbers_to_reproduce() {
    let chain = |t: f32| Chain::default().with_temperature(t).unwrap();
    let text = |logits: &[f32], t: f32, digits: usize| {
        let distribution = Distribution::new(logits, &chain(t)).unwrap();
        let p = (0..logits.len() as u32).map(|i| distribution.probability(TokenId(i)));
        p.map(|p| format!("{p:.digits$}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(text(&[1.0, 2.0], 1.0, 8), "0.26894142 0.73105858");
    assert_eq!(text(&[1.0, 2.0], 2.0, 8), "0.37754067 0.62245933");
    assert_eq!(text(&[1.0, 2.0], 5.0, 6), "0.450166 0.549834");
    assert_eq!(text(&LOGITS, 1.0, 4), "0.0176 0.0159 0.0262 0.0432 0.8681 0.0290");
    assert_eq!(text(&LOGITS, 5.0, 4), "0.1325 0.1299 0.1435 0.1586 0.2890 0.1464");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The four criteria of softmax: same length, no negative entry, order kept, sum 1.
    #[test]
    fn softmax_criteria(logits in logits::finite(200), t in prop::sample::select(vec![1e-8f32, 0.1, 1.0, 3.0, 1e8])) {
        let chain = Chain::default().with_temperature(t).unwrap();
        let distribution = Distribution::new(&logits, &chain).unwrap();
        let all = distribution.top(usize::MAX);
        prop_assert_eq!(all.len(), logits.len());
        prop_assert!(all.iter().all(|c| c.probability >= 0.0));
        prop_assert!(all.windows(2).all(|w| w[0].logit >= w[1].logit && w[0].probability >= w[1].probability));
        prop_assert!(near(all.iter().map(|c| c.probability).sum(), 1.0, 1e-12));
        let typed: Vec<f64> = logits.iter().map(|&x| f64::from(x)).collect();
        let plain = softmax(&typed, f64::from(t)).unwrap();
        prop_assert!(all.iter().all(|c| near(plain[c.token.index()], c.probability, 1e-12)));
    }

    /// The view and the draw describe the same distribution.
    #[test]
    fn draws_and_views_agree(logits in logits::masked(200), chain in logits::plain_chain(4), pos: u64) {
        let draw = Sampler::new(chain.clone(), Dice { seed: 3, sample: 0 }).draw(&logits, pos).unwrap();
        let shown = Distribution::new(&logits, &chain).unwrap();
        let raw = Distribution::new(&logits, &Chain::default()).unwrap();
        prop_assert!(near(draw.entropy, raw.entropy(), 1e-5));
        prop_assert!(near(draw.entropy_final, shown.entropy(), 1e-5));
        prop_assert!(near(draw.surprisal_final, shown.surprisal(draw.token), 1e-5));
        prop_assert_eq!(Some(draw.rank as usize), shown.rank(draw.token));
        if draw.surprisal.is_finite() {
            prop_assert!(near(draw.surprisal, raw.surprisal(draw.token), 1e-5));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// The shift of a step against the whole distributions before and after the chain.
    #[test]
    fn shifts_are_those_of_the_distributions(logits in logits::masked(200), chain in logits::plain_chain(4), pos: u64) {
        let dice = Dice { seed: 3, sample: 0 };
        let plain = Sampler::new(chain.clone(), dice).draw(&logits, pos).unwrap();
        let draw = Sampler::new(chain.clone(), dice).measuring_shift().draw(&logits, pos).unwrap();
        let shift = draw.shift.unwrap();
        prop_assert_eq!(plain, kelvin_sampling::Draw { shift: None, ..draw });
        let raw = Distribution::new(&logits, &Chain::default()).unwrap();
        let shown = Distribution::new(&logits, &chain).unwrap();
        // Where rounding decides, either answer may stand: a mass within 1e-6 of the boundary.
        let width = |mass: f64| 1 + sums(&shown).iter().take_while(|sum| **sum < mass).count();
        prop_assert!((width(0.95 - 1e-6)..=width(0.95 + 1e-6)).contains(&(shift.width as usize)));
        let outside = |mass: f64| {
            let inside = 1 + sums(&raw).iter().take_while(|sum| **sum < mass).count();
            1.0 - raw.top(inside).iter().map(|c| shown.probability(c.token)).sum::<f64>()
        };
        let (most, least) = (outside(0.9 - 1e-6), outside(0.9 + 1e-6));
        prop_assert!(least - 1e-5 <= shift.outside && shift.outside <= most + 1e-5, "{} {} {}", least, shift.outside, most);
        prop_assert!(near(shift.heat_capacity, shown.heat_capacity(), 1e-4), "{} {}", shift.heat_capacity, shown.heat_capacity());
    }
}

fn sums(distribution: &Distribution) -> Vec<f64> {
    let each = distribution.top(usize::MAX).into_iter().scan(0.0, |sum, choice| {
        *sum += choice.probability;
        Some(*sum)
    });
    each.collect()
}

/// Two logits further apart than f32 can say: no temperature brings the lower one back, drawn or
/// shown.
#[test]
fn a_gap_beyond_f32_is_infinite() {
    let (logits, chain) = ([-3.3445898e38, 2.2858334e38], "temp=1e38".parse::<Chain>().unwrap());
    let sampler = Sampler::new(chain.clone(), Dice { seed: 3, sample: 0 });
    let draw = sampler.measuring_shift().draw_with(&logits, u64::MAX).unwrap();
    let shown = Distribution::new(&logits, &chain).unwrap();
    assert_eq!(
        (draw.token, draw.entropy_final, draw.shift.unwrap().outside),
        (TokenId(1), 0.0, 0.0)
    );
    assert_eq!((shown.probability(TokenId(0)), shown.entropy()), (0.0, 0.0));
    assert_eq!(shown.surprisal(TokenId(0)), f64::INFINITY);
}

#[test]
fn a_shift_at_every_temperature() {
    let shift = |chain: &str| {
        let sampler = Sampler::new(chain.parse().unwrap(), Dice { seed: 1, sample: 0 });
        sampler.measuring_shift().draw(&LOGITS, 0).unwrap().shift.unwrap()
    };
    // The likeliest has 87 % at T = 1, the first two 91 %.
    assert_eq!(
        (shift("temp=0").width, shift("temp=0").outside, shift("temp=0").heat_capacity),
        (1, 0.0, 0.0)
    );
    assert_eq!(shift("temp=1").width, 4);
    assert!((shift("temp=1").outside - (1.0 - 0.86811940 - 0.04322112)).abs() < 1e-6);
    assert!((shift("temp=5").outside - (1.0 - 0.28902 - 0.15862)).abs() < 1e-4);
    assert_eq!(shift("temp=5 | top_k=2").outside, 0.0);
    assert!((shift("temp=2").heat_capacity - at(2.0).heat_capacity()).abs() < 1e-6);
}

#[test]
fn top_and_rest_are_the_whole() {
    let distribution = at(1.0);
    for n in 0..8 {
        let top = distribution.top(n);
        let (count, mass) = distribution.rest(n);
        assert_eq!(top.len() + count, 6);
        let sum: f64 = top.iter().map(|c| c.probability).sum::<f64>() + mass;
        assert!(near(sum, 1.0, 1e-14), "{n}: {sum}");
    }
    assert_eq!(distribution.top(2)[1].token, TokenId(3));
    assert_eq!(distribution.rank(TokenId(4)), Some(0));
    assert_eq!(distribution.rank(TokenId(6)), None);
    assert_eq!(distribution.probability(TokenId(99)), 0.0);
    assert_eq!(distribution.surprisal(TokenId(99)), f64::INFINITY);
}

#[test]
fn entropy_by_its_definition() {
    for t in [0.25, 1.0, 5.0, 64.0] {
        let distribution = at(t);
        let p: Vec<f64> = distribution.top(6).iter().map(|c| c.probability).collect();
        assert!(near(distribution.entropy(), reference::entropy(&p), 1e-13));
        assert!(near(distribution.effective_choices(), reference::entropy(&p).exp(), 1e-13));
        assert!(near(
            distribution.surprisal(TokenId(3)),
            -distribution.probability(TokenId(3)).ln(),
            1e-13
        ));
    }
}

/// Temperatures are powers of two plus or minus a step that f32 holds exactly.
#[test]
fn slopes_in_temperature_are_differences() {
    let step = 1.0 / 1024.0;
    for t in [0.5f32, 1.0, 4.0] {
        let (below, here, above) = (at(t - step), at(t), at(t + step));
        let by = |f: fn(&Distribution) -> f64| (f(&above) - f(&below)) / (2.0 * f64::from(step));
        assert!(near(here.entropy_slope(), by(Distribution::entropy), 1e-4));
        assert!(near(here.entropy(), -by(Distribution::free_energy), 1e-4), "S = -dF/dT");
        assert!(near(here.heat_capacity(), here.entropy_slope() * f64::from(t), 1e-12));
    }
}

#[test]
fn gradients_are_differences() {
    let step = 1e-6;
    for t in [0.5, 1.0, 5.0] {
        let here = at(t as f32);
        for j in 0..6 {
            let moved = |by: f64| {
                let mut x: Vec<f64> = LOGITS.iter().map(|&x| f64::from(x)).collect();
                x[j] += by;
                softmax(&x, t).unwrap()
            };
            let (above, below) = (moved(step), moved(-step));
            for i in 0..6 {
                let (i_id, j_id) = (TokenId(i as u32), TokenId(j as u32));
                let difference = (above[i] - below[i]) / (2.0 * step);
                assert!(near(here.gradient(i_id, j_id), difference, 1e-8), "{i} {j} at {t}");
                let loss = (below[i].ln() - above[i].ln()) / (2.0 * step);
                assert!(near(here.loss_gradient(i_id, j_id), loss, 1e-8), "loss {i} {j} at {t}");
            }
        }
        let difference = (f64::exp(1.3 / t + step) - f64::exp(1.3 / t - step)) / (2.0 * step * t);
        assert!(near(slope(1.3, t), difference, 1e-8));
    }
}

/// The ends of the scale: all on the first, and all alike.
#[test]
fn limits() {
    let greedy = at(0.0);
    assert_eq!((greedy.survivors(), greedy.entropy(), greedy.effective_choices()), (1, 0.0, 1.0));
    assert_eq!(
        (greedy.free_energy(), greedy.heat_capacity(), greedy.entropy_slope()),
        (-4.0, 0.0, 0.0)
    );

    let mut logits = LOGITS.to_vec();
    logits.push(f32::NEG_INFINITY);
    let uniform = Distribution::at_infinity(&logits, &Chain::default()).unwrap();
    assert_eq!((uniform.survivors(), uniform.probability(TokenId(0))), (6, 1.0 / 6.0));
    assert!(near(uniform.effective_choices(), 6.0, 1e-14));
    assert_eq!(uniform.free_energy(), f64::NEG_INFINITY);
    assert_eq!((uniform.heat_capacity(), uniform.entropy_slope()), (0.0, 0.0));
    assert_eq!(uniform.gradient(TokenId(0), TokenId(0)), 0.0);
    let truncated =
        Distribution::at_infinity(&logits, &"temp=3 | top_k=2".parse().unwrap()).unwrap();
    let ids: Vec<u32> = truncated.top(9).iter().map(|c| c.token.0).collect();
    assert_eq!(ids, [4, 3]);
    let half = Distribution::at_infinity(&logits, &"top_p=0.5".parse().unwrap()).unwrap();
    assert_eq!(half.survivors(), 3);
}

#[test]
fn stages_say_what_they_did() {
    let chain: Chain = "temp=2 | top_k=3 | top_p=0.9".parse().unwrap();
    let watched = [TokenId(4), TokenId(1), TokenId(99)];
    let trace =
        Trace::new(&LOGITS, &chain, &State::default(), &Words::default(), &watched).unwrap();
    let shown = trace.distribution();
    let [temp, top_k, top_p] = trace.stages() else { panic!("three stages") };
    assert_eq!((temp.survivors_before, temp.survivors_after, temp.mass_removed), (6, 6, 0.0));
    assert!(temp.entropy_after > temp.entropy_before);
    assert_eq!((top_k.survivors_after, top_p.survivors_before), (3, 3));
    assert!(near(top_k.mass_removed, at(2.0).rest(3).1, 1e-6));
    assert!(near(top_p.entropy_after, shown.entropy(), 1e-6));
    assert_eq!(shown.temperature(), 2.0);

    // A watched token is where the distribution after so many stages has it.
    for (i, &token) in watched.iter().enumerate() {
        assert_eq!(trace.places(i).len(), 4);
        for (n, place) in trace.places(i).iter().enumerate() {
            let there = Distribution::new(&LOGITS, &chain.first(n)).unwrap();
            assert_eq!(place.map(|place| place.rank), there.rank(token), "{n}");
            assert!(near(
                place.map_or(0.0, |place| place.probability),
                there.probability(token),
                1e-6
            ));
            assert!(place.is_none_or(|place| near(place.surprisal, there.surprisal(token), 1e-6)));
        }
    }
    assert_eq!(trace.places(1)[2..], [None, None]);
    let hot = Trace::at_infinity(&LOGITS, &chain, &watched).unwrap();
    assert_eq!(hot.stages()[0].stage.to_string(), "temp=inf");
    assert!(near(hot.places(1)[1].unwrap().probability, 1.0 / 6.0, 1e-9));
}
