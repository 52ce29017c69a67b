//! How fast one text goes on at some depths, with each format of the KV cache in turn: medians of
//! rounds, and each format's ratio to f16 in the same round.
//!
//!     cargo run --release -p kelvin-engine --example cache_speed -- MODEL [DEPTHS] [ROUNDS] \
//!         [THREADS]

use std::{error::Error, path::Path, time::Instant};

use kelvin_engine::{
    Engine, TokenId,
    transformer::{Append, CacheFormat, ModelOptions, Scratch, Sequence, Want},
};

/// Steps of a sample.
const STEPS: usize = 12;
const FORMATS: [CacheFormat; 2] = [CacheFormat::F16, CacheFormat::Q8];

/// Reads `n` tokens, as many in a step as given.
fn read(
    engine: &Engine,
    sequence: &mut Sequence,
    scratch: &mut Scratch,
    n: usize,
    step: usize,
) -> Result<(), Box<dyn Error>> {
    let vocab = engine.tokenizer.vocab_size().min(40_000) as u32;
    let token = |i: usize| TokenId(100 + (i * 7919) as u32 % (vocab - 100));
    let tokens: Vec<TokenId> = (0..n).map(|i| token(sequence.len() + i)).collect();
    for tokens in tokens.chunks(step) {
        let step = Append { sequence, tokens, want: Want::Last };
        engine.model.forward(&mut [step], scratch)?;
    }
    Ok(())
}

fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    x[x.len() / 2]
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let model = args.next().ok_or("which model file?")?;
    let depths = args.next().unwrap_or("512,2000,8000".into());
    let n_rounds: usize = args.next().map_or(Ok(11), |n| n.parse())?;
    let threads: usize = args.next().map_or(Ok(0), |n| n.parse())?;
    let options = ModelOptions { threads, isa: None };
    let engine = Engine::open(Path::new(&model), &options, &mut |_, _| ())?;
    let mut sequences = FORMATS.map(|cache| engine.model.sequence(cache));
    let mut scratch = Scratch::default();
    println!("{model}: tokens/s, medians of {n_rounds} rounds of {STEPS} steps");
    for depth in depths.split(',') {
        let depth: usize = depth.parse()?;
        for sequence in &mut sequences {
            let n = depth.saturating_sub(sequence.len());
            read(&engine, sequence, &mut scratch, n, 64)?;
        }
        let mut rates = [const { Vec::new() }; FORMATS.len()];
        let mut ratios = Vec::new();
        for _ in 0..n_rounds {
            let mut round = [0.0; FORMATS.len()];
            for (sequence, rate) in sequences.iter_mut().zip(&mut round) {
                let begun = Instant::now();
                read(&engine, sequence, &mut scratch, STEPS, 1)?;
                *rate = STEPS as f64 / begun.elapsed().as_secs_f64();
                sequence.truncate(depth);
            }
            ratios.push(round[1] / round[0]);
            rates.iter_mut().zip(round).for_each(|(rates, rate)| rates.push(rate));
        }
        let [f16, q8] = rates.map(median);
        ratios.sort_by(f64::total_cmp);
        let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
        println!(
            "depth {depth}: f16 {f16:.1}, q8_0 {q8:.1}, ratio {:.2} ({least:.2} to {most:.2})",
            median(ratios.clone())
        );
    }
    Ok(())
}
