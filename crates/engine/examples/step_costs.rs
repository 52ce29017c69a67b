//! What a step costs by its number of rows, in steps of one row: medians and quartiles of rounds in
//! which each number of rows is timed just after a single row.
//!
//!     cargo run --release -p kelvin-engine --example step_costs -- MODEL [DEPTH] [ROUNDS]

use std::{error::Error, path::Path, time::Instant};

use kelvin_engine::{
    Engine, TokenId,
    transformer::{Append, CacheFormat, ModelOptions, Scratch, Sequence, Want},
};

/// Numbers of rows.
const ROWS: [usize; 12] = [2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32];

/// Seconds of a step that reads `n` tokens after the sequence, which is as before afterwards.
fn time(
    engine: &Engine,
    sequence: &mut Sequence,
    scratch: &mut Scratch,
    n: usize,
) -> Result<f64, Box<dyn Error>> {
    let tokens: Vec<TokenId> = (0..n).map(|i| TokenId(100 + 7 * i as u32)).collect();
    let depth = sequence.len();
    let begun = Instant::now();
    let step = Append { sequence, tokens: &tokens, want: Want::All };
    engine.model.forward(&mut [step], scratch)?;
    let secs = begun.elapsed().as_secs_f64();
    sequence.truncate(depth);
    Ok(secs)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let model = args.next().ok_or("which model file?")?;
    let depth: usize = args.next().map_or(Ok(200), |n| n.parse())?;
    let n_rounds: usize = args.next().map_or(Ok(40), |n| n.parse())?;
    let engine = Engine::open(Path::new(&model), &ModelOptions::default(), &mut |_, _| ())?;
    let mut sequence = engine.model.sequence(CacheFormat::F16);
    let mut scratch = Scratch::default();
    let prompt: Vec<TokenId> = (0..depth).map(|i| TokenId(100 + (i % 1000) as u32)).collect();
    for tokens in prompt.chunks(64) {
        let step = Append { sequence: &mut sequence, tokens, want: Want::None };
        engine.model.forward(&mut [step], &mut scratch)?;
    }
    let mut costs = vec![Vec::new(); ROWS.len()];
    let mut singles = Vec::new();
    for round in 0..n_rounds + 2 {
        for (n, costs) in ROWS.into_iter().zip(&mut costs) {
            let before = time(&engine, &mut sequence, &mut scratch, 1)?;
            let secs = time(&engine, &mut sequence, &mut scratch, n)?;
            let after = time(&engine, &mut sequence, &mut scratch, 1)?;
            // The first rounds warm up.
            if round >= 2 {
                costs.push(secs / f64::midpoint(before, after));
                singles.push(before);
            }
        }
    }
    singles.sort_by(f64::total_cmp);
    println!("{model}, depth {depth}: a row takes {:.3} ms", 1e3 * singles[singles.len() / 2]);
    println!("rows  cost   quartiles       of each row after the first");
    for (n, mut costs) in ROWS.into_iter().zip(costs) {
        costs.sort_by(f64::total_cmp);
        let at = |share: usize| costs[costs.len() * share / 4];
        let further = (at(2) - 1.0) / (n - 1) as f64;
        println!("{n:>4}  {:.3}  {:.3} to {:.3}  {further:.3}", at(2), at(1), at(3));
    }
    Ok(())
}
