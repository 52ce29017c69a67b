//! The logits of the candidates: the model's own row with patches, or the survivors gathered from
//! it.
//!
//! Until survivors are gathered, the set is the model's row (masked tokens included) and an index
//! is an id. Penalties and biases change few tokens: the groups of 64 that they change are copied,
//! the row isn't. Gathering writes the survivors and their ids into buffers, in rising order of
//! ids. So a lower index always means a lower id.

use kelvin_kernels::{
    isa::Isa,
    logits::{self, Bound, GROUP, Near, SLACK},
};

use crate::{TokenId, error::SampleError};

/// Buffers of a set, kept from step to step.
#[derive(Debug, Clone, Default)]
pub(crate) struct SetBuffers {
    /// Patched groups in rising order, each with the offset of its copy in `copies`.
    patched: Vec<(u32, u32)>,
    copies: Vec<f32>,
    /// The largest logit of each group.
    maxima: Vec<f32>,
    ids: Vec<u32>,
    xs: Vec<f32>,
}

impl SetBuffers {
    /// Allocates for `n` tokens.
    pub(crate) fn reserve(&mut self, n: usize) {
        if self.xs.len() < n + SLACK {
            // Zeroed vectors: pages that a chain never touches are never mapped.
            self.ids = vec![0; n + SLACK];
            self.xs = vec![0.0; n + SLACK];
            let groups = n.div_ceil(GROUP);
            self.maxima.reserve(groups - self.maxima.len().min(groups));
        }
    }

    #[cfg(test)]
    pub(crate) fn places(&self) -> [(usize, usize); 3] {
        [place(&self.maxima), place(&self.ids), place(&self.xs)]
    }
}

/// Where a buffer is, and its capacity: tests see that it is kept.
#[cfg(test)]
pub(crate) fn place<T>(buffer: &Vec<T>) -> (usize, usize) {
    (buffer.as_ptr() as usize, buffer.capacity())
}

/// The logits of the candidates; see the top of the file.
pub(crate) struct Set<'a> {
    base: &'a [f32],
    buffers: &'a mut SetBuffers,
    gathered: bool,
    len: usize,
    /// The largest logit of the set.
    pub(crate) max: f32,
    /// The smallest logit of the model's row, masked ones included.
    min: f32,
}

