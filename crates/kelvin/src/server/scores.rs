//! Raw logits in, the log-probabilities that an answer reports out: of one token, and of the likeliest.

use kelvin_engine::TokenId;
use kelvin_sampling::{SampleError, surprisal};

/// What the model thought of a token: its own distribution at T = 1, before the chain. In nats.
#[derive(Debug, Clone)]
pub(crate) struct Scored {
    pub(crate) token: TokenId,
    pub(crate) logprob: f64,
    /// The likeliest tokens, in descending order (ties by lower id).
    pub(crate) top: Vec<(TokenId, f64)>,
}

/// Scores `token` and the `n_top` likeliest.
pub(crate) fn score(logits: &[f32], token: TokenId, n_top: usize) -> Result<Scored, SampleError> {
    let logprob = -surprisal(logits, token)?;
    // ln p of any token is its logit and one number more.
    let shift = logprob - f64::from(logits[token.index()]);
    let of = |id: u32| if id == token.0 { logprob } else { f64::from(logits[id as usize]) + shift };
    let top = largest(logits, n_top).into_iter().map(|id| (TokenId(id), of(id))).collect();
    Ok(Scored { token, logprob, top })
}

/// The ids of the `n` largest logits, in descending order; `n` is small.
fn largest(logits: &[f32], n: usize) -> Vec<u32> {
    let mut top: Vec<u32> = Vec::with_capacity(n + 1);
    if n == 0 {
        return top;
    }
    for (id, &x) in logits.iter().enumerate() {
        if top.len() == n && x <= logits[top[n - 1] as usize] {
            continue;
        }
        let at = top.partition_point(|&other| logits[other as usize] >= x);
        top.insert(at, id as u32);
        top.truncate(n);
    }
    top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_in_order_and_probabilities_that_sum_to_one() {
        let logits = [1.0, 3.0, 2.0, 3.0, f32::NEG_INFINITY];
        let scored = score(&logits, TokenId(2), 5).unwrap();
        assert_eq!(scored.top.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [1, 3, 2, 0, 4]);
        let total: f64 = scored.top.iter().map(|(_, logprob)| logprob.exp()).sum();
        assert!((total - 1.0).abs() < 1e-12 && scored.top[2].1 == scored.logprob);
        assert_eq!(largest(&logits, 2), [1, 3]);
        assert!(score(&[f32::NAN], TokenId(0), 1).is_err());
    }
}
