//! What each stage of a chain does to one row of logits, and where chosen tokens stand after it.

use kelvin_kernels::float_env::FloatEnv;

use crate::{
    Chain, Distribution, Limits, SampleError, TokenId,
    candidates::Candidates,
    dice::Words,
    stages::Stage,
    state::State,
    step::{StepScratch, run},
    weights::Mass,
};

/// A row of logits through a chain, stage by stage.
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
    at: Option<String>,
    stages: Vec<StageReport>,
    /// The places of each watched token.
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
    /// The share of the mass before it that it removed, in [0, 1).
    pub mass_removed: f64,
}

/// Where a token stands among the survivors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Its probability, renormalised over the survivors.
    pub probability: f64,
    /// -ln p in nats, exact to about 1e-6 even where p is too small for a weight.
    pub surprisal: f64,
    /// How many survivors precede it in descending order.
    pub rank: usize,
}

impl Trace {
    /// What each stage of `chain` does to `logits` within a sequence, with the random words of the
    /// position ([`crate::Dice::words`]), and where the tokens `watched` stand.
    ///
    /// # Errors
    /// Those of [`crate::Sampler::sample`]. A watched token that the vocabulary doesn't have isn't
    /// an error: it has no place.
    pub fn new(
        logits: &[f32],
        chain: &Chain,
        state: &State,
        words: &Words,
        watched: &[TokenId],
    ) -> Result<Trace, SampleError> {
        let _standard = FloatEnv::standard();
        let mut scratch = StepScratch::default();
        let (chain, at) = chain.at(logits, state)?;
        let mut stages = Vec::with_capacity(chain.stages().len());
        let mut places = vec![Vec::with_capacity(chain.stages().len() + 1); watched.len()];
        let mut before = None;
        let left =
            run(chain, logits, Limits::NONE, state, words, &mut scratch, &mut |left, stage| {
                let now = Snapshot::of(left);
                for (places, &token) in places.iter_mut().zip(watched) {
                    places.push(place(left, &now.mass, token));
                }
                if let (Some(stage), Some(before)) = (stage, before.take()) {
                    stages.push(report(stage, &before, &now));
                }
                before = Some(now);
            })?;
        let chain = chain.clone();
        Ok(Trace { chain, at, stages, places, distribution: Distribution::of(&left) })
    }

    /// The limit T = ∞, at the start of a sequence; see [`Distribution::at_infinity`].
    ///
    /// # Errors
    /// Those of [`Trace::new`].
    pub fn at_infinity(
        logits: &[f32],
        chain: &Chain,
        watched: &[TokenId],
    ) -> Result<Trace, SampleError> {
        Trace::new(logits, &chain.at_infinity(), &State::default(), &Words::default(), watched)
    }

    /// The chain; of a schedule, the one that holds here. At T = ∞ it contains `temp=inf`, which a
    /// chain that draws can't have.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The place of a schedule at which its chain holds, as [`Chain::at`] says it.
    pub fn at(&self) -> Option<&str> {
        self.at.as_deref()
    }

    /// What each stage did, in order.
    pub fn stages(&self) -> &[StageReport] {
        &self.stages
    }

    /// Where the `i`-th watched token stood: before the first stage (raw), and after each stage.
    /// `None` where it had been removed.
    ///
    /// # Panics
    /// If fewer tokens were watched.
    pub fn places(&self, i: usize) -> &[Option<Place>] {
        &self.places[i]
    }

    /// The final distribution.
    pub fn distribution(&self) -> &Distribution {
        &self.distribution
    }
}

/// The candidates between two stages.
struct Snapshot {
    survivors: usize,
    mass: Mass,
    /// Every survivor with its weight, in the order of ids.
    weights: Vec<(TokenId, u64)>,
}

impl Snapshot {
    fn of(left: &mut Candidates<'_>) -> Snapshot {
        Snapshot { survivors: left.n(), mass: left.mass(), weights: left.weights() }
    }
}

fn report(stage: &Stage, before: &Snapshot, now: &Snapshot) -> StageReport {
    // Both are in rising order of ids, and no token comes back. The weights are those before the
    // stage: a stage that changes logits removes no mass, only one that removes tokens does.
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
    // `+ 0.0` turns the -0 of a certain token into 0.
    let surprisal = mass.surprisal(left.token(index).1, left.max(), left.beta()) + 0.0;
    Some(Place { probability: libm::exp(-surprisal), surprisal, rank: left.rank(index) })
}