impl<'a> Set<'a> {
    /// Scans all logits once and refuses NaN and +inf.
    pub(crate) fn new(
        base: &'a [f32],
        buffers: &'a mut SetBuffers,
    ) -> Result<Set<'a>, SampleError> {
        if base.is_empty() {
            return Err(SampleError::Empty);
        }
        if base.len() > crate::MAX_VOCAB {
            return Err(SampleError::TooMany { found: base.len() });
        }
        buffers.reserve(base.len());
        buffers.patched.clear();
        buffers.copies.clear();
        buffers.maxima.resize(base.len().div_ceil(GROUP), 0.0);
        let scan = logits::scan(Isa::best(), base, &mut buffers.maxima);
        if !scan.fine {
            let first = base.iter().position(|x| x.is_nan() || *x == f32::INFINITY);
            let index = first.expect("a bad logit was seen");
            return Err(SampleError::BadLogit { token: TokenId(index as u32), value: base[index] });
        }
        if scan.max == f32::NEG_INFINITY {
            return Err(SampleError::AllMasked { count: base.len() });
        }
        Ok(Set { base, buffers, gathered: false, len: base.len(), max: scan.max, min: scan.min })
    }

    /// The number of indices. Until survivors are gathered, some of them may be masked.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The size of the vocabulary.
    pub(crate) fn n_vocab(&self) -> usize {
        self.base.len()
    }

    /// The smallest logit that isn't masked, and whether any logit may be masked.
    pub(crate) fn least(&self) -> (f32, bool) {
        if self.is_row() && self.min > f32::NEG_INFINITY {
            return (self.min, false);
        }
        let least = self.runs().map(|(_, xs)| logits::least(Isa::best(), xs));
        (least.fold(f32::INFINITY, f32::min), true)
    }

    /// Whether the set is the model's row without a patch.
    fn is_row(&self) -> bool {
        !self.gathered && self.buffers.patched.is_empty()
    }

    /// The number of logits that aren't masked.
    pub(crate) fn count_unmasked(&self) -> usize {
        self.runs().map(|(_, xs)| logits::count_unmasked(Isa::best(), xs)).sum()
    }

    /// The largest logit of each group.
    pub(crate) fn maxima(&self) -> &[f32] {
        &self.buffers.maxima
    }

    /// The logits of group `g`.
    pub(crate) fn group(&self, g: usize) -> &[f32] {
        let range = g * GROUP..self.len.min((g + 1) * GROUP);
        if self.gathered {
            return &self.buffers.xs[range];
        }
        match self.buffers.patched.binary_search_by_key(&(g as u32), |&(g, _)| g) {
            Ok(i) => &self.buffers.copies[self.buffers.patched[i].1 as usize..][..range.len()],
            Err(_) => &self.base[range],
        }
    }

    /// The groups whose maximum is at least `x`, with their numbers and logits.
    pub(crate) fn groups_from(&self, x: f32) -> impl Iterator<Item = (usize, &[f32])> {
        let high = self.buffers.maxima.iter().enumerate().filter(move |&(_, &max)| max >= x);
        high.map(|(g, _)| (g, self.group(g)))
    }

    /// Slices that hold all groups whose maximum is at least `x`, and few others, each with the
    /// index of its first logit. One loop over a long slice is faster than many short loops.
    pub(crate) fn parts_from(&self, x: f32) -> impl Iterator<Item = (usize, &[f32])> {
        /// So many low groups are faster to scan than to skip.
        const GAP: usize = 2;
        let maxima = &self.buffers.maxima;
        let row = if self.gathered { &self.buffers.xs[..self.len] } else { self.base };
        let alone = !self.gathered && !self.buffers.patched.is_empty();
        let mut next = 0;
        std::iter::from_fn(move || {
            let begin = next + maxima[next..].iter().position(|&max| max >= x)?;
            next = begin + 1;
            if alone {
                return Some((begin * GROUP, self.group(begin)));
            }
            while let Some(gap) = maxima[next..].iter().take(GAP + 1).position(|&max| max >= x) {
                next += gap + 1;
            }
            Some((begin * GROUP, &row[begin * GROUP..self.len.min(next * GROUP)]))
        })
    }

    /// The logit at an index.
    pub(crate) fn get(&self, index: usize) -> f32 {
        self.group(index / GROUP)[index % GROUP]
    }

    /// The id at an index.
    pub(crate) fn id(&self, index: usize) -> TokenId {
        TokenId(if self.gathered { self.buffers.ids[index] } else { index as u32 })
    }

    /// The index of a token, if it's in the set.
    pub(crate) fn find(&self, token: TokenId) -> Option<usize> {
        if self.gathered {
            return self.buffers.ids[..self.len].binary_search(&token.0).ok();
        }
        let index = token.index();
        (index < self.len && self.get(index) > f32::NEG_INFINITY).then_some(index)
    }

    /// The logits in order, in few slices, each with the index of its first logit (a multiple of
    /// `GROUP`).
    pub(crate) fn runs(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let SetBuffers { patched, copies, xs, .. } = &*self.buffers;
        let base = if self.gathered { &xs[..self.len] } else { self.base };
        let patched = if self.gathered { &[] } else { &patched[..] };
        let (mut next, mut i) = (0, 0);
        std::iter::from_fn(move || {
            let start = next;
            if start >= base.len() {
                return None;
            }
            let (end, copy) = patched
                .get(i)
                .map_or((base.len(), 0), |&(g, at)| (g as usize * GROUP, at as usize));
            if start < end {
                next = end;
                return Some((start, &base[start..end]));
            }
            next = base.len().min(start + GROUP);
            i += 1;
            Some((start, &copies[copy..][..next - start]))
        })
    }

    /// Replaces the logits of those of the tokens `ids` that are in the set by `change(id, x)`.
    pub(crate) fn patch(
        &mut self,
        ids: impl Iterator<Item = u32>,
        mut change: impl FnMut(u32, f32) -> f32,
    ) {
        if self.gathered {
            for id in ids {
                if let Some(index) = self.find(TokenId(id)) {
                    let x = &mut self.buffers.xs[index];
                    *x = change(id, *x);
                }
            }
            self.drop_masked();
            return;
        }
        let SetBuffers { patched, copies, maxima, .. } = &mut *self.buffers;
        for id in ids {
            let g = id as usize / GROUP;
            let place = match patched.binary_search_by_key(&(g as u32), |&(g, _)| g) {
                Ok(i) => patched[i].1 as usize,
                Err(i) => {
                    let place = copies.len();
                    let group = &self.base[g * GROUP..self.base.len().min((g + 1) * GROUP)];
                    copies.extend(group);
                    copies.resize(place + GROUP, f32::NEG_INFINITY);
                    patched.insert(i, (g as u32, place as u32));
                    place
                }
            };
            let x = &mut copies[place + id as usize % GROUP];
            if *x > f32::NEG_INFINITY {
                *x = change(id, *x);
            }
        }
        for &(g, place) in patched.iter() {
            maxima[g as usize] = largest(&copies[place as usize..][..GROUP]);
        }
        self.max = largest(maxima);
    }

    /// Gathers the unmasked tokens and replaces every logit by `change(index, x)`.
    pub(crate) fn rewrite(&mut self, mut change: impl FnMut(usize, f32) -> f32) {
        self.gather(UNMASKED);
        for (index, x) in self.buffers.xs[..self.len].iter_mut().enumerate() {
            *x = change(index, *x);
        }
        self.refresh();
    }

    /// Gathers the tokens that a bound admits. The bound's logit isn't -inf.
    pub(crate) fn gather(&mut self, bound: Bound) {
        self.gather_by(
            bound.x,
            |part, first, ids, xs| logits::select(Isa::best(), part, bound, first, ids, xs),
            |x, index, _| bound.admits(x, index),
        );
    }

    /// Gathers the tokens near a center.
    pub(crate) fn gather_near(&mut self, near: &Near) {
        self.gather_by(
            near.from,
            |part, first, ids, xs| logits::select_near(Isa::best(), part, near, first, ids, xs),
            |x, index, _| near.admits(x, index),
        );
    }

    /// Gathers the tokens whose id `keep` accepts.
    pub(crate) fn gather_if(&mut self, keep: impl Fn(u32) -> bool) {
        self.gather(UNMASKED);
        self.filter(|_, _, id| keep(id));
        self.refresh();
    }

    /// Gathers tokens. From the row, `select` picks them, and groups whose maximum is below `from`
    /// are skipped. From gathered tokens, `keep` picks them by logit, index and id.
    fn gather_by(
        &mut self,
        from: f32,
        select: impl Fn(&[f32], u32, &mut [u32], &mut [f32]) -> usize,
        keep: impl Fn(f32, usize, u32) -> bool,
    ) {
        if self.gathered {
            self.filter(keep);
        } else {
            // The buffers are moved out while they are filled from the set.
            let (mut ids, mut xs) =
                (std::mem::take(&mut self.buffers.ids), std::mem::take(&mut self.buffers.xs));
            let mut n = 0;
            for (first, part) in self.parts_from(from) {
                n += select(part, first as u32, &mut ids[n..], &mut xs[n..]);
            }
            (self.buffers.ids, self.buffers.xs) = (ids, xs);
            self.len = n;
            self.gathered = true;
        }
        self.refresh();
    }

    /// Keeps those of the gathered tokens that `keep` accepts.
    fn filter(&mut self, keep: impl Fn(f32, usize, u32) -> bool) {
        let SetBuffers { ids, xs, .. } = &mut *self.buffers;
        let mut kept = 0;
        for i in 0..self.len {
            let (x, id) = (xs[i], ids[i]);
            // Written at the end whether it is kept or not: there is no branch to mispredict.
            (xs[kept], ids[kept]) = (x, id);
            kept += usize::from(keep(x, i, id));
        }
        self.len = kept;
    }

    /// Gathers these tokens, given in rising order of ids.
    pub(crate) fn gather_ids(&mut self, ids: impl Iterator<Item = u32>) {
        let mut n = 0;
        for id in ids {
            if let Some(index) = self.find(TokenId(id)) {
                // Ids rise, so the overwritten places were read before.
                self.buffers.xs[n] = self.get(index);
                self.buffers.ids[n] = id;
                n += 1;
            }
        }
        self.len = n;
        self.gathered = true;
        self.refresh();
    }

    fn drop_masked(&mut self) {
        self.gather(UNMASKED);
    }

    /// Recomputes the maxima of the gathered logits.
    fn refresh(&mut self) {
        let SetBuffers { xs, maxima, .. } = &mut *self.buffers;
        maxima.clear();
        maxima.extend(xs[..self.len].chunks(GROUP).map(largest));
        self.max = largest(maxima);
    }
}

/// Admits all tokens that aren't masked.
pub(crate) const UNMASKED: Bound = Bound { x: f32::MIN, index: usize::MAX };

fn largest(xs: &[f32]) -> f32 {
    // Eight lanes: a single one would wait for the comparison before it.
    let larger = |max: f32, x: f32| if x > max { x } else { max };
    let (eights, rest) = xs.as_chunks::<8>();
    let mut lanes = [f32::NEG_INFINITY; 8];
    for eight in eights {
        for (lane, &x) in lanes.iter_mut().zip(eight) {
            *lane = larger(*lane, x);
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |max, &x| larger(max, x))
}
