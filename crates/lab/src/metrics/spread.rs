//! Semantic spread: the distance between the embeddings of a cell's samples.

use super::Absent;
use crate::run::Sample;

/// Embeddings are f32, so smaller distances are rounding errors: equal texts have distance 0.
const FINEST: f64 = 1.0 / (1u64 << 23) as f64;

/// The mean over pairs of 1 - cosine similarity of the embeddings (Tevet & Berant 2021, arXiv
/// 2004.02990, there as a similarity).
pub(super) fn semantic_spread(samples: &[&Sample]) -> Result<f64, Absent> {
    if samples.len() < 2 {
        return Err(Absent::NeedsSamples { samples: 2 });
    }
    let embeddings: Option<Vec<&[f32]>> =
        samples.iter().map(|sample| sample.embedding.as_deref()).collect();
    Ok(spread(&embeddings.ok_or(Absent::NoMeaning)?))
}

/// The squared norm of the sum of unit vectors contains every pair's cosine twice and each vector's
/// own, so no pair has to be visited.
fn spread(embeddings: &[&[f32]]) -> f64 {
    let n = embeddings.len() as f64;
    let mut sum = vec![0.0; embeddings.first().map_or(0, |embedding| embedding.len())];
    for embedding in embeddings {
        let length = embedding.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        for (sum, &x) in sum.iter_mut().zip(*embedding) {
            *sum += f64::from(x) / length;
        }
    }
    let all: f64 = sum.iter().map(|x| x * x).sum();
    let spread = 1.0 - (all - n) / (n * (n - 1.0));
    (spread / FINEST).round() * FINEST
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Finish;

    #[test]
    fn pairs_are_as_far_apart_as_their_angles_say() {
        assert_eq!(spread(&[&[1.0, 0.0], &[0.0, 1.0]]), 1.0);
        assert_eq!(spread(&[&[0.6, 0.8], &[-0.6, -0.8]]), 2.0);
        assert_eq!(spread(&[&[0.3, 0.7, -0.2][..]; 5]), 0.0);
        // Cosines 1, 0.5 and 0.5.
        let near = 3f32.sqrt() / 2.0;
        let found = spread(&[&[1.0, 0.0], &[1.0, 0.0], &[0.5, near]]);
        assert!((found - 1.0 / 3.0).abs() < 1e-6, "{found}");
    }

    #[test]
    fn what_it_needs_is_said() {
        let sample = |embedding: Option<Vec<f32>>| Sample {
            prompt: 0,
            chain: 0,
            sample: 0,
            text: "x".into(),
            finish: Finish::MaxTokens,
            tokens: Vec::new(),
            judged: None,
            embedding,
            whole: None,
        };
        let (with, without) = (sample(Some(vec![1.0, 0.0])), sample(None));
        assert_eq!(semantic_spread(&[&with, &with]), Ok(0.0));
        assert_eq!(semantic_spread(&[&with]), Err(Absent::NeedsSamples { samples: 2 }));
        assert_eq!(semantic_spread(&[&with, &without]), Err(Absent::NoMeaning));
        let said = Absent::NoMeaning.to_string();
        assert!(said.contains("--metrics semantic_spread"), "{said}");
        assert_eq!(said.contains("--features semantic"), !cfg!(feature = "semantic"), "{said}");
    }
}
