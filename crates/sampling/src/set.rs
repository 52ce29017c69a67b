//! The logits that a chain has left: the model's own row with patches, or the survivors gathered
//! from it.
//!
//! As long as nothing was gathered the set is the model's row (masked tokens included) and an index
//! is an id. Penalties and biases touch few tokens, so the groups they touch are copied and the row
//! is not. Gathering puts the survivors and their ids into buffers, in the order of ids either way,
//! so that "lower id" is always "lower index".

use kelvin_kernels::{
    isa::Isa,
    logits::{self, Bound, GROUP, Near, SLACK},
};

use crate::{TokenId, error::SampleError};

/// Buffers of a set, kept from step to step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room {
    /// Patched groups in rising order, each with the place of its copy in `copies`.
    patched: Vec<(u32, u32)>,
    copies: Vec<f32>,
    /// The largest logit of each group.
    maxima: Vec<f32>,
    ids: Vec<u32>,
    xs: Vec<f32>,
}

impl Room {
    /// Room for `n` tokens.
    pub(crate) fn reserve(&mut self, n: usize) {
        if self.xs.len() < n + SLACK {
            // Fresh zeroed vectors, so that memory a chain never touches is never really taken.
            self.ids = vec![0; n + SLACK];
            self.xs = vec![0.0; n + SLACK];
            let groups = n.div_ceil(GROUP);
            self.maxima.reserve(groups - self.maxima.len().min(groups));
        }
    }

    #[cfg(test)]
    pub(crate) fn places(&self) -> [(usize, usize); 3] {
        use crate::candidates::place;
        [place(&self.maxima), place(&self.ids), place(&self.xs)]
    }
}

/// See the top of the file.
pub(crate) struct Set<'a> {
    base: &'a [f32],
    room: &'a mut Room,
    gathered: bool,
    len: usize,
    /// The largest logit of the set.
    pub(crate) max: f32,
    /// The smallest logit of the model's row, masked ones included.
    min: f32,
}

