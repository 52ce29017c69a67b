//! The reference sampler: a full sort, one weight after the other, u128 for everything. Written for
//! reading, used nowhere else.

use kelvin_sampling::{Chain, State, TokenId, Window, Words};

use crate::reference_stages;

/// What a chain leaves, in descending order.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) survivors: Vec<(u32, f32)>,
    pub(crate) beta: f32,
    pub(crate) temperature: f64,
    /// By id, what tokens weighed before a last stage that changes all logits, as probabilities.
    pub(crate) before: Vec<(u32, f64)>,
}

/// A stage masked everything, or named a token that isn't there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Refused;

/// Applies a chain at the start of a sequence to logits without bad numbers, of which at least one
/// isn't masked.
pub(crate) fn survive(logits: &[f32], chain: &Chain) -> Reference {
    try_survive(logits, chain, &State::default(), &Words::default()).unwrap()
}

/// The same in the midst of a sequence, for chains that may leave nothing.
pub(crate) fn try_survive(
    logits: &[f32],
    chain: &Chain,
    state: &State,
    words: &Words,
) -> Result<Reference, Refused> {
    let unmasked = logits.iter().enumerate().filter(|(_, x)| **x != f32::NEG_INFINITY);
    let mut left = Reference {
        survivors: unmasked.map(|(i, &x)| (i as u32, x)).collect(),
        beta: 1.0,
        temperature: 1.0,
        before: Vec::new(),
    };
    left.sort();
    let mut random = words.stages.iter();
    for stage in chain.stages() {
        reference_stages::apply(stage, &mut left, state, &mut random, logits.len())?;
    }
    Ok(left)
}

/// The last tokens of a window.
pub(crate) fn recent(tokens: &[TokenId], window: Window) -> &[TokenId] {
    match window.get() {
        None => tokens,
        Some(n) => &tokens[tokens.len().saturating_sub(n as usize)..],
    }
}

impl Reference {
    /// Descending order: larger logit first, ties by lower id.
    pub(crate) fn sort(&mut self) {
        self.survivors.sort_by(|a, b| b.1.partial_cmp(&a.1).unwrap().then(a.0.cmp(&b.0)));
    }

    /// d = (x - max)·β of each survivor, no lower than -128, where weights have long been 0.
    pub(crate) fn ds(&self) -> Vec<f32> {
        let max = self.survivors[0].1;
        self.survivors.iter().map(|&(_, x)| ((x - max) * self.beta).max(-128.0)).collect()
    }

    /// The weight of each survivor.
    pub(crate) fn weights(&self) -> Vec<u128> {
        self.ds().into_iter().map(|d| u128::from(kelvin_sampling::weight(d))).collect()
    }

    pub(crate) fn total(&self) -> u128 {
        self.weights().iter().sum()
    }

    /// Σ round(w·|d|·2^7) up to each survivor, included.
    pub(crate) fn moments(&self) -> Vec<u128> {
        let term =
            |(w, d): (u128, f32)| (w as f64 * f64::from(-d) * 128.0).round_ties_even() as u128;
        let terms = self.weights().into_iter().zip(self.ds()).map(term);
        terms
            .scan(0, |sum, term| {
                *sum += term;
                Some(*sum)
            })
            .collect()
    }

    pub(crate) fn ln_z(&self) -> f64 {
        libm::log(self.total() as f64 / 2f64.powi(45))
    }

    /// H of the whole-number weights, in nats.
    pub(crate) fn entropy(&self) -> f64 {
        let moment = *self.moments().last().unwrap();
        self.ln_z() + moment as f64 / 128.0 / self.total() as f64
    }

    /// The least whole weight that is at least a share of a total.
    pub(crate) fn share(share: f64, total: u128) -> u128 {
        u128::from((share * total as f64).ceil() as u64)
    }

    /// Keeps tokens that weigh at least `least`, and the likeliest.
    pub(crate) fn keep_weight(&mut self, least: u128) {
        let weights = self.weights();
        let n = weights.iter().take_while(|&&w| w >= least).count();
        self.survivors.truncate(n.max(1));
    }

    /// The place in `survivors` of the token that the random word `u` draws.
    pub(crate) fn draw(&self, u: u64) -> usize {
        let weights = self.weights();
        let target = (u128::from(u) * self.total()) >> 64;
        let mut sum = 0;
        let reached = |w: &u128| {
            sum += w;
            sum > target
        };
        weights.iter().position(reached).expect("the target is below the total")
    }

    /// The lowest random word that draws the token at `place` or a later one.
    pub(crate) fn boundary(&self, place: usize) -> u64 {
        let before: u128 = self.weights()[..place].iter().sum();
        (before << 64).div_ceil(self.total()).min(u128::from(u64::MAX)) as u64
    }

    /// The probabilities by plain f64 arithmetic, in order.
    pub(crate) fn probabilities(&self) -> Vec<f64> {
        let max = f64::from(self.survivors[0].1);
        let weight = |&(_, x): &(u32, f32)| {
            // Logits further apart than the largest f32 are infinitely far apart, whatever the
            // temperature.
            let apart = if x - self.survivors[0].1 < f32::MIN {
                f64::NEG_INFINITY
            } else {
                f64::from(x) - max
            };
            (apart * f64::from(self.beta)).exp()
        };
        let total: f64 = self.survivors.iter().map(weight).sum();
        self.survivors.iter().map(|s| weight(s) / total).collect()
    }
}

/// Entropy in nats of plain probabilities.
pub(crate) fn entropy(p: &[f64]) -> f64 {
    p.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum()
}
