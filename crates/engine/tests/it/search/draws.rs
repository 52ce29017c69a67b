//! Texts that were drawn: their log-probabilities on a very small model, and how alike texts are
//! against sacrebleu (`python/chrf_goldens.py`).

use std::fs;

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, BatchOptions, Budget, Request, generate},
    generate::FinishReason,
    search::{Runs, chrf, draw_texts},
    transformer::{CacheFormat, ModelOptions},
};
use kelvin_sampling::{Dice, Sampler, surprisal};
use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};
use serde_json::Value;

use crate::reference::run::{ids, logits};

#[test]
fn how_alike_texts_are_is_sacrebleus_chrf() {
    let all: Value = serde_json::from_str(include_str!("../../goldens/chrf.json")).unwrap();
    let cases = all["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 200);
    for case in cases {
        let [text, right] = ["text", "right"].map(|key| Runs::of(case[key].as_str().unwrap()));
        let expected = case["score"].as_f64().unwrap() / 100.0;
        assert!((chrf(&text, &right) - expected).abs() < 1e-12, "{case}");
    }
    let [empty, blank, some] = ["", " \n", "x"].map(Runs::of);
    assert_eq!((chrf(&empty, &blank), chrf(&some, &empty), chrf(&empty, &some)), (1.0, 0.0, 0.0));
}

/// Drawn as `generate` draws; each ln p is that of the whole text read again, end token included.
#[test]
fn drawn_texts_have_the_log_probability_of_their_tokens() {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let engine =
        Engine::open(&path, &ModelOptions { threads: 2, isa: None }, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    let prompt = ids(&[1, 20, 33, 47]);
    let chain = "temp=1.3 | top_k=30";
    let sampler = |sample| Sampler::new(chain.parse().unwrap(), Dice { seed: 3, sample });
    let request = || {
        let mut request = Request::new(prompt.clone(), (0..24).map(sampler).collect());
        request.ends.max_tokens = 30;
        request.ends.tokens = ids(&[40, 41, 42, 43]);
        request
    };
    let batch = || Batch::new(&engine, BatchOptions::new(Budget::for_texts(24, 64)));
    let drawn = draw_texts(&engine, &mut batch(), request(), &mut ()).unwrap();
    let plain = generate(&engine, &mut batch(), request(), &mut ()).unwrap();
    let mut n_ended = 0;
    for (drawn, plain) in drawn.iter().zip(&plain) {
        assert_eq!((&drawn.tokens, &drawn.text), (&plain.tokens, &plain.text));
        assert_eq!(drawn.finish, plain.finish);
        let end = match drawn.finish {
            FinishReason::EndToken(token) => Some(token),
            _ => None,
        };
        n_ended += usize::from(end.is_some());
        let own: Vec<TokenId> = drawn.tokens.iter().copied().chain(end).collect();
        let rows = logits(&engine.model, &[&prompt[..], &own].concat(), CacheFormat::F16, 512);
        let nats = own
            .iter()
            .enumerate()
            .map(|(i, token)| surprisal(&rows[prompt.len() + i - 1], *token).unwrap());
        let sum: f64 = nats.sum();
        assert!((drawn.logprob + sum).abs() < 1e-9, "{drawn:?} {sum}");
        assert_eq!(drawn.length, own.len());
    }
    assert!(n_ended > 3, "{n_ended} texts ended with a token");
}
