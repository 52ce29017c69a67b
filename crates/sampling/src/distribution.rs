//! The whole distribution that a chain makes of one row of logits, for views.
//!
//! The code that draws decides which tokens survive. Their probabilities are computed in f64, and
//! sums of them in whole numbers of 2^-80. So tokens that are too unlikely for a weight of the draw
//! (below 31.9 nats) still have a probability.

use kelvin_kernels::float_env::FloatEnv;

use crate::{
    Chain, Limits, SampleError, TokenId,
    candidates::Candidates,
    dice::Words,
    order::key,
    state::State,
    step::{StepScratch, run},
};

/// Sums are of terms rounded to whole numbers of 2^-80.
const UNIT: f64 = (1u128 << 80) as f64;

/// The final distribution of a chain over one row of logits.
///
/// ```
/// use kelvin_sampling::{Chain, Distribution};
///
/// let distribution = Distribution::new(&[2.0, 0.0, 1.0], &Chain::default())?;
/// let top = distribution.top(2);
/// assert_eq!(top[1].token.0, 2);
/// assert_eq!(format!("{:.3}", top[1].probability), "0.245");
/// assert_eq!(distribution.rest(2).0, 1);
/// # Ok::<(), kelvin_sampling::SampleError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Distribution {
    /// Survivors in rising order of ids, and their logits.
    ids: Vec<u32>,
    xs: Vec<f32>,
    /// exp((x - max)/T), as whole numbers of 2^-80.
    weights: Vec<u128>,
    total: u128,
    max: f32,
    temperature: f64,
}

/// One token of a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The token.
    pub token: TokenId,
    /// Its logit as the model gave it.
    pub logit: f32,
    /// Its probability.
    pub probability: f64,
}

impl Distribution {
    /// The distribution after `chain` at the start of a sequence. `logits` has one f32 for each
    /// token of the vocabulary, -inf where it is masked. A random stage (`xtc`) acts.
    ///
    /// The raw distribution of a model is that of the neutral chain, [`Chain::default`].
    ///
    /// # Errors
    /// Those of [`crate::Sampler::sample`].
    pub fn new(logits: &[f32], chain: &Chain) -> Result<Distribution, SampleError> {
        Distribution::after(logits, chain, &State::default(), &Words::default())
    }

    /// The distribution after `chain` within a sequence, with the random words of the position
    /// ([`crate::Dice::words`]).
    ///
    /// The distribution after the first stages of a chain is that of [`Chain::first`].
    ///
    /// # Errors
    /// Those of [`crate::Sampler::sample`].
    pub fn after(
        logits: &[f32],
        chain: &Chain,
        state: &State,
        words: &Words,
    ) -> Result<Distribution, SampleError> {
        Distribution::within(logits, Limits::NONE, chain, state, words)
    }

    pub(crate) fn within(
        logits: &[f32],
        limits: Limits<'_>,
        chain: &Chain,
        state: &State,
        words: &Words,
    ) -> Result<Distribution, SampleError> {
        let _standard = FloatEnv::standard();
        let mut scratch = StepScratch::default();
        let chain = scratch.held(chain, logits, state)?;
        Ok(Distribution::of(&run(
            chain,
            logits,
            limits,
            state,
            words,
            &mut scratch,
            &mut |_, _| (),
        )?))
    }

    /// The limit T = ∞, in which all survivors are equally likely. For views only.
    ///
    /// Each `temp` of the chain becomes infinite; a chain without one gets it as the first stage.
    /// Truncations still use the order of the logits, so `top_k=3` keeps the three largest.
    ///
    /// # Errors
    /// Those of [`crate::Sampler::sample`].
    pub fn at_infinity(logits: &[f32], chain: &Chain) -> Result<Distribution, SampleError> {
        Distribution::new(logits, &chain.at_infinity())
    }

