//! The descending order of tokens: larger logit first, ties by lower id.
//!
//! All functions take logits in the order of ids, so that "lower id" is "lower index".

use crate::{TokenId, error::SampleError};

/// Logits of which one maximum is kept, so that searches can pass over most of the vocabulary.
pub(crate) const GROUP: usize = 64;

/// A number that rises along the descending order: equal logits differ by index, -0 equals +0.
pub(crate) fn key(x: f32, index: u32) -> u64 {
    // Adding +0 turns -0 into +0.
    let bits = (x + 0.0).to_bits();
    // As integers, positive floats rise and negative ones fall: flip so that all fall.
    let falling = if bits >> 31 == 0 { !bits ^ 0x8000_0000 } else { bits };
    u64::from(falling) << 32 | u64::from(index)
}

/// What one look at all logits tells.
pub(crate) struct Scan {
    /// The largest logit.
    pub(crate) max: f32,
    /// How many aren't masked.
    pub(crate) n_unmasked: usize,
}

/// Looks at all logits once: refuses bad ones, leaves the maximum of each group in `maxima`.
pub(crate) fn scan(logits: &[f32], maxima: &mut Vec<f32>) -> Result<Scan, SampleError> {
    if logits.is_empty() {
        return Err(SampleError::Empty);
    }
    if logits.len() > crate::MAX_VOCAB {
        return Err(SampleError::TooMany { found: logits.len() });
    }
    maxima.clear();
    let (mut max, mut n_unmasked, mut bad) = (f32::NEG_INFINITY, 0, 0);
    for group in logits.chunks(GROUP) {
        let mut top = [f32::NEG_INFINITY; 8];
        let mut unmasked = [0u32; 8];
        let mut wrong = [0u32; 8];
        let (eights, rest) = group.as_chunks::<8>();
        let mut look = |lane: usize, x: f32| {
            top[lane] = if x > top[lane] { x } else { top[lane] };
            unmasked[lane] += u32::from(x > f32::NEG_INFINITY);
            // False for NaN as well.
            wrong[lane] +=
                u32::from(!matches!(x.partial_cmp(&f32::INFINITY), Some(std::cmp::Ordering::Less)));
        };
        for eight in eights {
            for (lane, &x) in eight.iter().enumerate() {
                look(lane, x);
            }
        }
        for (lane, &x) in rest.iter().enumerate() {
            look(lane, x);
        }
        let group_max = top.into_iter().fold(f32::NEG_INFINITY, f32::max);
        maxima.push(group_max);
        max = f32::max(max, group_max);
        n_unmasked += unmasked.iter().sum::<u32>() as usize;
        bad += wrong.iter().sum::<u32>();
    }
    if bad > 0 {
        let first = logits.iter().position(|x| x.is_nan() || *x == f32::INFINITY);
        let index = first.expect("a bad logit was counted");
        return Err(SampleError::BadLogit { token: TokenId(index as u32), value: logits[index] });
    }
    if n_unmasked == 0 {
        return Err(SampleError::AllMasked { count: logits.len() });
    }
    Ok(Scan { max, n_unmasked })
}

/// The maximum of each group of a set that was scanned before and has since become smaller.
pub(crate) fn maxima_of(xs: &[f32], maxima: &mut Vec<f32>) {
    maxima.clear();
    maxima.extend(xs.chunks(GROUP).map(|group| group.iter().copied().fold(f32::NEG_INFINITY, f32::max)));
}

/// The key of the `k`-th element (k >= 1, at most the number of elements) in descending order.
///
/// The k-th largest of the groups' maxima is reached by at least k elements, so only those at or above
/// it are looked at. `keys` and `tops` are work space.
pub(crate) fn kth_key(xs: &[f32], maxima: &[f32], k: usize, keys: &mut Vec<u64>, tops: &mut Vec<f32>) -> u64 {
    let mut bound = f32::NEG_INFINITY;
    if k <= maxima.len() {
        tops.clear();
        tops.extend_from_slice(maxima);
        bound = *tops.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a)).1;
    }
    keys.clear();
    for (g, group) in xs.chunks(GROUP).enumerate() {
        if maxima[g] >= bound {
            for (i, &x) in group.iter().enumerate() {
                if x >= bound {
                    keys.push(key(x, (g * GROUP + i) as u32));
                }
            }
        }
    }
    *keys.select_nth_unstable(k - 1).1
}

/// How many elements stand before `index` in descending order.
pub(crate) fn rank(xs: &[f32], maxima: &[f32], index: usize) -> usize {
    let x = xs[index];
    let mut before = 0;
    for (g, group) in xs.chunks(GROUP).enumerate() {
        if maxima[g] >= x {
            let first = g * GROUP;
            let above: u32 = group.iter().map(|&y| u32::from(y > x)).sum();
            let tied = |(i, &y): (usize, &f32)| u32::from((y == x) & (first + i < index));
            let ties: u32 = group.iter().enumerate().map(tied).sum();
            before += (above + ties) as usize;
        }
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
