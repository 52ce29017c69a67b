//! Log-probabilities and divergences of a text under very small models, against plain f64 code on
//! their logits.

use std::fs;

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, BatchOptions, Budget},
    transformer::{Append, CacheFormat, ModelOptions, Scratch, Want},
};
use kelvin_lab::logprobs::{Reader, TextTokens, Token, incomparable, score_text};
use kelvin_testkit::tiny::{LLAMA3_LIKE, MISTRAL_LIKE, TinyModel};

/// Longer than two chunks of tokens.
const TEXT: &str = "the quick brown fox jumps over the lazy dog, and the dog looks up: so what?";

fn engine(model: &TinyModel, threads: usize) -> Engine {
    let path = model.write();
    let options = ModelOptions { threads, isa: None };
    let engine = Engine::open(&path, &options, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    engine
}

fn reader(engine: &Engine) -> Reader<'_> {
    let batch = Batch::new(engine, BatchOptions::new(Budget::for_texts(1, 256)));
    Reader::new(engine, batch, TextTokens::new(&engine.tokenizer, TEXT))
}

/// ln p of every token of the vocabulary after each of these tokens, in plain f64.
fn plain(engine: &Engine, tokens: &[TokenId]) -> Vec<Vec<f64>> {
    let mut sequence = engine.model.sequence(CacheFormat::F16);
    let mut scratch = Scratch::default();
    let mut append = [Append { sequence: &mut sequence, tokens, want: Want::All }];
    let logits = engine.model.forward(&mut append, &mut scratch).unwrap();
    let ln = |row: &[f32]| {
        let total: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
        row.iter().map(|&x| f64::from(x) - total.ln()).collect()
    };
    (0..tokens.len()).map(|i| ln(logits.row(i))).collect()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

#[test]
fn two_models_of_one_vocabulary_are_compared_at_each_token() {
    let a = engine(&TinyModel::new(&MISTRAL_LIKE).speaking(), 2);
    let b = engine(&TinyModel::new(&LLAMA3_LIKE).speaking(), 2);
    let mut readers = [reader(&a), reader(&b)];
    assert_eq!(incomparable(&readers[0], &readers[1]), None);
    let tokens = readers[0].tokens().clone();
    // One token a character, after a start token and a space of SentencePiece.
    assert_eq!((tokens.ids.len(), tokens.bos.is_some()), (TEXT.len() + 1, true));
    assert_eq!(tokens.starts[..3], [0, 0, 1]);
    let mut told = Vec::new();
    let found = score_text(&mut readers, &mut |n| told.push(n)).unwrap();
    assert_eq!((found.len(), told.last()), (tokens.ids.len(), Some(&found.len())));
    let all = tokens.all();
    let (of_a, of_b) = (plain(&a, &all), plain(&b, &all));
    let mut largest = 0f64;
    for (i, Token { scored, divergence }) in found.iter().enumerate() {
        let id = tokens.ids[i].index();
        for (scored, rows) in scored.iter().zip([&of_a, &of_b]) {
            let (scored, row) = (scored.as_ref().unwrap(), &rows[i]);
            assert!(near(scored.logprob, row[id]), "{i}");
            let entropy: f64 = row.iter().map(|ln| -ln.exp() * ln).sum();
            assert!(near(scored.entropy, entropy), "{i}");
            assert_eq!(scored.rank, row.iter().filter(|&&ln| ln > row[id]).count() + 1);
        }
        let kl: f64 = of_a[i].iter().zip(&of_b[i]).map(|(p, q)| p.exp() * (p - q)).sum();
        let found = divergence.unwrap();
        assert!(near(found.kl, kl) && found.kl >= 0.0, "{i}: {} {kl}", found.kl);
        let top = |row: &[f64]| (0..row.len()).max_by(|&x, &y| row[x].total_cmp(&row[y])).unwrap();
        assert_eq!(found.same_top, top(&of_a[i]) == top(&of_b[i]), "{i}");
        largest = largest.max(kl);
    }
    assert!(largest > 0.01, "two models that say the same prove nothing: {largest}");
}

/// A model beside itself has no divergence, and threads change no bit.
#[test]
fn a_model_beside_itself_is_the_same_to_the_bit() {
    let model = TinyModel::new(&MISTRAL_LIKE).speaking();
    let (one, two) = (engine(&model, 1), engine(&model, 2));
    let found = score_text(&mut [reader(&one), reader(&two)], &mut |_| ()).unwrap();
    for Token { scored, divergence } in &found {
        assert_eq!(scored[0], scored[1]);
        assert!(divergence.unwrap().kl == 0.0 && divergence.unwrap().same_top);
    }
    let alone = score_text(&mut [reader(&one)], &mut |_| ()).unwrap();
    assert!(alone.iter().zip(&found).all(|(a, b)| a.scored[0] == b.scored[0]));
}