    pub(crate) fn of(left: &Candidates<'_>) -> Distribution {
        let (max, temperature) = (left.max(), left.temperature());
        let (mut ids, mut xs, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (token, x) in left.survivors() {
            ids.push(token.0);
            xs.push(x);
            let e = libm::exp(over(gap(x, max), temperature));
            weights.push((e * UNIT) as u128);
        }
        let total = weights.iter().sum();
        Distribution { ids, xs, weights, total, max, temperature }
    }

    /// T: the product of the chain's temperatures, 1 if there are none. 0 if one of them is 0, else
    /// clamped to between 2.9e-39 and 7.1e44, so that f32 holds 1/T.
    pub fn temperature(&self) -> f64 {
        self.temperature
    }

    /// The number of survivors.
    pub fn survivors(&self) -> usize {
        self.ids.len()
    }

    /// The first `n` tokens in descending order (by logit, ties by lower id).
    pub fn top(&self, n: usize) -> Vec<Choice> {
        let top = self.first(n).into_iter().map(|i| Choice {
            token: TokenId(self.ids[i]),
            logit: self.xs[i],
            probability: self.share(self.weights[i]),
        });
        top.collect()
    }

    /// All survivors in rising order of ids: ids, logits and probabilities.
    pub fn into_parts(self) -> (Vec<u32>, Vec<f32>, Vec<f64>) {
        let total = self.total as f64;
        let probabilities = self.weights.iter().map(|&weight| weight as f64 / total).collect();
        (self.ids, self.xs, probabilities)
    }

    /// The number of tokens after the first `n`, and their mass.
    pub fn rest(&self, n: usize) -> (usize, f64) {
        let top = self.first(n);
        let top_weight: u128 = top.iter().map(|&i| self.weights[i]).sum();
        (self.ids.len() - top.len(), self.share(self.total - top_weight))
    }

    /// The probability of a token; 0 if the chain removed it, or if it is masked or unknown.
    pub fn probability(&self, token: TokenId) -> f64 {
        self.find(token).map_or(0.0, |i| self.share(self.weights[i]))
    }

    /// How many survivors precede a token; `None` if it isn't a survivor.
    pub fn rank(&self, token: TokenId) -> Option<usize> {
        let at = |i: usize| key(self.xs[i], i);
        let place = at(self.find(token)?);
        Some((0..self.ids.len()).filter(|&i| at(i) < place).count())
    }

    /// -ln p of a token in nats, exact even where p is too small for f64; ∞ if it isn't a survivor.
    pub fn surprisal(&self, token: TokenId) -> f64 {
        // At T = ∞, d is 0. `+ 0.0` turns the -0 of a certain token into 0.
        self.find(token).map_or(f64::INFINITY, |i| self.ln_z() - self.d(i) + 0.0)
    }

    /// H = -Σ p ln p, in nats.
    pub fn entropy(&self) -> f64 {
        self.ln_z() - self.mean(|i| self.d(i)) + 0.0
    }

    /// exp H: the number of equally likely tokens with the same entropy.
    pub fn effective_choices(&self) -> f64 {
        libm::exp(self.entropy())
    }

    /// F = -T ln Σ exp(x/T), in logits; -∞ at T = ∞ if there is a choice.
    pub fn free_energy(&self) -> f64 {
        let ln_z = self.ln_z();
        let mixing = if ln_z == 0.0 { 0.0 } else { self.temperature * ln_z };
        -f64::from(self.max) - mixing
    }

    /// C = Var_p(x)/T², in nats: how much the entropy changes with ln T.
    pub fn heat_capacity(&self) -> f64 {
        let mean = self.mean(|i| self.d(i));
        self.mean(|i| (self.d(i) - mean) * (self.d(i) - mean))
    }

    /// dH/dT = C/T, in nats per unit of temperature; 0 at T = 0.
    pub fn entropy_slope(&self) -> f64 {
        let heat_capacity = self.heat_capacity();
        if heat_capacity == 0.0 { 0.0 } else { heat_capacity / self.temperature }
    }

    /// ∂p_i/∂x_j = p_i (δ_ij - p_j)/T.
    pub fn gradient(&self, i: TokenId, j: TokenId) -> f64 {
        let same = if i == j { 1.0 } else { 0.0 };
        over(self.probability(i) * (same - self.probability(j)), self.temperature)
    }

    /// ∂(-ln p_y)/∂x_i = (p_i - [i = y])/T: the gradient of the loss if `y` is the target.
    pub fn loss_gradient(&self, y: TokenId, i: TokenId) -> f64 {
        let hit = if i == y { 1.0 } else { 0.0 };
        over(self.probability(i) - hit, self.temperature)
    }

    /// ln Σ exp((x - max)/T).
    fn ln_z(&self) -> f64 {
        libm::log(self.total as f64 / UNIT)
    }

    /// (x - max)/T of the i-th survivor.
    fn d(&self, i: usize) -> f64 {
        over(gap(self.xs[i], self.max), self.temperature)
    }

    /// Σ p_i f(i), each term rounded to 2^-80 before it's added.
    fn mean(&self, f: impl Fn(usize) -> f64) -> f64 {
        let term = |i: usize| match self.weights[i] {
            // d may be -∞ here.
            0 => 0,
            w => (w as f64 * f(i)) as i128,
        };
        let sum: i128 = (0..self.ids.len()).map(term).sum();
        sum as f64 / self.total as f64
    }

    fn share(&self, weight: u128) -> f64 {
        weight as f64 / self.total as f64
    }

    fn find(&self, token: TokenId) -> Option<usize> {
        self.ids.binary_search(&token.0).ok()
    }

    /// The indices of the first `n` survivors in descending order.
    fn first(&self, n: usize) -> Vec<usize> {
        let mut keys: Vec<u64> = self.xs.iter().enumerate().map(|(i, &x)| key(x, i)).collect();
        if 0 < n && n < keys.len() {
            keys.select_nth_unstable(n - 1);
        }
        keys.truncate(n);
        keys.sort_unstable();
        keys.into_iter().map(|key| (key & u64::from(u32::MAX)) as usize).collect()
    }
}

/// The slope of the curve e^(x/T) at x: e^(x/T)/T.
pub fn slope(x: f64, t: f64) -> f64 {
    libm::exp(x / t) / t
}

/// x - max in f64, but -∞ where f32 can't hold it: in a draw such a token has no weight at any
/// temperature.
fn gap(x: f32, max: f32) -> f64 {
    if x - max == f32::NEG_INFINITY { f64::NEG_INFINITY } else { f64::from(x) - f64::from(max) }
}

/// x/t, with 0/0 = 0: a difference of 0 is 0 at any temperature.
fn over(x: f64, t: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x / t }
}
