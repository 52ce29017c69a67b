//! Two models that should be one, such as a folder and the GGUF file made of it: compares their
//! tokens for a text and the logits after it.
//!
//!     cargo run --release --example same_logits -- A B [TEXT]

use std::path::Path;

use kelvin_engine::{
    Engine,
    transformer::{Append, CacheFormat, ModelOptions, Scratch, Want},
};

const TEXT: &str = "The capital of Nepal is Kathmandu, and 123 yaks don't mind:\n\n  été";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let names = [args.next(), args.next()];
    let text = args.next().unwrap_or_else(|| TEXT.to_string());
    let mut all = Vec::new();
    for name in names.into_iter().flatten() {
        let engine = Engine::open(Path::new(&name), &ModelOptions::default(), &mut |_, _| ())?;
        let tokens = engine.tokenizer.encode(&text, true, true);
        let mut sequence = engine.model.sequence(CacheFormat::F32);
        let step = Append { sequence: &mut sequence, tokens: &tokens, want: Want::All };
        let mut scratch = Scratch::default();
        let logits = engine.model.forward(&mut [step], &mut scratch)?;
        let rows: Vec<Vec<f32>> = (0..logits.n_rows()).map(|i| logits.row(i).to_vec()).collect();
        let bytes = engine.model.weight_bytes();
        println!("{name}: {} tokens, {bytes} bytes of weights", tokens.len());
        all.push((tokens, rows));
    }
    let [(tokens, rows), (other_tokens, other_rows)] = &all[..] else {
        return Err("give two models".into());
    };
    println!("same tokens: {}", tokens == other_tokens);
    println!("same bits: {}", rows == other_rows);
    let pairs = rows.iter().flatten().zip(other_rows.iter().flatten());
    let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("largest difference of a logit: {most}");
    Ok(())
}
