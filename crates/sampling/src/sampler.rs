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

    /// The same with a random word of your own, a whole number u/2^64 of the way through the distribution:
    /// the token is the first in descending order whose cumulative weight exceeds floor(u · total / 2^64).
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    pub fn sample_with(&mut self, logits: &[f32], word: u64) -> Result<Draw, SampleError> {
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
        let target = (u128::from(word) * u128::from(last.total)) >> 64;
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
