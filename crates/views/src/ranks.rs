//! Probability by rank over the whole vocabulary, in about sixty points.

use kelvin_sampling::{Distribution, SampleError};
use serde::Serialize;

use super::next::Moment;

/// Points for each power of ten.
const A_DECADE: f64 = 14.0;

/// A token's probability at one rank of the descending order.
#[derive(Debug, PartialEq, Serialize)]
pub struct Rank {
    /// The rank, from 1.
    rank: usize,
    raw: Option<f64>,
    /// Final probability; null if the chain left fewer tokens.
    #[serde(rename = "final")]
    last: Option<f64>,
    /// Final mass of all tokens of higher rank.
    tail: f64,
}

/// Probabilities at ranks that lie evenly on a logarithmic axis, the first and the last among them.
pub fn ranks(moment: &Moment<'_>, raw: &Distribution) -> Result<Vec<Rank>, SampleError> {
    let last = Distribution::after(moment.logits, moment.chain, moment.state, moment.words)?;
    Ok(points(&falling(raw), &falling(&last)))
}

/// The probabilities in descending order.
fn falling(distribution: &Distribution) -> Vec<f64> {
    let all = distribution.top(distribution.survivors());
    all.iter().map(|choice| choice.probability).collect()
}

fn points(raw: &[f64], last: &[f64]) -> Vec<Rank> {
    // Small ones are summed first, so that the tail isn't rounded away.
    let mut tails = vec![0.0; last.len() + 1];
    for i in (0..last.len()).rev() {
        tails[i] = tails[i + 1] + last[i];
    }
    let n = raw.len().max(last.len());
    let steps = (n as f64).log10() * A_DECADE;
    let rank = |i: usize| (10f64.powf(i as f64 / A_DECADE).round() as usize).min(n);
    let mut places: Vec<usize> = (0..=steps.ceil() as usize).map(rank).collect();
    places.dedup();
    let point = |rank: usize| Rank {
        rank,
        raw: raw.get(rank - 1).copied(),
        last: last.get(rank - 1).copied(),
        tail: tails.get(rank).copied().unwrap_or(0.0),
    };
    places.into_iter().map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_go_from_the_first_to_the_last() {
        let raw = [0.5, 0.3, 0.15, 0.05];
        let found = points(&raw, &[0.75, 0.25]);
        assert_eq!(found.iter().map(|point| point.rank).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(found[0], Rank { rank: 1, raw: Some(0.5), last: Some(0.75), tail: 0.25 });
        assert_eq!(found[2], Rank { rank: 3, raw: Some(0.15), last: None, tail: 0.0 });
        let many = vec![1.0 / 50_000.0; 50_000];
        let found = points(&many, &many);
        assert!(found.len() < 80 && found[found.len() - 1].rank == 50_000, "{}", found.len());
        assert!(
            found
                .windows(2)
                .all(|pair| pair[0].rank < pair[1].rank && pair[0].tail >= pair[1].tail)
        );
    }
}
