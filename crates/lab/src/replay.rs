//! Replays recorded logits with other chains: single steps at other temperatures, without the
//! model.
//!
//! Every step is replayed on its own. The preceding text and the random numbers are the run's; only
//! the chain differs. From complete logits the draw equals the model's own, bit for bit. From top
//! logits a draw among the top tokens does too, except for random numbers on a boundary, because
//! the mass of the others is known to half precision. A draw among the others is reported without
//! the token's id.

use kelvin_sampling::{Chain, Dice, SampleError, Sampler, Stage};

use crate::store::{RunId, Store, StoreError};

pub use crate::recorded::{RecordedLogits, Unpacked};

/// The result of a chain over all steps. Means are over steps, quantities in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The chain.
    pub chain: Chain,
    /// The number of steps.
    pub n_steps: usize,
    /// Steps whose draw equals the run's token.
    pub n_same: usize,
    /// Steps whose drawn token is unknown, because its id wasn't recorded.
    pub n_unnamed: usize,
    /// Steps that the run drew with this chain.
    pub n_own: usize,
    /// Of these, steps whose draw equals the run's token.
    pub n_own_same: usize,
    /// Of these, steps whose drawn token is unknown.
    pub n_own_unnamed: usize,
    /// The mean number of survivors ranked before the drawn token.
    pub mean_rank: f64,
    /// Mean surprisal of the drawn token, raw.
    pub mean_surprisal_raw: f64,
    /// Mean entropy of the final distribution.
    pub mean_entropy_final: f64,
    /// Mean number of tokens that the chain leaves.
    pub mean_survivors: f64,
}

/// Why logits can't be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The logits can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No logits were recorded.
    #[error("the run kept no logits: sweep with --record logits")]
    NoLogits,
    /// A stage of the chain needs more than a single step.
    #[error("`{chain}` looks at the text before a step, so its steps can't be replayed one by one")]
    LooksBack {
        /// The chain.
        chain: String,
    },
    /// A step's logits have no valid distribution under the chain.
    #[error("`{chain}` can't draw: {problem}")]
    Draw {
        /// The chain.
        chain: String,
        /// The sampler's error.
        problem: SampleError,
    },
    /// The chain names tokens, but most ids weren't recorded.
    #[error(
        "`{chain}` names tokens, for which the run would have had to keep whole logits: sweep with \
         --record logits"
    )]
    Names {
        /// The chain.
        chain: String,
    },
    /// Stored bytes that can't be decoded as logits.
    #[error("the logits of a step are damaged, or an earlier version kept them: sweep again")]
    Damaged,
}

/// Replays every recorded step of a run with each chain.
///
/// # Errors
/// If nothing was recorded, or a chain can't be replayed.
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
    store.each_kept(run, &mut |chain, sample, token, kept: RecordedLogits| {
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
            if recipe.chains[chain].chain() == Some(&of.chain) {
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
    let mut stages = chain.chains().iter().flat_map(Chain::stages);
    stages.any(|stage| matches!(stage, Stage::Bias(_) | Stage::Mask(_)))
}
