//! The candidates of one step: which tokens are left, at which β, and their weights.
//!
//! Most truncations keep a prefix of the descending order. They only lower a bound. Survivors are
//! gathered into buffers when a stage needs sums over them alone. Exponentials, sums and bins are
//! computed on first use and dropped when the candidates or β change.

mod acts;
mod spread;

use kelvin_kernels::{
    isa::Isa,
    logits::{self, GROUP, Line, Sums, scaled},
};

use crate::{
    TokenId,
    error::SampleError,
    locate::{Bins, Field, Found, Sum, locate},
    order::{self, Bound, key, lowest_logit},
    set::{Set, SetBuffers, UNMASKED},
    weights::{Mass, weight},
};

/// The least positive f32.
const LEAST: f32 = f32::from_bits(1);

/// Buffers of the size of the vocabulary, grown by the first step and reused by all later ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    set: SetBuffers,
    work: Work,
}

#[derive(Debug, Clone, Default)]
struct Work {
    es: Vec<f32>,
    tops: Vec<f32>,
    keys: Vec<u64>,
    bins: Bins,
    /// The sum of the weights that [`Candidates::remember_weights`] stored.
    remembered: u64,
}

impl Scratch {
    /// Allocates for `n` tokens, so that no later step of this size allocates.
    fn reserve(&mut self, n: usize) {
        if self.work.es.len() < n {
            self.work.es = vec![0.0; n];
            let groups = n.div_ceil(GROUP);
            self.work.tops.reserve(groups - self.work.tops.len().min(groups));
            self.work.keys.reserve(n - self.work.keys.len().min(n));
            self.work.bins.reserve(n);
        }
        self.work.bins.forget();
    }

    /// Address and capacity of each buffer. They don't change unless something is allocated.
    #[cfg(test)]
    pub(crate) fn places(&self) -> Vec<(usize, usize)> {
        use crate::set::place;
        let Work { es, tops, keys, bins, .. } = &self.work;
        let mut places = vec![place(es), place(tops), place(keys), bins.place()];
        places.extend(self.set.places());
        places
    }
}

/// The tokens that are left, with their logits and weights.
pub(crate) struct Candidates<'a> {
    set: Set<'a>,
    work: &'a mut Work,
    /// The last survivor in descending order; `None` if all tokens of the set survive.
    bound: Option<Bound>,
    /// The number of survivors without masked tokens, if it is known.
    n: Option<usize>,
    /// The product of all temperatures so far; 0 after a greedy stage, ∞ in a view.
    temperature: f64,
    /// 1/temperature, unless that is 0.
    beta: f32,
    /// Whether the exponentials in the work space are those of the set at this β.
    weighed: bool,
    /// The weight of all survivors at this β.
    total: Option<u64>,
    /// Σ w·|d| over the survivors.
    moment: Option<u128>,
}

impl<'a> Candidates<'a> {
    /// All unmasked tokens, at β = 1.
    pub(crate) fn new(logits: &'a [f32], scratch: &'a mut Scratch) -> Result<Self, SampleError> {
        if logits.len() <= crate::MAX_VOCAB {
            scratch.reserve(logits.len());
        }
        let Scratch { set: buffers, work } = scratch;
        Ok(Candidates {
            set: Set::new(logits, buffers)?,
            work,
            bound: None,
            n: None,
            temperature: 1.0,
            beta: 1.0,
            weighed: false,
            total: None,
            moment: None,
        })
    }

    // The survivors.

    /// The size of the vocabulary.
    pub(crate) fn n_vocab(&self) -> usize {
        self.set.n_vocab()
    }

    /// The number of survivors without masked tokens.
    pub(crate) fn n(&mut self) -> usize {
        if let Some(n) = self.n {
            return n;
        }
        let n = match self.bound {
            Some(bound) if bound.index < self.set.len() => order::rank(&self.set, bound.index) + 1,
            _ => {
                self.settle();
                self.n.unwrap_or_else(|| self.set.count_unmasked())
            }
        };
        self.n = Some(n);
        n
    }

    /// The largest logit of a survivor.
    pub(crate) fn max(&self) -> f32 {
        self.set.max
    }

