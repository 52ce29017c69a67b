//! The token at which a cumulative sum is reached, in the order of distance, without sorting the
//! vocabulary.
//!
//! The distance of a token is |d - center|, d = (x - max)·β. With center 0 the order of distance is
//! the descending order. Tokens are put into bins by distance, 64 bins for each nat. One scan sums
//! the weights of each bin, a walk over the bins finds the one in which the sum is reached, and
//! only its members are searched further. The reference is three lines: sort, sum, stop at the
//! first sum that is large enough.

use kelvin_kernels::{
    isa::Isa,
    logits::{self, Bin, GROUP, Line, MOMENT_UNIT, ROUND, SLACK, scaled, weight},
};

use crate::{
    order::{key, lowest_logit},
    set::Set,
};

/// Bins of 1/64 nat up to 32 nats, beyond which weights are 0, and one for all the rest.
const N_BINS: usize = 2049;
const LAST_BIN: u32 = N_BINS as u32 - 1;
/// The length of an array of bins, a power of two, so that an index needs no bounds check. There
/// are two arrays, used alternately: two additions in a row to one number in memory would wait for
/// each other.
const LANE: usize = 4096;
/// Tokens within so many nats of the center are binned first. Mostly few groups have any.
const NEAR: f32 = 8.0;
/// Bins that hold near tokens alone. Rounding puts some tokens of the next bin on either side.
const NEAR_BINS: usize = 511;
/// The largest number of members that are sorted rather than binned again.
const FEW: usize = 256;

/// Sums of weights and of w·|d| (in units of 2^-52), over a prefix of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum {
    pub(crate) mass: u64,
    pub(crate) moment: u128,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.mass += other.mass;
        self.moment += other.moment;
    }
}

/// The token at which a sum is reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    pub(crate) index: usize,
    /// The sums over the tokens before it.
    pub(crate) before: Sum,
}

/// Work space of [`locate`], kept from step to step. The sums of the bins are kept for a second
/// search along the same line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bins {
    mass: Vec<u64>,
    moment: Vec<u128>,
    /// Indices of the members of a bin; as long as the set.
    members: Vec<u32>,
    /// What `mass` and `moment` hold. `moment` is undefined unless moments were asked for.
    filled: Option<Filled>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Filled {
    line: Line,
    /// Whether all tokens were binned rather than the near ones.
    all: bool,
    moments: bool,
}

impl Bins {
    /// Allocates for a vocabulary of `n` tokens.
    pub(crate) fn reserve(&mut self, n: usize) {
        self.mass.resize(2 * LANE, 0);
        self.moment.resize(N_BINS, 0);
        self.members.resize((n + SLACK).max(self.members.len()), 0);
        self.forget();
    }

    /// Drops the sums, after the set or its exponentials changed.
    pub(crate) fn forget(&mut self) {
        self.filled = None;
    }

    #[cfg(test)]
    pub(crate) fn place(&self) -> (usize, usize) {
        crate::set::place(&self.members)
    }
}

/// The set, its exponentials and a line through it.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) set: &'a Set<'a>,
    /// exp(d) for every index.
    pub(crate) es: &'a [f32],
    pub(crate) line: Line,
}

impl Field<'_> {
    /// The weight and the moment of a token.
    fn part(&self, index: usize, moments: bool) -> Sum {
        let mass = weight(self.es[index]);
        let d = scaled(self.set.get(index), self.line.max, self.line.beta);
        Sum { mass, moment: if moments { moment(mass, d) } else { 0 } }
    }

    /// Adds tokens to the bins: those of groups with near tokens, or those of all other groups.
    fn fill(&self, near: bool, moments: bool, bins: &mut Bins) {
        let Line { max, beta, center } = self.line;
        let (mut places, mut weights) = ([0; GROUP], [0; GROUP]);
        for (g, &group_max) in self.set.maxima().iter().enumerate() {
            // The largest logit of a group is its nearest one below the center.
            let is_near = scaled(group_max, max, beta) >= center - NEAR;
            if is_near != near {
                continue;
            }
            let xs = self.set.group(g);
            let es = &self.es[g * GROUP..][..xs.len()];
            logits::bins(Isa::best(), xs, es, self.line, LAST_BIN, &mut places, &mut weights);
            let mass: &mut [u64; 2 * LANE] =
                bins.mass.first_chunk_mut().expect("`reserve` allocated it");
            let (places, weights) = (&places[..xs.len()], &weights[..xs.len()]);
            let (pairs, rest) = places.as_chunks::<2>();
            let (weight_pairs, weight_rest) = weights.as_chunks::<2>();
            for ([a, b], [v, w]) in pairs.iter().zip(weight_pairs) {
                mass[*a as usize % LANE] += v;
                mass[LANE + *b as usize % LANE] += w;
            }
            for (place, w) in rest.iter().zip(weight_rest) {
                mass[*place as usize % LANE] += w;
            }
            if moments {
                for ((&place, &weight), &x) in places.iter().zip(weights).zip(xs) {
                    bins.moment[place as usize] += moment(weight, scaled(x, max, beta));
                }
            }
        }
        let (first, second) = bins.mass.split_at_mut(LANE);
        for (sum, part) in first[..N_BINS].iter_mut().zip(&mut second[..N_BINS]) {
            *sum += std::mem::take(part);
        }
    }
}

