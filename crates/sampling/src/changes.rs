//! The exact temperatures at which a draw changes to another token.

use crate::{ChainError, SampleError, Sampler, TokenId};

/// Two neighbouring f32 temperatures at which different tokens are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The highest temperature at which `from` is drawn.
    pub below: f32,
    /// The next f32, at which `to` is drawn.
    pub above: f32,
    /// The token at `below`.
    pub from: TokenId,
    /// The token at `above`.
    pub to: TokenId,
}

/// Why no temperatures can be found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangesError {
    /// The chain has several temperatures.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// No token can be drawn.
    #[error(transparent)]
    Sample(#[from] SampleError),
}

impl Sampler {
    /// The lowest temperatures within [0.05, 10] at which the token of `pos` changes, at most
    /// `limit` of them, in rising order. The state is unchanged.
    ///
    /// With truncations that keep a prefix of the descending order, the drawn rank never falls as T
    /// rises. So if two temperatures draw the same token, all temperatures between them do, and
    /// bisection over f32 finds every change. With other chains some changes may be missed; those
    /// that are found are exact.
    ///
    /// ```
    /// use kelvin_sampling::{Chain, Dice, Sampler};
    ///
    /// let mut sampler = Sampler::new(Chain::default(), Dice { seed: 3, sample: 0 });
    /// for change in sampler.changes(&[2.0, 1.0, 0.0], 0, 10)? {
    ///     println!("from T = {} on it is token {}", change.above, change.to.0);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the chain has several `temp` stages, and those of [`Sampler::sample`].
    pub fn changes(
        &mut self,
        logits: &[f32],
        pos: u64,
        limit: usize,
    ) -> Result<Vec<Change>, ChangesError> {
        let mut token = |bits: u32| -> Result<TokenId, ChangesError> {
            let chain = self.chain().with_temperature(f32::from_bits(bits))?;
            Ok(self.peek(&chain, logits, pos)?)
        };
        let (low, high) = (0.05f32.to_bits(), 10f32.to_bits());
        let mut changes = Vec::new();
        // Intervals still to be searched, the lowest on top. The bits of positive floats are in the
        // order of the floats.
        let mut open = vec![(low, token(low)?, high, token(high)?)];
        while let Some((low, from, high, to)) = open.pop() {
            if changes.len() == limit {
                break;
            }
            if from == to {
                continue;
            }
            if high - low == 1 {
                changes.push(Change {
                    below: f32::from_bits(low),
                    above: f32::from_bits(high),
                    from,
                    to,
                });
                continue;
            }
            let middle = low + (high - low) / 2;
            let between = token(middle)?;
            open.push((middle, between, high, to));
            open.push((low, from, middle, between));
        }
        Ok(changes)
    }

    /// The nearest changes below and above the chain's own temperature, within [0, 1000]: the range
    /// in which the token that is drawn now stays the same. The state is unchanged.
    ///
    /// Where [`Sampler::changes`] may miss some, these may not be the nearest ones.
    ///
    /// # Errors
    /// Those of [`Sampler::changes`].
    pub fn nearest_changes(
        &mut self,
        logits: &[f32],
        pos: u64,
    ) -> Result<[Option<Change>; 2], ChangesError> {
        let t = self.chain().temperature().unwrap_or(1.0);
        let mut token = |bits: u32| -> Result<TokenId, ChangesError> {
            let chain = self.chain().with_temperature(f32::from_bits(bits))?;
            Ok(self.peek(&chain, logits, pos)?)
        };
        // Adding +0 turns -0 into +0, whose bits are in order.
        let at = (t + 0.0).to_bits();
        let now = token(at)?;
        let mut nearest = [None, None];
        for (side, end) in [(0, 0), (1, 1000f32.max(t).to_bits())] {
            let other = token(end)?;
            if other == now {
                continue;
            }
            // `same` draws the token that is drawn now, `differs` doesn't.
            let (mut same, mut differs, mut beyond) = (at, end, other);
            while same.abs_diff(differs) > 1 {
                let middle = same.midpoint(differs);
                let between = token(middle)?;
                if between == now {
                    same = middle;
                } else {
                    (differs, beyond) = (middle, between);
                }
            }
            let (below, above) = (same.min(differs), same.max(differs));
            let (from, to) = if side == 0 { (beyond, now) } else { (now, beyond) };
            nearest[side] = Some(Change {
                below: f32::from_bits(below),
                above: f32::from_bits(above),
                from,
                to,
            });
        }
        Ok(nearest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chain, Dice};

    #[test]
    fn changes_are_neighbours_and_nothing_changes_between_them() {
        let logits: Vec<f32> = (0..300).map(|i| ((i * 7919) % 1009) as f32 * 0.008).collect();
        for (chain, sample) in
            [("temp=1", 0), ("temp=1", 1), ("top_k=20", 2), ("temp=1 | min_p=0.05", 3)]
        {
            let chain: Chain = chain.parse().unwrap();
            let mut sampler = Sampler::new(chain.clone(), Dice { seed: 5, sample });
            let changes = sampler.changes(&logits, 9, 1000).unwrap();
            assert!(!changes.is_empty(), "{chain}");
            let mut at = |t: f32| {
                let chain = chain.with_temperature(t).unwrap();
                sampler.peek(&chain, &logits, 9).unwrap()
            };
            let mut from = 0.05f32;
            for change in &changes {
                assert_eq!(change.below.next_up(), change.above);
                assert_eq!((at(change.below), at(change.above)), (change.from, change.to));
                for part in 1..10 {
                    let between = from + (change.below - from) * part as f32 / 10.0;
                    assert_eq!(at(between), change.from, "{chain} at {between}");
                }
                from = change.above;
            }
            assert_eq!(at(10.0), changes[changes.len() - 1].to);
            for pair in changes.windows(2) {
                let t = pair[0].above + (pair[1].below - pair[0].above) / 2.0;
                let mut here = sampler.clone();
                here.chain = chain.with_temperature(t).unwrap();
                assert_eq!(
                    here.nearest_changes(&logits, 9).unwrap(),
                    [Some(pair[0]), Some(pair[1])]
                );
            }
            sampler.chain = chain.with_temperature(0.0).unwrap();
            let [below, above] = sampler.nearest_changes(&logits, 9).unwrap();
            assert_eq!(below, None);
            assert!(above.is_some_and(|change| change.above <= changes[0].above));
            sampler.chain = chain.clone();
            assert_eq!(sampler.changes(&logits, 9, 1).unwrap(), changes[..1]);
        }
    }
}
