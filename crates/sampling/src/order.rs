//! The descending order of tokens: larger logit first, ties by lower id.

pub(crate) use kelvin_kernels::logits::Bound;
use kelvin_kernels::logits::GROUP;

use crate::set::Set;

/// A number that rises along the descending order. Equal logits differ by index; -0 equals +0.
pub(crate) fn key(x: f32, index: usize) -> u64 {
    // Adding +0 turns -0 into +0.
    let bits = (x + 0.0).to_bits();
    // As integers, positive floats rise and negative ones fall. Flip bits so that all fall.
    let falling = if bits >> 31 == 0 { !bits ^ 0x8000_0000 } else { bits };
    u64::from(falling) << 32 | index as u64
}

/// The lowest finite logit that `keep` accepts. `keep` must accept `max`, and every logit above one
/// that it accepts.
pub(crate) fn lowest_logit(max: f32, keep: impl Fn(f32) -> bool) -> f32 {
    // Keys rise as logits fall.
    let float = |falling: u32| {
        f32::from_bits(if falling >> 31 == 0 { !(falling ^ 0x8000_0000) } else { falling })
    };
    let falling = |x: f32| (key(x, 0) >> 32) as u32;
    let (mut kept, mut end) = (falling(max), falling(f32::MIN) + 1);
    while end - kept > 1 {
        let middle = kept + (end - kept) / 2;
        if keep(float(middle)) { kept = middle } else { end = middle }
    }
    float(kept)
}

/// The `k`-th token in descending order; k is from 1 to the number of unmasked tokens.
///
/// At least k tokens are not below the k-th largest maximum of the groups, so only those are
/// searched. `keys` and `tops` are work space.
pub(crate) fn kth(set: &Set<'_>, k: usize, keys: &mut Vec<u64>, tops: &mut Vec<f32>) -> Bound {
    let mut from = f32::MIN;
    if k <= set.maxima().len() {
        tops.clear();
        tops.extend_from_slice(set.maxima());
        from = *tops.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a)).1;
    }
    keys.clear();
    for (g, group) in set.groups_from(from) {
        let high = group.iter().enumerate().filter(|&(_, &x)| x >= from);
        keys.extend(high.map(|(i, &x)| key(x, g * GROUP + i)));
    }
    let index = (*keys.select_nth_unstable(k - 1).1 & u64::from(u32::MAX)) as usize;
    Bound { x: set.get(index), index }
}

/// The number of tokens that precede the one at `index` in descending order.
pub(crate) fn rank(set: &Set<'_>, index: usize) -> usize {
    let x = set.get(index);
    let mut before = 0;
    for (g, group) in set.groups_from(x) {
        let first = g * GROUP;
        let above: u32 = group.iter().map(|&y| u32::from(y > x)).sum();
        let tied = |(i, &y): (usize, &f32)| u32::from((y == x) & (first + i < index));
        let ties: u32 = group.iter().enumerate().map(tied).sum();
        before += (above + ties) as usize;
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_rise_along_the_descending_order() {
        let falling = [f32::MAX, 1.5, 1.0, 1e-45, 0.0, -1e-45, -1.0, f32::MIN, f32::NEG_INFINITY];
        for pair in falling.windows(2) {
            assert!(key(pair[0], 9) < key(pair[1], 0), "{pair:?}");
        }
        assert!(key(1.0, 3) < key(1.0, 4));
        assert_eq!(key(0.0, 3), key(-0.0, 3));
    }
}
