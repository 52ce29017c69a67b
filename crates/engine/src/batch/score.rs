//! Logprobs of a token and of the top tokens, at a stated stage of the chain.

use kelvin_sampling::{Distribution, SampleError, surprisal_and_entropy};

use super::Logprobs;
use crate::{TokenId, generate::Column};

/// Logprobs of a token, in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The token.
    pub token: TokenId,
    /// The natural logarithm of its probability.
    pub logprob: f64,
    /// Rank of the token, from 1.
    pub rank: usize,
    /// The entropy of the distribution.
    pub entropy: f64,
    /// The likeliest tokens, in descending order (ties by lower id).
    pub top: Vec<(TokenId, f64)>,
}

/// Draws a column's next token and computes its logprobs. If that fails, the draw failed as well,
/// and the column reports the error.
pub(super) fn draw_scored(column: &mut Column, logits: &[f32], how: Logprobs) -> Option<Scored> {
    let shown = column.draw_showing(logits, how.n_stages);
    let token = column.drawn()?.token;
    match shown {
        Some(distribution) => Some(of_distribution(&distribution, token, how.n_top)),
        None => score(logits, token, how.n_top).ok(),
    }
}

fn of_distribution(distribution: &Distribution, token: TokenId, n_top: usize) -> Scored {
    let top = distribution.top(n_top).into_iter().map(|choice| choice.token);
    Scored {
        token,
        logprob: 0.0 - distribution.surprisal(token),
        rank: distribution.rank(token).map_or(distribution.survivors(), |before| before) + 1,
        entropy: distribution.entropy(),
        top: top.map(|token| (token, 0.0 - distribution.surprisal(token))).collect(),
    }
}

/// Scores `token` and the `n_top` likeliest by the model's own logits (T = 1).
///
/// # Errors
/// If the logits have no distribution: NaN or +inf among them, or all masked.
pub fn score(logits: &[f32], token: TokenId, n_top: usize) -> Result<Scored, SampleError> {
    // The difference from 0 gives 0 for a certain token, not -0.
    let (surprisal, entropy) = surprisal_and_entropy(logits, token)?;
    let logprob = 0.0 - surprisal;
    // ln p of any token is its logit plus a constant.
    let own = logits[token.index()];
    let shift = logprob - f64::from(own);
    let of = |id: u32| if id == token.0 { logprob } else { f64::from(logits[id as usize]) + shift };
    let top = largest(logits, n_top).into_iter().map(|id| (TokenId(id), of(id))).collect();
    let ties = logits[..token.index()].iter().filter(|&&x| x == own).count();
    let rank = logits.iter().filter(|&&x| x > own).count() + ties + 1;
    Ok(Scored { token, logprob, rank, entropy, top })
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
        assert_eq!(scored.rank, 3);
        assert_eq!(score(&logits, TokenId(3), 0).unwrap().rank, 2);
        assert_eq!(largest(&logits, 2), [1, 3]);
        assert!(score(&[f32::NAN], TokenId(0), 1).is_err());
    }
}
