//! The profiles of transformers and vLLM against what their own code made of the same logits:
//! `recorded.tsv`, which `record.py` wrote. (llama.cpp is linked and compared in `peers/`.)

#![allow(clippy::unwrap_used, reason = "a test that can't go on should say where")]

use std::collections::HashMap;

use kelvin_sampling::{Distribution, Profile, Stage, State, TokenId, Words};

fn numbers<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> Vec<T> {
    text.split(',').map(|x| x.parse().unwrap()).collect()
}

#[test]
fn profiles_are_those_of_the_engines() {
    let mut rows: HashMap<&str, Vec<f32>> = HashMap::new();
    let mut state = State::default();
    let mut cases = HashMap::new();
    for line in include_str!("recorded.tsv").lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            ["text", prompt, output] => {
                let (prompt, output): (Vec<u32>, Vec<u32>) = (numbers(prompt), numbers(output));
                let n_prompt = prompt.len();
                state = State::restore(
                    prompt.into_iter().chain(output).map(TokenId).collect(),
                    n_prompt,
                    None,
                );
            }
            ["row", name, logits] => {
                rows.insert(name, numbers(logits));
            }
            ["case", engine, row, stages, kept] => {
                let stages: Vec<Stage> = stages
                    .split('|')
                    .filter(|s| !s.is_empty())
                    .map(|s| s.trim().parse().unwrap())
                    .collect();
                let chain = engine.parse::<Profile>().unwrap().chain(&stages).unwrap();
                let case = format!("{engine}, {row}: {chain}");
                let found =
                    Distribution::after(&rows[row], &chain, &state, &Words::default()).unwrap();
                let theirs: Vec<(u32, f64)> = kept
                    .split(',')
                    .map(|pair| pair.split_once(':').unwrap())
                    .map(|(id, p)| (id.parse().unwrap(), p.parse().unwrap()))
                    .collect();
                let mut ids: Vec<u32> = found.top(usize::MAX).iter().map(|c| c.token.0).collect();
                ids.sort_unstable();
                let mut their_ids: Vec<u32> = theirs.iter().map(|x| x.0).collect();
                // At a temperature of 0.01 their softmax ends where f32 does, at 87 nats below the
                // likeliest.
                if chain.temperature() == Some(0.01) {
                    ids.retain(|id| theirs.iter().any(|x| x.0 == *id));
                    their_ids.retain(|id| ids.contains(id));
                }
                // Which of several equal tokens stays isn't defined there (torch's sort isn't
                // stable), how many do is.
                let by_logit = |ids: &[u32]| {
                    let mut kept: Vec<(i64, i64)> = ids
                        .iter()
                        .map(|&id| {
                            let p = theirs.iter().find(|x| x.0 == id).map_or(0.0, |x| x.1);
                            (
                                (rows[row][id as usize] * 64.0) as i64,
                                (p.max(found.probability(TokenId(id))) * 1e5).round() as i64,
                            )
                        })
                        .collect();
                    kept.sort_unstable();
                    kept
                };
                assert_eq!(by_logit(&ids), by_logit(&their_ids), "{case}");
                for (id, p) in theirs {
                    let ours = found.probability(TokenId(id));
                    assert!(
                        (ours - p).abs() <= 3e-7 + 3e-5 * p || !ids.contains(&id),
                        "{case}: token {id} has {ours}, there {p}"
                    );
                }
                *cases.entry(engine.to_owned()).or_insert(0) += 1;
            }
            _ => panic!("not a line of recorded vectors: {line}"),
        }
    }
    assert_eq!((cases["transformers"], cases["vllm"]), (45, 39));
}
