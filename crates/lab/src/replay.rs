//! Logits that a sweep kept in, what other chains would have drawn from them out: single steps at other temperatures, without the model.
//!
//! A step is replayed by itself: the text before it is the run's, the dice are the run's, only the chain is another. Logits are kept as half
//! precision, and a draw by rank feels that where logits lie close: at T = 1 on SmolLM2 a chain's own replay drew the run's token at 102
//! of 115 steps. So single draws are to be read with that in mind.

use std::io::{Read, Write};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use half::f16;
use kelvin_sampling::{Chain, Dice, SampleError, Sampler};

use crate::store::{RunId, Store, StoreError};

/// The logits of one step as they're kept: half precision, all first bytes and then all second ones, deflated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The position of the token in the whole text, prompt included.
    pub place: u64,
    /// How many there are.
    pub n_vocab: usize,
    /// The bytes.
    pub packed: Vec<u8>,
}

impl Kept {
    /// Packs the logits of a step.
    pub fn pack(logits: &[f32], place: u64) -> Kept {
        let halves = || logits.iter().map(|&x| f16::from_f32(x).to_le_bytes());
        // Exponents are much alike, so they're kept apart from what is nearly noise.
        let bytes: Vec<u8> = halves().map(|[_, high]| high).chain(halves().map(|[low, _]| low)).collect();
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish());
        Kept { place, n_vocab: logits.len(), packed: packed.expect("memory takes whatever is written to it") }
    }

    /// The logits, or nothing if the bytes are damaged.
    pub fn unpack(&self) -> Option<Vec<f32>> {
        let n = self.n_vocab;
        let mut bytes = Vec::with_capacity(2 * n);
        DeflateDecoder::new(&self.packed[..]).take(2 * n as u64 + 1).read_to_end(&mut bytes).ok()?;
        let (high, low) = (bytes.len() == 2 * n).then(|| bytes.split_at(n))?;
        let both = low.iter().zip(high);
        Some(both.map(|(&low, &high)| f16::from_le_bytes([low, high]).to_f32()).collect())
    }
}

/// What a chain makes of all steps; means are over steps, quantities in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The chain.
    pub chain: Chain,
    /// Steps.
    pub n_steps: usize,
    /// Steps at which it draws the token that the run drew.
    pub n_same: usize,
    /// How many survivors stand before the token drawn.
    pub mean_rank: f64,
    /// Of the token drawn, raw.
    pub mean_surprisal_raw: f64,
    /// Of the distribution drawn from.
    pub mean_entropy_final: f64,
    /// Tokens that the chain leaves.
    pub mean_survivors: f64,
}

/// Why logits can't be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// They can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// None were kept.
    #[error("the run kept no logits: sweep with --record logits")]
    NoLogits,
    /// A single step isn't enough for it.
    #[error("`{chain}` looks at the text before a step, so its steps can't be replayed one by one")]
    LooksBack {
        /// The chain.
        chain: String,
    },
    /// Nothing can be drawn from some of them.
    #[error("`{chain}` can't draw: {problem}")]
    Draw {
        /// The chain.
        chain: String,
        /// Why.
        problem: SampleError,
    },
    /// Bytes that aren't logits.
    #[error("the logits of a step are damaged")]
    Damaged,
}

/// Replays every kept step of a run with each of these chains.
///
/// # Errors
/// If there is nothing to replay, or a chain can't be.
pub fn replay(store: &Store, run: RunId, chains: &[Chain]) -> Result<Vec<Replayed>, ReplayError> {
    if let Some(chain) = chains.iter().find(|chain| chain.looks_back() || chain.learns()) {
        return Err(ReplayError::LooksBack { chain: chain.to_string() });
    }
    let seed = store.show(run)?.recipe.seed;
    let fresh = |chain: &Chain| Replayed {
        chain: chain.clone(),
        n_steps: 0,
        n_same: 0,
        mean_rank: 0.0,
        mean_surprisal_raw: 0.0,
        mean_entropy_final: 0.0,
        mean_survivors: 0.0,
    };
    let mut all: Vec<Replayed> = chains.iter().map(fresh).collect();
    store.each_kept(run, &mut |sample, token, kept: Kept| {
        let logits = kept.unpack().ok_or(ReplayError::Damaged)?;
        let mut sampler = Sampler::new(Chain::default(), Dice { seed, sample });
        for of in &mut all {
            let draw = sampler.replay(&of.chain, &logits, kept.place);
            let draw = draw.map_err(|problem| ReplayError::Draw { chain: of.chain.to_string(), problem })?;
            of.n_steps += 1;
            of.n_same += usize::from(token == Some(draw.token.0));
            of.mean_rank += f64::from(draw.rank);
            of.mean_surprisal_raw += draw.surprisal;
            of.mean_entropy_final += draw.entropy_final;
            of.mean_survivors += f64::from(draw.survivors);
        }
        Ok::<(), ReplayError>(())
    })?;
    for of in &mut all {
        if of.n_steps == 0 {
            return Err(ReplayError::NoLogits);
        }
        let n = of.n_steps as f64;
        for sum in [
            &mut of.mean_rank,
            &mut of.mean_surprisal_raw,
            &mut of.mean_entropy_final,
            &mut of.mean_survivors,
        ] {
            *sum /= n;
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_come_back_as_half_precision_has_them() {
        let logits: Vec<f32> = (0..5000u32)
            .map(|i| (i * 7919 % 4001) as f32 / 150.0 - 9.0)
            .chain([f32::NEG_INFINITY, 0.0, 1e-9])
            .collect();
        let kept = Kept::pack(&logits, 12);
        let back = kept.unpack().unwrap();
        assert!(kept.packed.len() < 2 * logits.len());
        assert_eq!(back.len(), logits.len());
        assert!(back.iter().zip(&logits).all(|(&a, &b)| a == f16::from_f32(b).to_f32()));
        for (n_vocab, packed) in
            [(4999, kept.packed.clone()), (6000, kept.packed.clone()), (5003, kept.packed[..900].to_vec())]
        {
            assert_eq!(Kept { place: 12, n_vocab, packed }.unpack(), None, "{n_vocab}");
        }
    }
}
