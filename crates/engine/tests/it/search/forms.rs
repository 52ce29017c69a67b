//! Beams under a form: against all texts that a regular expression allows, written out.

use std::collections::BTreeMap;

use kelvin_engine::{
    TokenId,
    generate::Constraint,
    search::{
        Beams, EarlyStopping, End, Found, Held, Outcome, Task, beam_search, by_text,
        stochastic_beams,
    },
};
use kelvin_sampling::{Chain, softmax};

use super::{of_ids::OfIds, on};

/// The vocabulary: the first token ends a text, the last is never allowed.
const PIECES: [&str; 8] = ["", "a", "b", "c", "d", "bc", "aa", "e"];
const PROMPT: [TokenId; 2] = [TokenId(3), TokenId(1)];
const END: TokenId = TokenId(0);
const LONGEST: usize = 4;

/// A text within `(a|bc)*d?`, as an automaton: after `a` or `bc`, after `b`, after `d`.
#[derive(Debug, Clone, Default)]
struct Automaton {
    state: u8,
    mask: [u32; 1],
}

impl Automaton {
    fn step(state: u8, piece: &str) -> Option<u8> {
        piece.chars().try_fold(state, |state, c| match (state, c) {
            (0, 'a') | (1, 'c') => Some(0),
            (0, 'b') => Some(1),
            (0, 'd') => Some(2),
            _ => None,
        })
    }
}

impl Constraint for Automaton {
    fn allowed(&mut self) -> Result<&[u32], String> {
        assert!(self.state < 2, "a text that is complete isn't read");
        let of = |(id, piece): (usize, &&str)| match id {
            0 => self.state == 0,
            _ => Automaton::step(self.state, piece).is_some(),
        };
        let bits = PIECES.iter().enumerate().filter(|one| of(*one));
        self.mask = [bits.map(|(id, _)| 1 << id).sum()];
        Ok(&self.mask)
    }