impl<'a> Set<'a> {
    /// Looks at all logits once and refuses bad ones.
    pub(crate) fn new(base: &'a [f32], room: &'a mut Room) -> Result<Set<'a>, SampleError> {
        if base.is_empty() {
            return Err(SampleError::Empty);
        }
        if base.len() > crate::MAX_VOCAB {
            return Err(SampleError::TooMany { found: base.len() });
        }
        room.reserve(base.len());
        room.patched.clear();
        room.copies.clear();
        room.maxima.resize(base.len().div_ceil(GROUP), 0.0);
        let scan = logits::scan(Isa::best(), base, &mut room.maxima);
        if !scan.fine {
            let first = base.iter().position(|x| x.is_nan() || *x == f32::INFINITY);
            let index = first.expect("a bad logit was seen");
            return Err(SampleError::BadLogit { token: TokenId(index as u32), value: base[index] });
        }
        if scan.max == f32::NEG_INFINITY {
            return Err(SampleError::AllMasked { count: base.len() });
        }
        Ok(Set { base, room, gathered: false, len: base.len(), max: scan.max, min: scan.min })
    }

    /// How many indices there are; before anything is gathered some of them may be masked.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The size of the vocabulary.
    pub(crate) fn n_vocab(&self) -> usize {
        self.base.len()
    }

    /// The smallest logit that isn't masked, and whether any may be.
    pub(crate) fn least(&self) -> (f32, bool) {
        if self.is_row() && self.min > f32::NEG_INFINITY {
            return (self.min, false);
        }
        let least = self.runs().map(|(_, xs)| logits::least(Isa::best(), xs));
        (least.fold(f32::INFINITY, f32::min), true)
    }

    /// Whether the set is still the model's row as it came.
    fn is_row(&self) -> bool {
        !self.gathered && self.room.patched.is_empty()
    }

    /// How many logits aren't masked.
    pub(crate) fn count_unmasked(&self) -> usize {
        self.runs().map(|(_, xs)| logits::count_unmasked(Isa::best(), xs)).sum()
    }

    /// The largest logit of each group.
    pub(crate) fn maxima(&self) -> &[f32] {
        &self.room.maxima
    }

    /// The logits of group `g`.
    pub(crate) fn group(&self, g: usize) -> &[f32] {
        let range = g * GROUP..self.len.min((g + 1) * GROUP);
        if self.gathered {
            return &self.room.xs[range];
        }
        match self.room.patched.binary_search_by_key(&(g as u32), |&(g, _)| g) {
            Ok(i) => &self.room.copies[self.room.patched[i].1 as usize..][..range.len()],
            Err(_) => &self.base[range],
        }
    }

    /// The groups whose maximum is at least `x`, with their numbers and logits.
    pub(crate) fn groups_from(&self, x: f32) -> impl Iterator<Item = (usize, &[f32])> {
        let high = self.room.maxima.iter().enumerate().filter(move |&(_, &max)| max >= x);
        high.map(|(g, _)| (g, self.group(g)))
    }

    /// Slices that hold all groups whose maximum is at least `x`, and few others, each with the
    /// index of its first logit: a loop over many groups costs less than many loops.
    pub(crate) fn parts_from(&self, x: f32) -> impl Iterator<Item = (usize, &[f32])> {
        /// Of so many low groups it costs less to look at them than to stop before them.
        const GAP: usize = 2;
        let maxima = &self.room.maxima;
        let row = if self.gathered { &self.room.xs[..self.len] } else { self.base };
        let alone = !self.gathered && !self.room.patched.is_empty();
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
        TokenId(if self.gathered { self.room.ids[index] } else { index as u32 })
    }

    /// The index of a token, if it's in the set.
    pub(crate) fn find(&self, token: TokenId) -> Option<usize> {
        if self.gathered {
            return self.room.ids[..self.len].binary_search(&token.0).ok();
        }
        let index = token.index();
        (index < self.len && self.get(index) > f32::NEG_INFINITY).then_some(index)
    }

    /// The logits in few slices, each with the index of its first one (a multiple of `GROUP`), in
    /// order.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let Room { patched, copies, xs, .. } = &*self.room;
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

    /// Changes the logits of the tokens `ids` that are left by `change(id, x)`.
    pub(crate) fn patch(
        &mut self,
        ids: impl Iterator<Item = u32>,
        mut change: impl FnMut(u32, f32) -> f32,
    ) {
        if self.gathered {
            for id in ids {
                if let Some(index) = self.find(TokenId(id)) {
                    let x = &mut self.room.xs[index];
                    *x = change(id, *x);
                }
            }
            self.drop_masked();
            return;
        }
        let Room { patched, copies, maxima, .. } = &mut *self.room;
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

    /// Replaces every logit by `change(index, x)`, after gathering.
    pub(crate) fn rewrite(&mut self, mut change: impl FnMut(usize, f32) -> f32) {
        self.gather(UNMASKED);
        for (index, x) in self.room.xs[..self.len].iter_mut().enumerate() {
            *x = change(index, *x);
        }
        self.refresh();
    }

    /// Gathers the tokens that a bound admits; its logit isn't -inf.
    pub(crate) fn gather(&mut self, bound: Bound) {
        self.gather_by(
            bound.x,
            |part, first, ids, xs| logits::select(Isa::best(), part, bound, first, ids, xs),
            |x, index, _| bound.admits(x, index),
        );
    }

    /// Gathers the tokens that are near.
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

    /// Gathers from the row, where groups below `from` have nothing to give, with `select`; or
    /// keeps of what is gathered already what `keep` accepts by logit, index and id.
    fn gather_by(
        &mut self,
        from: f32,
        select: impl Fn(&[f32], u32, &mut [u32], &mut [f32]) -> usize,
        keep: impl Fn(f32, usize, u32) -> bool,
    ) {
        if self.gathered {
            self.filter(keep);
        } else {
            // Buffers leave the set for as long as they're filled from it.
            let (mut ids, mut xs) =
                (std::mem::take(&mut self.room.ids), std::mem::take(&mut self.room.xs));
            let mut n = 0;
            for (first, part) in self.parts_from(from) {
                n += select(part, first as u32, &mut ids[n..], &mut xs[n..]);
            }
            (self.room.ids, self.room.xs) = (ids, xs);
            self.len = n;
            self.gathered = true;
        }
        self.refresh();
    }

    /// Keeps some of what is gathered.
    fn filter(&mut self, keep: impl Fn(f32, usize, u32) -> bool) {
        let Room { ids, xs, .. } = &mut *self.room;
        let mut kept = 0;
        for i in 0..self.len {
            let (x, id) = (xs[i], ids[i]);
            // Written at the end whether it stays or not: no branch to mispredict.
            (xs[kept], ids[kept]) = (x, id);
            kept += usize::from(keep(x, i, id));
        }
        self.len = kept;
    }

    /// Gathers these tokens of the set.
    pub(crate) fn gather_ids(&mut self, ids: impl Iterator<Item = u32>) {
        let mut n = 0;
        for id in ids {
            if let Some(index) = self.find(TokenId(id)) {
                // Ids rise, so what is overwritten has been passed already.
                self.room.xs[n] = self.get(index);
                self.room.ids[n] = id;
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

    /// The maxima of gathered logits.
    fn refresh(&mut self) {
        let Room { xs, maxima, .. } = &mut *self.room;
        maxima.clear();
        maxima.extend(xs[..self.len].chunks(GROUP).map(largest));
        self.max = largest(maxima);
    }
}

/// Admits all tokens that aren't masked.
pub(crate) const UNMASKED: Bound = Bound { x: f32::MIN, index: usize::MAX };

fn largest(xs: &[f32]) -> f32 {
    // Eight side by side: one alone waits for the comparison before it.
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
