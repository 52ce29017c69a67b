//! Searches wide enough to see every text, against the enumeration of all texts; and what a tree
//! holds.

use kelvin_engine::{
    TokenId,
    search::{
        Beams, EarlyStopping, End, Fate, Found, Outcome, Task, beam_search, stochastic_beams,
    },
};
use kelvin_sampling::{Chain, softmax};

use super::{of_ids::OfIds, on};

const PROMPT: [TokenId; 2] = [TokenId(3), TokenId(1)];
const END: [TokenId; 1] = [TokenId(0)];
const LONGEST: usize = 4;

fn task(chain: Option<&Chain>) -> Task<'_> {
    Task { prompt: &PROMPT, chain, end_tokens: &END, max_tokens: LONGEST, ..Task::default() }
}

/// All texts with their end tokens, ln p at T = 1 and at another temperature.
fn enumerated(model: &OfIds, t: f64) -> Vec<(Vec<TokenId>, f64, f64)> {
    let (mut done, mut open) = (Vec::new(), vec![(Vec::new(), 0.0, 0.0)]);
    while let Some((text, one, other)) = open.pop() {
        let logits: Vec<f64> =
            model.logits(&[&PROMPT[..], &text].concat()).into_iter().map(f64::from).collect();
        let p = [softmax(&logits, 1.0).unwrap(), softmax(&logits, t).unwrap()];
        for (id, (p_one, p_other)) in p[0].iter().zip(&p[1]).enumerate() {
            let token = TokenId(id as u32);
            let longer = [&text[..], &[token]].concat();
            let is_over = END.contains(&token) || longer.len() == LONGEST;
            let next = (longer, one + p_one.ln(), other + p_other.ln());
            if is_over { &mut done } else { &mut open }.push(next);
        }
    }
    done
}

fn whole(found: &Found) -> Vec<TokenId> {
    let end = match found.end {
        End::Token(token) => Some(token),
        _ => None,
    };
    found.tokens.iter().copied().chain(end).collect()
}

