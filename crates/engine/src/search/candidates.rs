//! The likeliest tokens of a row of logits, with their log-probabilities.

use std::borrow::Cow;

use kelvin_sampling::{Chain, Distribution, SampleError, surprisal};

use super::{
    held::Held,
    task::{SearchError, Task},
};
use crate::TokenId;

/// A token that may come next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub(super) token: TokenId,
    /// ln p under the model's own distribution.
    pub(super) logprob: f64,
    /// ln p after the chain; the model's own without one.
    pub(super) chained: f64,
}

/// What a search reads of a text: its tokens after the prompt, and its place within the form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) tokens: &'a [TokenId],
    pub(super) held: Option<&'a Held>,
}

impl Seen<'_> {
    /// The logits that the chain sees: all of them, or those that the form allows. `None` if it
    /// allows none.
    fn row<'l>(&self, logits: &'l [f32]) -> Result<Option<Cow<'l, [f32]>>, SearchError> {
        match self.held {
            Some(held) => {
                let row = held.masked(logits).map_err(SearchError::Form)?;
                Ok(row.map(Cow::Owned))
            }
            None => Ok(Some(Cow::Borrowed(logits))),
        }
    }

    /// The distribution after a chain. `None` if form and chain leave nothing together.
    fn after(
        &self,
        task: &Task<'_>,
        chain: &Chain,
        row: &[f32],
    ) -> Result<Option<Distribution>, SearchError> {
        match Distribution::after(row, chain, &task.state(self.tokens), &Task::WORDS) {
            Err(SampleError::NothingLeft { .. }) if self.held.is_some() => Ok(None),
            other => Ok(Some(other?)),
        }
    }
}

/// The `n` likeliest tokens after the chain in descending order, ties by lower id. Without a chain
/// they are ranked by the model's own ln p, whatever the form allows.
pub(super) fn likeliest(
    task: &Task<'_>,
    seen: Seen<'_>,
    logits: &[f32],
    n: usize,
) -> Result<Vec<Candidate>, SearchError> {
    let own = Own::new(logits)?;
    let Some(row) = seen.row(logits)? else { return Ok(Vec::new()) };
    let Some(chain) = task.chain else {
        let of = |id: u32| {
            let logprob = own.logprob(id);
            Candidate { token: TokenId(id), logprob, chained: logprob }
        };
        return Ok(largest(&row, n).into_iter().map(of).collect());
    };
    let Some(chained) = seen.after(task, chain, &row)? else { return Ok(Vec::new()) };
    let of = |token: TokenId| Candidate {
        token,
        logprob: own.logprob(token.0),
        chained: 0.0 - chained.surprisal(token),
    };
    let all = chained.top(n).into_iter().map(|choice| of(choice.token));
    // At T = 0 all but one survive with no probability.
    Ok(all.filter(|candidate| candidate.chained.is_finite()).collect())
}

/// The whole distribution of what the form allows, after the chain: ids in rising order, and ln p
/// of the model and of the chain. Tokens without a probability are left out.
pub(super) fn all(
    task: &Task<'_>,
    seen: Seen<'_>,
    logits: &[f32],
) -> Result<Vec<Candidate>, SearchError> {
    let own = Own::new(logits)?;
    let Some(row) = seen.row(logits)? else { return Ok(Vec::new()) };
    let Some(chain) = task.chain else {
        let within = Own::new(&row)?;
        let unmasked = (0..row.len() as u32).filter(|&id| row[id as usize].is_finite());
        let of = |id: u32| Candidate {
            token: TokenId(id),
            logprob: own.logprob(id),
            chained: within.logprob(id),
        };
        return Ok(unmasked.map(of).collect());
    };
    let Some(chained) = seen.after(task, chain, &row)? else { return Ok(Vec::new()) };
    let (ids, _, probabilities) = chained.into_parts();
    let of = |(id, p): (u32, f64)| Candidate {
        token: TokenId(id),
        logprob: own.logprob(id),
        chained: libm::log(p),
    };
    let all = ids.into_iter().zip(probabilities).filter(|(_, p)| *p > 0.0);
    Ok(all.map(of).collect())
}

/// The model's own log-probabilities, by the likeliest token's: ln p of any other is its logit plus
/// a constant.
struct Own<'a> {
    logits: &'a [f32],
    shift: f64,
}

