//! Which tokens are allowed at one position: given by the caller for each token, applied before the
//! chain.

use crate::{TokenId, candidates::Candidates, error::SampleError};

/// Which tokens are allowed at one position, before the first stage of the chain: by a grammar, or
/// because a text may not end yet.
///
/// A mask that is the same at every position belongs into the chain ([`crate::Mask`]). Raw figures
/// are computed without limits.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Limits, Sampler, TokenId};
///
/// let mut sampler = Sampler::new("temp=0".parse::<Chain>()?, Dice::default());
/// let limits = Limits { allowed: Some(&[0b0111]), banned: &[TokenId(2)] };
/// assert_eq!(sampler.draw_within(&[1.0, 2.0, 3.0, 4.0], 0, limits)?.token, TokenId(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits<'a> {
    /// One bit for each token, the lowest bit first. Tokens beyond the last word aren't allowed.
    /// `None` allows all.
    pub allowed: Option<&'a [u32]>,
    /// Banned tokens, in rising order, none twice.
    pub banned: &'a [TokenId],
}

impl Limits<'_> {
    /// All tokens are allowed.
    pub const NONE: Limits<'static> = Limits { allowed: None, banned: &[] };

    /// A copy of logits with -inf for every token that isn't allowed. Unknown tokens are ignored.
    ///
    /// ```
    /// # use kelvin_sampling::{Limits, TokenId};
    /// let limits = Limits { allowed: Some(&[0b0111]), banned: &[TokenId(2)] };
    /// let none = f32::NEG_INFINITY;
    /// assert_eq!(limits.masked(&[1.0, 2.0, 3.0, 4.0]), [1.0, 2.0, none, none]);
    /// ```
    pub fn masked(&self, logits: &[f32]) -> Vec<f32> {
        let mut row = logits.to_vec();
        if let Some(bits) = self.allowed {
            let is_allowed = |id: usize| bits.get(id / 32).is_some_and(|w| w >> (id % 32) & 1 == 1);
            let not_allowed = row.iter_mut().enumerate().filter(|(id, _)| !is_allowed(*id));
            not_allowed.for_each(|(_, x)| *x = f32::NEG_INFINITY);
        }
        for token in self.banned {
            if let Some(x) = row.get_mut(token.index()) {
                *x = f32::NEG_INFINITY;
            }
        }
        row
    }

    pub(crate) fn apply(&self, candidates: &mut Candidates<'_>) -> Result<(), SampleError> {
        let mut left = self.allowed.is_none_or(|bits| candidates.keep_bits(bits));
        if left && !self.banned.is_empty() {
            let vocab = candidates.n_vocab();
            if let Some(&token) = self.banned.iter().find(|token| token.index() >= vocab) {
                return Err(SampleError::UnknownToken { stage: "limits", token, vocab });
            }
            left = candidates.ban(self.banned.iter().map(|token| token.0));
        }
        if left { Ok(()) } else { Err(SampleError::NothingLeft { stage: "what may come here" }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chain, Dice, Sampler};

    fn sampler(chain: &str) -> Sampler {
        Sampler::new(chain.parse::<Chain>().unwrap(), Dice { seed: 3, sample: 0 })
    }

    /// Limits have the effect of the same mask in the chain.
    #[test]
    fn a_limit_is_a_mask_before_the_chain() {
        const V: u32 = 1000;
        let logits: Vec<f32> = (0..V).map(|i| (i * 7919 % V) as f32 * 0.01).collect();
        let may = |id: u32| id.is_multiple_of(3);
        let mut bits = vec![0u32; V as usize / 32 + 1];
        (0..V).filter(|&id| may(id)).for_each(|id| bits[id as usize / 32] |= 1 << (id % 32));
        let banned: Vec<TokenId> = (0..V).filter(|id| !may(*id)).map(TokenId).collect();
        let ids: Vec<String> = (0..V).filter(|&id| may(id)).map(|id| id.to_string()).collect();
        for chain in [
            "temp=1",
            "top_k=7 | temp=2",
            "temp=0",
            "temp=3 | top_p=0.9",
            "min_p=0.1 | xtc=1,threshold:0.01",
        ] {
            for pos in 0..20 {
                let allowed = Limits { allowed: Some(&bits), banned: &[] };
                let banned = Limits { allowed: None, banned: &banned };
                let one = sampler(chain).draw_within(&logits, pos, allowed).unwrap();
                let other = sampler(chain).draw_within(&logits, pos, banned).unwrap();
                let masked = sampler(&format!("mask={} | {chain}", ids.join(",")))
                    .draw(&logits, pos)
                    .unwrap();
                assert_eq!(one, other, "{chain} {pos}");
                assert_eq!(one, masked, "{chain} {pos}");
                let shown =
                    sampler(chain).distribution_within(usize::MAX, &logits, pos, allowed).unwrap();
                assert!(
                    (shown.surprisal(one.token) - one.surprisal_final).abs() < 1e-5,
                    "{chain} {pos}"
                );
            }
        }
    }

    #[test]
    fn nothing_left_is_an_error() {
        let none = Limits { allowed: Some(&[0]), banned: &[] };
        let both = Limits { allowed: Some(&[1]), banned: &[TokenId(0)] };
        for limits in [none, both, Limits { allowed: Some(&[]), banned: &[] }] {
            let drawn = sampler("temp=1").draw_within(&[1.0, 2.0], 0, limits);
            assert!(matches!(drawn, Err(SampleError::NothingLeft { .. })), "{drawn:?}");
        }
        let unknown = Limits { allowed: None, banned: &[TokenId(2)] };
        assert!(matches!(
            sampler("temp=1").draw_within(&[1.0, 2.0], 0, unknown),
            Err(SampleError::UnknownToken { .. })
        ));
    }
}
