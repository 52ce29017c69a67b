//! The token at which a cumulative weight is reached, in descending order, without sorting the vocabulary.
//!
//! Weights never fall as logits rise, so tokens can be put into bins by weight, and bins stand in
//! descending order. One look adds up the bins' masses, the walk over bins finds the one in which the target
//! is reached, and only its members are looked at further. The reference is three lines: sort, add up,
//! stop at the first sum above the target.

use crate::{
    order::{GROUP, key},
    weights::fixed,
};

/// A bin holds weights whose bits agree but for the last 17: 64 bins for each halving.
const BIN_SHIFT: u32 = 17;
/// 46 halvings lead from the largest weight to 0.
const N_BINS: usize = 46 * 64 + 1;
/// Weights above this, 12 halvings down, are looked at first: with most logits they are in a small part of
/// the vocabulary's groups.
const NEAR: f32 = 1.0 / 4096.0;
/// The bins of those weights.
const NEAR_BINS: usize = 12 * 64;
/// So few members are sorted rather than divided further.
const FEW: usize = 512;

/// Work space of [`locate`], kept from step to step.
#[derive(Debug, Clone)]
pub(crate) struct Bins {
    mass: Vec<u64>,
    members: Vec<u32>,
}

impl Default for Bins {
    fn default() -> Bins {
        Bins { mass: vec![0; N_BINS], members: Vec::new() }
    }
}

impl Bins {
    /// Room for a vocabulary of `n` tokens.
    pub(crate) fn reserve(&mut self, n: usize) {
        self.members.reserve(n.saturating_sub(self.members.len()));
    }

    #[cfg(test)]
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.members.as_ptr() as usize, self.members.capacity())
    }
}

/// The bin of exp(d): its exponent and the first 6 bits of its fraction, counted down from 1.
fn bin_of(e: f32) -> usize {
    let below_one = 1f32.to_bits() - e.to_bits();
    ((below_one >> BIN_SHIFT) as usize).min(N_BINS - 1)
}

/// The index of the first token in descending order whose cumulative weight exceeds `target`.
///
/// `es` are the exponentials of `xs`. `target` must be below the sum of their weights.
pub(crate) fn locate(xs: &[f32], es: &[f32], target: u64, bins: &mut Bins) -> usize {
    bins.mass.fill(0);
    fill(es, true, &mut bins.mass);
    // The near bins are complete now, the others aren't.
    let found = reach(&bins.mass[..NEAR_BINS], target);
    let (bin, passed) = found.unwrap_or_else(|| {
        fill(es, false, &mut bins.mass);
        reach(&bins.mass, target).expect("the target is below the total weight")
    });
    bins.members.clear();
    for (g, group) in es.chunks(GROUP).enumerate() {
        if any(group, |e| bin_of(e) == bin) {
            let members = group.iter().enumerate().filter(|&(_, &e)| bin_of(e) == bin);
            bins.members.extend(members.map(|(i, _)| (g * GROUP + i) as u32));
        }
    }
    settle(xs, es, target - passed, bins)
}

/// Adds up the groups that hold weights above `NEAR`, or those that don't.
fn fill(es: &[f32], near: bool, mass: &mut [u64]) {
    for group in es.chunks(GROUP) {
        if any(group, |e| e > NEAR) == near {
            for &e in group {
                mass[bin_of(e)] += fixed(e);
            }
        }
    }
}

/// Whether any element of a group passes, without a branch for each.
fn any(group: &[f32], test: impl Fn(f32) -> bool) -> bool {
    group.iter().fold(false, |found, &e| found | test(e))
}

/// The bin in which the cumulative mass first exceeds `target`, and the mass of those before it.
fn reach(mass: &[u64], target: u64) -> Option<(usize, u64)> {
    let mut passed = 0;
    for (bin, &mass) in mass.iter().enumerate() {
        if passed + mass > target {
            return Some((bin, passed));
        }
        passed += mass;
    }
    None
}

/// The same search among the members of one bin, which it divides further by logit while they are many.
fn settle(xs: &[f32], es: &[f32], mut target: u64, bins: &mut Bins) -> usize {
    let Bins { mass, members } = bins;
    while members.len() > FEW {
        let x = |&i: &u32| xs[i as usize];
        let max = members.iter().map(x).fold(f32::NEG_INFINITY, f32::max);
        let min = members.iter().map(x).fold(f32::INFINITY, f32::min);
        // Members stand in the order of ids, which is the descending order of equal logits.
        if max == min {
            return walk(members, es, target);
        }
        let last = N_BINS - 1;
        let scale = (last as f32 / (max - min)).min(f32::MAX);
        let part = |x: f32| (((max - x) * scale) as usize).min(last);
        mass.fill(0);
        for &i in members.iter() {
            mass[part(xs[i as usize])] += fixed(es[i as usize]);
        }
        let (bin, passed) = reach(mass, target).expect("the target lies in this bin");
        let n = members.len();
        members.retain(|i| part(x(i)) == bin);
        target -= passed;
        // Differences that f32 can't hold: leave the rest to the sort.
        if members.len() == n {
            break;
        }
    }
    members.sort_unstable_by_key(|&i| key(xs[i as usize], i));
    walk(members, es, target)
}

fn walk(members: &[u32], es: &[f32], target: u64) -> usize {
    let mut sum = 0;
    for &i in members {
        sum += fixed(es[i as usize]);
        if sum > target {
            return i as usize;
        }
    }
    unreachable!("the target {target} is below the weight {sum} of the members")
}
