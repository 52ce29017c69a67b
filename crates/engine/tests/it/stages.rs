//! A caller's stages inside a continuation: they act between the model's logits and the sampler.

use std::fs;

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, BatchOptions, Budget, Continuation, Draft, Request, generate},
    generate::{FinishReason, Stages},
    transformer::ModelOptions,
};
use kelvin_sampling::{Dice, Sampler, State, Words};
use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};

fn engine() -> Engine {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let options = ModelOptions { threads: 2, isa: None };
    let engine = Engine::open(&path, &options, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    engine
}

/// Removes all but every third token; fails once the text has so many tokens.
#[derive(Debug)]
struct Thirds {
    fails_at: usize,
}

impl Stages for Thirds {
    fn act(
        &mut self,
        logits: &[f32],
        state: &State,
        words: Words,
    ) -> Result<(Option<Vec<f32>>, Words), String> {
        if state.tokens().len() >= self.fails_at {
            return Err("mine".to_string());
        }
        let keep = |(id, &x): (usize, &f32)| if id % 3 == 0 { x } else { f32::NEG_INFINITY };
        Ok((Some(logits.iter().enumerate().map(keep).collect()), words))
    }
}

/// Changes nothing.
#[derive(Debug)]
struct Nothing;

impl Stages for Nothing {
    fn act(
        &mut self,
        _: &[f32],
        _: &State,
        words: Words,
    ) -> Result<(Option<Vec<f32>>, Words), String> {
        Ok((None, words))
    }
}

fn sampler(chain: &str) -> Sampler {
    Sampler::new(chain.parse().unwrap(), Dice { seed: 5, sample: 1 })
}

fn with(chain: &str, stages: impl Stages + 'static) -> Draft {
    Draft { stages: Some(Box::new(stages)), ..Draft::new(sampler(chain)) }
}

/// Texts of 12 tokens, none of which ends before its sixth.
fn texts(engine: &Engine, drafts: Vec<Draft>) -> Vec<Continuation> {
    let mut batch = Batch::new(engine, BatchOptions::new(Budget::for_texts(8, 64)));
    let prompt = (3..20).map(TokenId).collect();
    let mut request = Request { drafts, ..Request::new(prompt, Vec::new()) };
    (request.ends.max_tokens, request.ends.min_tokens) = (12, 6);
    generate(engine, &mut batch, request, &mut ()).unwrap()
}

#[test]
fn stages_that_mask_draw_what_the_mask_of_a_chain_draws() {
    let engine = engine();
    let n_vocab = engine.model.config.vocab_size;
    let thirds: Vec<String> = (0..n_vocab).step_by(3).map(|id| id.to_string()).collect();
    for chain in ["temp=1.2 | top_k=9", "repetition=1.3 | temp=2", "temp=2 | mirostat=3"] {
        let masked = format!("mask={} | {chain}", thirds.join(","));
        let all = texts(
            &engine,
            vec![
                with(chain, Thirds { fails_at: usize::MAX }),
                Draft::new(sampler(&masked)),
                with(chain, Nothing),
                Draft::new(sampler(chain)),
            ],
        );
        assert_eq!((&all[0].tokens, &all[0].text), (&all[1].tokens, &all[1].text), "{chain}");
        assert_eq!((&all[2].tokens, &all[2].text), (&all[3].tokens, &all[3].text), "{chain}");
        assert_ne!(all[0].tokens, all[2].tokens, "{chain}");
        assert!(all[0].tokens.len() >= 6 && all[0].tokens.iter().all(|token| token.0 % 3 == 0));
    }
}

#[test]
fn stages_that_fail_end_their_text_alone() {
    let engine = engine();
    let drafts = vec![with("temp=1", Thirds { fails_at: 20 }), Draft::new(sampler("temp=1"))];
    let alone = texts(&engine, vec![Draft::new(sampler("temp=1"))]);
    let both = texts(&engine, drafts);
    assert_eq!(both[0].finish, FinishReason::NothingLeft("mine".to_string()));
    assert_eq!((both[0].tokens.len(), &both[1].tokens), (3, &alone[0].tokens));
}
