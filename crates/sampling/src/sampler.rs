//! One row of logits in, one token out, with the figures that say how likely it was.

use kelvin_kernels::float_env::FloatEnv;

use crate::{
    Chain, Dice, SampleError, TokenId,
    candidates::{Candidates, Scratch},
    weights::Mass,
};

/// A chain with its dice and its work space: draws tokens for one sequence.
///
/// The first step makes room for the vocabulary; later steps allocate nothing. A clone draws the same
/// tokens.
#[derive(Debug, Clone)]
pub struct Sampler {
    chain: Chain,
    dice: Dice,
    scratch: Scratch,
}

/// A token that was drawn. All quantities are in nats.
///
/// "Raw" is the model's own distribution: T = 1, the whole vocabulary. "Final" is the distribution the token was
/// drawn from, after the chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// The token.
    pub token: TokenId,
    /// How many survivors stand before it in descending order: 0 is the likeliest.
    pub rank: u32,
    /// -ln p of the token, raw.
    pub surprisal: f64,
    /// -ln p of the token, final.
    pub surprisal_final: f64,
    /// Entropy, raw.
    pub entropy: f64,
    /// Entropy, final.
    pub entropy_final: f64,
    /// Tokens that the chain left (masked ones aren't counted).
    pub survivors: u32,
}

impl Sampler {
    /// A sampler at the start of a sequence.
    pub fn new(chain: Chain, dice: Dice) -> Sampler {
        Sampler { chain, dice, scratch: Scratch::default() }
    }

    /// The chain as it was resolved.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The dice.
    pub fn dice(&self) -> Dice {
        self.dice
    }

    /// Draws the token of absolute position `pos` (prompt and BOS counted) from `logits`, one f32 for each
    /// token of the vocabulary, -inf where a token is masked.
    ///
    /// # Errors
    /// If there are no logits or more than [`crate::MAX_VOCAB`], if one is NaN or +inf, or if all are masked.
    pub fn sample(&mut self, logits: &[f32], pos: u64) -> Result<Draw, SampleError> {
        let word = self.dice.word(pos);
        self.sample_with(logits, word)
    }

    /// The same with a random word `u` of your own: the token is the first in descending order whose
    /// cumulative weight exceeds `floor(u · total / 2^64)`. 0 draws the likeliest.
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    pub fn sample_with(&mut self, logits: &[f32], u: u64) -> Result<Draw, SampleError> {
        // Hosts may have changed the rounding or flush subnormals.
        let _standard = FloatEnv::standard();
        let mut left = Candidates::new(logits, &mut self.scratch)?;
        // 1. The raw measures, before anything is changed.
        let raw_max = left.max();
        let raw = left.mass();
        // 2. Each stage acts on what the one before it left.
        for stage in self.chain.stages() {
            stage.apply(&mut left);
        }
        // 3. The draw, by rank.
        let last = left.mass();
        let target = (u128::from(u) * u128::from(last.total)) >> 64;
        let index = left.reach(target as u64);
        let (token, x) = left.token(index);
        Ok(Draw {
            token,
            rank: left.rank(index) as u32,
            surprisal: surprisal(&raw, x, raw_max, 1.0),
            surprisal_final: surprisal(&last, x, left.max(), left.beta()),
            entropy: raw.entropy(),
            entropy_final: last.entropy(),
            survivors: left.n() as u32,
        })
    }
}

/// -ln p = ln Z - d.
fn surprisal(mass: &Mass, x: f32, max: f32, beta: f32) -> f64 {
    mass.ln_z() - f64::from((x - max) * beta)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After the first step buffers have their size, whatever the later logits and chains need.
    #[test]
    fn later_steps_allocate_nothing() {
        const V: usize = 20_000;
        let shapes: [fn(usize) -> f32; 4] = [
            |i| (i * 7919 % V) as f32 * 1e-3,
            |_| 2.0,
            |i| if i == 5 { 40.0 } else { (i % 3) as f32 },
            |i| if i % 2 == 0 { f32::NEG_INFINITY } else { 1e-6 * i as f32 },
        ];
        for chain in ["temp=0", "temp=1", "top_p=0.9 | temp=1e8", "top_k=15000 | min_p=0.001", "top_k=3"] {
            let mut sampler = Sampler::new(chain.parse().unwrap(), Dice { seed: 1, sample: 0 });
            sampler.sample(&vec![0.0; V], 0).unwrap();
            let before = sampler.scratch.places();
            for (pos, shape) in shapes.iter().enumerate() {
                let logits: Vec<f32> = (0..V).map(shape).collect();
                sampler.sample(&logits, pos as u64).unwrap();
                sampler.sample(&logits[..77], pos as u64).unwrap();
            }
            assert_eq!(sampler.scratch.places(), before, "{chain}");
        }
    }
}
