//! The time that a chain takes on rows of logits, for a bench that has other programs beside it.
//!
//!     rows FILE VOCAB CHAIN
//!
//! The file has rows of VOCAB f32, little-endian. Each line on standard input asks for one turn
//! over all rows; the answer is a line with its seconds and the number of survivors.

use std::{error::Error, fs, io, time::Instant};

use kelvin_sampling::{Chain, Dice, Distribution, State};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, vocab, chain] = &args[..] else { return Err("give FILE VOCAB CHAIN".into()) };
    let (vocab, chain): (usize, Chain) = (vocab.parse()?, chain.parse()?);
    let bytes = fs::read(file)?;
    let logits: Vec<f32> = bytes.as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect();
    let words = Dice { seed: 0, sample: 0 }.words(0);
    for line in io::stdin().lines() {
        line?;
        let (begun, mut survivors) = (Instant::now(), 0);
        for row in logits.chunks_exact(vocab) {
            survivors += Distribution::after(row, &chain, &State::default(), &words)?.survivors();
        }
        println!("{} {survivors}", begun.elapsed().as_secs_f64());
    }
    Ok(())
}
