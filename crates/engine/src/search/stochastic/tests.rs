//! Stochastic beams against the enumeration of all texts: how often which texts come in which order,
//! by chi-squared, and that wrong conditions and wrong noise fail.

use std::collections::BTreeMap;

use kelvin_sampling::Chain;

use super::*;
use crate::{generate::Constraint, rows::OfText};

/// Tokens of the small vocabulary; the last one ends a text.
const VOCAB: u32 = 3;
const END: TokenId = TokenId(VOCAB - 1);
const LONGEST: usize = 3;

/// Logits that are a function of the whole text.
fn logits(text: &[TokenId]) -> Vec<f32> {
    let of = |v: u32| {
        let hash = text.iter().fold(17 + v, |hash, token| hash * 31 % 9973 + token.0 * 7 + v);
        (hash * 7919 % 101) as f32 / 25.0 - 2.0
    };
    (0..VOCAB).map(of).collect()
}

const PROMPT: [TokenId; 2] = [TokenId(1), TokenId(0)];

fn task(chain: Option<&Chain>) -> Task<'_> {
    Task { prompt: &PROMPT, chain, end_tokens: &[END], max_tokens: LONGEST, ..Task::default() }
}

/// A text with its end token.
fn whole(found: &Found) -> Vec<TokenId> {
    let end = match found.end {
        End::Token(token) => Some(token),
        _ => None,
    };
    found.tokens.iter().copied().chain(end).collect()
}

/// A form in which no token follows itself.
#[derive(Debug, Clone, Default)]
struct NeverTwice {
    last: Option<TokenId>,
    mask: [u32; 1],
}

impl Constraint for NeverTwice {
    fn allowed(&mut self) -> Result<&[u32], String> {
        let bits = (0..VOCAB).filter(|&id| self.last != Some(TokenId(id)));
        self.mask = [bits.map(|id| 1 << id).sum()];
        Ok(&self.mask)
    }

    fn take(&mut self, token: TokenId) -> Result<(), String> {
        self.last = Some(token);
        Ok(())
    }