impl Own<'_> {
    fn new(logits: &[f32]) -> Result<Own<'_>, SampleError> {
        let best = largest(logits, 1).first().copied().unwrap_or(0);
        let logprob = 0.0 - surprisal(logits, TokenId(best))?;
        Ok(Own { logits, shift: logprob - f64::from(logits[best as usize]) })
    }

    fn logprob(&self, id: u32) -> f64 {
        f64::from(self.logits[id as usize]) + self.shift
    }
}

/// Ids of the `n` largest unmasked logits in descending order, ties by lower id.
fn largest(logits: &[f32], n: usize) -> Vec<u32> {
    let mut top: Vec<u32> = Vec::with_capacity(n.min(logits.len()) + 1);
    let mut bound = f32::NEG_INFINITY;
    for (id, &x) in logits.iter().enumerate() {
        // The caller finds NaN elsewhere.
        if n == 0 || x.is_nan() || x <= bound {
            continue;
        }
        let at = top.partition_point(|&other| logits[other as usize] >= x);
        top.insert(at, id as u32);
        if top.len() > n {
            top.pop();
        }
        if top.len() == n {
            bound = logits[top[n - 1] as usize];
        }
    }
    top
}

#[cfg(test)]
mod tests {
    use kelvin_sampling::softmax;

    use super::*;

    fn task(chain: Option<&Chain>) -> Task<'_> {
        Task { prompt: &[TokenId(1)], chain, max_tokens: 4, ..Task::default() }
    }

    fn seen(tokens: &[TokenId]) -> Seen<'_> {
        Seen { tokens, held: None }
    }

    const LOGITS: [f32; 6] = [1.0, 3.0, f32::NEG_INFINITY, 3.0, -2.0, 2.5];

    #[test]
    fn the_likeliest_in_order_and_masked_ones_never() {
        let found = likeliest(&task(None), seen(&[]), &LOGITS, 9).unwrap();
        assert_eq!(found.iter().map(|c| c.token.0).collect::<Vec<_>>(), [1, 3, 5, 0, 4]);
        let p = softmax(&LOGITS.map(f64::from), 1.0).unwrap();
        for one in &found {
            assert!((one.logprob - p[one.token.index()].ln()).abs() < 1e-12);
            assert_eq!(one.logprob, one.chained);
        }
        assert_eq!(likeliest(&task(None), seen(&[]), &LOGITS, 2).unwrap(), found[..2]);
        let mut all = all(&task(None), seen(&[]), &LOGITS).unwrap();
        all.sort_by(|a, b| b.logprob.total_cmp(&a.logprob));
        assert_eq!(all, found);
        for bad in [&[f32::NAN, 1.0][..], &[], &[f32::NEG_INFINITY], &[f32::INFINITY]] {
            assert!(likeliest(&task(None), seen(&[]), bad, 2).is_err(), "{bad:?}");
            assert!(super::all(&task(None), seen(&[]), bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_chain_changes_one_of_the_two_probabilities() {
        let chain: Chain = "temp=2 | top_k=3".parse().unwrap();
        let found = likeliest(&task(Some(&chain)), seen(&[]), &LOGITS, 9).unwrap();
        let p = softmax(&[3.0, 3.0, 2.5], 2.0).unwrap();
        assert_eq!(found.len(), 3);
        for (one, p) in found.iter().zip(&p) {
            assert!((one.chained - p.ln()).abs() < 1e-12, "{one:?}");
        }
        let own = likeliest(&task(None), seen(&[]), &LOGITS, 3).unwrap();
        assert!(found.iter().zip(&own).all(|(a, b)| a.logprob == b.logprob));
        assert_eq!(all(&task(Some(&chain)), seen(&[]), &LOGITS).unwrap().len(), 3);
        // A stage that reads the tokens so far gets prompt and text.
        let chain: Chain = "repetition=2".parse().unwrap();
        let after = |tokens: &[TokenId]| {
            likeliest(&task(Some(&chain)), seen(tokens), &LOGITS, 1).unwrap()[0].token.0
        };
        assert_eq!((after(&[]), after(&[TokenId(3)])), (3, 5));
        let greedy: Chain = "temp=0".parse().unwrap();
        let found = likeliest(&task(Some(&greedy)), seen(&[]), &LOGITS, 9).unwrap();
        assert!(found.len() == 1 && found[0].chained == 0.0 && found[0].token.0 == 1);
    }
}
