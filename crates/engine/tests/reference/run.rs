//! The engine run in a stated way, for tests: which file, how many threads, how the text is cut
//! into steps; logits out.

use kelvin_engine::{
    TokenId,
    gguf::Gguf,
    transformer::{Append, CacheFormat, Model, ModelOptions, Scratch, Sequence, Want},
};
use kelvin_testkit::models;

/// A downloaded model.
pub fn real_model(file: &str) -> Gguf {
    let advice = "fetch it with: cargo run --release -- models pull smollm2 gemma3 \
        qwen2.5-coder-0.5b";
    models::open(file, advice)
}

/// A model's weights made ready.
pub fn load(gguf: &Gguf, options: &ModelOptions) -> Model {
    Model::load(gguf, options, &mut |_, _| {}).unwrap()
}

/// The logits after every token of `tokens`, appended to `sequence` in steps of `chunk` tokens.
pub fn append(
    model: &Model,
    sequence: &mut Sequence,
    tokens: &[TokenId],
    chunk: usize,
) -> Vec<Vec<f32>> {
    let mut rows = Vec::new();
    let mut scratch = Scratch::default();
    for tokens in tokens.chunks(chunk) {
        let step = Append { sequence: &mut *sequence, tokens, want: Want::All };
        let logits = model.forward(&mut [step], &mut scratch).unwrap();
        assert_eq!(logits.n_rows(), tokens.len());
        rows.extend((0..logits.n_rows()).map(|i| logits.row(i).to_vec()));
    }
    rows
}

/// The logits after every token of a text, from an empty sequence.
pub fn logits(
    model: &Model,
    tokens: &[TokenId],
    cache: CacheFormat,
    chunk: usize,
) -> Vec<Vec<f32>> {
    append(model, &mut model.sequence(cache), tokens, chunk)
}

/// Plain numbers as token ids.
pub fn ids(tokens: &[u32]) -> Vec<TokenId> {
    tokens.iter().map(|&token| TokenId(token)).collect()
}
