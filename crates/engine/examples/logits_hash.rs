//! A hash of all logits of a model file, for comparing machines: the text is pseudo-random tokens,
//! read in steps of several lengths.
//!
//!     cargo run --release -p kelvin-engine --example logits_hash -- MODEL [TOKENS]

use std::{error::Error, path::Path};

use kelvin_engine::{
    Engine, TokenId,
    transformer::{Append, CacheFormat, ModelOptions, Scratch, Want},
};

/// Lengths of the steps, by turns.
const STEPS: [usize; 6] = [7, 1, 16, 1, 1, 33];

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let model = args.next().ok_or("which model file?")?;
    let n_tokens: usize = args.next().map_or(Ok(60), |n| n.parse())?;
    let engine = Engine::open(Path::new(&model), &ModelOptions::default(), &mut |_, _| ())?;
    let vocab_size = engine.model.config.vocab_size as u64;
    let mut sequence = engine.model.sequence(CacheFormat::F16);
    let mut scratch = Scratch::default();
    // FNV-1a over the bits of every number, and a linear congruential generator of tokens.
    let (mut hash, mut state) = (0xCBF2_9CE4_8422_2325_u64, 1_u64);
    for length in STEPS.into_iter().cycle() {
        let length = length.min(n_tokens - sequence.tokens().len());
        if length == 0 {
            break;
        }
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            TokenId((((state >> 32) * vocab_size) >> 32) as u32)
        };
        let tokens: Vec<TokenId> = (0..length).map(|_| next()).collect();
        let step = Append { sequence: &mut sequence, tokens: &tokens, want: Want::All };
        let logits = engine.model.forward(&mut [step], &mut scratch)?;
        for logit in (0..logits.n_rows()).flat_map(|row| logits.row(row)) {
            hash = (hash ^ u64::from(logit.to_bits())).wrapping_mul(0x0100_0000_01B3);
        }
    }
    println!("{hash:016x}");
    Ok(())
}
