//! From logits to a token: exact, reproducible sampling.
//!
//! ```
//! use kelvin_sampling::{Chain, Dice, Sampler};
//!
//! let chain: Chain = "temp=0.8 | top_k=40 | top_p=0.95".parse()?;
//! let mut sampler = Sampler::new(chain, Dice { seed: 7, sample: 0 });
//! let draw = sampler.draw(&[0.1, 0.0, 0.5, 1.0, 4.0, 0.6], 12)?; // logits, position
//! println!("token {} with a surprisal of {:.2} nats", draw.token.0, draw.surprisal);
//! # assert_eq!(draw.survivors, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Chain`] is a list of stages in a stated order. A [`Stage`] is what other engines call a
//! sampler or a logits processor: a temperature, a truncation, a penalty. [`STAGES`] describes each
//! kind. A [`Sampler`] draws with a chain; [`Dice`] name its random numbers; [`State`] is what a
//! sequence remembers. [`Limits`] say which tokens are allowed at one position. A [`Distribution`]
//! shows what a chain leaves, a [`Trace`] what each stage does. A [`Profile`] orders stages as
//! another engine does.
//!
//! # Exact on every machine
//!
//! - The weight of a token is a whole number, `w_i = round(2^45 · exp((x_i - max)·β))`, β = 1/T,
//!   from one polynomial ([`weight`]). Sums of whole numbers don't depend on their order. So the
//!   drawn token is the same on any machine and with any number of threads.
//! - The draw goes by rank: the token is the first in descending order (larger logit, ties by lower
//!   id) whose cumulative weight exceeds `floor(u · total / 2^64)`. With the same `u`, a higher
//!   temperature never draws a lower rank.
//! - `u` depends on seed, sample and position alone.
//! - NaN and +inf are errors that name the token. -inf is a masked token, which is never drawn and
//!   never counted.
//!
//! The book explains the [dice](Dice) in `docs/src/concepts/dice.md` and the chain in
//! `docs/src/concepts/chain.md`.
//!
//! No I/O, no clock, no threads, no unsafe, and no allocation in a step after the first.

mod bounds;
mod candidates;
mod chain;
mod changes;
mod dice;
mod distribution;
mod engine;
mod error;
mod limits;
mod locate;
mod notation;
mod order;
mod params;
mod profile;
mod sampler;
mod schedule;
mod set;
mod shift;
mod softmax;
mod spread;
mod stages;
mod state;
mod step;
mod trace;
mod weights;

pub use chain::Chain;
pub use changes::{Change, ChangesError};
pub use dice::{Dice, Stream, Words};
pub use distribution::{Choice, Distribution, slope};
pub use engine::{Engine, Profile};
pub use error::{ChainError, SampleError};
pub use limits::Limits;
pub use notation::split as split_notation;
pub use params::SamplingParams;
pub use sampler::{Draw, Sampler};
pub use schedule::{Place as SchedulePlace, Search, TokenTexts};
pub use shift::Shift;
pub use softmax::{
    Divergence, Thermal, divergence, softmax, surprisal, surprisal_and_entropy, thermal,
};
pub use stages::*;
pub use state::{Learned, Scope, State, Window};
pub use trace::{Place, StageReport, Trace};
pub use weights::{MAX_VOCAB, weight};

/// The index of a token in a model's vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub u32);

impl TokenId {
    /// The id as an index into a vector over the vocabulary.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
