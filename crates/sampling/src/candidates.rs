//! The working set of one step: which tokens are left, at which β, and what they weigh.
//!
//! A set is a slice of logits in the order of ids. As long as nothing was removed that slice is the model's
//! own row of logits (masked tokens included) and an index is an id; the first truncation gathers the
//! survivors into the scratch, with their ids, and from then on work is over them alone. The functions
//! of `order`, `weights` and `locate` see a slice either way.

use crate::{
    TokenId,
    error::SampleError,
    locate::{Bins, locate},
    order::{self, GROUP, key},
    weights::{Mass, weigh},
};

/// The least positive f32.
const LEAST: f32 = f32::from_bits(1);

/// Buffers of the size of the vocabulary, grown by the first step and reused by all later ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    ids: Vec<u32>,
    xs: Vec<f32>,
    es: Vec<f32>,
    maxima: Vec<f32>,
    tops: Vec<f32>,
    keys: Vec<u64>,
    bins: Bins,
}

impl Scratch {
    /// Room for `n` tokens, so that no later step of this size allocates.
    pub(crate) fn reserve(&mut self, n: usize) {
        if self.es.len() < n {
            // Fresh zeroed vectors, so that memory a chain never touches is never really taken.
            self.ids = vec![0; n];
            self.xs = vec![0.0; n];
            self.es = vec![0.0; n];
            let groups = n.div_ceil(GROUP);
            self.maxima.reserve(groups - self.maxima.len().min(groups));
            self.tops.reserve(groups - self.tops.len().min(groups));
            self.keys.reserve(n - self.keys.len().min(n));
            self.bins.reserve(n);
        }
    }

    /// Where the buffers lie and how large they are: the same before and after, if nothing was allocated.
    #[cfg(test)]
    pub(crate) fn places(&self) -> [(usize, usize); 7] {
        fn place<T>(buffer: &Vec<T>) -> (usize, usize) {
            (buffer.as_ptr() as usize, buffer.capacity())
        }
        [
            place(&self.ids),
            place(&self.xs),
            place(&self.es),
            place(&self.maxima),
            place(&self.tops),
            place(&self.keys),
            self.bins.place(),
        ]
    }
}

/// What stages act on.
pub(crate) struct Candidates<'a> {
    logits: &'a [f32],
    scratch: &'a mut Scratch,
    /// Survivors are in the scratch rather than being all of `logits`.
    gathered: bool,
    /// Length of the set: of `logits`, or of the survivors in the scratch.
    len: usize,
    /// Survivors, masked tokens not counted.
    n: usize,
    /// The largest logit that is left.
    max: f32,
    /// The product of all temperatures so far; 0 after a greedy stage, ∞ in a view.
    temperature: f64,
    /// 1/temperature, unless that is 0.
    beta: f32,
    /// The sums of the exponentials in the scratch, if those are of this set at this β.
    mass: Option<Mass>,
}

impl<'a> Candidates<'a> {
    /// All unmasked tokens, at β = 1.
    pub(crate) fn new(logits: &'a [f32], scratch: &'a mut Scratch) -> Result<Self, SampleError> {
        if logits.len() <= crate::MAX_VOCAB {
            scratch.reserve(logits.len());
        }
        let scan = order::scan(logits, &mut scratch.maxima)?;
        Ok(Candidates {
            logits,
            scratch,
            gathered: false,
            len: logits.len(),
            n: scan.n_unmasked,
            max: scan.max,
            temperature: 1.0,
            beta: 1.0,
            mass: None,
        })
    }

    /// How many tokens are left, masked ones not counted.
    pub(crate) fn n(&self) -> usize {
        self.n
    }

    /// The largest logit that is left.
    pub(crate) fn max(&self) -> f32 {
        self.max
    }

    pub(crate) fn beta(&self) -> f32 {
        self.beta
    }

