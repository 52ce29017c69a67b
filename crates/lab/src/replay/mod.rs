//! Logits that a sweep kept in, what other chains would have drawn from them out: single steps at
//! other temperatures, without the model.
//!
//! A step is replayed by itself: the text before it is the run's, the dice are the run's, only the
//! chain is another. From whole logits the draw is the model's own, bit for bit. Where only the
//! likeliest were kept, a draw among them is the model's own too, but for the rare dice that fall
//! on a boundary (the rest's mass is known to half precision); a draw among the rest is told as
//! that, without the token's name.

mod kept;

pub use kept::{Kept, Unpacked};

use kelvin_sampling::{Chain, Dice, SampleError, Sampler, Stage};

use crate::store::{RunId, Store, StoreError};

/// What a chain makes of all steps; means are over steps, quantities in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The chain.
    pub chain: Chain,
    /// Steps.
    pub n_steps: usize,
    /// Steps at which it draws the token that the run drew.
    pub n_same: usize,
    /// Steps whose token isn't known: it is one of those whose names weren't kept.
    pub n_unnamed: usize,
    /// Steps that the run drew with this very chain.
    pub n_own: usize,
    /// Those of them at which it draws the run's token again.
    pub n_own_same: usize,
    /// Those of them whose token isn't known.
    pub n_own_unnamed: usize,
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
    /// Tokens by name, of which most names weren't kept.
    #[error(
        "`{chain}` names tokens, for which the run would have had to keep whole logits: sweep with --record logits"
    )]
    Names {
        /// The chain.
        chain: String,
    },
    /// Bytes that aren't logits.
    #[error("the logits of a step are damaged, or an earlier version kept them: sweep again")]
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
    let recipe = store.show(run)?.recipe;
    let (seed, naming) = (recipe.seed, chains.iter().find(|chain| names_tokens(chain)));
    let fresh = |chain: &Chain| Replayed {
        chain: chain.clone(),
        n_steps: 0,
        n_same: 0,
        n_unnamed: 0,
        n_own: 0,
        n_own_same: 0,
        n_own_unnamed: 0,
        mean_rank: 0.0,
        mean_surprisal_raw: 0.0,
        mean_entropy_final: 0.0,
        mean_survivors: 0.0,
    };
    let mut all: Vec<Replayed> = chains.iter().map(fresh).collect();
    store.each_kept(run, &mut |chain, sample, token, kept: Kept| {
        let back = kept.unpack().ok_or(ReplayError::Damaged)?;
        if let Some(naming) = naming.filter(|_| !back.is_whole()) {
            return Err(ReplayError::Names { chain: naming.to_string() });
        }
        let mut sampler = Sampler::new(Chain::default(), Dice { seed, sample });
        for of in &mut all {
            let draw = sampler.replay(&of.chain, &back.logits, kept.place);
            let draw =
                draw.map_err(|problem| ReplayError::Draw { chain: of.chain.to_string(), problem })?;
            let is_named = back.names(draw.token);
            let is_same = is_named && token == Some(draw.token.0);
            of.n_steps += 1;
            of.n_same += usize::from(is_same);
            of.n_unnamed += usize::from(!is_named);
            if recipe.chains[chain] == of.chain {
                of.n_own += 1;
                of.n_own_same += usize::from(is_same);
                of.n_own_unnamed += usize::from(!is_named);
            }
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

fn names_tokens(chain: &Chain) -> bool {
    chain.stages().iter().any(|stage| matches!(stage, Stage::Bias(_) | Stage::Mask(_)))
}
