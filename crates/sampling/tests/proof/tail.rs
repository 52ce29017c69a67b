//! Tokens 18 to 25 nats below the likeliest come up at their rate.

use kelvin_sampling::{Chain, Dice, Sampler};

use crate::{chance, reference};

/// One likely token, and `EACH` tokens in each class from 18 to 25 nats below it.
const EACH: usize = 500;

fn logits() -> Vec<f32> {
    let mut logits = vec![3.0];
    logits.extend((0..8 * EACH).map(|i| 3.0 - 18.0 - (i % 8) as f32));
    logits
}

/// How many nats below, less 18.
fn class(id: u32) -> usize {
    (id as usize - 1) % 8
}

/// Draws among the words that don't draw the likeliest: their classes come at their rates.
#[test]
fn classes_come_up_at_their_rates() {
    let logits = logits();
    let first = reference::survive(&logits, &Chain::default()).boundary(1);
    let span = u128::from(u64::MAX - first) + 1;
    let dice = Dice { seed: 31, sample: 0 };
    let mut sampler = Sampler::new(Chain::default(), dice);
    let mut counts = vec![0; 8];
    for pos in 0..40_000 {
        let word = first + ((u128::from(dice.word(pos)) * span) >> 64) as u64;
        let draw = sampler.draw_with(&logits, word).unwrap();
        counts[class(draw.token.0)] += 1;
    }
    let total: f64 = (0..8).map(|k| (-f64::from(k)).exp()).sum();
    let p: Vec<f64> = (0..8).map(|k| (-f64::from(k)).exp() / total).collect();
    let value = chance::fit(&counts, &p);
    assert!(value > 1e-4, "p = {value:e}, {counts:?}");
}

/// The share of words that draw a class is within 1 % of its probability: no counting needed.
#[test]
fn shares_of_words_are_right_to_a_hundredth() {
    let logits = logits();
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
