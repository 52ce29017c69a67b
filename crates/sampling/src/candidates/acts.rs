//! The operations of stages on candidates: scale by a temperature, truncate, change logits.

use kelvin_kernels::logits::{GROUP, Near, scaled};

use super::{Candidates, LEAST, UNMASKED, Work, entropy_part};
use crate::{
    order::{self, Bound, key, lowest_logit},
    weights::{share_of, weight},
};

impl Candidates<'_> {
    /// Multiplies the temperature by `t` in (0, ∞]. ∞ gives the uniform distribution, for views.
    pub(crate) fn heat(&mut self, t: f64) {
        if self.temperature == 0.0 {
            return;
        }
        // The product of a long chain may leave the range of f64; neither 0 nor ∞ was asked for.
        let product = (self.temperature * t).max(f64::MIN_POSITIVE);
        self.temperature = if t == f64::INFINITY { t } else { product.min(f64::MAX) };
        let beta = match self.temperature {
            f64::INFINITY => 0.0,
            t => ((1.0 / t) as f32).clamp(LEAST, f32::MAX),
        };
        if beta != self.beta {
            self.beta = beta;
            self.forget_weights();
        }
    }

    /// T = 0: keeps the likeliest token alone.
    pub(crate) fn freeze(&mut self) {
        let max = self.set.max;
        let (g, group) = self.set.groups_from(max).next().expect("a group holds the largest logit");
        let i = group.iter().position(|&x| x == max).expect("this one does");
        self.keep_to(Bound { x: max, index: g * GROUP + i });
        self.n = Some(1);
        self.temperature = 0.0;
    }

    /// Keeps the first `k` tokens in descending order (all, if there are fewer), and with `ties`
    /// also those that tie with the k-th.
    pub(crate) fn keep_first(&mut self, k: usize, ties: bool) {
        self.settle();
        // Counting masked tokens scans the row; a small k makes that needless.
        if k >= self.set.len()
            || (self.set.maxima().iter().filter(|&&x| x >= f32::MIN).count() < k && k >= self.n())
        {
            return;
        }
        let mut bound = order::kth(&self.set, k, &mut self.work.keys, &mut self.work.tops);
        if ties {
            bound.index = usize::MAX;
        }
        self.keep_to(bound);
        if !ties {
            self.n = Some(k);
        }
    }

    /// Keeps tokens in descending order until their mass is at least `ceil(p·total)`; p < 1.
    pub(crate) fn keep_mass(&mut self, p: f64) {
        let total = self.total();
        let needed = share_of(p, total).clamp(1, total);
        let found =
            self.locate(0.0, false, |sum| sum.mass >= needed).expect("the sum of all is the total");
        let kept =
            found.before.mass + weight(scaled(self.set.get(found.index), self.set.max, self.beta));
        self.keep_to(Bound { x: self.set.get(found.index), index: found.index });
        self.total = Some(kept);
    }

    /// Keeps tokens with (x - max)·β >= `d`.
    pub(crate) fn keep_above(&mut self, d: f32) {
        let (max, beta) = (self.set.max, self.beta);
        self.keep_while(|x| (x - max) * beta >= d);
    }

    /// Keeps tokens that weigh at least `least`, and always the likeliest.
    pub(crate) fn keep_weight(&mut self, least: u64) {
        let (max, beta) = (self.set.max, self.beta);
        self.keep_while(|x| weight(scaled(x, max, beta)) >= least);
    }

    /// Keeps tokens with x >= `least`.
    pub(crate) fn keep_logit(&mut self, least: f64) {
        self.keep_while(|x| f64::from(x) >= least);
    }

    /// Keeps the tokens nearest to d = `center` until their mass is at least `ceil(share·total)`,
    /// and with `ties` also those as far away as the last one.
    pub(crate) fn keep_nearest(&mut self, center: f32, share: f64, ties: bool) {
        let total = self.total();
        self.settle();
        let needed = share_of(share, total).clamp(1, total);
        let found = self
            .locate(center, false, |sum| sum.mass >= needed)
            .expect("the sum of all is the total");
        let line = self.line(center);
        let x = self.set.get(found.index);
        let reach = line.distance(x);
        let last = if ties { UNMASKED } else { Bound { x, index: found.index } };
        // Above the center, or below it and near enough.
        let near = |x: f32| scaled(x, line.max, line.beta) >= center || line.distance(x) <= reach;
        let from = if near(line.max) { lowest_logit(line.max, near) } else { line.max };
        self.set.gather_near(&Near { line, reach, last, from });
        self.gathered();
    }

    /// Keeps the longest prefix whose part of the entropy, Σ -p ln p with p of all survivors, is at
    /// most `share` of the whole; at least one token.
    pub(crate) fn keep_entropy(&mut self, share: f64) {
        let mass = self.mass();
        self.settle();
        let (ln_z, limit) =
            (mass.ln_z(), share * entropy_part(mass.ln_z(), mass.total, mass.moment));
        let found = self.locate(0.0, true, |sum| entropy_part(ln_z, sum.mass, sum.moment) > limit);
        let Some(found) = found else {
            return;
        };
        let k = order::rank(&self.set, found.index).max(1);
        self.keep_first(k, false);
    }

    /// Of the tokens that weigh at least `least`, keeps only the last in descending order, and all
    /// tokens below it.
    pub(crate) fn drop_likeliest(&mut self, least: u64) {
        self.settle();
        let (max, beta) = (self.set.max, self.beta);
        let high = |x: f32| weight(scaled(x, max, beta)) >= least;
        if !high(max) {
            return;
        }
        let from = lowest_logit(max, high);
        let mut above: Vec<u64> = std::mem::take(&mut self.work.keys);
        above.clear();
        for (g, group) in self.set.groups_from(from) {
            let high = group.iter().enumerate().filter(|&(_, &x)| x >= from);
            above.extend(high.map(|(i, &x)| key(x, g * GROUP + i)));
        }
        if let Some(last) = (0..above.len()).max_by_key(|&i| above[i]) {
            above.swap_remove(last);
        }
        if !above.is_empty() {
            // Keys become ids in rising order, as patches need them.
            above.iter_mut().for_each(|key| {
                *key = u64::from(self.set.id((*key & u64::from(u32::MAX)) as usize).0)
            });
            above.sort_unstable();
            let n = self.n.map(|n| n - above.len());
            self.set.patch(above.iter().map(|&id| id as u32), |_, _| f32::NEG_INFINITY);
            self.changed();
            self.n = n;
        }
        self.work.keys = above;
    }

    /// Keeps these tokens, given in rising order of ids. Returns false if none is left.
    pub(crate) fn keep_ids(&mut self, ids: impl Iterator<Item = u32>) -> bool {
        self.settle();
        self.set.gather_ids(ids);
        self.changed();
        self.set.max > f32::NEG_INFINITY
    }

    /// Keeps the tokens whose bit is set, the lowest bit first. Returns false if none is left. Only
    /// before the first stage, when an index is an id.
    pub(crate) fn keep_bits(&mut self, bits: &[u32]) -> bool {
        let is_set = |id: usize| bits.get(id / 32).is_some_and(|word| word >> (id % 32) & 1 == 1);
        self.set.gather_if(|id| is_set(id as usize));
        self.gathered();
        self.set.max > f32::NEG_INFINITY
    }

    /// Masks these tokens, given in rising order of ids. Returns false if none is left.
    pub(crate) fn ban(&mut self, ids: impl Iterator<Item = u32>) -> bool {
        self.settle();
        self.set.patch(ids, |_, _| f32::NEG_INFINITY);
        self.changed();
        self.set.max > f32::NEG_INFINITY
    }

    /// Changes the logits of those of these tokens that survive. Ids are in rising order, none
    /// twice. `None` masks a token; logits are clamped to finite numbers. Returns false if no token
    /// is left.
    pub(crate) fn patch(
        &mut self,
        ids: impl Iterator<Item = u32>,
        mut change: impl FnMut(u32, f32) -> Option<f32>,
    ) -> bool {
        self.settle();
        self.write_out();
        self.set.patch(ids, |id, x| {
            change(id, x).map_or(f32::NEG_INFINITY, |y| y.clamp(f32::MIN, f32::MAX))
        });
        self.changed();
        self.set.max > f32::NEG_INFINITY
    }

    /// Replaces the logit of each survivor by `change(d, w)`, d = (x - max)·β and w its weight. d
    /// and the result are clamped to finite numbers.
    pub(crate) fn rewrite(&mut self, change: impl Fn(f32, u64) -> f32) {
        self.settle();
        let (max, beta) = (self.set.max, self.beta);
        self.set.rewrite(|_, x| {
            let d = ((x - max) * beta).max(f32::MIN);
            change(d, weight(scaled(x, max, beta))).clamp(f32::MIN, f32::MAX)
        });
        self.changed();
        self.reset_beta();
    }

    /// Stores the weights of the survivors by index until the end of the step, and returns their
    /// sum.
    pub(crate) fn remember_weights(&mut self) -> u64 {
        let total = self.total();
        self.settle();
        self.gather(UNMASKED);
        let (max, beta) = (self.set.max, self.beta);
        let Work { keys, .. } = &mut *self.work;
        keys.clear();
        for (_, xs) in self.set.runs() {
            keys.extend(xs.iter().map(|&x| weight(scaled(x, max, beta))));
        }
        self.work.remembered = total;
        total
    }

    /// The probability that [`Candidates::remember_weights`] stored for an index.
    pub(crate) fn remembered(&self, index: usize) -> f64 {
        self.work.keys[index] as f64 / self.work.remembered as f64
    }

    /// The weights of the first `limit` survivors in descending order.
    pub(crate) fn first_weights(&mut self, limit: usize) -> &[u64] {
        self.keep_copy_of_order(limit);
        let (max, beta) = (self.set.max, self.beta);
        let mut keys = std::mem::take(&mut self.work.keys);
        for key in &mut keys {
            let index = (*key & u64::from(u32::MAX)) as usize;
            *key = weight(scaled(self.set.get(index), max, beta));
        }
        self.work.keys = keys;
        &self.work.keys
    }

    /// Writes the sorted keys of the first `limit` survivors into the work space.
    fn keep_copy_of_order(&mut self, limit: usize) {
        self.settle();
        let from = if limit < self.n() {
            order::kth(&self.set, limit, &mut self.work.keys, &mut self.work.tops).x
        } else {
            f32::MIN
        };
        let keys = &mut self.work.keys;
        keys.clear();
        for (g, group) in self.set.groups_from(from) {
            let high = group.iter().enumerate().filter(|&(_, &x)| x >= from);
            keys.extend(high.map(|(i, &x)| key(x, g * GROUP + i)));
        }
        keys.sort_unstable();
        keys.truncate(limit);
    }
}
