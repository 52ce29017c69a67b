//! Writes texts of a toy model at three temperatures: everything an engine needs of this crate.
//!
//! The model knows how often each letter follows another in one sentence; its logits are the
//! logarithms of these counts.

use kelvin_sampling::{Chain, Dice, Sampler, TokenId};

const SENTENCE: &str =
    "a high mountain has a high temperature at the bottom and a low one at the top ";

/// One logit for each letter (and the space, last): the logarithm of how often it follows `last`.
fn logits(last: u8) -> [f32; 27] {
    let mut counts = [0.01f32; 27];
    for pair in SENTENCE.as_bytes().windows(2).filter(|pair| pair[0] == last) {
        counts[place(pair[1])] += 1.0;
    }
    counts.map(f32::ln)
}

fn place(letter: u8) -> usize {
    if letter == b' ' { 26 } else { usize::from(letter - b'a') }
}

fn letter(token: TokenId) -> u8 {
    b"abcdefghijklmnopqrstuvwxyz "[token.index()]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for temperature in ["0", "0.7", "1.5"] {
        let chain: Chain =
            format!("repetition=1.1,window:3 | temp={temperature} | min_p=0.02").parse()?;
        let prompt = b"a h";
        // The sampler is told of the prompt, so that penalties can look at it.
        let tokens: Vec<TokenId> = prompt.iter().map(|&c| TokenId(place(c) as u32)).collect();
        let mut sampler = Sampler::new(chain, Dice { seed: 7, sample: 0 }).after(&tokens);
        let mut text = prompt.to_vec();
        for pos in text.len()..60 {
            let token = sampler.sample(&logits(text[pos - 1]), pos as u64)?;
            text.push(letter(token));
        }
        println!("T = {temperature}: {}", String::from_utf8(text)?);
    }
    Ok(())
}
