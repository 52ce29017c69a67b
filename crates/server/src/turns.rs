//! The server's prefill policy: prompts share a step's chunk fairly.
//!
//! A prompt alone gets the whole chunk; among others it gets an equal part, but no less than fills
//! a tile of a matrix product. Where that isn't enough for all, prompts that were read longest ago
//! come first. So a short prompt doesn't wait for the end of a long one, and none waits for ever.

use kelvin_engine::batch::Prefill;

/// The least number of prompt tokens that a step reads.
const MIN_SHARE: usize = 16;

/// How many tokens of each prompt this step reads: `chunk` in all, at most `scored` of prompts that
/// are scored.
pub(crate) fn shares(prompts: &[Prefill], chunk: usize, scored: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..prompts.len()).collect();
    order.sort_by_key(|&at| prompts[at].last_step);
    let (mut left, mut left_scored) = (chunk, scored);
    let mut shares = vec![0; prompts.len()];
    for (i, &at) in order.iter().enumerate() {
        let prompt = &prompts[at];
        let most = if prompt.is_scored { left.min(left_scored) } else { left };
        let part = (left / (prompts.len() - i)).max(MIN_SHARE);
        let share = prompt.left.min(part).min(most);
        left -= share;
        left_scored -= if prompt.is_scored { share } else { 0 };
        shares[at] = share;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use kelvin_engine::batch::RequestId;

    fn plain(left: &[usize]) -> Vec<Prefill> {
        let request = RequestId::default();
        let prompt = |&left| Prefill { request, left, is_scored: false, last_step: 0 };
        left.iter().map(prompt).collect()
    }

    #[test]
    fn equal_parts_and_what_the_short_ones_leave() {
        assert_eq!(shares(&plain(&[1000]), 256, 32), [256]);
        assert_eq!(shares(&plain(&[1000, 1000]), 256, 32), [128, 128]);
        assert_eq!(shares(&plain(&[4, 1000, 1000]), 256, 32), [4, 126, 126]);
        assert_eq!(shares(&plain(&[40; 9]), 64, 32), [16, 16, 16, 16, 0, 0, 0, 0, 0]);
        assert!(shares(&[], 64, 32).is_empty());
    }

    #[test]
    fn what_is_scored_shares_a_part_of_its_own() {
        let mut prompts = plain(&[100, 100, 100]);
        (prompts[0].is_scored, prompts[1].is_scored) = (true, true);
        assert_eq!(shares(&prompts, 256, 32), [32, 0, 100]);
        prompts[0].last_step = 1;
        assert_eq!(shares(&prompts, 256, 32), [0, 32, 100]);
    }

    #[test]
    fn none_waits_for_ever() {
        let mut prompts = plain(&[3000, 500, 40, 7, 900, 2000, 33, 64, 1]);
        for step in 1..400 {
            for (at, share) in shares(&prompts, 64, 32).into_iter().enumerate() {
                if share > 0 {
                    (prompts[at].left, prompts[at].last_step) = (prompts[at].left - share, step);
                }
                // Short ones keep coming.
                if at > 0 && prompts[at].left == 0 {
                    prompts[at].left = 20;
                }
            }
        }
        assert_eq!(prompts[0].left, 0);
    }
}