/// round(w·|d|) in units of 2^-52 where w is in units of 2^-45, half to even.
fn moment(weight: u64, d: f32) -> u128 {
    // Both factors have at most 24 significant bits: the product is exact before it's rounded.
    let rounded = weight as f64 * (f64::from(-d) * MOMENT_UNIT) + ROUND;
    u128::from(rounded.to_bits() - ROUND.to_bits())
}

/// Finds the first token in the order of distance (ties: larger logit, then lower index) for which
/// `reached` is true of the sums up to and including it. `None` if there is no such token.
///
/// `reached` must stay true as sums rise. Moments are summed only if `moments` is true.
pub(crate) fn locate(
    field: &Field<'_>,
    moments: bool,
    reached: impl Fn(&Sum) -> bool,
    bins: &mut Bins,
) -> Option<Found> {
    let line = field.line;
    if bins.filled.is_none_or(|filled| filled.line != line || (moments && !filled.moments)) {
        bins.mass[..N_BINS].fill(0);
        if moments {
            bins.moment.fill(0);
        }
        field.fill(true, moments, bins);
        bins.filled = Some(Filled { line, all: false, moments });
    }
    let mut filled = bins.filled?;
    let mut found = None;
    if !filled.all {
        // So far only the near bins are complete.
        found = walk_bins(bins, NEAR_BINS, Sum::default(), &reached);
        if found.is_none() {
            field.fill(false, filled.moments, bins);
            filled.all = true;
            bins.filled = Some(filled);
        }
    }
    let (bin, before) = found.or_else(|| walk_bins(bins, N_BINS, Sum::default(), &reached))?;
    let n = collect(field, bin, &mut bins.members);
    Some(settle(field, moments, before, reached, &mut bins.members[..n]))
}

/// The bin in which the sum is reached, and the sum before it.
fn walk_bins(
    bins: &Bins,
    n: usize,
    mut sum: Sum,
    reached: &impl Fn(&Sum) -> bool,
) -> Option<(usize, Sum)> {
    for (bin, (&mass, &moment)) in bins.mass[..n].iter().zip(&bins.moment).enumerate() {
        let before = sum;
        sum.add(Sum { mass, moment });
        if reached(&sum) {
            return Some((bin, before));
        }
    }
    None
}

/// Writes the members of a bin to the front of `members`, in rising order of indices, and returns
/// their number.
fn collect(field: &Field<'_>, bin: usize, members: &mut [u32]) -> usize {
    let Line { max, beta, center } = field.line;
    // A bin ends half a step below its number; the last one has no end.
    let lowest = center - (bin as f32 + 1.0) / 64.0;
    let from = if bin < N_BINS - 1 {
        lowest_logit(max, |x| scaled(x, max, beta) >= lowest)
    } else {
        f32::NEG_INFINITY
    };
    let bin = Bin { number: bin as u32, last: LAST_BIN };
    let mut n = 0;
    for (first, part) in field.set.parts_from(from) {
        n +=
            logits::select_bin(Isa::best(), part, field.line, bin, first as u32, &mut members[n..]);
    }
    n
}

/// Searches the members of one bin. Many members are binned again, few are sorted.
fn settle(
    field: &Field<'_>,
    moments: bool,
    mut before: Sum,
    reached: impl Fn(&Sum) -> bool,
    mut members: &mut [u32],
) -> Found {
    let x = |i: u32| field.set.get(i as usize);
    while members.len() > FEW {
        let range = |f: &dyn Fn(u32) -> f32| {
            let values = members.iter().map(|&i| f(i));
            values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            })
        };
        let distance = |i: u32| field.line.distance(x(i));
        let falling = |i: u32| -x(i);
        let (mut low, mut high) = range(&distance);
        let value: &dyn Fn(u32) -> f32 = if low < high { &distance } else { &falling };
        if low == high {
            (low, high) = range(&falling);
        }
        // Equal logits stand in the order of indices, as members do.
        if low == high {
            return walk(field, moments, before, reached, members);
        }
        const PARTS: usize = 1024;
        let scale = ((PARTS - 1) as f32 / (high - low)).min(f32::MAX);
        let part = |i: u32| (((value(i) - low) * scale) as usize).min(PARTS - 1);
        let mut sums = [Sum::default(); PARTS];
        for &i in members.iter() {
            sums[part(i)].add(field.part(i as usize, moments));
        }
        let mut sum = before;
        let mut found = PARTS - 1;
        for (p, part) in sums.iter().enumerate() {
            let next = Sum { mass: sum.mass + part.mass, moment: sum.moment + part.moment };
            if reached(&next) {
                found = p;
                break;
            }
            sum = next;
        }
        let n = members.len();
        let mut kept = 0;
        for k in 0..n {
            let i = members[k];
            members[kept] = i;
            kept += usize::from(part(i) == found);
        }
        members = &mut std::mem::take(&mut members)[..kept];
        before = sum;
        // Differences that f32 can't hold: leave the rest to the sort.
        if kept == n {
            break;
        }
    }
    let place = |i: u32| (field.line.distance(x(i)).to_bits(), key(x(i), i as usize));
    members.sort_unstable_by_key(|&i| place(i));
    walk(field, moments, before, reached, members)
}

fn walk(
    field: &Field<'_>,
    moments: bool,
    before: Sum,
    reached: impl Fn(&Sum) -> bool,
    members: &[u32],
) -> Found {
    let mut sum = before;
    for &i in members {
        let before = sum;
        sum.add(field.part(i as usize, moments));
        if reached(&sum) {
            return Found { index: i as usize, before };
        }
    }
    unreachable!("the sum {sum:?} of the members reaches what the sum of their bin did")
}
