//! What may not matter doesn't: a constant added to all logits, the order of ids; and heat only ever pushes the
//! draw down the order.

use kelvin_sampling::{Chain, Dice, Draw, Sampler, TokenId};
use proptest::prelude::*;

use crate::logits;

/// Distinct multiples of 2^-8 in some order, and a permutation of their places.
fn untied() -> impl Strategy<Value = (Vec<i32>, Vec<usize>)> {
    prop::collection::btree_set(-6000i32..6000, 1..400).prop_flat_map(|set| {
        let values: Vec<i32> = set.into_iter().collect();
        let places: Vec<usize> = (0..values.len()).collect();
        (Just(values).prop_shuffle(), Just(places).prop_shuffle())
    })
}

fn sample(logits: &[f32], chain: &Chain, word: u64) -> Draw {
    Sampler::new(chain.clone(), Dice { seed: 0, sample: 0 }).draw_with(logits, word).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_exact_constant_changes_nothing(
        (values, _) in untied(), constant in -30_000i32..30_000, chain in logits::plain_chain(4), word: u64,
    ) {
        let row = |c: i32| values.iter().map(|&x| (x + c) as f32 / 256.0).collect::<Vec<_>>();
        prop_assert_eq!(sample(&row(0), &chain, word), sample(&row(constant), &chain, word));
    }

    #[test]
    fn ids_are_only_names((values, places) in untied(), chain in logits::plain_chain(4), word: u64) {
        let row: Vec<f32> = values.iter().map(|&x| x as f32 / 256.0).collect();
        let mut moved = vec![0.0; row.len()];
        for (&x, &place) in row.iter().zip(&places) {
            moved[place] = x;
        }
        let mut draw = sample(&row, &chain, word);
        draw.token = TokenId(places[draw.token.index()] as u32);
        prop_assert_eq!(draw, sample(&moved, &chain, word));
    }

    /// Weights are rounded (to 2^-22 of their value), so words so close to a boundary are left out by
    /// moving them apart.
    #[test]
    fn rank_never_falls_as_temperature_rises(
        logits in logits::masked(300), t in 0.05f32..5.0, ratio in 1.01f32..4.0,
        truncation in prop::sample::select(vec!["", " | top_k=40", " | min_p=0.02"]), word: u64,
    ) {
        let at = |t: f32| format!("temp={t}{truncation}").parse::<Chain>().unwrap();
        let margin = 1u64 << 44;
        let cold = sample(&logits, &at(t), word.saturating_sub(margin));
        let hot = sample(&logits, &at(t * ratio), word.saturating_add(margin));
        prop_assert!(cold.rank <= hot.rank, "{} at {t}, {} at {}", cold.rank, hot.rank, t * ratio);
    }
}

/// A clone and a sampler that was used before draw the same token: nothing but the dice is random.
#[test]
fn earlier_draws_do_not_matter() {
    let logits: Vec<f32> = (0..500).map(|i| ((i * 37) % 101) as f32 * 0.1).collect();
    let dice = Dice { seed: 9, sample: 2 };
    let mut used = Sampler::new("temp=1.5 | top_p=0.9".parse().unwrap(), dice);
    let fresh = used.clone();
    for pos in 0..200 {
        let draw = used.draw(&logits, pos).unwrap();
        assert_eq!(draw, fresh.clone().draw(&logits, pos).unwrap());
        let _ = used.draw(&logits[..100], pos).unwrap();
    }
}

/// T = 0 is the limit of small temperatures.
#[test]
fn greedy_takes_the_lowest_id_of_the_largest() {
    let logits = [1.0, 4.0, f32::NEG_INFINITY, 4.0, -3.0];
    for word in [0, u64::MAX] {
        let draw = sample(&logits, &"temp=0".parse().unwrap(), word);
        assert_eq!((draw.token, draw.rank, draw.survivors), (TokenId(1), 0, 1));
        assert_eq!((draw.surprisal_final, draw.entropy_final), (0.0, 0.0));
    }
}