    fn take(&mut self, token: TokenId) -> Result<(), String> {
        let next = Automaton::step(self.state, PIECES[token.index()]);
        self.state = next.expect("only tokens that the mask allows are taken");
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.state == 2
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}

/// Whether the expression matches a text.
fn matches(text: &str) -> bool {
    let left = text.strip_suffix('d').unwrap_or(text).replace("bc", "a");
    left.chars().all(|c| c == 'a')
}

/// Whether a text can become one that the expression matches.
fn begins(text: &str) -> bool {
    matches(text) || matches(&format!("{text}c"))
}

/// A text with its end token; ln p of the model, and ln p at a temperature within the form.
struct Written {
    tokens: Vec<TokenId>,
    one: f64,
    heated: f64,
}

/// All texts that the expression allows, by looking at each continuation.
fn enumerated(model: &OfIds, t: f64) -> Vec<Written> {
    let (mut done, mut open) =
        (Vec::new(), vec![Written { tokens: vec![], one: 0.0, heated: 0.0 }]);
    while let Some(before) = open.pop() {
        let text: String = before.tokens.iter().map(|token| PIECES[token.index()]).collect();
        let logits = model.logits(&[&PROMPT[..], &before.tokens].concat());
        let logits: Vec<f64> = logits.into_iter().map(f64::from).collect();
        let is_allowed = |id: &usize| match id {
            0 => matches(&text),
            id => begins(&format!("{text}{}", PIECES[*id])),
        };
        let allowed: Vec<usize> = (0..PIECES.len()).filter(is_allowed).collect();
        let within: Vec<f64> = allowed.iter().map(|&id| logits[id]).collect();
        let (own, within) = (softmax(&logits, 1.0).unwrap(), softmax(&within, t).unwrap());
        for (&id, p) in allowed.iter().zip(&within) {
            let tokens = [&before.tokens[..], &[TokenId(id as u32)]].concat();
            let is_over = id == 0 || PIECES[id].ends_with('d') || tokens.len() == LONGEST;
            let (one, heated) = (before.one + own[id].ln(), before.heated + p.ln());
            let next = Written { tokens, one, heated };
            if is_over { &mut done } else { &mut open }.push(next);
        }
    }
    done
}

fn whole(found: &Found) -> Vec<TokenId> {
    let end = matches!(found.end, End::Token(_)).then_some(END);
    found.tokens.iter().copied().chain(end).collect()
}

/// What is said of a text's end is so.
fn check_end(found: &Found) {
    let text: String = found.tokens.iter().map(|token| PIECES[token.index()]).collect();
    match found.end {
        End::Token(token) => assert!(token == END && matches(&text) && !text.ends_with('d')),
        End::Complete => assert!(matches(&text) && text.ends_with('d'), "{text}"),
        End::Length => assert!(found.tokens.len() == LONGEST && begins(&text), "{text}"),
        End::Stop => panic!("nothing stops {text}"),
    }
}

/// No more than 43 beams go on at a time and there are 236 texts, so 256 beams drop nothing.
#[test]
fn wide_beams_find_the_likeliest_texts_of_a_form() {
    let form = Held::new(Box::new(Automaton::default()));
    for seed in 0..10 {
        let model = OfIds::new(seed, PIECES.len() as u32, &[0]);
        for (penalty, t) in
            [(0.0, None), (1.0, None), (-1.0, None), (1.0, Some(0.5)), (0.0, Some(3.0))]
        {
            let all = enumerated(&model, t.unwrap_or(1.0));
            assert_eq!(all.len(), 236);
            let chain: Option<Chain> = t.map(|t| format!("temp={t}").parse().unwrap());
            let score = |of: &Written| {
                let sum = if t.is_some() { of.heated } else { of.one };
                sum / (of.tokens.len() as f64).powf(penalty)
            };
            let mut all: Vec<&Written> = all.iter().collect();
            all.sort_by(|a, b| score(b).total_cmp(&score(a)));
            let found = search(&model, &form, chain.as_ref(), 256, penalty);
            assert_eq!(found.texts.len(), 236);
            for (one, expected) in found.texts.iter().zip(&all) {
                assert!((one.score - score(expected)).abs() < 1e-9, "{one:?}");
                check_end(one);
            }
            // Equal scores don't occur at the top.
            for (one, expected) in found.texts.iter().zip(&all).take(20) {
                assert_eq!(whole(one), expected.tokens);
                assert!((one.logprob - expected.one).abs() < 1e-9, "{one:?}");
            }
        }
    }
}

/// A text with all its spellings, by the enumeration.
#[derive(Debug, Default)]
struct Spelled {
    /// Probabilities of the model, and at a temperature within the form.
    one: f64,
    heated: f64,
    /// The largest probability of a spelling, and the number of its tokens.
    most: f64,
    length: usize,
}

fn text_of(tokens: &[TokenId]) -> String {
    tokens.iter().map(|token| PIECES[token.index()]).collect()
}

/// `aa` and `bc` are tokens, and so are their letters: most texts have several spellings.
#[test]
fn the_probability_of_a_text_is_that_of_all_its_spellings() {
    let form = Held::new(Box::new(Automaton::default()));
    for seed in 0..10 {
        let model = OfIds::new(seed, PIECES.len() as u32, &[0]);
        for (penalty, t) in [(0.0, None), (1.0, None), (1.0, Some(0.5))] {
            let mut texts: BTreeMap<(String, bool), Spelled> = BTreeMap::new();
            for written in enumerated(&model, t.unwrap_or(1.0)) {
                let (text, n) = (text_of(&written.tokens), written.tokens.len());
                let is_cut = !written.tokens.contains(&END) && !text.ends_with('d');
                let of = texts.entry((text, is_cut)).or_default();
                of.one += written.one.exp();
                of.heated += written.heated.exp();
                if written.one.exp() > of.most {
                    (of.most, of.length) = (written.one.exp(), n);
                }
            }
            assert!(texts.len() < 200, "{}", texts.len());
            let chain: Option<Chain> = t.map(|t| format!("temp={t}").parse().unwrap());
            let found = search(&model, &form, chain.as_ref(), 256, penalty).texts;
            let how = Beams { length_penalty: penalty, ..Beams::default() };
            let ranked = by_text(&found, Some(&how), &|one| text_of(&one.tokens));
            assert_eq!(ranked.len(), texts.len());
            assert!(ranked.is_sorted_by(|a, b| a.score >= b.score));
            for one in &ranked {
                let likeliest = &found[one.index()];
                let is_cut = likeliest.end == End::Length;
                let of = &texts[&(text_of(&likeliest.tokens), is_cut)];
                assert!((one.logprob - of.one.ln()).abs() < 1e-9, "{one:?} {of:?}");
                let sum = if t.is_some() { of.heated.ln() } else { of.one.ln() };
                let score = sum / (of.length as f64).powf(penalty);
                assert!((one.score - score).abs() < 1e-9, "{one:?} {of:?}");
                let times: usize = one.spellings.iter().map(|spelling| spelling.times).sum();
                assert_eq!((times, likeliest.length()), (one.spellings.len(), of.length));
            }
        }
    }
}

fn search(
    model: &OfIds,
    form: &Held,
    chain: Option<&Chain>,
    beams: usize,
    length_penalty: f64,
) -> Outcome {
    let task = Task {
        prompt: &PROMPT,
        chain,
        end_tokens: &[END],
        max_tokens: LONGEST,
        form: Some(form),
        ..Task::default()
    };
    let early_stopping = EarlyStopping::Never;
    let how = Beams { beams, length_penalty, early_stopping, ..Beams::default() };
    beam_search(&mut model.rows(), &task, &how, &mut on).unwrap()
}

/// Few beams keep to the form too, in groups and drawn.
#[test]
fn narrow_beams_keep_to_a_form() {
    let form = Held::new(Box::new(Automaton::default()));
    for seed in 0..20 {
        let model = OfIds::new(seed, PIECES.len() as u32, &[0]);
        let task = Task {
            prompt: &PROMPT,
            end_tokens: &[END],
            max_tokens: LONGEST,
            form: Some(&form),
            ..Task::default()
        };
        let groups = Beams { beams: 6, groups: 3, diversity_penalty: 2.0, ..Beams::default() };
        let (one, four) =
            (search(&model, &form, None, 1, 0.0), search(&model, &form, None, 4, 0.0));
        let grouped = beam_search(&mut model.rows(), &task, &groups, &mut on).unwrap();
        let drawn = stochastic_beams(&mut model.rows(), &task, 256, seed.into(), &mut on).unwrap();
        for found in [&one, &four, &grouped, &drawn].iter().flat_map(|outcome| &outcome.texts) {
            check_end(found);
        }
        let best = search(&model, &form, None, 256, 0.0).texts[0].score;
        assert!(one.texts[0].score <= best && four.texts[0].score <= best);
        // All texts are drawn in the end.
        assert_eq!((drawn.texts.len(), grouped.texts.len()), (236, 6));
    }
}

/// A stage that leaves nothing of what the form allows ends a beam, not the search.
#[test]
fn a_form_may_leave_nothing() {
    let form = Held::new(Box::new(Automaton::default()));
    let model = OfIds::new(1, PIECES.len() as u32, &[0]);
    let chain: Chain = "mask=7".parse().unwrap();
    assert_eq!(search(&model, &form, Some(&chain), 4, 1.0).texts, []);
    // `b` may come first, and `c` never after it.
    let chain: Chain = "mask=1,2".parse().unwrap();
    let found = search(&model, &form, Some(&chain), 8, 1.0);
    assert!(!found.texts.is_empty());
    assert!(found.texts.iter().all(|one| one.end == End::Length));
}
