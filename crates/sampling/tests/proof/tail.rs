//! Tokens 18 to 25 nats below the likeliest come up at their rate, under every stage and at every
//! size.

use kelvin_sampling::{Chain, Dice, Sampler, Words};

use crate::{cases, chance, reference};

/// One likely token, and tokens in classes from 18 to 25 nats below it.
fn logits(v: usize) -> Vec<f32> {
    (0..v).map(|i| if i == 0 { 3.0 } else { 3.0 - 18.0 - ((i - 1) % 8) as f32 }).collect()
}

/// How many nats below, less 18.
fn class(id: u32) -> usize {
    (id as usize - 1) % 8
}

/// Draws among the words that don't draw the likeliest: the classes come at their rates.
#[test]
fn classes_come_up_at_their_rates_under_every_stage() {
    for (v, n) in [(8, 20_000), (1000, 5000), (262_144, 100)] {
        let logits = logits(v);
        for case in cases::tails() {
            let dice = Dice { seed: 31, sample: 0 };
            let mut truth =
                reference::try_survive(&logits, &case.chain, &case.state, &Words::default())
                    .unwrap();
            let first = usize::from(truth.survivors[0].0 == 0);
            let from = truth.boundary(first);
            let span = u128::from(u64::MAX - from) + 1;
            let mut sampler = case.sampler();
            let mut counts = vec![0; 8];
            for pos in 0..n {
                let words = dice.words(pos);
                let draw = from + ((u128::from(words.draw) * span) >> 64) as u64;
                sampler.set_state(case.state.clone());
                let token = sampler.sample_with(&logits, Words { draw, ..words }).unwrap();
                counts[class(token.0)] += 1;
            }
            // In the f64 arithmetic of the reference, among what is below the likeliest.
            let all = truth.probabilities();
            truth.survivors.drain(..first);
            let mut p = vec![0.0; 8];
            let below: f64 = all[first..].iter().sum();
            for (&(id, _), share) in truth.survivors.iter().zip(&all[first..]) {
                p[class(id)] += share / below;
            }
            let value = chance::fit(&counts, &p);
            assert!(value > 1e-4, "{v} {}: p = {value:e}, {counts:?} {p:?}", case.chain);
        }
    }
}

/// The share of words that draw a class is within 1 % of its probability: no counting needed.
#[test]
fn shares_of_words_are_right_to_a_hundredth() {
    const EACH: usize = 500;
    let logits = logits(8 * EACH + 1);
    let truth = reference::survive(&logits, &Chain::default());
    let mut sampler = Sampler::new(Chain::default(), Dice { seed: 0, sample: 0 });
    let probabilities = truth.probabilities();
    for class in 0..8 {
        let (from, to) = (1 + class * EACH, 1 + (class + 1) * EACH);
        let end = if to == truth.survivors.len() { u64::MAX } else { truth.boundary(to) };
        let start = truth.boundary(from);
        // The fast path has the same boundaries.
        assert_eq!(sampler.draw_with(&logits, start).unwrap().rank as usize, from);
        assert!((sampler.draw_with(&logits, start - 1).unwrap().rank as usize) < from);
        let found = (end - start) as f64 / 2f64.powi(64);
        let expected: f64 = probabilities[from..to].iter().sum();
        assert!((found / expected - 1.0).abs() < 0.01, "class {class}: {found:e} {expected:e}");
    }
}

/// Without the trick of choosing words: many tokens far below have enough mass together.
#[test]
fn a_crowd_far_below_is_drawn() {
    let mut logits = vec![-14.0; 4000];
    logits[0] = 0.0;
    let dice = Dice { seed: 32, sample: 0 };
    let mut sampler = Sampler::new(Chain::default(), dice);
    let n = 60_000;
    let crowd = (0..n).filter(|&pos| sampler.draw(&logits, pos).unwrap().token.0 != 0).count();
    let mass = 3999.0 * (-14f64).exp();
    let p = mass / (1.0 + mass);
    let value = chance::fit(&[crowd as u64, n - crowd as u64], &[p, 1.0 - p]);
    assert!(value > 1e-4, "p = {value:e}, {crowd} of {n}");
}
