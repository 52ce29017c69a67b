//! The heap against a loop that looks at every pair again after each merge.

use proptest::prelude::*;

use crate::tokenizer::merge::{Merger, NONE, Piece};

/// Pairs of tokens below 8 that merge, with distinct or equal priorities, into tokens below 8.
type Rules = Vec<((u32, u32), (u32, u32))>;

fn rule(rules: &Rules, left: u32, right: u32) -> Option<(u32, u32)> {
    rules.iter().find(|(pair, _)| *pair == (left, right)).map(|&(_, result)| result)
}

fn naive(rules: &Rules, mut tokens: Vec<u32>) -> Vec<u32> {
    loop {
        let candidates = (1..tokens.len()).filter_map(|right| {
            let (priority, token) = rule(rules, tokens[right - 1], tokens[right])?;
            Some((priority, std::cmp::Reverse(right), token))
        });
        let Some((_, std::cmp::Reverse(right), token)) = candidates.max() else { return tokens };
        tokens.splice(right - 1..=right, [token]);
    }
}

fn heap(rules: &Rules, tokens: &[u32]) -> Vec<u32> {
    let mut merger = Merger::default();
    for &token in tokens {
        merger.push(1, token);
    }
    merger.merge(|left: &Piece, right: &Piece| rule(rules, left.token, right.token));
    // The pieces tile the text.
    let ends = merger.pieces().scan(0, |end, piece| {
        assert_eq!(piece.start, *end);
        *end += piece.len;
        Some(*end)
    });
    assert_eq!(ends.last().unwrap_or(0) as usize, tokens.len());
    merger.pieces().map(|piece| piece.token).collect()
}

#[test]
fn equal_priorities_merge_from_the_left() {
    let rules = vec![((0, 0), (1, 1))];
    assert_eq!(heap(&rules, &[0; 5]), [1, 1, 0]);
    assert!(heap(&rules, &[]).is_empty());
    assert_eq!(heap(&rules, &[NONE, NONE]), [NONE, NONE]);
}

proptest! {
    // Like a real vocabulary: what a pair becomes depends on its text alone, so here on the tokens'
    // order.
    #[test]
    fn the_heap_merges_as_the_loop_does(
        priorities in prop::collection::vec(prop::option::of(0_u32..6), 64),
        text in prop::collection::vec(0_u32..4, 0..40),
    ) {
        // Tokens are strings over 4 letters of at most 3 letters, numbered in base 5.
        let rules: Rules = (1_u32..125)
            .flat_map(|left| (1_u32..125).map(move |right| (left, right)))
            .filter_map(|(left, right)| {
                let whole = join(left, right)?;
                Some(((left, right), (priorities[whole as usize % 64]?, whole)))
            })
            .collect();
        let tokens: Vec<u32> = text.iter().map(|letter| letter + 1).collect();
        prop_assert_eq!(heap(&rules, &tokens), naive(&rules, tokens));
    }
}

/// The number of the joined strings, if they are short enough together.
fn join(left: u32, right: u32) -> Option<u32> {
    let digits = |n: u32| [n / 25, n / 5 % 5, n % 5].into_iter().skip_while(|&digit| digit == 0);
    let all: Vec<u32> = digits(left).chain(digits(right)).collect();
    // A zero inside isn't a letter.
    (all.len() <= 3 && !all.contains(&0)).then(|| all.iter().fold(0, |n, digit| n * 5 + digit))
}
