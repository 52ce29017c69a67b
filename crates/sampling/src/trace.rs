//! Logits and a chain in; what each of its stages did, and where tokens stood on the way, out.

use kelvin_kernels::float_env::FloatEnv;

use crate::{
    Chain, Distribution, Limits, SampleError, TokenId,
    candidates::Candidates,
    dice::Words,
    sampler::{StepScratch, run},
    stages::Stage,
    state::State,
    weights::Mass,
};

/// The way of one row of logits through a chain.
///
/// ```
/// use kelvin_sampling::{Chain, State, TokenId, Trace, Words};
///
/// let chain: Chain = "temp=2 | top_k=2".parse()?;
/// let logits = [2.0, 0.0, 1.0];
/// let trace = Trace::new(&logits, &chain, &State::default(), &Words::default(), &[TokenId(1)])?;
/// assert_eq!((trace.stages()[1].survivors_before, trace.stages()[1].survivors_after), (3, 2));
/// let [raw, hot, cut] = trace.places(0) else { panic!("before the first stage, and after each") };
/// assert!(raw.unwrap().probability < hot.unwrap().probability);
/// assert_eq!((hot.unwrap().rank, *cut), (2, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Trace {
    chain: Chain,
    stages: Vec<StageReport>,
    /// For each token that was asked for, its places.
    places: Vec<Vec<Option<Place>>>,
    distribution: Distribution,
}

/// What one stage did.
#[derive(Debug, Clone, PartialEq)]
pub struct StageReport {
    /// The stage.
    pub stage: Stage,
    /// Survivors before it.
    pub survivors_before: usize,
    /// Survivors after it.
    pub survivors_after: usize,
    /// Entropy before it, in nats.
    pub entropy_before: f64,
    /// Entropy after it, in nats.
    pub entropy_after: f64,
    /// The part of the mass before it that it removed, in [0, 1).
    pub mass_removed: f64,
}

/// Where a token stands among the survivors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Its probability, renormalised over the survivors.
    pub probability: f64,
    /// -ln p, in nats: exact to about 1e-6 far below the smallest probability.
    pub surprisal: f64,
    /// How many survivors stand before it in descending order.
    pub rank: usize,
}

impl Trace {
    /// What each stage of `chain` does to `logits` in the midst of a sequence, with the random
    /// words of the position ([`crate::Dice::words`]), and where the tokens `watched` stand.
    ///
    /// # Errors
    /// As [`crate::Sampler::sample`]. A watched token that the vocabulary doesn't have is nowhere.
    pub fn new(
        logits: &[f32],
        chain: &Chain,
        state: &State,
        words: &Words,
        watched: &[TokenId],
    ) -> Result<Trace, SampleError> {
        let _standard = FloatEnv::standard();
        let mut scratch = StepScratch::default();
        let mut stages = Vec::with_capacity(chain.stages().len());
        let mut places = vec![Vec::with_capacity(chain.stages().len() + 1); watched.len()];
        let mut before = None;
        let left =
            run(chain, logits, Limits::NONE, state, words, &mut scratch, &mut |left, stage| {
                let now = Moment::of(left);
                for (places, &token) in places.iter_mut().zip(watched) {
                    places.push(place(left, &now.mass, token));
                }
                if let (Some(stage), Some(before)) = (stage, before.take()) {
                    stages.push(report(stage, &before, &now));
                }
                before = Some(now);
            })?;
        Ok(Trace { chain: chain.clone(), stages, places, distribution: Distribution::of(&left) })
    }

    /// The limit T = ∞, at the start of a sequence; see [`Distribution::at_infinity`].
    ///
    /// # Errors
    /// As [`Trace::new`].
    pub fn at_infinity(
        logits: &[f32],
        chain: &Chain,
        watched: &[TokenId],
    ) -> Result<Trace, SampleError> {
        Trace::new(logits, &chain.at_infinity(), &State::default(), &Words::default(), watched)
    }

    /// The chain; a view at T = ∞ has `temp=inf` in it, which a chain that draws can't.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What each stage did, in order.
    pub fn stages(&self) -> &[StageReport] {
        &self.stages
    }

    /// Where the `i`-th watched token stood: raw, before the first stage, and then after each of
    /// them; none where it was gone.
    ///
    /// # Panics
    /// If fewer tokens were watched.
    pub fn places(&self, i: usize) -> &[Option<Place>] {
        &self.places[i]
    }

    /// What the whole chain left.
    pub fn distribution(&self) -> &Distribution {
        &self.distribution
    }
}

/// The candidates between two stages.
struct Moment {
    survivors: usize,
    mass: Mass,
    /// Every survivor with its weight, in the order of ids.
    weights: Vec<(TokenId, u64)>,
}

impl Moment {
    fn of(left: &mut Candidates<'_>) -> Moment {
        Moment { survivors: left.n(), mass: left.mass(), weights: left.weights() }
    }
}

fn report(stage: &Stage, before: &Moment, now: &Moment) -> StageReport {
    // Both are in the order of ids, and nothing comes back. Weights of before: whatever a stage
    // does to logits, only tokens that are gone count as removed.
    let mut weights = before.weights.iter();
    let weight =
        |(token, _): &(TokenId, u64)| weights.find(|(id, _)| id == token).map_or(0, |&(_, w)| w);
    let kept: u64 = now.weights.iter().map(weight).sum();
    StageReport {
        stage: stage.clone(),
        survivors_before: before.survivors,
        survivors_after: now.survivors,
        entropy_before: before.mass.entropy(),
        entropy_after: now.mass.entropy(),
        mass_removed: (before.mass.total - kept) as f64 / before.mass.total as f64,
    }
}

fn place(left: &Candidates<'_>, mass: &Mass, token: TokenId) -> Option<Place> {
    let index = left.find(token)?;
    // `+ 0.0` keeps a certain token's -0 out of sight.
    let surprisal = mass.surprisal(left.token(index).1, left.max(), left.beta()) + 0.0;
    Some(Place { probability: libm::exp(-surprisal), surprisal, rank: left.rank(index) })
}