/// 4 tokens that don't end and 4 steps: 256 beams drop nothing, so the order is that of scores.
#[test]
fn beams_that_drop_nothing_find_the_best_of_all_texts() {
    for seed in 0..20 {
        let model = OfIds::new(seed, 5, &[0]);
        for (penalty, t) in
            [(0.0, 1.0), (1.0, 1.0), (-1.0, 1.0), (2.0, 1.0), (1.0, 0.5), (0.0, 3.0)]
        {
            let mut all = enumerated(&model, t);
            let score = |of: &(Vec<TokenId>, f64, f64)| of.2 / (of.0.len() as f64).powf(penalty);
            all.sort_by(|a, b| score(b).total_cmp(&score(a)));
            let how = Beams {
                beams: 256,
                length_penalty: penalty,
                early_stopping: EarlyStopping::Never,
                ..Beams::default()
            };
            let chain: Chain = format!("temp={t}").parse().unwrap();
            let outcome =
                beam_search(&mut model.rows(), &task(Some(&chain)), &how, &mut on).unwrap();
            assert_eq!(outcome.texts.len(), 256);
            for (one, expected) in outcome.texts.iter().zip(&all) {
                assert!((one.score - score(expected)).abs() < 1e-9, "{one:?} {expected:?}");
            }
            // Equal scores don't occur at the top.
            for (one, expected) in outcome.texts.iter().zip(&all).take(20) {
                assert_eq!(whole(one), expected.0);
                assert!((one.logprob - expected.1).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn one_beam_is_greedy_and_a_truncation_bounds_what_is_found() {
    let model = OfIds::new(7, 40, &[]);
    let task = |chain| Task { prompt: &PROMPT, chain, max_tokens: 12, ..Task::default() };
    let how = |beams| Beams { beams, ..Beams::default() };
    let greedy = beam_search(&mut model.rows(), &task(None), &how(1), &mut on).unwrap();
    let mut text = PROMPT.to_vec();
    for token in &greedy.texts[0].tokens {
        let logits = model.logits(&text);
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        assert_eq!(logits[token.index()], most);
        text.push(*token);
    }
    assert_eq!((text.len(), greedy.texts[0].end, greedy.n_steps), (14, End::Length, 11));
    let more = beam_search(&mut model.rows(), &task(None), &how(8), &mut on).unwrap();
    assert!(more.texts[0].score > greedy.texts[0].score, "8 beams find a likelier text here");
    // With one survivor in each step there is one text.
    let chain: Chain = "top_k=1".parse().unwrap();
    let narrow = beam_search(&mut model.rows(), &task(Some(&chain)), &how(8), &mut on).unwrap();
    assert_eq!(narrow.texts.len(), 1);
    assert_eq!(narrow.texts[0].tokens, greedy.texts[0].tokens);
    assert_eq!((narrow.texts[0].score, narrow.n_rows), (0.0, 11));
    assert!((narrow.texts[0].logprob - greedy.texts[0].logprob).abs() < 1e-12);
}

/// Parents come first, ranks fall, and what is kept is what the next step goes on from.
fn check_tree(outcome: &Outcome) {
    let nodes = &outcome.tree.nodes;
    let has_children = |node: usize| nodes.iter().any(|other| other.parent == Some(node));
    for (i, node) in nodes.iter().enumerate() {
        assert!(node.parent.is_none_or(|parent| parent < i));
        let before = node.parent.map_or(0, |parent| nodes[parent].depth);
        assert_eq!(node.depth, before + 1);
        assert!(node.parent.is_none_or(|parent| nodes[parent].fate == Fate::Kept));
        assert!(node.fate == Fate::Kept || !has_children(i), "{node:?}");
    }
    for found in &outcome.texts {
        let path = outcome.tree.path(found.node);
        let tokens: Vec<TokenId> = path.iter().map(|&node| nodes[node].token).collect();
        assert_eq!(tokens, whole(found));
        assert_eq!(nodes[found.node].fate, Fate::Ended);
        assert_eq!(nodes[found.node].logprob, found.logprob);
    }
}

#[test]
fn trees_hold_what_was_kept_and_what_was_dropped() {
    let model = OfIds { end_bias: 2.0, ..OfIds::new(11, 17, &[0]) };
    let task = Task { max_tokens: 9, ..task(None) };
    for groups in [1, 2, 3] {
        let how = Beams { beams: 6, groups, ..Beams::default() };
        let outcome = beam_search(&mut model.rows(), &task, &how, &mut on).unwrap();
        check_tree(&outcome);
        let first: Vec<_> = outcome.tree.nodes.iter().filter(|node| node.depth == 1).collect();
        assert_eq!(first.len(), 12, "so many are weighed: twice the beams");
        for group in 0..groups {
            let of: Vec<_> = first.iter().filter(|node| node.group == group).collect();
            assert!(of.is_sorted_by(|a, b| a.score >= b.score));
            assert!(of.iter().filter(|node| node.fate == Fate::Kept).count() <= 6 / groups);
        }
    }
    for seed in 0..20 {
        check_tree(&stochastic_beams(&mut model.rows(), &task, 5, seed, &mut on).unwrap());
    }
}

/// A stop of the caller ends a text as a token does, without being one.
#[test]
fn callers_may_end_texts() {
    let model = OfIds::new(5, 23, &[]);
    let stops = |tokens: &[TokenId]| tokens.last().is_some_and(|token| token.0 % 5 == 0);
    let task = Task {
        prompt: &PROMPT,
        chain: None,
        max_tokens: 10,
        stops: Some(&stops),
        ..Task::default()
    };
    let outcome = beam_search(&mut model.rows(), &task, &Beams::default(), &mut on).unwrap();
    check_tree(&outcome);
    assert!(outcome.texts.iter().any(|found| found.end == End::Stop));
    for found in &outcome.texts {
        let at = found.tokens.iter().position(|token| token.0 % 5 == 0);
        match found.end {
            End::Stop => assert_eq!(at, Some(found.tokens.len() - 1)),
            _ => assert_eq!(at, None),
        }
        assert_eq!(found.length(), found.tokens.len());
    }
}
