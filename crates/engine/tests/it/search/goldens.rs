//! Beam search and diverse beam search find the texts that transformers finds on equal logits, with
//! equal scores; `python/beam_goldens.py` made the cases.

use kelvin_engine::search::{Beams, EarlyStopping, End, Found, Task, beam_search};
use serde_json::Value;

use super::{of_ids::OfIds, on};
use crate::reference::run::ids;

/// transformers computes in f32.
const TOLERANCE: f64 = 1e-5;

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn settings(case: &Value) -> Beams {
    let stop = &case["early_stopping"];
    let stop = stop.as_str().map_or_else(|| stop.to_string(), str::to_string);
    Beams {
        beams: case["beams"].as_u64().unwrap() as usize,
        groups: case["groups"].as_u64().unwrap_or(1) as usize,
        diversity_penalty: case["diversity_penalty"].as_f64().unwrap_or(1.0),
        length_penalty: case["length_penalty"].as_f64().unwrap(),
        early_stopping: EarlyStopping::named(&stop).unwrap(),
    }
}

/// The texts of a case, with settings and model as `change` makes them.
fn found(case: &Value, change: impl Fn(&mut Beams)) -> Vec<Found> {
    let mut how = settings(case);
    change(&mut how);
    let ends = numbers(&case["end_tokens"]);
    let model = OfIds {
        end_bias: case["end_bias"].as_f64().unwrap() as f32,
        pad: Some(-60.0),
        ..OfIds::new(case["seed"].as_u64().unwrap() as u32, 29, &ends)
    };
    let (prompt, end_tokens) = (ids(&numbers(&case["prompt"])), ids(&ends));
    let max_tokens = case["max_tokens"].as_u64().unwrap() as usize;
    let task = Task {
        prompt: &prompt,
        chain: None,
        end_tokens: &end_tokens,
        max_tokens,
        ..Task::default()
    };
    beam_search(&mut model.rows(), &task, &how, &mut on).unwrap().texts
}

/// What differs from transformers' texts, if anything does. `group_beam_search` writes the first
/// end token, whichever ended the text.
fn difference(case: &Value, found: &[Found]) -> Option<String> {
    let expected = case["found"].as_array().unwrap();
    if found.len() != expected.len() {
        return Some(format!("{} texts, not {}", found.len(), expected.len()));
    }
    let ends = ids(&numbers(&case["end_tokens"]));
    for (one, expected) in found.iter().zip(expected) {
        let mut tokens = one.tokens.clone();
        if let End::Token(token) = one.end {
            tokens.push(if case["groups"].is_null() { token } else { ends[0] });
        }
        let score = expected["score"].as_f64().unwrap();
        let is_near = (one.score - score).abs() <= TOLERANCE * score.abs().max(1.0);
        if tokens != ids(&numbers(&expected["tokens"])) || !is_near {
            return Some(format!("{tokens:?} at {}, not {expected}", one.score));
        }
    }
    None
}

fn cases(text: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(text).unwrap();
    all["cases"].as_array().unwrap().clone()
}

fn all_agree(cases: &[Value]) {
    for case in cases {
        let found = found(case, |_| ());
        if let Some(difference) = difference(case, &found) {
            panic!("{difference}\nin the case {case}\nfound {found:?}");
        }
    }
}

#[test]
fn beam_search_is_that_of_transformers() {
    let cases = cases(include_str!("../../goldens/beam.json"));
    assert_eq!(cases.len(), 240);
    all_agree(&cases);
}

#[test]
fn diverse_beam_search_is_that_of_transformers() {
    let cases = cases(include_str!("../../goldens/diverse_beam.json"));
    assert_eq!(cases.len(), 162);
    all_agree(&cases);
}

/// Each setting matters to some case, so that a search without it would be found.
#[test]
fn every_setting_decides_some_case() {
    let beam = cases(include_str!("../../goldens/beam.json"));
    let diverse = cases(include_str!("../../goldens/diverse_beam.json"));
    let n_other = |cases: &[Value], change: &dyn Fn(&mut Beams)| {
        cases.iter().filter(|case| difference(case, &found(case, change)).is_some()).count()
    };
    for stop in EarlyStopping::ALL {
        assert!(n_other(&beam, &|how| how.early_stopping = stop) > 0, "{stop:?}");
    }
    assert!(n_other(&beam, &|how| how.length_penalty += 0.25) > 100);
    assert!(n_other(&beam, &|how| how.beams += 1) == beam.len());
    assert!(n_other(&diverse, &|how| how.groups = 1) > 100);
    assert!(n_other(&diverse, &|how| how.diversity_penalty *= 2.0) > 50);
}

/// The sum of a text's log-probabilities without the penalties that it was ranked by.
#[test]
fn a_text_has_its_own_log_probability_beside_its_score() {
    for case in cases(include_str!("../../goldens/diverse_beam.json")) {
        let ends = numbers(&case["end_tokens"]);
        let model = OfIds {
            end_bias: case["end_bias"].as_f64().unwrap() as f32,
            pad: Some(-60.0),
            ..OfIds::new(case["seed"].as_u64().unwrap() as u32, 29, &ends)
        };
        for one in found(&case, |_| ()) {
            let mut text = ids(&numbers(&case["prompt"]));
            let mut sum = 0.0;
            let end = match one.end {
                End::Token(token) => Some(token),
                _ => None,
            };
            for token in one.tokens.iter().copied().chain(end) {
                let logits = model.logits(&text);
                sum -= kelvin_sampling::surprisal(&logits, token).unwrap();
                text.push(token);
            }
            assert!((sum - one.logprob).abs() < 1e-9, "{sum} {one:?}");
            if one.group == 0 {
                let penalty = case["length_penalty"].as_f64().unwrap();
                let score = sum / (one.length() as f64).powf(penalty);
                assert!((score - one.score).abs() < 1e-9, "the first group pays nothing");
            }
        }
    }
}
