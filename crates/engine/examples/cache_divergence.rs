//! How far the formats of the KV cache are from f32: mean Kullback-Leibler divergence of the next
//! token's distribution, over a text that is read as a whole.
//!
//!     cargo run --release -p kelvin-engine --example cache_divergence -- MODEL TEXT [TOKENS]

use std::{error::Error, path::Path};

use kelvin_engine::{
    Engine, TokenId,
    transformer::{Append, CacheFormat, ModelOptions, Scratch, Sequence, Want},
};

/// Tokens of a step.
const STEP: usize = 64;

/// Log probabilities of a row of logits, in nats.
fn log_probabilities(logits: &[f32]) -> Vec<f64> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = logits.iter().map(|x| f64::from(x - max).exp()).sum();
    logits.iter().map(|x| f64::from(x - max) - total.ln()).collect()
}

/// KL(p || q) in nats, of log probabilities.
fn divergence(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).map(|(p, q)| p.exp() * (p - q)).sum()
}

fn likeliest(p: &[f64]) -> Option<usize> {
    (0..p.len()).max_by(|&a, &b| p[a].total_cmp(&p[b]))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let model = args.next().ok_or("which model file?")?;
    let text = std::fs::read_to_string(args.next().ok_or("which text?")?)?;
    let n_tokens: usize = args.next().map_or(Ok(2000), |n| n.parse())?;
    let engine = Engine::open(Path::new(&model), &ModelOptions::default(), &mut |_, _| ())?;
    let mut tokens: Vec<TokenId> = engine.tokenizer.encode(&text, true, false);
    tokens.truncate(n_tokens.min(engine.model.config.ctx_len));
    let formats = [CacheFormat::F32, CacheFormat::F16, CacheFormat::Q8];
    let mut sequences: Vec<Sequence> = formats.map(|cache| engine.model.sequence(cache)).into();
    let mut scratch = Scratch::default();
    // For each format: divergence from f32, from f16, and positions with another likeliest token.
    let mut sums = [[0.0f64; 3]; 3];
    for part in tokens.chunks(STEP) {
        let mut rows: Vec<Vec<Vec<f64>>> = Vec::new();
        for sequence in &mut sequences {
            let step = Append { sequence, tokens: part, want: Want::All };
            let logits = engine.model.forward(&mut [step], &mut scratch)?;
            let row = |row| log_probabilities(logits.row(row));
            rows.push((0..logits.n_rows()).map(row).collect());
        }
        for i in 0..part.len() {
            let [f32, f16] = [&rows[0][i], &rows[1][i]];
            for (sums, rows) in sums.iter_mut().zip(&rows) {
                sums[0] += divergence(f32, &rows[i]);
                sums[1] += divergence(f16, &rows[i]);
                sums[2] += f64::from(u8::from(likeliest(f32) != likeliest(&rows[i])));
            }
        }
    }
    let n = tokens.len() as f64;
    println!("{} tokens of {model}, mean KL in nats", tokens.len());
    println!("cache  from f32     from f16     another likeliest token than f32");
    for (format, [from_f32, from_f16, other]) in formats.into_iter().zip(sums) {
        let share = 100.0 * other / n;
        println!(
            "{:5}  {:.3e}    {:.3e}    {share:.2} %",
            format.name(),
            from_f32 / n,
            from_f16 / n
        );
    }
    Ok(())
}