    /// The ids that are left with their logits, in the order of ids.
    pub(crate) fn survivors(&self) -> impl Iterator<Item = (TokenId, f32)> + '_ {
        let id = |i: usize| TokenId(if self.gathered { self.scratch.ids[i] } else { i as u32 });
        let all = self.xs().iter().enumerate().map(move |(i, &x)| (id(i), x));
        all.filter(|&(_, x)| x > f32::NEG_INFINITY)
    }

    /// The sums at the present β; computed if they aren't known.
    pub(crate) fn mass(&mut self) -> Mass {
        if let Some(mass) = self.mass {
            return mass;
        }
        let Scratch { xs, es, .. } = &mut *self.scratch;
        let xs = if self.gathered { &xs[..self.len] } else { self.logits };
        let mass = weigh(xs, self.max, self.beta, &mut es[..self.len]);
        self.mass = Some(mass);
        mass
    }

    /// The temperature, as far as β = 1/T holds it in f32: from 2.9e-39 to 7.1e44, or exactly 0 or ∞.
    pub(crate) fn temperature(&self) -> f64 {
        if self.temperature == 0.0 || self.temperature == f64::INFINITY {
            return self.temperature;
        }
        self.temperature.clamp(1.0 / f64::from(f32::MAX), 1.0 / f64::from(LEAST))
    }

    /// Multiplies the temperature by `t` in (0, ∞]; ∞ is the uniform distribution, for views.
    pub(crate) fn heat(&mut self, t: f64) {
        if self.temperature == 0.0 {
            return;
        }
        // A long chain may leave the range of f64, but neither 0 nor ∞ is what was asked for.
        let product = (self.temperature * t).max(f64::MIN_POSITIVE);
        self.temperature = if t == f64::INFINITY { t } else { product.min(f64::MAX) };
        let beta = match self.temperature {
            f64::INFINITY => 0.0,
            t => ((1.0 / t) as f32).clamp(LEAST, f32::MAX),
        };
        if beta != self.beta {
            self.beta = beta;
            self.mass = None;
        }
    }

    /// T = 0: the likeliest token alone.
    pub(crate) fn freeze(&mut self) {
        self.keep_first(1);
        self.temperature = 0.0;
    }

    /// Keeps the first `k` in descending order (all, if there are no more than k).
    pub(crate) fn keep_first(&mut self, k: usize) {
        if k < self.n {
            let Scratch { xs, maxima, keys, tops, .. } = &mut *self.scratch;
            let xs = if self.gathered { &xs[..self.len] } else { self.logits };
            let last = order::kth_key(xs, maxima, k, keys, tops);
            self.keep_to(last, k);
        }
    }

    /// Keeps tokens until the mass before the next one is at least `ceil(p·total)`; p < 1.
    pub(crate) fn keep_mass(&mut self, p: f64) {
        let total = self.mass().total;
        let needed = (libm::ceil(p * total as f64) as u64).min(total);
        let last = self.reach(needed.max(1) - 1);
        let last_key = key(self.xs()[last], last as u32);
        let k = self.rank(last) + 1;
        if k < self.n {
            self.keep_to(last_key, k);
        }
    }

    /// Keeps tokens with (x - max)·β >= `d`.
    pub(crate) fn keep_above(&mut self, d: f32) {
        let (max, beta) = (self.max, self.beta);
        self.gather(|x, _| (x - max) * beta >= d);
        self.n = self.len;
    }

    /// The index of the first token in descending order whose cumulative weight exceeds `target`.
    pub(crate) fn reach(&mut self, target: u64) -> usize {
        self.mass();
        let Scratch { xs, es, bins, .. } = &mut *self.scratch;
        let xs = if self.gathered { &xs[..self.len] } else { self.logits };
        locate(xs, &es[..self.len], target, bins)
    }

    /// How many stand before the token at `index`.
    pub(crate) fn rank(&self, index: usize) -> usize {
        order::rank(self.xs(), &self.scratch.maxima, index)
    }

    /// The id of the token at `index` and its logit.
    pub(crate) fn token(&self, index: usize) -> (TokenId, f32) {
        let id = if self.gathered { self.scratch.ids[index] } else { index as u32 };
        (TokenId(id), self.xs()[index])
    }

    fn xs(&self) -> &[f32] {
        if self.gathered { &self.scratch.xs[..self.len] } else { self.logits }
    }

    /// Keeps the `k` tokens whose keys are at most `last`.
    fn keep_to(&mut self, last: u64, k: usize) {
        self.gather(|x, i| key(x, i) <= last);
        debug_assert_eq!(self.len, k);
        self.n = k;
    }

    /// Gathers the tokens that `keep` accepts by logit and index, which must be a prefix of the descending
    /// order: a group whose maximum would be refused at its first index holds none.
    fn gather(&mut self, keep: impl Fn(f32, u32) -> bool) {
        let Scratch { ids, xs, maxima, .. } = &mut *self.scratch;
        let mut n = 0;
        for (g, &group_max) in maxima.iter().enumerate() {
            let first = g * GROUP;
            if !keep(group_max, first as u32) {
                continue;
            }
            for i in first..self.len.min(first + GROUP) {
                let x = if self.gathered { xs[i] } else { self.logits[i] };
                // Written at the end whether it stays or not: no branch to mispredict.
                xs[n] = x;
                ids[n] = if self.gathered { ids[i] } else { i as u32 };
                n += usize::from(keep(x, i as u32));
            }
        }
        self.len = n;
        self.gathered = true;
        self.mass = None;
        order::maxima_of(&xs[..n], maxima);
    }
}