    pub(crate) fn beta(&self) -> f32 {
        self.beta
    }

    /// The temperature, clamped to what β = 1/T can hold in f32: from 2.9e-39 to 7.1e44, or exactly
    /// 0 or ∞.
    pub(crate) fn temperature(&self) -> f64 {
        if self.temperature == 0.0 || self.temperature == f64::INFINITY {
            return self.temperature;
        }
        self.temperature.clamp(1.0 / f64::from(f32::MAX), 1.0 / f64::from(LEAST))
    }

    /// The survivors with their logits, in rising order of ids.
    pub(crate) fn survivors(&self) -> impl Iterator<Item = (TokenId, f32)> + '_ {
        let bound = self.bound.unwrap_or(UNMASKED);
        let all = self
            .set
            .runs()
            .flat_map(|(start, xs)| xs.iter().enumerate().map(move |(i, &x)| (start + i, x)));
        all.filter(move |&(index, x)| bound.admits(x, index))
            .map(|(index, x)| (self.set.id(index), x))
    }

    /// The index of a token; `None` if it isn't a survivor.
    pub(crate) fn find(&self, token: TokenId) -> Option<usize> {
        let index = self.set.find(token)?;
        self.bound.is_none_or(|bound| bound.admits(self.set.get(index), index)).then_some(index)
    }

    /// The id of the token at `index` and its logit.
    pub(crate) fn token(&self, index: usize) -> (TokenId, f32) {
        (self.set.id(index), self.set.get(index))
    }

    /// How many tokens precede the one at `index` in descending order.
    pub(crate) fn rank(&self, index: usize) -> usize {
        order::rank(&self.set, index)
    }

    // Their weights.

    /// Σ w over the survivors at the current β.
    pub(crate) fn total(&mut self) -> u64 {
        if let Some(total) = self.total {
            return total;
        }
        self.settle();
        self.weigh()
    }

    /// Σ w and Σ w·|d| over the survivors.
    pub(crate) fn mass(&mut self) -> Mass {
        if let (Some(total), Some(moment)) = (self.total, self.moment) {
            return Mass { total, moment };
        }
        self.settle();
        let (isa, max, beta) = (Isa::best(), self.set.max, self.beta);
        let mut sums = Sums::default();
        for (start, xs) in self.set.runs() {
            let es = &mut self.work.es[start..][..xs.len()];
            sums.add(match self.weighed {
                true => logits::measure(isa, xs, max, beta, es),
                false => logits::weigh_and_measure(isa, xs, max, beta, es),
            });
        }
        self.weighed = true;
        let Sums { total, moment } = sums;
        (self.total, self.moment) = (Some(total), Some(moment));
        Mass { total, moment }
    }

    /// Every survivor with its weight, in rising order of ids; for views.
    pub(crate) fn weights(&mut self) -> Vec<(TokenId, u64)> {
        let (max, beta) = (self.set.max, self.beta);
        self.survivors().map(|(token, x)| (token, weight(scaled(x, max, beta)))).collect()
    }

    /// Σ p² over the survivors.
    pub(crate) fn concentration(&mut self) -> f64 {
        let total = self.total();
        self.settle();
        if !self.weighed {
            self.weigh();
        }
        let sum = logits::squares(Isa::best(), &self.work.es[..self.set.len()]);
        sum as f64 / logits::SQUARE_UNIT / (total as f64 * total as f64)
    }

    /// The weight of the token at `index`.
    pub(crate) fn weight_at(&self, index: usize) -> u64 {
        weight(scaled(self.set.get(index), self.set.max, self.beta))
    }

    /// The population standard deviation of the survivors' logits.
    pub(crate) fn deviation(&mut self) -> f64 {
        self.settle();
        let max = self.set.max;
        let (least, masked) = self.set.least();
        if !masked {
            self.n = Some(self.set.len());
        }
        let range = f64::from(max) - f64::from(least);
        if range == 0.0 {
            return 0.0;
        }
        let scale = deviation_scale(range);
        let (mut sum, mut squares) = (0u64, 0u128);
        for (_, xs) in self.set.runs() {
            let (s, q) = logits::deviations(Isa::best(), xs, max, scale);
            sum += s;
            squares += q;
        }
        let n = self.n() as u128;
        // n Σq² - (Σq)², exact in integers.
        let spread = n * squares - u128::from(sum) * u128::from(sum);
        libm::sqrt(spread as f64) / n as f64 / scale
    }

    /// The first token in descending order whose cumulative weight exceeds `target`.
    pub(crate) fn reach(&mut self, target: u64) -> Found {
        self.total();
        self.locate(0.0, false, |sum| sum.mass > target)
            .expect("the target is below the total weight")
    }

    // Helpers.

    fn line(&self, center: f32) -> Line {
        Line { max: self.set.max, beta: self.beta, center }
    }

    /// Searches all tokens of the set: a bound doesn't change sums over a prefix that ends before
    /// it.
    fn locate(
        &mut self,
        center: f32,
        moments: bool,
        reached: impl Fn(&Sum) -> bool,
    ) -> Option<Found> {
        if !self.weighed {
            self.settle();
            self.weigh();
        }
        let line = self.line(center);
        let Work { es, bins, .. } = &mut *self.work;
        locate(&Field { set: &self.set, es: &es[..self.set.len()], line }, moments, reached, bins)
    }

    fn weigh(&mut self) -> u64 {
        let mut total = 0;
        for (start, xs) in self.set.runs() {
            let es = &mut self.work.es[start..][..xs.len()];
            total += logits::weigh(Isa::best(), xs, self.set.max, self.beta, es);
        }
        self.weighed = true;
        if self.bound.is_none() {
            self.total = Some(total);
        }
        total
    }

    /// Keeps the tokens that `keep` accepts, and at least the likeliest one. `keep` must accept
    /// every logit above one that it accepts.
    fn keep_while(&mut self, keep: impl Fn(f32) -> bool) {
        let max = self.set.max;
        if !keep(max) {
            self.keep_first(1, false);
            return;
        }
        let x = lowest_logit(max, keep);
        if x > f32::MIN {
            self.keep_to(Bound { x, index: usize::MAX });
        }
    }

    /// Lowers the bound, unless it is already lower.
    fn keep_to(&mut self, bound: Bound) {
        let rank = |bound: Bound| key(bound.x, bound.index.min(u32::MAX as usize));
        if self.bound.is_none_or(|old| rank(bound) < rank(old)) {
            self.bound = Some(bound);
            (self.n, self.total, self.moment) = (None, None, None);
        }
    }

    /// Gathers the survivors, if there is a bound.
    fn settle(&mut self) {
        if let Some(bound) = self.bound {
            let (total, moment) = (self.total, self.moment);
            self.gather(bound);
            (self.total, self.moment) = (total, moment);
        }
    }

    fn gather(&mut self, bound: Bound) {
        self.set.gather(bound);
        self.gathered();
    }

    /// Resets what was computed, after survivors were gathered.
    fn gathered(&mut self) {
        self.changed();
        self.n = Some(self.set.len());
    }

    /// Writes (x - max)·β into the logits, before a stage changes some of them.
    fn write_out(&mut self) {
        if self.beta != 1.0 {
            self.rewrite(|d, _| d);
        }
    }

    fn reset_beta(&mut self) {
        if self.temperature != 0.0 {
            self.temperature = 1.0;
        }
        self.beta = 1.0;
    }

    /// Resets what was computed, after the set changed.
    fn changed(&mut self) {
        self.bound = None;
        self.n = None;
        self.forget_weights();
    }

    fn forget_weights(&mut self) {
        self.weighed = false;
        (self.total, self.moment) = (None, None);
        self.work.bins.forget();
    }
}

/// Σ -w ln p over some tokens, p of all tokens: ln Z·Σw + Σw|d|. It is monotone in both sums.
pub(crate) fn entropy_part(ln_z: f64, mass: u64, moment: u128) -> f64 {
    ln_z * mass as f64 + moment as f64 / logits::MOMENT_UNIT
}

/// The power of two that scales numbers up to `range` to below 2^26.
pub(crate) fn deviation_scale(range: f64) -> f64 {
    let exponent = (range.to_bits() >> 52) as i32 - 1023;
    libm::scalbn(1.0, 25 - exponent)
}