    fn is_complete(&self) -> bool {
        false
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}

/// All texts and their probabilities at a temperature; with `never_twice`, within that form.
fn enumerated(t: f64, never_twice: bool) -> Vec<(Vec<TokenId>, f64)> {
    let mut done = Vec::new();
    let mut open = vec![(Vec::new(), 1.0)];
    while let Some((text, p)) = open.pop() {
        let logits = logits(&[&PROMPT[..], &text].concat());
        let logits: Vec<f64> = logits.into_iter().map(f64::from).collect();
        let is_allowed = |id: &u32| !never_twice || text.last() != Some(&TokenId(*id));
        let allowed: Vec<u32> = (0..VOCAB).filter(is_allowed).collect();
        let logits: Vec<f64> = allowed.iter().map(|&id| logits[id as usize]).collect();
        let shares = kelvin_sampling::softmax(&logits, t).unwrap();
        for (token, share) in allowed.into_iter().map(TokenId).zip(shares) {
            let longer = [&text[..], &[token]].concat();
            let has_ended = token == END || longer.len() == LONGEST;
            if has_ended { &mut done } else { &mut open }.push((longer, p * share));
        }
    }
    done
}

/// Pearson's chi-squared of counts against expectations, bins below 8 together, as a deviation from
/// its mean in standard deviations (Wilson and Hilferty 1931).
fn deviation(
    counts: &BTreeMap<Vec<Vec<TokenId>>, u64>,
    p: &[(Vec<Vec<TokenId>>, f64)],
    n: f64,
) -> f64 {
    let (mut chi, mut bins, mut rest) = (0.0, 0.0, (0.0, 0.0));
    let mut add = |count: f64, expected: f64| {
        chi += (count - expected).powi(2) / expected;
        bins += 1.0;
    };
    for (drawn, p) in p {
        let (count, expected) = (counts.get(drawn).copied().unwrap_or(0) as f64, p * n);
        if expected < 8.0 {
            rest = (rest.0 + count, rest.1 + expected);
        } else {
            add(count, expected);
        }
    }
    if rest.1 > 0.0 {
        add(rest.0, rest.1);
    }
    let k: f64 = bins - 1.0;
    ((chi / k).cbrt() - (1.0 - 2.0 / (9.0 * k))) / (2.0 / (9.0 * k)).sqrt()
}

fn searched(task: &Task<'_>, beams: usize, seed: u64, condition: Condition) -> Outcome {
    let mut rows = OfText::new(logits);
    let text = rows.start(&PROMPT).unwrap();
    let mut drawing = Drawing { condition, ..Drawing::new(beams, seed, text) };
    while drawing.step(&mut rows, task).unwrap() {}
    drawing.outcome()
}

/// How far ordered draws of `beams` texts are from those without replacement, over many seeds.
fn deviation_of(condition: Condition, beams: usize, chain: Option<&Chain>, t: f64) -> f64 {
    deviation_within(condition, beams, chain, t, None)
}

/// The same within a form.
fn deviation_within(
    condition: Condition,
    beams: usize,
    chain: Option<&Chain>,
    t: f64,
    form: Option<&Held>,
) -> f64 {
    const N: u64 = 40_000;
    let texts = enumerated(t, form.is_some());
    let mut counts: BTreeMap<Vec<Vec<TokenId>>, u64> = BTreeMap::new();
    for seed in 0..N {
        let task = Task { form, ..task(chain) };
        let outcome = searched(&task, beams, seed, condition);
        assert_eq!(outcome.texts.len(), beams.min(texts.len()));
        *counts.entry(outcome.texts.iter().map(whole).collect()).or_default() += 1;
    }
    // Every order of different texts: p of the first, of the second among the rest, and so on.
    let mut orders: Vec<(Vec<Vec<TokenId>>, f64, f64)> = vec![(Vec::new(), 1.0, 1.0)];
    for _ in 0..beams {
        let longer = |(drawn, p, left): &(Vec<Vec<TokenId>>, f64, f64)| {
            let rest = texts.iter().filter(|(text, _)| !drawn.contains(text));
            let next = rest.map(|(text, q)| {
                ([&drawn[..], std::slice::from_ref(text)].concat(), p * q / left, left - q)
            });
            next.collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    let orders: Vec<_> = orders.into_iter().map(|(drawn, p, _)| (drawn, p)).collect();
    let total: f64 = orders.iter().map(|(_, p)| p).sum();
    assert!((total - 1.0).abs() < 1e-9);
    deviation(&counts, &orders, N as f64)
}

#[test]
fn texts_come_without_replacement_in_the_order_of_the_enumeration() {
    assert_eq!(enumerated(1.0, false).len(), 15);
    for beams in [1, 2, 3] {
        let off = deviation_of(conditioned, beams, None, 1.0);
        assert!(off.abs() < 4.0, "{beams} beams: {off}");
    }
    let chain: Chain = "temp=2".parse().unwrap();
    let off = deviation_of(conditioned, 2, Some(&chain), 2.0);
    assert!(off.abs() < 4.0, "at T = 2: {off}");
}

/// Draws within a form are those of its distribution, renormalised at each place.
#[test]
fn draws_within_a_form_are_of_what_it_allows() {
    let form = Held::new(Box::new(NeverTwice::default()));
    assert_eq!(enumerated(1.0, true).len(), 7);
    let chain: Chain = "temp=2".parse().unwrap();
    for (beams, chain, t) in [(1, None, 1.0), (2, None, 1.0), (2, Some(&chain), 2.0)] {
        let off = deviation_within(conditioned, beams, chain, t, Some(&form));
        assert!(off.abs() < 4.0, "{beams} beams at {t}: {off}");
    }
    let off = deviation_within(conditioned, 2, None, 1.2, Some(&form));
    assert!(off > 10.0, "another temperature's distribution is seen: {off}");
}

/// The tests above see what isn't so.
#[test]
fn wrong_conditions_are_found() {
    // Children as they were drawn, whatever their parent is.
    assert!(deviation_of(|drawn, _, _| drawn, 2, None, 1.0) > 10.0);
    // Shifted to the parent's maximum, which is right for the largest alone.
    assert!(deviation_of(|drawn, most, parent| drawn - most + parent, 2, None, 1.0) > 10.0);
    // Of another distribution.
    assert!(deviation_of(conditioned, 2, None, 1.2) > 10.0);
}

#[test]
fn fewer_beams_find_the_first_texts_of_more() {
    for seed in 0..300 {
        let of = |beams: usize| searched(&task(None), beams, seed, conditioned);
        // 15 texts in all: 16 beams find every one.
        let all = of(16);
        assert_eq!(all.texts.len(), 15);
        let total: f64 = all.texts.iter().map(|found| found.logprob.exp()).sum();
        assert!((total - 1.0).abs() < 1e-9, "{total}");
        for beams in [1, 2, 5, 9] {
            let some = of(beams);
            for (a, b) in some.texts.iter().zip(&all.texts) {
                assert_eq!((whole(a), a.score), (whole(b), b.score), "seed {seed}, {beams} beams");
            }
        }
    }
}

#[test]
fn a_condition_keeps_maximum_and_order() {
    let parent: f64 = -1.5;
    let drawn = [-0.25, -0.2500001, -1.0, -3.0, -40.0, -800.0];
    let of = drawn.map(|x| conditioned(x, drawn[0], parent));
    assert_eq!(of[0], parent);
    assert!(of.is_sorted_by(|a, b| a >= b) && of.iter().all(|x| x.is_finite()), "{of:?}");
    // Far below, only the numbers themselves count.
    let plain = -((-parent).exp() - 0.25f64.exp() + 3f64.exp()).ln();
    assert!((of[3] - plain).abs() < 1e-12);
    assert!(gumbel(0).is_finite() && gumbel(u64::MAX).is_finite());
}

#[test]
fn noise_is_of_the_dice() {
    let dice = Dice { seed: 3, sample: 99 };
    let mut noise = Noise::new(dice);
    assert_eq!(noise.word(0), dice.word(0));
    assert_eq!((noise.word(15), noise.word(16)), (dice.words(1).stages[6], dice.word(2)));
    let path = |tokens: &[u32]| tokens.iter().fold(7, |hash, &id| stream(hash, TokenId(id)));
    assert_ne!(path(&[1, 2]), path(&[2, 1]));
    assert_ne!(path(&[0]), path(&[0, 0]));
}
