//! What may not matter doesn't: a constant added to all logits, the order of ids; and heat only
//! ever pushes the draw down the order.

use kelvin_sampling::{
    Chain, Dice, Distribution, Draw, SampleError, Sampler, State, TokenId, Words,
};
use proptest::prelude::*;

use crate::{cases, logits};

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

/// The figures of a draw after a text, or what it ended with.
fn after(logits: &[f32], chain: &Chain, state: &State, words: Words) -> Result<Draw, SampleError> {
    let mut sampler = Sampler::new(chain.clone(), Dice { seed: 0, sample: 0 });
    sampler.set_state(state.clone());
    sampler.draw_with(logits, words)
}

/// A chain of every kind of stage but `repetition` (which looks at the sign of a logit), written
/// for ids that `name` gives, with amounts that are multiples of 2^-10.
fn stages(picks: &[(usize, u32)], name: impl Fn(usize) -> usize) -> Chain {
    let write = |&(kind, x): &(usize, u32)| {
        let (amount, share) = (f64::from(2 * x + 1) / 1024.0, f64::from(x + 1) / 300.0);
        match kind {
            0 => format!("bias={}:{amount},{}:-inf", name(0), name(1)),
            1 => format!("mask=not,{},{}", name(2), name(3)),
            2 => format!("frequency={amount}"),
            3 => format!("presence={amount},window:7,scope:prompt+output"),
            4 => format!("dry={amount},base:2,length:1,breakers:{}+{}", name(4), name(0)),
            5 => "no_repeat_ngram=3".into(),
            6 => format!("temp={}", 0.2 + 2.0 * share),
            7 => format!("dynatemp={}..{}", share, 3.0 * share),
            8 => format!("edt={}", 0.3 + share),
            9 => format!("quadratic={},curve:{}", share / 8.0, 1.0 + share),
            10 => format!("top_k={}", x + 3),
            11 => format!("top_p={share}"),
            12 => format!("min_p={share}"),
            13 => format!("top_n_sigma={}", 3.0 * share),
            14 => format!("typical={share}"),
            15 => format!("top_h={share}"),
            16 => format!("epsilon={}", share / 100.0),
            17 => format!("eta={}", share / 100.0),
            18 => format!("top_a={share}"),
            19 => "p_less".into(),
            20 => format!("tfs={share}"),
            21 => format!("xtc={share},threshold:0.05"),
            22 => format!("adaptive_p={share}"),
            _ => format!("mirostat={},version:{}", 5.0 * share, 1 + x % 2),
        }
    };
    let mut texts: Vec<String> = picks.iter().map(write).collect();
    // What learns comes last, once.
    let last = texts
        .iter()
        .position(|t| t.starts_with("adaptive") || t.starts_with("mirostat"))
        .map(|i| texts.remove(i));
    texts.retain(|t| !t.starts_with("adaptive") && !t.starts_with("mirostat"));
    texts.extend(last);
    if texts.is_empty() { Chain::default() } else { texts.join(" | ").parse().unwrap() }
}

/// Whether stages have made equal what was untied (ties are broken by id), or left nothing.
fn ties(logits: &[f32], chain: &Chain, state: &State, words: &Words) -> bool {
    (1..=chain.stages().len()).any(|n| {
        let Ok(there) = Distribution::after(logits, &chain.first(n), state, words) else {
            return false;
        };
        there.top(usize::MAX).windows(2).any(|w| w[0].logit == w[1].logit)
    })
}

fn picks(n: usize) -> impl Strategy<Value = Vec<(usize, u32)>> {
    prop::collection::vec((0usize..25, 0u32..290), 0..=n)
}

/// Distinct ids, which the text of the test and its stages speak of.
const TEXT: [usize; 11] = [0, 1, 2, 3, 0, 1, 2, 4, 1, 2, 0];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn an_exact_constant_changes_nothing(
        (values, _) in untied(), constant in -30_000i32..30_000, picks in picks(4), draw: u64, stage: u64,
    ) {
        prop_assume!(values.len() > 4);
        let row = |c: i32| values.iter().map(|&x| (x + c) as f32 / 256.0).collect::<Vec<_>>();
        let chain = stages(&picks, |i| i);
        let state = State::restore(TEXT.map(|i| TokenId(i as u32)).to_vec(), 4, None);
        let words = Words { draw, stages: [stage; 7] };
        prop_assert_eq!(after(&row(0), &chain, &state, words), after(&row(constant), &chain, &state, words), "{}", chain);
    }

    #[test]
    fn ids_are_only_names((values, places) in untied(), picks in picks(4), draw: u64, stage: u64) {
        prop_assume!(values.len() > 4);
        let row: Vec<f32> = values.iter().map(|&x| x as f32 / 256.0).collect();
        let mut moved = vec![0.0; row.len()];
        for (&x, &place) in row.iter().zip(&places) {
            moved[place] = x;
        }
        let text = |name: &dyn Fn(usize) -> usize| {
            State::restore(TEXT.map(|i| TokenId(name(i) as u32)).to_vec(), 4, None)
        };
        let words = Words { draw, stages: [stage; 7] };
        let (chain, state) = (stages(&picks, |i| i), text(&|i| i));
        prop_assume!(!ties(&row, &chain, &state, &words));
        let found = after(&row, &chain, &state, words).map(|mut draw| {
            draw.token = TokenId(places[draw.token.index()] as u32);
            draw
        });
        prop_assert_eq!(found, after(&moved, &stages(&picks, |i| places[i]), &text(&|i| places[i]), words), "{}", chain);
    }

    /// Weights are rounded (to 2^-22 of their value), so words so close to a boundary are left out
    /// by moving them apart.
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

/// Threads, and what else is drawn beside it, don't matter to any stage at any size.
#[test]
fn company_does_not_matter() {
    for v in cases::SIZES {
        let logits = cases::logits(v);
        let draw = |n_threads: usize| {
            let all = cases::all(v);
            let mut tokens: Vec<Vec<_>> = all.iter().map(|_| Vec::new()).collect();
            std::thread::scope(|scope| {
                for (cases, tokens) in all
                    .chunks(all.len().div_ceil(n_threads))
                    .zip(tokens.chunks_mut(all.len().div_ceil(n_threads)))
                {
                    let logits = &logits;
                    scope.spawn(move || {
                        for pos in 0..4 {
                            for (case, tokens) in cases.iter().zip(tokens.iter_mut()) {
                                tokens.push(case.sampler().sample(logits, pos).unwrap());
                            }
                        }
                    });
                }
            });
            tokens
        };
        let alone = draw(1);
        assert_eq!(alone, draw(2), "{v}");
        assert_eq!(alone, draw(3), "{v}");
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
